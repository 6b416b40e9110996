//! The desk that ships to be tried by hand.

use tests::provider_desk::{ProviderDesk, Takes};
use tests::world::BEGINNING;
use tests::world::endpoint::to_this_machine;

use super::attachments::PNG;
use super::*;

#[tokio::test]
async fn the_desk_to_try_things_queues_accepts_with_its_first_words_and_says_back_what_it_was_told() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut world = World::with_config(to_this_machine()).await;
    world.make_tenant(ACME).await;
    let server = format!("http://{}{PROVIDER}", world.serve().await);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connection = json!({"title": "Express", "url": url, "groups": ["main"], "capacity": 3});
    let connected = world.call(&Person::operator(), Method::PUT, PROVIDER, connection).await.ok();
    let key = connected["secret"].as_str().and_then(SigningKey::parse).unwrap();
    // The story's clock stands still.
    let desk = ProviderDesk { takes: Takes::Queues(2), server, key, client: reqwest::Client::new(), now: || BEGINNING.0 };
    let serving = tokio::spawn(async move { axum::serve(listener, desk.router()).await });
    world.settle().await;
    let customer = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&customer).await;
    world.settle().await;
    let _ = world.say(&customer, &chat, "几时到？").await.ok();
    let page = world.get(&customer, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    let said: Vec<&Value> = page["data"].as_array().unwrap().iter().filter(|message| message["origin"] == "provider").collect();
    assert_eq!((said.len(), &said[0]["content"]), (1, &json!("几时到？")));
    let feed = world.get(&customer, "/v1/tenants/acme/feed?after=0").await.ok();
    let told: Vec<&str> = feed["data"].as_array().unwrap().iter().filter_map(|item| item["event"].as_str()).collect();
    assert!(told.ends_with(&["provider_queueing", "provider_accepted"]), "{told:?}");
    let picture = Request::post(format!("/v1/tenants/acme/chats/{chat}/attachments")).body(Body::from(PNG)).unwrap();
    let uploaded = world.send(picture, &customer).await.ok();
    let shown = json!({"id": world.client_id(), "content": "", "kind": "picture", "url": uploaded["url"]});
    let _ = world.post(&customer, &format!("/v1/tenants/acme/chats/{chat}/messages"), shown).await.ok();
    let page = world.get(&customer, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    let messages = page["data"].as_array().unwrap();
    let echo = messages.iter().find(|message| message["origin"] == "provider" && message["kind"] == "picture").unwrap();
    assert_ne!(echo["url"], uploaded["url"], "a copy");
    let seen = world.get(&customer, echo["url"].as_str().unwrap()).await;
    assert_eq!(&seen.bytes[..], PNG);
    serving.abort();
    world.end().await;
}
