//! What may be asked of a user's account.
//!
//! Private halves travel as plain structs. Who may ask is not decided here but in `application::access`.

use crate::devices::{DeviceKind, DevicePolicy};
use crate::ids::{CannedReplyId, ChannelId, GroupId, SessionId, UserId};
use crate::labels::Label;
use crate::message::{CannedText, Party};
use crate::remark::Remark;
use crate::time::Timestamp;
use crate::user::abilities::AbilitiesChange;
use crate::user::describe::Describe;
use crate::user::event::{Device, ExternalAccount, KeyedDigest, PasswordHash, Profile, Role, SessionEnd};

/// An order to one user's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserCommand {
    /// Make the account. The same again is nothing; another role, or the other anonymity, is refused.
    Register {
        /// What the user is; never changes.
        role: Role,
        /// Whether nobody vouches for who they are: customers only.
        anonymous: bool,
        /// Name and picture.
        profile: Profile,
    },
    /// Replace name and picture.
    ChangeProfile {
        /// The new ones.
        profile: Profile,
    },
    /// Remember that the user is known elsewhere under this account. That nobody else has it is the directory's to check.
    MapExternalAccount {
        /// Keyed digest of provider and account id.
        digest: KeyedDigest,
        /// The account itself.
        account: ExternalAccount,
    },
    /// Let the user sign in with a password, or with another one. Running sessions stay.
    SetPassword {
        /// Its argon2 hash.
        hash: PasswordHash,
    },
    /// Sign the user in on a device. What the policy does not allow beside it ends; beyond its number, the session that would
    /// expire first.
    StartSession {
        /// The new sign-in.
        session: SessionId,
        /// Keyed digest of its refresh secret.
        refresh: KeyedDigest,
        /// When it ends unless refreshed; after the time of the command.
        expires_at: Timestamp,
        /// What is known of the device.
        device: Device,
        /// What the device is.
        kind: DeviceKind,
        /// What the tenant allows the user's role, as looked up.
        policy: DevicePolicy,
    },
    /// Replace the refresh secret by the next one. Presenting a secret that is not the current one ends the session: it is
    /// accepted with [`SessionEnd::RefreshReused`], because it must be on record, so look at the event before answering.
    RefreshSession {
        /// The sign-in.
        session: SessionId,
        /// Keyed digest of the secret that was presented.
        presented: KeyedDigest,
        /// Keyed digest of the next secret.
        next: KeyedDigest,
        /// When the session now ends unless refreshed; after the time of the command.
        expires_at: Timestamp,
    },
    /// End one sign-in. A session that is not live is nothing.
    EndSession {
        /// The sign-in.
        session: SessionId,
        /// Why.
        reason: SessionEnd,
    },
    /// End every live sign-in.
    EndAllSessions {
        /// Why.
        reason: SessionEnd,
    },
    /// Close the account: ends every session and the shift.
    Deactivate,
    /// This anonymous customer turned out to be the other, identified one. Ends every session.
    Merge {
        /// The account that gets this command; its state does not know its own id.
        user: UserId,
        /// The identified account. That it exists is the caller's to check.
        into: UserId,
    },
    /// Hear nothing of the customer any more. One who is blocked already stays so for the reason that was given first.
    BlockCustomer {
        /// Who says so.
        by: Party,
        /// Why; none where it follows from a merge.
        reason: Option<Remark>,
    },
    /// Take the block back.
    UnblockCustomer {
        /// Who says so.
        by: Party,
    },
    /// Replace the groups that the agent serves.
    ChangeGroups {
        /// All of them, in any order; repeated ones count once.
        groups: Vec<GroupId>,
    },
    /// Replace the number of conversations that the agent serves at a time.
    ChangeCapacity {
        /// 0 to [`super::state::CAPACITY_MAX`].
        capacity: u32,
    },
    /// Change what the agent is able to do.
    ChangeAbilities(Box<AbilitiesChange>),
    /// Begin the shift, or end the pause.
    StartService,
    /// Keep the conversations and take no further ones. Only during a shift.
    PauseService {
        /// As the tenant names it, such as `meal`; stored in the clear, so never a person's data.
        reason: Option<Label>,
    },
    /// End the shift.
    StopService,
    /// The first device connected.
    ComeOnline,
    /// The last device has been gone for longer than the grace.
    GoOffline,
    /// Keep a text of one's own. The same id again is nothing, whatever it says.
    AddCannedReply {
        /// Its id, new for every reply.
        reply: CannedReplyId,
        /// What is typed to find it: no other reply of this user has it.
        shortcut: Label,
        /// What it says.
        content: CannedText,
    },
    /// Replace shortcut and text. Always recorded, because the state holds no text to compare with.
    ChangeCannedReply {
        /// Which.
        reply: CannedReplyId,
        /// What is typed to find it.
        shortcut: Label,
        /// What it says.
        content: CannedText,
    },
    /// Forget a canned reply. One that is not there is refused, so that whoever asked looks elsewhere.
    RemoveCannedReply {
        /// Which.
        reply: CannedReplyId,
    },
    /// Change what the tenant knows of a customer in words of its own.
    Describe(Box<Describe>),
    /// Note that a channel has the user's feed up to an index; with 0, that the customer comes by it. Less than before is nothing.
    ReceiveByChannel {
        /// Which; never another one than at the first time.
        channel: ChannelId,
        /// The last index that it has.
        up_to: u64,
    },
}
