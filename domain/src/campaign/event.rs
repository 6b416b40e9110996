//! What happens to a campaign, as it is stored.

use serde::{Deserialize, Serialize};

use crate::ids::{ShopId, UserId};
use crate::message::{Kind, MessageContent, Style};
use crate::private::Private;
use crate::stored_events;

/// How far along the list of recipients: so many additions, and so many of the next. Who they are says the [`Sequence`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Which addition to the list, from 0.
    pub part: u32,
    /// How many beyond those before it, fewer than it has recipients.
    pub offset: u32,
}

/// What became of recipients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The message is in their chat.
    pub sent: u64,
    /// The tenant has no such customer.
    pub unknown: u64,
    /// Their account is closed, or they were erased.
    pub inactive: u64,
    /// Their chat refused the message.
    pub refused: u64,
}

impl Tally {
    /// How many recipients that are.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.sent.saturating_add(self.unknown).saturating_add(self.inactive).saturating_add(self.refused)
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent.saturating_add(other.sent),
            unknown: self.unknown.saturating_add(other.unknown),
            inactive: self.inactive.saturating_add(other.inactive),
            refused: self.refused.saturating_add(other.refused),
        }
    }
}

/// Why a campaign was stopped for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// Somebody asked for it.
    Requested,
    /// It took longer than chats remember what was posted in them, and nothing may be said twice.
    TookTooLong,
}

/// The campaign is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignCreated {
    /// In whose name it speaks.
    pub shop: ShopId,
    /// How its message is shown.
    pub style: Style,
    /// What its message carries.
    pub kind: Kind,
    /// Most customers it reaches in a second.
    pub per_second: u32,
    /// What it says.
    #[serde(skip)]
    pub private: Private<MessageContent>,
}

/// More customers are on its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientsAdded {
    /// Who.
    pub recipients: Vec<UserId>,
}

/// In which order a campaign goes through its list. A [`Place`] counts who has had their turn, in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sequence {
    /// As they were added: how the first campaigns went about it, and how those that were running go on.
    #[default]
    AsListed,
    /// Every [`PARTS_TOGETHER`] additions by themselves, and those by user id: what is stored of one customer after the other
    /// then lies side by side, so that a long campaign touches few places at a time.
    ById,
}

/// Additions to a list that are gone through together where it goes by id: 1,280,000 recipients, or 20 MB, at most.
pub const PARTS_TOGETHER: u32 = 256;

/// It speaks from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignStarted {
    /// In which order.
    #[serde(default)]
    pub sequence: Sequence,
}

/// It is silent for the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignPaused {}

/// It speaks again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignResumed {}

/// It is silent for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignCancelled {
    /// Why.
    pub reason: CancelReason,
}

/// Some more recipients have been gone through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignAdvanced {
    /// Everybody before this one.
    pub to: Place,
    /// What became of those since the last time.
    pub tally: Tally,
}

/// Everybody has been gone through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignFinished {}

stored_events! {
    /// Everything that happens to a campaign.
    pub enum CampaignEvent {
        /// It is written.
        CampaignCreated = "campaign.created", 1, private;
        /// More customers are on its list.
        RecipientsAdded = "campaign.recipients_added", 1;
        /// It began.
        CampaignStarted = "campaign.started", 1;
        /// It stopped for the moment.
        CampaignPaused = "campaign.paused", 1;
        /// It went on.
        CampaignResumed = "campaign.resumed", 1;
        /// It stopped for good.
        CampaignCancelled = "campaign.cancelled", 1;
        /// It got on.
        CampaignAdvanced = "campaign.advanced", 1;
        /// It is done.
        CampaignFinished = "campaign.finished", 1;
    }
}
