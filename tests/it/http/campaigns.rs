//! Platform campaigns: whom they reach, how often, who may send them, and how they are stopped.

use std::collections::BTreeSet;
use std::sync::Arc;

use adapters::config::Config;
use adapters::event_log::memory::MemoryLog;
use adapters::ids::{campaign_message, chat_between, shop_account};
use adapters::key_store::memory::MemoryKeyStore;
use application::command::Request;
use application::log::commit::{Actor, ChainHash};
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::{CommitPosition, EventLog, ShardId};
use application::queries::{CampaignRow, CampaignStatus};
use axum::http::Method;
use domain::campaign::event::CampaignEvent;
use domain::chat::command::{Announcement, ChatCommand};
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::{CampaignId, ChatId, CommandId, UserId};
use domain::message::{Kind, MessageContent, Style};
use domain::time::Timestamp;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::contracts::event_log::bare_commit;
use tests::people::Person;
use tests::recount::placed;
use tests::world::gate::Gate;
use tests::world::socket::Socket;
use tests::world::{ACME, BEGINNING, SHOP, World, id};
use uuid::Uuid;

const PATH: &str = "/v1/tenants/acme/campaigns";

async fn write(world: &World, body: Value) -> CampaignId {
    let answer = world.post(&Person::operator(), PATH, body).await.ok();
    answer["id"].as_str().expect("a campaign has an id").parse().expect("an id")
}

async fn tulips(world: &World) -> CampaignId {
    write(world, json!({"shop": SHOP, "style": "card", "content": "tulips", "url": "https://acme.example/t", "per_second": 10_000})).await
}

async fn tell(world: &World, campaign: CampaignId, what: &str, body: Value) -> Value {
    world.post(&Person::operator(), &format!("{PATH}/{campaign}/{what}"), body).await.ok()
}

async fn add(world: &World, campaign: CampaignId, recipients: &[UserId]) {
    let _ = tell(world, campaign, "recipients", json!({"recipients": recipients})).await;
}

/// Waits until something is so of a campaign, looking anew whenever the read models have got on.
async fn until(world: &World, campaign: CampaignId, so: impl Fn(&CampaignRow) -> bool) -> CampaignRow {
    let views = &world.app.ports.views;
    loop {
        let seen = views.reached();
        if let Some(row) = views.campaign(id(ACME), campaign).filter(&so) {
            return row;
        }
        // Nothing may come for two seconds; then it is looked at again.
        let _ = views.at_least(CommitPosition(seen.0 + 1)).await;
    }
}

async fn finished(world: &World, campaign: CampaignId) -> CampaignRow {
    until(world, campaign, |row| row.status == CampaignStatus::Finished).await
}

