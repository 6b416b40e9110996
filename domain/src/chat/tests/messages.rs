//! What members may say, take back, hide and read.

use super::*;
use crate::chat::error::ChatError;
use crate::chat::event::UploadExpired;
use crate::chat::state::HIDDEN_MAX;
use crate::ids::AttachmentId;
use crate::message::{CONTENT_BYTES_MAX, ContentRefused, EXT_BYTES_MAX, URL_BYTES_MAX};

const WINDOW: Millis = Millis::minutes(2);

fn recall(by: UserId, number: u64) -> ChatCommand {
    ChatCommand::Recall { by, message: message_id(number), window: WINDOW }
}

fn hide(reader: UserId, seq: u64) -> ChatCommand {
    ChatCommand::Hide { reader, message: message_id(seq), seq }
}

fn mark_read(reader: UserId, up_to_seq: u64) -> ChatCommand {
    ChatCommand::MarkRead { reader, up_to_seq }
}

fn alice_serves() -> Given<Chat> {
    given([opened(), started(FIRST), assigned_to(ALICE, 1)])
}

#[test]
fn messages_take_the_next_place() {
    alice_serves()
        .when(post(message(BUYER, 1)))
        .then([posted(BUYER, 1, FIRST).into()])
        .when(post(message(ALICE, 2)))
        .then([posted_under(1, ALICE, 2, FIRST)])
        .when(post(message(BUYER, 3)))
        .then([posted(BUYER, 3, FIRST).into()]);
}

#[test]
fn a_stranger_says_nothing() {
    alice_serves().when(post(message(STRANGER, 1))).then_refused(ChatError::NotAMember { user: STRANGER });
}

#[test]
fn a_quote_that_is_not_there_is_refused_and_what_was_posted_before_is_answered_all_the_same() {
    let without = |number| PostMessage { quoted: Quoted::Missing, ..message(BUYER, number) };
    alice_serves()
        .when(post(message(BUYER, 1)))
        .then([posted(BUYER, 1, FIRST).into()])
        .when(post(without(1)))
        .then_nothing()
        .when(post(without(2)))
        .then_refused(ChatError::QuoteNotFound);
}

/// A message at this place.
fn quoted(number: u64, visibility: Visibility) -> Quoted {
    Quoted::Message { message: message_id(number), seq: number, visibility }
}

#[test]
fn a_note_is_quoted_in_notes_only() {
    let note = staff_only(message(ALICE, 1));
    let quoting = PostMessage { quoted: quoted(1, Visibility::Staff), ..message(ALICE, 2) };
    alice_serves()
        .and([fact_of(&note, 1, Some(FIRST), None).into()])
        .when(post(quoting.clone()))
        .then_refused(ChatError::NoteQuoted)
        .when(post(staff_only(quoting.clone())))
        .then([fact_of(&staff_only(quoting), 2, Some(FIRST), None).into()]);
}

#[test]
fn an_agent_posts_under_the_assignment_in_force() {
    alice_serves().when(post(under(1, message(ALICE, 1)))).then([posted_under(1, ALICE, 1, FIRST)]);
}

#[test]
fn an_agent_who_posts_under_an_older_assignment_hears_that_it_is_not_theirs_any_more() {
    alice_serves()
        .and([assigned_to(ALICE, 3)])
        .when(post(under(1, message(ALICE, 1))))
        .then_refused(ChatError::NotYoursAnyMore { current: Some(3) })
        .when(post(under(3, message(ALICE, 1))))
        .then([posted_under(3, ALICE, 1, FIRST)]);
}

#[test]
fn an_agent_who_was_replaced_hears_that_it_is_not_theirs_any_more() {
    alice_serves()
        .and([left(ALICE), assigned_to(BOB, 2)])
        .when(post(under(1, message(ALICE, 1))))
        .then_refused(ChatError::NotYoursAnyMore { current: Some(2) });
}

#[test]
fn an_agent_whose_conversation_waits_again_hears_that_it_is_not_theirs_any_more() {
    alice_serves().and([left(ALICE)]).when(post(under(1, message(ALICE, 1)))).then_refused(ChatError::NotYoursAnyMore { current: None });
}

