//! The chats of an anonymous customer who turned out to be somebody go to that account, and their conversations with them.

use domain::chat::command::ChatCommand;
use domain::chat::event::ChatEvent;
use domain::conversation::command::ConversationCommand;
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::user::event::UserEvent;

use super::{Caused, PolicyView};
use crate::log::stream::StreamKey;

pub(super) fn needs_view(event: &Event) -> bool {
    matches!(event, Event::User(UserEvent::CustomerMerged(_)))
}

pub(super) fn react(tenant: TenantId, from: UserId, event: &UserEvent, view: &dyn PolicyView, caused: &mut Vec<Caused>) {
    if let UserEvent::CustomerMerged(merged) = event {
        let into = merged.into;
        let chats = view.chats_of(tenant, from).into_iter();
        caused.extend(chats.map(|chat| Caused::new(StreamKey::Chat(chat), ChatCommand::ReplaceCustomer { from, into })));
    }
}

pub(super) fn react_to_chat(event: &ChatEvent, caused: &mut Vec<Caused>) {
    if let ChatEvent::CustomerReplaced(replaced) = event
        && let Some(conversation) = replaced.conversation
    {
        let (from, into) = (replaced.from, replaced.into);
        caused.push(Caused::new(StreamKey::Conversation(conversation), ConversationCommand::ReplaceCustomer { from, into }));
    }
}
