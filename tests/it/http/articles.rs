//! The articles from which a tenant's robot answers: who keeps and reads them, one at a time and by the line.

use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, Reply, SHOP, World};

const PATH: &str = "/v1/tenants/acme/articles";

fn returns() -> Value {
    json!({
        "question": "怎么退货？",
        "similar": ["How do I return it?"],
        "answer": "请在订单页申请。",
        "links": [{"title": "退货", "url": "https://shop.example/returns"}],
        "shop": SHOP
    })
}

async fn save(world: &World, who: &Person, article: &str, body: Value) -> Reply {
    world.call(who, Method::PUT, &format!("{PATH}/{article}"), body).await
}

async fn names(world: &World, who: &Person, query: &str) -> (Vec<String>, Value) {
    let page = world.get(who, &format!("{PATH}{query}")).await.ok();
    let rows = page["data"].as_array().unwrap().iter().map(|row| row["article"].as_str().unwrap().to_owned());
    (rows.collect(), page["next_cursor"].clone())
}

#[tokio::test]
async fn an_article_is_kept_under_the_tenants_own_name_read_and_forgotten() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let agent = world.staff(ACME, Role::Agent, "alice").await;
    let _ = save(&world, &admin, "FAQ-1", returns()).await.ok();
    let mut article = world.get(&agent, &format!("{PATH}/FAQ-1")).await.ok();
    assert_eq!(article["changed_at"].take(), json!(world.clock_ms()));
    let mut expected = returns();
    (expected["article"], expected["changed_at"]) = (json!("FAQ-1"), Value::Null);
    assert_eq!(article, expected);
    let _ = save(&world, &admin, "FAQ-1", json!({"question": "?", "answer": "!"})).await.ok();
    assert_eq!(world.get(&agent, &format!("{PATH}/FAQ-1")).await.ok()["answer"], "!");
    let _ = world.call(&admin, Method::DELETE, &format!("{PATH}/FAQ-1"), Value::Null).await.ok();
    assert_eq!(world.get(&agent, &format!("{PATH}/FAQ-1")).await.problem(), (404, "not_found"));
    assert_eq!(save(&world, &agent, "FAQ-1", returns()).await.problem(), (403, "forbidden"));
    world.end().await;
}

#[tokio::test]
async fn what_is_no_article_is_refused_and_said() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let with = |key: &str, value: Value| {
        let mut body = returns();
        body[key] = value;
        body
    };
    for (body, problem) in [
        (with("question", json!(" ")), (422, "article_part_empty")),
        (with("answer", json!("x".repeat(8 * 1024 + 1))), (422, "text_too_long")),
        (with("similar", json!(vec!["x"; 201])), (422, "article_part_too_many")),
        (with("shop", json!("elsewhere")), (422, "invalid_value")),
    ] {
        assert_eq!(save(&world, &admin, "FAQ-1", body).await.problem(), problem);
    }
    world.end().await;
}

#[tokio::test]
async fn articles_come_by_the_line_all_or_none_and_the_same_again() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let import = async |jsonl: &str| world.post(&admin, &format!("{PATH}/import"), json!({"jsonl": jsonl})).await;
    let line = |number: usize| format!("{{\"article\": \"A-{number:03}\", \"question\": \"q{number}\", \"answer\": \"a{number}\"}}");
    let lines: Vec<String> = (1..=150).map(line).collect();
    let faulty = format!("{}\n\n{{\"article\": \"A 7\"}}", lines[0]);
    let refused = import(&faulty).await;
    assert_eq!(refused.problem(), (400, "invalid_field"));
    assert!(refused.body["detail"].as_str().unwrap().contains("line 3"), "{}", refused.body);
    assert_eq!(names(&world, &admin, "").await.0, Vec::<String>::new());
    for _ in 0..2 {
        assert_eq!(import(&lines.join("\n")).await.ok()["saved"], 150);
    }
    let (first, next) = names(&world, &admin, "?limit=100").await;
    let (rest, end) = names(&world, &admin, &format!("?limit=100&after={}", next.as_str().unwrap())).await;
    assert_eq!((first.len(), rest.len(), end), (100, 50, Value::Null));
    assert_eq!((first[0].as_str(), rest[49].as_str()), ("A-001", "A-150"));
    world.end().await;
}