#[test]
fn a_watching_supervisor_whispers_but_does_not_speak_to_the_customer() {
    let note = staff_only(message(SUPERVISOR, 1));
    alice_serves()
        .and([joined(SUPERVISOR, ChatRole::Supervisor)])
        .when(post(message(SUPERVISOR, 1)))
        .then_refused(ChatError::NotYoursAnyMore { current: Some(1) })
        .when(post(note.clone()))
        .then([fact_of(&note, 1, Some(FIRST), None).into()]);
}

#[test]
fn a_supervisor_who_took_over_speaks_to_the_customer() {
    alice_serves()
        .and([joined(SUPERVISOR, ChatRole::Supervisor), left(ALICE), assigned_to(SUPERVISOR, 2)])
        .when(post(message(SUPERVISOR, 1)))
        .then([posted_under(2, SUPERVISOR, 1, FIRST)]);
}

#[test]
fn a_customer_does_not_write_to_the_staff_only() {
    alice_serves().when(post(staff_only(message(BUYER, 1)))).then_refused(ChatError::StaffOnly);
}

#[test]
fn robots_and_providers_speak_without_an_assignment() {
    for (seat, role) in [(ROBOT, ChatRole::Robot), (PROVIDER, ChatRole::Provider)] {
        given([opened(), started(FIRST), joined(seat, role)]).when(post(message(seat, 1))).then([posted(seat, 1, FIRST).into()]);
    }
}

#[test]
fn every_part_of_a_message_keeps_its_limit_to_the_byte() {
    let long = |bytes: usize| "x".repeat(bytes);
    let with = |content: MessageContent| PostMessage { content, ..message(BUYER, 1) };
    let url = |bytes| with(MessageContent { url: Some(long(bytes)), ..MessageContent::default() });
    let quoting = |bytes| with(MessageContent { quote_text: Some(long(bytes)), ..MessageContent::text("yes") });
    let ext = |bytes| with(MessageContent { ext: Some(long(bytes)), ..MessageContent::default() });
    for (kept, over, part, bytes_max) in [
        (
            with(MessageContent::text(long(CONTENT_BYTES_MAX))),
            with(MessageContent::text(long(CONTENT_BYTES_MAX + 1))),
            "content",
            CONTENT_BYTES_MAX,
        ),
        (url(URL_BYTES_MAX), url(URL_BYTES_MAX + 1), "url", URL_BYTES_MAX),
        (quoting(CONTENT_BYTES_MAX), quoting(CONTENT_BYTES_MAX + 1), "quote_text", CONTENT_BYTES_MAX),
        (ext(EXT_BYTES_MAX), ext(EXT_BYTES_MAX + 1), "ext", EXT_BYTES_MAX),
    ] {
        alice_serves().when(post(over)).then_refused(ContentRefused::TooLong { part, bytes_max }).when(post(kept.clone())).then([fact_of(
            &kept,
            1,
            Some(FIRST),
            None,
        )
        .into()]);
    }
}

#[test]
fn an_empty_message_is_not_posted() {
    let empty = PostMessage { content: MessageContent::default(), ..message(BUYER, 1) };
    alice_serves().when(post(empty)).then_refused(ContentRefused::Empty);
}

#[test]
fn a_message_keeps_how_it_came_about_and_what_it_quotes() {
    let suggested = PostMessage {
        origin: Origin::Assisted { suggestion: uuid::Uuid::from_u128(77) },
        persona: Persona::Shop,
        style: Style::Card,
        kind: Kind::Picture,
        quoted: quoted(1, Visibility::All),
        ..message(ALICE, 2)
    };
    alice_serves()
        .and([posted(BUYER, 1, FIRST).into()])
        .when(post(suggested.clone()))
        .then([fact_of(&suggested, 2, Some(FIRST), Some(1)).into()]);
}

#[test]
fn a_sender_takes_a_message_back_within_the_window_to_the_millisecond() {
    alice_serves()
        .and([posted(BUYER, 1, FIRST).into()])
        .at(NOW + WINDOW + ONE_MS)
        .when(recall(BUYER, 1))
        .then_refused(ChatError::RecallWindowOver)
        .at(NOW + WINDOW)
        .when(recall(BUYER, 1))
        .then([recalled(BUYER, 1)]);
}

