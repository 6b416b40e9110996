//! Carries the feeds of channels' customers to their endpoints: the loop around [`super::rounds`].
//!
//! A trip reads a page of a customer's feed after their cursor and posts its items one after the other. What an endpoint has
//! not answered with 2xx is posted again under the same id. Items are read when they are sent, so nothing waits in memory.

use std::collections::VecDeque;
use std::time::Duration;

use application::error::CommandError;
use application::queries::{AccountStage, ChannelRow, UserRow};
use axum::http::StatusCode;
use domain::event::Event;
use domain::ids::{ChannelId, TenantId, UserId};
use domain::tenant::command::TenantCommand;
use domain::user::command::UserCommand;
use domain::user::event::UserEvent;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout};

use super::rounds::{Ended, RECORDS_MAX, Rounds, Trip};
use crate::feed_pages::FeedPages;
use crate::http::accounts;
use crate::http::error::ApiError;
use crate::http::routes::tenant;
use crate::hub::Who;
use crate::hub::followed::News;
use crate::messaging;
use crate::outgoing::Webhook;
use crate::outreach::{self, OnItsWay};
use crate::presence;
use crate::reading::Reader;
use crate::render::View;
use crate::state::{App, AppState};

/// Items of a trip: then it is another customer's turn.
const TRIP_ITEMS: usize = 16;
/// Customers who are looked through at a time; then deliveries go on.
const PAGE_CUSTOMERS: usize = 256;
/// Time for cursors to be written down when the server stops.
const FINISH_MAX: Duration = Duration::from_secs(3);

/// What came of something that was under way.
enum Done {
    Trip { who: Who, reached: u64, how: Ended },
    Record { who: Who, up_to: Option<u64> },
}

/// Customers who are still to be looked through: of a tenant's channel or of all its channels, after one of them.
struct Search {
    tenant: TenantId,
    channel: Option<ChannelId>,
    after: Option<UserId>,
    /// Asked for once more since it began: whoever was passed by already is looked at again afterwards.
    again: bool,
}

struct Courier {
    app: App,
    /// In turn, a page at a time.
    searches: VecDeque<Search>,
    rounds: Rounds,
    began: Instant,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
}

/// Carries until the order to stop. Begins with those who have something undelivered from before.
pub async fn run(app: App) {
    let rounds = Rounds::new(usize::from(app.config.channels.deliveries_at_once));
    let mut courier = Courier { app, searches: VecDeque::new(), rounds, began: Instant::now(), under_way: FuturesUnordered::new() };
    courier.begin();
    while !courier.app.shutdown.is_ordered() {
        courier.look_on();
        courier.set_out();
        courier.wait().await;
    }
    courier.finish().await;
}

impl Courier {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Finds the customers of all channels, and those of them who have not got everything.
    fn begin(&mut self) {
        for tenant in self.app.ports.views.tenants() {
            // Whoever never connected a channel has no customers of one.
            let has_channels = self.app.ports.views.tenant(tenant).is_some_and(|row| !row.channels.is_empty());
            if has_channels {
                self.search(tenant, None);
            }
        }
    }

    /// Looks through the customers of a tenant's channel, or of all its channels, from the first.
    fn search(&mut self, tenant: TenantId, channel: Option<ChannelId>) {
        match self.searches.iter_mut().find(|search| (search.tenant, search.channel) == (tenant, channel)) {
            Some(search) => search.again = search.after.is_some(),
            None => self.searches.push_back(Search { tenant, channel, after: None, again: false }),
        }
    }

    /// Wakes those of the next page who have not got everything. Between two pages everything else goes on.
    fn look_on(&mut self) {
        let Some(search) = self.searches.pop_front() else { return };
        let Search { tenant, channel, after, again } = search;
        let page = self.app.ports.views.channel_customers(tenant, after, PAGE_CUSTOMERS);
        let Some(last) = page.last() else {
            if again {
                self.search(tenant, channel);
            }
            return;
        };
        self.searches.push_back(Search { after: Some(last.user), ..search });
        for row in page.into_iter().filter(|row| channel.is_none_or(|channel| row.channel == channel)) {
            let who = (tenant, row.user);
            // Before the head is read: an item that comes in between is told as news.
            self.app.hub.followed.follow(who);
            if self.app.ports.views.feed_head(tenant, row.user) > row.up_to {
                self.rounds.wake(who, row.channel, row.up_to);
            }
        }
    }

