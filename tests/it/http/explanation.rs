//! Why a conversation's agents have it: in words, in numbers, and recomputed from the desk as it stood.

use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, World};

async fn explained(world: &World, who: &Person, conversation: &str, query: &str) -> Value {
    world.get(who, &format!("/v1/tenants/acme/conversations/{conversation}/assignment{query}")).await.ok()["decisions"].clone()
}

#[tokio::test]
async fn each_decision_names_its_rule_and_what_became_of_everybody_else() {
    let world = World::new().await;
    let (supervisor, li) = (world.staff(ACME, Role::Supervisor, "boss").await, world.customer(ACME, "li").await);
    let alice = world.agent_on_duty(ACME, "alice").await;
    let _absent = world.staff(ACME, Role::Agent, "bob").await;
    let (_, conversation) = world.open_chat(&li).await;
    let first = explained(&world, &supervisor, &conversation, "").await;
    assert_eq!(first.as_array().unwrap().len(), 1);
    let first = &first[0];
    assert_eq!(
        (&first["agent"], &first["rule"], &first["previous"]),
        (&json!(alice.user().to_string()), &json!("least_loaded"), &Value::Null)
    );
    assert_eq!(first["flow"], json!({"shop": null, "version": 0}));
    assert_eq!(
        first["candidates"][0],
        json!({"agent": alice.user().to_string(), "load": 0, "capacity": first["candidates"][0]["capacity"], "lost": null})
    );
    assert!(first["words"]["en"].as_str().unwrap().starts_with("The agent with the fewest conversations, with 0 of "), "{first}");
    assert!(first["words"]["zh-CN"].as_str().unwrap().starts_with("接待量最少的客服"), "{first}");
    let _ = world.post(&supervisor, &format!("/v1/tenants/acme/conversations/{conversation}/take-over"), json!({})).await.ok();
    let second = &explained(&world, &supervisor, &conversation, "").await[1];
    assert_eq!((&second["rule"], &second["previous"]), (&json!("take_over"), &json!(alice.user().to_string())));
    world.end().await;
}

#[tokio::test]
async fn everybody_is_recomputed_and_agrees_with_what_was_stored() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let mut agents = vec![];
    for login in ["alice", "bob", "carol"] {
        agents.push(world.agent_on_duty(ACME, login).await);
    }
    let flow = json!({"text": "flow: assignment\ndefault: { choose: [round_robin] }\n"});
    let _ = world.call(&admin, Method::PUT, "/v1/tenants/acme/flows/assignment", flow).await.ok();
    world.settle().await;
    let mut conversations = vec![];
    for name in ["li", "wang", "zhao", "qian", "sun"] {
        let customer = world.customer(ACME, name).await;
        conversations.push(world.open_chat(&customer).await.1);
        world.settle().await;
    }
    for conversation in &conversations {
        let decision = &explained(&world, &admin, conversation, "?everybody=true").await[0];
        assert_eq!(
            (&decision["agrees"], &decision["rule"], &decision["flow"]["version"]),
            (&json!(true), &json!("round_robin"), &json!(1))
        );
        let table = decision["candidates"].as_array().unwrap();
        assert!(table.len() >= 3 && table[0]["agent"] == decision["agent"]);
        let lost: u64 = decision["losing"].as_array().unwrap().iter().map(|losing| losing["agents"].as_u64().unwrap()).sum();
        assert_eq!(lost, table.len() as u64 - 1, "the counts are those of the table");
    }
    world.end().await;
}

#[tokio::test]
async fn a_customer_does_not_read_it_and_what_nobody_had_has_no_decisions() {
    let world = World::new().await;
    let (admin, li) = (world.staff(ACME, Role::TenantAdmin, "admin").await, world.customer(ACME, "li").await);
    let (_, conversation) = world.open_chat(&li).await;
    assert_eq!(explained(&world, &admin, &conversation, "").await, json!([]));
    let path = format!("/v1/tenants/acme/conversations/{conversation}/assignment");
    assert_eq!(world.get(&li, &path).await.problem(), (403, "forbidden"));
    assert_eq!(world.get(&admin, &format!("{path}?everbody=true")).await.problem(), (400, "invalid_query"));
    world.end().await;
}
