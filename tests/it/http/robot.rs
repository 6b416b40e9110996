//! The robot that answers from the tenant's articles: what it knows it answers, what it does not know it says, and when a human is
//! wanted it gives way.

use application::ports::key_store::TENANT_SUBJECT;
use axum::http::Method;
use domain::time::Millis;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::cover::{Cover, Covered};
use tests::world::{ACME, SHOP, World, id};

const FLOW: &str = "\
flow: reception
languages: [zh-CN, en]
robot:
  - { seat: faq }
hand_off:
  button: BUTTON
  keywords: [人工, human]
  unknown_answers: 2
  picture: true
  rating_at_most: 2
destinations:
  us: { group: main, say: { zh-CN: 请稍候, en: One moment } }
route:
  - { to: us }
idle:
  close_after: 10m
";

const ARTICLES: &str = r#"
{"article": "return", "question": "怎么退货？", "similar": ["How do I return an item?", "I want to send it back", "退货流程是什么"], "answer": "请在订单页申请。", "links": [{"title": "退货", "url": "https://shop.example/returns"}]}
{"article": "invoice", "question": "怎么开发票？", "similar": ["How do I get an invoice?", "can you send me the bill", "发票在哪里开"], "answer": "请在订单页开票。"}
{"article": "sizes", "question": "尺码怎么选？", "similar": ["Which size fits me?", "what size should I order", "尺码表"], "answer": "请看尺码表。"}
{"article": "hours", "question": "几点营业？", "similar": ["When are you open?", "what are your opening hours", "营业时间"], "answer": "九点到九点。"}
"#;

struct Shop {
    world: World,
    admin: Person,
}

impl Shop {
    async fn open(button: bool) -> Self {
        Self::in_world(World::new().await, button).await
    }

    async fn in_world(world: World, button: bool) -> Self {
        let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
        let text = FLOW.replace("BUTTON", &button.to_string());
        let _ = world.call(&admin, Method::PUT, "/v1/tenants/acme/flows/reception", json!({"text": text})).await.ok();
        let _ = world.post(&admin, "/v1/tenants/acme/articles/import", json!({"jsonl": ARTICLES})).await.ok();
        Self { world, admin }
    }

    async fn enter(&self, name: &str) -> (Person, String, String) {
        let customer = self.world.customer(ACME, name).await;
        let (chat, conversation) = self.world.open_chat(&customer).await;
        self.world.settle().await;
        (customer, chat, conversation)
    }

    async fn says(&self, customer: &Person, chat: &str, text: &str) {
        let _ = self.world.say(customer, chat, text).await.ok();
        self.world.settle().await;
    }

