//! The rows of the feed view: who is in a chat, who has a conversation, and how far each feed is.

use domain::ids::{ChatId, UserId};
use domain::message::ChatRole;
use serde::{Deserialize, Serialize};

use crate::chain::Chain;
use crate::rows::Row;

/// A user's feed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct UserFeed {
    pub(super) chain: Chain,
    /// The account was merged: nothing is added any more.
    pub(super) ended: bool,
}

/// A chat as far as feeds need it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chat {
    pub(super) customer: UserId,
    /// Who takes part, and whether as staff.
    members: Vec<(UserId, bool)>,
    /// Its messages; the number of an item is its place in the chat.
    pub(super) messages: Chain,
}

/// A conversation as far as feeds need it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Conversation {
    pub(super) chat: ChatId,
    pub(super) customer: UserId,
    /// Who serves, or served last.
    pub(super) agent: Option<UserId>,
}

impl Row for UserFeed {}
impl Row for Chat {}
impl Row for Conversation {}

impl Chat {
    pub(super) fn opened(customer: UserId) -> Self {
        Self { customer, members: vec![(customer, ChatRole::Customer.is_staff())], messages: Chain::default() }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = UserId> {
        self.members.iter().map(|(user, _)| *user)
    }

    pub(super) fn members_with_staff(&self) -> impl Iterator<Item = (UserId, bool)> {
        self.members.iter().copied()
    }

    pub(super) fn join(&mut self, user: UserId, role: ChatRole) {
        self.leave(user);
        self.members.push((user, role.is_staff()));
    }

    pub(super) fn leave(&mut self, user: UserId) {
        self.members.retain(|(member, _)| *member != user);
    }

    /// The new customer takes the old one's part.
    pub(super) fn replace(&mut self, from: UserId, into: UserId) {
        if let Some(part) = self.members.iter().find(|(member, _)| *member == from).map(|(_, staff)| *staff) {
            self.leave(from);
            self.leave(into);
            self.members.push((into, part));
        }
        self.customer = into;
    }
}
