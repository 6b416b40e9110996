//! Pictures from customers to a provider and back, each under the provider's own signature.

use super::*;

pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
/// Of these bytes.
const PNG_SHA256: &str = "71fde3856a298a052c6edb5155638d8422114e55bf0e28374d90dea8be99ef6c";

impl Shop {
    /// Somebody uploads a picture into a chat and shows it: the attachment, and the message.
    async fn shows(&self, who: &Person, chat: &str, visibility: &str) -> (String, String) {
        let request = Request::post(format!("/v1/tenants/acme/chats/{chat}/attachments?name=a.png")).body(Body::from(PNG)).unwrap();
        let uploaded = self.world.send(request, who).await.ok();
        let message =
            json!({"id": self.world.client_id(), "content": "", "kind": "picture", "url": uploaded["url"], "visibility": visibility});
        let said = self.world.post(who, &format!("/v1/tenants/acme/chats/{chat}/messages"), message).await.ok();
        self.world.settle().await;
        (uploaded["id"].as_str().unwrap().to_owned(), said["message"].as_str().unwrap().to_owned())
    }

    /// The provider sends a request whose signature is over this address.
    async fn sends(&self, method: Method, address: &str, signed: (&SigningKey, &str), id: &str, body: &'static [u8]) -> Reply {
        let now_s = self.world.clock_ms() / 1_000;
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header(ID, id)
            .header(TIMESTAMP, now_s)
            .header(SIGNATURE, signed.0.sign(id, now_s, signed.1.as_bytes()));
        let reply = self.world.send(request.body(Body::from(body)).unwrap(), &Person::nobody()).await;
        self.world.settle().await;
        reply
    }

    async fn reads(&self, address: &str) -> Reply {
        self.sends(Method::GET, address, (&self.key, address), "g1", b"").await
    }

    async fn uploads(&self, id: &str, address: &str, body: &'static [u8]) -> Reply {
        self.sends(Method::POST, address, (&self.key, address), id, body).await
    }

    /// Another provider, which has none of the conversations, and its key.
    async fn other(&self, tenant: &str) -> SigningKey {
        let connection = json!({"title": "Other", "url": self.desk.url(), "groups": ["vip"], "capacity": 3});
        let path = format!("/v1/tenants/{tenant}/providers/other");
        let connected = self.world.call(&Person::operator(), Method::PUT, &path, connection).await.ok();
        self.world.settle().await;
        connected["secret"].as_str().and_then(SigningKey::parse).unwrap()
    }
}

fn address(attachment: &str) -> String {
    format!("{PROVIDER}/attachments/{attachment}")
}

const GONE: (u16, &str) = (404, "not_found");

#[tokio::test]
async fn a_picture_of_its_customer_is_read_by_the_provider_that_has_the_conversation_and_by_no_other() {
    let shop = Shop::open(accepted()).await;
    let (customer, chat, conversation) = shop.comes("li").await;
    let (picture, _) = shop.shows(&customer, &chat, "all").await;
    let told = shop.told();
    assert_eq!((&told[1]["kind"], &told[1]["url"]), (&json!("picture"), &json!(address(&picture))));
    let read = shop.reads(&address(&picture)).await;
    assert_eq!((read.status.as_u16(), &read.bytes[..]), (200, PNG));
    let header = |name: &str| read.headers[name].to_str().unwrap();
    assert_eq!((header("content-type"), header("x-content-type-options")), ("image/png", "nosniff"));
    assert_eq!(header("content-security-policy"), "sandbox; default-src 'none'");

    let forged = SigningKey::new(vec![9; 32]);
    for signed in [(&forged, address(&picture)), (&shop.key, String::new()), (&shop.key, address("01900000000070008000000000000001"))] {
        let reply = shop.sends(Method::GET, &address(&picture), (signed.0, &signed.1), "g1", b"").await;
        assert_eq!(reply.problem(), (401, "invalid_signature"), "{}", signed.1);
    }
    assert_eq!(shop.reads(&address("01900000000070008000000000000001")).await.problem(), GONE);
    shop.world.make_tenant("rival").await;
    for tenant in [ACME, "rival"] {
        let key = shop.other(tenant).await;
        let theirs = format!("/v1/tenants/{tenant}/providers/other/attachments/{picture}");
        assert_eq!(shop.sends(Method::GET, &theirs, (&key, &theirs), "g1", b"").await.problem(), GONE, "{tenant}");
    }

    let alice = shop.world.agent_on_duty(ACME, "alice").await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/transfer");
    let _ = shop.world.post(&shop.admin, &path, json!({"agent": alice.user().to_string()})).await.ok();
    shop.world.settle().await;
    assert_eq!(shop.reads(&address(&picture)).await.problem(), GONE, "it has the conversation no more");
    shop.world.end().await;
}