    /// What the robot said, oldest first.
    async fn robot(&self, customer: &Person, chat: &str) -> Vec<Value> {
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
}

#[tokio::test]
async fn what_the_articles_say_is_answered_at_once_and_once() {
    let shop = Shop::open(true).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    shop.says(&customer, &chat, "怎么退货？").await;
    let said = shop.robot(&customer, &chat).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!((&said[0]["content"], &said[0]["category"]), (&json!("请在订单页申请。"), &json!("robot")));
    assert_eq!(said[0]["ext"], json!({"article": "return", "links": [{"title": "退货", "url": "https://shop.example/returns"}]}));
    shop.says(&customer, &chat, "How do I get an invoice?").await;
    assert_eq!(shop.robot(&customer, &chat).await[1]["content"], "请在订单页开票。");
    assert_eq!(shop.status(&conversation).await, "reception");
    // What the robot answered is answered: silence ends it, and nobody is told that an answer is overdue.
    shop.world.pass(Millis::minutes(10)).await;
    assert_eq!(shop.status(&conversation).await, "closed");
    shop.world.end().await;
}

#[tokio::test]
async fn what_it_does_not_know_it_says_and_after_two_on_end_a_human_is_asked() {
    let shop = Shop::open(true).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    shop.says(&customer, &chat, "量子力学的基本假设").await;
    let said = shop.robot(&customer, &chat).await;
    assert!(said[0]["content"].as_str().unwrap().starts_with("抱歉"), "{said:?}");
    assert_eq!(shop.status(&conversation).await, "reception");
    shop.says(&customer, &chat, "怎么退货？").await;
    shop.says(&customer, &chat, "宇宙有多大").await;
    assert_eq!(shop.status(&conversation).await, "reception", "one that it knew lies between");
    shop.says(&customer, &chat, "天空为什么是蓝色").await;
    assert_eq!(shop.status(&conversation).await, "waiting");
    let told = shop.robot(&customer, &chat).await.len();
    shop.says(&customer, &chat, "怎么开发票？").await;
    assert_eq!(shop.robot(&customer, &chat).await.len(), told, "it has gone");
    shop.world.end().await;
}

#[tokio::test]
async fn a_word_a_picture_or_the_button_brings_a_human() {
    let shop = Shop::open(true).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    shop.says(&customer, &chat, "转人工").await;
    assert_eq!((shop.status(&conversation).await.as_str(), shop.robot(&customer, &chat).await.len()), ("waiting", 0));

    let (customer, chat, conversation) = shop.enter("wang").await;
    let picture = json!({"id": shop.world.client_id(), "kind": "picture", "content": "", "url": "https://shop.example/a.jpg"});
    let _ = shop.world.post(&customer, &format!("/v1/tenants/acme/chats/{chat}/messages"), picture).await.ok();
    shop.world.settle().await;
    assert_eq!(shop.status(&conversation).await, "waiting");

    let (customer, _, conversation) = shop.enter("zhao").await;
    let _ = shop.world.post(&customer, &format!("/v1/tenants/acme/conversations/{conversation}/hand-off"), json!({})).await.ok();
    shop.world.settle().await;
    assert_eq!(shop.status(&conversation).await, "waiting");
    shop.world.end().await;

    let shop = Shop::open(false).await;
    let (customer, _, conversation) = shop.enter("li").await;
    let pressed = shop.world.post(&customer, &format!("/v1/tenants/acme/conversations/{conversation}/hand-off"), json!({})).await;
    assert_eq!(pressed.problem(), (409, "no_button"));
    assert_eq!(shop.status(&conversation).await, "reception");
    shop.world.end().await;
}

#[tokio::test]
async fn staff_may_try_what_it_would_answer_and_a_changed_article_holds_at_once() {
    let shop = Shop::open(true).await;
    let ask = async |text: &str| {
        let body = json!({"shop": SHOP, "text": text});
        shop.world.post(&shop.admin, "/v1/tenants/acme/articles/ask", body).await.ok()["matches"].clone()
    };
    let matches = ask("怎么退货？").await;
    assert_eq!((&matches[0]["article"], &matches[0]["answers"]), (&json!("return"), &json!(true)));
    let body = json!({"question": "怎么退货？", "answer": "不退。"});
    let _ = shop.world.call(&shop.admin, Method::PUT, "/v1/tenants/acme/articles/return", body).await.ok();
    assert_eq!(ask("怎么退货？").await[0]["answer"], "不退。");
    let _ = shop.world.call(&shop.admin, Method::DELETE, "/v1/tenants/acme/articles/return", Value::Null).await.ok();
    assert!(ask("怎么退货？").await.as_array().unwrap().iter().all(|found| found["article"] != "return"));
    shop.world.end().await;
}

#[tokio::test]
async fn who_leaves_the_page_ends_what_the_robot_has_and_comes_back_to_it() {
    let shop = Shop::open(true).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    shop.says(&customer, &chat, "怎么退货？").await;
    let _ = shop.world.post(&customer, &format!("/v1/tenants/acme/conversations/{conversation}/exit"), json!({})).await.ok();
    shop.world.settle().await;
    assert_eq!(shop.status(&conversation).await, "closed");
    shop.says(&customer, &chat, "怎么开发票？").await;
    assert_eq!(shop.status(&conversation).await, "reception", "within the time in which it is reopened");
    assert_eq!(shop.robot(&customer, &chat).await.last().unwrap()["content"], "请在订单页开票。");
    shop.world.end().await;
}

#[tokio::test]
async fn each_answer_is_rated_once_and_a_bad_rating_brings_a_human() {
    let shop = Shop::open(true).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    let (other, other_chat, other_conversation) = shop.enter("wang").await;
    shop.says(&customer, &chat, "怎么退货？").await;
    shop.says(&customer, &chat, "怎么开发票？").await;
    shop.says(&other, &other_chat, "怎么退货？").await;
    let message = |said: &Value| said["id"].as_str().unwrap().to_owned();
    let said = shop.robot(&customer, &chat).await;
    let rate = async |who: &Person, conversation: &str, message: &str, score: u8| {
        let path = format!("/v1/tenants/acme/conversations/{conversation}/answers/{message}/rating");
        shop.world.post(who, &path, json!({"score": score})).await
    };
    let _ = rate(&customer, &conversation, &message(&said[0]), 3).await.ok();
    shop.world.settle().await;
    assert_eq!(shop.status(&conversation).await, "reception", "that was not so bad");
    assert_eq!(rate(&customer, &conversation, &message(&said[0]), 1).await.problem(), (409, "already_rated"));
    let own = shop.world.get(&customer, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    let own = own["data"].as_array().unwrap().iter().find(|said| said["category"] == "customer").map(message).unwrap();
    assert_eq!(rate(&customer, &conversation, &own, 1).await.problem(), (422, "not_an_answer"));
    let of_other = message(&shop.robot(&other, &other_chat).await[0]);
    assert_eq!(rate(&customer, &conversation, &of_other, 1).await.problem(), (422, "not_an_answer"));
    assert_eq!(rate(&customer, &other_conversation, &of_other, 1).await.problem(), (403, "forbidden"));
    let _ = rate(&customer, &conversation, &message(&said[1]), 2).await.ok();
    shop.world.settle().await;
    assert_eq!(shop.status(&conversation).await, "waiting");
    shop.world.end().await;
}

#[tokio::test]
async fn an_article_that_cannot_be_read_brings_a_human_and_stops_nobody_else() {
    let (world, cover) = Cover::world().await;
    world.make_tenant(ACME).await;
    let shop = Shop::in_world(world, true).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    shop.says(&customer, &chat, "怎么退货？").await;
    assert_eq!(shop.robot(&customer, &chat).await.len(), 1);
    // The flow is known by now, and what the articles say must be read anew.
    let body = json!({"question": "怎么退货？", "answer": "不退。"});
    let _ = shop.world.call(&shop.admin, Method::PUT, "/v1/tenants/acme/articles/return", body).await.ok();
    cover.cover(Some(((id(ACME), TENANT_SUBJECT), Covered::Unavailable)));
    shop.says(&customer, &chat, "怎么退货？").await;
    assert_eq!((shop.status(&conversation).await.as_str(), shop.robot(&customer, &chat).await.len()), ("waiting", 1));
    cover.cover(None);
    let (customer, chat, _) = shop.enter("wang").await;
    shop.says(&customer, &chat, "怎么退货？").await;
    assert_eq!(shop.robot(&customer, &chat).await[0]["content"], "不退。", "the robot goes on");
    shop.world.end().await;
}
