//! Keeps what is merely current fresh on every device: unread counts, places in queues, expected waits, boards, and what robots
//! are writing.
//!
//! The hub notes what went stale; here it is counted anew, at most twice a second, however much happened in between. So a
//! signal costs what there are devices to tell, not what there are messages. This file must not know a socket.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::queries::{BoardRow, QueueRow};
use domain::desk::event::QueueKind;
use domain::ids::{ChatId, ConversationId, GroupId, TenantId, UserId};
use domain::message::Visibility;
use domain::time::{Millis, Timestamp};
use hashbrown::HashMap;
use tokio::time::Instant;

use crate::channels::watching;
use crate::hub::signal::Signal;
use crate::hub::stale::Stale;
use crate::hub::{Device, Who};
use crate::masking::shown_to;
use crate::state::{App, AppState};

/// A round: nobody is told the same thing twice in it.
const ROUND: Duration = Duration::from_millis(500);
/// Turns of a round. Whoever has something to hear is told in one of them, so that a thousand devices do not wake at once.
const TURNS: usize = 50;
/// Users who are told in a turn, however few there are.
const USERS_A_TURN: usize = 16;
/// Assignments of a group that must have been seen before a wait is told.
const SEEN_MIN: u32 = 3;
/// A pause in assignments that says nothing about how fast a group works: a night, a lunch hour.
const GAP_MAX: Millis = Millis::minutes(30);
/// Weight of the newest interval in the average.
const NEWEST: f64 = 0.2;

/// Chats in which somebody has unread messages, as far as a signal tells them.
const UNREAD_CHATS_MAX: usize = 1_000;

/// How fast a group takes up those who wait.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    last: Option<Timestamp>,
    interval_ms: f64,
    seen: u32,
}

impl Pace {
    fn assigned(&mut self, at: Timestamp) {
        if let Some(last) = self.last {
            let interval = at - last;
            if interval.0 >= 0 && interval <= GAP_MAX {
                let interval = interval.0 as f64;
                self.interval_ms = if self.seen <= 1 { interval } else { self.interval_ms + NEWEST * (interval - self.interval_ms) };
                self.seen = self.seen.saturating_add(1);
            }
        } else {
            self.seen = 1;
        }
        self.last = Some(at);
    }

    fn wait_s(&self, position: usize) -> Option<u64> {
        (self.seen >= SEEN_MIN).then(|| (self.interval_ms * position as f64 / 1_000.0).ceil() as u64)
    }
}

/// Who waits, and which place they were told last: none while they were not connected.
#[derive(Clone, Copy, Debug)]
struct Told {
    customer: UserId,
    position: Option<usize>,
}

#[derive(Default)]
struct Known {
    paces: HashMap<(TenantId, GroupId), Pace>,
    /// Who waits, by conversation, and in which group.
    waiting: HashMap<TenantId, HashMap<ConversationId, (GroupId, Option<Told>)>>,
    /// What those who watch a board were told last.
    boards: HashMap<TenantId, HashMap<GroupId, BoardRow>>,
}

/// See the file's head.
#[derive(Default)]
pub struct Signals {
    known: Mutex<Known>,
}

/// A customer's own place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub position: usize,
    /// Expected wait in seconds, if one can be told.
    pub wait_s: Option<u64>,
}

impl Signals {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a conversation waits.
    pub fn place(&self, app: &AppState, tenant: TenantId, conversation: ConversationId) -> Option<Place> {
        let views = &app.ports.views;
        let position = views.queue_position(tenant, conversation)?;
        let group = views.conversation(tenant, conversation).and_then(|row| row.group);
        let known = self.known();
        let wait_s = group.and_then(|group| known.paces.get(&(tenant, group))?.wait_s(position));
        Some(Place { position, wait_s })
    }

