//! What a channel does with its customers' conversations, and with many customers at a time.

use super::*;

#[tokio::test]
async fn a_channel_rates_and_ends_for_its_customer_as_they_would_themself() {
    let served = Served::begin(World::over(to_this_machine(), |_| {}).await).await;
    let list = served.world.get(&Person::operator(), "/v1/tenants/acme/conversations").await.ok();
    let conversation = list["data"][0]["id"].as_str().unwrap().to_owned();
    let say = |what: &'static str, id: &'static str, body: Value| {
        let (signer, world) = (&served.signer, &served.world);
        async move { signer.send(world, what, id, body).await }
    };
    let rating = |score: u8| json!({"customer": "li", "conversation": conversation, "score": score, "tags": ["fast"], "solved": true, "comment": "谢谢"});
    assert_eq!(say("rating", "q1", rating(6)).await.problem(), (422, "invalid_score"));
    let first = say("rating", "q2", rating(5)).await.ok();
    assert_eq!(
        say("rating", "q2", rating(5)).await.ok()["position"],
        first["position"],
        "the same webhook is answered like the first time"
    );
    assert_eq!(say("rating", "q2", rating(4)).await.problem(), (422, "idempotency_key_reused"));
    assert_eq!(say("rating", "q3", rating(4)).await.problem(), (409, "already_rated"));
    let end = json!({"customer": "li", "conversation": conversation});
    let ended = say("end", "e1", end.clone()).await.ok();
    assert_eq!(say("end", "e1", end).await.ok()["position"], ended["position"]);
    let row = served.world.get(&Person::operator(), &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok();
    assert_eq!((&row["score"], &row["status"]), (&json!(5), &json!("closed")));
    let items = served.all_taken().await;
    let events: Vec<&str> = items.iter().filter_map(|item| item["event"].as_str()).collect();
    assert!(events.contains(&"rated") && events.contains(&"closed"), "{events:?}");
    served.world.end().await;
}

#[tokio::test]
async fn a_channel_rates_and_ends_no_conversation_but_its_customers_own() {
    let world = World::new().await;
    let signer = Signer::connect(&world, ACME, "wechat", URL).await;
    let other = Signer::connect(&world, ACME, "app", URL).await;
    let hello = |customer: &str| json!({"customer": customer, "sent_at": world.clock_ms(), "content": "hi"});
    let own = signer.send(&world, "messages", "m1", hello("li")).await.ok()["conversation"].as_str().unwrap().to_owned();
    let _ = signer.send(&world, "messages", "m2", hello("wang")).await.ok();
    let _ = other.send(&world, "messages", "m3", hello("li")).await.ok();
    world.settle().await;
    let unknown = "01900000000070008000000000000001";
    for (to, more) in [("rating", json!({"score": 5})), ("end", json!({}))] {
        let body = |customer: &str, conversation: &str| {
            let mut body = json!({"customer": customer, "conversation": conversation});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        assert_eq!(signer.send(&world, to, "x1", body("wang", &own)).await.problem(), (403, "forbidden"), "{to}: another customer's");
        assert_eq!(other.send(&world, to, "x2", body("li", &own)).await.problem(), (403, "forbidden"), "{to}: of another channel");
        assert_eq!(signer.send(&world, to, "x3", body("stranger", &own)).await.problem(), (404, "not_found"));
        assert_eq!(signer.send(&world, to, "x4", body("li", unknown)).await.problem(), (404, "not_found"));
        assert_eq!(signer.send(&world, to, "x5", body("li", "nonsense")).await.problem(), (400, "invalid_field"));
        let mut unknown_field = body("li", &own);
        unknown_field["more"] = json!(1);
        assert_eq!(signer.send(&world, to, "x6", unknown_field).await.problem(), (400, "unknown_field"));
        let forged = Signer { path: signer.path.clone(), key: other.key.clone() };
        assert_eq!(forged.send(&world, to, "x7", body("li", &own)).await.problem(), (401, "invalid_signature"));
    }
    let nobody_served = json!({"customer": "li", "conversation": own, "score": 5});
    assert_eq!(signer.send(&world, "rating", "x8", nobody_served).await.problem(), (409, "nothing_to_rate"));
    world.end().await;
}

/// More than are looked through at a time.
const MANY: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connecting_anew_reaches_every_customer_however_many_there_are() {
    let served = Served::begin(World::over(to_this_machine(), |_| {}).await).await;
    let _ = served.world.call(&Person::operator(), Method::DELETE, &format!("{CHANNELS}/wechat"), Value::Null).await.ok();
    let again = put(&served.world, "wechat", connection("http://127.0.0.1:9/away")).await.ok();
    let key = SigningKey::parse(again["secret"].as_str().expect("another secret")).unwrap();
    let signer = Signer { path: served.signer.path.clone(), key };
    for number in 0..MANY {
        let body = json!({"customer": format!("c{number}"), "sent_at": served.world.clock_ms(), "content": "hi"});
        let _ = signer.send(&served.world, "messages", &format!("m{number}"), body).await.ok();
    }
    served.endpoint.expects(ACME, signer.key.clone(), served.world.app.now());
    let _ = put(&served.world, "wechat", connection(&served.endpoint.url(ACME))).await.ok();
    for number in 0..MANY {
        let taken = served.endpoint.taken_whatever_went_wrong(ACME, &format!("c{number}"), 2).await;
        assert!(taken.iter().any(|item| item["m"]["content"] == "hi"), "c{number}: {taken:?}");
    }
    served.world.end().await;
}
