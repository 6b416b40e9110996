//! A customer is served: by HTTP alone, from the first hello to the rating.

use axum::http::Method;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::socket::Socket;
use tests::world::{ACME, World};

#[tokio::test]
async fn a_customer_asks_an_agent_answers_and_the_customer_rates() {
    let world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, conversation) = world.open_chat(&li).await;
    let first = world.say(&li, &chat, "在吗").await.ok();
    assert_eq!(first["seq"], 1);
    assert_eq!(first["conversation"], conversation.as_str());

    let path = format!("/v1/tenants/acme/conversations/{conversation}");
    let served = world.get(&alice, &path).await.ok();
    assert_eq!((served["status"].as_str(), served["agent"].as_str()), (Some("serving"), Some(alice.user().to_string().as_str())));
    assert_eq!(world.say(&alice, &chat, "在的").await.ok()["seq"], 2);

    let messages = world.get(&li, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    let said: Vec<_> = messages["data"].as_array().unwrap().iter().map(|message| message["content"].as_str().unwrap()).collect();
    assert_eq!(said, ["在吗", "在的"]);
    assert_eq!(messages["data"][1]["category"], "agent");
    assert_eq!(messages["data"][1]["persona"], "shop");
    assert!(messages["data"][1].get("assignment").is_none(), "a customer does not see the desk's numbers");

    let read = format!("/v1/tenants/acme/chats/{chat}/read");
    assert_eq!(world.get(&li, &format!("/v1/tenants/acme/chats/{chat}")).await.ok()["unread"], 1);
    let _ = world.post(&li, &read, json!({"seq": 2})).await.ok();
    assert_eq!(world.get(&li, &format!("/v1/tenants/acme/chats/{chat}")).await.ok()["unread"], 0);

    let _ = world.post(&alice, &format!("{path}/rating-invitation"), json!({})).await.ok();
    let _ = world.post(&alice, &format!("{path}/close"), json!({"seen_seq": 2})).await.ok();
    let _ = world.post(&li, &format!("{path}/rating"), json!({"score": 5, "tags": ["fast"], "solved": true})).await.ok();
    let closed = world.get(&li, &path).await.ok();
    assert_eq!((closed["status"].as_str(), closed["score"].as_u64()), (Some("closed"), Some(5)));

    let feed = world.get(&li, "/v1/tenants/acme/feed").await.ok();
    let items = feed["data"].as_array().unwrap();
    for (number, item) in items.iter().enumerate() {
        assert_eq!((item["i"].as_u64(), item["p"].as_u64()), (Some(number as u64 + 1), Some(number as u64)));
    }
    assert_eq!(feed["head"], items.len());
    world.end().await;
}

#[tokio::test]
async fn a_recalled_and_a_removed_message_keep_their_place_without_their_content() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let recalled = world.say(&li, &chat, "wrong window").await.ok();
    let removed = world.say(&li, &chat, "never mind").await.ok();
    world.settle().await;
    let base = format!("/v1/tenants/acme/chats/{chat}/messages");
    let id = |posted: &serde_json::Value| posted["message"].as_str().unwrap().to_owned();
    let _ = world.post(&li, &format!("{base}/{}/recall", id(&recalled)), json!({})).await.ok();
    let _ = world.call(&li, Method::DELETE, &format!("{base}/{}", id(&removed)), json!({})).await.ok();
    let messages = world.get(&li, &base).await.ok();
    assert_eq!((&messages["data"][0]["content"], &messages["data"][0]["is_recalled"]), (&json!(null), &json!(true)));
    assert_eq!((&messages["data"][1]["content"], &messages["data"][1]["is_deleted"]), (&json!(null), &json!(true)));
    let operator = world.get(&Person::operator(), &base).await.ok();
    assert_eq!(operator["data"][1]["content"], "never mind", "removed from one's own sight only");
    world.end().await;
}

