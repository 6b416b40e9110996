//! The example tenants, as their documents are written: who is greeted how, and where each comes to.

use std::path::Path;

use axum::http::Method;
use domain::time::Millis;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::{PASSWORD, Person};
use tests::world::endpoint::to_this_machine;
use tests::world::robot_server::{RobotServer, Says};
use tests::world::{ACME, SHOP, World};

/// 2026-11-23, a Monday, 10:00 in Shanghai.
const MONDAY_MORNING: i64 = 1_795_399_200_000;

struct Example {
    world: World,
    admin: Person,
}

impl Example {
    /// A tenant with these groups that follows an example's documents, at a moment.
    async fn of(name: &str, groups: &[&str], at: i64) -> Self {
        let world = World::with_config(to_this_machine()).await;
        world.make_tenant(ACME).await;
        world.clock.pass(Millis(at - world.clock_ms()));
        let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
        for group in groups {
            let formed = world.post(&admin, "/v1/tenants/acme/groups", json!({"id": group, "title": group})).await;
            assert!(formed.status.is_success(), "{}", formed.body);
        }
        for kind in ["reception", "assignment"] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../examples/tenants/{name}/{kind}.flow.yaml"));
            let text = std::fs::read_to_string(file).unwrap();
            let published = world.call(&admin, Method::PUT, &format!("/v1/tenants/acme/flows/{kind}"), json!({"text": text})).await;
            assert!(published.status.is_success(), "{name} {kind}: {}", published.body);
        }
        world.settle().await;
        Self { world, admin }
    }

    /// Hours pass, and whoever sets the tenant up signs in again.
    async fn later(&mut self, span: Millis) {
        self.world.clock.pass(span);
        self.admin = self.world.sign_in(ACME, "admin").await;
    }

    async fn agent(&self, login: &str, group: &str) -> Person {
        let body = json!({"role": "agent", "display_name": login, "login": login, "password": PASSWORD, "groups": [group]});
        let _ = self.world.post(&self.admin, "/v1/tenants/acme/users", body).await.ok();
        let agent = self.world.sign_in(ACME, login).await;
        self.world.on_duty(&agent).await;
        agent
    }

    /// Somebody of a tier comes in from a page: the conversation, and what they were told.
    async fn comes(&self, name: &str, tier: Option<&str>, page: &str) -> (Value, Vec<String>) {
        self.comes_and(name, tier, page, false).await
    }

    /// The same, and asks for a human instead of the robot.
    async fn comes_for_a_human(&self, name: &str, tier: Option<&str>, page: &str) -> (Value, Vec<String>) {
        self.comes_and(name, tier, page, true).await
    }

    async fn comes_and(&self, name: &str, tier: Option<&str>, page: &str, wants_human: bool) -> (Value, Vec<String>) {
        let customer = self.world.customer(ACME, name).await;
        let path = format!("/v1/tenants/acme/users/{}/description", customer.user());
        let _ = self.world.call(&self.admin, Method::PATCH, &path, json!({"tier": tier})).await.ok();
        let body = json!({"shop": SHOP, "entry": {"page": page}});
        let opened = self.world.post(&customer, "/v1/tenants/acme/chats", body).await.ok();
        let (chat, conversation) = (opened["chat"].as_str().unwrap(), opened["conversation"].as_str().unwrap());
        if wants_human {
            let row = self.world.get(&self.admin, &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok();
            assert_eq!(row["status"], "reception", "the robot has them");
            let _ = self.world.post(&customer, &format!("/v1/tenants/acme/conversations/{conversation}/hand-off"), json!({})).await.ok();
            self.world.settle().await;
        }
        let row = self.world.get(&self.admin, &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok();
        let heard = self.world.get(&customer, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
        let mut heard: Vec<(u64, String)> = heard["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| (message["seq"].as_u64().unwrap(), message["content"].as_str().unwrap().to_owned()))
            .collect();
        heard.sort();
        (row, heard.into_iter().map(|(_, content)| content).collect())
    }
}

fn stands(row: &Value) -> (&str, &str) {
    (row["status"].as_str().unwrap(), row["group"].as_str().unwrap())
}

#[tokio::test]
async fn the_flagship_tells_its_customers_apart() {
    let mut store = Example::of("flagship", &["presale", "aftersale", "vip"], MONDAY_MORNING).await;
    let (gold, _) = store.comes_for_a_human("gold", Some("gold"), "shop").await;
    assert_eq!(stands(&gold), ("waiting", "aftersale"), "nobody of vip is there");
    let vera = store.agent("vera", "vip").await;
    let (platinum, heard) = store.comes("platinum", Some("platinum"), "order").await;
    assert_eq!((stands(&platinum), &platinum["agent"]), (("serving", "vip"), &json!(vera.user().to_string())));
    assert_eq!(heard, ["您好，订单有什么问题？请直接告诉我。"]);
    let (browsing, heard) = store.comes_for_a_human("li", None, "product").await;
    assert_eq!((stands(&browsing), heard), (("waiting", "presale"), vec!["您好，欢迎光临旗舰店！".to_owned()]));
    let (parcel, _) = store.comes_for_a_human("wang", None, "logistics").await;
    assert_eq!(stands(&parcel), ("waiting", "aftersale"));
    let queue = store.world.get(&store.admin, "/v1/tenants/acme/queue?group=aftersale").await.ok();
    let priorities: Vec<(&Value, &Value)> =
        queue["data"].as_array().unwrap().iter().map(|row| (&row["conversation"], &row["priority"])).collect();
    assert_eq!(priorities, [(&gold["id"], &json!(50)), (&parcel["id"], &json!(100))]);
    store.later(Millis::hours(14)).await;
    let (late, heard) = store.comes_for_a_human("zhao", None, "product").await;
    assert_eq!(stands(&late), ("left_message", "aftersale"), "it is midnight");
    assert_eq!(heard[1], "现在没有客服可以马上回复您，请留言，我们会尽快答复。");
    store.world.end().await;
}

#[tokio::test]
async fn the_two_of_the_small_shop_sleep_at_night_and_answer_in_the_morning() {
    let night = MONDAY_MORNING + 13 * 3_600_000;
    let mut shop = Example::of("duo", &[], night).await;
    let (left, heard) = shop.comes("li", None, "shop").await;
    assert_eq!(stands(&left), ("left_message", "main"));
    assert_eq!(heard, ["您好！我们的营业时间是早上九点半到晚上九点，请先留言。", "已收到您的留言，我们早上回复。"]);
    shop.later(Millis::hours(11)).await;
    let one = shop.world.agent_on_duty(ACME, "one").await;
    let row = shop.world.get(&shop.admin, &format!("/v1/tenants/acme/conversations/{}", left["id"].as_str().unwrap())).await.ok();
    assert_eq!((stands(&row), &row["agent"]), (("serving", "main"), &json!(one.user().to_string())));
    shop.world.end().await;
}

#[tokio::test]
async fn the_carrier_relays_while_its_provider_is_there() {
    let carrier = Example::of("carrier", &["relay"], MONDAY_MORNING).await;
    let (left, heard) = carrier.comes("li", None, "logistics").await;
    assert_eq!((stands(&left), heard.len()), (("left_message", "relay"), 2));
    let desk = RobotServer::start(Says::Json(json!({"status": "queueing", "position": 2}))).await;
    let connection = json!({"title": "顺达快递", "url": desk.url(), "groups": ["relay"], "capacity": 30});
    let connected = carrier.world.call(&carrier.admin, Method::PUT, "/v1/tenants/acme/providers/express", connection).await.ok();
    carrier.world.settle().await;
    let morning: Vec<String> = desk.asked().iter().map(|asked| asked.body["conversation"].as_str().unwrap().to_owned()).collect();
    assert_eq!(morning, [left["id"].as_str().unwrap().replace('-', "")], "what was left is relayed first");
    let (relayed, heard) = carrier.comes("wang", None, "logistics").await;
    assert_eq!((stands(&relayed), &relayed["agent"]), (("serving", "relay"), &connected["agent"]));
    assert_eq!(heard, ["您好，这里是物流客服。请提供运单号。"]);
    let told = desk.asked().pop().unwrap().body;
    assert_eq!((&told["type"], &told["history"][0]["content"]), (&json!("session.create"), &json!(heard[0])));
    carrier.world.pass(Millis::minutes(2)).await;
    let row = carrier.world.get(&carrier.admin, &format!("/v1/tenants/acme/conversations/{}", relayed["id"].as_str().unwrap())).await.ok();
    assert_eq!(row["status"], "waiting", "nobody accepted in two minutes");
    carrier.world.end().await;
}
