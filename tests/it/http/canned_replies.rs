//! Canned replies: who sees which, who keeps them, and what they may be.

use axum::http::{Method, Request, header};
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::{PASSWORD, Person};
use tests::world::{ACME, Reply, World};

const PATH: &str = "/v1/tenants/acme/canned-replies";

/// Somebody who serves these groups.
async fn serving(world: &World, role: Role, login: &str, groups: &[&str]) -> Person {
    let body = json!({"role": role, "display_name": login, "login": login, "password": PASSWORD, "groups": groups});
    let _ = world.post(&Person::operator(), "/v1/tenants/acme/users", body).await.ok();
    world.sign_in(ACME, login).await
}

async fn add(world: &World, who: &Person, scope: &str, group: Option<&str>, shortcut: &str) -> Reply {
    let mut body =
        json!({"scope": scope, "shortcut": shortcut, "title": format!("{scope} {shortcut}"), "text": format!("text of {shortcut}")});
    if let Some(group) = group {
        body["group"] = json!(group);
    }
    world.post(who, PATH, body).await
}

/// The replies that somebody sees, as `scope/shortcut`.
async fn listed(world: &World, who: &Person, query: &str) -> Vec<String> {
    let page = world.call(who, Method::GET, &format!("{PATH}{query}"), Value::Null).await.ok();
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| format!("{}/{}", row["scope"].as_str().unwrap(), row["shortcut"].as_str().unwrap())).collect()
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap_or_else(|| panic!("no id in {answer}")).to_owned()
}

async fn change(world: &World, who: &Person, id: &str, shortcut: &str) -> Reply {
    world.call(who, Method::PUT, &format!("{PATH}/{id}"), json!({"shortcut": shortcut, "title": "new", "text": "new"})).await
}

async fn remove(world: &World, who: &Person, id: &str) -> Reply {
    world.call(who, Method::DELETE, &format!("{PATH}/{id}"), Value::Null).await
}

struct Team {
    admin: Person,
    lead_of_main: Person,
    main: Person,
    vip: Person,
}

async fn team(world: &World) -> Team {
    Team {
        admin: world.staff(ACME, Role::TenantAdmin, "admin").await,
        lead_of_main: serving(world, Role::Supervisor, "lead", &["main"]).await,
        main: serving(world, Role::Agent, "alice", &["main"]).await,
        vip: serving(world, Role::Agent, "bob", &["vip"]).await,
    }
}

#[tokio::test]
async fn everybody_sees_the_tenants_their_groups_and_their_own() {
    let world = World::new().await;
    let team = team(&world).await;
    let _ = add(&world, &team.admin, "tenant", None, "hi").await.ok();
    let _ = add(&world, &team.admin, "group", Some("vip"), "hi").await.ok();
    let _ = add(&world, &team.lead_of_main, "group", Some("main"), "refund").await.ok();
    let _ = add(&world, &team.main, "own", None, "hi").await.ok();
    let _ = add(&world, &team.vip, "own", None, "bye").await.ok();
    assert_eq!(listed(&world, &team.main, "").await, ["own/hi", "tenant/hi", "group/refund"]);
    assert_eq!(listed(&world, &team.vip, "").await, ["own/bye", "group/hi", "tenant/hi"]);
    assert_eq!(listed(&world, &team.lead_of_main, "").await, ["tenant/hi", "group/refund"]);
    assert_eq!(listed(&world, &team.admin, "").await, ["group/hi", "tenant/hi", "group/refund"], "all of the tenant's, nobody's own");
    assert_eq!(listed(&world, &team.main, "?prefix=re").await, ["group/refund"]);
    assert_eq!(listed(&world, &team.main, "?prefix=x").await, Vec::<String>::new());
    let page = world.call(&team.main, Method::GET, &format!("{PATH}?prefix=refund"), Value::Null).await.ok();
    let row = &page["data"][0];
    assert_eq!((&row["title"], &row["text"], &row["group"]), (&json!("group refund"), &json!("text of refund"), &json!("main")));
    for stranger in [world.customer(ACME, "li").await, world.staff(ACME, Role::QualityReviewer, "reviewer").await] {
        assert_eq!(world.call(&stranger, Method::GET, PATH, Value::Null).await.problem(), (403, "forbidden"), "{}", stranger.name);
    }
    world.end().await;
}

