//! The promises, each as a story with whatever channel.

use axum::http::Method;
use domain::message::CONTENT_BYTES_MAX;
use serde_json::{Value, json};
use tests::world::ACME;

use super::{Channel, RIVAL, Story, Words};

/// Asserts that items follow an index without gap or repeat, each naming the one before; answers the last index.
#[track_caller]
fn follow(items: &[Value], after: u64) -> u64 {
    let mut last = after;
    for item in items {
        assert_eq!((&item["i"], &item["p"]), (&json!(last + 1), &json!(last)), "after {last}: {item}");
        last += 1;
    }
    last
}

fn of_kind<'a>(items: &'a [Value], kind: &str) -> Vec<&'a Value> {
    items.iter().filter(|item| item["k"] == kind).collect()
}

fn contents(items: &[Value]) -> Vec<&str> {
    of_kind(items, "message").into_iter().filter_map(|item| item["m"]["content"].as_str()).collect()
}

/// A customer who has received everything so far, and the index of the last item.
async fn settled<C: Channel>(story: &mut Story, name: &str) -> (C, u64) {
    let mut customer = C::enter(story, ACME, name).await;
    let head = story.head(ACME, customer.user()).await;
    let items = customer.receive(story, head).await;
    assert_eq!(follow(&items, 0), head);
    (customer, head)
}

pub async fn an_ack_comes_only_after_the_message_is_durable<C: Channel>(story: &mut Story) {
    let (mut li, _) = settled::<C>(story, "li").await;
    let words = story.words("is it on the disk?");
    let gate = story.gate.clone();
    gate.close();
    let say = async {
        let said = li.say(story, &words).await;
        (said, gate.is_open())
    };
    let let_through = async {
        gate.somebody_waits().await;
        // Whoever answered too early has done so after this many turns.
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        gate.open();
    };
    let ((said, was_open), ()) = tokio::join!(say, let_through);
    assert!(said.is_ok() && was_open, "{said:?}");
}

pub async fn a_repeat_is_the_same_message_and_other_content_is_refused<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    let words = story.words("once");
    let first = li.say(story, &words).await.unwrap();
    let again = li.say(story, &words).await.unwrap();
    assert_eq!((&first["message"], &first["seq"], &first["chat"]), (&again["message"], &again["seq"], &again["chat"]));
    let other = Words { content: "twice".to_owned(), ..words };
    assert_eq!(li.say(story, &other).await, Err("client_id_reused".to_owned()));
    let head = story.head(ACME, li.user()).await;
    let items = li.receive(story, head).await;
    assert_eq!((follow(&items, after), contents(&items)), (head, vec!["once"]));
}

pub async fn a_message_whose_answer_was_lost_is_posted_once<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    let words = story.words("did you get it?");
    li.say_unheard(story, &words).await;
    let ack = li.say(story, &words).await.unwrap();
    assert_eq!(ack["seq"], 2);
    let head = story.head(ACME, li.user()).await;
    let items = li.receive(story, head).await;
    assert_eq!((follow(&items, after), contents(&items)), (head, vec!["did you get it?"]));
}

pub async fn everything_that_is_said_arrives_once_and_in_order<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    let said: Vec<String> = (0..25).map(|number| format!("answer {number}")).collect();
    for content in &said {
        story.alice_says(li.chat(), content).await;
    }
    let head = story.head(ACME, li.user()).await;
    let items = li.receive(story, head).await;
    assert_eq!((follow(&items, after), contents(&items)), (head, said.iter().map(String::as_str).collect()));
    assert!(items.iter().all(|item| item["t"] == "item" && item["pos"].is_string()));
}

pub async fn what_was_said_while_away_arrives_on_return<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    li.leave(story).await;
    for content in ["one", "two", "three"] {
        story.alice_says(li.chat(), content).await;
    }
    let head = story.head(ACME, li.user()).await;
    li.come_back(story).await;
    let items = li.receive(story, head).await;
    assert_eq!((follow(&items, after), contents(&items)), (head, vec!["one", "two", "three"]));
    story.alice_says(li.chat(), "four").await;
    let newer = story.head(ACME, li.user()).await;
    let items = li.receive(story, newer).await;
    assert_eq!((follow(&items, head), contents(&items)), (newer, vec!["four"]));
}

pub async fn a_break_in_the_middle_repeats_only_what_was_not_received<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    li.leave(story).await;
    for number in 0..10 {
        story.alice_says(li.chat(), &number.to_string()).await;
    }
    let head = story.head(ACME, li.user()).await;
    let before = li.receive_and_break(story, 4).await;
    let reached = follow(&before, after);
    assert_eq!(reached, after + 4);
    li.come_back(story).await;
    let rest = li.receive(story, head).await;
    assert_eq!(follow(&rest, reached), head);
}

pub async fn notes_of_staff_never_arrive<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    let note = json!({"id": story.world.client_id(), "content": "a difficult one", "visibility": "staff"});
    let path = format!("/v1/tenants/{ACME}/chats/{}/messages", li.chat());
    let _ = story.world.post(&story.alice, &path, note).await.ok();
    story.alice_says(li.chat(), "how can I help?").await;
    let head = story.head(ACME, li.user()).await;
    let items = li.receive(story, head).await;
    assert_eq!((follow(&items, after), contents(&items)), (head, vec!["how can I help?"]));
    assert!(!Value::from(items).to_string().contains("difficult"));
}

