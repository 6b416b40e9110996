//! Flows by the API: published, read, taken back, and refused with every fault.

use adapters::cli::{Cli, Command, FlowCommand};
use axum::body::Body;
use axum::http::{Method, Request};
use clap::Parser;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, Reply, SHOP, World};

const RECEPTION: &str = "\
flow: reception
languages: [zh-CN]
destinations:
  # 所有人
  us: { group: main }
route:
  - to: us
";

const OF_TENANT: &str = "/v1/tenants/acme/flows/reception";

fn of_shop() -> String {
    format!("/v1/tenants/acme/shops/{SHOP}/flows/reception")
}

async fn publish(world: &World, who: &Person, path: &str, text: &str) -> Reply {
    world.call(who, Method::PUT, path, json!({"text": text})).await
}

#[tokio::test]
async fn an_order_that_comes_again_is_answered_again_whatever_the_tenant_did_meanwhile() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let order = || {
        let request = Request::put(OF_TENANT).header("idempotency-key", "again").header("content-type", "application/json");
        request.body(Body::from(json!({"text": RECEPTION}).to_string())).unwrap()
    };
    assert_eq!(world.send(order(), &admin).await.ok()["version"], 1);
    let _ = world.post(&admin, "/v1/tenants/acme/groups", json!({"id": "night", "title": "Night"})).await.ok();
    assert_eq!(world.send(order(), &admin).await.ok()["version"], 1);
    world.end().await;
}

#[tokio::test]
async fn a_document_comes_back_as_it_was_written_and_versions_stay() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    assert_eq!(world.get(&admin, OF_TENANT).await.problem(), (404, "not_found"));
    assert_eq!(publish(&world, &admin, OF_TENANT, RECEPTION).await.ok()["version"], 1);
    let second = RECEPTION.replace("所有人", "everybody");
    assert_eq!(publish(&world, &admin, OF_TENANT, &second).await.ok()["version"], 2);
    assert_eq!(publish(&world, &admin, &of_shop(), RECEPTION).await.ok()["version"], 1);
    let read = world.get(&admin, OF_TENANT).await.ok();
    assert_eq!(
        (&read["text"], &read["version"], &read["shop"], &read["in_force"]),
        (&json!(second), &json!(2), &Value::Null, &json!(true))
    );
    let first = world.get(&admin, &format!("{OF_TENANT}?version=1")).await.ok();
    assert_eq!((&first["text"], &first["in_force"]), (&json!(RECEPTION), &json!(false)));
    assert_eq!(world.get(&admin, &of_shop()).await.ok()["shop"], SHOP);
    let _ = world.call(&admin, Method::DELETE, &of_shop(), Value::Null).await.ok();
    assert_eq!(world.get(&admin, &of_shop()).await.problem(), (404, "not_found"));
    let all = world.get(&admin, "/v1/tenants/acme/flows").await.ok();
    let all: Vec<(&Value, &Value, &Value)> =
        all["data"].as_array().unwrap().iter().map(|row| (&row["shop"], &row["version"], &row["in_force"])).collect();
    let (none, shop) = (Value::Null, json!(SHOP));
    assert_eq!(all, [(&none, &json!(1), &json!(false)), (&none, &json!(2), &json!(true)), (&shop, &json!(1), &json!(false))]);
    world.end().await;
}

#[tokio::test]
async fn a_repeated_request_publishes_once() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    for _ in 0..2 {
        let request = axum::http::Request::put(OF_TENANT).header("content-type", "application/json").header("idempotency-key", "k1");
        let request = request.body(json!({"text": RECEPTION}).to_string().into()).unwrap();
        assert_eq!(world.send(request, &admin).await.ok()["version"], 1);
    }
    world.end().await;
}

