//! Whether the outreach rule was kept, read from raw events by code that shares nothing with whoever decides: every attempt's age is
//! counted again, and no message starts contact without an attempt that was allowed.

use application::log::commit::Actor;
use domain::ids::{ChatId, MessageId, OutreachId, TenantId, UserId};
use hashbrown::HashMap;
use serde::Deserialize;

use super::InvariantReport;
use super::invariants::{Check, Raw};

/// The rule as it is written down, in milliseconds; not the constant that decides.
const THREE_DAYS_MS: i64 = 72 * 60 * 60 * 1_000;

#[derive(Deserialize)]
struct Posted {
    message: MessageId,
    seq: u64,
    sender: UserId,
    category: String,
    origin: serde_json::Value,
}

#[derive(Deserialize)]
struct Qualifying {
    message: MessageId,
    seq: u64,
    sender: UserId,
    at: i64,
}

#[derive(Deserialize)]
struct Ruling {
    qualifying: Option<Qualifying>,
    age: Option<i64>,
    verdict: serde_json::Value,
}

#[derive(Deserialize)]
struct Attempted {
    attempt: OutreachId,
    by: UserId,
    entry: String,
    ruling: Ruling,
}

#[derive(Deserialize)]
struct HandedOver {
    attempt: OutreachId,
    ruling: Ruling,
}

/// A customer's newest message.
type Newest = (MessageId, u64, UserId, i64);

#[derive(Default)]
struct Chat {
    newest: Option<Newest>,
    /// The attempt of the event before, if it was allowed, and who made it.
    allowed: Option<(OutreachId, UserId)>,
}

/// See the file's head.
pub(super) struct Attempts {
    chats: HashMap<(TenantId, ChatId), Chat>,
    /// Attempts that were allowed, by chat: only of these a message is handed over.
    sent: HashMap<(TenantId, ChatId), Vec<OutreachId>>,
    ages: Check,
    kept: Check,
    messages: Check,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            chats: HashMap::new(),
            sent: HashMap::new(),
            ages: Check::new("every attempt to start contact names the customer's newest message and its age"),
            kept: Check::new("contact is allowed up to 72 hours after it, from an order page or the agent console"),
            messages: Check::new("no message starts contact without an attempt that was allowed, and every such attempt is one message"),
        }
    }
}

impl Attempts {
    /// Takes an event of a chat in; `None` when its fields are others.
    pub(super) fn event(&mut self, id: ChatId, raw: &Raw<'_>) -> Option<()> {
        let tenant = raw.header.stream.tenant;
        let place = || format!("commit {} event {} of chat {id} of {tenant}", raw.at.commit.0, raw.at.index);
        let time = raw.header.time.0;
        if !matches!(raw.name, "chat.message_posted" | "chat.outreach_attempted" | "chat.outreach_handed_over") {
            // Whatever is allowed is said at once.
            if let Some(chat) = self.chats.get_mut(&(tenant, id))
                && chat.allowed.take().is_some()
            {
                self.messages.that(false, place);
            }
            return Some(());
        }
        let chat = self.chats.entry((tenant, id)).or_default();
        let allowed = chat.allowed.take();
        match raw.name {
            "chat.message_posted" => {
                let posted: Posted = raw.fields()?;
                let of = posted.origin.get("outreach").map(|outreach| outreach.get("attempt").and_then(serde_json::Value::as_str));
                if let Some(attempt) = of {
                    let attempt = attempt.and_then(|attempt| attempt.parse::<OutreachId>().ok());
                    self.messages
                        .that(allowed.is_some() && attempt.zip(Some(posted.sender)) == allowed && posted.category == "agent", place);
                } else if allowed.is_some() {
                    self.messages.that(false, place);
                }
                if posted.category == "customer" {
                    chat.newest = Some((posted.message, posted.seq, posted.sender, time));
                }
            }
            "chat.outreach_attempted" => {
                let attempted: Attempted = raw.fields()?;
                let may = self.ages.ruling(&attempted.ruling, chat.newest, time, place);
                let from = matches!(attempted.entry.as_str(), "order_page" | "agent_console");
                let by_themself = raw.actor == Actor::User(attempted.by);
                if attempted.ruling.verdict == "allowed" {
                    self.kept.that(may && from && by_themself, place);
                    chat.allowed = Some((attempted.attempt, attempted.by));
                    self.sent.entry((tenant, id)).or_default().push(attempted.attempt);
                } else {
                    self.kept.that(attempted.ruling.verdict.get("refused").is_some(), place);
                }
                if allowed.is_some() {
                    self.messages.that(false, place);
                }
            }
            _ => {
                let handed_over: HandedOver = raw.fields()?;
                let may = self.ages.ruling(&handed_over.ruling, chat.newest, time, place);
                let was_sent = self.sent.get(&(tenant, id)).is_some_and(|sent| sent.contains(&handed_over.attempt));
                self.kept.that(was_sent && (may || handed_over.ruling.verdict != "allowed"), place);
                if allowed.is_some() {
                    self.messages.that(false, place);
                }
            }
        }
        Some(())
    }

    pub(super) fn report(mut self) -> [InvariantReport; 3] {
        for ((tenant, id), chat) in &self.chats {
            self.messages.that(chat.allowed.is_none(), || format!("the end of chat {id} of {tenant}"));
        }
        [self.ages.report(), self.kept.report(), self.messages.report()]
    }
}

impl Check {
    /// Notes whether a ruling says what is so; answers whether contact may be started then.
    fn ruling(&mut self, ruling: &Ruling, newest: Option<Newest>, time: i64, place: impl FnOnce() -> String) -> bool {
        let named = ruling.qualifying.as_ref().map(|named| (named.message, named.seq, named.sender, named.at));
        let age = newest.map(|(_, _, _, wrote)| time - wrote);
        self.that((named, ruling.age) == (newest, age), place);
        age.is_some_and(|age| age <= THREE_DAYS_MS)
    }
}
