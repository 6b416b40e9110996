//! What a policy may look up about one event, looked up before it reacts.

use std::sync::Arc;

use application::policies::PolicyView;
use application::policies::following::Following;
use application::queries::ReadModels;
use domain::flow::assignment::AssignmentFlow;
use domain::flow::reception::ReceptionFlow;
use domain::ids::{ChatId, TenantId, UserId};

use crate::flows::followed::Followed;

/// What is known about one event.
pub(super) struct View<'a> {
    pub views: &'a dyn ReadModels,
    pub followed: Option<Followed>,
    pub published: Option<Arc<AssignmentFlow>>,
}

impl PolicyView for View<'_> {
    fn chats_of(&self, tenant: TenantId, user: UserId) -> Vec<ChatId> {
        self.views.chats_of(tenant, user)
    }

    fn reception(&self) -> Option<&Following<ReceptionFlow>> {
        match self.followed.as_ref()? {
            Followed::Reception(following) => Some(following),
            Followed::Assignment(_) => None,
        }
    }

    fn assignment(&self) -> Option<&Following<AssignmentFlow>> {
        match self.followed.as_ref()? {
            Followed::Assignment(following) => Some(following),
            Followed::Reception(_) => None,
        }
    }

    fn published(&self) -> Option<&Arc<AssignmentFlow>> {
        self.published.as_ref()
    }
}
