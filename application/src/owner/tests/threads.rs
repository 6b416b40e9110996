//! In a group thread every private half is sealed under its author's key, so that erasing one author erases their texts only.

use domain::chat::command::ThreadCommand;
use domain::chat::event::ChatEvent;
use domain::event::Event;

use super::*;
use crate::log::codec::{self, Reading};
use crate::log::commit;

const OWNER: UserId = UserId::from_u128(0xA1);
const GUEST: UserId = UserId::from_u128(0xA2);

/// A key for each subject, but for those that were destroyed.
#[derive(Clone, Default)]
struct KeyEach(Arc<Mutex<Vec<SubjectId>>>);

#[async_trait]
impl KeyStore for KeyEach {
    fn get(&self, _: TenantId, subject: SubjectId) -> Result<KeyState, KeyStoreError> {
        if self.0.lock().expect("no holder panics").contains(&subject) {
            return Ok(KeyState::Destroyed);
        }
        let mut key = [7; 32];
        key[..16].copy_from_slice(subject.0.as_bytes());
        Ok(KeyState::Present(SubjectKey(key)))
    }
    async fn ensure(&self, tenant: TenantId, subject: SubjectId) -> Result<SubjectKey, KeyStoreError> {
        match self.get(tenant, subject)? {
            KeyState::Present(key) => Ok(key),
            KeyState::Destroyed | KeyState::Unknown => Err(KeyStoreError::Destroyed),
        }
    }
    async fn destroy(&self, _: TenantId, subject: SubjectId) -> Result<(), KeyStoreError> {
        self.0.lock().expect("no holder panics").push(subject);
        Ok(())
    }
}

impl KeyEach {
    fn erase(&self, user: UserId) {
        self.0.lock().expect("no holder panics").push(user.into());
    }
}

fn create() -> ChatCommand {
    let label = |word: &str| word.parse().expect("a label");
    let permissions = domain::chat::permissions::Permissions::POST;
    let members = vec![domain::chat::command::Invitation { user: GUEST, label: label("guest"), permissions }];
    ChatCommand::Thread(ThreadCommand::Create { owner: OWNER, label: label("merchant"), title: "spring".to_owned(), members })
}

fn said_by(sender: UserId, number: u128, text: &str) -> ChatCommand {
    let ChatCommand::Post(post) = post(number, text) else { unreachable!("post posts") };
    ChatCommand::Post(Box::new(PostMessage { sender, ..*post }))
}

fn rig(keys: &KeyEach) -> Rig {
    let limits = OwnerLimits::default();
    let owner = Owner::new(ShardId(0), 1, Timestamp(0), limits, Arc::new(keys.clone()), Arc::new(Counting::default()));
    Rig { owner, ..Rig::new(limits) }
}

/// Whose key sealed each private half of the chat, and the text that can still be read.
fn sealed_texts(rig: &Rig, keys: &KeyEach) -> Vec<(UserId, Option<String>)> {
    let mut found = Vec::new();
    for stored in &rig.streams[&chat()] {
        for raw in commit::events(&stored.bytes).expect("just stored") {
            let raw = raw.expect("just stored");
            let Some((subject, _)) = raw.sealed else { continue };
            let event = codec::decode(&chat(), &raw, Reading::Open(keys)).expect("just stored");
            let text = if let Event::Chat(ChatEvent::MessagePosted(posted)) = &event {
                posted.private.known().map(|said| said.content.clone())
            } else if let Event::Chat(ChatEvent::GroupCreated(created)) = &event {
                created.private.known().map(|title| title.title.clone())
            } else {
                panic!("nothing private: {event:?}");
            };
            found.push((UserId::from_uuid(subject), text));
        }
    }
    found
}

#[test]
fn every_text_of_a_thread_is_sealed_under_the_key_of_its_author() {
    let keys = KeyEach::default();
    let mut rig = rig(&keys);
    rig.ask(chat(), create(), 1, 0);
    rig.append_next();
    // Alternating, and two of them decided as one commit.
    for (number, author) in [(10, GUEST), (11, OWNER), (12, GUEST)] {
        rig.ask(chat(), said_by(author, number, "hello"), number, 0);
    }
    rig.append_next();
    rig.append_next();
    let text = |author, text: &str| (author, Some(text.to_owned()));
    let expected = [text(OWNER, "spring"), text(GUEST, "hello"), text(OWNER, "hello"), text(GUEST, "hello")];
    assert_eq!(sealed_texts(&rig, &keys), expected);
    keys.erase(GUEST);
    let expected = [text(OWNER, "spring"), (GUEST, None), text(OWNER, "hello"), (GUEST, None)];
    assert_eq!(sealed_texts(&rig, &keys), expected, "one author's texts only");
}

#[test]
fn whoever_was_erased_says_nothing_more_and_the_others_go_on() {
    let keys = KeyEach::default();
    let mut rig = rig(&keys);
    rig.ask(chat(), create(), 1, 0);
    rig.append_next();
    keys.erase(GUEST);
    let erased = rig.ask(chat(), said_by(GUEST, 10, "still here"), 10, 0);
    let other = rig.ask(chat(), said_by(OWNER, 11, "hello"), 11, 0);
    rig.append_next();
    assert_eq!(*rig.answer(erased), Err(CommandError::Erased));
    let place = rig.answer(other).as_ref().expect("posted").chat.and_then(|chat| chat.message).map(|message| message.seq);
    assert_eq!(place, Some(1));
}
