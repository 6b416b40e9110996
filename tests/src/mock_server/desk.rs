//! Everything the toy server knows: users, chats, feeds, and who serves whom.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::campaign::Campaign;
use super::{Fault, Lies};

/// See the file's head.
pub(crate) struct Desk {
    lies: Lies,
    minted: u64,
    commits: u64,
    posts: u64,
    assignments: u64,
    pub(crate) users: HashMap<String, User>,
    pub(crate) logins: HashMap<String, String>,
    /// Customers by their account elsewhere.
    accounts: HashMap<String, String>,
    pub(crate) campaigns: HashMap<String, Campaign>,
    pub(crate) chats: HashMap<String, Chat>,
    conversations: HashMap<String, String>,
    waiting: VecDeque<String>,
}

#[derive(Default)]
pub(crate) struct User {
    pub(crate) on_service: bool,
    capacity: usize,
    load: usize,
    /// Items without their index.
    feed: Vec<Value>,
    sockets: Vec<UnboundedSender<String>>,
}

#[derive(Default)]
pub(crate) struct Chat {
    customer: String,
    serving: Option<(String, u64)>,
    conversation: Option<String>,
    last_seq: u64,
    pub(crate) messages: Vec<Value>,
    sent: HashMap<String, Value>,
}

impl Desk {
    pub(crate) fn new(lies: Lies) -> Self {
        Self {
            lies,
            minted: 0,
            commits: 0,
            posts: 0,
            assignments: 0,
            users: HashMap::new(),
            logins: HashMap::new(),
            accounts: HashMap::new(),
            campaigns: HashMap::new(),
            chats: HashMap::new(),
            conversations: HashMap::new(),
            waiting: VecDeque::new(),
        }
    }

    pub(crate) fn begin(&mut self) {
        *self = Self::new(self.lies);
    }

    pub(crate) fn mint(&mut self) -> String {
        self.minted += 1;
        format!("{:032x}", self.minted)
    }

    pub(crate) fn position(&mut self) -> String {
        self.commits += 1;
        format!("s0c{}e0", self.commits)
    }

    pub(crate) fn add_user(&mut self, capacity: usize) -> String {
        let id = self.mint();
        self.users.insert(id.clone(), User { capacity, ..User::default() });
        id
    }

    /// The customer of an account elsewhere; one is made when it is first named.
    pub(crate) fn customer(&mut self, account: &str) -> String {
        if let Some(user) = self.accounts.get(account) {
            return user.clone();
        }
        let user = self.add_user(0);
        self.accounts.insert(account.to_owned(), user.clone());
        user
    }

    /// The newest index of a feed.
    pub(crate) fn head(&self, user: &str) -> usize {
        self.users.get(user).map_or(0, |user| user.feed.len())
    }

    /// Pushes what comes from now on.
    pub(crate) fn watch(&mut self, user: &str, socket: UnboundedSender<String>) {
        if let Some(user) = self.users.get_mut(user) {
            // A poll is over with its first item, and nobody says so.
            user.sockets.retain(|socket| !socket.is_closed());
            user.sockets.push(socket);
        }
    }

    /// Attaches a socket; answers the head and what it has missed.
    pub(crate) fn attach(&mut self, user: &str, after: u64, socket: UnboundedSender<String>) -> (usize, Vec<String>) {
        let Some(user) = self.users.get_mut(user) else { return (0, Vec::new()) };
        user.sockets.push(socket);
        let head = user.feed.len();
        let from = if after == 0 { head } else { usize::try_from(after).unwrap_or(head).min(head) };
        (head, (from..head).map(|place| numbered(&user.feed[place], place)).collect())
    }

    /// Items of a feed after an index.
    pub(crate) fn items(&self, user: &str, after: usize, limit: usize) -> Vec<Value> {
        let Some(user) = self.users.get(user) else { return Vec::new() };
        let places = after..user.feed.len().min(after.saturating_add(limit));
        places.map(|place| with_index(user.feed[place].clone(), place)).collect()
    }

