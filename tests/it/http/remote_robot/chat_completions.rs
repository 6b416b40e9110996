//! A server of language models: its answer grows before the customer and is one message in the end.

use tests::world::socket::Socket;

use super::*;

fn part(text: &str) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}))
}

fn end() -> String {
    "data: {\"choices\": [{\"index\": 0, \"delta\": {}, \"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n".into()
}

fn stream(parts: &[&str]) -> Says {
    Says::Stream(parts.iter().map(|text| part(text)).chain([end()]).collect())
}

fn language_model() -> Value {
    json!({"protocol": "chat_completions", "uses": ["seat"], "model": "guide-7b", "system": "你是导购。", "api_key": "sk-123"})
}

fn hex(id: &Value) -> String {
    id.as_str().expect("an id").replace('-', "")
}

#[tokio::test]
async fn its_answer_grows_before_the_customer_and_is_one_message_in_the_end() {
    let mut shop = Shop::open_with(stream(&["您的包裹", "在路上。"]), language_model()).await;
    let (customer, chat, _) = shop.enter("li").await;
    let mut phone = Socket::hello(&mut shop.world, &customer, 0).await;
    shop.robot.hold(true);
    let _ = shop.world.say(&customer, &chat, "我的包裹呢？").await.ok();
    let chunk = phone.next_of("chunk").await;
    assert_eq!(chunk["content"], "您的包裹");
    shop.robot.hold(false);
    let said = loop {
        let item = phone.next_item("message").await;
        if item["m"]["category"] == "robot" {
            break item["m"].clone();
        }
    };
    assert_eq!(
        (&said["content"], hex(&said["client_msg_id"]), &said["from"]),
        (&json!("您的包裹在路上。"), hex(&chunk["id"]), &chunk["user"])
    );
    assert_eq!(shop.heard(&customer, &chat).await.len(), 1);
    let asked = shop.robot.asked();
    assert_eq!(asked[0].headers["authorization"], "Bearer sk-123");
    let messages = json!([
        {"role": "system", "content": "你是导购。"},
        {"role": "assistant", "content": "您好"},
        {"role": "user", "content": "我的包裹呢？"},
    ]);
    assert_eq!(asked[0].body, json!({"model": "guide-7b", "messages": messages, "stream": true}));
    shop.world.end().await;
}

#[tokio::test]
async fn what_was_shown_of_an_answer_that_breaks_off_is_taken_away_again() {
    let mut shop = Shop::open_with(Says::Stream(vec![part("您的包裹"), part("在")]), language_model()).await;
    let (customer, chat, conversation) = shop.enter("li").await;
    let mut phone = Socket::hello(&mut shop.world, &customer, 0).await;
    shop.robot.hold(true);
    let _ = shop.world.say(&customer, &chat, "我的包裹呢？").await.ok();
    let shown = phone.next_of("chunk").await;
    shop.robot.hold(false);
    let gone = loop {
        let chunk = phone.next_of("chunk").await;
        if chunk["content"] == "" {
            break chunk;
        }
    };
    assert_eq!(gone["id"], shown["id"]);
    assert_eq!((shop.status(&conversation).await.as_str(), shop.heard(&customer, &chat).await.len()), ("waiting", 0));
    shop.world.end().await;
}

#[tokio::test]
async fn it_gives_way_or_does_not_know_in_words_that_the_customer_does_not_see() {
    let shop = Shop::open_with(stream(&["[unk", "nown]"]), language_model()).await;
    let (heard, status) = shop.asks("li", "宇宙有多大").await;
    assert!(heard[0]["content"].as_str().unwrap().starts_with("抱歉"), "{heard:?}");
    assert_eq!(status, "reception");
    shop.robot.says(stream(&["[hand_off]"]));
    assert_eq!(shop.asks("wang", "我要投诉").await, (vec![], "waiting".to_owned()));
    shop.world.end().await;
}

#[tokio::test]
async fn whatever_it_answers_wrongly_brings_a_human_and_is_not_said() {
    let shop = Shop::open_with(stream(&[]), language_model()).await;
    let endless = Says::Stream(vec![part("x").repeat(60_000)]);
    for (nth, says) in [
        stream(&[]),
        Says::Text("<html>502 Bad Gateway</html>".into()),
        Says::Json(json!({"error": {"message": "overloaded"}})),
        endless,
        Says::Stream(vec![part("a"), end().replace("data: [DONE]\n\n", ""), part("late"), end()]),
    ]
    .into_iter()
    .enumerate()
    {
        shop.robot.says(says);
        let _ = shop.connect(language_model()).await;
        let (heard, status) = shop.asks(&format!("c{nth}"), "我的包裹呢？").await;
        assert_eq!((heard.len(), status.as_str()), (0, "waiting"), "{nth}");
    }
    shop.world.end().await;
}