#[tokio::test]
async fn a_quoted_text_is_kept_as_it_stood() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let mut posted = Vec::new();
    for number in 0..40 {
        posted.push(world.say(&li, &chat, &format!("message {number}")).await.ok()["message"].as_str().unwrap().to_owned());
        world.clock.pass(domain::time::Millis(700));
    }
    world.settle().await;
    let base = format!("/v1/tenants/acme/chats/{chat}/messages");
    for quoted in [0, 17, 39] {
        let body = json!({"id": world.client_id(), "content": "this one", "quote": posted[quoted]});
        let answer = world.post(&li, &base, body).await.ok();
        let from = answer["seq"].as_u64().unwrap();
        let read = world.get(&li, &format!("{base}?from_seq={from}")).await.ok();
        assert_eq!(read["data"][0]["quote"], posted[quoted].as_str());
        assert_eq!(read["data"][0]["quote_text"], format!("message {quoted}"));
    }
    let body = json!({"id": world.client_id(), "content": "which?", "quote": world.client_id()});
    assert_eq!(world.post(&li, &base, body).await.problem(), (404, "not_found"));
    world.end().await;
}

#[tokio::test]
async fn what_was_taken_back_is_not_read_in_what_quotes_it() {
    let mut world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    world.settle().await;
    let base = format!("/v1/tenants/acme/chats/{chat}/messages");
    let mut said = Vec::new();
    for content in ["a secret", "of no interest"] {
        said.push(world.say(&li, &chat, content).await.ok()["message"].as_str().unwrap().to_owned());
    }
    world.settle().await;
    for quoted in &said {
        let body = json!({"id": world.client_id(), "content": "noted", "quote": quoted});
        let _ = world.post(&alice, &base, body).await.ok();
    }
    let _ = world.post(&li, &format!("{base}/{}/recall", said[0]), json!({})).await.ok();
    let _ = world.call(&li, Method::DELETE, &format!("{base}/{}", said[1]), json!({})).await.ok();
    world.settle().await;
    let quotes = async |who: &Person| {
        let read = world.get(who, &format!("{base}?from_seq=3")).await.ok();
        let feed = world.get(who, "/v1/tenants/acme/feed?after=0&limit=200").await;
        if feed.status == 200 {
            let items = feed.body["data"].as_array().unwrap();
            let of_feed = items.iter().map(|item| &item["m"]).filter(|message| message["content"] == "noted");
            let of_feed: Vec<Value> = of_feed.map(|message| message["quote_text"].clone()).collect();
            assert_eq!(of_feed, [read["data"][0]["quote_text"].clone(), read["data"][1]["quote_text"].clone()]);
        }
        (read["data"][0]["quote_text"].clone(), read["data"][1]["quote_text"].clone())
    };
    assert_eq!(quotes(&li).await, (Value::Null, Value::Null), "recalled, and removed from their own sight");
    assert_eq!(quotes(&alice).await, (Value::Null, json!("of no interest")));
    assert_eq!(quotes(&Person::operator()).await, (Value::Null, json!("of no interest")));
    // What is pushed tells no more than what is read.
    let address = world.serve().await;
    let (mut phone, mut desk) = (Socket::connect(address).await, Socket::connect(address).await);
    for (socket, who) in [(&mut phone, &li), (&mut desk, &alice)] {
        socket.send(json!({"t": "hello", "token": who.token})).await;
        assert_eq!(socket.next().await["t"], "welcome");
    }
    let body = json!({"id": world.client_id(), "content": "noted", "quote": said[1]});
    let _ = world.post(&alice, &base, body).await.ok();
    assert_eq!(phone.next_item("message").await["m"]["quote_text"], Value::Null);
    assert_eq!(desk.next_item("message").await["m"]["quote_text"], "of no interest");
    world.end().await;
}

#[tokio::test]
async fn a_page_of_messages_tells_where_the_next_one_begins() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    for number in 0..5 {
        let _ = world.say(&li, &chat, &number.to_string()).await.ok();
    }
    let base = format!("/v1/tenants/acme/chats/{chat}/messages?limit=2");
    let first = world.get(&li, &base).await.ok();
    assert_eq!((first["data"].as_array().unwrap().len(), &first["next_seq"], &first["has_more"]), (2, &json!(3), &json!(true)));
    let last = world.get(&li, &format!("{base}&from_seq=5")).await.ok();
    assert_eq!((last["data"].as_array().unwrap().len(), &last["next_seq"], &last["has_more"]), (1, &json!(null), &json!(false)));
    world.end().await;
}
