//! Customers are received as the shop's flow says: greeted, sent to a group, to the night's messages, or told that there is nobody.

use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, SHOP, World};

/// Two groups, gold before others, a night, and a queue that is full with one.
const FLOW: &str = "\
flow: reception
languages: [zh-CN, en]
hours:
  zone: UTC
  week: { mon: [HOURS], tue: [HOURS], wed: [HOURS], thu: [HOURS], fri: [HOURS], sat: [HOURS], sun: [HOURS] }
welcome:
  - say: { zh-CN: 您好, en: Hello }
    hints:
      - { zh-CN: 怎么退货？, en: How do I return it? }
destinations:
  presale: { when: { service: open }, group: main, otherwise: night }
  aftersale: { when: { service: open, queue: { group: after, at_most: 0 } }, group: after, otherwise: full }
  night: { group: main, then: leave_message, say: { zh-CN: 请留言, en: Please leave a message } }
  full: { then: refuse, say: { zh-CN: 请稍后再来, en: Please come back later } }
route:
  - { when: { stage: [after_sale] }, to: aftersale }
  - { when: { words: [退款, refund] }, to: aftersale }
  - { to: presale }
";

const PRIORITIES: &str = "\
flow: assignment
priority:
  - { when: { tier: [gold] }, priority: 10 }
  - { when: { tag: [angry] }, priority: 50 }
";

struct Shop {
    world: World,
    admin: Person,
}

impl Shop {
    /// A shop with flows whose hours are these.
    async fn open(hours: &str) -> Self {
        let world = World::new().await;
        let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
        let _ = world.post(&admin, "/v1/tenants/acme/groups", json!({"id": "after", "title": "after sale"})).await.ok();
        let shop = Self { world, admin };
        shop.publish("reception", &FLOW.replace("HOURS", &format!("\"{hours}\""))).await;
        shop.publish("assignment", PRIORITIES).await;
        shop
    }

    async fn publish(&self, kind: &str, text: &str) {
        let path = format!("/v1/tenants/acme/flows/{kind}");
        let _ = self.world.call(&self.admin, Method::PUT, &path, json!({"text": text})).await.ok();
    }

    async fn customer(&self, name: &str, described: Value) -> Person {
        let customer = self.world.customer(ACME, name).await;
        let path = format!("/v1/tenants/acme/users/{}/description", customer.user());
        let _ = self.world.call(&self.admin, Method::PATCH, &path, described).await.ok();
        customer
    }

    /// Comes in from a page, and has been received: the chat and the conversation.
    async fn enter(&self, customer: &Person, page: &str) -> (String, Value) {
        let body = json!({"shop": SHOP, "entry": {"page": page}});
        let opened = self.world.post(customer, "/v1/tenants/acme/chats", body).await.ok();
        (opened["chat"].as_str().unwrap().to_owned(), self.conversation(opened["conversation"].as_str().unwrap()).await)
    }