#[tokio::test]
async fn each_keeps_what_is_theirs_to_keep() {
    let world = World::new().await;
    let team = team(&world).await;
    for (who, scope, group, status) in [
        (&team.admin, "tenant", None, 201),
        (&team.admin, "group", Some("vip"), 201),
        (&team.admin, "own", None, 403),
        (&team.lead_of_main, "tenant", None, 403),
        (&team.lead_of_main, "group", Some("main"), 201),
        (&team.lead_of_main, "group", Some("vip"), 403),
        (&team.lead_of_main, "own", None, 201),
        (&team.main, "tenant", None, 403),
        (&team.main, "group", Some("main"), 403),
        (&team.main, "own", None, 201),
    ] {
        let reply = add(&world, who, scope, group, "hi").await;
        assert_eq!(reply.status, status, "{} {scope} {group:?}: {}", who.name, reply.body);
    }
    world.end().await;
}

#[tokio::test]
async fn a_reply_is_changed_and_removed_by_those_who_keep_it_only() {
    let world = World::new().await;
    let team = team(&world).await;
    let of_tenant = id(&add(&world, &team.admin, "tenant", None, "t").await.ok());
    let of_main = id(&add(&world, &team.lead_of_main, "group", Some("main"), "m").await.ok());
    let of_vip = id(&add(&world, &team.admin, "group", Some("vip"), "v").await.ok());
    let of_alice = id(&add(&world, &team.main, "own", None, "a").await.ok());
    for (who, id, expected) in [
        (&team.main, &of_tenant, (403, "forbidden")),
        (&team.main, &of_main, (403, "forbidden")),
        (&team.lead_of_main, &of_tenant, (403, "forbidden")),
        (&team.lead_of_main, &of_vip, (403, "forbidden")),
        (&team.vip, &of_alice, (404, "not_found")),
        (&team.lead_of_main, &of_alice, (404, "not_found")),
        (&team.admin, &of_alice, (404, "not_found")),
    ] {
        assert_eq!(change(&world, who, id, "x").await.problem(), expected, "{}", who.name);
        assert_eq!(remove(&world, who, id).await.problem(), expected, "{}", who.name);
    }
    for (who, id, shortcut) in [(&team.admin, &of_vip, "v2"), (&team.lead_of_main, &of_main, "m2"), (&team.main, &of_alice, "a2")] {
        let _ = change(&world, who, id, shortcut).await.ok();
        assert!(listed(&world, who, "").await.iter().any(|row| row.ends_with(shortcut)));
        let _ = remove(&world, who, id).await.ok();
        assert!(!listed(&world, who, "").await.iter().any(|row| row.ends_with(shortcut)));
        assert_eq!(remove(&world, who, id).await.problem(), (404, "not_found"));
        assert_eq!(change(&world, who, id, "x").await.problem(), (404, "not_found"));
    }
    world.end().await;
}

#[tokio::test]
async fn a_request_under_a_key_is_carried_out_once_also_when_it_removes() {
    let world = World::new().await;
    let team = team(&world).await;
    for (who, scope, group) in [(&team.admin, "tenant", None), (&team.lead_of_main, "group", Some("main")), (&team.main, "own", None)] {
        let body = json!({"scope": scope, "group": group, "shortcut": "once", "title": "", "text": "x"});
        let first = world.post_once(who, "add", PATH, body.clone()).await.ok();
        assert_eq!(world.post_once(who, "add", PATH, body.clone()).await.ok()["id"], first["id"]);
        let delete = || Request::delete(format!("{PATH}/{}", id(&first))).header("idempotency-key", "remove");
        for _ in 0..2 {
            let _ = world.send(delete().body(axum::body::Body::empty()).unwrap(), who).await.ok();
        }
        assert_eq!(listed(&world, who, "?prefix=once").await, Vec::<String>::new(), "{scope}");
    }
    world.end().await;
}

