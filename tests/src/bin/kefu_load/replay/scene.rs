//! One conversation, from entering the shop to the rating.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tests::dialogues::{Completion, Dialogue, Speaker};

use super::World;
use super::chats::{Chat, Seen, Serving};
use super::person::Person;
use crate::device::{OnItsWay, Verdict};
use crate::error::LoadError;
use crate::ledger::{Entry, digest};
use crate::scan;
use crate::wire;

/// Pause before entering again while the chat still holds the last conversation, or before asking a new holder.
const AGAIN_AFTER: Duration = Duration::from_millis(20);
/// How often a line is handed to another agent because the desk moved the conversation.
const HOLDERS_MAX: usize = 32;

/// What happened beside the messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Played {
    /// Opened and abandoned, as recorded.
    pub abandoned: bool,
    /// Rated.
    pub rated: bool,
}

/// Why a conversation could not be played to its end.
#[derive(Debug)]
pub struct Failure {
    /// For counting.
    pub kind: String,
    /// Whether it had been opened.
    pub opened: bool,
}

struct Scene<'a> {
    world: &'a World,
    customer: &'a Person,
    chat_id: u128,
    conversation: u128,
    chat: Rc<Chat>,
    /// What was acked, and to whom: it must come back to them as an item, too. Nobody waits for that before the next turn, since a
    /// device that has the ack gets it with whatever comes next.
    own: RefCell<Vec<(u128, u128)>>,
}

/// Plays a conversation. `last` is the one before in the same chat.
pub async fn play(
    world: &World,
    customer: &Person,
    shop: usize,
    dialogue: &Dialogue,
    starts: Option<Instant>,
    last: &mut Option<u128>,
) -> Result<Played, Failure> {
    let entered = enter(world, customer, shop, *last).await;
    let (chat_id, conversation) = entered.map_err(|kind| Failure { kind, opened: false })?;
    *last = Some(conversation);
    customer.ear.chats.borrow_mut().insert(chat_id);
    let scene = Scene { world, customer, chat_id, conversation, chat: world.chats.get(chat_id), own: RefCell::default() };
    let performed = scene.perform(dialogue, starts).await;
    scene.own.borrow().iter().for_each(|(message, _)| scene.chat.forget(*message));
    match performed {
        Ok(played) => Ok(played),
        Err(kind) => {
            // The next conversation in this chat must not find this one open; if that fails too, it will say so itself.
            drop(world.stage.close(&customer.account, conversation, scene.chat.now(Seen::last_seq)).await);
            Err(Failure { kind, opened: true })
        }
    }
}

