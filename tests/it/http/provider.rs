//! Providers, played on this machine: seats at desks of their own, called over signed HTTP in both directions.

mod attachments;
mod failing;
mod resting;
mod settings;
mod simulator;

use adapters::webhook_signature::{ID, SIGNATURE, SigningKey, TIMESTAMP};
use axum::body::Body;
use axum::http::{Method, Request, header};
use domain::time::Millis;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::endpoint::to_this_machine;
use tests::world::robot_server::{RobotServer, Says};
use tests::world::{ACME, Reply, World};

const PROVIDER: &str = "/v1/tenants/acme/providers/express";

fn accepted() -> Says {
    Says::Json(json!({"status": "accepted"}))
}

/// A shop whose only seat is a provider's desk.
struct Shop {
    world: World,
    admin: Person,
    desk: RobotServer,
    agent: String,
    key: SigningKey,
}

impl Shop {
    async fn open(says: Says) -> Self {
        let world = World::with_config(to_this_machine()).await;
        world.make_tenant(ACME).await;
        let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
        let desk = RobotServer::start(says).await;
        let connection = json!({"title": "Express", "url": desk.url(), "groups": ["main"], "capacity": 3, "accept_within_ms": 60_000});
        let connected = world.call(&admin, Method::PUT, PROVIDER, connection).await.ok();
        let key = connected["secret"].as_str().and_then(SigningKey::parse).expect("a new provider shows its secret");
        let agent = connected["agent"].as_str().unwrap().to_owned();
        world.settle().await;
        Self { world, admin, desk, agent, key }
    }

    /// A customer comes in: they, their chat, and their conversation.
    async fn comes(&self, name: &str) -> (Person, String, String) {
        let customer = self.world.customer(ACME, name).await;
        let (chat, conversation) = self.world.open_chat(&customer).await;
        self.world.settle().await;
        (customer, chat, conversation)
    }

    async fn says(&self, customer: &Person, chat: &str, text: &str) {
        let _ = self.world.say(customer, chat, text).await.ok();
        self.world.settle().await;
    }

