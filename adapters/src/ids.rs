//! Random, ordered ids, and ids derived from what they stand for. This file must not know what an id is used for.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use application::ports::ids::Ids;
use domain::ids::{CampaignId, ChatId, ClientMessageId, OutreachId, ShopId, TenantId, UserId};
use domain::labels::Label;
use domain::time::Timestamp;
use domain::user::event::KeyedDigest;
use uuid::Uuid;

/// Random bytes fetched from the operating system at a time: one system call for 256 ids.
const RANDOM_BYTES: usize = 2_048;

struct RandomBuffer {
    bytes: [u8; RANDOM_BYTES],
    used: usize,
}

thread_local! {
    static RANDOM: RefCell<RandomBuffer> = const { RefCell::new(RandomBuffer { bytes: [0; RANDOM_BYTES], used: RANDOM_BYTES }) };
}

/// Fills a buffer with random bytes of the operating system.
///
/// # Panics
/// When the operating system has no random numbers: nothing safe can be done without them.
pub fn fill_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random numbers");
}

fn random_u64() -> u64 {
    RANDOM.with_borrow_mut(|buffer| {
        if buffer.used + 8 > RANDOM_BYTES {
            fill_random(&mut buffer.bytes);
            buffer.used = 0;
        }
        let at = buffer.used;
        buffer.used += 8;
        u64::from_be_bytes(buffer.bytes[at..at + 8].try_into().expect("eight bytes"))
    })
}

/// `UUIDv7`s of this process, strictly increasing: 48 bits of milliseconds, a 12-bit counter, 62 random bits.
#[derive(Debug, Default)]
pub struct MonotonicIds {
    /// The last milliseconds and counter, as one number.
    last: AtomicU64,
}

impl MonotonicIds {
    /// A generator that has given nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Ids for MonotonicIds {
    fn uuid_v7(&self, at: Timestamp) -> Uuid {
        let now = u64::try_from(at.0).unwrap_or(0) << 12;
        let mut last = self.last.load(Ordering::Relaxed);
        // More than 4,096 ids in a millisecond borrow from the next one, so that order holds.
        let next = loop {
            let next = now.max(last + 1);
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break next,
                Err(seen) => last = seen,
            }
        };
        let (ms, counter) = (next >> 12, next & 0xfff);
        let high = (ms << 16) | (7 << 12) | counter;
        let low = (random_u64() >> 2) | (1 << 63);
        Uuid::from_u64_pair(high, low)
    }
}

fn derived(kind: &str, parts: &[&[u8]]) -> Uuid {
    let mut name = Vec::with_capacity(128);
    name.extend_from_slice(kind.as_bytes());
    for part in parts {
        name.push(0);
        name.extend_from_slice(part);
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &name)
}

/// The user behind an account elsewhere: two first sign-ins at the same moment meet in one stream.
#[must_use]
pub fn user_of_account(tenant: TenantId, account: KeyedDigest) -> UserId {
    UserId::from_uuid(derived("user", &[tenant.as_str().as_bytes(), account.as_bytes()]))
}

/// The chat between a customer and a shop: opening it twice at the same moment meets in one stream.
///
/// It begins as the customer's id does, so that in everything kept in the order of ids their chats lie as close together as they
/// do themselves: whoever goes through customers in that order touches few places at a time. A `UUIDv8` of RFC 9562, section 5.8:
/// 60 bits of the customer's id around the version, 62 of a digest behind the variant.
#[must_use]
pub fn chat_between(tenant: TenantId, shop: ShopId, customer: UserId) -> ChatId {
    let (_, digest) = derived("chat", &[tenant.as_str().as_bytes(), shop.as_str().as_bytes(), customer.as_bytes()]).as_u64_pair();
    let (customer, _) = customer.uuid().as_u64_pair();
    ChatId::from_uuid(Uuid::from_u64_pair((customer & !0xf000) | 0x8000, (digest >> 2) | (1 << 63)))
}

/// The account in whose name a shop speaks to many. Nobody signs in to it, and it is no member of any chat.
#[must_use]
pub fn shop_account(tenant: TenantId, shop: ShopId) -> UserId {
    UserId::from_uuid(derived("shop account", &[tenant.as_str().as_bytes(), shop.as_str().as_bytes()]))
}

/// Who a provider is at a tenant's desk and in its chats. Nobody signs in to it.
#[must_use]
pub fn provider_agent(tenant: TenantId, provider: &Label) -> UserId {
    UserId::from_uuid(derived("provider", &[tenant.as_str().as_bytes(), provider.as_str().as_bytes()]))
}