    fn tell(&mut self, user: &str, item: &Value) {
        let Some(user) = self.users.get_mut(user) else { return };
        user.feed.push(item.clone());
        let frame = numbered(item, user.feed.len() - 1);
        user.sockets.retain(|socket| socket.send(frame.clone()).is_ok());
    }

    /// Opens the customer's chat with a shop, and a conversation if none is open.
    pub(crate) fn enter(&mut self, customer: &str, shop: &str) -> (String, String) {
        let id = format!("{:032x}", fingerprint(&format!("{customer}/{shop}")));
        if !self.chats.contains_key(&id) {
            self.chats.insert(id.clone(), Chat { customer: customer.to_owned(), ..Chat::default() });
            let pos = self.position();
            self.tell(customer, &json!({"k": "joined", "pos": pos, "chat": id, "user": customer, "role": "customer"}));
        }
        if let Some(open) = self.chats.get(&id).and_then(|chat| chat.conversation.clone()) {
            return (id, open);
        }
        let conversation = self.mint();
        if let Some(chat) = self.chats.get_mut(&id) {
            chat.conversation = Some(conversation.clone());
        }
        self.conversations.insert(conversation.clone(), id.clone());
        self.happened(&id, &conversation, "opened");
        self.waiting.push_back(conversation.clone());
        self.assign();
        (id, conversation)
    }

    fn happened(&mut self, chat: &str, conversation: &str, event: &str) {
        let pos = self.position();
        let item = json!({"k": "conversation", "pos": pos, "chat": chat, "conversation": conversation, "event": event});
        let Some((customer, serving)) = self.chats.get(chat).map(|chat| (chat.customer.clone(), chat.serving.clone())) else { return };
        self.tell(&customer, &item);
        if let Some((serving, _)) = serving {
            self.tell(&serving, &item);
        }
    }

    /// Gives whoever waits to the least loaded agent with a free place.
    pub(crate) fn assign(&mut self) {
        while let Some(conversation) = self.waiting.front().cloned() {
            let free = self.users.iter().filter(|(_, user)| user.on_service && user.load < user.capacity);
            let Some(agent) = free.min_by_key(|(id, user)| (user.load, (*id).clone())).map(|(id, _)| id.clone()) else { return };
            self.waiting.pop_front();
            let Some(id) = self.conversations.get(&conversation).cloned() else { continue };
            self.assignments += 1;
            let number = self.assignments;
            if let Some(user) = self.users.get_mut(&agent) {
                user.load += 1;
            }
            if let Some(chat) = self.chats.get_mut(&id) {
                chat.serving = Some((agent.clone(), number));
            }
            let pos = self.position();
            self.tell(&agent, &json!({"k": "joined", "pos": pos, "chat": id, "user": agent, "role": "agent", "assignment": number}));
            self.happened(&id, &conversation, "agent_assigned");
        }
    }

    /// Ends a conversation; the agent leaves the chat.
    pub(crate) fn close(&mut self, conversation: &str) {
        let Some(id) = self.conversations.get(conversation).cloned() else { return };
        if self.chats.get(&id).is_none_or(|chat| chat.conversation.as_deref() != Some(conversation)) {
            return;
        }
        self.waiting.retain(|waiting| waiting != conversation);
        self.happened(&id, conversation, "closed");
        let pos = self.position();
        let Some(chat) = self.chats.get_mut(&id) else { return };
        chat.conversation = None;
        if let Some((agent, _)) = chat.serving.take() {
            let customer = chat.customer.clone();
            let left = json!({"k": "member_left", "pos": pos, "chat": id, "user": agent});
            self.tell(&customer, &left);
            self.tell(&agent, &left);
            if let Some(user) = self.users.get_mut(&agent) {
                user.load -= 1;
            }
        }
        self.assign();
    }

    /// Whether the next message is a lie.
    fn next_lie(&mut self) -> Fault {
        self.posts += 1;
        if self.posts.is_multiple_of(self.lies.every) { self.lies.fault } else { Fault::None }
    }