/// What the shop's campaigns said in a customer's chat.
async fn said_to(world: &World, customer: UserId) -> Vec<String> {
    let chat = chat_between(id(ACME), SHOP.parse().unwrap(), customer);
    let history = world.get(&Person::operator(), &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    let messages = history["data"].as_array().unwrap().iter().filter(|message| message["origin"] == "campaign");
    messages.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

/// So many customers whom another system knows.
async fn imported(world: &World, count: usize) -> Vec<UserId> {
    let customers: Vec<Value> = (0..count).map(|nth| json!({"provider": "crm", "account": nth.to_string()})).collect();
    let answer = world.post(&Person::operator(), "/v1/tenants/acme/customers/import", json!({"customers": customers})).await.ok();
    answer["users"].as_array().unwrap().iter().map(|user| user.as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn everybody_on_the_list_gets_the_message_once_in_their_own_chat() {
    let mut world = World::new().await;
    let (alice, bob) = (world.customer(ACME, "alice").await, world.customer(ACME, "bob").await);
    let (chat, _) = world.open_chat(&alice).await;
    let before = world.say(&alice, &chat, "hello").await.ok();
    let mut socket = Socket::hello(&mut world, &alice, 0).await;
    let campaign = tulips(&world).await;
    add(&world, campaign, &[alice.user(), bob.user(), alice.user()]).await;
    add(&world, campaign, &[bob.user()]).await;
    let _ = tell(&world, campaign, "start", json!({})).await;

    let item = loop {
        let item = socket.next_item("message").await;
        if item["m"]["origin"] == "campaign" {
            break item;
        }
    };
    assert_eq!(
        (&item["m"]["content"], &item["m"]["category"], &item["m"]["persona"]),
        (&json!("tulips"), &json!("system"), &json!("shop"))
    );
    let row = finished(&world, campaign).await;
    assert_eq!((row.recipients, row.tally.sent, row.tally.total()), (4, 4, 4));
    assert_eq!(said_to(&world, alice.user()).await, ["tulips"]);
    assert_eq!(said_to(&world, bob.user()).await, ["tulips"]);
    // It is nobody's answer: alice waits as before, and in no other conversation.
    let chat = world.get(&alice, &format!("/v1/tenants/acme/chats/{chat}?at_least={}", before["position"].as_str().unwrap())).await.ok();
    let conversation = chat["conversation"].as_str().expect("the conversation is still open");
    let conversation = world.get(&Person::operator(), &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok();
    assert!(conversation["waiting_since"].is_i64(), "{conversation}");
    socket.leave().await;
    world.end().await;
}

#[tokio::test]
async fn who_is_no_customer_in_use_is_counted_apart() {
    let mut world = World::new().await;
    let _address = world.serve().await;
    let agent = world.staff(ACME, Role::Agent, "agent").await;
    let customers = imported(&world, 3).await;
    let gone = format!("/v1/tenants/acme/users/{}", customers[1]);
    let _ = world.call(&Person::operator(), Method::DELETE, &gone, Value::Null).await.ok();
    let erased = format!("/v1/tenants/acme/users/{}/key", customers[2]);
    let _ = world.call(&Person::operator(), Method::DELETE, &erased, Value::Null).await.ok();
    let campaign = tulips(&world).await;
    add(&world, campaign, &[customers[0], customers[1], customers[2], agent.user(), UserId::from_u128(99)]).await;
    let _ = tell(&world, campaign, "start", json!({})).await;
    let tally = finished(&world, campaign).await.tally;
    assert_eq!((tally.sent, tally.inactive, tally.unknown, tally.refused), (1, 2, 2, 0));
    world.end().await;
}

#[tokio::test]
async fn what_was_said_before_a_crash_and_not_noted_is_not_said_again() {
    let mut world = World::new().await;
    let _address = world.serve().await;
    let customers = imported(&world, 700).await;
    let campaign = tulips(&world).await;
    add(&world, campaign, &customers).await;
    // The clock stands still, so it is known when the campaign will begin. So the crash can be before the story.
    let began: Timestamp = BEGINNING;
    for customer in &customers[..100] {
        let shop = SHOP.parse().unwrap();
        let announcement = Announcement {
            shop,
            customer: *customer,
            sender: shop_account(id(ACME), shop),
            client_message: campaign_message(campaign, began),
            message: domain::ids::MessageId::from_uuid(world.app.new_id()),
            digest: world.app.secrets.content_digest(&[campaign.as_bytes()]),
            content: MessageContent::text("tulips"),
            style: Style::Card,
            kind: Kind::Text,
        };
        let request = Request {
            stream: StreamId::new(id(ACME), StreamKey::Chat(chat_between(id(ACME), shop, *customer))),
            command: ChatCommand::Announce(Box::new(announcement)).into(),
            id: CommandId::from_uuid(world.app.new_id()),
            digest: 0,
            actor: Actor::Policy,
            correlation: Uuid::nil(),
            causation: Uuid::nil(),
        };
        let _ = world.app.ports.commands.execute(request).await.expect("the chat takes it in");
    }
    let _ = tell(&world, campaign, "start", json!({})).await;
    let row = finished(&world, campaign).await;
    assert_eq!((row.started_at, row.tally.sent), (Some(began), 700));
    for customer in customers.iter().step_by(23) {
        assert_eq!(said_to(&world, *customer).await, ["tulips"]);
    }
    world.end().await;
}

#[tokio::test]
async fn a_paused_campaign_is_silent_and_goes_on_where_it_was() {
    let (mut world, gate) = Gate::world(Config::default(), |_| {}).await;
    world.make_tenant(ACME).await;
    let _address = world.serve().await;
    let mut customers = imported(&world, 600).await;
    let campaign = tulips(&world).await;
    add(&world, campaign, &customers).await;
    // They have their turn by id, in whatever order they were listed.
    customers.sort_unstable();
    let _ = tell(&world, campaign, "start", json!({})).await;
    // It is paused while its first messages are on their way.
    gate.close();
    gate.somebody_waits().await;
    let opening = async {
        tokio::task::yield_now().await;
        gate.open();
    };
    let _ = tokio::join!(tell(&world, campaign, "pause", json!({})), opening);
    // The stretch that they belong to is still said.
    let paused = until(&world, campaign, |row| row.tally.sent > 0).await;
    let body = world.get(&Person::operator(), &format!("{PATH}/{campaign}")).await.ok();
    assert_eq!((&body["status"], &body["recipients"], &body["done"]), (&json!("paused"), &json!(600), &json!(paused.tally.sent)));
    let silent = usize::try_from(paused.tally.sent).unwrap();
    assert!(silent < customers.len(), "the pause comes before the end");
    // Others speak meanwhile, and are over.
    let roses = write(&world, json!({"shop": SHOP, "content": "roses", "per_second": 10_000})).await;
    add(&world, roses, &customers[silent - 1..]).await;
    let _ = tell(&world, roses, "start", json!({})).await;
    let _ = finished(&world, roses).await;
    let (before, after) = (said_to(&world, customers[silent - 1]).await, said_to(&world, customers[silent]).await);
    assert_eq!((before, after), (vec!["tulips".to_owned(), "roses".to_owned()], vec!["roses".to_owned()]));
    assert_eq!(until(&world, campaign, |_| true).await, paused);

    let _ = tell(&world, campaign, "start", json!({})).await;
    let row = finished(&world, campaign).await;
    assert_eq!((row.tally.sent, row.tally.total()), (600, 600));
    assert_eq!(said_to(&world, customers[silent]).await, ["roses", "tulips"]);
    let over = world.post(&Person::operator(), &format!("{PATH}/{campaign}/start"), json!({})).await;
    assert_eq!(over.problem(), (409, "campaign_over"));
    world.end().await;
}

/// The chats that a campaign's message came to, the first before the others.
async fn heard(world: &World, campaign: CampaignId) -> Vec<ChatId> {
    let commits = world.app.ports.log.read_shard(CommitPosition(0), usize::MAX).await.expect("a log in memory can be read");
    let client_message = campaign_message(campaign, BEGINNING);
    let heard = placed(&commits).into_iter().filter_map(|placed| match (placed.event, placed.stream.key) {
        (Event::Chat(ChatEvent::MessagePosted(posted)), StreamKey::Chat(chat)) if posted.client_message == client_message => Some(chat),
        _ => None,
    });
    heard.collect()
}

/// The beginning of a campaign as it was stored before it named an order.
async fn begin_without_an_order(world: &World, campaign: CampaignId, version: u64) {
    let stream = StreamId::new(id(ACME), StreamKey::Campaign(campaign));
    let listed = world.app.ports.log.read_tail(stream).await.unwrap().expect("its list");
    let began = bare_commit(stream, version, ChainHash::of(&listed.bytes), BEGINNING, "campaign.started");
    let appended = world.app.ports.log.append(began).await.unwrap();
    world.app.ports.views.at_least(appended.position).await.unwrap();
}

#[tokio::test]
async fn customers_have_their_turn_by_id_and_in_a_campaign_that_began_before_that_rule_as_they_were_listed() {
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(ShardId(0)));
    let keys = Arc::new(MemoryKeyStore::seeded(1));
    let node = || {
        World::over(Config::default(), |engines| {
            engines.log = Arc::clone(&log);
            engines.keys = keys.clone();
        })
    };
    let world = node().await;
    world.make_tenant(ACME).await;
    let mut customers = imported(&world, 700).await;
    customers.sort_unstable_by(|a, b| b.cmp(a));
    let as_listed = tulips(&world).await;
    add(&world, as_listed, &customers[..512]).await;
    add(&world, as_listed, &customers[512..]).await;
    begin_without_an_order(&world, as_listed, 4).await;
    world.end().await;

    let mut world = node().await;
    let _address = world.serve().await;
    let by_id = tulips(&world).await;
    add(&world, by_id, &customers[..300]).await;
    add(&world, by_id, &customers[300..]).await;
    let _ = tell(&world, by_id, "start", json!({})).await;
    let shop = SHOP.parse().unwrap();
    // Within a stretch they are on their way at once, so what is compared is who comes after the first of 512.
    for (campaign, last) in [(as_listed, &customers[512..]), (by_id, &customers[..188])] {
        let row = finished(&world, campaign).await;
        assert_eq!((row.tally.sent, row.tally.total()), (700, 700));
        let heard = heard(&world, campaign).await;
        let last: BTreeSet<ChatId> = last.iter().map(|customer| chat_between(id(ACME), shop, *customer)).collect();
        assert_eq!(heard.len(), 700);
        assert_eq!(heard[512..].iter().copied().collect::<BTreeSet<_>>(), last, "{:?}", row.sequence);
    }
    world.end().await;
}

/// How many were spoken to in each stretch that is noted in the log.
async fn stretches(log: &dyn EventLog, campaign: CampaignId) -> Vec<u64> {
    let stream = StreamId::new(id(ACME), StreamKey::Campaign(campaign));
    let commits = log.read_stream(stream, 1, usize::MAX).await.expect("a log in memory can be read");
    let sent = placed(&commits).into_iter().filter_map(|placed| {
        let Event::Campaign(CampaignEvent::CampaignAdvanced(advanced)) = placed.event else { return None };
        Some(advanced.tally.sent)
    });
    sent.collect()
}

#[tokio::test]
async fn a_slow_campaign_goes_on_by_a_seconds_worth_so_that_whoever_stops_the_server_waits_for_no_more() {
    let mut world = World::new().await;
    let _address = world.serve().await;
    let customers = imported(&world, 300).await;
    let campaign = write(&world, json!({"shop": SHOP, "content": "tulips", "per_second": 2})).await;
    add(&world, campaign, &customers).await;
    let _ = tell(&world, campaign, "start", json!({})).await;
    let _ = until(&world, campaign, |row| row.tally.sent > 0).await;
    let log = Arc::clone(&world.app.ports.log);
    let before = stretches(&*log, campaign).await.len();
    world.end().await;
    let stretches = stretches(&*log, campaign).await;
    assert!(stretches.iter().all(|sent| *sent <= 2), "{stretches:?}");
    assert!(stretches.len() <= before + 1, "only what was on its way when it was told to stop: {stretches:?} after {before}");
}

#[tokio::test]
async fn campaigns_are_the_platforms_right_and_each_tenant_sees_its_own() {
    let world = World::new().await;
    world.make_tenant("other").await;
    let campaign = tulips(&world).await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let foreign = world.staff("other", Role::TenantAdmin, "admin").await;
    let body = json!({"shop": SHOP, "content": "x"});
    assert_eq!(world.post(&admin, PATH, body.clone()).await.problem(), (403, "forbidden"));
    assert_eq!(world.post(&admin, &format!("{PATH}/{campaign}/start"), json!({})).await.problem(), (403, "forbidden"));
    let listed = world.get(&admin, PATH).await.ok();
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["content"]), (&json!(campaign.to_string()), &json!("tulips")));
    assert_eq!(world.get(&foreign, PATH).await.problem(), (403, "wrong_tenant"));
    let elsewhere = world.get(&Person::operator(), &format!("/v1/tenants/other/campaigns/{campaign}")).await;
    assert_eq!(elsewhere.problem(), (404, "not_found"));
    let none = world.post(&Person::operator(), PATH, json!({"shop": "nowhere", "content": "x"})).await;
    assert_eq!(none.problem(), (404, "not_found"));
    let empty = world.post(&Person::operator(), PATH, json!({"shop": SHOP, "content": ""})).await;
    assert_eq!(empty.problem(), (422, "message_empty"));
    let hasty = world.post(&Person::operator(), PATH, json!({"shop": SHOP, "content": "x", "per_second": 0})).await;
    assert_eq!(hasty.problem(), (422, "limit_out_of_range"));
    let nobody = world.post(&Person::operator(), &format!("{PATH}/{campaign}/start"), json!({})).await;
    assert_eq!(nobody.problem(), (409, "campaign_without_recipients"));
    world.end().await;
}

#[tokio::test]
async fn customers_of_another_system_are_imported_once() {
    let world = World::new().await;
    let first = imported(&world, 70).await;
    assert_eq!(first.len(), 70);
    assert_eq!(imported(&world, 70).await, first);
    let import = async |body: Value| world.post(&Person::operator(), "/v1/tenants/acme/customers/import", body).await;
    assert_eq!(import(json!({"customers": []})).await.problem().0, 422);
    let local = json!({"customers": [{"provider": "crm", "account": "new"}, {"provider": "local", "account": "x"}]});
    assert_eq!(import(local).await.problem().0, 422);
    let agent = world.staff(ACME, Role::Agent, "agent").await;
    let refused = world.post(&agent, "/v1/tenants/acme/customers/import", json!({"customers": [{"provider": "c", "account": "1"}]})).await;
    assert_eq!(refused.problem(), (403, "forbidden"));
    world.end().await;
}