#[tokio::test]
async fn every_fault_is_said_with_its_line_and_nothing_is_published() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let faulty = RECEPTION.replace("group: main", "group: nobody").replace("- to: us", "- to: them");
    let refused = publish(&world, &admin, OF_TENANT, &faulty).await;
    assert_eq!(refused.problem(), (422, "flow_faulty"));
    let faults = refused.body["faults"].as_array().unwrap();
    let places: Vec<(u64, &str)> = faults.iter().map(|fault| (fault["line"].as_u64().unwrap(), fault["path"].as_str().unwrap())).collect();
    assert!(places.contains(&(5, "destinations.us.group")) && places.contains(&(7, "route[0].to")), "{places:?}");
    assert!(faults.iter().all(|fault| !fault["remedy"].as_str().unwrap().is_empty()));
    let checked = world.post(&admin, "/v1/tenants/acme/flows/check", json!({"text": faulty})).await.ok();
    assert_eq!(checked["faults"], refused.body["faults"]);
    let checked = world.post(&admin, "/v1/tenants/acme/flows/check", json!({"text": RECEPTION})).await.ok();
    assert_eq!(checked, json!({"flow": "reception", "faults": []}));
    assert_eq!(world.get(&admin, "/v1/tenants/acme/flows").await.ok(), json!({"data": []}));
    world.end().await;
}

#[tokio::test]
async fn what_is_no_flow_of_this_tenant_is_refused() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let other = "/v1/tenants/acme/flows/assignment";
    assert_eq!(publish(&world, &admin, other, RECEPTION).await.problem(), (422, "invalid_value"), "the other document");
    assert_eq!(publish(&world, &admin, "/v1/tenants/acme/flows/dismissal", RECEPTION).await.problem(), (400, "invalid_id"));
    assert_eq!(publish(&world, &admin, "/v1/tenants/acme/shops/nowhere/flows/reception", RECEPTION).await.problem(), (404, "not_found"));
    assert_eq!(publish(&world, &admin, OF_TENANT, "{").await.problem(), (422, "flow_faulty"));
    let long = format!("{RECEPTION}#{}", "x".repeat(128 * 1024));
    assert_eq!(publish(&world, &admin, OF_TENANT, &long).await.problem(), (422, "flow_faulty"));
    assert_eq!(publish(&world, &admin, OF_TENANT, &"x".repeat(300 * 1024)).await.problem(), (413, "too_large"));
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    assert_eq!(publish(&world, &alice, OF_TENANT, RECEPTION).await.problem(), (403, "forbidden"));
    world.end().await;
}

/// What `kefu flow publish` says, and whether the flow is in force.
async fn published(url: &str, key: &str, file: &std::path::Path, more: &[&str]) -> Result<(bool, String), String> {
    let file = file.to_str().unwrap();
    let arguments = ["kefu", "flow", "publish", file, "--url", url, "--tenant", ACME, "--key", key];
    let Some(Command::Flow { command: FlowCommand::Document(command) }) = Cli::parse_from(arguments.iter().chain(more)).command else {
        panic!("a command about flows")
    };
    let mut said = Vec::new();
    let fine = adapters::flows::command::run(&command, &mut said).await.map_err(|error| error.to_string())?;
    Ok((fine, String::from_utf8(said).unwrap().replace(file, "FILE")))
}

#[tokio::test]
async fn the_command_line_publishes_a_flow_and_says_its_version_or_every_fault() {
    let mut world = World::new().await;
    let url = format!("http://{}/", world.serve().await);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reception.flow.yaml");
    std::fs::write(&file, RECEPTION).unwrap();
    let key = world.integration(ACME, &["manage_tenant"]).await.token.unwrap();
    let in_force = |version: u32| (true, format!("FILE: version {version} of the reception flow is in force\n"));
    assert_eq!(published(&url, &key, &file, &[]).await.unwrap(), in_force(1));
    assert_eq!(published(&url, &key, &file, &[]).await.unwrap(), in_force(2));
    assert_eq!(published(&url, &key, &file, &["--shop", SHOP]).await.unwrap(), in_force(1));
    std::fs::write(&file, RECEPTION.replace("group: main", "group: nights")).unwrap();
    let (fine, said) = published(&url, &key, &file, &[]).await.unwrap();
    assert!(!fine && said.starts_with("FILE:5:9: destinations.us.group: the tenant has no group `nights`\n    "), "{said}");
    std::fs::write(&file, RECEPTION.replace("to: us", "to: them")).unwrap();
    let (fine, said) = published(&url, &key, &file, &[]).await.unwrap();
    assert!(!fine && said.contains("route[0].to"), "{said}");
    std::fs::write(&file, RECEPTION).unwrap();
    let wrong = published(&url, "kk_nobody", &file, &[]).await.unwrap_err();
    assert!(wrong.starts_with("the server refused: 401 invalid_token"), "{wrong}");
    assert_eq!(published("nowhere", &key, &file, &[]).await.unwrap_err(), "nowhere is not the address of a kefu server");
    world.end().await;
}
