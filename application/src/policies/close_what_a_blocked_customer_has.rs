//! What a customer has open ends when the tenant blocks them; and who they turn out to be is blocked, too.

use domain::conversation::command::{Closer, ConversationCommand};
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::message::Party;
use domain::user::command::UserCommand;
use domain::user::event::UserEvent;

use super::{Caused, PolicyView};
use crate::log::stream::StreamKey;

pub(super) fn needs_view(event: &Event) -> bool {
    matches!(event, Event::User(UserEvent::CustomerBlocked(_)))
}

pub(super) fn react(tenant: TenantId, user: UserId, event: &UserEvent, view: &dyn PolicyView, caused: &mut Vec<Caused>) {
    if let UserEvent::CustomerBlocked(_) = event {
        // Nothing that they wrote, whoever had seen it, keeps it open.
        let close = || ConversationCommand::Close { by: Closer::Block, seen_seq: u64::MAX, label: None };
        let open = view.open_conversations_of(tenant, user).into_iter();
        caused.extend(open.map(|conversation| Caused::new(StreamKey::Conversation(conversation), close())));
    }
    if let UserEvent::CustomerMerged(merged) = event
        && merged.blocked
    {
        let block = UserCommand::BlockCustomer { by: Party::System, reason: None };
        caused.push(Caused::new(StreamKey::User(merged.into), block));
    }
}
