//! What makes no sense is refused with a clear code, and loses nothing.

use adapters::channels::websocket::FRAME_BYTES_MAX;
use adapters::further_json::DEPTH_MAX;
use adapters::http::extract::BODY_BYTES_MAX;
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::socket::Socket;
use tests::world::{ACME, World};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

async fn raw(world: &World, who: &Person, path: &str, content_type: &str, body: impl Into<Body>) -> tests::world::Reply {
    world
        .send(Request::post(path).header(header::CONTENT_TYPE, content_type).body(body.into()).expect("the request is well formed"), who)
        .await
}

const SHOPS: &str = "/v1/tenants/acme/shops";

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_why() {
    let world = World::new().await;
    let operator = Person::operator();
    for (body, code) in [
        (&b"{\"id\": \"s2\", \"title\""[..], "malformed_json"),
        (b"not json", "malformed_json"),
        (b"{\"id\": \"s2\", \"title\": \"\xff\xfe\"}", "invalid_utf8"),
        (b"{\"id\": \"s2\", \"title\": \"x\", \"colour\": 1}", "unknown_field"),
        (b"{\"id\": \"s2\"}", "invalid_field"),
        (b"{\"id\": \"NOT A SLUG\", \"title\": \"x\"}", "invalid_field"),
        (b"[]", "invalid_field"),
        (b"", "invalid_field"),
    ] {
        let reply = raw(&world, &operator, SHOPS, "application/json", body.to_vec()).await;
        assert_eq!(reply.problem(), (400, code), "{}", String::from_utf8_lossy(body));
    }
    let reply = raw(&world, &operator, SHOPS, "text/plain", "{}").await;
    assert_eq!(reply.problem(), (415, "not_json"));
    world.end().await;
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let world = World::new().await;
    let operator = Person::operator();
    let of_size = |bytes: usize| {
        let frame = "{\"id\":\"s2\",\"title\":\"\"}";
        format!("{{\"id\":\"s2\",\"title\":\"{}\"}}", "x".repeat(bytes - frame.len()))
    };
    let reply = raw(&world, &operator, SHOPS, "application/json", of_size(BODY_BYTES_MAX)).await;
    assert_eq!(reply.problem(), (422, "text_too_long"), "read, and judged by the tenant");
    let reply = raw(&world, &operator, SHOPS, "application/json", of_size(BODY_BYTES_MAX + 1)).await;
    assert_eq!(reply.problem(), (413, "too_large"));
    let announced = Request::post(SHOPS).header(header::CONTENT_TYPE, "application/json").header(header::CONTENT_LENGTH, "999999999");
    assert_eq!(world.send(announced.body(Body::from("{}")).unwrap(), &operator).await.problem(), (413, "too_large"));
    world.end().await;
}

#[tokio::test]
async fn a_path_or_query_that_makes_no_sense_is_told_so() {
    let world = World::new().await;
    let operator = Person::operator();
    for (path, expected) in [
        ("/v1/tenants/NOT-A-SLUG", (400, "invalid_id")),
        ("/v1/tenants/%ff", (400, "invalid_id")),
        ("/v1/tenants/acme/users/nonsense", (400, "invalid_id")),
        ("/v1/tenants/acme/users/01900000000070008000000000000001", (404, "not_found")),
        ("/v1/tenants/unknown", (404, "not_found")),
        ("/v1/tenants/acme/users?colour=red", (400, "invalid_query")),
        ("/v1/tenants/acme/users?limit=0", (400, "invalid_query")),
        ("/v1/tenants/acme/users?limit=201", (400, "invalid_query")),
        ("/v1/tenants/acme/users?after=nonsense", (400, "invalid_cursor")),
        ("/v1/tenants/acme/conversations?status=asleep", (400, "invalid_query")),
        ("/v1/tenants/acme/nonsense", (404, "no_route")),
        ("/", (404, "no_route")),
        ("/v1/ws", (400, "not_a_websocket")),
    ] {
        assert_eq!(world.get(&operator, path).await.problem(), expected, "{path}");
    }
    assert_eq!(world.call(&operator, Method::DELETE, "/v1/tenants", Value::Null).await.problem(), (405, "method_not_allowed"));
    assert_eq!(world.post(&operator, "/v1/tenants/acme/shops?x=1", json!({})).await.problem(), (400, "invalid_query"));
    world.end().await;
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let token = li.token.clone().unwrap();
    let cut = token[..token.len() - 2].to_owned();
    for (name, wrong) in
        [("nonsense", "nonsense".to_owned()), ("cut", cut), ("empty", String::new()), ("almost", "operator-key-of-the-test".to_owned())]
    {
        let reply = world.get(&Person::integration(name, wrong), "/v1/tenants/acme/me").await;
        assert_eq!(reply.problem(), (401, "invalid_token"), "{name}");
    }
    let basic = Request::get("/v1/tenants/acme/me").header(header::AUTHORIZATION, "Basic eDp5").body(Body::empty()).unwrap();
    assert_eq!(world.send(basic, &Person::nobody()).await.problem(), (401, "invalid_token"));
    let reply = world.get(&Person::nobody(), "/v1/tenants/acme/me").await;
    assert_eq!(reply.problem(), (401, "unauthorized"));
    assert_eq!(reply.headers.get(header::WWW_AUTHENTICATE).unwrap(), "Bearer");
    world.end().await;
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let world = World::new().await;
    let reply = world.get(&Person::nobody(), "/v1/tenants/acme/me").await;
    assert_eq!(reply.headers.get("x-request-id").unwrap().len(), 32);
    let given = "01900000000070008000000000000001";
    let request = Request::get("/livez").header("x-request-id", given).body(Body::empty()).unwrap();
    assert_eq!(world.send(request, &Person::nobody()).await.headers.get("x-request-id").unwrap(), given);
    let request = Request::get("/livez").header("x-request-id", "\"><script>").body(Body::empty()).unwrap();
    assert_ne!(world.send(request, &Person::nobody()).await.headers.get("x-request-id").unwrap(), "\"><script>");
    world.end().await;
}

