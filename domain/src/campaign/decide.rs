//! The rules of a campaign.

use crate::campaign::command::CampaignCommand;
use crate::campaign::error::CampaignError;
use crate::campaign::event::{
    CampaignAdvanced, CampaignCancelled, CampaignCreated, CampaignEvent, CampaignFinished, CampaignPaused, CampaignResumed,
    CampaignStarted, CancelReason, Place, RecipientsAdded, Sequence, Tally,
};
use crate::campaign::state::{CampaignState, Stage, WrittenCampaign};
use crate::ids::{ShopId, UserId};
use crate::message::{Kind, MessageContent, Style};
use crate::private::Private;
use crate::time::{Millis, Timestamp};

/// Most recipients of one addition: as ids in JSON they take a third of a commit.
pub const RECIPIENTS_AT_A_TIME_MAX: usize = 5_000;
/// Most recipients of a campaign.
pub const RECIPIENTS_MAX: u64 = 10_000_000;
/// Fastest pace, in customers a second.
pub const PER_SECOND_MAX: u32 = 10_000;
/// A campaign that began longer ago says nothing more: chats remember for 72 hours what was posted in them, and an hour of that
/// is left for what is on its way.
pub const LASTS_AT_MOST: Millis = Millis::hours(71);

type Decision = Result<Vec<CampaignEvent>, CampaignError>;

/// Answers one command.
///
/// # Errors
/// The rule that refuses.
pub fn decide(command: &CampaignCommand, state: &CampaignState, at: Timestamp) -> Decision {
    let campaign = state.written().ok_or(CampaignError::Unwritten);
    match command {
        CampaignCommand::Create { shop, style, kind, per_second, content } => create(state, *shop, *style, *kind, *per_second, content),
        CampaignCommand::AddRecipients { recipients } => add_recipients(campaign?, recipients),
        CampaignCommand::Start => start(campaign?, at),
        CampaignCommand::Pause => pause(campaign?),
        CampaignCommand::Cancel { reason } => cancel(campaign?, *reason),
        CampaignCommand::Advance { from, to, tally } => advance(campaign?, *from, *to, *tally),
    }
}

fn create(state: &CampaignState, shop: ShopId, style: Style, kind: Kind, per_second: u32, content: &MessageContent) -> Decision {
    if let Some(campaign) = state.written() {
        let same = (campaign.shop, campaign.style, campaign.kind, campaign.per_second) == (shop, style, kind, per_second);
        return if same { Ok(vec![]) } else { Err(CampaignError::WrittenOtherwise) };
    }
    content.check()?;
    if !(1..=PER_SECOND_MAX).contains(&per_second) {
        return Err(CampaignError::PaceOutOfRange { per_second, max: PER_SECOND_MAX });
    }
    Ok(vec![CampaignCreated { shop, style, kind, per_second, private: Private::Known(content.clone()) }.into()])
}

fn add_recipients(campaign: &WrittenCampaign, recipients: &[UserId]) -> Decision {
    match campaign.stage {
        Stage::Draft => {}
        Stage::Running { .. } | Stage::Paused { .. } | Stage::Cancelled | Stage::Finished => return Err(CampaignError::NotADraft),
    }
    if recipients.is_empty() || recipients.len() > RECIPIENTS_AT_A_TIME_MAX {
        return Err(CampaignError::PartSize { max: RECIPIENTS_AT_A_TIME_MAX });
    }
    if campaign.recipients + recipients.len() as u64 > RECIPIENTS_MAX {
        return Err(CampaignError::TooManyRecipients { max: RECIPIENTS_MAX });
    }
    Ok(vec![RecipientsAdded { recipients: recipients.to_vec() }.into()])
}

fn start(campaign: &WrittenCampaign, at: Timestamp) -> Decision {
    match campaign.stage {
        Stage::Draft if campaign.recipients == 0 => Err(CampaignError::NoRecipients),
        Stage::Draft => Ok(vec![CampaignStarted { sequence: Sequence::ById }.into()]),
        Stage::Running { .. } => Ok(vec![]),
        Stage::Paused { since } if at - since > LASTS_AT_MOST => Err(CampaignError::TookTooLong),
        Stage::Paused { .. } => Ok(vec![CampaignResumed {}.into()]),
        Stage::Cancelled | Stage::Finished => Err(CampaignError::Over),
    }
}

fn pause(campaign: &WrittenCampaign) -> Decision {
    match campaign.stage {
        Stage::Draft => Err(CampaignError::NotStarted),
        Stage::Running { .. } => Ok(vec![CampaignPaused {}.into()]),
        Stage::Paused { .. } => Ok(vec![]),
        Stage::Cancelled | Stage::Finished => Err(CampaignError::Over),
    }
}

fn cancel(campaign: &WrittenCampaign, reason: CancelReason) -> Decision {
    match campaign.stage {
        Stage::Draft | Stage::Running { .. } | Stage::Paused { .. } => Ok(vec![CampaignCancelled { reason }.into()]),
        Stage::Cancelled => Ok(vec![]),
        Stage::Finished => Err(CampaignError::Over),
    }
}

/// What was said is noted also after a pause or a cancellation: both may come while messages are on their way.
fn advance(campaign: &WrittenCampaign, from: Place, to: Place, tally: Tally) -> Decision {
    match campaign.stage {
        Stage::Draft => return Err(CampaignError::NotStarted),
        Stage::Finished => return Err(CampaignError::ElsewhereAlready { place: campaign.place }),
        Stage::Running { .. } | Stage::Paused { .. } | Stage::Cancelled => {}
    }
    if from != campaign.place {
        return Err(CampaignError::ElsewhereAlready { place: campaign.place });
    }
    let counted = campaign.tally.total() + tally.total();
    let at_end = to == campaign.end();
    if to <= from || to > campaign.end() || counted > campaign.recipients || at_end != (counted == campaign.recipients) {
        return Err(CampaignError::NotOnward);
    }
    let mut events = vec![CampaignAdvanced { to, tally }.into()];
    if at_end && campaign.stage != Stage::Cancelled {
        events.push(CampaignFinished {}.into());
    }
    Ok(events)
}