/// The client id under which a campaign says its message in every chat: minted when it began, and always the same.
#[must_use]
pub fn campaign_message(campaign: CampaignId, began: Timestamp) -> ClientMessageId {
    let (high, low) = derived("campaign message", &[campaign.as_bytes()]).as_u64_pair();
    let minted = u64::try_from(began.0).unwrap_or(0) << 16;
    ClientMessageId::from_uuid(Uuid::from_u64_pair(minted | (7 << 12) | (high & 0xfff), (low >> 2) | (1 << 63)))
}

/// The client id of a message that was said then and is known by this digest: each attempt to bring it makes the same one.
#[must_use]
pub fn client_message_of(said_at: Timestamp, digest: KeyedDigest) -> ClientMessageId {
    let [high, low] = [0, 8].map(|at| u64::from_be_bytes(digest.as_bytes()[at..at + 8].try_into().expect("eight of sixteen bytes")));
    let ms = u64::try_from(said_at.0).unwrap_or(0) & 0xffff_ffff_ffff;
    ClientMessageId::from_uuid(Uuid::from_u64_pair((ms << 16) | (7 << 12) | (high & 0xfff), (low >> 2) | (1 << 63)))
}

/// The id of an attempt to start contact: the same person's message under the same client id is the same attempt.
#[must_use]
pub fn outreach_attempt(tenant: TenantId, by: UserId, message: ClientMessageId) -> OutreachId {
    OutreachId::from_uuid(derived("outreach", &[tenant.as_str().as_bytes(), by.as_bytes(), message.as_bytes()]))
}

/// The id of something created under an idempotency key: a retry meets the same stream.
#[must_use]
pub fn of_idempotency_key(kind: &str, tenant: TenantId, asker: Uuid, key: &str) -> Uuid {
    derived(kind, &[tenant.as_str().as_bytes(), asker.as_bytes(), key.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_strictly_also_when_the_clock_stands_still_or_goes_back() {
        let ids = MonotonicIds::new();
        let mut last = Uuid::nil();
        for step in 0..10_000_i64 {
            let id = ids.uuid_v7(Timestamp(1_700_000_000_000 - step / 5_000));
            assert!(id > last);
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            last = id;
        }
    }

    #[test]
    fn chats_lie_in_the_order_of_their_customers() {
        let acme = "acme".parse().unwrap();
        let mut customers: Vec<UserId> = (0..100_u8).map(|nth| user_of_account(acme, KeyedDigest::from_bytes([nth; 16]))).collect();
        customers.sort_unstable();
        let chats: Vec<ChatId> = customers.iter().map(|customer| chat_between(acme, "s1".parse().unwrap(), *customer)).collect();
        assert!(chats.is_sorted());
        for chat in chats {
            assert_eq!((chat.uuid().get_version_num(), chat.uuid().get_variant()), (8, uuid::Variant::RFC4122));
        }
    }

    #[test]
    fn an_id_tells_the_millisecond_it_was_minted_in() {
        let id = MonotonicIds::new().uuid_v7(Timestamp(1_700_000_000_123));
        let minted = domain::ids::ClientMessageId::from_uuid(id).minted_at_ms();
        assert_eq!(minted, Some(1_700_000_000_123));
    }

    #[test]
    fn a_message_that_is_brought_again_has_the_same_client_id() {
        let at = Timestamp(1_700_000_000_123);
        let id = |at, byte| client_message_of(at, KeyedDigest::from_bytes([byte; 16]));
        assert_eq!(id(at, 1), id(at, 1));
        assert!(id(at, 1) != id(at, 2) && id(at, 1) != id(at + domain::time::Millis(1), 1));
        assert_eq!((id(at, 255).minted_at_ms(), id(at, 255).uuid().get_variant()), (Some(1_700_000_000_123), uuid::Variant::RFC4122));
    }

    #[test]
    fn a_derived_id_is_the_same_for_the_same_thing_only() {
        let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let (shop, customer) = ("s1".parse().unwrap(), UserId::from_u128(7));
        assert_eq!(chat_between(acme, shop, customer), chat_between(acme, shop, customer));
        assert_ne!(chat_between(acme, shop, customer), chat_between(other, shop, customer));
        assert_ne!(chat_between(acme, shop, customer), chat_between(acme, "s2".parse().unwrap(), customer));
        let digest = KeyedDigest::from_bytes([3; 16]);
        assert_ne!(user_of_account(acme, digest), user_of_account(other, digest));
    }
}
