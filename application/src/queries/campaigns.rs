//! What can be known of a campaign.

use domain::campaign::event::{CancelReason, Place, Sequence, Tally};
use domain::ids::{CampaignId, ShopId};
use domain::message::{Kind, Style};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::EventRef;

/// What a campaign does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignStatus {
    /// Its list is being made.
    Draft,
    /// It speaks.
    Running,
    /// It is silent for the moment.
    Paused,
    /// It is silent for good.
    Cancelled,
    /// Everybody has been gone through.
    Finished,
}

/// A campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignRow {
    /// Its id.
    pub campaign: CampaignId,
    /// In whose name it speaks.
    pub shop: ShopId,
    /// How its message is shown.
    pub style: Style,
    /// What its message carries.
    pub kind: Kind,
    /// Where it says what it says.
    pub content: EventRef,
    /// Most customers it reaches in a second.
    pub per_second: u32,
    /// What it does.
    pub status: CampaignStatus,
    /// Why it was cancelled.
    pub cancelled: Option<CancelReason>,
    /// Customers on its list.
    pub recipients: u64,
    /// In which order it goes through them.
    pub sequence: Sequence,
    /// How far it is.
    pub place: Place,
    /// What became of those before.
    pub tally: Tally,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it finished or was cancelled.
    pub ended_at: Option<Timestamp>,
}
