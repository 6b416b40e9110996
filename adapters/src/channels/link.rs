//! A device while it is connected, whatever carries its frames: registered with the hub, counted present, brought up to date
//! from its feed, and taken off again when the link is dropped.
//!
//! Sockets, polls and event streams differ in how frames travel and in nothing else. This file must not know how.

use std::sync::Arc;

use application::command::Request;
use domain::ids::ChatId;
use domain::user::command::UserCommand;
use domain::user::event::Role;

use crate::feed_pages::{FeedPages, PAGE_ITEMS};
use crate::http::auth::{SignedIn, live_session};
use crate::http::error::{ApiError, AuthError};
use crate::hub::Device;
use crate::hub::outbox::{Bye, Frame, OutboxLimits};
use crate::hub::signal::{self, Signal};
use crate::messaging::Sender;
use crate::presence;
use crate::render::View;
use crate::signals;
use crate::state::App;

/// See the file's head.
pub struct Link {
    app: App,
    device: Arc<Device>,
    role: Role,
}

/// How far a device is after a step of catching up.
pub enum CaughtUp {
    /// These come first; there may be more.
    Items(Vec<Frame>),
    /// What comes from here on waits in the outbox.
    Live,
}

impl Link {
    /// Connects a device: from here on it counts as present. Items wait until it has caught up.
    #[must_use]
    pub fn attach(app: &App, user: &SignedIn) -> Self {
        let who = (user.tenant, user.user);
        let settings = &app.config.websocket;
        let limits = OutboxLimits { frames_max: settings.queue_frames_max, bytes_max: settings.queue_bytes_max };
        let device = Device::new(who, user.session, View::of(user.row.role), limits);
        let first = app.hub.register(&device);
        app.presence.came(who);
        // Asked again now that the hub knows the device: an end of the sign-in in between is seen here, a later one by the hub.
        if let Err(error) = live_session(app, user.tenant, user.user, user.session) {
            device.outbox.close(bye_of_auth(error));
        }
        if first && !presence::serves(app, who) {
            app.hub.announce(who, true);
        }
        Self { app: Arc::clone(app), device, role: user.row.role }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// Who speaks on it; from where, whoever carries its frames knows.
    #[must_use]
    pub fn sender(&self) -> Sender {
        let (tenant, user) = self.device.who;
        Sender { tenant, user, role: self.role, address: None }
    }

    /// The fact that somebody who serves is there. Given by every device: a command that changes nothing is no event, and it never
    /// misses a grace that just ran out.
    #[must_use]
    pub fn arrival(&self) -> Option<Request> {
        let who = self.device.who;
        presence::serves(&self.app, who).then(|| presence::order(&self.app, who, UserCommand::ComeOnline))
    }

    /// The newest index of the feed.
    #[must_use]
    pub fn head(&self) -> u64 {
        let (tenant, user) = self.device.who;
        self.app.ports.views.feed_head(tenant, user)
    }

    /// Where a device begins that presents this index; without one it begins now. An index beyond the head is of another feed, or
    /// from before a restore: nothing can come after it.
    #[must_use]
    pub fn begin(&self, after: Option<u64>) -> u64 {
        let head = self.head();
        after.map_or(head, |after| after.min(head))
    }

    /// The next page after an index, or the step to following live.
    ///
    /// # Errors
    /// [`ApiError`] when the feed cannot be read.
    pub async fn catch_up(&self, reached: u64) -> Result<CaughtUp, ApiError> {
        let (tenant, user) = self.device.who;
        loop {
            let page = FeedPages::new(&self.app, tenant, user, self.device.view).after(reached, PAGE_ITEMS).await?;
            if !page.is_empty() {
                return Ok(CaughtUp::Items(page));
            }
            if self.device.outbox.go_live(reached) {
                return Ok(CaughtUp::Live);
            }
            // What went by is in the feed by now; let whoever writes it finish.
            tokio::task::yield_now().await;
        }
    }

    /// All that is current, as frames with what the long poll calls them.
    #[must_use]
    pub fn whole_signals(&self) -> Vec<(&'static str, String)> {
        let chats: Vec<ChatId> = self.app.ports.views.chats_of(self.device.who.0, self.device.who.1);
        let (unread, mut current) = signals::whole(&self.app, self.device.who, &chats);
        current.extend(self.presence_of_watched());
        current.extend(signals::boards_of(&self.app, &self.device).into_iter().map(Signal::Board));
        let mut frames = vec![("unread", signal::unread_frame(&unread, true))];
        frames.extend(signal::frames(&current));
        frames
    }

    fn presence_of_watched(&self) -> Vec<Signal> {
        let tenant = self.device.who.0;
        let online = |user| presence::is_online(&self.app, (tenant, user));
        self.device.watching().into_iter().map(|user| Signal::Presence { user, online: online(user) }).collect()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.app.hub.unregister(&self.device) {
            self.app.presence.went(&self.app, self.device.who);
        }
    }
}

/// Why a device with such a token has to go.
#[must_use]
pub const fn bye_of_auth(error: AuthError) -> Bye {
    match error {
        AuthError::Expired => Bye::Expired,
        AuthError::SessionEnded => Bye::Revoked,
        AuthError::AccountClosed => Bye::Deactivated,
        AuthError::Missing
        | AuthError::Invalid
        | AuthError::WrongCredentials
        | AuthError::InvalidIdentity { .. }
        | AuthError::InvalidRefresh
        | AuthError::Signature(_) => Bye::Unauthorized,
    }
}
