//! A provider that is slow, down, wrong or late, and one that is not who it says.

use axum::http::StatusCode;

use super::*;

#[tokio::test]
async fn what_it_does_not_take_waits_for_another_seat_and_humans_go_on() {
    let shop = Shop::open(accepted()).await;
    let wrong = [
        Says::Text("<html>502 Bad Gateway</html>".into()),
        Says::Text("x".repeat(5 * 1024 * 1024)),
        Says::Text(r#"{"status": "accepted"}{"status": "accepted"}"#.into()),
        Says::Json(json!({"status": "queueing"})),
        // It works, so that it does not rest.
        Says::Json(json!({"status": "refused", "reason": "closed"})),
        Says::Status(StatusCode::GONE),
        Says::Redirect,
    ];
    for (nth, says) in wrong.into_iter().enumerate() {
        shop.desk.says(says);
        let before = shop.desk.asked().len();
        let (_, _, conversation) = shop.comes(&format!("c{nth}")).await;
        assert_eq!(shop.status(&conversation).await, "waiting", "{nth}");
        assert_eq!(shop.types()[before..], ["session.create", "session.end"], "asked once, and a redirect leads nowhere: {nth}");
        let answer = if nth == 4 { "refused" } else { "failed" };
        assert_eq!(shop.took(&conversation).await[0]["answer"], answer, "{nth}");
    }
    let alice = shop.world.agent_on_duty(ACME, "alice").await;
    let (_, _, conversation) = shop.comes("li").await;
    let agents = shop.world.get(&shop.admin, "/v1/tenants/acme/agents").await.ok();
    assert!(!agents["data"].as_array().unwrap().is_empty());
    assert_eq!(shop.row(&conversation).await["agent"], alice.user().to_string());
    shop.world.end().await;
}

#[tokio::test]
async fn one_that_is_down_is_called_six_times_and_then_somebody_else_has_it() {
    let shop = Shop::open(Says::Status(StatusCode::SERVICE_UNAVAILABLE)).await;
    let (_, _, conversation) = shop.comes("li").await;
    assert_eq!(shop.status(&conversation).await, "waiting");
    let creates: Vec<_> = shop.desk.asked().into_iter().filter(|asked| asked.body["type"] == "session.create").collect();
    let ids: std::collections::BTreeSet<_> = creates.iter().map(|asked| asked.headers[ID].to_str().unwrap().to_owned()).collect();
    assert_eq!((creates.len(), ids.len()), (6, 1), "under the same id");
    shop.world.end().await;
}

#[tokio::test]
async fn why_it_refuses_is_shown_to_staff_and_to_no_customer() {
    let shop = Shop::open(Says::Json(json!({"status": "refused", "reason": "closed\u{1b} on Sundays\n"}))).await;
    let (customer, chat, conversation) = shop.comes("li").await;
    let took = shop.took(&conversation).await;
    let expected = json!({"at": shop.world.clock_ms(), "answer": "refused", "position": null, "reason": "closed on Sundays"});
    assert_eq!(took, [expected]);
    let explanation = format!("/v1/tenants/acme/conversations/{conversation}/assignment");
    assert_eq!(shop.world.get(&customer, &explanation).await.problem(), (403, "forbidden"));
    for path in [
        "/v1/tenants/acme/feed?after=0".to_owned(),
        format!("/v1/tenants/acme/chats/{chat}"),
        format!("/v1/tenants/acme/chats/{chat}/messages"),
        format!("/v1/tenants/acme/conversations/{conversation}"),
    ] {
        let text = shop.world.get(&customer, &path).await.ok().to_string();
        assert!(!text.contains("Sundays") && !text.contains("refused") && !text.contains(&shop.agent), "{path}: {text}");
    }
    shop.world.end().await;
}

#[tokio::test]
async fn what_it_refuses_later_goes_to_the_next_seat_with_the_reason() {
    let shop = Shop::open(Says::Json(json!({"status": "queueing", "position": 9}))).await;
    let (_, _, conversation) = shop.comes("li").await;
    let alice = shop.world.agent_on_duty(ACME, "alice").await;
    let assignment = shop.told()[0]["assignment"].clone();
    let reason = "休".repeat(3_000);
    let body = json!({"conversation": conversation, "assignment": assignment, "status": "refused", "reason": reason});
    let _ = shop.hears("session-created", "s1", body.clone()).await.ok();
    let _ = shop.hears("session-created", "s1", body).await.ok();
    assert_eq!(shop.row(&conversation).await["agent"], alice.user().to_string());
    let took = shop.took(&conversation).await;
    assert_eq!((&took[0]["answer"], &took[0]["reason"], &took[1]), (&json!("refused"), &json!("休".repeat(666)), &Value::Null));
    shop.world.end().await;
}

#[tokio::test]
async fn two_that_refuse_do_not_hand_it_to_and_fro() {
    let shop = Shop::open(Says::Json(json!({"status": "refused"}))).await;
    let other = RobotServer::start(Says::Json(json!({"status": "refused"}))).await;
    let connection = json!({"title": "Other", "url": other.url(), "groups": ["main"], "capacity": 3});
    let _ = shop.world.call(&shop.admin, Method::PUT, "/v1/tenants/acme/providers/other", connection).await.ok();
    let (_, _, conversation) = shop.comes("li").await;
    assert_eq!(shop.status(&conversation).await, "waiting");
    assert_eq!(shop.took(&conversation).await.len(), 2, "each was asked once");
    shop.world.end().await;
}

#[tokio::test]
async fn one_that_never_accepts_loses_it_in_time() {
    let shop = Shop::open(Says::Text(String::new())).await;
    let (_, _, conversation) = shop.comes("li").await;
    assert_eq!(shop.status(&conversation).await, "serving", "it says so later");
    shop.world.pass(Millis(59_999)).await;
    assert_eq!(shop.types(), ["session.create"]);
    shop.world.pass(Millis(1)).await;
    assert_eq!(shop.types(), ["session.create", "session.end"]);
    assert_eq!(shop.told()[1]["reason"], "taken_back");
    shop.world.end().await;
}

#[tokio::test]
async fn a_message_that_it_does_not_hear_brings_somebody_else() {
    let shop = Shop::open(accepted()).await;
    let (customer, chat, conversation) = shop.comes("li").await;
    shop.desk.says(Says::Status(StatusCode::INTERNAL_SERVER_ERROR));
    shop.says(&customer, &chat, "几时到？").await;
    assert_eq!(shop.status(&conversation).await, "waiting");
    shop.world.end().await;
}

#[tokio::test]
async fn while_it_keeps_one_waiting_others_are_served() {
    let shop = Shop::open(accepted()).await;
    shop.world.make_tenant("rival").await;
    let agent = shop.world.agent_on_duty("rival", "bob").await;
    shop.desk.hold(true);
    let customer = shop.world.customer(ACME, "li").await;
    let _ = shop.world.open_chat(&customer).await;
    shop.desk.until_asked(1).await;
    let other = shop.world.customer("rival", "wang").await;
    let opened = shop.world.post(&other, "/v1/tenants/rival/chats", json!({"shop": tests::world::SHOP})).await.ok();
    // Everything but the provider, which still thinks.
    let mut policies = shop.world.app.ports.policies.reached.clone();
    let path = format!("/v1/tenants/rival/conversations/{}", opened["conversation"].as_str().unwrap());
    loop {
        let head = shop.world.app.ports.log.head().await.unwrap();
        shop.world.app.ports.views.at_least(head).await.unwrap();
        let row = shop.world.call(&agent, Method::GET, &path, Value::Null).await;
        if row.body["status"] == "serving" {
            break;
        }
        policies.changed().await.unwrap();
    }
    shop.desk.hold(false);
    shop.world.end().await;
}

#[tokio::test]
async fn what_it_says_of_what_it_has_no_more_is_refused() {
    let shop = Shop::open(accepted()).await;
    let (customer, chat, conversation) = shop.comes("li").await;
    let assignment = shop.told()[0]["assignment"].clone();
    let alice = shop.world.agent_on_duty(ACME, "alice").await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/transfer");
    let _ = shop.world.post(&shop.admin, &path, json!({"agent": alice.user().to_string()})).await.ok();
    shop.world.settle().await;
    assert_eq!(shop.types(), ["session.create", "session.end"]);
    let of_session = json!({"conversation": conversation, "assignment": assignment});
    let not_yours = (409, "not_yours_any_more");
    assert_eq!(shop.hears("messages", "m1", message(&shop, &conversation, &assignment, "late")).await.problem(), not_yours);
    assert_eq!(shop.hears("rating-requests", "r1", of_session.clone()).await.problem(), not_yours);
    assert_eq!(shop.hears("session-ended", "e1", of_session.clone()).await.problem(), not_yours);
    for status in ["accepted", "refused"] {
        let body = json!({"conversation": conversation, "assignment": assignment, "status": status});
        assert_eq!(shop.hears("session-created", status, body).await.problem(), not_yours, "{status}");
    }
    assert_eq!(shop.heard(&customer, &chat).await, Vec::<String>::new());
    assert_eq!(shop.status(&conversation).await, "serving");
    shop.world.end().await;
}

#[tokio::test]
async fn what_is_not_signed_by_it_and_now_is_refused() {
    let shop = Shop::open(accepted()).await;
    let (_, _, conversation) = shop.comes("li").await;
    let body = json!({"conversation": conversation, "assignment": shop.told()[0]["assignment"]});
    let forged = SigningKey::new(vec![9; 32]);
    for what in ["session-created", "messages", "rating-requests", "session-ended"] {
        assert_eq!(shop.hears_signed(&forged, what, "f1", body.clone()).await.problem(), (401, "invalid_signature"), "{what}");
    }
    let _ = shop.hears("rating-requests", "w1", body.clone()).await.ok();
    let elsewhere = shop.hears("session-ended", "w1", body.clone()).await;
    assert_eq!(elsewhere.problem(), (422, "idempotency_key_reused"), "what was signed for one thing does nothing else");
    assert_eq!(shop.status(&conversation).await, "serving");
    let unknown = json!({"conversation": uuid::Uuid::from_u128(7), "assignment": 1});
    assert_eq!(shop.hears("session-ended", "w2", unknown).await.problem(), (404, "not_found"));
    let _ = shop.world.call(&shop.admin, Method::DELETE, PROVIDER, Value::Null).await.ok();
    assert_eq!(shop.hears("session-ended", "w3", body).await.problem(), (404, "not_found"), "it is no provider any more");
    assert_eq!(shop.status(&conversation).await, "waiting", "somebody else has it");
    shop.world.end().await;
}