    async fn row(&self, conversation: &str) -> Value {
        self.world.get(&self.admin, &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok()
    }

    /// How providers took a conversation, one decision of the desk after the other, as staff see it.
    async fn took(&self, conversation: &str) -> Vec<Value> {
        let path = format!("/v1/tenants/acme/conversations/{conversation}/assignment");
        let explained = self.world.get(&self.admin, &path).await.ok();
        explained["decisions"].as_array().unwrap().iter().map(|decision| decision["provider"].clone()).collect()
    }

    async fn status(&self, conversation: &str) -> String {
        self.row(conversation).await["status"].as_str().unwrap().to_owned()
    }

    /// What the provider was told, without what has no meaning here.
    fn told(&self) -> Vec<Value> {
        self.desk.asked().into_iter().map(|asked| asked.body).collect()
    }

    fn types(&self) -> Vec<String> {
        self.told().iter().map(|body| body["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The provider says something, signed, under this id.
    async fn hears(&self, what: &str, id: &str, body: Value) -> Reply {
        self.hears_signed(&self.key, what, id, body).await
    }

    async fn hears_signed(&self, key: &SigningKey, what: &str, id: &str, body: Value) -> Reply {
        let (body, now_s) = (body.to_string(), self.world.clock_ms() / 1_000);
        let request = Request::post(format!("{PROVIDER}/{what}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(ID, id)
            .header(TIMESTAMP, now_s)
            .header(SIGNATURE, key.sign(id, now_s, body.as_bytes()));
        let reply = self.world.send(request.body(Body::from(body)).unwrap(), &Person::nobody()).await;
        self.world.settle().await;
        reply
    }

    /// What the customer's long poll would call what happened since they came.
    async fn codes(&self, customer: &Person) -> Vec<String> {
        let page = self.world.get(customer, "/v1/tenants/acme/feed?after=0").await.ok();
        let kinds = page["data"].as_array().unwrap().iter();
        kinds.filter_map(|item| item["event"].as_str().map(str::to_owned)).collect()
    }

    /// What the provider's people said, oldest first.
    async fn heard(&self, customer: &Person, chat: &str) -> Vec<String> {
        let page = self.world.get(customer, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
        let mut said = page["data"].as_array().unwrap().clone();
        said.retain(|message| message["origin"] == "provider");
        said.sort_by_key(|message| message["seq"].as_u64());
        said.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    }
}

fn message(shop: &Shop, conversation: &str, assignment: &Value, content: &str) -> Value {
    json!({"conversation": conversation, "assignment": assignment, "sent_at": shop.world.clock_ms(), "content": content})
}

#[tokio::test]
async fn it_is_told_of_a_customer_hears_them_answers_is_rated_and_ends() {
    let shop = Shop::open(accepted()).await;
    let (customer, chat, conversation) = shop.comes("li").await;
    let row = shop.row(&conversation).await;
    assert_eq!((&row["status"], &row["agent"]), (&json!("serving"), &json!(shop.agent)));
    shop.says(&customer, &chat, "几时到？").await;
    let told = shop.told();
    assert_eq!(shop.types(), ["session.create", "message.deliver"]);
    let assignment = &told[0]["assignment"];
    assert_eq!((&told[0]["history"], &told[0]["accept_within_ms"]), (&json!([]), &json!(60_000)));
    assert_eq!((&told[1]["content"], &told[1]["seq"], &told[1]["assignment"]), (&json!("几时到？"), &json!(1), assignment));
    let asked = shop.desk.asked();
    let verified = asked.iter().map(|asked| shop.key.verify(&asked.headers, asked.text.as_bytes(), shop.world.app.now()).unwrap());
    assert_eq!(verified.collect::<std::collections::BTreeSet<_>>().len(), 2, "each call is signed and has its own id");

    let answer = message(&shop, &conversation, assignment, "明天到。");
    let first = shop.hears("messages", "m1", answer.clone()).await.ok();
    assert_eq!(shop.hears("messages", "m1", answer).await.ok()["seq"], first["seq"], "said once");
    assert_eq!(shop.heard(&customer, &chat).await, ["明天到。"]);
    for (who, from) in [(&customer, &chat), (&shop.admin, &shop.agent)] {
        let page = shop.world.get(who, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
        let said = page["data"].as_array().unwrap().iter().find(|message| message["origin"] == "provider").cloned().unwrap();
        assert_eq!((&said["sender_name"], &said["from"]), (&json!("Express"), &json!(from)), "its title, and to its customer the shop");
    }
    let of_session = json!({"conversation": conversation, "assignment": assignment});
    let _ = shop.hears("rating-requests", "r1", of_session.clone()).await.ok();
    let rating = json!({"score": 5, "tags": ["fast"], "solved": true, "comment": "谢谢"});
    let _ = shop.world.post(&customer, &format!("/v1/tenants/acme/conversations/{conversation}/rating"), rating).await.ok();
    let _ = shop.hears("session-ended", "e1", of_session.clone()).await.ok();
    let _ = shop.hears("session-ended", "e1", of_session.clone()).await.ok();
    assert_eq!(shop.row(&conversation).await["close_reason"], "ended_by_agent");
    assert_eq!(shop.types(), ["session.create", "message.deliver", "rating.deliver", "session.end"]);
    let told = shop.told();
    assert_eq!((&told[2]["score"], &told[2]["comment"]), (&json!(5), &json!("谢谢")));
    assert_eq!((&told[3]["reason"], &told[3]["assignment"]), (&json!("closed"), assignment));
    shop.world.end().await;
}

#[tokio::test]
async fn its_customer_queues_there_until_somebody_accepts_and_what_comes_late_changes_nothing() {
    let shop = Shop::open(Says::Json(json!({"status": "queueing", "position": 4}))).await;
    let (customer, chat, conversation) = shop.comes("li").await;
    let assignment = shop.told()[0]["assignment"].clone();
    let stands = async |status: &str, position: Value| {
        let body = json!({"conversation": conversation, "assignment": assignment, "status": status, "position": position});
        shop.hears("session-created", &format!("{status}{position}"), body).await
    };
    let _ = stands("queueing", json!(1)).await.ok();
    assert_eq!(stands("queueing", Value::Null).await.problem(), (422, "invalid_value"));
    let _ = stands("accepted", Value::Null).await.ok();
    let _ = stands("queueing", json!(2)).await.ok();
    let feed = shop.world.get(&customer, "/v1/tenants/acme/feed?after=0").await.ok();
    let joined = feed["data"].as_array().unwrap().iter().find(|item| item["event"] == "provider_accepted").unwrap();
    assert_eq!((&joined["agent"], &joined["agent_name"]), (&json!(chat), &json!("Express")));
    assert!(!feed.to_string().contains(&shop.agent), "nothing tells who it is");
    let codes = shop.codes(&customer).await;
    let since_assigned: Vec<&str> = codes.iter().map(String::as_str).skip_while(|code| *code != "agent_assigned").collect();
    assert_eq!(since_assigned, ["agent_assigned", "provider_queueing", "provider_queueing", "provider_accepted"]);
    shop.world.pass(Millis::minutes(5)).await;
    let row = shop.world.app.ports.views.conversation(ACME.parse().unwrap(), conversation.parse().unwrap()).unwrap();
    assert_eq!(row.agent.map(|agent| agent.to_string()), Some(shop.agent.clone()), "it accepted in time");
    shop.world.end().await;
}

#[tokio::test]
async fn what_was_said_before_it_got_the_conversation_is_told_with_it_and_once() {
    let shop = Shop::open(accepted()).await;
    let agent = shop.world.agent_on_duty(ACME, "alice").await;
    // Whoever has fewer: the first goes to one of them, and is handed to the provider by name.
    let (customer, chat, conversation) = shop.comes("li").await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/transfer");
    let _ = shop.world.post(&shop.admin, &path, json!({"agent": agent.user().to_string()})).await;
    shop.world.settle().await;
    shop.says(&customer, &chat, "我的包裹在哪？").await;
    let before = shop.told().len();
    let _ = shop.world.post(&shop.admin, &path, json!({"agent": shop.agent})).await.ok();
    shop.world.settle().await;
    shop.says(&customer, &chat, "喂？").await;
    let told = shop.told().split_off(before);
    assert_eq!(told[0]["type"], "session.create");
    assert_eq!(told[0]["history"], json!([{"seq": 1, "from": "customer", "kind": "text", "content": "我的包裹在哪？"}]));
    assert_eq!((told.len(), &told[1]["content"]), (2, &json!("喂？")));
    shop.world.end().await;
}
