//! The loop of one socket: frames in, orders on their way, items and answers out.
//!
//! Everything runs in the socket's own task. Whatever is ready is taken together and leaves in one write. It must not know
//! what a frame means ([`super::orders`]).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use application::command::Request;
use axum::extract::ws::{Message, WebSocket};
use domain::chat::command::ChatCommand;
use domain::ids::ChatId;
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use hashbrown::HashMap;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::frame::About;
use crate::channels::link::{Link, bye_of_auth};
use crate::feed_pages::{FeedPages, PAGE_ITEMS};
use crate::http::auth::live_session;
use crate::http::error::ApiError;
use crate::hub::Device;
use crate::hub::outbox::{Bye, Look, Taken};
use crate::hub::signal;
use crate::messaging::{self, Sender};
use crate::state::App;

/// Frames that are gathered before they are written, so that one burst cannot keep a socket from reading orders.
const GATHERED_MAX: usize = 512;

/// For how long at least what a device knows anyway (its own message's item, whose ack it has, and unread counts) waits for something to
/// leave with: a write of its own costs as much as the message. It is at most twice this.
const PATIENCE: Duration = Duration::from_millis(150);

/// The socket's end: with a farewell, or because the client went by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone(pub(super) Option<Bye>);

/// What an order came to.
pub(super) enum Done {
    /// Its answer, if it has one.
    Answer(Option<String>),
    /// A chat was marked read, or was not.
    Read(ChatId, Option<String>),
}

/// An order on its way into the log.
pub(super) type Order = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What has to be looked up before an order can be given: the order, or the answer instead.
type LookUp = Pin<Box<dyn Future<Output = Result<Order, String>> + Send>>;

pub(super) struct Connection<'a> {
    pub(super) app: &'a App,
    pub(super) device: &'a Arc<Device>,
    pub(super) sender: Sender,
    socket: &'a mut WebSocket,
    out: Vec<String>,
    orders: FuturesUnordered<Order>,
    orders_max: usize,
    /// Nothing is read meanwhile: what the device says next must not reach the log before.
    look_up: Option<LookUp>,
    /// Chats that are being marked read, and how far afterwards: however often a device says so, one order at a time is on its way.
    reads: HashMap<ChatId, Option<u64>>,
    /// When the device last said that its user writes.
    pub(super) typing_at: Option<Instant>,
    taken: Taken,
    /// Items that the client asks for again.
    range: Option<(u64, u64)>,
    last_heard: Instant,
    /// When the link is looked after.
    tick_at: Instant,
    /// When what lies in the outbox has waited long enough.
    look_at: Option<Instant>,
}

enum Turn {
    Work,
    Tick,
    Gone(Gone),
}

/// Why a socket that cannot be read has to go.
pub(super) fn bye_of_error(error: &axum::Error) -> Option<Bye> {
    // The error's type belongs to a library that is not ours; its words are pinned by the tests of bad input.
    let words = error.to_string();
    if words.contains("too long") || words.contains("Space limit") {
        Some(Bye::TooBig)
    } else if words.contains("UTF-8") || words.contains("utf-8") || (words.contains("protocol error") && !words.contains("closing")) {
        Some(Bye::BadFrame)
    } else {
        None
    }
}

impl<'a> Connection<'a> {
    pub(super) fn new(app: &'a App, socket: &'a mut WebSocket, link: &'a Link) -> Self {
        Self {
            app,
            device: link.device(),
            sender: link.sender(),
            socket,
            out: Vec::new(),
            orders: FuturesUnordered::new(),
            orders_max: app.config.websocket.orders_in_flight_max.max(1),
            look_up: None,
            reads: HashMap::new(),
            typing_at: None,
            taken: Taken::default(),
            range: None,
            last_heard: Instant::now(),
            tick_at: Instant::now() + app.config.websocket.ping_after(),
            look_at: None,
        }
    }

    /// Queues a frame behind what waits.
    pub(super) fn queue(&mut self, frame: String) {
        self.out.push(frame);
    }

    /// Sends an order on its way. Orders reach the log in the order in which they are given.
    pub(super) fn order(&mut self, order: impl Future<Output = Done> + Send + 'static) {
        self.orders.push(Box::pin(order));
    }

    /// As [`Self::order`], for an order that is put together already.
    pub(super) fn give_order(&mut self, order: Order) {
        self.orders.push(order);
    }

    /// Looks something up and sends the order on its way then. Until then no other order is taken.
    pub(super) fn order_after(&mut self, look_up: impl Future<Output = Result<Order, String>> + Send + 'static) {
        self.look_up = Some(Box::pin(look_up));
    }

