//! Suggestions: shown to whoever serves, and to nobody else.

use super::*;

/// A conversation that an agent serves, in which the customer wrote last.
async fn served(shop: &Shop) -> (Person, Person, String, String) {
    let agent = shop.world.agent_on_duty(ACME, "alice").await;
    let (customer, chat, conversation) = shop.enter("li").await;
    let _ = shop.world.post(&customer, &format!("/v1/tenants/acme/conversations/{conversation}/hand-off"), json!({})).await.ok();
    shop.world.settle().await;
    shop.says(&customer, &chat, "几时发货？").await;
    (agent, customer, chat, conversation)
}

#[tokio::test]
async fn whoever_serves_asks_a_robot_and_what_they_send_says_so_to_the_shop_alone() {
    let shop = Shop::open(Says::Json(json!({"answer": "今天发货。", "confidence": 87, "hints": ["怎么退货？"]}))).await;
    let (agent, customer, chat, conversation) = served(&shop).await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/suggestions");
    let suggested = shop.world.post(&agent, &path, json!({"robot": "guide"})).await.ok();
    assert_eq!(suggested["answers"], json!([{"text": "今天发货。", "confidence": 87}]));
    assert_eq!(suggested["hints"], json!(["怎么退货？"]));
    let unless_told = shop.world.post(&agent, &path, json!({})).await.ok();
    assert_eq!(unless_told["answers"], suggested["answers"], "it is the one that is there to assist");
    let asked = shop.robot.asked();
    assert_eq!((&asked[0].body["purpose"], &asked[0].body["text"]), (&json!("assist"), &json!("几时发货？")));
    assert_eq!(shop.heard(&customer, &chat).await, Vec::<Value>::new(), "nobody else sees it");

    let messages = format!("/v1/tenants/acme/chats/{chat}/messages");
    let taken = json!({"id": shop.world.client_id(), "content": "今天就发货。", "suggestion": suggested["suggestion"]});
    let _ = shop.world.post(&agent, &messages, taken.clone()).await.ok();
    let origin = async |who: &Person| {
        let page = shop.world.get(who, &messages).await.ok();
        page["data"].as_array().unwrap().last().unwrap()["origin"].clone()
    };
    let assisted = origin(&agent).await["assisted"]["suggestion"].as_str().unwrap().replace('-', "");
    assert_eq!(json!(assisted), suggested["suggestion"]);
    assert_eq!(origin(&customer).await, "human");
    let mut own = taken;
    own["id"] = json!(shop.world.client_id());
    let _ = shop.world.post(&customer, &messages, own).await.ok();
    assert_eq!(origin(&agent).await, "human", "what a customer says of one counts for nothing");
    shop.world.end().await;
}

#[tokio::test]
async fn it_is_told_neither_notes_nor_what_was_taken_back_or_put_out_of_sight() {
    let shop = Shop::open(Says::Json(json!({"unknown": true}))).await;
    let (agent, customer, chat, conversation) = served(&shop).await;
    let messages = format!("/v1/tenants/acme/chats/{chat}/messages");
    let note = json!({"id": shop.world.client_id(), "content": "他很着急", "visibility": "staff"});
    let _ = shop.world.post(&agent, &messages, note).await.ok();
    let recalled = shop.world.say(&customer, &chat, "我的电话是").await.ok()["message"].as_str().unwrap().to_owned();
    let _ = shop.world.post(&customer, &format!("{messages}/{recalled}/recall"), json!({})).await.ok();
    let hidden = shop.world.say(&agent, &chat, "请稍等").await.ok()["message"].as_str().unwrap().to_owned();
    shop.world.settle().await;
    let _ = shop.world.call(&customer, Method::DELETE, &format!("{messages}/{hidden}"), Value::Null).await.ok();
    shop.says(&customer, &chat, "还在吗？").await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/suggestions");
    let _ = shop.world.post(&agent, &path, json!({"robot": "guide"})).await.ok();
    let asked = shop.robot.asked();
    let history = asked[0].body["history"].as_array().unwrap();
    let told: Vec<&str> = history.iter().map(|turn| turn["text"].as_str().unwrap()).collect();
    assert_eq!((told, &asked[0].body["text"]), (vec!["您好", "几时发货？"], &json!("还在吗？")));
    shop.world.end().await;
}

#[tokio::test]
async fn the_built_in_robot_suggests_what_the_articles_say() {
    let shop = Shop::open(Says::Nothing).await;
    let articles = json!({"jsonl": "{\"article\": \"ship\", \"question\": \"几时发货？\", \"answer\": \"今天发货。\"}\n{\"article\": \"return\", \"question\": \"怎么退货？\", \"answer\": \"七天内。\"}"});
    let _ = shop.world.post(&shop.admin, "/v1/tenants/acme/articles/import", articles).await.ok();
    let (customer, chat, conversation) = shop.enter("li").await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/suggestions");
    let silent = shop.world.post(&shop.admin, &path, json!({"robot": "faq"})).await;
    assert_eq!(silent.problem(), (422, "invalid_value"), "nothing was asked");
    let suggested = shop.world.post(&shop.admin, &path, json!({"robot": "faq", "text": "几时发货？"})).await.ok();
    assert_eq!((&suggested["answers"][0]["article"], &suggested["answers"][0]["text"]), (&json!("ship"), &json!("今天发货。")));
    let _ = (customer, chat);
    shop.world.end().await;
}

#[tokio::test]
async fn who_does_not_serve_is_refused_and_a_robot_that_fails_is_told_of() {
    let shop = Shop::open(Says::Text("<html>".into())).await;
    let (agent, customer, _, conversation) = served(&shop).await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/suggestions");
    let ask = async |who: &Person, robot: &str| shop.world.post(who, &path, json!({"robot": robot})).await;
    let reviewer = shop.world.staff(ACME, Role::QualityReviewer, "rev").await;
    for person in [&customer, &reviewer] {
        assert_eq!(ask(person, "guide").await.problem(), (403, "forbidden"), "{}", person.name);
    }
    assert_eq!(ask(&agent, "nobody").await.problem(), (404, "not_found"));
    for _ in 0..5 {
        assert_eq!(ask(&agent, "guide").await.problem(), (502, "robot_failed"));
    }
    assert_eq!(ask(&agent, "guide").await.problem(), (503, "robot_resting"));
    let _ = shop.connect(json!({"protocol": "http", "uses": ["seat"]})).await;
    assert_eq!(ask(&agent, "guide").await.problem(), (404, "not_found"), "it does not assist any more");
    let built_in = shop.world.post(&agent, &path, json!({})).await.ok();
    assert_eq!(built_in["answers"], json!([]), "where none is there to assist it is the articles that are asked");
    shop.robot.says(Says::Nothing);
    let _ = shop.connect(json!({"protocol": "http", "uses": ["assist"], "timeout_ms": 50})).await;
    assert_eq!(ask(&agent, "guide").await.problem(), (504, "robot_timed_out"));
    shop.world.end().await;
}
