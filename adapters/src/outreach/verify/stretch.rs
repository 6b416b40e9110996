//! One attempt's commits, gone through one after the other.

use application::log::commit::{self, Actor, ChainHash, CommitHeader, RawEvent};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Found, Said, SaidOnItsWay, Word};

/// 72 hours in milliseconds, as the rule is written down.
const AGE_MAX_MS: i64 = 259_200_000;
/// From where contact may be started.
const ENTRIES: [&str; 2] = ["order_page", "agent_console"];
/// The rule that this program verifies.
const RULE: u16 = 1;

/// What is wrong, in words.
type Checked<T = ()> = Result<T, String>;

fn ensure(holds: bool, otherwise: &str) -> Checked {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

#[derive(Deserialize)]
struct Ruling {
    rule: u16,
    age_max: i64,
    qualifying: Option<Word>,
    age: Option<i64>,
    verdict: serde_json::Value,
}

#[derive(Deserialize)]
struct Attempted {
    attempt: String,
    shop: String,
    customer: String,
    by: String,
    entry: String,
    order: Option<String>,
    ruling: Ruling,
}

#[derive(Deserialize)]
struct HandedOver {
    attempt: String,
    channel: String,
    ruling: Ruling,
}

#[derive(Deserialize)]
struct Posted {
    message: String,
    seq: u64,
    sender: String,
    category: String,
    origin: serde_json::Value,
}

#[derive(Deserialize)]
struct Replaced {
    from: String,
    into: String,
}

/// What the rule is said to have said, in the words of the attempt's line.
struct SaidRuling<'a> {
    rule: u16,
    age_max_ms: i64,
    qualifying: Option<&'a Word>,
    age_ms: Option<i64>,
    verdict: &'a str,
    reason: Option<&'a str>,
}

/// See the file's head.
pub struct Walk {
    stream: String,
    said: Said,
    /// Version, hash and time of the commit before.
    before: Option<(u64, ChainHash, i64)>,
    first_version: u64,
    last_seq: Option<u64>,
    newest: Option<Word>,
    /// Accounts that turned out to be others.
    replaced: Vec<Replaced>,
    /// An attempt that was allowed by the event before, and who made it.
    allowed: Option<(String, String)>,
    seen: bool,
    message: Option<(String, u64)>,
    handed_over: usize,
    taken_as_recorded: bool,
    /// Whether the last commit tells of the attempt.
    tells: bool,
}

impl Walk {
    /// Nothing was shown yet of what is said.
    pub fn of(tenant: &str, said: Said) -> Checked<Self> {
        ensure(said.rule == RULE && said.age_max_ms == AGE_MAX_MS, "this is not the rule of 72 hours")?;
        Ok(Self {
            stream: format!("chat-{tenant}.{}", said.chat),
            said,
            before: None,
            first_version: 0,
            last_seq: None,
            newest: None,
            replaced: vec![],
            allowed: None,
            seen: false,
            message: None,
            handed_over: 0,
            taken_as_recorded: false,
            tells: false,
        })
    }

    /// Takes the next commit.
    pub fn commit(&mut self, bytes: &[u8]) -> Checked {
        let header = commit::check(bytes).map_err(|error| format!("no commit: {error}"))?;
        ensure(header.stream.to_string() == self.stream, "the commit is of another stream")?;
        ensure(header.events > 0 && !header.tombstone, "the commit holds no event")?;
        match self.before {
            None => {
                self.first_version = header.first_version;
                ensure((header.first_version == 1) == (header.previous == ChainHash::default()), "the chain does not begin here")?;
            }
            Some((version, hash, time)) => {
                ensure(header.first_version == version + 1, "a commit before this one is missing")?;
                ensure(header.previous == hash, "the commit before is not the one that this one names")?;
                ensure(header.time.0 >= time, "time runs backwards")?;
            }
        }
        self.before = Some((header.last_version(), ChainHash::of(bytes), header.time.0));
        self.tells = false;
        for raw in commit::events(bytes).map_err(|error| format!("no commit: {error}"))? {
            let raw = raw.map_err(|error| format!("no event: {error}"))?;
            self.event(&header, &raw)?;
        }
        ensure(self.allowed.is_none(), "what was allowed was not said at once")
    }

