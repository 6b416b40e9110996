//! Who the customers are, as far as flows ask, and who served them last.

use domain::conversation::event::{CloseReason, ConversationEvent, EntryPage};
use domain::desk::event::LastServed;
use domain::ids::{ConversationId, GroupId, ShopId, UserId};
use domain::time::{Millis, Timestamp};
use domain::user::event::{CustomerDescribed, UserEvent};
use hashbrown::HashMap;

use crate::rehearsal::visit::Caller;

/// A conversation.
struct Conversation {
    shop: ShopId,
    customer: UserId,
    entry: EntryPage,
    group: Option<GroupId>,
    leave_message_after: Option<Millis>,
    closed: Option<CloseReason>,
}

/// See the file's head.
#[derive(Default)]
pub(super) struct People {
    conversations: HashMap<ConversationId, Conversation>,
    descriptions: HashMap<UserId, CustomerDescribed>,
    last_served: HashMap<(UserId, ShopId), LastServed>,
}

impl People {
    pub fn user(&mut self, user: UserId, event: &UserEvent) {
        if let UserEvent::CustomerDescribed(described) = event {
            self.descriptions.insert(user, described.clone());
        }
    }

    pub fn conversation(&mut self, id: ConversationId, event: &ConversationEvent) {
        if let ConversationEvent::ConversationOpened(opened) = event {
            let conversation = Conversation {
                shop: opened.shop,
                customer: opened.customer,
                entry: opened.entry.page,
                group: opened.entry.group,
                leave_message_after: None,
                closed: None,
            };
            self.conversations.insert(id, conversation);
            return;
        }
        let Some(known) = self.conversations.get_mut(&id) else { return };
        if let ConversationEvent::HandedOff(handed) = event {
            known.group = Some(handed.group);
            known.leave_message_after = handed.patience.leave_message_after;
        } else if let ConversationEvent::ConversationMoved(moved) = event {
            known.group = Some(moved.group);
        } else if let ConversationEvent::AgentReleased(released) = event {
            known.group = released.group.or(known.group);
        } else if let ConversationEvent::ConversationClosed(closed) = event {
            known.closed = Some(closed.reason);
        } else if let ConversationEvent::ConversationReopened(_) = event {
            known.closed = None;
        } else if let ConversationEvent::CustomerReplaced(replaced) = event {
            known.customer = replaced.into;
        }
    }

    pub fn caller(&self, conversation: ConversationId) -> Option<Caller> {
        let known = self.conversations.get(&conversation)?;
        let description = self.descriptions.get(&known.customer);
        Some(Caller {
            customer: known.customer,
            shop: known.shop,
            entry: known.entry,
            asked_for: known.group,
            tier: description.and_then(|description| description.tier.clone()),
            tags: description.map(|description| description.tags.clone()).unwrap_or_default(),
            language: description.and_then(|description| description.language.clone()),
        })
    }

    pub fn leave_message_after(&self, conversation: ConversationId) -> Option<Millis> {
        self.conversations.get(&conversation)?.leave_message_after
    }

    pub fn closed(&self, conversation: ConversationId) -> Option<CloseReason> {
        self.conversations.get(&conversation)?.closed
    }

    pub fn served(&mut self, conversation: ConversationId, agent: UserId, at: Timestamp) {
        if let Some(known) = self.conversations.get(&conversation) {
            self.last_served.insert((known.customer, known.shop), LastServed { agent, at });
        }
    }

    pub const fn last_served(&self) -> &HashMap<(UserId, ShopId), LastServed> {
        &self.last_served
    }
}