#[test]
fn who_takes_a_note_back_tells_only_those_who_could_see_it() {
    let note = MessagePosted { visibility: Visibility::Staff, ..posted(ALICE, 1, FIRST) };
    let gone = MessageRecalled { message: message_id(1), seq: 1, by: ALICE, visibility: Visibility::Staff };
    alice_serves().and([note.into()]).when(recall(ALICE, 1)).then([gone.into()]);
}

#[test]
fn recalling_again_changes_nothing_even_after_the_window() {
    alice_serves()
        .and([posted(BUYER, 1, FIRST).into(), recalled(BUYER, 1)])
        .at(NOW + WINDOW + ONE_MS)
        .when(recall(BUYER, 1))
        .then_nothing();
}

#[test]
fn nobody_takes_back_what_another_said() {
    alice_serves()
        .and([posted(BUYER, 1, FIRST).into()])
        .when(recall(ALICE, 1))
        .then_refused(ChatError::NotRecallable { message: message_id(1) });
}

#[test]
fn a_message_that_was_never_posted_is_not_recalled() {
    alice_serves().when(recall(BUYER, 1)).then_refused(ChatError::NotRecallable { message: message_id(1) });
}

#[test]
fn a_customer_who_signed_in_takes_back_what_they_said_before() {
    alice_serves()
        .and([posted(BUYER, 1, FIRST).into(), replaced(BUYER, SIGNED_IN_BUYER, Some(FIRST))])
        .when(recall(SIGNED_IN_BUYER, 1))
        .then([recalled(SIGNED_IN_BUYER, 1)])
        .when(recall(SIGNED_IN_BUYER, 1))
        .then_nothing();
}

#[test]
fn a_message_hidden_for_one_is_still_there_for_the_other() {
    alice_serves()
        .and([posted(BUYER, 1, FIRST).into()])
        .when(hide(BUYER, 1))
        .then([hidden(BUYER, 1)])
        .when(hide(BUYER, 1))
        .then_nothing()
        .when(hide(ALICE, 1))
        .then([hidden(ALICE, 1)]);
}

#[test]
fn what_an_agent_hid_stays_hidden_under_their_next_assignment() {
    alice_serves().and([posted(BUYER, 1, FIRST).into(), hidden(ALICE, 1), assigned_to(ALICE, 2)]).when(hide(ALICE, 1)).then_nothing();
}

#[test]
fn only_members_hide_and_only_what_is_there() {
    alice_serves()
        .and([posted(BUYER, 1, FIRST).into()])
        .when(hide(STRANGER, 1))
        .then_refused(ChatError::NotAMember { user: STRANGER })
        .when(hide(BUYER, 0))
        .then_refused(ChatError::BeyondEnd { last_seq: 1 })
        .when(hide(BUYER, 2))
        .then_refused(ChatError::BeyondEnd { last_seq: 1 });
}

#[test]
fn a_member_hides_ten_thousand_messages_and_no_more() {
    let limit = HIDDEN_MAX as u64;
    let last = MessagePosted { seq: limit + 1, ..posted(BUYER, 1, FIRST) };
    alice_serves()
        .and([last.into()])
        .and((1..limit).map(|seq| hidden(BUYER, seq)))
        .when(hide(BUYER, limit))
        .then([hidden(BUYER, limit)])
        .when(hide(BUYER, limit + 1))
        .then_refused(ChatError::TooManyHidden { limit: HIDDEN_MAX });
}

#[test]
fn reading_goes_forward_only() {
    alice_serves()
        .and([posted(BUYER, 1, FIRST).into(), posted(BUYER, 2, FIRST).into()])
        .when(mark_read(ALICE, 2))
        .then([read_up_to(ALICE, 2)])
        .when(mark_read(ALICE, 2))
        .then_nothing()
        .when(mark_read(ALICE, 1))
        .then_nothing();
}

