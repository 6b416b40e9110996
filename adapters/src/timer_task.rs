//! Fires timers that are due: each is a command whose id is derived from the event that set it, so that firing twice, also
//! across a crash, is firing once. It must not know what the command will decide.

use std::sync::Arc;

use application::command::{AnyCommand, Request, caused_command_id};
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::ports::clock::Clock;
use application::ports::command_bus::CommandBus;
use application::queries::{ReadModels, TimerName, TimerRow};
use domain::chat::command::ChatCommand;
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
struct Tried(HashMap<EventId, Timestamp>);

impl Tried {
    /// Whether a timer may fire now; notes that it does.
    fn note(&mut self, cause: EventId, now: Timestamp) -> bool {
        let again = now - TRIED_AGAIN_AFTER;
        if self.0.len() >= TRIED_KEPT {
            self.0.retain(|_, tried| *tried > again);
        }
        match self.0.get(&cause) {
            Some(tried) if *tried > again => false,
            Some(_) | None => {
                self.0.insert(cause, now);
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
        let now = clock.now();
        for (tenant, timer) in views.due_timers(now, FIRED_PER_TICK) {
            if !tried.note(timer.cause, now) {
                continue;
            }
            let limits = views.tenant(tenant).map_or_else(Limits::default, |tenant| tenant.limits);
            if let Err(error) = commands.execute(firing(tenant, &timer, limits)).await {
                tracing::warn!(tenant.id = %tenant, %error, "a timer could not fire; it stays due");
            }
        }
    }
}

/// The command that a due timer stands for.
#[must_use]
pub fn firing(tenant: TenantId, timer: &TimerRow, limits: Limits) -> Request {
    let (key, command) = match timer.name {
        TimerName::IdleExpiry { chat, conversation } => (
            StreamKey::Chat(chat),
            ChatCommand::ExpireIdle { conversation, idle_expiry: limits.idle_expiry, unanswered_expiry: UNANSWERED_EXPIRY },
        ),
    };
    let stream = StreamId::new(tenant, key);
    Request {
        stream,
        command: AnyCommand::Chat(command),
        id: caused_command_id(timer.cause, &stream, u32::MAX),
        digest: 0,
        actor: Actor::Timer,
        correlation: timer.cause.uuid(),
        causation: timer.cause.uuid(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_that_asked_too_early_is_asked_again_after_a_minute_and_not_before() {
        let (cause, now) = (EventId::from_u128(1), Timestamp(1_700_000_000_000));
        let mut tried = Tried::default();
        assert!(tried.note(cause, now));
        assert!(!tried.note(cause, now + Millis(59_999)));
        assert!(tried.note(cause, now + Millis(60_000)));
        assert!(tried.note(EventId::from_u128(2), now), "another timer is not concerned");
    }
}
