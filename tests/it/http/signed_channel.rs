//! The signed channel: connecting it, what is believed of what it says, and delivery through stops and restarts. What it has in
//! common with the other channels is in `contracts/channels`.

mod attachments;
mod conversations;

use adapters::config::Config;
use adapters::webhook_signature::SigningKey;
use application::owner::OwnerLimits;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use domain::time::Millis;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::endpoint::{Endpoint, Mood, Signer, to_this_machine};
use tests::world::gate::Gate;
use tests::world::{ACME, SHOP, World};

const CHANNELS: &str = "/v1/tenants/acme/channels";
const URL: &str = "https://shop.example/hook";

async fn put(world: &World, channel: &str, body: Value) -> tests::world::Reply {
    world.call(&Person::operator(), Method::PUT, &format!("{CHANNELS}/{channel}"), body).await
}

fn connection(url: &str) -> Value {
    json!({"shop": SHOP, "title": "WeChat", "url": url})
}

fn saying(world: &World, content: &str) -> Value {
    json!({"customer": "li", "sent_at": world.clock_ms(), "content": content})
}

/// Indexes of items.
fn indexes(items: &[Value]) -> Vec<u64> {
    items.iter().map(|item| item["i"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_channel_shows_its_secret_once_and_never_again() {
    let world = World::new().await;
    let first = put(&world, "wechat", connection(URL)).await.ok();
    let secret = first["secret"].as_str().unwrap().to_owned();
    assert!(SigningKey::parse(&secret).is_some(), "whsec_ and base64");
    let otherwise = put(&world, "wechat", json!({"shop": SHOP, "title": "Weixin", "url": "https://other.example/"})).await.ok();
    assert_eq!(otherwise["secret"], Value::Null);
    let rotated = put(&world, "wechat", json!({"shop": SHOP, "title": "Weixin", "url": URL, "rotate": true})).await.ok();
    assert!(rotated["secret"].is_string() && rotated["secret"] != secret);
    let listed = world.get(&Person::operator(), CHANNELS).await.ok();
    let one = world.get(&Person::operator(), &format!("{CHANNELS}/wechat")).await.ok();
    assert_eq!(listed["data"], json!([one]));
    let shown = (&one["title"], &one["url"], &one["shop"], &one["connected"], &one["delivers"]);
    assert_eq!(shown, (&json!("Weixin"), &json!(URL), &json!(SHOP), &json!(true), &json!(true)));
    assert!(!listed.to_string().contains("whsec_"));
    world.end().await;
}

#[tokio::test]
async fn a_repeated_request_answers_the_same_secret() {
    let world = World::new().await;
    let operator = Person::operator();
    let ask = || {
        let request = Request::put(format!("{CHANNELS}/wechat")).header(header::CONTENT_TYPE, "application/json");
        let request = request.header("idempotency-key", "k1").body(Body::from(connection(URL).to_string())).unwrap();
        world.send(request, &operator)
    };
    let (first, again) = (ask().await.ok(), ask().await.ok());
    assert!(first["secret"].is_string());
    assert_eq!(first["secret"], again["secret"]);
    world.end().await;
}

#[tokio::test]
async fn an_address_must_be_one_that_a_tenant_may_write_down() {
    let world = World::new().await;
    for url in
        ["http://shop.example/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data", "ftp://x", "x", ""]
    {
        assert_eq!(put(&world, "wechat", connection(url)).await.problem(), (422, "invalid_value"), "{url}");
    }
    let elsewhere = json!({"shop": "nowhere", "title": "x", "url": URL});
    assert_eq!(put(&world, "wechat", elsewhere).await.problem(), (404, "not_found"));
    assert_eq!(put(&world, "We-Chat", connection(URL)).await.problem(), (400, "invalid_id"));
    assert_eq!(put(&world, "wechat", json!({"shop": SHOP, "title": "x", "url": URL, "more": 1})).await.problem(), (400, "unknown_field"));
    world.end().await;
}

#[tokio::test]
async fn what_is_not_signed_by_the_channel_and_now_is_refused() {
    let world = World::new().await;
    world.make_tenant("rival").await;
    let signer = Signer::connect(&world, ACME, "wechat", URL).await;
    let rival = Signer::connect(&world, "rival", "wechat", URL).await;
    let now = world.app.now();
    let body = || saying(&world, "hi").to_string();
    let nobody = Person::nobody();
    let sent = |request| world.send(request, &nobody);
    let unsigned = Request::post(format!("{}/messages", signer.path)).body(Body::from(body())).unwrap();
    assert_eq!(sent(unsigned).await.problem(), (401, "invalid_signature"));
    for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut request = signer.request("messages", "m1", now, body());
        request.headers_mut().remove(header);
        assert_eq!(sent(request).await.problem(), (401, "invalid_signature"), "without {header}");
    }
    let forged = Signer { path: signer.path.clone(), key: rival.key.clone() };
    assert_eq!(sent(forged.request("messages", "m1", now, body())).await.problem(), (401, "invalid_signature"), "another tenant's key");
    let mut changed = signer.request("messages", "m1", now, body());
    *changed.body_mut() = Body::from(saying(&world, "ho").to_string());
    assert_eq!(sent(changed).await.problem(), (401, "invalid_signature"), "another body");
    for away in [-301, 301] {
        let at = now + Millis::seconds(away);
        assert_eq!(sent(signer.request("messages", "m1", at, body())).await.problem(), (401, "timestamp_out_of_tolerance"));
    }
    let unknown = Signer { path: signer.path.replace("wechat", "nobody"), key: signer.key.clone() };
    assert_eq!(sent(unknown.request("messages", "m1", now, body())).await.problem(), (404, "not_found"));
    let mut token = signer.request("messages", "m1", now, body());
    token.headers_mut().remove("webhook-signature");
    let operator = world.send(token, &Person::operator()).await;
    assert_eq!(operator.problem(), (401, "invalid_signature"), "no other right helps");

    let rotated = put(&world, "wechat", json!({"shop": SHOP, "title": "x", "url": URL, "rotate": true})).await.ok();
    assert_eq!(sent(signer.request("messages", "m1", now, body())).await.problem(), (401, "invalid_signature"), "void at once");
    let signer = Signer { key: SigningKey::parse(rotated["secret"].as_str().unwrap()).unwrap(), ..signer };
    let _ = sent(signer.request("messages", "m1", now, body())).await.ok();
    let path = format!("{CHANNELS}/wechat");
    let _ = world.call(&Person::operator(), Method::DELETE, &path, Value::Null).await.ok();
    assert_eq!(sent(signer.request("messages", "m2", now, body())).await.problem(), (410, "channel_disconnected"));
    assert_eq!(world.get(&Person::operator(), &path).await.ok()["connected"], false);
    assert_eq!(
        world.call(&Person::operator(), Method::DELETE, &format!("{CHANNELS}/nobody"), Value::Null).await.problem(),
        (404, "not_found")
    );
    world.end().await;
}

#[tokio::test]
async fn what_a_channel_says_wrongly_is_refused_by_name() {
    let world = World::new().await;
    let signer = Signer::connect(&world, ACME, "wechat", URL).await;
    let _ = signer.send(&world, "messages", "m0", saying(&world, "hi")).await.ok();
    let now = world.clock_ms();
    for (to, body, expected) in [
        ("messages", json!({"customer": "li", "sent_at": now, "content": "x", "visibility": "staff"}), (400, "unknown_field")),
        ("messages", json!({"customer": "li", "sent_at": now}), (400, "invalid_field")),
        ("messages", json!({"customer": "li", "content": "x"}), (400, "invalid_field")),
        ("messages", json!({"customer": "", "sent_at": now, "content": "x"}), (422, "invalid_value")),
        ("messages", json!({"customer": "c".repeat(513), "sent_at": now, "content": "x"}), (422, "text_too_long")),
        ("messages", json!({"customer": "li", "sent_at": now + 300_001, "content": "x"}), (422, "invalid_value")),
        ("messages", json!({"customer": "li", "sent_at": -1, "content": "x"}), (422, "invalid_value")),
        ("messages", json!({"customer": "li", "sent_at": now - 72 * 3_600_000, "content": "x"}), (409, "client_id_too_old")),
        ("messages", json!({"customer": "li", "sent_at": now, "content": "x".repeat(300_000)}), (413, "too_large")),
        ("messages", json!({"customer": "li", "sent_at": now, "content": "x", "quote": world.client_id()}), (404, "not_found")),
        ("read", json!({"customer": "li", "seq": 99}), (422, "beyond_end")),
        ("read", json!({"customer": "stranger", "seq": 1}), (404, "not_found")),
        ("messages/01900000000070008000000000000001/recall", json!({"customer": "stranger"}), (404, "not_found")),
        ("ready", json!({"more": 1}), (400, "unknown_field")),
    ] {
        let told = signer.send(&world, to, "m1", body.clone()).await;
        assert_eq!(told.problem(), expected, "{to} {}", &body.to_string()[..80.min(body.to_string().len())]);
    }
    let mut text = signer.request("messages", "m1", world.app.now(), saying(&world, "x").to_string());
    text.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(world.send(text, &Person::nobody()).await.problem(), (415, "not_json"));
    world.end().await;
}

#[tokio::test]
async fn a_message_that_is_brought_again_much_later_and_signed_anew_is_the_same() {
    let world = World::new().await;
    let signer = Signer::connect(&world, ACME, "wechat", URL).await;
    let body = saying(&world, "only once");
    let first = signer.send(&world, "messages", "m1", body.clone()).await.ok();
    world.clock.pass(Millis::hours(71));
    let again = signer.send(&world, "messages", "m1", body.clone()).await.ok();
    assert_eq!((&first["message"], &first["seq"], &first["at"]), (&again["message"], &again["seq"], &again["at"]));
    let mut other = body.clone();
    other["content"] = json!("something else");
    assert_eq!(signer.send(&world, "messages", "m1", other).await.problem(), (422, "client_id_reused"));
    let of_another = json!({"customer": "wang", "sent_at": body["sent_at"], "content": "only once"});
    assert_ne!(signer.send(&world, "messages", "m1", of_another).await.ok()["chat"], first["chat"], "ids are per customer");
    world.clock.pass(Millis::hours(2));
    let _ = signer.send(&world, "messages", "m2", saying(&world, "three days later")).await.ok();
    assert_eq!(signer.send(&world, "messages", "m1", body).await.problem(), (409, "client_id_too_old"), "never posted twice");
    world.end().await;
}

#[tokio::test]
async fn a_channel_speaks_for_customers_of_its_own_and_for_nobody_else() {
    let world = World::new().await;
    let (wechat, app) = (Signer::connect(&world, ACME, "wechat", URL).await, Signer::connect(&world, ACME, "app", URL).await);
    let minted = world.customer(ACME, "li").await;
    let by_wechat = wechat.send(&world, "messages", "m1", saying(&world, "hi")).await.ok();
    let by_app = app.send(&world, "messages", "m1", saying(&world, "hi")).await.ok();
    let users = [by_wechat["user"].as_str().unwrap(), by_app["user"].as_str().unwrap(), &minted.user().to_string()].map(str::to_owned);
    assert!(users[0] != users[1] && users[0] != users[2] && users[1] != users[2], "{users:?}");
    let message = by_app["message"].as_str().unwrap();
    let recall = format!("messages/{message}/recall");
    assert_eq!(wechat.send(&world, &recall, "m2", json!({"customer": "li"})).await.problem(), (409, "not_recallable"));
    let claimed = json!({"provider": "channel:wechat", "account": "li", "display_name": "x"});
    let mint = world.post(&Person::operator(), "/v1/tenants/acme/customers/mint", claimed).await;
    assert_eq!(mint.problem(), (422, "invalid_value"), "nobody else is a channel's customer");
    let account = json!({"provider": "channel:wechat", "account": "wang"});
    let path = format!("/v1/tenants/acme/users/{}/accounts", minted.user());
    assert_eq!(world.post(&Person::operator(), &path, account).await.problem(), (422, "invalid_value"));
    let path = format!("/v1/tenants/acme/users/{}", users[0]);
    let _ = world.call(&Person::operator(), Method::DELETE, &path, Value::Null).await.ok();
    assert_eq!(wechat.send(&world, "messages", "m3", saying(&world, "hi")).await.problem(), (409, "deactivated"));
    world.end().await;
}

#[tokio::test]
async fn a_full_queue_is_busy_and_what_was_refused_may_come_again() {
    let few = OwnerLimits { waiting_per_tenant: 2, ..OwnerLimits::default() };
    let (world, gate) = Gate::world(Config::default(), |engines| engines.limits = few).await;
    world.make_tenant(ACME).await;
    let signer = Signer::connect(&world, ACME, "wechat", URL).await;
    let _ = signer.send(&world, "messages", "m0", saying(&world, "hi")).await.ok();
    world.settle().await;
    gate.close();
    let ids: Vec<String> = (0..6).map(|number| format!("busy-{number}")).collect();
    let mut sent: FuturesUnordered<_> = ids.iter().map(|id| signer.send(&world, "messages", id, saying(&world, id))).collect();
    let first = sent.next().await.unwrap();
    assert_eq!(first.problem(), (429, "busy"));
    assert!(first.headers.contains_key("retry-after"));
    gate.open();
    let rest: Vec<StatusCode> = sent.map(|reply| reply.status).collect().await;
    assert!(rest.iter().all(|status| [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS].contains(status)), "{rest:?}");
    for id in &ids {
        let _ = signer.send(&world, "messages", id, saying(&world, id)).await.ok();
    }
    world.end().await;
}

/// A channel with an endpoint, an agent on duty, and a customer who said hello and has received what followed.
struct Served {
    world: World,
    endpoint: Endpoint,
    signer: Signer,
    alice: Person,
    chat: String,
    user: domain::ids::UserId,
}

impl Served {
    async fn begin(mut world: World) -> Self {
        world.make_tenant(ACME).await;
        let alice = world.agent_on_duty(ACME, "alice").await;
        let endpoint = Endpoint::start().await;
        let signer = Signer::connect(&world, ACME, "wechat", &endpoint.url(ACME)).await;
        endpoint.expects(ACME, signer.key.clone(), world.app.now());
        world.serve().await;
        let ack = signer.send(&world, "messages", "hello", saying(&world, "hello")).await.ok();
        let (chat, user) = (ack["chat"].as_str().unwrap().to_owned(), ack["user"].as_str().unwrap().parse().unwrap());
        let served = Self { world, endpoint, signer, alice, chat, user };
        served.all_taken().await;
        served
    }

    async fn head(&self) -> usize {
        self.world.settle().await;
        usize::try_from(self.world.app.ports.views.feed_head(ACME.parse().unwrap(), self.user)).unwrap()
    }

    /// What the endpoint has, once it has everything; each item once.
    async fn all_taken(&self) -> Vec<Value> {
        let head = self.head().await;
        let taken = self.endpoint.taken(ACME, "li", head).await;
        assert_eq!(indexes(&taken), (1..=head as u64).collect::<Vec<_>>());
        taken
    }

    async fn alice_says(&self, content: &str) {
        let _ = self.world.say(&self.alice, &self.chat, content).await.ok();
        self.world.settle().await;
    }

    /// The ids under which something came for the customer, answered well or not, once whatever was to come before now had its
    /// turn: somebody comes by another channel, and what they must see is delivered after it.
    async fn came_in_turn(&self) -> Vec<String> {
        let app = Signer::connect(&self.world, ACME, "app", &self.endpoint.url("app")).await;
        self.endpoint.expects("app", app.key.clone(), self.world.app.now());
        let ack = app.send(&self.world, "messages", "m1", saying(&self.world, "hello")).await.ok();
        self.world.settle().await;
        let user = ack["user"].as_str().unwrap().parse().unwrap();
        let head = self.world.app.ports.views.feed_head(ACME.parse().unwrap(), user);
        let _ = self.endpoint.taken("app", "li", usize::try_from(head).unwrap()).await;
        let ids = self.endpoint.attempts(0).await;
        ids.into_iter().filter(|id| id.starts_with(&self.user.to_string())).collect()
    }
}

#[tokio::test]
async fn an_address_that_is_gone_is_left_alone_until_it_is_connected_again() {
    let served = Served::begin(World::over(to_this_machine(), |_| {}).await).await;
    let before = served.all_taken().await.len();
    served.endpoint.be(ACME, "li", Mood::Gone);
    served.alice_says("anybody there?").await;
    let _ = served.endpoint.attempts(before + 1).await;
    let path = format!("{CHANNELS}/wechat");
    // The fact follows the answer; asking anew until it shows is how an operator would see it, too.
    while served.world.get(&Person::operator(), &path).await.ok()["delivers"] == true {
        tokio::task::yield_now().await;
    }
    served.alice_says("hello?").await;
    let again = served.signer.send(&served.world, "messages", "m2", saying(&served.world, "I can still write")).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(served.came_in_turn().await.len(), before + 1, "nobody asks it any more");
    served.endpoint.be(ACME, "li", Mood::Here);
    let _ = put(&served.world, "wechat", connection(&served.endpoint.url(ACME))).await.ok();
    let taken = served.all_taken().await;
    assert!(taken.iter().any(|item| item["m"]["content"] == "anybody there?"));
    served.world.end().await;
}

#[tokio::test]
async fn a_delivery_whose_answer_is_lost_comes_again_under_the_same_id() {
    let served = Served::begin(World::over(to_this_machine(), |_| {}).await).await;
    let before = served.all_taken().await.len();
    served.endpoint.be(ACME, "li", Mood::BreaksAfter(0));
    served.alice_says("did you get it?").await;
    let ids = served.endpoint.attempts(before + 1).await;
    served.endpoint.be(ACME, "li", Mood::Here);
    let _ = served.signer.send(&served.world, "ready", "r1", json!({})).await.ok();
    let _ = served.all_taken().await;
    let later = served.endpoint.attempts(before + 2).await;
    assert_eq!(later[before + 1], ids[before], "stable over attempts");
    served.world.end().await;
}

#[tokio::test]
async fn delivery_goes_on_where_it_was_after_a_restart() {
    let mut kept = None;
    let served = Served::begin(World::over(to_this_machine(), |engines| kept = Some(engines.clone())).await).await;
    let before = served.all_taken().await.len();
    served.endpoint.be(ACME, "li", Mood::Away);
    served.alice_says("before the restart").await;
    served.alice_says("also before").await;
    let head = served.head().await;
    let Served { world, endpoint, .. } = served;
    world.end().await;
    let tried = endpoint.attempts(before).await.len();
    let received: Vec<String> = endpoint.attempts(before).await[..before].to_vec();
    endpoint.be(ACME, "li", Mood::Here);

    let mut world = World::over(to_this_machine(), |engines| *engines = kept.take().expect("kept")).await;
    world.serve().await;
    let taken = endpoint.taken(ACME, "li", head).await;
    assert_eq!(indexes(&taken), (1..=head as u64).collect::<Vec<_>>(), "by itself, and nothing twice");
    let since = endpoint.attempts(tried).await[tried..].to_vec();
    assert!(since.iter().all(|id| !received.contains(id)), "what was received is not sent again: {since:?}");
    world.end().await;
}

#[tokio::test]
async fn a_disconnected_channel_gets_nothing_and_everything_when_it_comes_back() {
    let served = Served::begin(World::over(to_this_machine(), |_| {}).await).await;
    let before = served.all_taken().await.len();
    let _ = served.world.call(&Person::operator(), Method::DELETE, &format!("{CHANNELS}/wechat"), Value::Null).await.ok();
    served.endpoint.expects_nothing(ACME);
    served.alice_says("while it was off").await;
    assert_eq!(served.came_in_turn().await.len(), before);
    assert_eq!(served.endpoint.complaints(), Vec::<String>::new());
    let again = put(&served.world, "wechat", connection(&served.endpoint.url(ACME))).await.ok();
    let key = SigningKey::parse(again["secret"].as_str().expect("another secret")).unwrap();
    // Whatever was sent before the endpoint knew the new secret was refused, and is sent again.
    served.endpoint.expects(ACME, key.clone(), served.world.app.now());
    let signer = Signer { path: served.signer.path.clone(), key };
    let _ = signer.send(&served.world, "ready", "r1", json!({})).await.ok();
    let head = served.head().await;
    let taken = served.endpoint.taken_whatever_went_wrong(ACME, "li", head).await;
    assert_eq!(indexes(&taken), (1..=head as u64).collect::<Vec<_>>());
    served.world.end().await;
}
