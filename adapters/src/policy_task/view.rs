//! What a policy may look up about one event, looked up before it reacts.

use std::sync::Arc;

use application::policies::PolicyView;
use application::policies::following::Following;
use application::queries::{ChatRowKind, ReadModels};
use domain::flow::assignment::AssignmentFlow;
use domain::flow::reception::ReceptionFlow;
use domain::ids::{ChatId, ConversationId, TenantId, UserId};

/// What is known about one event.
pub(super) struct View<'a> {
    pub views: &'a dyn ReadModels,
    pub reception: Option<Following<ReceptionFlow>>,
    pub assignment: Option<Following<AssignmentFlow>>,
    pub published: Option<Arc<AssignmentFlow>>,
}

impl PolicyView for View<'_> {
    fn chats_of(&self, tenant: TenantId, user: UserId) -> Vec<ChatId> {
        self.views.chats_of(tenant, user)
    }

    fn open_conversations_of(&self, tenant: TenantId, user: UserId) -> Vec<ConversationId> {
        let chats = self.views.chats_of(tenant, user).into_iter().filter_map(|chat| self.views.chat(tenant, chat));
        // Nobody but the customer of a chat has a conversation in it.
        chats
            .filter(|row| matches!(row.kind, ChatRowKind::Service { customer, .. } if customer == user))
            .filter_map(|row| row.conversation)
            .collect()
    }

    fn reception(&self) -> Option<&Following<ReceptionFlow>> {
        self.reception.as_ref()
    }

    fn assignment(&self) -> Option<&Following<AssignmentFlow>> {
        self.assignment.as_ref()
    }

    fn published(&self) -> Option<&Arc<AssignmentFlow>> {
        self.published.as_ref()
    }
}