    /// Lets everybody go who can.
    fn set_out(&mut self) {
        let now = self.now();
        self.rounds.tick(now);
        while let Some(trip) = self.rounds.next_trip() {
            self.under_way.push(travel(App::clone(&self.app), trip).boxed());
        }
        for (who, channel, up_to) in self.rounds.due_records(now) {
            self.under_way.push(record(App::clone(&self.app), who, channel, up_to).boxed());
        }
    }

    /// Waits for whatever comes first.
    async fn wait(&mut self) {
        let due = self.rounds.next_due();
        tokio::select! {
            () = self.app.shutdown.ordered() => {}
            () = self.app.hub.followed.came() => self.take_news(),
            Some(done) = self.under_way.next() => self.take(done),
            () = sleep_until(self.began + due.unwrap_or_default()), if due.is_some() => {}
            // There is more to look through, after everybody else had their turn.
            () = tokio::task::yield_now(), if !self.searches.is_empty() => {}
        }
    }

    fn take_news(&mut self) {
        let News { users, connected, ready } = self.app.hub.followed.take();
        for who in users {
            if let Some(row) = self.app.ports.views.channel_customer(who.0, who.1) {
                self.rounds.wake(who, row.channel, row.up_to);
            }
        }
        for (tenant, channel) in connected {
            self.search(tenant, Some(channel));
            self.rounds.hurry((tenant, channel));
        }
        for route in ready {
            self.rounds.hurry(route);
        }
    }

    fn take(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Trip { who, reached, how } => self.rounds.ended(who, reached, how, now, chance()),
            Done::Record { who, up_to } => self.rounds.recorded(who, up_to, now),
        }
    }

    /// Writes down how far everybody is, so that little is repeated after the restart.
    async fn finish(mut self) {
        // What is under way is cut off: whatever arrived of it is posted again under the same id.
        self.under_way.clear();
        let left: Vec<(Who, ChannelId, u64)> = self.rounds.unrecorded().collect();
        let app = &self.app;
        let written = futures_util::stream::iter(left)
            .for_each_concurrent(RECORDS_MAX, |(who, channel, up_to)| record(App::clone(app), who, channel, up_to).map(|_| ()));
        if timeout(FINISH_MAX, written).await.is_err() {
            tracing::warn!("not every cursor was written down; some items will be delivered again");
        }
    }
}

fn chance() -> u32 {
    let mut bytes = [0; 4];
    crate::ids::fill_random(&mut bytes);
    u32::from_be_bytes(bytes)
}

async fn record(app: App, who: Who, channel: ChannelId, up_to: u64) -> Done {
    let order = presence::order(&app, who, UserCommand::ReceiveByChannel { channel, up_to });
    let up_to = match messaging::execute(&app, order).await {
        Ok(answer) => {
            // Whoever is woken next begins where the read models say.
            let _ = app.ports.views.at_least(answer.position.commit).await;
            Some(up_to)
        }
        // Nobody will ask for it again.
        Err(CommandError::Refused(_) | CommandError::Gone | CommandError::Erased) => Some(up_to),
        Err(error) => {
            tracing::warn!(tenant.id = %who.0, user.id = %who.1, %error, "cursor of a channel was not written down");
            None
        }
    };
    Done::Record { who, up_to }
}

async fn travel(app: App, trip: Trip) -> Done {
    let mut reached = trip.after;
    let how = match carry(&app, trip, &mut reached).await {
        Ok(how) => how,
        Err(error) => {
            tracing::error!(tenant.id = %trip.who.0, user.id = %trip.who.1, channel.id = %trip.channel, %error, "items could not be read for a channel");
            Ended::Failed
        }
    };
    Done::Trip { who: trip.who, reached, how }
}

