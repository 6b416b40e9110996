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
    /// The customer, if it is a chat with one.
    pub(super) customer: Option<UserId>,
    /// Who takes part.
    members: Vec<Member>,
    /// Its messages; the number of an item is its place in the chat.
    pub(super) messages: Chain,
}

/// A member of a chat as far as feeds need them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) user: UserId,
    /// Whether they see what is for staff only.
    pub(super) staff: bool,
    /// The last place that they do not see.
    pub(super) floor: u64,
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
        let mut chat = Self { customer: Some(customer), members: Vec::with_capacity(2), messages: Chain::default() };
        chat.join(customer, ChatRole::Customer, 0);
        chat
    }

    /// A group thread that was just made.
    pub(super) fn created(owner: UserId) -> Self {
        let mut chat = Self { customer: None, members: Vec::with_capacity(2), messages: Chain::default() };
        chat.join(owner, ChatRole::Participant, 0);
        chat
    }

    pub(super) fn members(&self) -> impl Iterator<Item = Member> {
        self.members.iter().copied()
    }

    /// Those for whom there is a message at this place.
    pub(super) fn who_see(&self, seq: u64) -> impl Iterator<Item = Member> {
        self.members().filter(move |member| member.floor < seq)
    }

    pub(super) fn join(&mut self, user: UserId, role: ChatRole, floor: u64) {
        self.leave(user);
        self.members.push(Member { user, staff: role.is_staff(), floor });
    }

    pub(super) fn leave(&mut self, user: UserId) {
        self.members.retain(|member| member.user != user);
    }

    /// The new customer takes the old one's part.
    pub(super) fn replace(&mut self, from: UserId, into: UserId) {
        if let Some(member) = self.members.iter().find(|member| member.user == from).copied() {
            self.leave(from);
            self.leave(into);
            self.members.push(Member { user: into, ..member });
        }
        self.customer = self.customer.map(|_| into);
    }
}
