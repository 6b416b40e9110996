//! A scorer of the tenant's, played on this machine: whom it prefers gets the conversation, and whatever it does wrong the next step of
//! the flow decides.

use adapters::webhook_signature::SigningKey;
use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::endpoint::to_this_machine;
use tests::world::robot_server::{RobotServer, Says};
use tests::world::{ACME, World};

const SCORER: &str = "/v1/tenants/acme/robots/ranker";

const FLOW: &str = "\
flow: assignment
default:
  choose: [{ scorer: { name: ranker, within_ms: 200 } }, least_loaded]
";

struct Shop {
    world: World,
    admin: Person,
    scorer: RobotServer,
    key: SigningKey,
    alice: Person,
    bob: Person,
}

impl Shop {
    async fn open() -> Self {
        let world = World::with_config(to_this_machine()).await;
        world.make_tenant(ACME).await;
        let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
        let scorer = RobotServer::start(Says::Nothing).await;
        let connection = json!({"protocol": "http", "uses": ["scorer"], "url": scorer.url()});
        let connected = world.call(&admin, Method::PUT, SCORER, connection).await.ok();
        let key = connected["secret"].as_str().and_then(SigningKey::parse).unwrap();
        let _ = world.call(&admin, Method::PUT, "/v1/tenants/acme/flows/assignment", json!({"text": FLOW})).await.ok();
        let (alice, bob) = (world.agent_on_duty(ACME, "alice").await, world.agent_on_duty(ACME, "bob").await);
        Self { world, admin, scorer, key, alice, bob }
    }

    /// It scores everybody so from here on.
    fn scores(&self, scores: &[(&Person, i64)]) {
        let scores: serde_json::Map<String, Value> = scores.iter().map(|(who, score)| (who.user().to_string(), json!(score))).collect();
        self.scorer.says(Says::Json(json!({ "scores": scores })));
    }

    async fn customer(&self, name: &str) -> (Person, String, String) {
        let customer = self.world.customer(ACME, name).await;
        let (chat, conversation) = self.world.open_chat(&customer).await;
        (customer, chat, conversation)
    }

    async fn decided(&self, conversation: &str, how: &str) -> Value {
        let path = format!("/v1/tenants/acme/conversations/{conversation}/assignment{how}");
        self.world.get(&self.admin, &path).await.ok()["decisions"][0].clone()
    }

    /// Somebody who comes: who got them, and by which rule.
    async fn goes_to(&self, name: &str) -> (String, String) {
        let (_, _, conversation) = self.customer(name).await;
        self.world.settle().await;
        let decided = self.decided(&conversation, "").await;
        (decided["agent"].as_str().unwrap().to_owned(), decided["rule"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn whom_it_prefers_gets_the_conversation_and_the_scores_are_kept() {
    let shop = Shop::open().await;
    shop.scores(&[(&shop.alice, 10), (&shop.bob, 20)]);
    let (_, _, conversation) = shop.customer("li").await;
    shop.world.settle().await;
    let decided = shop.decided(&conversation, "?everybody=true").await;
    let (alice, bob) = (shop.alice.user().to_string(), shop.bob.user().to_string());
    assert_eq!((&decided["agent"], &decided["rule"], &decided["agrees"]), (&json!(bob), &json!("scorer"), &json!(true)), "{decided:#}");
    let kept: Vec<_> = decided["candidates"].as_array().unwrap().iter().map(|one| (&one["agent"], &one["score"], &one["lost"])).collect();
    assert_eq!(kept, [(&json!(bob), &json!(20), &Value::Null), (&json!(alice), &json!(10), &json!("lower_score"))]);
    assert!(decided["words"]["en"].as_str().unwrap().contains("scorer preferred"), "{decided}");

    let asked = shop.scorer.asked();
    assert_eq!(asked.len(), 1);
    assert!(shop.key.verify(&asked[0].headers, asked[0].text.as_bytes(), shop.world.app.now()).is_ok());
    let body = &asked[0].body;
    assert_eq!((&body["purpose"], &body["group"], &body["entry_page"]), (&json!("scorer"), &json!("main"), &json!("shop")), "{body:#}");
    let told: Vec<_> = body["candidates"].as_array().unwrap().iter().map(|one| (&one["load"], &one["free"])).collect();
    assert_eq!(told, [(&json!(0), &json!(true)), (&json!(0), &json!(true))]);
    assert_eq!(body["candidates"][0].as_object().unwrap().len(), 4, "nothing but ids and loads: {body:#}");
    shop.world.end().await;
}

#[tokio::test]
async fn whatever_it_does_wrong_the_next_step_decides() {
    let shop = Shop::open().await;
    let alice = shop.alice.user().to_string();
    let wrong = [
        Says::Text("<html>".into()),
        Says::Text(format!("{{\"scores\": {{}}, \"x\": \"{}\"}}", "x".repeat(5 * 1024 * 1024))),
        Says::Json(json!({"scores": {alice.clone(): 2_000_000}})),
        Says::Status(axum::http::StatusCode::INTERNAL_SERVER_ERROR),
        Says::Redirect,
        Says::Nothing,
        Says::Json(json!({"scores": {}})),
        Says::Json(json!({"scores": {"00000000000000000000000000000001": 5}})),
    ];
    for (nth, says) in wrong.into_iter().enumerate() {
        shop.scorer.says(says);
        // Connected anew, so that it does not rest.
        let connection = json!({"protocol": "http", "uses": ["scorer"], "url": shop.scorer.url()});
        let _ = shop.world.call(&shop.admin, Method::PUT, SCORER, connection).await.ok();
        assert_eq!(shop.goes_to(&format!("c{nth}")).await.1, "least_loaded", "{nth}");
    }
    assert_eq!(shop.scorer.asked().len(), 8, "asked once each, and a redirect leads nowhere");
    let _ = shop.world.call(&shop.admin, Method::DELETE, SCORER, Value::Null).await.ok();
    assert_eq!(shop.goes_to("last").await.1, "least_loaded");
    assert_eq!(shop.scorer.asked().len(), 8, "nobody asks one that is not connected");
    shop.world.end().await;
}

#[tokio::test]
async fn who_leaves_while_it_thinks_does_not_stay_at_the_desk() {
    let shop = Shop::open().await;
    shop.scores(&[(&shop.alice, 1)]);
    shop.scorer.hold(true);
    let (customer, _, conversation) = shop.customer("li").await;
    shop.scorer.until_asked(1).await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/close");
    let _ = shop.world.post(&customer, &path, json!({})).await.ok();
    shop.scorer.hold(false);
    shop.world.settle().await;
    let queues = shop.world.get(&shop.admin, "/v1/tenants/acme/queue").await.ok();
    assert_eq!(queues["data"], json!([]), "{queues}");
    let agents = shop.world.app.ports.views.agents(tests::world::id(ACME));
    assert!(agents.iter().all(|agent| agent.carries.is_empty()), "{agents:?}");
    shop.world.end().await;
}

#[tokio::test]
async fn a_language_model_scores_nobody() {
    let shop = Shop::open().await;
    let connection = json!({"protocol": "chat_completions", "model": "m", "uses": ["scorer"], "url": shop.scorer.url()});
    let problem = shop.world.call(&shop.admin, Method::PUT, SCORER, connection).await;
    assert_eq!(problem.problem(), (422, "invalid_value"));
    shop.world.end().await;
}
