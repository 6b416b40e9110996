//! How each fact changes what is known of a campaign.
//!
//! It never refuses: a fact that does not fit the stage changes nothing.

use crate::campaign::event::{CampaignEvent, Place, Tally};
use crate::campaign::state::{CampaignState, Stage, WrittenCampaign};
use crate::time::Timestamp;

/// Takes one fact into the state.
pub fn evolve(state: &mut CampaignState, event: &CampaignEvent, at: Timestamp) {
    match state {
        CampaignState::Unwritten => {
            if let CampaignEvent::CampaignCreated(created) = event {
                *state = CampaignState::Written(WrittenCampaign {
                    shop: created.shop,
                    style: created.style,
                    kind: created.kind,
                    per_second: created.per_second,
                    stage: Stage::Draft,
                    parts: 0,
                    recipients: 0,
                    place: Place::default(),
                    tally: Tally::default(),
                });
            }
        }
        CampaignState::Written(campaign) => evolve_written(campaign, event, at),
    }
}

fn evolve_written(campaign: &mut WrittenCampaign, event: &CampaignEvent, at: Timestamp) {
    match event {
        CampaignEvent::CampaignCreated(_) => {}
        CampaignEvent::RecipientsAdded(added) => {
            campaign.parts += 1;
            campaign.recipients += added.recipients.len() as u64;
        }
        CampaignEvent::CampaignStarted(_) => campaign.stage = Stage::Running { since: at },
        CampaignEvent::CampaignPaused(_) => {
            if let Stage::Running { since } = campaign.stage {
                campaign.stage = Stage::Paused { since };
            }
        }
        CampaignEvent::CampaignResumed(_) => {
            if let Stage::Paused { since } = campaign.stage {
                campaign.stage = Stage::Running { since };
            }
        }
        CampaignEvent::CampaignCancelled(_) => campaign.stage = Stage::Cancelled,
        CampaignEvent::CampaignAdvanced(advanced) => {
            campaign.place = advanced.to;
            campaign.tally = campaign.tally.and(advanced.tally);
        }
        CampaignEvent::CampaignFinished(_) => campaign.stage = Stage::Finished,
    }
}