    /// Tells a device how the groups stand that it watches; what changes from here on is told after it.
    pub fn tell_boards(&self, app: &AppState, device: &Device) {
        // No round may tell something newer in between.
        let _turn = self.known();
        for board in boards_of(app, device) {
            device.outbox.push_signal(Signal::Board(board));
        }
    }

    /// Takes from those who serve other groups now what they may not see any more.
    fn take_boards_away(&self, app: &AppState, stale: &Stale) {
        // Nobody may be told in between how a group stands that is being taken away.
        let _turn = self.known();
        for who in &stale.regrouped {
            watching::give_up_boards(app, *who);
        }
    }

    /// Refreshes signals until the order to stop.
    pub async fn run(&self, app: App) {
        loop {
            tokio::select! {
                () = app.shutdown.ordered() => return,
                () = app.hub.stale() => {}
            }
            let round_ends = Instant::now() + ROUND;
            let stale = app.hub.take_stale();
            self.take_boards_away(&app, &stale);
            tell_growing(&app, &stale);
            self.refresh_queues(&app, &stale);
            let users: Vec<(Who, Vec<ChatId>)> = stale.unread.into_iter().collect();
            for turn in users.chunks(users.len().div_ceil(TURNS).max(USERS_A_TURN)) {
                refresh_unread(&app, turn);
                tokio::time::sleep(ROUND / TURNS as u32).await;
            }
            tokio::select! {
                () = app.shutdown.ordered() => return,
                () = tokio::time::sleep_until(round_ends) => {}
            }
        }
    }

    fn refresh_queues(&self, app: &AppState, stale: &Stale) {
        let mut known = self.known();
        for &(tenant, conversation, at) in &stale.assigned {
            let group = known.waiting.get(&tenant).and_then(|waiting| waiting.get(&conversation)).map(|(group, _)| *group);
            // One that was assigned at once was never seen waiting; it tells as much about the pace.
            let group = group.or_else(|| app.ports.views.conversation(tenant, conversation)?.group);
            if let Some(group) = group {
                known.paces.entry((tenant, group)).or_default().assigned(at);
            }
        }
        for tenant in &stale.queues {
            known.tell_queue(app, *tenant);
            known.tell_boards(app, *tenant);
        }
    }
}

/// Tells the other members of a chat what a robot has so far; a note in the making only those who may read it.
fn tell_growing(app: &AppState, stale: &Stale) {
    for (&(tenant, chat, user), growing) in &stale.growing {
        let Some(row) = app.ports.views.chat(tenant, chat) else { continue };
        let signal = |user| Signal::Chunk { chat, user, growing: growing.clone() };
        let others = row.members.iter().filter(|member| member.user != user);
        for member in others.filter(|member| growing.visibility == Visibility::All || member.role.is_staff()) {
            app.hub.signal((tenant, member.user), &signal(shown_to(member.user, user, &row)));
        }
    }
}

/// How the groups stand that a device watches.
#[must_use]
pub fn boards_of(app: &AppState, device: &Device) -> Vec<BoardRow> {
    let groups = device.boards();
    if groups.is_empty() { Vec::new() } else { app.ports.views.boards(device.who.0, &groups) }
}

fn refresh_unread(app: &AppState, users: &[(Who, Vec<ChatId>)]) {
    for (who, chats) in users {
        for chat in chats {
            // Somebody who left has nothing unread there any more.
            let count = app.ports.views.unread(who.0, *chat, who.1).unwrap_or(0);
            app.hub.signal(*who, &Signal::Unread { chat: *chat, count });
        }
    }
}

