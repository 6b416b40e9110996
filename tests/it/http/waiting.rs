//! What the passing of time brings: agents who do not accept or answer, customers who wait too long, and silence.

use axum::http::Method;
use domain::time::Millis;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::{PASSWORD, Person};
use tests::world::{ACME, World};

const RECEPTION: &str = "\
flow: reception
languages: [en]
destinations:
  us: { group: main, skills: [refund] }
route:
  - { to: us }
waiting:
  busy:
    - { after: 1m, say: { en: We are busy } }
    - { after: 3m, say: { en: Still busy } }
  leave_message_after: 10m
idle:
  remind: { after: 5m, say: { en: Anything else } }
  close_after: 20m
  say: { en: Goodbye }
";

const ASSIGNMENT: &str = "\
flow: assignment
queues:
  main:
    choose: [{ skills: {} }, least_loaded]
    accept_within: 30s
    answer_within: 3m
    overflow: { after: 2m, to: vip }
";

const PICKED: &str = "\
flow: assignment
default: { take: picked }
";

struct Shop {
    world: World,
    admin: Person,
}

impl Shop {
    async fn open(assignment: &str) -> Self {
        let world = World::new().await;
        let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
        for (kind, text) in [("reception", RECEPTION), ("assignment", assignment)] {
            let _ = world.call(&admin, Method::PUT, &format!("/v1/tenants/acme/flows/{kind}"), json!({"text": text})).await.ok();
        }
        Self { world, admin }
    }

    async fn agent(&self, login: &str, group: &str, abilities: Value) -> Person {
        let body = json!({"role": "agent", "display_name": login, "login": login, "password": PASSWORD, "groups": [group], "capacity": 5,
            "abilities": abilities});
        let _ = self.world.post(&self.admin, "/v1/tenants/acme/users", body).await.ok();
        let agent = self.world.sign_in(ACME, login).await;
        self.world.on_duty(&agent).await;
        agent
    }

    /// A customer who wrote: the chat and the conversation.
    async fn customer(&self, name: &str) -> (Person, String, String) {
        let customer = self.world.customer(ACME, name).await;
        let (chat, conversation) = self.world.open_chat(&customer).await;
        let _ = self.world.say(&customer, &chat, "hello").await.ok();
        self.world.settle().await;
        (customer, chat, conversation)
    }