    /// Tells everybody on a campaign's list.
    pub(crate) fn speak(&mut self, campaign: &str) {
        let Some(campaign) = self.campaigns.get_mut(campaign) else { return };
        let (content, recipients) = (campaign.content.clone(), std::mem::take(&mut campaign.recipients));
        campaign.sent = recipients.len();
        for recipient in recipients {
            let (message, pos, lie) = (self.mint(), self.position(), self.next_lie());
            let body = json!({"id": message, "seq": 1, "content": content, "origin": "campaign"});
            let item = json!({"k": "message", "pos": pos, "m": body});
            self.tell_or_lie(&recipient, &item, lie);
        }
    }

    fn tell_or_lie(&mut self, reader: &str, item: &Value, lie: Fault) {
        if lie == Fault::Drop {
            return;
        }
        self.tell(reader, item);
        if let Some(user) = self.users.get_mut(reader) {
            user.lie(lie);
        }
        if lie == Fault::Duplicate {
            self.tell(reader, item);
        }
    }

    /// Posts a message; answers the ack or nack.
    pub(crate) fn post(&mut self, sender: &str, frame: &Value) -> Value {
        let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, chat_id, content) = (text("id"), text("chat"), text("content"));
        let refused = |code: &str| json!({"t": "nack", "id": id, "code": code, "detail": "", "retry": false});
        let Some(chat) = self.chats.get(&chat_id) else { return refused("not_found") };
        if let Some(ack) = chat.sent.get(&id) {
            return ack.clone();
        }
        let agent = chat.serving.as_ref().map(|(agent, _)| agent.clone());
        if chat.customer != sender && agent.as_deref() != Some(sender) {
            return refused("not_yours_any_more");
        }
        let (message, pos, lie) = (self.mint(), self.position(), self.next_lie());
        let Some(chat) = self.chats.get_mut(&chat_id) else { return refused("not_found") };
        chat.last_seq += 1;
        let (seq, conversation, customer) = (chat.last_seq, chat.conversation.clone(), chat.customer.clone());
        let ack = json!({"t": "ack", "id": id, "message": message, "chat": chat_id, "seq": seq, "conversation": conversation, "at": 0, "pos": pos});
        chat.sent.insert(id.clone(), ack.clone());
        if lie == Fault::Drop {
            return ack;
        }
        let body = json!({"id": message, "client_msg_id": id, "chat": chat_id, "seq": seq, "content": content, "from": sender});
        chat.messages.push(body.clone());
        let item = json!({"k": "message", "pos": pos, "chat": chat_id, "m": body});
        for reader in std::iter::once(customer).chain(agent) {
            self.tell_or_lie(&reader, &item, lie);
        }
        ack
    }
}

impl User {
    /// Falsifies what was already pushed.
    fn lie(&mut self, lie: Fault) {
        match lie {
            Fault::None | Fault::Drop | Fault::Duplicate => {}
            Fault::Alter => {
                if let Some(content) = self.feed.last_mut().and_then(|item| item.pointer_mut("/m/content")) {
                    *content = Value::from("something else");
                }
            }
            Fault::Reorder => {
                // Of one chat: between chats there is no order that could be broken.
                let chat_of = |place: &usize| self.feed[*place].pointer("/m/chat");
                let newest = || (0..self.feed.len()).rev().filter(|place| chat_of(place).is_some());
                let before = |last: usize| newest().find(|place| *place < last && chat_of(place) == chat_of(&last));
                if let Some((last, before)) = newest().find_map(|last| Some((last, before(last)?))) {
                    self.feed.swap(last, before);
                }
            }
        }
    }
}

fn with_index(mut item: Value, place: usize) -> Value {
    item["t"] = Value::from("item");
    item["i"] = Value::from(place + 1);
    item["p"] = Value::from(place);
    item
}

fn numbered(item: &Value, place: usize) -> String {
    with_index(item.clone(), place).to_string()
}

fn fingerprint(text: &str) -> u128 {
    u128::from_be_bytes(blake3::hash(text.as_bytes()).as_bytes()[..16].try_into().unwrap_or_default())
}
