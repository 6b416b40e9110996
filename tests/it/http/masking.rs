//! A customer sees the shop, and the name and picture of whoever speaks for it; never who they are.

use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::{DEVICE, PASSWORD, Person};
use tests::world::endpoint::{Endpoint, Signer, to_this_machine};
use tests::world::socket::Socket;
use tests::world::{ACME, SHOP, World};

/// A shop whose staff have a login, a name that customers see, and one that they do not.
struct Shop {
    world: World,
    alice: Person,
    bob: Person,
    sam: Person,
    li: Person,
    chat: String,
    conversation: String,
}

async fn staff(world: &World, role: Role, login: &str, name: &str) -> Person {
    let body = json!({"role": role, "display_name": name, "login": login, "password": PASSWORD});
    let _ = world.post(&Person::operator(), "/v1/tenants/acme/users", body).await.ok();
    world.sign_in(ACME, login).await
}

impl Shop {
    /// A conversation in which everything happened that staff do: served, read, recalled, noted, handed over, rated, ended.
    async fn open(world: World) -> Self {
        let alice = staff(&world, Role::Agent, "login.alice", "Miss Rose").await;
        let avatar = json!({"display_name": "Miss Rose", "avatar_url": "https://shop.example/rose.jpg"});
        let _ = world.call(&Person::operator(), Method::PATCH, &format!("/v1/tenants/acme/users/{}", alice.user()), avatar).await.ok();
        world.on_duty(&alice).await;
        let sam = staff(&world, Role::Supervisor, "login.sam", "Samuel Boss").await;
        let li = world.customer(ACME, "li").await;
        let (chat, conversation) = world.open_chat(&li).await;
        let _ = world.say(&li, &chat, "hello").await.ok();
        world.settle().await;
        let bob = staff(&world, Role::Agent, "login.bob", "Mister Lotus").await;
        world.on_duty(&bob).await;
        let shop = Self { world, alice, bob, sam, li, chat, conversation };
        shop.story().await;
        shop
    }

    async fn story(&self) {
        let Self { world, alice, bob, sam, li, chat, conversation } = self;
        let at = |rest: &str| format!("/v1/tenants/acme/{rest}");
        let of = |rest: &str| at(&format!("conversations/{conversation}/{rest}"));
        let _ = world.say(alice, chat, "how may I help?").await.ok();
        let slip = world.say(alice, chat, "slip").await.ok()["message"].as_str().unwrap().to_owned();
        let _ = world.post(alice, &at(&format!("chats/{chat}/messages/{slip}/recall")), json!({})).await.ok();
        let _ = world.post(alice, &at(&format!("chats/{chat}/read")), json!({"seq": 1})).await.ok();
        let note = json!({"id": world.client_id(), "content": "difficult", "visibility": "staff"});
        let _ = world.post(alice, &at(&format!("chats/{chat}/messages")), note).await.ok();
        let _ = world.post(alice, &of("transfer"), json!({"agent": bob.user().to_string(), "remark": "yours"})).await.ok();
        world.settle().await;
        let _ = world.say(bob, chat, "Bob here").await.ok();
        let _ = world.post(sam, &of("take-over"), json!({})).await.ok();
        world.settle().await;
        let _ = world.post(sam, &of("rating-invitation"), json!({})).await.ok();
        let _ = world.post(li, &of("rating"), json!({"score": 4})).await.ok();
        world.settle().await;
    }

    /// Whoever is behind the shop, by id or by login; and the names of those who never spoke.
    fn secrets(&self) -> Vec<String> {
        let ids = [&self.alice, &self.bob, &self.sam].map(|who| who.user().to_string());
        ids.into_iter().chain(["login.alice", "login.bob", "login.sam", "Samuel Boss"].map(str::to_owned)).collect()
    }

