//! Who sees an attachment that messages use: whoever sees one of them. Before any message uses it, its uploader alone.

use application::queries::{AttachmentUses, MemberRow};
use domain::ids::{TenantId, UserId};
use domain::message::Visibility;

use crate::state::AppState;

/// What a reader sees of a chat.
#[derive(Clone, Copy, Debug)]
pub struct Eyes {
    /// Who they are in it, if anybody.
    pub member: Option<UserId>,
    /// The last place that they do not see.
    pub floor: u64,
    /// Whether they see notes.
    pub sees_notes: bool,
    /// Whether they see what was taken back, to look into what happened.
    pub audits: bool,
}

impl Eyes {
    /// Those of a member.
    #[must_use]
    pub fn of_member(member: &MemberRow) -> Self {
        Self { member: Some(member.user), floor: member.floor(), sees_notes: member.role.is_staff(), audits: false }
    }
}

/// What an attachment is to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// A message shows it to them.
    Seen,
    /// What showed it to them was recalled, or they removed it from their own sight.
    TakenBack,
    /// No message that shows it is for them.
    Unseen,
}

/// What an attachment that messages use is to a reader.
#[must_use]
pub fn sight(app: &AppState, tenant: TenantId, uses: &AttachmentUses, eyes: Eyes) -> Sight {
    let views = &app.ports.views;
    let is_gone = |seq| {
        let is_hidden = |reader| views.is_hidden(tenant, uses.chat, seq, reader);
        views.is_recalled(tenant, uses.chat, seq) || eyes.member.is_some_and(is_hidden)
    };
    let mut sight = Sight::Unseen;
    // The newest first: what was taken back is mostly shown again after that, if at all.
    for place in uses.places.iter().rev() {
        let is_for_them = place.seq > eyes.floor && (eyes.sees_notes || place.visibility == Visibility::All);
        if is_for_them && (eyes.audits || !is_gone(place.seq)) {
            return Sight::Seen;
        }
        if is_for_them {
            sight = Sight::TakenBack;
        }
    }
    sight
}