/// Enters until there is a conversation other than the last one, whose end may still be on its way.
async fn enter(world: &World, customer: &Person, shop: usize, last: Option<u128>) -> Result<(u128, u128), String> {
    let give_up = tokio::time::Instant::now() + world.stall;
    loop {
        let (chat, conversation) = world.stage.enter(&customer.account, shop).await.map_err(|error| failed("enter", &error))?;
        if Some(conversation) != last {
            return Ok((chat, conversation));
        }
        if tokio::time::Instant::now() >= give_up {
            return Err("the_last_conversation_never_ended".into());
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

fn failed(what: &str, error: &LoadError) -> String {
    format!("{what}_{}", error.kind())
}

impl Scene<'_> {
    async fn perform(&self, dialogue: &Dialogue, starts: Option<Instant>) -> Result<Played, String> {
        if !dialogue.has_customer_message() {
            self.abandon().await?;
            self.wait_for_the_end().await?;
            return Ok(Played { abandoned: true, rated: false });
        }
        let begins = dialogue.starts_at().unwrap_or_default();
        for (nth, turn) in dialogue.spoken().enumerate() {
            let due = self.world.at(starts, turn.t.map_or(0, |at| at - begins), nth == 0).await;
            match turn.speaker {
                Speaker::Customer => self.customer_says(&turn.text, due).await?,
                Speaker::Agent => self.agent_says(&turn.text, due).await?,
                Speaker::Action => {}
            }
        }
        let served = self.close(dialogue.completion).await?;
        self.wait_for_the_end().await?;
        self.wait_for_own_items().await?;
        let score = dialogue.score().filter(|_| served);
        if let Some(score) = score {
            let rated = self.world.stage.rate(&self.customer.account, self.conversation, score).await;
            rated.map_err(|error| failed("rate", &error))?;
        }
        Ok(Played { abandoned: false, rated: score.is_some() })
    }

    async fn customer_says(&self, text: &str, due: Option<Instant>) -> Result<(), String> {
        let way = self.customer.send(self.chat_id, text, None);
        let id = way.id;
        match self.said(self.customer, text, due, way).await {
            Ok(entry) => self.delivered_to_agent(entry).await,
            Err(code) => {
                self.chat.forget(id);
                Err(format!("customer_{code}"))
            }
        }
    }

    async fn agent_says(&self, text: &str, due: Option<Instant>) -> Result<(), String> {
        for _ in 0..HOLDERS_MAX {
            let serving = self.serving().await?;
            let agent = self.world.agents.borrow().get(&serving.agent).cloned().ok_or("assigned_to_a_stranger")?;
            let way = agent.send(self.chat_id, text, serving.assignment);
            let id = way.id;
            let code = match self.said(&agent, text, due, way).await {
                Ok(entry) => return self.delivered_to_customer(entry).await,
                Err(code) => code,
            };
            self.chat.forget(id);
            if self.chat.now(Seen::serving) == Some(serving) && !code.starts_with("not_") {
                return Err(format!("agent_{code}"));
            }
            // The desk gave the conversation to somebody else: they speak the line.
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        Err("the_holder_changed_too_often".into())
    }

    async fn serving(&self) -> Result<Serving, String> {
        self.chat.until(self.world.stall, Seen::serving).await.ok_or_else(|| "never_assigned".into())
    }

    /// Waits for the verdict and writes the ledger. Latency counts from when the line was due, and flat out from now.
    async fn said(&self, sender: &Person, text: &str, due: Option<Instant>, way: OnItsWay) -> Result<(Entry, OnItsWayParts), String> {
        let OnItsWay { id, verdict } = way;
        let since = due.unwrap_or_else(Instant::now);
        self.chat.expect(id);
        self.world.counts.borrow_mut().sent += 1;
        let verdict = tokio::time::timeout(self.world.stall, verdict).await.map_err(|_| "never_acked")?;
        match verdict.map_err(|_| "never_acked")? {
            Verdict::Acked { message, seq, position, order } => {
                let mut counts = self.world.counts.borrow_mut();
                counts.acked += 1;
                counts.ack_latency.record(since.elapsed());
                let sender = sender.account.user;
                let entry = Entry { client_id: id, message, seq, position, text: digest(text), sender, order, delivered: false };
                let mut entries = self.world.entries.borrow_mut();
                let chat = entries.entry(self.chat_id).or_default();
                chat.push(entry);
                self.own.borrow_mut().push((id, sender));
                Ok((entry, OnItsWayParts { since, place: chat.len() - 1 }))
            }
            Verdict::Refused { code } => {
                self.world.counts.borrow_mut().sent -= 1;
                Err(code)
            }
        }
    }

    /// The agent who serves sees it: live, or in the chat's history if they came later.
    async fn delivered_to_agent(&self, (entry, parts): (Entry, OnItsWayParts)) -> Result<(), String> {
        let id = entry.client_id;
        let way = self.chat.until(self.world.stall, |seen| {
            let serving = seen.serving()?;
            match seen.arrival(id, serving.agent) {
                Some(when) => Some((serving, Some(when))),
                None if seen.was_posted_before(id, serving.since) => Some((serving, None)),
                None => None,
            }
        });
        let (serving, arrived) = way.await.ok_or("never_arrived_at_the_agent")?;
        match arrived {
            Some(when) => self.world.counts.borrow_mut().latency.record(when.saturating_duration_since(parts.since)),
            None => self.read_in_history(serving, &entry).await?,
        }
        self.delivered(&parts);
        Ok(())
    }

    async fn delivered_to_customer(&self, (entry, parts): (Entry, OnItsWayParts)) -> Result<(), String> {
        let (id, customer) = (entry.client_id, self.customer.account.user);
        let when = self.chat.until(self.world.stall, |seen| seen.arrival(id, customer)).await.ok_or("never_arrived_at_the_customer")?;
        self.world.counts.borrow_mut().latency.record(when.saturating_duration_since(parts.since));
        self.delivered(&parts);
        Ok(())
    }

    fn delivered(&self, parts: &OnItsWayParts) {
        self.world.counts.borrow_mut().delivered += 1;
        if let Some(chat) = self.world.entries.borrow_mut().get_mut(&self.chat_id) {
            let entry = &mut chat[parts.place];
            entry.delivered = true;
            // The ack of a message that was sent again names where it was repeated: an agent who came in between is then thought
            // to have been there before it.
            entry.position = self.chat.now(|seen| seen.place_of(entry.client_id)).unwrap_or(entry.position);
        }
    }

    /// An agent who came later reads what was said before.
    async fn read_in_history(&self, serving: Serving, entry: &Entry) -> Result<(), String> {
        let agent = self.world.agents.borrow().get(&serving.agent).cloned().ok_or("assigned_to_a_stranger")?;
        let page = self.world.stage.chat_page(&agent.account, self.chat_id, entry.seq, 1).await;
        let page = page.map_err(|error| failed("history", &error))?;
        let data = scan::field(&page, "data").unwrap_or_default();
        let there = scan::elements(data).map(wire::message).any(|message| message.id == Some(entry.message));
        if there { Ok(()) } else { Err("not_in_the_history_for_the_agent".into()) }
    }

    /// The customer leaves at once. A server that does not yet know the conversation it has just named is asked again, and the
    /// report says so.
    async fn abandon(&self) -> Result<(), String> {
        let give_up = tokio::time::Instant::now() + self.world.stall;
        loop {
            match self.world.stage.close(&self.customer.account, self.conversation, 0).await {
                Ok(()) => return Ok(()),
                Err(LoadError::Refused { status: 404, .. }) if tokio::time::Instant::now() < give_up => {
                    self.world.counts.borrow_mut().error("close_not_found_yet");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                Err(error) => return Err(failed("close", &error)),
            }
        }
    }

    /// The agent ends what was completed, the customer what was not; answers whether anybody served.
    async fn close(&self, completion: Completion) -> Result<bool, String> {
        let seen = self.chat.now(Seen::last_seq);
        if completion == Completion::Disconnect {
            let served = self.chat.now(Seen::serving).is_some();
            let closed = self.world.stage.close(&self.customer.account, self.conversation, seen).await;
            return closed.map(|()| served).map_err(|error| failed("close", &error));
        }
        let mut refused = String::new();
        for _ in 0..HOLDERS_MAX {
            let serving = self.serving().await?;
            let agent = self.world.agents.borrow().get(&serving.agent).cloned().ok_or("assigned_to_a_stranger")?;
            match self.world.stage.close(&agent.account, self.conversation, seen).await {
                Ok(()) => return Ok(true),
                Err(error) => refused = failed("close", &error),
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        Err(refused)
    }

    /// Whoever said something sees it as an item, too.
    async fn wait_for_own_items(&self) -> Result<(), String> {
        let own = self.own.borrow().clone();
        for (message, sender) in own {
            self.chat.until(self.world.stall, |seen| seen.arrival(message, sender)).await.ok_or("own_message_never_arrived")?;
        }
        Ok(())
    }

    async fn wait_for_the_end(&self) -> Result<(), String> {
        let ended = self.chat.until(self.world.stall, |seen| seen.is_closed(self.conversation).then_some(()));
        ended.await.ok_or_else(|| "the_end_was_never_seen".into())
    }
}

/// What the ledger does not keep of a message on its way.
struct OnItsWayParts {
    since: Instant,
    place: usize,
}