/// The channel and the customer, if something is still delivered to them.
fn whom(app: &AppState, trip: Trip) -> Option<(ChannelRow, std::sync::Arc<UserRow>)> {
    let (tenant, user) = trip.who;
    let channel = *app.ports.views.tenant(tenant)?.channel(trip.channel)?;
    let user = app.ports.views.user(tenant, user)?;
    (channel.delivers && user.stage == AccountStage::Active).then_some((channel, user))
}

async fn carry(app: &AppState, trip: Trip, reached: &mut u64) -> Result<Ended, ApiError> {
    let (tenant, user) = trip.who;
    let Some((channel, row)) = whom(app, trip) else { return Ok(Ended::Stopped) };
    let items = FeedPages::new(app, tenant, user, View::of(row.role)).on_their_way(*reached, TRIP_ITEMS).await?;
    if items.is_empty() {
        return Ok(Ended::CaughtUp);
    }
    let connection = app.connections.of(app, tenant, &channel).await?;
    let customer = customer_at(app, trip.channel, &row).await?;
    let whole_page = items.len() == TRIP_ITEMS;
    for (item, attempt) in items {
        if let Some((chat, attempt)) = attempt {
            match outreach::hand_over(app, (tenant, chat), attempt, trip.channel).await? {
                OnItsWay::Goes => {}
                OnItsWay::Stays => {
                    *reached = item.index;
                    continue;
                }
                OnItsWay::Waits => return Ok(Ended::Failed),
            }
        }
        let id = format!("{user}-{}", item.index);
        let body = envelope(trip.channel, &customer, user, &item.text);
        let webhook = Webhook { url: &connection.settings.url, id: &id, body: &body };
        match app.outgoing.send(webhook, &connection.key, app.now()).await {
            Ok(status) if status.is_success() => *reached = item.index,
            Ok(StatusCode::GONE) => return stop(app, tenant, &channel).await,
            Ok(status) => {
                tracing::info!(tenant.id = %tenant, channel.id = %channel.channel, %status, "an item was not received");
                return Ok(Ended::Failed);
            }
            Err(error) => {
                tracing::info!(tenant.id = %tenant, channel.id = %channel.channel, %error, "an item could not be sent");
                return Ok(Ended::Failed);
            }
        }
    }
    Ok(if whole_page { Ended::More } else { Ended::CaughtUp })
}

/// The endpoint says that it is gone: nothing is delivered until the channel is connected again.
async fn stop(app: &AppState, tenant: TenantId, channel: &ChannelRow) -> Result<Ended, ApiError> {
    let command = TenantCommand::StopChannelDelivery { channel: channel.channel, connected_at: channel.connected_at };
    let answer = messaging::execute(app, tenant::order(app, tenant, command)).await?;
    tracing::warn!(tenant.id = %tenant, channel.id = %channel.channel, "a channel's address is gone; delivery stopped");
    // The others of the channel shall not ask it once more each.
    let _ = app.ports.views.at_least(answer.position.commit).await;
    Ok(Ended::Stopped)
}

/// What the channel calls a customer.
async fn customer_at(app: &AppState, channel: ChannelId, row: &UserRow) -> Result<String, ApiError> {
    let provider = accounts::channel_provider(channel);
    let mut reader = Reader::new(app);
    for (_, at) in &row.accounts {
        if let Event::User(UserEvent::ExternalAccountMapped(mapped)) = reader.open(*at).await?.event
            && let Some(account) = mapped.private.known()
            && account.provider == provider
        {
            return Ok(account.account.clone());
        }
    }
    Err(ApiError::NotFound { kind: "customer" })
}

/// An item with whom it is for.
fn envelope(channel: ChannelId, customer: &str, user: UserId, item: &str) -> String {
    let customer = serde_json::Value::from(customer);
    format!("{{\"channel\":\"{channel}\",\"customer\":{customer},\"user\":\"{user}\",\"item\":{item}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_json_whatever_the_customer_is_called() {
        let body = envelope("app".parse().unwrap(), "a\"b\\{", UserId::from_u128(7), "{\"t\":\"item\",\"i\":3}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["channel"], &body["customer"], &body["item"]["i"]), (&"app".into(), &"a\"b\\{".into(), &3.into()));
    }
}
