//! The rules of a campaign, each where it holds and where it stops.

use crate::campaign::Campaign;
use crate::campaign::command::CampaignCommand;
use crate::campaign::decide::{LASTS_AT_MOST, PER_SECOND_MAX, RECIPIENTS_AT_A_TIME_MAX};
use crate::campaign::error::CampaignError;
use crate::campaign::event::{
    CampaignAdvanced, CampaignCancelled, CampaignCreated, CampaignEvent, CampaignFinished, CampaignPaused, CampaignResumed,
    CampaignStarted, CancelReason, Place, RecipientsAdded, Sequence, Tally,
};
use crate::ids::UserId;
use crate::message::{ContentRefused, Kind, MessageContent, Style};
use crate::private::Private;
use crate::testing::{self, Given, NOW};
use crate::time::Millis;

fn given(history: impl IntoIterator<Item = CampaignEvent>) -> Given<Campaign> {
    testing::given(history)
}

fn create(content: &str, per_second: u32) -> CampaignCommand {
    CampaignCommand::Create {
        shop: "flowers".parse().unwrap(),
        style: Style::Card,
        kind: Kind::Text,
        per_second,
        content: MessageContent::text(content),
    }
}

fn created() -> CampaignEvent {
    CampaignCreated {
        shop: "flowers".parse().unwrap(),
        style: Style::Card,
        kind: Kind::Text,
        per_second: 100,
        private: Private::Known(MessageContent::text("tulips")),
    }
    .into()
}

fn people(count: u128) -> Vec<UserId> {
    (1..=count).map(UserId::from_u128).collect()
}

fn added(count: u128) -> CampaignEvent {
    RecipientsAdded { recipients: people(count) }.into()
}

fn started() -> CampaignEvent {
    CampaignStarted { sequence: Sequence::ById }.into()
}

/// A campaign that speaks to three and then to two.
fn running() -> Given<Campaign> {
    given([created(), added(3), added(2), started()])
}

fn place(part: u32, offset: u32) -> Place {
    Place { part, offset }
}

fn sent(count: u64) -> Tally {
    Tally { sent: count, ..Tally::default() }
}

fn advance(from: Place, to: Place, tally: Tally) -> CampaignCommand {
    CampaignCommand::Advance { from, to, tally }
}

fn advanced(to: Place, tally: Tally) -> CampaignEvent {
    CampaignAdvanced { to, tally }.into()
}

#[test]
fn a_campaign_is_written_once() {
    given([]).when(create("tulips", 100)).then([created()]);
    given([created()]).when(create("tulips", 100)).then([]);
    given([created()]).when(create("tulips", 50)).then_refused(CampaignError::WrittenOtherwise);
    given([]).when(create("", 100)).then_refused(CampaignError::Content(ContentRefused::Empty));
    for per_second in [0, PER_SECOND_MAX + 1] {
        given([]).when(create("tulips", per_second)).then_refused(CampaignError::PaceOutOfRange { per_second, max: PER_SECOND_MAX });
    }
}

#[test]
fn nothing_is_asked_of_a_campaign_that_nobody_wrote() {
    let add = CampaignCommand::AddRecipients { recipients: people(1) };
    for command in [add, CampaignCommand::Start, CampaignCommand::Pause, advance(place(0, 0), place(0, 1), sent(1))] {
        given([]).when(command).then_refused(CampaignError::Unwritten);
    }
}

#[test]
fn recipients_are_listed_before_it_starts_and_never_after() {
    let add = |count| CampaignCommand::AddRecipients { recipients: people(count) };
    given([created()]).when(add(3)).then([added(3)]);
    // The same people again are another addition: their chats see to it that they hear it once.
    given([created(), added(3)]).when(add(3)).then([added(3)]);
    running().when(add(1)).then_refused(CampaignError::NotADraft);
    let most = RECIPIENTS_AT_A_TIME_MAX as u128;
    given([created()]).when(add(most)).then([added(most)]);
    for count in [0, most + 1] {
        given([created()]).when(add(count)).then_refused(CampaignError::PartSize { max: RECIPIENTS_AT_A_TIME_MAX });
    }
}

