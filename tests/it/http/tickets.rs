//! A left message is a ticket: whose task it is, how far it is, and by when it is due.

use axum::http::Method;
use domain::time::Millis;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, Reply, World};

const LEAVE: &str = "\
flow: reception
languages: [en]
destinations:
  later: { group: main, then: leave_message }
route:
  - { to: later }
";

struct Shop {
    world: World,
    admin: Person,
    li: Person,
    conversation: String,
}

impl Shop {
    /// A customer leaves a message.
    async fn open() -> Self {
        let world = World::new().await;
        let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
        let _ = world.call(&admin, Method::PUT, "/v1/tenants/acme/flows/reception", json!({"text": LEAVE})).await.ok();
        let li = world.customer(ACME, "li").await;
        let (chat, conversation) = world.open_chat(&li).await;
        let _ = world.say(&li, &chat, "please call me").await.ok();
        world.settle().await;
        Self { world, admin, li, conversation }
    }

    fn path(&self) -> String {
        format!("/v1/tenants/acme/conversations/{}", self.conversation)
    }

    async fn change(&self, who: &Person, body: Value) -> Reply {
        self.world.call(who, Method::PATCH, &format!("{}/ticket", self.path()), body).await
    }

    async fn listed(&self, who: &Person, query: &str) -> usize {
        let page = self.world.get(who, &format!("/v1/tenants/acme/conversations?{query}")).await.ok();
        page["data"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn staff_say_how_far_it_is_and_the_customer_sees_nothing_of_it() {
    let shop = Shop::open().await;
    let sam = shop.world.staff(ACME, Role::Supervisor, "sam").await;
    let owner = shop.world.staff(ACME, Role::Agent, "alice").await.user().to_string();
    let due = shop.world.clock_ms() + 3_600_000;
    let detail = shop.world.get(&sam, &shop.path()).await.ok();
    assert_eq!((&detail["status"], &detail["ticket"]["state"]), (&json!("left_message"), &json!("open")));
    assert_eq!(detail["ticket"]["due_at"].as_i64().unwrap() - detail["ticket"]["left_at"].as_i64().unwrap(), 86_400_000);
    let begin = json!({"state": "in_progress", "owner": owner, "due_at": due, "remark": "asked the warehouse"});
    let _ = shop.change(&shop.admin, begin).await.ok();
    let _ = shop.change(&sam, json!({"state": "waiting_for_customer"})).await.ok();
    let detail = shop.world.get(&sam, &shop.path()).await.ok();
    let (ticket, history) = (&detail["ticket"], &detail["ticket_history"]);
    assert_eq!((&ticket["state"], &ticket["owner"], &ticket["due_at"]), (&json!("waiting_for_customer"), &json!(owner), &json!(due)));
    assert_eq!((&history[0]["remark"], &history[0]["state"]), (&json!("asked the warehouse"), &json!("in_progress")));
    assert_eq!((&history[1]["remark"], &history[1]["by"]), (&Value::Null, &json!(sam.user().to_string())));
    let own = shop.world.get(&shop.li, &shop.path()).await.ok();
    assert!(own.get("ticket").is_none() && own.get("ticket_history").is_none(), "{own}");
    let feed = shop.world.get(&shop.li, "/v1/tenants/acme/feed?after=0&limit=200").await.ok();
    assert!(!feed.to_string().contains("ticket"));
    shop.world.end().await;
}

#[tokio::test]
async fn what_cannot_be_a_ticket_is_refused() {
    let shop = Shop::open().await;
    assert_eq!(shop.change(&shop.li, json!({"state": "solved"})).await.problem(), (403, "forbidden"));
    let customer = shop.li.user().to_string();
    assert_eq!(shop.change(&shop.admin, json!({"owner": customer})).await.problem(), (422, "invalid_value"));
    assert_eq!(shop.change(&shop.admin, json!({"due_at": -1})).await.problem(), (422, "invalid_value"));
    assert_eq!(shop.change(&shop.admin, json!({"state": "lost"})).await.problem(), (400, "invalid_field"));
    let _ = shop.world.call(&shop.admin, Method::DELETE, "/v1/tenants/acme/flows/reception", Value::Null).await.ok();
    let wang = shop.world.customer(ACME, "wang").await;
    let (_, waits) = shop.world.open_chat(&wang).await;
    shop.world.settle().await;
    let path = format!("/v1/tenants/acme/conversations/{waits}/ticket");
    assert_eq!(shop.world.call(&shop.admin, Method::PATCH, &path, json!({"state": "solved"})).await.problem(), (409, "no_ticket"));
    shop.world.end().await;
}

#[tokio::test]
async fn lists_show_tickets_by_state_by_owner_and_what_is_overdue() {
    let shop = Shop::open().await;
    let bob = shop.world.staff(ACME, Role::Agent, "bob").await;
    let bobs = format!("ticket_owner={}", bob.user());
    assert_eq!((shop.listed(&shop.admin, "ticket=open").await, shop.listed(&shop.admin, "ticket=solved").await), (1, 0));
    assert_eq!((shop.listed(&shop.admin, "overdue=true").await, shop.listed(&bob, &bobs).await), (0, 0));
    shop.world.clock.pass(Millis(86_400_001));
    // Nobody's token is good for a day.
    let (admin, bob, li) =
        (shop.world.sign_in(ACME, "admin").await, shop.world.sign_in(ACME, "bob").await, shop.world.customer(ACME, "li").await);
    assert_eq!(shop.listed(&admin, "overdue=true").await, 1);
    let _ = shop.world.call(&admin, Method::PUT, "/v1/tenants/acme/limits", json!({"ticket_due_ms": 172_800_000})).await.ok();
    assert_eq!(shop.listed(&admin, "overdue=true").await, 0, "the tenant takes two days");
    let due = shop.world.clock_ms() - 1;
    let _ = shop.change(&admin, json!({"owner": bob.user().to_string(), "due_at": due})).await.ok();
    assert_eq!((shop.listed(&bob, &bobs).await, shop.listed(&bob, &format!("{bobs}&overdue=true")).await), (1, 1));
    let _ = shop.change(&bob, json!({"state": "solved"})).await.ok();
    assert_eq!((shop.listed(&bob, &format!("{bobs}&overdue=true")).await, shop.listed(&admin, "ticket=solved").await), (0, 1));
    let refused = shop.world.get(&li, "/v1/tenants/acme/conversations?ticket=open").await;
    assert_eq!(refused.problem(), (422, "invalid_value"));
    shop.world.end().await;
}

#[tokio::test]
async fn an_agent_who_takes_it_up_is_at_it_and_ending_it_solves_it() {
    let shop = Shop::open().await;
    let alice = shop.world.agent_on_duty(ACME, "alice").await;
    let state = async || shop.world.get(&shop.admin, &shop.path()).await.ok()["ticket"].clone();
    assert_eq!((&state().await["state"], &state().await["owner"]), (&json!("in_progress"), &json!(alice.user().to_string())));
    let _ = shop.world.post(&alice, &format!("{}/close", shop.path()), json!({})).await.ok();
    assert_eq!(state().await["state"], "solved");
    shop.world.end().await;
}
