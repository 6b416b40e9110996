//! Fires timers that are due: each is a command whose id is derived from the event that set it, so that firing twice, also
//! across a crash, is firing once. It must not know what the command will decide.

use std::sync::Arc;

use application::command::{AnyCommand, Request, caused_command_id};
use application::error::CommandError;
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::ports::clock::Clock;
use application::ports::command_bus::CommandBus;
use application::queries::{ReadModels, TimerName, TimerRow};
use domain::chat::command::ChatCommand;
use domain::conversation::command::ConversationCommand;
use domain::desk::command::DeskCommand;
use domain::ids::{EventId, TenantId};
use domain::tenant::event::Limits;
use domain::time::{Millis, Timestamp};
use hashbrown::HashMap;
use projections::timers::UNANSWERED_EXPIRY;
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often due timers are looked for. Expiry is counted in minutes; a second more or less is not felt.
const TICK: Duration = Duration::from_secs(1);
/// Timers fired per tick; the rest follow in the next.
const FIRED_PER_TICK: usize = 1_000;
/// Between two firings of the same timer.
const TRIED_AGAIN_AFTER: Millis = Millis::minutes(1);
/// Fired timers noted before those that may fire again are forgotten.
const TRIED_KEPT: usize = 10_000;

/// The timers that were fired lately. One that asked too early, because the tenant's limit was raised since it was set, stays
/// due in the view until something happens in its chat; it is asked again now and then, not every second.
#[derive(Default)]
pub struct Tried(HashMap<(EventId, TimerName), Timestamp>);

impl Tried {
    /// Whether a timer may fire now; notes that it does.
    fn note(&mut self, timer: &TimerRow, now: Timestamp) -> bool {
        let which = (timer.cause, timer.name);
        let again = now - TRIED_AGAIN_AFTER;
        if self.0.len() >= TRIED_KEPT {
            self.0.retain(|_, tried| *tried > again);
        }
        match self.0.get(&which) {
            Some(tried) if *tried > again => false,
            Some(_) | None => {
                self.0.insert(which, now);
                true
            }
        }
    }
}

/// Runs until cancelled.
pub async fn run(views: Arc<dyn ReadModels>, commands: Arc<dyn CommandBus>, clock: Arc<dyn Clock>, cancel: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    let mut tried = Tried::default();
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = cancel.cancelled() => return,
        }
        fire_due(&*views, &*commands, clock.now(), &mut tried).await;
    }
}

/// Fires what is due at an instant, and was not tried just now; answers how many that were.
pub async fn fire_due(views: &dyn ReadModels, commands: &dyn CommandBus, now: Timestamp, tried: &mut Tried) -> usize {
    let mut fired = 0;
    for (tenant, timer) in views.due_timers(now, FIRED_PER_TICK) {
        if !tried.note(&timer, now) {
            continue;
        }
        let limits = views.tenant(tenant).map_or_else(Limits::default, |tenant| tenant.limits);
        match commands.execute(firing(tenant, &timer, limits)).await {
            Ok(_) => fired += 1,
            // What it was set for is no longer so.
            Err(CommandError::Refused(error)) => tracing::debug!(tenant.id = %tenant, %error, "a timer's command was refused"),
            Err(error) => tracing::warn!(tenant.id = %tenant, %error, "a timer could not fire; it stays due"),
        }
    }
    fired
}

/// The command that a due timer stands for.
#[must_use]
pub fn firing(tenant: TenantId, timer: &TimerRow, limits: Limits) -> Request {
    // The last number tells the timers apart that one fact set.
    let (key, command, kind): (StreamKey, AnyCommand, u32) = match timer.name {
        TimerName::IdleExpiry { chat, conversation } => {
            let (idle_expiry, unanswered_expiry) = (limits.idle_expiry, UNANSWERED_EXPIRY);
            (StreamKey::Chat(chat), ChatCommand::ExpireIdle { conversation, idle_expiry, unanswered_expiry }.into(), 0)
        }
        TimerName::IdleReminder { chat, conversation } => (StreamKey::Chat(chat), ChatCommand::RemindIdle { conversation }.into(), 1),
        TimerName::Assignment { chat, assignment } => (StreamKey::Chat(chat), ChatCommand::TimeOutAssignment { assignment }.into(), 2),
        TimerName::Busy { conversation, notice } => {
            (StreamKey::Conversation(conversation), ConversationCommand::TellToWait { notice }.into(), 3)
        }
        TimerName::LeaveMessage { conversation } => (StreamKey::Conversation(conversation), ConversationCommand::LeaveMessage.into(), 4),
        TimerName::Overflow { conversation, group } => (StreamKey::Desk, DeskCommand::Overflow { conversation, group }.into(), 5),
    };
    let stream = StreamId::new(tenant, key);
    Request {
        stream,
        command,
        id: caused_command_id(timer.cause, &stream, u32::MAX - kind),
        digest: 0,
        actor: Actor::Timer,
        correlation: timer.cause.uuid(),
        causation: timer.cause.uuid(),
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{ChatId, ConversationId};

    use super::*;

    #[test]
    fn a_timer_that_asked_too_early_is_asked_again_after_a_minute_and_not_before() {
        let now = Timestamp(1_700_000_000_000);
        let conversation = ConversationId::from_u128(7);
        let timer = |cause, name| TimerRow { due_at: now, cause: EventId::from_u128(cause), name };
        let leave = timer(1, TimerName::LeaveMessage { conversation });
        let mut tried = Tried::default();
        assert!(tried.note(&leave, now));
        assert!(!tried.note(&leave, now + Millis(59_999)));
        assert!(tried.note(&leave, now + Millis(60_000)));
        assert!(tried.note(&timer(2, leave.name), now), "another timer is not concerned");
        assert!(tried.note(&timer(1, TimerName::Busy { conversation, notice: 0 }), now), "nor is another one of the same fact");
    }

    #[test]
    fn timers_that_one_fact_set_are_different_commands() {
        let (chat, conversation) = (ChatId::from_u128(1), ConversationId::from_u128(2));
        let names = [
            TimerName::IdleExpiry { chat, conversation },
            TimerName::IdleReminder { chat, conversation },
            TimerName::Assignment { chat, assignment: 1 },
        ];
        let tenant: TenantId = "acme".parse().unwrap();
        let ids = names.map(|name| {
            let timer = TimerRow { due_at: Timestamp(0), cause: EventId::from_u128(3), name };
            firing(tenant, &timer, Limits::default()).id
        });
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    }
}