#[tokio::test]
async fn it_sees_of_the_chat_what_was_shown_to_the_customer_in_the_conversation_that_it_has_and_no_more() {
    let shop = Shop::open(accepted()).await;
    let alice = shop.world.agent_on_duty(ACME, "alice").await;
    let (customer, chat, first) = shop.comes("li").await;
    let to = |agent: String| {
        let path = format!("/v1/tenants/acme/conversations/{first}/transfer");
        let shop = &shop;
        async move { shop.world.post(&shop.admin, &path, json!({"agent": agent})).await }
    };
    let _ = to(alice.user().to_string()).await;
    shop.world.settle().await;
    let (before, _) = shop.shows(&customer, &chat, "all").await;
    let (note, _) = shop.shows(&alice, &chat, "staff").await;
    let (recalled, message) = shop.shows(&customer, &chat, "all").await;
    let _ = to(shop.agent.clone()).await.ok();
    shop.world.settle().await;
    let told = shop.told();
    let history = &told.iter().rfind(|told| told["type"] == "session.create").unwrap()["history"];
    assert_eq!(history[0]["url"], address(&before), "what was shown before it got the conversation");
    assert_eq!(shop.reads(&address(&before)).await.status, 200);
    assert_eq!(shop.reads(&address(&note)).await.problem(), GONE);
    assert_eq!(shop.reads(&address(&recalled)).await.status, 200);
    let _ = shop.world.post(&customer, &format!("/v1/tenants/acme/chats/{chat}/messages/{message}/recall"), json!({})).await.ok();
    shop.world.settle().await;
    assert_eq!(shop.reads(&address(&recalled)).await.problem(), GONE);

    let of_session = json!({"conversation": first, "assignment": told.last().unwrap()["assignment"]});
    let _ = shop.hears("session-ended", "e1", of_session).await.ok();
    assert_eq!(shop.reads(&address(&before)).await.problem(), GONE, "it is over");
    let stop = json!({"status": "stopped"});
    let _ = shop.world.call(&alice, Method::PUT, "/v1/tenants/acme/me/service", stop).await.ok();
    let (_, second) = shop.world.open_chat(&customer).await;
    shop.world.settle().await;
    assert_eq!((shop.row(&second).await["agent"].as_str(), second != first), (Some(shop.agent.as_str()), true));
    assert_eq!(shop.reads(&address(&before)).await.problem(), GONE, "what was shown in another conversation is not its business");
    shop.world.end().await;
}

#[tokio::test]
async fn it_sends_a_picture_whose_bytes_are_what_it_signed() {
    let shop = Shop::open(accepted()).await;
    let (customer, chat, conversation) = shop.comes("li").await;
    let assignment = shop.told()[0]["assignment"].clone();
    let to = |conversation: &str, assignment: &Value, sha256: &str| {
        format!("{PROVIDER}/attachments?conversation={conversation}&assignment={assignment}&name=label.png&sha256={sha256}")
    };
    let here = to(&conversation, &assignment, PNG_SHA256);
    assert_eq!(shop.uploads("u0", &here, b"\x89PNG and others").await.problem(), (422, "invalid_value"), "not these bytes");
    assert_eq!(shop.uploads("u0", &to(&conversation, &assignment, "9f86"), PNG).await.problem(), (422, "invalid_value"));
    assert_eq!(shop.sends(Method::POST, &here, (&shop.key, PROVIDER), "u1", PNG).await.problem(), (401, "invalid_signature"));
    let stale = to(&conversation, &json!(assignment.as_u64().unwrap() + 1), PNG_SHA256);
    assert_eq!(shop.uploads("u1", &stale, PNG).await.problem(), (409, "not_yours_any_more"));
    let unknown = to("01900000000070008000000000000001", &assignment, PNG_SHA256);
    assert_eq!(shop.uploads("u1", &unknown, PNG).await.problem(), GONE);
    let uploaded = shop.uploads("u1", &here, PNG).await.ok();
    assert_eq!(shop.uploads("u1", &here, PNG).await.ok(), uploaded, "a repeated one is answered like the first time");

    let mut body = message(&shop, &conversation, &assignment, "");
    body["kind"] = json!("picture");
    body["url"] = uploaded["url"].clone();
    let _ = shop.hears("messages", "m1", body).await.ok();
    let page = shop.world.get(&customer, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    let said = page["data"].as_array().unwrap().iter().find(|message| message["origin"] == "provider").unwrap();
    assert_eq!((&said["kind"], &said["url"]), (&json!("picture"), &uploaded["url"]));
    let seen = shop.world.get(&customer, uploaded["url"].as_str().unwrap()).await;
    assert_eq!((seen.status.as_u16(), &seen.bytes[..]), (200, PNG));

    let of_session = json!({"conversation": conversation, "assignment": assignment});
    let _ = shop.hears("session-ended", "e1", of_session).await.ok();
    assert_eq!(shop.uploads("u2", &here, PNG).await.problem(), (409, "not_yours_any_more"));
    shop.world.end().await;
}