#[tokio::test]
async fn unknown_things_of_the_tenant_are_refused_where_they_are_named() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let operator = Person::operator();
    for (who, method, path, body, expected) in [
        (&li, Method::POST, "/v1/tenants/acme/chats", json!({"shop": "nowhere"}), (404, "not_found")),
        (&li, Method::POST, "/v1/tenants/acme/chats", json!({"shop": "flagship", "entry": {"group": "nobody"}}), (422, "invalid_value")),
        (
            &operator,
            Method::POST,
            "/v1/tenants",
            json!({"id": "t2", "time_zone": "Moon/Crater", "title": "x", "x": 1}),
            (400, "unknown_field"),
        ),
        (&operator, Method::POST, "/v1/tenants", json!({"id": "t2", "time_zone": "noon", "title": "x"}), (422, "invalid_time_zone")),
        (&operator, Method::POST, "/v1/tenants", json!({"id": "acme", "time_zone": "UTC", "title": "x"}), (409, "tenant_exists")),
        (&operator, Method::POST, "/v1/tenants/nowhere/shops", json!({"id": "s", "title": "x"}), (404, "not_found")),
        (&operator, Method::PUT, "/v1/tenants/acme/limits", json!({"recall_window_ms": 0}), (422, "limit_out_of_range")),
        (&operator, Method::PUT, "/v1/tenants/acme/identity-secret", json!({"secret": "short"}), (422, "secret_too_short")),
    ] {
        assert_eq!(world.call(who, method, path, body).await.problem(), expected, "{path}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_no_frame_ends_the_socket_and_what_was_acked_stays() {
    let mut world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let invalid_utf8 = Message::Frame(Frame::message(Bytes::from_static(b"{\"t\":\"\xff\"}"), OpCode::Data(Data::Text), true));
    let reserved_bits = {
        let mut frame = Frame::message(Bytes::from_static(b"{}"), OpCode::Data(Data::Text), true);
        frame.header_mut().rsv1 = true;
        Message::Frame(frame)
    };
    let begins_in_the_middle = Message::Frame(Frame::message(Bytes::from_static(b"{}"), OpCode::Data(Data::Continue), true));
    let long_ping = {
        let header = FrameHeader { opcode: OpCode::Control(Control::Ping), mask: Some([0; 4]), ..FrameHeader::default() };
        Message::Frame(Frame::from_payload(header, Bytes::from_static(&[0; 126])))
    };
    let bad = [
        (Message::text("not json"), 4400),
        (Message::text("{\"t\":\"dance\"}"), 4400),
        (Message::text("{\"t\":\"hello\",\"colour\":1}"), 4400),
        (Message::text("{\"t\":\"send\",\"content\":\"where?\"}"), 4400),
        (Message::text("{\"t\":\"ping\",\"t\":\"ping\"}"), 4400),
        (Message::binary(&b"{\"t\":\"ping\"}"[..]), 4400),
        (invalid_utf8, 4400),
        (reserved_bits, 4400),
        (begins_in_the_middle, 4400),
        (long_ping, 4400),
        (Message::text("x".repeat(FRAME_BYTES_MAX + 1)), 1009),
    ];
    for (number, (message, code)) in bad.into_iter().enumerate() {
        let mut phone = Socket::hello(&mut world, &li, 0).await;
        phone.send(json!({"t": "send", "id": world.client_id(), "chat": chat, "content": number.to_string()})).await;
        let ack = phone.next_of("ack").await;
        assert_eq!(ack["seq"], number + 1);
        phone.send_raw(message).await;
        assert_eq!(phone.farewell().await, (json!("bad_frame"), json!(code)), "{number}");
    }
    let messages = world.get(&li, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    assert_eq!(messages["data"].as_array().unwrap().len(), 11);
    world.end().await;
}

#[tokio::test]
async fn a_frame_may_be_as_large_as_the_limit() {
    let mut world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let frame = format!("{{\"t\":\"ping\"{}}}", " ".repeat(FRAME_BYTES_MAX - 12));
    assert_eq!(frame.len(), FRAME_BYTES_MAX);
    phone.send_raw(Message::text(frame)).await;
    let _ = phone.next_of("pong").await;
    world.end().await;
}

#[tokio::test]
async fn the_first_frame_must_be_a_hello_and_only_the_first() {
    let mut world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let mut socket = Socket::connect(world.serve().await).await;
    socket.send(json!({"t": "ping"})).await;
    assert_eq!(socket.farewell().await, (json!("bad_frame"), json!(4400)));
    let mut socket = Socket::hello(&mut world, &li, 0).await;
    socket.send(json!({"t": "hello", "token": li.token})).await;
    assert_eq!(socket.farewell().await, (json!("bad_frame"), json!(4400)));
    world.end().await;
}

#[tokio::test]
async fn messages_over_a_limit_are_refused_each_in_its_own_way() {
    let mut world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let send = |id: String, extra: Value| {
        let mut frame = json!({"t": "send", "id": id, "chat": chat, "content": "x"});
        frame.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        frame
    };
    for (extra, code) in [
        (json!({"content": "x".repeat(domain::message::CONTENT_BYTES_MAX + 1)}), "message_too_long"),
        (json!({"content": ""}), "message_empty"),
        (json!({"url": "x".repeat(domain::message::URL_BYTES_MAX + 1)}), "message_too_long"),
        (json!({"ext": (0..=DEPTH_MAX).fold(json!(1), |inner, _| json!([inner]))}), "invalid_value"),
        (json!({"visibility": "staff"}), "staff_only"),
        (json!({"chat": "01900000000070008000000000000001"}), "not_found"),
        (json!({"id": "00000000000040008000000000000001"}), "client_id_invalid"),
        (json!({"id": "01000000000070008000000000000001"}), "client_id_too_old"),
    ] {
        phone.send(send(world.client_id(), extra.clone())).await;
        assert_eq!(phone.next_of("nack").await["code"], code, "{extra}");
    }
    phone.send(send(world.client_id(), json!({"content": "x".repeat(domain::message::CONTENT_BYTES_MAX), "ext": {"a": [1]}}))).await;
    let item = phone.next_item("message").await;
    assert_eq!((&item["m"]["seq"], &item["m"]["ext"]), (&json!(1), &json!({"a": [1]})));
    world.end().await;
}

#[tokio::test]
async fn who_does_not_finish_the_head_of_a_request_is_cut_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut config = adapters::config::Config::default();
    config.http.head_timeout_ms = 20;
    let mut world = World::with_config(config).await;
    let address = world.serve().await;
    let http2: [&[u8]; 2] = [b"P", b"RI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"];
    let begun: [&[&[u8]]; 5] = [&[b""], &[b"P"], &[b"PRI * HTTP/2.0\r\n"], &http2, &[b"GET /livez HTTP/1.1\r\nhost: local"]];
    for pieces in begun {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for piece in pieces {
            // Whether they are read one by one is not ours to say; mostly they are.
            if stream.write_all(piece).await.is_err() {
                break;
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        let mut answer = Vec::new();
        // Ends when the server closes; a server that waited for ever would hold this test until the runner ends it.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
    world.end().await;
}

#[tokio::test]
async fn what_stays_readable_for_ever_takes_no_free_text() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let bob = world.staff(ACME, domain::user::event::Role::Agent, "bob").await;
    let (_, conversation) = world.open_chat(&li).await;
    let rating = format!("/v1/tenants/acme/conversations/{conversation}/rating");
    for (who, method, path, body) in [
        (&li, Method::POST, "/v1/tenants/acme/chats", json!({"shop": "flagship", "entry": {"page": "order", "subject": "for Li Lei"}})),
        (&li, Method::POST, &rating, json!({"score": 5, "tags": ["Bob is kind"]})),
        (&bob, Method::PUT, "/v1/tenants/acme/me/service", json!({"status": "paused", "reason": "seeing Dr. Wang"})),
    ] {
        assert_eq!(world.call(who, method, path, body).await.problem(), (400, "invalid_field"), "{path}");
    }
    world.end().await;
}
