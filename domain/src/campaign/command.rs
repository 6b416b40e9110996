//! What may be asked of a campaign.

use crate::campaign::event::{CancelReason, Place, Tally};
use crate::ids::{ShopId, UserId};
use crate::message::{Kind, MessageContent, Style};

/// An order to one campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignCommand {
    /// Write it. The same again is nothing; another content under the same id is refused.
    Create {
        /// In whose name it speaks.
        shop: ShopId,
        /// How its message is shown.
        style: Style,
        /// What its message carries.
        kind: Kind,
        /// Most customers it reaches in a second.
        per_second: u32,
        /// What it says.
        content: MessageContent,
    },
    /// List more customers, before it starts.
    AddRecipients {
        /// Who, at most [`super::decide::RECIPIENTS_AT_A_TIME_MAX`].
        recipients: Vec<UserId>,
    },
    /// Begin, or go on after a pause. One that runs is nothing.
    Start,
    /// Stop for the moment. One that is paused is nothing.
    Pause,
    /// Stop for good. One that is cancelled is nothing.
    Cancel {
        /// Why.
        reason: CancelReason,
    },
    /// Note how far it is.
    Advance {
        /// From where; another place than the noted one is refused, because then somebody else carried it on.
        from: Place,
        /// Everybody before this one has been gone through.
        to: Place,
        /// What became of those between the two.
        tally: Tally,
    },
}
