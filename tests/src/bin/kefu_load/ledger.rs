//! The ledger of everything that was acknowledged, and its comparison with one feed or one chat as read anew.
//!
//! A customer must find every message of their chats. An agent must find those that were posted while they were a member, which
//! their own `joined` and `member_left` items tell, and all that they said themself. It must not know how anything is fetched.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::ids::Hex;
use super::report::Findings;
use super::scan;
use super::wire::{Item, Message, Position};

/// One acknowledged message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As its sender minted it.
    pub client_id: u128,
    /// The message's id.
    pub message: u128,
    /// Its place in the chat.
    pub seq: u64,
    /// Where it is in the log.
    pub position: Position,
    /// Digest of its text.
    pub text: u64,
    /// Who sent it.
    pub sender: u128,
    /// The order in which its sender minted it; 0 if it was refused once and repeated, and so owes no order any more.
    pub order: u64,
    /// Whether it was seen to arrive at the other side.
    pub delivered: bool,
}

/// Digest of a text, to compare without keeping it.
pub fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Everything acknowledged in one chat.
pub struct ChatLedger {
    /// The chat.
    pub chat: u128,
    /// In the order of their acknowledgement.
    pub entries: Vec<Entry>,
}

impl ChatLedger {
    /// What the acknowledgements alone show: places given twice, or against the order of sending.
    pub fn check_acks(&self) -> Findings {
        let mut findings = Findings::default();
        let mut by_order: Vec<&Entry> = self.entries.iter().filter(|entry| entry.order > 0).collect();
        by_order.sort_by_key(|entry| (entry.sender, entry.order));
        for pair in by_order.windows(2) {
            if pair[0].sender == pair[1].sender && pair[0].seq >= pair[1].seq {
                findings.out_of_order += 1;
                findings.example(|| format!("chat {}: acked {} after {}", Hex(self.chat), pair[1].seq, pair[0].seq));
            }
        }
        findings
    }

    fn by_message(&self) -> HashMap<u128, usize> {
        self.entries.iter().enumerate().map(|(place, entry)| (entry.message, place)).collect()
    }
}

/// Who reads a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderRole {
    /// Sees everything in their chats.
    Customer,
    /// Sees a chat while they are a member.
    Agent,
}

/// Compares a feed, item after item, with the ledgers of the chats it may show.
pub struct FeedCheck<'a> {
    reader: u128,
    role: ReaderRole,
    last_index: u64,
    chats: HashMap<u128, ChatCheck<'a>>,
    /// Messages that the feed only shows as a place: what may not be read any more keeps its index.
    hidden: HashMap<Position, usize>,
    findings: Findings,
}

struct ChatCheck<'a> {
    ledger: &'a ChatLedger,
    by_message: HashMap<u128, usize>,
    /// How often each entry was seen.
    seen: Vec<u32>,
    last_seq: u64,
    /// From when until when the reader was a member.
    member: Vec<(Position, Option<Position>)>,
}

impl<'a> FeedCheck<'a> {
    /// Begins with an empty feed.
    pub fn new(reader: u128, role: ReaderRole, ledgers: impl IntoIterator<Item = &'a ChatLedger>) -> Self {
        let chats = ledgers.into_iter().map(|ledger| {
            let check =
                ChatCheck { ledger, by_message: ledger.by_message(), seen: vec![0; ledger.entries.len()], last_seq: 0, member: Vec::new() };
            (ledger.chat, check)
        });
        Self { reader, role, last_index: 0, chats: chats.collect(), hidden: HashMap::new(), findings: Findings::default() }
    }

    /// The newest index that was taken.
    pub fn last_index(&self) -> u64 {
        self.last_index
    }

    /// Takes the next item.
    pub fn take(&mut self, item: &Item<'_>) {
        self.check_index(item);
        if item.kind == b"message" && item.message.as_ref().is_none_or(|message| message.id.is_none()) {
            *self.hidden.entry(item.position).or_default() += 1;
            return;
        }
        let Some(check) = item.chat.and_then(|chat| self.chats.get_mut(&chat)) else { return };
        match item.kind {
            b"joined" => check.member.push((item.position, None)),
            b"member_left" if item.user.is_none_or(|user| user == self.reader) => {
                if let Some((_, until)) = check.member.last_mut() {
                    *until = Some(item.position);
                }
            }
            b"message" => {
                if let Some(message) = &item.message {
                    check.take(message, &mut self.findings);
                }
            }
            _ => {}
        }
    }