    fn event(&mut self, header: &CommitHeader, raw: &RawEvent<'_>) -> Checked {
        let allowed = self.allowed.take();
        match raw.name {
            "chat.message_posted" => return self.posted(header, &fields(raw)?, allowed),
            "chat.customer_replaced" => self.replaced.push(fields(raw)?),
            "chat.outreach_attempted" => self.attempted(header, raw, &fields(raw)?)?,
            "chat.outreach_handed_over" => self.on_its_way(header, &fields(raw)?)?,
            _ => {}
        }
        ensure(allowed.is_none(), "what was allowed was not said at once")
    }

    fn posted(&mut self, header: &CommitHeader, posted: &Posted, allowed: Option<(String, String)>) -> Checked {
        ensure(self.last_seq.is_none_or(|last| posted.seq == last + 1), "a message is missing")?;
        self.last_seq = Some(posted.seq);
        let under = posted.origin.get("outreach").map(|outreach| outreach["attempt"].as_str().unwrap_or_default());
        match (under, allowed) {
            (None, None) => {}
            (Some(attempt), Some((allowed, by))) => {
                ensure(
                    attempt == allowed && posted.sender == by && posted.category == "agent",
                    "another message than the one that was allowed",
                )?;
                if attempt == self.said.id {
                    self.message = Some((posted.message.clone(), posted.seq));
                }
            }
            (Some(_), None) => return Err("a message starts contact, and nothing allowed it".to_owned()),
            (None, Some(_)) => return Err("what was allowed was not said at once".to_owned()),
        }
        if posted.category == "customer" {
            let (message, sender) = (posted.message.clone(), posted.sender.clone());
            self.newest = Some(Word { message, seq: posted.seq, sender, at: header.time.0 });
        }
        Ok(())
    }

