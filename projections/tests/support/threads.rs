//! A group thread whose story has every kind of fact that a thread can have.

use application::log::stream::StreamKey;
use domain::chat::event as chat;
use domain::chat::permissions::Permissions;
use domain::event::Event;
use domain::ids::{ChatId, ClientMessageId, MessageId, TenantId, UserId};
use domain::labels::Label;
use domain::message::{Category, Permission, Visibility};
use domain::private::Private;
use domain::time::Millis;

use super::History;
use super::people::message;

pub const THREAD: ChatId = ChatId::from_u128(0x7000);
pub const MERCHANT: UserId = UserId::from_u128(0x71);
pub const INFLUENCER: UserId = UserId::from_u128(0x72);
pub const CARRIER: UserId = UserId::from_u128(0x73);
pub const LATE: UserId = UserId::from_u128(0x74);

/// A thread in the making.
pub struct Thread<'a> {
    history: &'a mut History,
    tenant: TenantId,
    seq: u64,
}

fn label(word: &str) -> Label {
    word.parse().unwrap()
}

impl<'a> Thread<'a> {
    /// The merchant makes it and names the influencer.
    pub fn created(history: &'a mut History, tenant: TenantId) -> Self {
        let created = chat::GroupCreated { owner: MERCHANT, label: label("merchant"), private: Private::Closed };
        let mut thread = Self { history, tenant, seq: 0 };
        thread.happens(created);
        thread.invited(INFLUENCER)
    }

    fn happens(&mut self, event: impl Into<chat::ChatEvent>) {
        self.history.now = self.history.now + Millis::seconds(1);
        self.history.commit(self.tenant, StreamKey::Chat(THREAD), [Event::Chat(event.into())]);
    }

    pub fn and(mut self, event: impl Into<chat::ChatEvent>) -> Self {
        self.happens(event);
        self
    }

    pub fn invited(mut self, user: UserId) -> Self {
        let floor = self.seq;
        self.happens(chat::MemberInvited { user, label: label("guest"), permissions: Permissions::POST, floor });
        self
    }

    pub fn left(self, user: UserId) -> Self {
        self.and(chat::MemberLeft { user })
    }

    pub fn says(mut self, sender: UserId) -> Self {
        self.seq += 1;
        let id = (u128::from(self.seq) << 64) | sender.uuid().as_u128();
        let posted = chat::MessagePosted {
            message: MessageId::from_u128(id),
            client_message: ClientMessageId::from_u128(id),
            conversation: None,
            ..message(self.seq, sender, Category::Agent, Visibility::All)
        };
        self.and(posted)
    }

    pub fn read(self, reader: UserId, up_to_seq: u64) -> Self {
        self.and(chat::MessagesRead { reader, up_to_seq, shown_seq: None })
    }

    /// As far as the story goes.
    pub fn end(self) {}

    pub fn recalled(self, seq: u64, by: UserId) -> Self {
        self.and(chat::MessageRecalled { message: MessageId::from_u128(1), seq, by, visibility: Visibility::All })
    }
}

/// Every kind of fact, up to the end.
pub fn whole_story(history: &mut History, tenant: TenantId) {
    let some: Permissions = [Permission::Post, Permission::Invite].into_iter().collect();
    Thread::created(history, tenant)
        .says(MERCHANT)
        .says(INFLUENCER)
        .read(MERCHANT, 2)
        .invited(CARRIER)
        .says(CARRIER)
        .recalled(1, MERCHANT)
        .recalled(3, CARRIER)
        .and(chat::MessageHidden { message: MessageId::from_u128(1), seq: 3, reader: CARRIER })
        .and(chat::PermissionsChanged { user: CARRIER, permissions: some })
        .and(chat::ThreadMuted { user: CARRIER })
        .and(chat::ThreadArchived { user: INFLUENCER })
        .and(chat::GroupRenamed { by: MERCHANT, private: Private::Closed })
        .left(INFLUENCER)
        .says(MERCHANT)
        .invited(INFLUENCER)
        .invited(LATE)
        .says(CARRIER)
        .read(LATE, 5)
        .and(chat::OwnershipPassed { from: MERCHANT, to: CARRIER })
        .left(MERCHANT)
        .and(chat::ThreadUnmuted { user: CARRIER })
        .and(chat::ThreadUnarchived { user: CARRIER })
        .and(chat::GroupDissolved { by: CARRIER });
}