    /// Gives a command whose answer nobody waits for.
    pub(super) fn give(&mut self, request: Request) {
        let app = Arc::clone(self.app);
        self.order(async move {
            let stream = request.stream;
            if let Err(error) = messaging::execute(&app, request).await {
                tracing::warn!(%stream, %error, "command of a connection was not carried out");
            }
            Done::Answer(None)
        });
    }

    /// Marks a chat read, after what is on its way for it.
    pub(super) fn mark_read(&mut self, chat: ChatId, seq: u64) {
        if let Some(next) = self.reads.get_mut(&chat) {
            *next = (*next).max(Some(seq));
            return;
        }
        self.reads.insert(chat, None);
        let command = ChatCommand::MarkRead { reader: self.sender.user, up_to_seq: seq };
        let request = messaging::to_chat(self.app, self.sender, chat, command);
        let app = Arc::clone(self.app);
        self.order(async move {
            let answer = messaging::execute(&app, request).await;
            Done::Read(chat, answer.err().map(|error| super::frame::nack(About::Chat(chat), &ApiError::Command(error))))
        });
    }

    /// Remembers the items that the client wants again.
    pub(super) fn want_range(&mut self, after: u64, to: u64) {
        self.range = Some((after, to));
    }

    /// Writes what was gathered. A client that does not read is waited for until its queue overflows, or until it has not read for
    /// as long as a dead one.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        if self.out.is_empty() {
            return Ok(());
        }
        let Self { socket, out, device, .. } = self;
        let dead_after = self.app.config.websocket.dead_after();
        let write = async {
            // Each by itself: whoever reads slowly reads.
            for frame in out.drain(..) {
                timeout(dead_after, socket.feed(Message::Text(frame.into()))).await.map_err(|_| Gone(None))?.map_err(|_| Gone(None))?;
            }
            timeout(dead_after, socket.flush()).await.map_err(|_| Gone(None))?.map_err(|_| Gone(None))
        };
        let told_to_go = poll_fn(|context| device.outbox.poll_bye(context));
        tokio::select! {
            biased;
            written = write => written,
            bye = told_to_go => Err(Gone(Some(bye))),
        }
    }

    /// Serves until somebody goes.
    pub(super) async fn run(&mut self) -> Gone {
        let mut timer = std::pin::pin!(sleep_until(self.tick_at));
        loop {
            if let Err(gone) = self.flush().await {
                return gone;
            }
            if let Some((after, to)) = self.range.take() {
                if let Err(gone) = self.send_range(after, to).await {
                    return gone;
                }
                continue;
            }
            match poll_fn(|context| self.poll_turn(context, timer.as_mut())).await {
                Turn::Work => {}
                Turn::Tick => {
                    if let Err(gone) = self.tick().await {
                        return gone;
                    }
                }
                Turn::Gone(gone) => {
                    // What waits was on its way before the reason to go.
                    let _ = timeout(std::time::Duration::from_secs(1), self.write_rest()).await;
                    return gone;
                }
            }
        }
    }

    async fn write_rest(&mut self) -> Result<(), axum::Error> {
        for frame in self.out.drain(..) {
            self.socket.feed(Message::Text(frame.into())).await?;
        }
        self.socket.flush().await
    }

    /// Takes everything that is ready. Pending when there is nothing to write.
    fn poll_turn(&mut self, context: &mut Context<'_>, timer: Pin<&mut Sleep>) -> Poll<Turn> {
        self.poll_look_up(context);
        self.poll_orders(context);
        while self.orders.len() < self.orders_max && self.range.is_none() && self.look_up.is_none() && self.out.len() < GATHERED_MAX {
            match self.socket.poll_next_unpin(context) {
                Poll::Pending => break,
                Poll::Ready(None) => return Poll::Ready(Turn::Gone(Gone(None))),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Turn::Gone(Gone(bye_of_error(&error)))),
                Poll::Ready(Some(Ok(message))) => {
                    if let Err(gone) = self.heard(message) {
                        return Poll::Ready(Turn::Gone(gone));
                    }
                    self.poll_look_up(context);
                }
            }
        }
        // Orders that were just given leave now, all together.
        self.poll_orders(context);
        let look = self.look(context);
        self.gather();
        match look {
            Look::Took(Some(bye)) => return Poll::Ready(Turn::Gone(Gone(Some(bye)))),
            Look::Lies if self.look_at.is_none() => self.look_at = Some(Instant::now() + PATIENCE),
            Look::Took(None) | Look::Lies | Look::Nothing => {}
        }
        if !self.out.is_empty() || self.range.is_some() {
            return Poll::Ready(Turn::Work);
        }
        self.poll_clock(context, timer)
    }

    /// Takes from the outbox what presses, and everything if something leaves anyway.
    fn look(&mut self, context: &mut Context<'_>) -> Look {
        let Self { device, taken, out, .. } = self;
        if out.is_empty() {
            return device.outbox.poll_take_or_leave(context, taken);
        }
        match device.outbox.poll_take(context, taken) {
            Poll::Ready(told) => Look::Took(told),
            Poll::Pending => Look::Nothing,
        }
    }

    /// Puts what was taken behind what waits to be written.
    fn gather(&mut self) {
        self.out.extend(self.taken.items.drain(..).map(|item| item.text));
        if !self.taken.signals.is_empty() {
            self.out.extend(signal::frames(&self.taken.signals).into_iter().map(|(_, frame)| frame));
            self.taken.signals.clear();
        }
    }

    /// Waits for what is due next.
    fn poll_clock(&mut self, context: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<Turn> {
        loop {
            let next = self.look_at.map_or(self.tick_at, |at| at.min(self.tick_at));
            if timer.deadline() != next {
                timer.as_mut().reset(next);
            }
            ready!(timer.as_mut().poll(context));
            let now = Instant::now();
            if now >= self.tick_at {
                self.tick_at = now + self.app.config.websocket.ping_after();
                return Poll::Ready(Turn::Tick);
            }
            if self.look_at.is_some_and(|at| now >= at) {
                let goes_on = self.device.outbox.take_overdue(&mut self.taken);
                self.look_at = goes_on.then(|| now + PATIENCE);
                self.gather();
                if !self.out.is_empty() {
                    return Poll::Ready(Turn::Work);
                }
            }
        }
    }

    fn poll_look_up(&mut self, context: &mut Context<'_>) {
        let Some(look_up) = &mut self.look_up else { return };
        if let Poll::Ready(looked_up) = look_up.as_mut().poll(context) {
            self.look_up = None;
            match looked_up {
                Ok(order) => self.orders.push(order),
                Err(answer) => self.out.push(answer),
            }
        }
    }

    fn poll_orders(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(done)) = self.orders.poll_next_unpin(context) {
            match done {
                Done::Answer(answer) => self.out.extend(answer),
                Done::Read(chat, answer) => {
                    self.out.extend(answer);
                    if let Some(seq) = self.reads.remove(&chat).flatten() {
                        self.mark_read(chat, seq);
                    }
                }
            }
        }
    }

    fn heard(&mut self, message: Message) -> Result<(), Gone> {
        self.last_heard = Instant::now();
        match message {
            Message::Text(text) => self.on_text(text.as_str()).map_err(|bye| Gone(Some(bye))),
            Message::Binary(_) => Err(Gone(Some(Bye::BadFrame))),
            Message::Close(_) => Err(Gone(None)),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    /// Looks after a link that has been silent, and after the time of the sign-in.
    async fn tick(&mut self) -> Result<(), Gone> {
        let (tenant, user) = self.device.who;
        live_session(self.app, tenant, user, self.device.session).map_err(|error| Gone(Some(bye_of_auth(error))))?;
        let settings = &self.app.config.websocket;
        let silence = self.last_heard.elapsed();
        if silence >= settings.dead_after() {
            return Err(Gone(None));
        }
        if silence >= settings.ping_after() {
            self.socket.send(Message::Ping(axum::body::Bytes::new())).await.map_err(|_| Gone(None))?;
        }
        Ok(())
    }

    /// Sends items again that the client missed.
    async fn send_range(&mut self, after: u64, to: u64) -> Result<(), Gone> {
        let (tenant, user) = self.device.who;
        let app = self.app;
        let mut pages = FeedPages::new(app, tenant, user, self.device.view);
        let mut reached = after;
        while reached < to {
            let limit = usize::try_from(to - reached).unwrap_or(PAGE_ITEMS).min(PAGE_ITEMS);
            let page = match pages.after(reached, limit).await {
                Ok(page) => page,
                Err(error) => {
                    self.queue(super::frame::nack(About::Range(after, to), &error));
                    return Ok(());
                }
            };
            if page.is_empty() {
                return Ok(());
            }
            for item in page {
                reached = item.index;
                self.queue(item.text);
            }
            self.flush().await?;
        }
        Ok(())
    }
}