#[tokio::test]
async fn another_tenant_sees_and_changes_none_of_it() {
    let world = World::new().await;
    world.make_tenant("rival").await;
    let team = team(&world).await;
    let of_tenant = id(&add(&world, &team.admin, "tenant", None, "t").await.ok());
    let stranger = world.staff("rival", Role::TenantAdmin, "admin").await;
    assert_eq!(world.call(&stranger, Method::GET, PATH, Value::Null).await.problem(), (403, "wrong_tenant"));
    assert_eq!(change(&world, &stranger, &of_tenant, "x").await.problem(), (403, "wrong_tenant"));
    assert_eq!(remove(&world, &stranger, &of_tenant).await.problem(), (403, "wrong_tenant"));
    let elsewhere = format!("/v1/tenants/rival/canned-replies/{of_tenant}");
    assert_eq!(world.call(&stranger, Method::DELETE, &elsewhere, Value::Null).await.problem(), (404, "not_found"));
    let own = world.call(&stranger, Method::GET, "/v1/tenants/rival/canned-replies", Value::Null).await.ok();
    assert_eq!(own["data"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_told_so() {
    let world = World::new().await;
    let team = team(&world).await;
    let _ = add(&world, &team.admin, "tenant", None, "hi").await.ok();
    let body = |change: Value| {
        let mut body = json!({"scope": "tenant", "shortcut": "ok", "title": "t", "text": "x"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (wrong, expected) in [
        (json!({"shortcut": "hi"}), (409, "shortcut_taken")),
        (json!({"shortcut": "Hi there"}), (400, "invalid_field")),
        (json!({"scope": "world"}), (400, "invalid_field")),
        (json!({"group": "vip"}), (422, "invalid_value")),
        (json!({"scope": "group"}), (422, "invalid_value")),
        (json!({"scope": "group", "group": "nowhere"}), (404, "not_found")),
        (json!({"text": ""}), (422, "message_empty")),
        (json!({"text": "x".repeat(16 * 1024 + 1)}), (422, "text_too_long")),
        (json!({"title": "x".repeat(513)}), (422, "text_too_long")),
        (json!({"colour": 1}), (400, "unknown_field")),
    ] {
        assert_eq!(world.post(&team.admin, PATH, body(wrong.clone())).await.problem(), expected, "{wrong}");
    }
    assert_eq!(change(&world, &team.admin, "nonsense", "x").await.problem(), (400, "invalid_id"));
    for (query, code) in [("?limit=0", "invalid_query"), ("?colour=red", "invalid_query"), ("?after=nonsense", "invalid_cursor")] {
        assert_eq!(world.call(&team.admin, Method::GET, &format!("{PATH}{query}"), Value::Null).await.problem(), (400, code));
    }
    world.end().await;
}

#[tokio::test]
async fn a_long_list_comes_in_pages_without_gap_or_repeat() {
    let world = World::new().await;
    let team = team(&world).await;
    for number in 0..7 {
        let _ = add(&world, &team.admin, "tenant", None, &format!("s{number}")).await.ok();
        let _ = add(&world, &team.main, "own", None, &format!("s{number}")).await.ok();
    }
    let (mut seen, mut query) = (Vec::new(), "?limit=3".to_owned());
    loop {
        let page = world.call(&team.main, Method::GET, &format!("{PATH}{query}"), Value::Null).await.ok();
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| format!("{} {}", row["shortcut"], row["scope"])));
        let Some(next) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=3&after={next}");
    }
    let expected: Vec<String> = (0..7).flat_map(|number| ["own", "tenant"].map(|scope| format!("\"s{number}\" \"{scope}\""))).collect();
    assert_eq!(seen, expected);
    world.end().await;
}

#[tokio::test]
async fn a_closed_account_leaves_no_reply_behind() {
    let world = World::new().await;
    let team = team(&world).await;
    let _ = add(&world, &team.main, "own", None, "a").await.ok();
    let path = format!("/v1/tenants/acme/users/{}", team.main.user());
    let _ = world.call(&Person::operator(), Method::DELETE, &path, Value::Null).await.ok();
    world.settle().await;
    assert!(world.app.ports.views.own_canned_replies(tests::world::id(ACME), team.main.user()).is_empty());
    let reply = world.call(&team.main, Method::GET, PATH, Value::Null).await;
    assert_eq!(reply.problem(), (401, "deactivated"));
    assert!(reply.headers.contains_key(header::WWW_AUTHENTICATE));
    world.end().await;
}