impl Known {
    /// Tells those whose place changed, and those who do not wait any more.
    fn tell_queue(&mut self, app: &AppState, tenant: TenantId) {
        let mut rows = app.ports.views.queue(tenant, None);
        // Whoever left a message does not wait for their turn.
        rows.retain(|row| row.queue != QueueKind::Message);
        let mut before = self.waiting.remove(&tenant).unwrap_or_default();
        let mut now = HashMap::with_capacity(rows.len());
        for (row, position) in places(&rows) {
            let last = before.remove(&row.conversation).and_then(|(_, told)| told);
            let told = self.tell(app, tenant, row, position, last);
            now.insert(row.conversation, (row.group, told));
        }
        for (conversation, (_, told)) in before {
            if let Some(told) = told {
                app.hub.signal((tenant, told.customer), &Signal::Queue { conversation, position: None, wait_s: None });
            }
        }
        if !now.is_empty() {
            self.waiting.insert(tenant, now);
        }
    }

    /// Tells those who watch how a group stands, if it stands otherwise than they were told.
    fn tell_boards(&mut self, app: &AppState, tenant: TenantId) {
        let told = self.boards.remove(&tenant).unwrap_or_default();
        let watched = app.hub.boards.watched(tenant);
        if watched.is_empty() {
            return;
        }
        let boards = app.ports.views.boards(tenant, &watched);
        for board in boards.iter().filter(|board| told.get(&board.group) != Some(*board)) {
            app.hub.boards.tell(tenant, board.group, &Signal::Board(*board));
        }
        self.boards.insert(tenant, boards.into_iter().map(|board| (board.group, board)).collect());
    }

    fn tell(&self, app: &AppState, tenant: TenantId, row: &QueueRow, position: usize, last: Option<Told>) -> Option<Told> {
        if last.is_some_and(|last| last.position == Some(position)) {
            return last;
        }
        let customer = last.map(|last| last.customer).or_else(|| app.ports.views.chat(tenant, row.chat)?.customer())?;
        if !app.hub.is_connected((tenant, customer)) {
            return Some(Told { customer, position: None });
        }
        let wait_s = self.paces.get(&(tenant, row.group)).and_then(|pace| pace.wait_s(position));
        app.hub.signal((tenant, customer), &Signal::Queue { conversation: row.conversation, position: Some(position), wait_s });
        Some(Told { customer, position: Some(position) })
    }
}

/// Each one's place among those of the same group.
fn places(rows: &[QueueRow]) -> impl Iterator<Item = (&QueueRow, usize)> {
    let mut ahead: HashMap<GroupId, usize> = HashMap::new();
    rows.iter().map(move |row| {
        let place = ahead.entry(row.group).or_default();
        *place += 1;
        (row, *place)
    })
}

/// All that is current for somebody whose device connects: unread counts of their chats, and their place in the queue.
#[must_use]
pub fn whole(app: &AppState, (tenant, user): Who, chats: &[ChatId]) -> (Vec<(ChatId, u64)>, Vec<Signal>) {
    let views = &app.ports.views;
    let unread = chats.iter().filter_map(|chat| Some((*chat, views.unread(tenant, *chat, user)?))).filter(|(_, count)| *count > 0);
    let unread = unread.take(UNREAD_CHATS_MAX).collect();
    let own = chats.iter().filter_map(|chat| views.chat(tenant, *chat)).filter(|chat| chat.customer() == Some(user));
    let waiting = own.filter_map(|chat| {
        let conversation = chat.conversation?;
        let place = app.signals.place(app, tenant, conversation)?;
        Some(Signal::Queue { conversation, position: Some(place.position), wait_s: place.wait_s })
    });
    let signals = waiting.collect();
    (unread, signals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_once_a_group_has_been_seen_at_work_and_a_pause_says_nothing() {
        let mut pace = Pace::default();
        let mut at = Timestamp(1_000_000);
        pace.assigned(at);
        assert_eq!(pace.wait_s(1), None);
        for _ in 0..2 {
            at = at + Millis::seconds(60);
            pace.assigned(at);
        }
        assert_eq!(pace.wait_s(1), Some(60));
        assert_eq!(pace.wait_s(3), Some(180));
        pace.assigned(at + Millis::hours(9));
        assert_eq!(pace.wait_s(3), Some(180), "a night is no interval");
    }
}
