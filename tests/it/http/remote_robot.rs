//! Robots elsewhere, played on this machine: what they are asked, what becomes of their answers, and that one which is slow, down or
//! wrong blocks nobody.

mod assist;
mod chat_completions;
mod failing;
mod settings;

use adapters::webhook_signature::SigningKey;
use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::endpoint::to_this_machine;
use tests::world::robot_server::{RobotServer, Says};
use tests::world::{ACME, World};

const FLOW: &str = "\
flow: reception
languages: [zh-CN, en]
welcome:
  - { say: { zh-CN: 您好, en: Hello } }
robot:
  - { seat: guide }
hand_off:
  unknown_answers: 2
destinations:
  us: { group: main }
route:
  - { to: us }
";

const ROBOT: &str = "/v1/tenants/acme/robots/guide";

/// A shop whose customers are received by a robot elsewhere.
struct Shop {
    world: World,
    admin: Person,
    robot: RobotServer,
    /// What the robot is asked is signed with it.
    key: Option<SigningKey>,
}

impl Shop {
    /// With a robot that is asked by HTTP.
    async fn open(says: Says) -> Self {
        Self::open_with(says, json!({"protocol": "http", "uses": ["seat", "assist"]})).await
    }

    async fn open_with(says: Says, connection: Value) -> Self {
        let world = World::with_config(to_this_machine()).await;
        world.make_tenant(ACME).await;
        let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
        let robot = RobotServer::start(says).await;
        let mut shop = Self { world, admin, robot, key: None };
        let connected = shop.connect(connection).await;
        shop.key = connected["secret"].as_str().and_then(SigningKey::parse);
        let flow = json!({"text": FLOW});
        let _ = shop.world.call(&shop.admin, Method::PUT, "/v1/tenants/acme/flows/reception", flow).await.ok();
        shop
    }

    /// Connects the robot, perhaps otherwise: it begins anew.
    async fn connect(&self, mut connection: Value) -> Value {
        connection["url"] = json!(self.robot.url());
        self.world.call(&self.admin, Method::PUT, ROBOT, connection).await.ok()
    }

    async fn enter(&self, name: &str) -> (Person, String, String) {
        let customer = self.world.customer(ACME, name).await;
        let (chat, conversation) = self.world.open_chat(&customer).await;
        self.world.settle().await;
        (customer, chat, conversation)
    }

    /// The customer writes, and everything that follows has happened.
    async fn says(&self, customer: &Person, chat: &str, text: &str) {
        let _ = self.world.say(customer, chat, text).await.ok();
        self.world.settle().await;
    }

    /// What the robot said, oldest first.
    async fn heard(&self, customer: &Person, chat: &str) -> Vec<Value> {
        let page = self.world.get(customer, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
        let mut said = page["data"].as_array().unwrap().clone();
        said.retain(|message| message["origin"] == "robot");
        said.sort_by_key(|message| message["seq"].as_u64());
        said
    }

    async fn status(&self, conversation: &str) -> String {
        let path = format!("/v1/tenants/acme/conversations/{conversation}");
        self.world.get(&self.admin, &path).await.ok()["status"].as_str().unwrap().to_owned()
    }

    /// A customer who comes in and asks: what they heard, and how their conversation stands.
    async fn asks(&self, name: &str, text: &str) -> (Vec<Value>, String) {
        let (customer, chat, conversation) = self.enter(name).await;
        self.says(&customer, &chat, text).await;
        (self.heard(&customer, &chat).await, self.status(&conversation).await)
    }
}

#[tokio::test]
async fn its_answer_is_said_once_and_it_is_told_what_the_customer_sees_of_this_conversation() {
    let answer = json!({"answer": "今天发货。", "confidence": 87, "hints": ["怎么退货？"]});
    let shop = Shop::open(Says::Json(answer)).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    shop.says(&customer, &chat, "几时发货？").await;
    let heard = shop.heard(&customer, &chat).await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    let told = (&heard[0]["content"], &heard[0]["category"], &heard[0]["ext"]);
    assert_eq!(told, (&json!("今天发货。"), &json!("robot"), &json!({"hints": ["怎么退货？"]})));
    assert_eq!(shop.status(&conversation).await, "reception");

    shop.says(&customer, &chat, "谢谢").await;
    let asked = shop.robot.asked();
    let key = shop.key.clone().expect("a new robot shows its secret");
    let ids: Vec<&str> =
        asked.iter().map(|asked| key.verify(&asked.headers, asked.text.as_bytes(), shop.world.app.now()).unwrap()).collect();
    assert_ne!(ids[0], ids[1], "each question has its own id");
    let turn = |seq: u64, from: &str, text: &str| json!({"seq": seq, "from": from, "kind": "text", "text": text});
    let history = [turn(1, "system", "您好"), turn(2, "customer", "几时发货？"), turn(3, "robot", "今天发货。")];
    let expected = json!({
        "purpose": "seat", "conversation": asked[1].body["conversation"], "chat": asked[1].body["chat"], "shop": "flagship",
        "entry_page": "shop", "language": null, "seq": 4, "kind": "text", "text": "谢谢", "history": history,
    });
    assert_eq!(asked[1].body, expected);
    assert_eq!(asked[1].body["chat"].as_str().unwrap().replace('-', ""), chat.replace('-', ""));
    shop.world.end().await;
}

#[tokio::test]
async fn what_it_does_not_know_it_says_and_after_two_on_end_a_human_is_asked() {
    let shop = Shop::open(Says::Json(json!({"unknown": true, "hints": ["怎么退货？"]}))).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    shop.says(&customer, &chat, "宇宙有多大").await;
    let heard = shop.heard(&customer, &chat).await;
    assert_eq!(heard[0]["ext"], json!({"hints": ["怎么退货？"]}));
    assert!(heard[0]["content"].as_str().unwrap().starts_with("抱歉"), "{heard:?}");
    shop.robot.says(Says::Json(json!({"answer": "今天发货。"})));
    shop.says(&customer, &chat, "几时发货？").await;
    shop.robot.says(Says::Json(json!({"unknown": true})));
    shop.says(&customer, &chat, "天空为什么是蓝色").await;
    assert_eq!(shop.status(&conversation).await, "reception", "one that it knew lies between");
    shop.says(&customer, &chat, "为什么").await;
    assert_eq!(shop.status(&conversation).await, "waiting");
    shop.world.end().await;
}

#[tokio::test]
async fn it_may_say_that_a_human_should_have_them() {
    let shop = Shop::open(Says::Json(json!({"hand_off": true}))).await;
    assert_eq!(shop.asks("li", "我要投诉").await, (vec![], "waiting".to_owned()));
    shop.world.end().await;
}
