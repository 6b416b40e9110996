//! What the ledger notices, kind by kind, and what it must not complain about.

use super::*;

const CUSTOMER: u128 = 100;
const AGENT: u128 = 200;
const CHAT: u128 = 7;

fn at(commit: u64) -> Position {
    Position { commit, event: 0 }
}

fn entry(seq: u64) -> Entry {
    Entry {
        client_id: u128::from(seq) + 1_000,
        message: u128::from(seq) + 2_000,
        seq,
        position: at(10 * seq),
        text: digest(&format!("text {seq}")),
        sender: CUSTOMER,
        order: seq,
        delivered: true,
    }
}

fn ledger(messages: u64) -> ChatLedger {
    ChatLedger { chat: CHAT, entries: (1..=messages).map(entry).collect() }
}

struct Shown {
    content: String,
    entry: Entry,
}

fn shown(seq: u64) -> Shown {
    Shown { content: format!("\"text {seq}\""), entry: entry(seq) }
}

impl Shown {
    fn message(&self) -> Message<'_> {
        let Entry { message, client_id, seq, .. } = self.entry;
        Message { id: Some(message), client_id: Some(client_id), seq, content: self.content.as_bytes() }
    }

    fn item(&self, index: u64) -> Item<'_> {
        Item {
            index,
            previous: Some(index - 1),
            position: self.entry.position,
            kind: b"message",
            chat: Some(CHAT),
            message: Some(self.message()),
            ..Item::default()
        }
    }
}

fn membership(kind: &'static [u8], index: u64, commit: u64) -> Item<'static> {
    Item { index, previous: Some(index - 1), position: at(commit), kind, chat: Some(CHAT), user: Some(AGENT), ..Item::default() }
}

fn feed_of(role: ReaderRole, ledger: &ChatLedger, items: &[Item<'_>]) -> Findings {
    let reader = if role == ReaderRole::Customer { CUSTOMER } else { AGENT };
    let mut check = FeedCheck::new(reader, role, [ledger]);
    items.iter().for_each(|item| check.take(item));
    check.finish()
}

fn numbers(findings: &Findings) -> [u64; 4] {
    [findings.lost, findings.duplicated, findings.out_of_order, findings.altered]
}

#[test]
fn a_feed_that_shows_everything_once_and_in_order_is_clean() {
    let all = [shown(1), shown(2), shown(3)];
    let items: Vec<Item<'_>> = all.iter().zip(1..).map(|(shown, index)| shown.item(index)).collect();
    assert_eq!(numbers(&feed_of(ReaderRole::Customer, &ledger(3), &items)), [0; 4]);
}

#[test]
fn a_message_that_is_missing_from_a_feed_is_lost() {
    let all = [shown(1), shown(3)];
    let items = [all[0].item(1), all[1].item(2)];
    assert_eq!(numbers(&feed_of(ReaderRole::Customer, &ledger(3), &items)), [1, 0, 0, 0]);
}

#[test]
fn a_missing_index_is_lost_even_if_it_was_no_message() {
    let one = shown(1);
    let item = Item { previous: None, ..one.item(2) };
    assert_eq!(numbers(&feed_of(ReaderRole::Customer, &ledger(1), &[item])), [1, 0, 0, 0]);
}

#[test]
fn a_message_under_two_indices_is_doubled() {
    let one = shown(1);
    assert_eq!(numbers(&feed_of(ReaderRole::Customer, &ledger(1), &[one.item(1), one.item(2)])), [0, 1, 0, 0]);
}

#[test]
fn an_index_that_comes_again_is_doubled() {
    let all = [shown(1), shown(2)];
    let items = [all[0].item(1), all[1].item(1)];
    assert_eq!(numbers(&feed_of(ReaderRole::Customer, &ledger(2), &items)), [0, 1, 0, 0]);
}

#[test]
fn messages_that_changed_places_are_out_of_order() {
    let all = [shown(2), shown(1)];
    let items = [all[0].item(1), all[1].item(2)];
    assert_eq!(numbers(&feed_of(ReaderRole::Customer, &ledger(2), &items)), [0, 0, 1, 0]);
}

#[test]
fn another_text_is_noticed_and_so_is_an_erased_one() {
    for content in ["\"something else\"", "null"] {
        let one = Shown { content: content.into(), ..shown(1) };
        assert_eq!(numbers(&feed_of(ReaderRole::Customer, &ledger(1), &[one.item(1)])), [0, 0, 0, 1]);
    }
}

#[test]
fn an_agent_must_see_what_was_said_while_they_were_a_member() {
    let all: Vec<Shown> = (1..=4).map(shown).collect();
    // Joined after the first message, left before the fourth.
    let (joined, left) = (membership(b"joined", 1, 15), membership(b"member_left", 4, 35));
    let whole = [joined, all[1].item(2), all[2].item(3), left];
    assert_eq!(numbers(&feed_of(ReaderRole::Agent, &ledger(4), &whole)), [0; 4]);
    let (joined, left) = (membership(b"joined", 1, 15), membership(b"member_left", 3, 35));
    assert_eq!(numbers(&feed_of(ReaderRole::Agent, &ledger(4), &[joined, all[1].item(2), left])), [1, 0, 0, 0]);
}

#[test]
fn an_agent_must_see_their_own_words_whatever_became_of_their_membership() {
    let own = ChatLedger { chat: CHAT, entries: vec![Entry { sender: AGENT, ..entry(1) }] };
    assert_eq!(numbers(&feed_of(ReaderRole::Agent, &own, &[])), [1, 0, 0, 0]);
}

#[test]
fn a_message_that_may_not_be_read_any_more_still_keeps_its_place() {
    let tombstone = Item { index: 1, position: at(10), kind: b"message", ..Item::default() };
    assert_eq!(numbers(&feed_of(ReaderRole::Customer, &ledger(1), &[tombstone])), [0; 4]);
}

#[test]
fn acks_against_the_order_of_sending_are_noticed() {
    let mut entries = vec![Entry { seq: 2, order: 1, ..entry(1) }, Entry { seq: 1, order: 2, ..entry(2) }];
    assert_eq!(ChatLedger { chat: CHAT, entries: entries.clone() }.check_acks().out_of_order, 1);
    entries[1].sender = AGENT;
    assert_eq!(ChatLedger { chat: CHAT, entries: entries.clone() }.check_acks().out_of_order, 0, "two senders owe each other no order");
    entries[1] = Entry { sender: CUSTOMER, order: 0, ..entries[1] };
    assert_eq!(ChatLedger { chat: CHAT, entries }.check_acks().out_of_order, 0, "what was refused and repeated owes none any more");
}

#[test]
fn a_chat_is_contiguous_and_holds_everything_at_its_place() {
    let ledger = ledger(3);
    let read = |places: &[u64]| {
        let mut check = HistoryCheck::new(&ledger);
        places.iter().for_each(|seq| check.take(&shown(*seq).message()));
        numbers(&check.finish())
    };
    assert_eq!(read(&[1, 2, 3]), [0; 4]);
    assert_eq!(read(&[1, 3]), [2, 0, 0, 0], "the gap and the message");
    assert_eq!(read(&[1, 2, 2, 3]), [0, 1, 0, 0]);
    assert_eq!(read(&[1, 2]), [1, 0, 0, 0]);
}