    fn attempted(&mut self, header: &CommitHeader, raw: &RawEvent<'_>, fact: &Attempted) -> Checked {
        let is_allowed = fact.ruling.verdict == "allowed";
        if is_allowed {
            self.allowed = Some((fact.attempt.clone(), fact.by.clone()));
        }
        if fact.attempt != self.said.id {
            return Ok(());
        }
        ensure(!std::mem::replace(&mut self.seen, true), "the attempt is told twice")?;
        self.tells = true;
        let said = &self.said;
        ensure(fact.shop == said.shop, "the attempt was made for another shop")?;
        ensure(fact.customer == said.customer, "the attempt was about another customer")?;
        ensure(fact.by == said.by, "the attempt was made by somebody else")?;
        ensure(matches!(raw.meta.actor, Actor::User(user) if user.to_string() == fact.by), "the command was given by somebody else")?;
        ensure(fact.entry == said.entry && fact.order == said.order, "the attempt was made from another page")?;
        ensure(header.time.0 == said.at, "the attempt was made at another time")?;
        let told = SaidRuling {
            rule: said.rule,
            age_max_ms: said.age_max_ms,
            qualifying: said.qualifying.as_ref(),
            age_ms: said.age_ms,
            verdict: &said.verdict,
            reason: said.reason.as_deref(),
        };
        self.ruling(header, &fact.ruling, &told)?;
        if self.newest.is_none() {
            ensure(self.first_version == 1, "that the customer never wrote is not shown: the chat's beginning is missing")?;
        }
        let from_allowed_page = ENTRIES.contains(&fact.entry.as_str());
        match self.said.reason.as_deref() {
            None => ensure(from_allowed_page, "contact is not started from there"),
            Some("entry_not_allowed") => ensure(!from_allowed_page, "contact may be started from there"),
            Some("account_closed" | "served_by_another" | "clock_jumped") => {
                self.taken_as_recorded = true;
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }

    fn on_its_way(&mut self, header: &CommitHeader, fact: &HandedOver) -> Checked {
        if fact.attempt != self.said.id {
            return Ok(());
        }
        self.tells = true;
        ensure(self.message.is_some(), "a message was handed over that was never allowed")?;
        let said = self.said.handed_over.get(self.handed_over).ok_or("it was decided on the way out more often than is said")?;
        let SaidOnItsWay { channel, at, rule, age_max_ms, qualifying, age_ms, verdict, reason } = said;
        ensure(*channel == fact.channel, "it was handed over to another channel")?;
        ensure(*at == header.time.0, "it was handed over at another time")?;
        let told = SaidRuling {
            rule: *rule,
            age_max_ms: *age_max_ms,
            qualifying: qualifying.as_ref(),
            age_ms: *age_ms,
            verdict,
            reason: reason.as_deref(),
        };
        self.ruling(header, &fact.ruling, &told)?;
        self.handed_over += 1;
        Ok(())
    }

    /// Whether the rule said what is said, and what it had to say.
    fn ruling(&self, header: &CommitHeader, stored: &Ruling, said: &SaidRuling<'_>) -> Checked {
        ensure((stored.rule, stored.age_max) == (RULE, AGE_MAX_MS), "the log has another rule than that of 72 hours")?;
        ensure((said.rule, said.age_max_ms) == (RULE, AGE_MAX_MS), "this is not the rule of 72 hours")?;
        let age = self.newest.as_ref().map(|newest| header.time.0 - newest.at);
        ensure(stored.qualifying == self.newest, "the log names another message than the customer's newest one")?;
        ensure(said.qualifying == self.newest.as_ref(), "another message is named than the customer's newest one")?;
        ensure(stored.age == age && said.age_ms == age, "the age is another one")?;
        if let Some(newest) = &self.newest {
            ensure(self.is_customer(&newest.sender), "the message that is named is not the customer's")?;
        }
        let (verdict, reason) = match stored.verdict.as_str() {
            Some(word) => (word, None),
            None => ("refused", stored.verdict["refused"].as_str()),
        };
        ensure((verdict, reason) == (said.verdict, said.reason), "something else was decided")?;
        let young = age.is_some_and(|age| (0..=AGE_MAX_MS).contains(&age));
        match (verdict, reason) {
            ("allowed", None) => ensure(young, "it was allowed more than 72 hours after the customer's newest message"),
            ("refused", Some("too_old")) => ensure(age.is_some_and(|age| age > AGE_MAX_MS), "it was refused within 72 hours"),
            ("refused", Some("no_message")) => ensure(age.is_none(), "it was refused although the customer wrote"),
            ("refused", Some("entry_not_allowed" | "account_closed" | "clock_jumped" | "served_by_another")) => Ok(()),
            (_, _) => Err("nobody knows this verdict".to_owned()),
        }
    }

    /// Whether an account is the customer's, or was before they were known.
    fn is_customer(&self, sender: &str) -> bool {
        let now = self.replaced.iter().fold(sender, |account, replaced| if replaced.from == account { &replaced.into } else { account });
        now == self.said.customer
    }

    /// Whether everything that is said was shown.
    pub fn finish(self, found: &mut Found) -> Checked {
        ensure(self.seen, "the commits do not show this attempt")?;
        ensure(self.tells, "the last commit does not tell of this attempt")?;
        let said = self.said;
        let message = self.message.as_ref().map(|(message, seq)| (Some(message.as_str()), Some(*seq))).unwrap_or_default();
        ensure((said.message.as_deref(), said.seq) == message, "another message is said to have been sent")?;
        ensure(self.handed_over == said.handed_over.len(), "it was decided on the way out less often than is said")?;
        let allowed = said.verdict == "allowed";
        ensure(allowed == self.message.is_some(), "what was allowed was not sent, or the other way round")?;
        found.attempts += 1;
        found.allowed += u64::from(allowed);
        found.refused += u64::from(!allowed);
        found.taken_as_recorded += u64::from(self.taken_as_recorded);
        found.handed_over += self.handed_over as u64;
        Ok(())
    }
}

fn fields<T: DeserializeOwned>(raw: &RawEvent<'_>) -> Checked<T> {
    serde_json::from_slice(raw.clear).map_err(|error| format!("{} cannot be read: {error}", raw.name))
}
