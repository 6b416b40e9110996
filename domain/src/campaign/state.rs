//! What deciding about a campaign needs of its past: counts and places, never the list itself, which may have a million entries.

use serde::{Deserialize, Serialize};

use crate::campaign::event::{Place, Tally};
use crate::ids::ShopId;
use crate::message::{Kind, Style};
use crate::time::Timestamp;

/// Where a campaign is in its life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CampaignState {
    /// Nobody wrote it.
    #[default]
    Unwritten,
    /// It is there.
    Written(WrittenCampaign),
}

/// A campaign that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenCampaign {
    /// In whose name it speaks.
    pub shop: ShopId,
    /// How its message is shown.
    pub style: Style,
    /// What its message carries.
    pub kind: Kind,
    /// Most customers it reaches in a second.
    pub per_second: u32,
    /// What it does.
    pub stage: Stage,
    /// Additions to its list.
    pub parts: u32,
    /// Recipients on its list.
    pub recipients: u64,
    /// How far it is.
    pub place: Place,
    /// What became of those before.
    pub tally: Tally,
}

/// What a campaign does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Its list is being made.
    Draft,
    /// It speaks.
    Running {
        /// Since when, pauses included.
        since: Timestamp,
    },
    /// It is silent for the moment.
    Paused {
        /// When it began.
        since: Timestamp,
    },
    /// It is silent for good.
    Cancelled,
    /// Everybody has been gone through.
    Finished,
}

impl CampaignState {
    /// The campaign, once it is written.
    #[must_use]
    pub const fn written(&self) -> Option<&WrittenCampaign> {
        match self {
            Self::Unwritten => None,
            Self::Written(campaign) => Some(campaign),
        }
    }
}

impl WrittenCampaign {
    /// Behind the last recipient.
    #[must_use]
    pub const fn end(&self) -> Place {
        Place { part: self.parts, offset: 0 }
    }
}