    async fn conversation(&self, conversation: &str) -> Value {
        self.world.get(&self.admin, &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok()
    }

    /// What the customer reads, oldest first.
    async fn heard(&self, customer: &Person, chat: &str) -> Vec<Value> {
        let page = self.world.get(customer, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
        let mut messages = page["data"].as_array().unwrap().clone();
        messages.sort_by_key(|message| message["seq"].as_u64());
        messages
    }

    async fn queue(&self) -> Value {
        self.world.get(&self.admin, "/v1/tenants/acme/queue").await.ok()["data"].clone()
    }
}

fn contents(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["content"].as_str().unwrap()).collect()
}

const DAY: &str = "00:00-24:00";
/// The story begins in the middle of a day.
const NIGHT: &str = "00:00-00:01";

#[tokio::test]
async fn each_is_greeted_once_in_their_language_with_the_questions_to_touch() {
    let shop = Shop::open(DAY).await;
    for (name, language, greeting, hint) in
        [("li", "zh-TW", "您好", "怎么退货？"), ("ann", "en-GB", "Hello", "How do I return it?"), ("io", "fr", "您好", "怎么退货？")]
    {
        let customer = shop.customer(name, json!({"language": language})).await;
        let (chat, _) = shop.enter(&customer, "shop").await;
        let heard = shop.heard(&customer, &chat).await;
        assert_eq!(contents(&heard), [greeting], "{name}");
        assert_eq!(
            (&heard[0]["category"], &heard[0]["origin"], &heard[0]["ext"]),
            (&json!("system"), &json!("system"), &json!({"hints": [hint]}))
        );
    }
    shop.world.end().await;
}

#[tokio::test]
async fn the_page_and_the_words_decide_the_group() {
    let shop = Shop::open(DAY).await;
    let groups = async |name, page, words: Option<&str>| {
        let customer = shop.customer(name, json!({})).await;
        let Some(words) = words else { return shop.enter(&customer, page).await.1["group"].clone() };
        let chat = shop.world.post(&customer, "/v1/tenants/acme/chats", json!({"shop": SHOP, "start": false})).await.ok();
        let _ = shop.world.say(&customer, chat["chat"].as_str().unwrap(), words).await.ok();
        shop.world.settle().await;
        let all = shop.world.get(&customer, "/v1/tenants/acme/conversations").await.ok();
        all["data"][0]["group"].clone()
    };
    assert_eq!(groups("li", "product", None).await, "main");
    assert_eq!(groups("wang", "order", None).await, "after");
    assert_eq!(groups("zhao", "shop", Some("有没有红色的？")).await, "main");
    shop.publish(
        "reception",
        &FLOW
            .replace("HOURS", "\"00:00-24:00\"")
            .replace(", queue: { group: after, at_most: 0 }", "")
            .replace("otherwise: full", "otherwise: night")
            .replace("  full: { then: refuse, say: { zh-CN: 请稍后再来, en: Please come back later } }\n", ""),
    )
    .await;
    assert_eq!(groups("qian", "shop", Some("我要退款")).await, "after");
    shop.world.end().await;
}

#[tokio::test]
async fn at_night_a_message_is_left_and_taken_up_after_those_who_wait() {
    let shop = Shop::open(NIGHT).await;
    let (li, wang) = (shop.customer("li", json!({"language": "en"})).await, shop.customer("wang", json!({})).await);
    let (chat, left) = shop.enter(&li, "shop").await;
    assert_eq!((&left["status"], &left["group"], &left["queue_position"]), (&json!("left_message"), &json!("main"), &Value::Null));
    assert_eq!(contents(&shop.heard(&li, &chat).await), ["Hello", "Please leave a message"]);
    shop.publish("reception", &FLOW.replace("HOURS", "\"00:00-24:00\"")).await;
    let (_, waits) = shop.enter(&wang, "shop").await;
    assert_eq!((&waits["status"], &waits["queue_position"]), (&json!("waiting"), &json!(1)), "left messages are not ahead of anybody");
    let queue = shop.queue().await;
    assert_eq!((&queue[0]["conversation"], &queue[0]["queue"]), (&waits["id"], &json!("offline")));
    assert_eq!((&queue[1]["conversation"], &queue[1]["queue"]), (&left["id"], &json!("message")));
    let alice = shop.world.agent_on_duty(ACME, "alice").await;
    for conversation in [&left, &waits] {
        let served = shop.conversation(conversation["id"].as_str().unwrap()).await;
        assert_eq!((&served["status"], &served["agent"]), (&json!("serving"), &json!(alice.user().to_string())));
    }
    shop.world.end().await;
}

#[tokio::test]
async fn whoever_cannot_be_handed_over_is_told_so_at_once() {
    let shop = Shop::open(DAY).await;
    let (li, wang) = (shop.customer("li", json!({})).await, shop.customer("wang", json!({"language": "en"})).await);
    assert_eq!(shop.enter(&li, "order").await.1["status"], "waiting");
    let (chat, refused) = shop.enter(&wang, "order").await;
    assert_eq!((&refused["status"], &refused["queue_position"]), (&json!("reception"), &Value::Null));
    assert_eq!(contents(&shop.heard(&wang, &chat).await), ["Hello", "Please come back later"]);
    let feed = shop.world.get(&wang, "/v1/tenants/acme/feed").await.ok();
    let told = feed["data"].as_array().unwrap().iter().find(|item| item["event"] == "hand_off_refused");
    assert_eq!(told.map(|item| &item["conversation"]), Some(&refused["id"]));
    shop.world.end().await;
}

#[tokio::test]
async fn a_night_that_refuses_says_when_somebody_is_there_again() {
    let shop = Shop::open(NIGHT).await;
    let li = shop.customer("li", json!({})).await;
    let _ = shop.enter(&li, "order").await;
    let feed = shop.world.get(&li, "/v1/tenants/acme/feed").await.ok();
    let told = feed["data"].as_array().unwrap().iter().find(|item| item["event"] == "hand_off_refused").unwrap();
    let midnight = 86_400_000 * (shop.world.clock_ms() / 86_400_000 + 1);
    assert_eq!(told["opens_at"], midnight);
    shop.world.end().await;
}

#[tokio::test]
async fn gold_goes_before_others_and_the_built_in_flow_knows_no_difference() {
    let shop = Shop::open(DAY).await;
    let plain = shop.customer("li", json!({})).await;
    let angry = shop.customer("wang", json!({"add_tags": ["angry"]})).await;
    let gold = shop.customer("zhao", json!({"tier": "gold", "add_tags": ["angry"]})).await;
    let mut ids = vec![];
    for customer in [&plain, &angry, &gold] {
        ids.push(shop.enter(customer, "shop").await.1["id"].clone());
    }
    let order = |queue: &Value| {
        queue.as_array().unwrap().iter().map(|row| (row["conversation"].clone(), row["priority"].as_u64().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(order(&shop.queue().await), [(ids[2].clone(), 10), (ids[1].clone(), 50), (ids[0].clone(), 100)]);
    for kind in ["reception", "assignment"] {
        let _ = shop.world.call(&shop.admin, Method::DELETE, &format!("/v1/tenants/acme/flows/{kind}"), Value::Null).await.ok();
    }
    let rich = shop.customer("qian", json!({"tier": "gold"})).await;
    let (chat, last) = shop.enter(&rich, "shop").await;
    assert_eq!(order(&shop.queue().await)[3], (last["id"].clone(), 100));
    assert_eq!(shop.heard(&rich, &chat).await, Vec::<Value>::new(), "nobody greets");
    shop.world.end().await;
}

#[tokio::test]
async fn whoever_comes_back_is_received_anew_but_not_greeted_again() {
    let shop = Shop::open(DAY).await;
    let li = shop.customer("li", json!({})).await;
    let alice = shop.world.agent_on_duty(ACME, "alice").await;
    let (chat, served) = shop.enter(&li, "shop").await;
    assert_eq!(served["status"], "serving");
    let path = format!("/v1/tenants/acme/conversations/{}/close", served["id"].as_str().unwrap());
    let _ = shop.world.post(&alice, &path, json!({})).await.ok();
    shop.world.settle().await;
    let _ = shop.world.say(&li, &chat, "还有一个问题").await.ok();
    shop.world.settle().await;
    assert_eq!(shop.conversation(served["id"].as_str().unwrap()).await["status"], "serving");
    assert_eq!(contents(&shop.heard(&li, &chat).await), ["您好", "还有一个问题"]);
    shop.world.end().await;
}

#[tokio::test]
async fn a_known_customer_comes_back_to_the_agent_they_know() {
    let shop = Shop::open(DAY).await;
    let flow = format!("{PRIORITIES}default: {{ choose: [{{ last_agent: {{ within: 7d }} }}, round_robin] }}\n");
    shop.publish("assignment", &flow).await;
    shop.world.settle().await;
    let li = shop.customer("li", json!({})).await;
    let mut agents = vec![];
    for login in ["alice", "bob", "carol"] {
        agents.push(shop.world.agent_on_duty(ACME, login).await);
    }
    let of = |conversation: &Value| agents.iter().find(|agent| conversation["agent"] == agent.user().to_string()).unwrap();
    let end = async |conversation: &Value| {
        let path = format!("/v1/tenants/acme/conversations/{}/close", conversation["id"].as_str().unwrap());
        let _ = shop.world.post(of(conversation), &path, json!({})).await.ok();
        shop.world.settle().await;
    };
    let (_, first) = shop.enter(&li, "shop").await;
    let known = of(&first).user();
    end(&first).await;
    let mut others = vec![];
    for name in ["wang", "zhao", "qian"] {
        let customer = shop.customer(name, json!({})).await;
        others.push(of(&shop.enter(&customer, "shop").await.1).user());
    }
    assert!(others[0] != known && others[1] != known && others[0] != others[1] && others[2] == known, "in turn");
    let (_, again) = shop.enter(&li, "shop").await;
    assert_eq!(of(&again).user(), known, "although it was their turn just now");
    shop.world.end().await;
}

#[tokio::test]
async fn a_rating_is_asked_for_at_the_end_of_what_a_human_served_and_of_nothing_else() {
    let shop = Shop::open(DAY).await;
    let asks = "rating: { invite: on_close, say: { zh-CN: 请打分, en: How did we do? } }\n";
    shop.publish("reception", &format!("{}{asks}", FLOW.replace("HOURS", "\"00:00-24:00\""))).await;
    let (li, wang) = (shop.customer("li", json!({})).await, shop.customer("wang", json!({})).await);
    let invited = async |who: &Person| {
        let feed = shop.world.get(who, "/v1/tenants/acme/feed").await.ok();
        feed["data"].as_array().unwrap().iter().filter(|item| item["event"] == "rating_invited").count()
    };
    let (chat, waits) = shop.enter(&wang, "shop").await;
    let close = |conversation: &Value| format!("/v1/tenants/acme/conversations/{}/close", conversation["id"].as_str().unwrap());
    let _ = shop.world.post(&wang, &close(&waits), json!({})).await.ok();
    assert_eq!((invited(&wang).await, contents(&shop.heard(&wang, &chat).await)), (0, vec!["您好"]), "nobody served");
    let alice = shop.world.agent_on_duty(ACME, "alice").await;
    let (chat, served) = shop.enter(&li, "shop").await;
    let _ = shop.world.post(&alice, &close(&served), json!({})).await.ok();
    assert_eq!((invited(&li).await, contents(&shop.heard(&li, &chat).await)), (1, vec!["您好", "请打分"]));
    shop.world.end().await;
}

#[tokio::test]
async fn a_rating_has_the_tags_that_the_flow_offers() {
    let shop = Shop::open(DAY).await;
    let offers = "rating: { tags: [fast, patient] }\n";
    shop.publish("reception", &format!("{}{offers}", FLOW.replace("HOURS", "\"00:00-24:00\""))).await;
    let _alice = shop.world.agent_on_duty(ACME, "alice").await;
    let li = shop.customer("li", json!({})).await;
    let (_, served) = shop.enter(&li, "shop").await;
    let path = format!("/v1/tenants/acme/conversations/{}", served["id"].as_str().unwrap());
    assert_eq!(shop.world.get(&li, &path).await.ok()["rating_tags"], json!(["fast", "patient"]));
    let rate = async |tags: Value| shop.world.post(&li, &format!("{path}/rating"), json!({"score": 5, "tags": tags, "solved": true})).await;
    assert_eq!(rate(json!(["fast", "rude"])).await.problem(), (422, "tag_not_offered"));
    let _ = rate(json!(["fast"])).await.ok();
    assert_eq!(rate(json!([])).await.problem(), (409, "already_rated"), "once per service");
    shop.world.end().await;
}
