//! Pictures from a channel's customers and to them, each request under the channel's own signature.

use adapters::webhook_signature::{ID, SIGNATURE, TIMESTAMP};
use sha2::{Digest, Sha256};

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
const GONE: (u16, &str) = (404, "not_found");

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request whose signature is over its address.
async fn sends(world: &World, key: &SigningKey, method: Method, address: &str, id: &str, body: &'static [u8]) -> tests::world::Reply {
    let now_s = world.clock_ms() / 1_000;
    let request = Request::builder().method(method).uri(address).header(ID, id).header(TIMESTAMP, now_s);
    let request = request.header(SIGNATURE, key.sign(id, now_s, address.as_bytes()));
    world.send(request.body(Body::from(body)).unwrap(), &Person::nobody()).await
}

async fn reads(world: &World, signer: &Signer, attachment: &str, customer: &str) -> tests::world::Reply {
    let address = format!("{}/attachments/{attachment}?customer={customer}", signer.path);
    sends(world, &signer.key, Method::GET, &address, "g1", b"").await
}

#[tokio::test]
async fn a_picture_goes_from_a_channels_customer_to_the_agent_and_one_comes_back() {
    let world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let signer = Signer::connect(&world, ACME, "wechat", URL).await;
    // The picture is the first thing that is heard of the customer.
    let upload = |hash: String| format!("{}/attachments?customer=li&name=shoe.png&sha256={hash}", signer.path);
    let here = upload(sha256(PNG));
    assert_eq!(sends(&world, &signer.key, Method::POST, &upload(sha256(b"x")), "u0", PNG).await.problem(), (422, "invalid_value"));
    let uploaded = sends(&world, &signer.key, Method::POST, &here, "u1", PNG).await;
    assert_eq!((uploaded.status.as_u16(), &uploaded.body["kind"]), (201, &json!("picture")));
    let again = sends(&world, &signer.key, Method::POST, &here, "u1", PNG).await.ok();
    assert_eq!(again["id"], uploaded.body["id"], "said again it is the same");
    let theirs = uploaded.body["id"].as_str().unwrap();
    assert_eq!(reads(&world, &signer, theirs, "li").await.status, 200, "before a message shows it, whoever uploaded it sees it");
    let message = json!({"customer": "li", "sent_at": world.clock_ms(), "content": "", "kind": "picture", "url": uploaded.body["url"]});
    let request = signer.request("messages", "m1", world.app.now(), message.to_string());
    let said = world.send(request, &Person::nobody()).await.ok();
    world.settle().await;
    let shown = world.get(&alice, uploaded.body["url"].as_str().unwrap()).await;
    assert_eq!((shown.status.as_u16(), &shown.bytes[..]), (200, PNG));

    let chat = said["chat"].as_str().unwrap();
    let show = async |visibility: &str| {
        let request = Request::post(format!("/v1/tenants/acme/chats/{chat}/attachments?name=a.png")).body(Body::from(PNG)).unwrap();
        let file = world.send(request, &alice).await.ok();
        let unseen = reads(&world, &signer, file["id"].as_str().unwrap(), "li").await;
        assert_eq!(unseen.problem(), GONE, "no message shows it yet");
        let body = json!({"id": world.client_id(), "content": "", "kind": "picture", "url": file["url"], "visibility": visibility});
        let said = world.post(&alice, &format!("/v1/tenants/acme/chats/{chat}/messages"), body).await.ok();
        (file["id"].as_str().unwrap().to_owned(), said["message"].as_str().unwrap().to_owned())
    };
    let (ours, message) = show("all").await;
    let read = reads(&world, &signer, &ours, "li").await;
    assert_eq!((read.status.as_u16(), &read.bytes[..], read.headers["content-type"].to_str().unwrap()), (200, PNG, "image/png"));
    let (note, _) = show("staff").await;
    assert_eq!(reads(&world, &signer, &note, "li").await.problem(), GONE);
    let _ = world.post(&alice, &format!("/v1/tenants/acme/chats/{chat}/messages/{message}/recall"), json!({})).await.ok();
    assert_eq!(reads(&world, &signer, &ours, "li").await.problem(), (410, "gone"));
    world.end().await;
}

#[tokio::test]
async fn no_channel_reads_what_is_another_customers_or_another_channels_or_is_not_signed_by_it() {
    let world = World::new().await;
    world.make_tenant("rival").await;
    let signer = Signer::connect(&world, ACME, "wechat", URL).await;
    let other = Signer::connect(&world, ACME, "web", URL).await;
    let rival = Signer::connect(&world, "rival", "wechat", URL).await;
    for (signer, customer) in [(&signer, "li"), (&signer, "wang"), (&other, "li"), (&rival, "li")] {
        let body = json!({"customer": customer, "sent_at": world.clock_ms(), "content": "hello"});
        let _ = world.send(signer.request("messages", customer, world.app.now(), body.to_string()), &Person::nobody()).await.ok();
    }
    world.settle().await;
    let upload = format!("{}/attachments?customer=li&sha256={}", signer.path, sha256(PNG));
    let file = sends(&world, &signer.key, Method::POST, &upload, "u1", PNG).await.ok();
    let file = file["id"].as_str().unwrap();
    assert_eq!(reads(&world, &signer, file, "li").await.status, 200);
    for (signer, customer) in [(&signer, "wang"), (&signer, "zhao"), (&other, "li"), (&rival, "li")] {
        assert_eq!(reads(&world, signer, file, customer).await.problem(), GONE, "{} of {customer}", signer.path);
    }
    let address = format!("{}/attachments/{file}?customer=li", signer.path);
    for key in [&other.key, &rival.key] {
        assert_eq!(sends(&world, key, Method::GET, &address, "g1", b"").await.problem(), (401, "invalid_signature"));
    }
    let _ = world.call(&Person::operator(), Method::DELETE, &format!("{CHANNELS}/wechat"), json!({})).await.ok();
    world.settle().await;
    assert_eq!(reads(&world, &signer, file, "li").await.problem(), (410, "channel_disconnected"));
    world.end().await;
}