    fn check_index(&mut self, item: &Item<'_>) {
        let (last, index, reader) = (self.last_index, item.index, self.reader);
        if index > last + 1 {
            self.findings.lost += index - last - 1;
            self.findings.example(|| format!("feed of {}: {index} follows {last}", Hex(reader)));
        } else if index <= last {
            self.findings.duplicated += 1;
            self.findings.example(|| format!("feed of {}: index {index} again after {last}", Hex(reader)));
        } else if item.previous.is_some_and(|previous| previous != last) {
            self.findings.out_of_order += 1;
            self.findings.example(|| format!("feed of {}: {index} names {:?} as the one before", Hex(reader), item.previous));
        }
        self.last_index = last.max(index);
    }

    /// Ends with what is missing or too often.
    pub fn finish(mut self) -> Findings {
        for check in self.chats.values() {
            for (entry, seen) in check.ledger.entries.iter().zip(&check.seen) {
                let seen = *seen as usize + self.hidden.get(&entry.position).copied().unwrap_or_default();
                let reader = self.reader;
                if seen > 1 {
                    self.findings.duplicated += 1;
                    self.findings.example(|| format!("feed of {}: message {} {seen} times", Hex(reader), Hex(entry.message)));
                } else if seen == 0 && self.must_see(check, entry) {
                    self.findings.lost += 1;
                    self.findings.example(|| format!("feed of {}: message {} is missing", Hex(reader), Hex(entry.message)));
                }
            }
        }
        self.findings
    }

    fn must_see(&self, check: &ChatCheck<'_>, entry: &Entry) -> bool {
        let within =
            |(from, until): &(Position, Option<Position>)| *from < entry.position && until.is_none_or(|until| entry.position < until);
        match self.role {
            ReaderRole::Customer => true,
            ReaderRole::Agent => entry.sender == self.reader || check.member.iter().any(within),
        }
    }
}

impl ChatCheck<'_> {
    fn take(&mut self, message: &Message<'_>, findings: &mut Findings) {
        let Some(place) = message.id.and_then(|id| self.by_message.get(&id)).copied() else {
            // Sent, but its ack was lost with the run's end: it may be there.
            self.last_seq = self.last_seq.max(message.seq);
            return;
        };
        self.seen[place] += 1;
        let first_time = self.seen[place] == 1;
        let chat = self.ledger.chat;
        compare(&self.ledger.entries[place], message, chat, findings);
        if message.seq <= self.last_seq && first_time {
            let last = self.last_seq;
            findings.out_of_order += 1;
            findings.example(|| format!("chat {}: place {} comes after {last}", Hex(chat), message.seq));
        }
        self.last_seq = self.last_seq.max(message.seq);
    }
}

fn compare(entry: &Entry, message: &Message<'_>, chat: u128, findings: &mut Findings) {
    if message.seq != entry.seq {
        findings.out_of_order += 1;
        findings.example(|| format!("chat {}: message {} acked at {}, now at {}", Hex(chat), Hex(entry.message), entry.seq, message.seq));
    }
    let same_text = scan::text(message.content).is_some_and(|text| digest(&text) == entry.text);
    if !same_text || message.client_id.is_some_and(|id| id != entry.client_id) {
        findings.altered += 1;
        findings.example(|| format!("chat {}: message {} is another now", Hex(chat), Hex(entry.message)));
    }
}

/// Compares a chat, message after message, with its ledger.
pub struct HistoryCheck<'a> {
    chat: ChatCheck<'a>,
    findings: Findings,
}

impl<'a> HistoryCheck<'a> {
    /// Begins with an empty chat.
    pub fn new(ledger: &'a ChatLedger) -> Self {
        let chat =
            ChatCheck { ledger, by_message: ledger.by_message(), seen: vec![0; ledger.entries.len()], last_seq: 0, member: Vec::new() };
        Self { chat, findings: Findings::default() }
    }

    /// The newest place that was taken.
    pub fn last_seq(&self) -> u64 {
        self.chat.last_seq
    }

    /// Takes the next message.
    pub fn take(&mut self, message: &Message<'_>) {
        let (last, chat) = (self.chat.last_seq, self.chat.ledger.chat);
        if message.seq > last + 1 {
            self.findings.lost += message.seq - last - 1;
            self.findings.example(|| format!("chat {}: place {} follows {last}", Hex(chat), message.seq));
        }
        self.chat.take(message, &mut self.findings);
    }

    /// Ends with what is missing or too often.
    pub fn finish(mut self) -> Findings {
        let chat = self.chat.ledger.chat;
        for (entry, seen) in self.chat.ledger.entries.iter().zip(&self.chat.seen) {
            match seen {
                0 => {
                    self.findings.lost += 1;
                    self.findings.example(|| format!("chat {}: message {} is missing", Hex(chat), Hex(entry.message)));
                }
                1 => {}
                times => {
                    self.findings.duplicated += 1;
                    self.findings.example(|| format!("chat {}: message {} {times} times", Hex(chat), Hex(entry.message)));
                }
            }
        }
        self.findings
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