#[test]
fn only_members_read_and_only_to_the_end() {
    alice_serves()
        .and([posted(BUYER, 1, FIRST).into()])
        .when(mark_read(STRANGER, 1))
        .then_refused(ChatError::NotAMember { user: STRANGER })
        .when(mark_read(ALICE, 2))
        .then_refused(ChatError::BeyondEnd { last_seq: 1 })
        .when(mark_read(ALICE, 1))
        .then([read_up_to(ALICE, 1)]);
}

#[test]
fn what_staff_read_tells_those_who_see_no_notes_nothing_of_them() {
    let note = |number| ChatEvent::from(MessagePosted { visibility: Visibility::Staff, ..posted(ALICE, number, FIRST) });
    let said = |number| ChatEvent::from(posted(BUYER, number, FIRST));
    let read = |up_to_seq, shown_seq| MessagesRead { reader: ALICE, up_to_seq, shown_seq }.into();
    let story = || alice_serves().and([said(1), note(2), note(3), said(4), note(5)]);
    story().when(mark_read(ALICE, 1)).then([read(1, None)]);
    story().when(mark_read(ALICE, 3)).then([read(3, Some(1))]);
    story().when(mark_read(ALICE, 4)).then([read(4, None)]);
    story().when(mark_read(ALICE, 5)).then([read(5, Some(4))]);
    story().and([read(1, None)]).when(mark_read(ALICE, 3)).then([read(3, Some(0))]);
    story().and([read(4, None)]).when(mark_read(ALICE, 5)).then([read(5, Some(0))]);
}

#[test]
fn whoever_sees_no_notes_reads_up_to_what_they_see() {
    let note = |number| ChatEvent::from(MessagePosted { visibility: Visibility::Staff, ..posted(ALICE, number, FIRST) });
    let said = |number| ChatEvent::from(posted(BUYER, number, FIRST));
    let story = || alice_serves().and([note(1), said(2), note(3), note(4)]);
    story().when(mark_read(BUYER, 4)).then([read_up_to(BUYER, 2)]);
    story().when(mark_read(BUYER, 2)).then([read_up_to(BUYER, 2)]);
    story().when(mark_read(BUYER, 1)).then_nothing();
    story().and([read_up_to(BUYER, 2)]).when(mark_read(BUYER, 4)).then_nothing();
    story().when(mark_read(BUYER, 5)).then_refused(ChatError::BeyondEnd { last_seq: 4 });
}

const UPLOAD: AttachmentId = AttachmentId::from_u128(9);

fn showing(attached: Attached, number: u64) -> PostMessage {
    PostMessage { attached, ..message(BUYER, number) }
}

#[test]
fn an_upload_is_used_for_the_first_time_until_its_time_is_over() {
    let use_by = NOW + WINDOW;
    let file = |use_by| Attached::File { attachment: UPLOAD, use_by };
    let used = MessagePosted { attachment: Some(UPLOAD), ..posted(BUYER, 1, FIRST) };
    let answer = |attached, at| alice_serves().at(at).when(post(showing(attached, 1)));
    answer(file(Some(use_by)), use_by).then([used.clone().into()]);
    answer(file(Some(use_by)), use_by + ONE_MS).then_refused(ChatError::AttachmentGone);
    answer(file(None), use_by + ONE_MS).then([used.clone().into()]);
    answer(Attached::Missing, NOW).then_refused(ChatError::AttachmentGone);
    alice_serves().and([used.into()]).at(use_by + ONE_MS).when(post(showing(Attached::Missing, 1))).then_nothing();
}

#[test]
fn that_an_uploads_time_is_over_is_said_when_it_is_and_not_before() {
    let use_by = NOW + WINDOW;
    let expire = || ChatCommand::ExpireUpload { attachment: UPLOAD, use_by };
    alice_serves().at(use_by).when(expire()).then_refused(ChatError::UploadUsable { use_by });
    alice_serves().at(use_by + ONE_MS).when(expire()).then([UploadExpired { attachment: UPLOAD }.into()]);
    // Time goes on from there, so nobody is the first to use it afterwards.
    let late = alice_serves().at(use_by + ONE_MS).and([UploadExpired { attachment: UPLOAD }.into()]);
    late.when(post(showing(Attached::File { attachment: UPLOAD, use_by: Some(use_by) }, 1))).then_refused(ChatError::AttachmentGone);
}
