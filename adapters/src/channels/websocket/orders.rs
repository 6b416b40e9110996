//! What a device's frames ask for.

use std::sync::Arc;

use application::access::{Action, Principal, Reach, Resource, allowed, reach};
use application::command::Answer;
use application::error::CommandError;
use domain::chat::command::ChatCommand;
use domain::ids::{ChatId, ClientMessageId, MessageId, UserId};

use super::connection::Connection;
use super::frame::{self, About, ClientFrame, FrameType};
use crate::http::error::ApiError;
use crate::hub::outbox::Bye;
use crate::hub::{WATCHED_MAX, presence_frame};
use crate::messaging::{self, Draft, limits, to_chat};

/// Most items of one request for a gap; a larger gap is a reason to connect anew.
pub(super) const RANGE_MAX: u64 = 1_000;

impl Connection<'_> {
    /// Follows one frame. What cannot be a frame of this protocol ends the socket; what is refused is answered.
    pub(super) fn on_text(&mut self, text: &str) -> Result<(), Bye> {
        let frame = frame::parse(text).ok_or(Bye::BadFrame)?;
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
        let draft = Draft {
            id,
            chat,
            content: frame.content.map(|text| text.0.into_owned()).unwrap_or_default(),
            url: frame.url.map(|text| text.0.into_owned()),
            ext: frame.ext.map(|ext| ext.get().to_owned()),
            quote: frame.quote,
            kind: frame.kind.unwrap_or_default(),
            style: frame.style.unwrap_or_default(),
            visibility: frame.visibility.unwrap_or_default(),
            assignment: frame.assignment,
        };
        let app = Arc::clone(self.app);
        let sender = self.sender;
        if draft.quote.is_some() {
            self.order(async move { Some(answer_to_send(id, chat, messaging::post(&app, sender, draft).await)) });
        } else {
            let request = messaging::post_request(&app, sender, draft, None);
            self.order(async move {
                let answer = messaging::execute(&app, request).await;
                Some(answer_to_send(id, chat, answer.map_err(ApiError::Command)))
            });
        }
        Ok(())
    }

    fn read(&mut self, chat: ChatId, seq: u64) {
        let about = About::Chat(chat);
        if self.goes_on(Action::TakePartInChat, about) {
            let command = ChatCommand::MarkRead { reader: self.sender.user, up_to_seq: seq };
            self.quiet_order(chat, command, about);
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
        let app = Arc::clone(self.app);
        self.order(async move {
            let answer = messaging::execute(&app, request).await;
            answer.err().map(|error| frame::nack(about, &ApiError::Command(error)))
        });
    }

    fn range(&mut self, after: u64, to: u64) {
        if to <= after || to - after > RANGE_MAX {
            let detail = format!("a range holds 1 to {RANGE_MAX} items");
            self.queue(frame::refusal(About::Request, "invalid_range", &detail, false));
            return;
        }
        self.want_range(after, to);
    }

    fn watch(&mut self, mut users: Vec<UserId>) {
        if !self.goes_on(Action::WatchPresence, About::Request) {
            return;
        }
        users.sort_unstable();
        users.dedup();
        if users.len() > WATCHED_MAX {
            let detail = format!("no more than {WATCHED_MAX} users can be watched");
            self.queue(frame::refusal(About::Request, "too_many_watched", &detail, false));
            return;
        }
        let tenant = self.sender.tenant;
        let principal = Principal::User { tenant, role: self.sender.role, groups: &[] };
        if reach(principal, Action::WatchPresence) == Some(Reach::Own) {
            let views = &self.app.ports.views;
            let chats = views.chats_of(tenant, self.sender.user).into_iter().filter_map(|chat| views.chat(tenant, chat));
            let met: std::collections::HashSet<UserId> = chats.flat_map(|chat| chat.members).map(|member| member.user).collect();
            users.retain(|user| met.contains(user));
        }
        users.retain(|user| self.app.ports.views.user(tenant, *user).is_some());
        self.app.hub.watch(self.device, users.clone());
        // Asked after the hub knows of the watch: a change in between is told twice rather than not at all.
        for user in users {
            let online = self.app.hub.is_connected((tenant, user)) || self.app.ports.views.user(tenant, user).is_some_and(|row| row.online);
            self.queue(presence_frame(user, online));
        }
    }
}

fn answer_to_send(id: ClientMessageId, chat: ChatId, answer: Result<Answer, ApiError>) -> String {
    let posted = answer.and_then(|answer| {
        let unanswered = CommandError::WrongStream { stream: format!("chat {chat}") };
        let chat_answer = answer.chat.ok_or(unanswered.clone())?;
        Ok((chat_answer.message.ok_or(unanswered)?, chat_answer.conversation, answer.position))
    });
    match posted {
        Ok((message, conversation, position)) => frame::ack(id, chat, message, conversation, position),
        Err(error) => frame::nack(About::Send(id), &error),
    }
}