    #[track_caller]
    fn tells_nothing(&self, what: &str, text: &str) {
        for secret in self.secrets() {
            assert!(!text.contains(&secret), "{what} tells {secret}: {text}");
        }
        let personas = text.matches("Miss Rose").count() + text.matches("Mister Lotus").count();
        let said = text.matches(r#""sender_name":"Miss Rose""#).count() + text.matches(r#""sender_name":"Mister Lotus""#).count();
        assert_eq!(personas, said, "{what} names somebody elsewhere than on what they said: {text}");
    }
}

/// Every route that reads, with the ids of the story.
fn reading(shop: &Shop) -> Vec<String> {
    let fill = |path: String| {
        let (li, chat, conversation) = (shop.li.user().to_string(), &shop.chat, &shop.conversation);
        let path = path.replace("{t}", ACME).replace("{c}", chat).replace("{id}", conversation).replace("{u}", &li);
        path.replace("{s}", SHOP).replace("{kind}", "reception").replace("{article}", "x").replace("{channel}", "x")
    };
    let paths = adapters::http::router::openapi().paths.paths.into_iter();
    paths.filter(|(path, item)| item.get.is_some() && path != "/v1/ws" && path != "/v1/events").map(|(path, _)| fill(path)).collect()
}

#[tokio::test]
async fn no_route_that_a_customer_reads_tells_who_serves_them() {
    let shop = Shop::open(World::new().await).await;
    let mut answered = 0;
    for path in reading(&shop) {
        let reply = shop.world.get(&shop.li, &path).await;
        answered += usize::from(reply.status.is_success());
        shop.tells_nothing(&path, std::str::from_utf8(&reply.bytes).expect("answers are text"));
    }
    assert!(answered >= 8, "the customer reads something: {answered}");
    for (path, body) in [
        ("/v1/init", json!({})),
        ("/v1/sendmessage", json!({"bizCode": "presence"})),
        ("/v1/sendmessage", json!({"bizCode": "session_detail", "chat": shop.chat})),
        ("/v1/keepalive", json!({"device": DEVICE, "after": 0, "wait_ms": 0})),
    ] {
        let reply = shop.world.post(&shop.li, path, body).await;
        shop.tells_nothing(path, &reply.ok().to_string());
    }
    shop.world.end().await;
}

#[tokio::test]
async fn what_is_pushed_tells_no_more_than_what_is_read() {
    let mut shop = Shop::open(World::new().await).await;
    let mut phone = Socket::hello(&mut shop.world, &shop.li, 0).await;
    let mut desk = Socket::hello(&mut shop.world, &shop.sam, 0).await;
    let chat = shop.chat.clone();
    desk.send(json!({"t": "typing", "chat": chat, "on": true})).await;
    let typing = phone.next_of("typing").await;
    assert_eq!(typing["user"], json!(chat), "the shop writes");
    desk.send(json!({"t": "send", "id": shop.world.client_id(), "chat": chat, "content": "live"})).await;
    let ack = desk.next_of("ack").await;
    desk.send(json!({"t": "read", "chat": chat, "seq": 1})).await;
    desk.send(json!({"t": "recall", "chat": chat, "message": ack["message"]})).await;
    let path = format!("/v1/tenants/acme/conversations/{}/close", shop.conversation);
    let _ = shop.world.post(&shop.sam, &path, json!({})).await.ok();
    let mut ended = false;
    while !ended {
        let frame = phone.next_of("item").await;
        ended = frame["event"] == "closed";
        let spoken = frame["m"]["content"] == "live";
        let text = frame.to_string();
        // The supervisor spoke now, so their name is on what they said.
        let text = if spoken { text.replacen(r#""sender_name":"Samuel Boss""#, "", 1) } else { text };
        shop.tells_nothing("a pushed item", &text);
    }
    shop.world.end().await;
}

#[tokio::test]
async fn a_message_says_under_which_name_the_shop_spoke_and_a_new_name_changes_nothing_that_was_said() {
    let shop = Shop::open(World::new().await).await;
    let name = json!({"display_name": "Miss Violet"});
    let _ = shop.world.call(&Person::operator(), Method::PATCH, &format!("/v1/tenants/acme/users/{}", shop.sam.user()), name).await.ok();
    let _ = shop.world.say(&shop.sam, &shop.chat, "goodbye").await.ok();
    let page = shop.world.get(&shop.li, &format!("/v1/tenants/acme/chats/{}/messages", shop.chat)).await.ok();
    let named = |content: &str| {
        let said = page["data"].as_array().unwrap().iter().find(|message| message["content"] == content).expect("it was said");
        (said["from"].clone(), said["sender_name"].clone(), said["sender_avatar"].clone())
    };
    let shop_account = json!(shop.chat);
    assert_eq!(named("how may I help?"), (shop_account.clone(), json!("Miss Rose"), json!("https://shop.example/rose.jpg")));
    assert_eq!(named("Bob here"), (shop_account.clone(), json!("Mister Lotus"), Value::Null));
    assert_eq!(named("goodbye"), (shop_account, json!("Miss Violet"), Value::Null));
    assert_eq!(named("hello"), (json!(shop.li.user().to_string()), Value::Null, Value::Null));
    let staff = shop.world.get(&shop.sam, &format!("/v1/tenants/acme/chats/{}/messages", shop.chat)).await.ok();
    assert!(staff.to_string().contains(&shop.alice.user().to_string()), "staff see who spoke");
    shop.world.end().await;
}

#[tokio::test]
async fn what_is_delivered_to_a_channel_tells_no_more() {
    let mut world = World::over(to_this_machine(), |_| {}).await;
    world.make_tenant(ACME).await;
    let alice = staff(&world, Role::Agent, "login.alice", "Miss Rose").await;
    world.on_duty(&alice).await;
    let endpoint = Endpoint::start().await;
    let signer = Signer::connect(&world, ACME, "wechat", &endpoint.url(ACME)).await;
    endpoint.expects(ACME, signer.key.clone(), world.app.now());
    world.serve().await;
    let hello = json!({"customer": "li", "sent_at": world.clock_ms(), "content": "hi"});
    let ack = signer.send(&world, "messages", "m1", hello).await.ok();
    world.settle().await;
    let _ = world.say(&alice, ack["chat"].as_str().unwrap(), "how may I help?").await.ok();
    world.settle().await;
    let head = world.app.ports.views.feed_head(ACME.parse().unwrap(), ack["user"].as_str().unwrap().parse().unwrap());
    let taken = endpoint.taken(ACME, "li", usize::try_from(head).unwrap()).await;
    assert!(taken.iter().any(|item| item["m"]["sender_name"] == "Miss Rose"), "{taken:?}");
    let text = Value::from(taken).to_string();
    assert!(!text.contains(&alice.user().to_string()) && !text.contains("login.alice"), "{text}");
    world.end().await;
}
