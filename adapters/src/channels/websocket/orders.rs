//! What a device's frames ask for.

use std::sync::Arc;

use application::access::{Action, Principal, Resource, allowed};
use application::command::{Answer, Request};
use domain::chat::command::ChatCommand;
use domain::ids::{ChatId, ClientMessageId, GroupId, MessageId, UserId};

use tokio::time::Instant;

use super::connection::{Connection, Done, Order};
use super::frame::{self, About, ClientFrame, FrameType};
use crate::channels::watching;
use crate::further_json;
use crate::http::error::ApiError;
use crate::hub::outbox::Bye;
use crate::hub::signal::Growing;
use crate::messaging::{self, Draft, Posted, limits, to_chat};
use crate::state::App;

/// Most items of one request for a gap; a larger gap is a reason to connect anew.
pub(super) const RANGE_MAX: u64 = 1_000;
/// Signs of writing that follow each other faster are one.
const TYPING_PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

impl Connection<'_> {
    /// Follows one frame. What cannot be a frame of this protocol ends the socket; what is refused is answered, and so is a frame whose
    /// values make no sense: whoever keeps a message until it is answered would say it again for ever.
    pub(super) fn on_text(&mut self, text: &str) -> Result<(), Bye> {
        let frame = match frame::read(text) {
            Ok(frame) => frame,
            Err(refusal) => {
                self.queue(refusal.ok_or(Bye::BadFrame)?);
                return Ok(());
            }
        };
        match frame.t {
            FrameType::Send => self.send(frame),
            FrameType::Receive => {
                // The device's own cursor is presented when it connects; nothing is kept here.
                frame.i.ok_or(Bye::BadFrame)?;
                Ok(())
            }
            FrameType::Read => {
                let (chat, seq) = frame.chat.zip(frame.seq).ok_or(Bye::BadFrame)?;
                self.read(chat, seq);
                Ok(())
            }
            FrameType::Recall => {
                let (chat, message) = frame.chat.zip(frame.message).ok_or(Bye::BadFrame)?;
                self.recall(chat, message);
                Ok(())
            }
            FrameType::Hide => {
                let (chat, message) = frame.chat.zip(frame.message).ok_or(Bye::BadFrame)?;
                self.hide(chat, message);
                Ok(())
            }
            FrameType::Typing => {
                let (chat, on) = frame.chat.zip(frame.on).ok_or(Bye::BadFrame)?;
                self.typing(chat, on);
                Ok(())
            }
            FrameType::Chunk => {
                let ((chat, id), content) = frame.chat.zip(frame.id).zip(frame.content).ok_or(Bye::BadFrame)?;
                self.chunk(chat, Growing { id, content: content.0.into(), visibility: frame.visibility.unwrap_or_default() });
                Ok(())
            }
            FrameType::Range => {
                let (after, to) = frame.after.zip(frame.to).ok_or(Bye::BadFrame)?;
                self.range(after, to);
                Ok(())
            }
            FrameType::Watch => {
                let users = frame.users.ok_or(Bye::BadFrame)?;
                self.watch(users);
                Ok(())
            }
            FrameType::WatchBoard => {
                let groups = frame.groups.ok_or(Bye::BadFrame)?;
                self.watch_boards(groups);
                Ok(())
            }
            FrameType::Ping => {
                self.queue(frame::pong(self.app.now().0));
                Ok(())
            }
            FrameType::Hello => Err(Bye::BadFrame),
        }
    }

    fn may(&self, action: Action, about: About) -> Result<(), String> {
        let principal = Principal::User { tenant: self.sender.tenant, role: self.sender.role, groups: &[] };
        let own = Resource::of_tenant(self.sender.tenant).own(true);
        allowed(principal, action, own).map_err(|denied| frame::nack(about, &ApiError::Denied(denied)))
    }

    /// Whether the order may go on; answers the client when not.
    fn goes_on(&mut self, action: Action, about: About) -> bool {
        match self.may(action, about) {
            Ok(()) => true,
            Err(nack) => {
                self.queue(nack);
                false
            }
        }
    }

    fn send(&mut self, frame: ClientFrame<'_>) -> Result<(), Bye> {
        let (id, chat) = frame.id.zip(frame.chat).ok_or(Bye::BadFrame)?;
        let about = About::Send(id);
        if !self.goes_on(Action::TakePartInChat, about) {
            return Ok(());
        }
        let ext = match frame.ext.map(further_json::checked).transpose() {
            Ok(ext) => ext,
            Err(error) => {
                self.queue(frame::nack(about, &error.into()));
                return Ok(());
            }
        };
        let draft = Draft {
            id,
            chat,
            content: frame.content.map(|text| text.0.into_owned()).unwrap_or_default(),
            url: frame.url.map(|text| text.0.into_owned()),
            ext,
            quote: frame.quote,
            kind: frame.kind.unwrap_or_default(),
            style: frame.style.unwrap_or_default(),
            visibility: frame.visibility.unwrap_or_default(),
            assignment: frame.assignment,
            suggestion: frame.suggestion,
        };
        self.device.says(id);
        let app = Arc::clone(self.app);
        let sender = self.sender;
        if !messaging::needs_look_up(&app, sender, &draft) {
            let request = messaging::post_request(&app, sender, draft, messaging::at_hand(&app, sender));
            self.give_order(posting(app, id, chat, request));
        } else {
            self.order_after(async move {
                let request = messaging::post_looked_up(&app, sender, draft).await;
                request.map(|request| posting(app, id, chat, request)).map_err(|error| frame::nack(about, &error))
            });
        }
        Ok(())
    }

    fn read(&mut self, chat: ChatId, seq: u64) {
        let about = About::Chat(chat);
        if self.goes_on(Action::TakePartInChat, about) {
            self.mark_read(chat, seq);
        }
    }

    fn hide(&mut self, chat: ChatId, message: MessageId) {
        let about = About::Message(chat, message);
        if !self.goes_on(Action::TakePartInChat, about) {
            return;
        }
        let (app, sender) = (Arc::clone(self.app), self.sender);
        self.order_after(async move {
            let request = messaging::hide_request(&app, sender, chat, message).await.map_err(|error| frame::nack(about, &error))?;
            Ok(quietly(app, about, request))
        });
    }

    /// Nothing is answered, and what comes too often is passed over: the next one tells the same.
    fn typing(&mut self, chat: ChatId, on: bool) {
        let now = Instant::now();
        if on && self.typing_at.is_some_and(|at| now - at < TYPING_PAUSE) {
            return;
        }
        self.typing_at = on.then_some(now);
        messaging::show_typing(self.app, self.sender, chat, on);
    }

    /// Nothing is answered unless it is refused; what comes too often is told together, the latest of it.
    fn chunk(&mut self, chat: ChatId, growing: Growing) {
        let about = About::Chunk(chat, growing.id);
        if let Err(error) = messaging::show_growing(self.app, self.sender, chat, growing) {
            self.queue(frame::nack(about, &error));
        }
    }

    fn recall(&mut self, chat: ChatId, message: MessageId) {
        let about = About::Message(chat, message);
        if self.goes_on(Action::TakePartInChat, about) {
            let window = limits(self.app, self.sender.tenant).recall_window;
            self.quiet_order(chat, ChatCommand::Recall { by: self.sender.user, message, window }, about);
        }
    }

    /// An order that is answered only when it is refused; what it did arrives as an item.
    fn quiet_order(&mut self, chat: ChatId, command: ChatCommand, about: About) {
        let request = to_chat(self.app, self.sender, chat, command);
        self.give_order(quietly(Arc::clone(self.app), about, request));
    }

    fn range(&mut self, after: u64, to: u64) {
        if to <= after || to - after > RANGE_MAX {
            let detail = format!("a range holds 1 to {RANGE_MAX} items");
            self.queue(frame::refusal(About::Range(after, to), "invalid_range", &detail, false));
            return;
        }
        let head = self.app.ports.views.feed_head(self.sender.tenant, self.sender.user);
        if after >= head {
            let detail = format!("the newest item is {head}");
            self.queue(frame::refusal(About::Range(after, to), "beyond_end", &detail, false));
            return;
        }
        self.want_range(after, to);
    }

    fn watch(&mut self, users: Vec<UserId>) {
        if let Err(error) = watching::watch(self.app, self.device, self.sender, users) {
            self.queue(frame::nack(About::Request, &error));
        }
    }

    fn watch_boards(&mut self, groups: Vec<GroupId>) {
        if let Err(error) = watching::watch_boards(self.app, self.device, self.sender, groups) {
            self.queue(frame::nack(About::Request, &error));
        }
    }
}

/// An order that is answered with the message's place.
fn posting(app: App, id: ClientMessageId, chat: ChatId, request: Request) -> Order {
    Box::pin(async move {
        let answer = messaging::execute(&app, request).await;
        Done::Answer(Some(answer_to_send(id, chat, answer.map_err(ApiError::Command))))
    })
}

/// An order that is answered only when it is refused; what it did arrives as an item.
fn quietly(app: App, about: About, request: Request) -> Order {
    Box::pin(async move {
        let answer = messaging::execute(&app, request).await;
        Done::Answer(answer.err().map(|error| frame::nack(about, &ApiError::Command(error))))
    })
}

fn answer_to_send(id: ClientMessageId, chat: ChatId, answer: Result<Answer, ApiError>) -> String {
    match answer.and_then(|answer| Ok(Posted::of(chat, &answer)?)) {
        Ok(posted) => frame::ack(id, chat, &posted),
        Err(error) => frame::nack(About::Send(id), &error),
    }
}