    async fn conversation(&self, conversation: &str) -> Value {
        self.world.get(&self.admin, &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok()
    }

    async fn has(&self, conversation: &str, agent: &Person) -> bool {
        let row = self.conversation(conversation).await;
        (&row["status"], &row["agent"]) == (&json!("serving"), &json!(agent.user().to_string()))
    }

    /// What the customer was told by nobody, oldest first.
    async fn notices(&self, customer: &Person, chat: &str) -> Vec<String> {
        let page = self.world.get(customer, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
        let mut told: Vec<(u64, String)> = page["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message["origin"] == "system")
            .map(|message| (message["seq"].as_u64().unwrap(), message["content"].as_str().unwrap().to_owned()))
            .collect();
        told.sort();
        told.into_iter().map(|(_, content)| content).collect()
    }

    async fn order(&self, who: &Person, conversation: &str, what: &str) -> tests::world::Reply {
        self.world.post(who, &format!("/v1/tenants/acme/conversations/{conversation}/{what}"), json!({})).await
    }
}

#[tokio::test]
async fn a_conversation_that_is_not_accepted_in_time_goes_to_the_next_agent() {
    let shop = Shop::open(ASSIGNMENT).await;
    let alice = shop.agent("alice", "main", json!({"skills": ["refund"]})).await;
    let bob = shop.agent("bob", "main", json!({})).await;
    let (_, chat, conversation) = shop.customer("li").await;
    assert!(shop.has(&conversation, &alice).await, "she has the skill");
    shop.world.pass(Millis(29_999)).await;
    assert!(shop.has(&conversation, &alice).await);
    shop.world.pass(Millis(1)).await;
    assert!(shop.has(&conversation, &bob).await, "she had just let it time out");
    assert_eq!(shop.order(&alice, &conversation, "accept").await.problem(), (409, "not_yours_any_more"));
    let _ = shop.order(&bob, &conversation, "accept").await.ok();
    shop.world.pass(Millis::seconds(100)).await;
    assert!(shop.has(&conversation, &bob).await);
    let _ = shop.world.say(&bob, &chat, "how may I help?").await.ok();
    shop.world.pass(Millis::minutes(4)).await;
    assert!(shop.has(&conversation, &bob).await, "no answer is due");
    shop.world.end().await;
}

#[tokio::test]
async fn an_agent_who_lets_a_customer_wait_loses_them_and_the_log_says_why() {
    let shop = Shop::open(ASSIGNMENT).await;
    let alice = shop.agent("alice", "main", json!({})).await;
    let (customer, chat, conversation) = shop.customer("li").await;
    let _ = shop.world.say(&alice, &chat, "one moment").await.ok();
    let _ = shop.world.say(&customer, &chat, "well?").await.ok();
    let bob = shop.agent("bob", "main", json!({})).await;
    shop.world.pass(Millis::minutes(3)).await;
    assert!(shop.has(&conversation, &bob).await);
    let why = shop.world.get(&shop.admin, &format!("/v1/tenants/acme/conversations/{conversation}/assignment")).await.ok();
    let last = why["decisions"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["losing"], json!([{"reason": "let_it_time_out", "agents": 1}]), "{last}");
    shop.world.end().await;
}

#[tokio::test]
async fn who_waits_is_told_so_then_waits_for_another_group_and_then_has_left_a_message() {
    let shop = Shop::open(ASSIGNMENT).await;
    let (customer, chat, conversation) = shop.customer("li").await;
    shop.world.pass(Millis::minutes(1)).await;
    assert_eq!(shop.notices(&customer, &chat).await, ["We are busy"]);
    assert_eq!(shop.conversation(&conversation).await["group"], "main");
    shop.world.pass(Millis::minutes(1)).await;
    assert_eq!(shop.conversation(&conversation).await["group"], "vip");
    shop.world.pass(Millis::minutes(2)).await;
    assert_eq!(shop.notices(&customer, &chat).await, ["We are busy", "Still busy"]);
    shop.world.pass(Millis::minutes(6)).await;
    assert_eq!(shop.conversation(&conversation).await["status"], "left_message");
    let queue = shop.world.get(&shop.admin, "/v1/tenants/acme/queue").await;
    assert_eq!(queue.ok()["data"][0]["queue"], "message");
    let carol = shop.agent("carol", "vip", json!({})).await;
    shop.world.settle().await;
    assert!(shop.has(&conversation, &carol).await);
    shop.world.end().await;
}

#[tokio::test]
async fn silence_is_answered_by_a_question_and_then_by_a_goodbye() {
    let shop = Shop::open(ASSIGNMENT).await;
    let alice = shop.agent("alice", "main", json!({})).await;
    let (customer, chat, conversation) = shop.customer("li").await;
    let _ = shop.world.say(&alice, &chat, "yes, we do").await.ok();
    shop.world.pass(Millis::minutes(5)).await;
    assert_eq!(shop.notices(&customer, &chat).await, ["Anything else"]);
    shop.world.pass(Millis::minutes(9)).await;
    assert_eq!(shop.notices(&customer, &chat).await.len(), 1, "once");
    let customer = shop.world.customer(ACME, "li").await;
    let _ = shop.world.say(&customer, &chat, "wait").await.ok();
    let alice = shop.world.sign_in(ACME, "alice").await;
    let _ = shop.world.say(&alice, &chat, "I do").await.ok();
    shop.world.pass(Millis::minutes(14)).await;
    let customer = shop.world.customer(ACME, "li").await;
    assert_eq!(shop.notices(&customer, &chat).await, ["Anything else", "Anything else"]);
    shop.world.pass(Millis::minutes(6)).await;
    assert_eq!(shop.notices(&customer, &chat).await, ["Anything else", "Anything else", "Goodbye"]);
    let admin = shop.world.sign_in(ACME, "admin").await;
    let row = shop.world.get(&admin, &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok();
    assert_eq!((&row["status"], &row["close_reason"]), (&json!("closed"), &json!("expired")));
    shop.world.end().await;
}

#[tokio::test]
async fn where_agents_pick_nothing_is_given_and_the_first_who_picks_has_it() {
    let shop = Shop::open(PICKED).await;
    let alice = shop.agent("alice", "main", json!({})).await;
    let bob = shop.agent("bob", "main", json!({})).await;
    let carol = shop.agent("carol", "vip", json!({})).await;
    let (_, _, conversation) = shop.customer("li").await;
    assert_eq!(shop.conversation(&conversation).await["status"], "waiting");
    assert_eq!(shop.order(&carol, &conversation, "pick").await.problem(), (403, "forbidden"));
    let _ = shop.order(&bob, &conversation, "pick").await.ok();
    assert_eq!(shop.order(&alice, &conversation, "pick").await.problem(), (409, "not_yours_any_more"));
    shop.world.settle().await;
    assert!(shop.has(&conversation, &bob).await);
    let why = shop.world.get(&shop.admin, &format!("/v1/tenants/acme/conversations/{conversation}/assignment")).await.ok();
    assert_eq!(why["decisions"][0]["rule"], "picked");
    shop.world.end().await;
}

#[tokio::test]
async fn nobody_picks_where_the_desk_gives() {
    let shop = Shop::open(ASSIGNMENT).await;
    let (_, _, conversation) = shop.customer("li").await;
    let alice = shop.agent("alice", "vip", json!({})).await;
    assert_eq!(shop.order(&alice, &conversation, "pick").await.problem(), (403, "forbidden"), "another group's");
    shop.world.end().await;
    let shop = Shop::open(ASSIGNMENT).await;
    let full = json!({"role": "agent", "display_name": "bob", "login": "bob", "password": PASSWORD, "groups": ["main"], "capacity": 0});
    let _ = shop.world.post(&shop.admin, "/v1/tenants/acme/users", full).await.ok();
    let bob = shop.world.sign_in(ACME, "bob").await;
    let (_, _, conversation) = shop.customer("li").await;
    assert_eq!(shop.order(&bob, &conversation, "pick").await.problem(), (409, "not_picked"));
    shop.world.end().await;
}

#[tokio::test]
async fn an_answer_that_is_overdue_is_given_later_by_somebody_else() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let shop = Shop { world, admin };
    let alice = shop.agent("alice", "main", json!({})).await;
    let (_, _, conversation) = shop.customer("li").await;
    assert!(shop.has(&conversation, &alice).await);
    // The tenant's limit of silence.
    shop.world.pass(Millis::minutes(30)).await;
    let admin = shop.world.sign_in(ACME, "admin").await;
    let row = shop.world.get(&admin, &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok();
    assert_eq!(row["status"], "left_message");
    let shop = Shop { admin, ..shop };
    let bob = shop.agent("bob", "main", json!({})).await;
    shop.world.settle().await;
    assert!(shop.has(&conversation, &bob).await);
    shop.world.end().await;
}
