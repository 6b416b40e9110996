//! A robot that is slow, down or wrong, and one whose answer comes too late.

use domain::time::Millis;
use tests::world::SHOP;
use tests::world::socket::Socket;

use super::*;

fn good() -> Says {
    Says::Json(json!({"answer": "今天发货。"}))
}

#[tokio::test]
async fn whatever_it_answers_wrongly_brings_a_human_and_is_not_said() {
    let shop = Shop::open(good()).await;
    let twice = r#"{"answer": "a"}{"answer": "b"}"#.to_owned();
    let wrong = [
        Says::Text("<html>502 Bad Gateway</html>".into()),
        Says::Text(format!("{{\"answer\": \"{}\"}}", "x".repeat(5 * 1024 * 1024))),
        Says::Text(twice),
        Says::Json(json!({"answer": ""})),
        Says::Json(json!({"answer": "a", "hand_off": true})),
        Says::Status(axum::http::StatusCode::INTERNAL_SERVER_ERROR),
        Says::Redirect,
        Says::Nothing,
    ];
    for (nth, says) in wrong.into_iter().enumerate() {
        shop.robot.says(says.clone());
        // Connected anew, so that it does not rest.
        let _ = shop
            .connect(json!({"protocol": "http", "uses": ["seat"], "timeout_ms": if matches!(says, Says::Nothing) { 50 } else { 10_000 }}))
            .await;
        assert_eq!(shop.asks(&format!("c{nth}"), "几时发货？").await, (vec![], "waiting".to_owned()), "{nth}");
        assert_eq!(shop.robot.asked().len(), nth + 1, "asked once, and a redirect leads nowhere");
    }
    shop.world.end().await;
}

#[tokio::test]
async fn nobody_listens_where_it_was() {
    let shop = Shop::open(good()).await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", gone.local_addr().unwrap());
    drop(gone);
    let connection = json!({"protocol": "http", "uses": ["seat"], "url": url});
    let _ = shop.world.call(&shop.admin, Method::PUT, ROBOT, connection).await.ok();
    assert_eq!(shop.asks("li", "几时发货？").await, (vec![], "waiting".to_owned()));
    shop.world.end().await;
}

#[tokio::test]
async fn one_that_fails_five_times_is_left_alone_and_tried_again_after_half_a_minute() {
    let shop = Shop::open(Says::Status(axum::http::StatusCode::SERVICE_UNAVAILABLE)).await;
    for nth in 0..5 {
        assert_eq!(shop.asks(&format!("c{nth}"), "几时发货？").await.1, "waiting");
    }
    shop.robot.says(good());
    assert_eq!(shop.asks("li", "几时发货？").await, (vec![], "waiting".to_owned()));
    assert_eq!(shop.robot.asked().len(), 5, "it rests");
    shop.world.pass(Millis::seconds(30)).await;
    let (heard, status) = shop.asks("wang", "几时发货？").await;
    assert_eq!((heard.len(), status.as_str()), (1, "reception"));
    assert_eq!(shop.asks("zhao", "几时发货？").await.1, "reception");
    shop.world.end().await;
}

#[tokio::test]
async fn an_answer_that_comes_after_the_hand_off_is_dropped() {
    let shop = Shop::open(good()).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    shop.robot.hold(true);
    let _ = shop.world.say(&customer, &chat, "几时发货？").await.ok();
    shop.robot.until_asked(1).await;
    let pressed = format!("/v1/tenants/acme/conversations/{conversation}/hand-off");
    let _ = shop.world.post(&customer, &pressed, json!({})).await.ok();
    // Everything but the robot, which still thinks.
    let mut policies = shop.world.app.ports.policies.reached.clone();
    let head = shop.world.app.ports.log.head().await.unwrap();
    policies.wait_for(|reached| *reached >= head).await.unwrap();
    shop.robot.hold(false);
    assert_eq!(shop.status(&conversation).await, "waiting");
    assert_eq!(shop.heard(&customer, &chat).await, Vec::<Value>::new());
    shop.world.end().await;
}

#[tokio::test]
async fn while_it_thinks_its_customer_is_served_in_order_and_other_tenants_at_once() {
    let mut shop = Shop::open(good()).await;
    shop.world.make_tenant("rival").await;
    let admin = shop.world.staff("rival", Role::TenantAdmin, "boss").await;
    let flow = json!({"text": FLOW.replace("guide", "faq")});
    let _ = shop.world.call(&admin, Method::PUT, "/v1/tenants/rival/flows/reception", flow).await.ok();
    let (customer, chat, _) = shop.enter("li").await;
    let other = shop.world.customer("rival", "wang").await;
    let opened = shop.world.post(&other, "/v1/tenants/rival/chats", json!({"shop": SHOP})).await.ok();
    shop.world.settle().await;
    let mut phone = Socket::hello(&mut shop.world, &other, 0).await;

    shop.robot.hold(true);
    for text in ["几时发货？", "谢谢"] {
        let _ = shop.world.say(&customer, &chat, text).await.ok();
    }
    shop.robot.until_asked(1).await;
    let _ = shop.world.say(&other, opened["chat"].as_str().unwrap(), "怎么退货？").await.ok();
    let answered = loop {
        let item = phone.next_item("message").await;
        if item["m"]["category"] == "robot" {
            break item;
        }
    };
    assert!(answered["m"]["content"].is_string());
    assert_eq!(shop.robot.asked().len(), 1, "one question of a chat at a time");
    shop.robot.hold(false);
    assert_eq!(shop.heard(&customer, &chat).await.len(), 2);
    let texts: Vec<Value> = shop.robot.asked().iter().map(|asked| asked.body["text"].clone()).collect();
    assert_eq!(texts, [json!("几时发货？"), json!("谢谢")]);
    shop.world.end().await;
}

#[tokio::test]
async fn whoever_asks_more_than_it_answers_has_a_human() {
    let shop = Shop::open(good()).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    shop.robot.hold(true);
    for nth in 0..20 {
        let _ = shop.world.say(&customer, &chat, &format!("几时发货？{nth}")).await.ok();
    }
    shop.robot.until_asked(1).await;
    let mut policies = shop.world.app.ports.policies.reached.clone();
    let path = format!("/v1/tenants/acme/conversations/{conversation}");
    loop {
        // Everything but the robot, which still thinks.
        let head = shop.world.app.ports.log.head().await.unwrap();
        shop.world.app.ports.views.at_least(head).await.unwrap();
        if shop.world.call(&shop.admin, Method::GET, &path, Value::Null).await.ok()["status"] == "waiting" {
            break;
        }
        policies.changed().await.unwrap();
    }
    shop.robot.hold(false);
    assert_eq!((shop.status(&conversation).await.as_str(), shop.robot.asked().len()), ("waiting", 1));
    shop.world.end().await;
}