pub async fn a_recall_arrives_and_hides<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    let recall = |message: &str| format!("/v1/tenants/{ACME}/chats/{}/messages/{message}/recall", li.chat());
    let (seen, _) = story.alice_says(li.chat(), "seen").await;
    let path = recall(&seen);
    let head = story.head(ACME, li.user()).await;
    assert_eq!(contents(&li.receive(story, head).await), ["seen"]);
    let _ = story.world.post(&story.alice, &path, Value::Null).await.ok();
    let newer = story.head(ACME, li.user()).await;
    let items = li.receive(story, newer).await;
    assert_eq!(of_kind(&items, "recalled").first().map(|item| &item["message"]), Some(&json!(seen)));
    follow(&items, head);
    assert!(head > after);
    li.leave(story).await;
    let (unseen, _) = story.alice_says(li.chat(), "never to be seen").await;
    let path = format!("/v1/tenants/{ACME}/chats/{}/messages/{unseen}/recall", li.chat());
    let _ = story.world.post(&story.alice, &path, Value::Null).await.ok();
    let newest = story.head(ACME, li.user()).await;
    // Whatever was tried in between failed: nobody was there.
    li.come_back(story).await;
    let items = li.receive(story, newest).await;
    assert_eq!(follow(&items, newer), newest);
    let message = of_kind(&items, "message")[0];
    assert_eq!((&message["m"]["content"], &message["m"]["is_recalled"]), (&Value::Null, &json!(true)));
}

pub async fn a_customer_takes_back_what_is_theirs<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    let words = story.words("not for you");
    let ack = li.say(story, &words).await.unwrap();
    let message = ack["message"].as_str().unwrap();
    assert_eq!(li.recall(story, message).await, Ok(()));
    let (theirs, _) = story.alice_says(li.chat(), "mine").await;
    assert_eq!(li.recall(story, &theirs).await, Err("not_recallable".to_owned()));
    let head = story.head(ACME, li.user()).await;
    let items = li.receive(story, head).await;
    assert_eq!(follow(&items, after), head);
    assert_eq!(of_kind(&items, "recalled").len(), 1);
    let path = format!("/v1/tenants/{ACME}/chats/{}/messages", li.chat());
    let seen = story.world.get(&story.alice, &path).await.ok();
    assert!(!seen.to_string().contains("not for you"), "{seen}");
}

pub async fn a_read_is_known_to_the_other_side<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    let (_, seq) = story.alice_says(li.chat(), "read this").await;
    assert_eq!(li.read(story, seq).await, Ok(()));
    assert_eq!(li.read(story, seq + 1).await, Err("beyond_end".to_owned()));
    let chat = story.world.get(&story.alice, &format!("/v1/tenants/{ACME}/chats/{}", li.chat())).await.ok();
    let members = chat["members"].as_array().unwrap();
    let own = members.iter().find(|member| member["user"] == li.user().to_string()).unwrap();
    assert_eq!(own["read_seq"], seq);
    let head = story.head(ACME, li.user()).await;
    let items = li.receive(story, head).await;
    assert_eq!((follow(&items, after), of_kind(&items, "read").len()), (head, 1));
}

pub async fn nobody_else_gets_anything<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    let (mut wang, wang_has) = settled::<C>(story, "wang").await;
    let mut namesake = C::enter(story, RIVAL, "li").await;
    assert!(li.user() != wang.user() && li.user() != namesake.user() && li.chat() != namesake.chat());
    story.alice_says(li.chat(), "for li alone").await;
    let (head, of_wang) = (story.head(ACME, li.user()).await, story.head(ACME, wang.user()).await);
    let of_namesake = story.head(RIVAL, namesake.user()).await;
    let items = li.receive(story, head).await;
    assert_eq!((follow(&items, after), contents(&items)), (head, vec!["for li alone"]));
    assert_eq!(of_wang, wang_has, "nothing is there for them");
    assert_eq!(wang.receive(story, of_wang).await, Vec::<Value>::new());
    let theirs = namesake.receive(story, of_namesake).await;
    assert_eq!((follow(&theirs, 0), contents(&theirs)), (of_namesake, vec!["hello"]));
    let own_chat = json!(namesake.chat());
    assert!(theirs.iter().all(|item| item["chat"] == own_chat), "{theirs:?}");
    let message = items.last().unwrap()["m"]["id"].as_str().unwrap().to_owned();
    assert_eq!(wang.recall(story, &message).await, Err("not_recallable".to_owned()));
    assert_eq!(story.world.call(&story.alice, Method::GET, "/livez", Value::Null).await.status, 200);
}

pub async fn what_makes_no_sense_is_refused_and_the_channel_goes_on<C: Channel>(story: &mut Story) {
    let (mut li, after) = settled::<C>(story, "li").await;
    let empty = story.words("");
    assert_eq!(li.say(story, &empty).await, Err("message_empty".to_owned()));
    let long = story.words(&"x".repeat(CONTENT_BYTES_MAX + 1));
    assert_eq!(li.say(story, &long).await, Err("message_too_long".to_owned()));
    let told = li.rubbish(story).await;
    assert!(matches!(told.as_str(), "bad_frame" | "malformed_json"), "{told}");
    let words = story.words("still here");
    assert!(li.say(story, &words).await.is_ok());
    story.alice_says(li.chat(), "so am I").await;
    let head = story.head(ACME, li.user()).await;
    let items = li.receive(story, head).await;
    assert_eq!((follow(&items, after), contents(&items)), (head, vec!["still here", "so am I"]));
}