#[test]
fn it_starts_with_somebody_to_speak_to_pauses_and_goes_on() {
    given([created()]).when(CampaignCommand::Start).then_refused(CampaignError::NoRecipients);
    given([created()]).when(CampaignCommand::Pause).then_refused(CampaignError::NotStarted);
    given([created(), added(3)]).when(CampaignCommand::Start).then([started()]);
    running().when(CampaignCommand::Start).then([]);
    running().when(CampaignCommand::Pause).then([CampaignPaused {}.into()]);
    running().and([CampaignPaused {}.into()]).when(CampaignCommand::Pause).then([]);
    running().and([CampaignPaused {}.into()]).when(CampaignCommand::Start).then([CampaignResumed {}.into()]);
}

#[test]
fn it_does_not_go_on_when_chats_may_have_forgotten_what_was_said_first() {
    let paused = || running().and([CampaignPaused {}.into()]);
    paused().at(NOW + LASTS_AT_MOST).when(CampaignCommand::Start).then([CampaignResumed {}.into()]);
    paused().at(NOW + LASTS_AT_MOST + Millis(1)).when(CampaignCommand::Start).then_refused(CampaignError::TookTooLong);
    // A pause does not set the clock back.
    let resumed = paused().at(NOW + Millis::hours(70)).and([CampaignResumed {}.into(), CampaignPaused {}.into()]);
    resumed.at(NOW + LASTS_AT_MOST + Millis(1)).when(CampaignCommand::Start).then_refused(CampaignError::TookTooLong);
}

#[test]
fn what_is_over_stays_over() {
    let cancel = CampaignCommand::Cancel { reason: CancelReason::Requested };
    let cancelled = || CampaignEvent::from(CampaignCancelled { reason: CancelReason::Requested });
    running().when(cancel.clone()).then([cancelled()]);
    given([created()]).when(cancel.clone()).then([cancelled()]);
    running().and([cancelled()]).when(cancel.clone()).then([]);
    let finished = || running().and([advanced(place(2, 0), sent(5)), CampaignFinished {}.into()]);
    finished().when(cancel).then_refused(CampaignError::Over);
    for over in [finished(), running().and([cancelled()])] {
        over.when(CampaignCommand::Start).then_refused(CampaignError::Over);
    }
    finished().when(CampaignCommand::Pause).then_refused(CampaignError::Over);
}

#[test]
fn it_gets_on_from_where_it_is_and_finishes_with_the_last() {
    let first = || advanced(place(0, 2), Tally { sent: 1, unknown: 1, ..Tally::default() });
    running().when(advance(place(0, 0), place(0, 2), Tally { sent: 1, unknown: 1, ..Tally::default() })).then([first()]);
    running().and([first()]).when(advance(place(0, 2), place(1, 0), sent(1))).then([advanced(place(1, 0), sent(1))]);
    let last = [advanced(place(2, 0), sent(3)), CampaignFinished {}.into()];
    running().and([first()]).when(advance(place(0, 2), place(2, 0), sent(3))).then(last);
}

#[test]
fn who_carries_it_on_from_another_place_is_told_where_it_is() {
    let there = || running().and([advanced(place(0, 2), sent(2))]);
    there().when(advance(place(0, 0), place(0, 2), sent(2))).then_refused(CampaignError::ElsewhereAlready { place: place(0, 2) });
    there().when(advance(place(1, 0), place(1, 1), sent(1))).then_refused(CampaignError::ElsewhereAlready { place: place(0, 2) });
}

#[test]
fn it_gets_on_by_as_many_as_were_counted_and_not_beyond_its_list() {
    for (to, tally) in [
        (place(0, 0), sent(0)),
        (place(2, 1), sent(5)),
        (place(3, 0), sent(5)),
        (place(2, 0), sent(4)),
        (place(1, 0), sent(5)),
        (place(1, 0), sent(6)),
    ] {
        running().when(advance(place(0, 0), to, tally)).then_refused(CampaignError::NotOnward);
    }
}

#[test]
fn what_was_on_its_way_is_counted_after_a_pause_or_a_cancellation() {
    let onward = || advance(place(0, 0), place(0, 2), sent(2));
    running().and([CampaignPaused {}.into()]).when(onward()).then([advanced(place(0, 2), sent(2))]);
    let cancelled = || running().and([CampaignCancelled { reason: CancelReason::Requested }.into()]);
    cancelled().when(onward()).then([advanced(place(0, 2), sent(2))]);
    // Also when it turns out to have been the last: cancelled is cancelled.
    cancelled().when(advance(place(0, 0), place(2, 0), sent(5))).then([advanced(place(2, 0), sent(5))]);
}
