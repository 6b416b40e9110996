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
use domain::ids::TenantId;
use domain::tenant::event::Limits;
use domain::time::Millis;
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often due timers are looked for. Expiry is counted in minutes; a second more or less is not felt.
const TICK: Duration = Duration::from_secs(1);
/// Timers fired per tick; the rest follow in the next.
const FIRED_PER_TICK: usize = 1_000;
/// A customer who waited this long for an answer is not answered any more (DESIGN §4: 7 days).
pub const UNANSWERED_EXPIRY: Millis = Millis::days(7);

/// Runs until cancelled.
pub async fn run(views: Arc<dyn ReadModels>, commands: Arc<dyn CommandBus>, clock: Arc<dyn Clock>, cancel: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = cancel.cancelled() => return,
        }
        for (tenant, timer) in views.due_timers(clock.now(), FIRED_PER_TICK) {
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
