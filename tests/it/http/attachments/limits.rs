//! The tenant's limits: size to the byte, and kind by content.

use adapters::attachments::kinds;
use adapters::config::Config;
use axum::body::Bytes;
use futures_util::stream;
use proptest::prelude::*;

use super::*;

#[tokio::test]
async fn a_file_may_be_as_large_as_the_tenants_limit_and_not_a_byte_more() {
    let world = World::new().await;
    let (li, chat) = chatting(&world).await;
    for limit in [64 * 1024, 100_000] {
        change_limits(&world, json!({"attachment_bytes_max": limit})).await;
        assert_eq!(upload(&world, &li, &chat, "a.png", png(limit)).await.ok()["bytes"], limit);
        assert_eq!(upload(&world, &li, &chat, "a.png", png(limit + 1)).await.problem(), (413, "too_large"));
        // The same without saying before how long it will be.
        let in_pieces = |bytes: usize| {
            let pieces: Vec<_> = png(bytes).chunks(10_000).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
            Body::from_stream(stream::iter(pieces))
        };
        assert_eq!(upload(&world, &li, &chat, "a.png", in_pieces(limit)).await.ok()["bytes"], limit);
        assert_eq!(upload(&world, &li, &chat, "a.png", in_pieces(limit + 1)).await.problem(), (413, "too_large"));
    }
    let announced = request(&chat, "a.png").header(header::CONTENT_LENGTH, "100001").body(Body::from(PNG)).unwrap();
    assert_eq!(world.send(announced, &li).await.problem(), (413, "too_large"), "it is not read");
    world.end().await;
}

#[tokio::test]
async fn twenty_mebibytes_and_every_kind_are_taken_unless_the_tenant_says_otherwise() {
    let world = World::new().await;
    let limits = world.get(&Person::operator(), "/v1/tenants/acme").await.ok()["limits"].clone();
    assert_eq!(limits["attachment_bytes_max"], 20 * 1024 * 1024);
    assert_eq!(limits["attachment_kinds"], json!(["picture", "video", "audio", "file"]));
    change_limits(&world, json!({"attachment_kinds": ["file", "picture", "file"]})).await;
    let limits = world.get(&Person::operator(), "/v1/tenants/acme").await.ok()["limits"].clone();
    assert_eq!(limits["attachment_kinds"], json!(["picture", "file"]));
    assert_eq!(limits["attachment_bytes_max"], 20 * 1024 * 1024, "what is left out stays");
    for (wrong, expected) in [
        (json!({"attachment_bytes_max": 0}), (422, "limit_out_of_range")),
        (json!({"attachment_bytes_max": 200 * 1024 * 1024 + 1}), (422, "limit_out_of_range")),
        (json!({"attachment_bytes_max": -1}), (400, "invalid_field")),
        (json!({"attachment_kinds": ["text"]}), (400, "invalid_field")),
    ] {
        let reply = world.call(&Person::operator(), Method::PUT, "/v1/tenants/acme/limits", wrong.clone()).await;
        assert_eq!(reply.problem(), expected, "{wrong}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_kind_that_the_tenant_does_not_take_is_refused_whatever_it_is_called() {
    let world = World::new().await;
    let (li, chat) = chatting(&world).await;
    change_limits(&world, json!({"attachment_kinds": ["picture"]})).await;
    for content in [PDF, b"<!DOCTYPE html><p>", b"MZ\x90\0", b"anything"] {
        let called = request(&chat, "photo.png").header(header::CONTENT_TYPE, "image/png").body(Body::from(content)).unwrap();
        assert_eq!(world.send(called, &li).await.problem(), (415, "kind_not_allowed"), "{}", String::from_utf8_lossy(content));
    }
    let called = request(&chat, "notes.txt").header(header::CONTENT_TYPE, "text/plain").body(Body::from(PNG)).unwrap();
    assert_eq!(world.send(called, &li).await.ok()["kind"], "picture", "the content tells");
    change_limits(&world, json!({"attachment_kinds": []})).await;
    assert_eq!(upload(&world, &li, &chat, "a.png", PNG).await.problem(), (415, "kind_not_allowed"));
    world.end().await;
}

#[tokio::test]
async fn so_many_uploads_at_a_time_and_no_more() {
    let mut config = Config::default();
    config.attachments.uploads_at_once = 1;
    let world = World::with_config(config).await;
    world.make_tenant(ACME).await;
    let (li, chat) = chatting(&world).await;
    let (last, rest) = tokio::sync::oneshot::channel::<Bytes>();
    let (begun, reads) = tokio::sync::oneshot::channel();
    // The first piece comes at once, the second when the test says so.
    let body = stream::unfold((Some(begun), Some(rest)), |(begun, rest)| async move {
        if let Some(begun) = begun {
            begun.send(()).unwrap();
            return Some((Ok::<_, std::io::Error>(Bytes::from(png(10_000))), (None, rest)));
        }
        Some((Ok(rest?.await.unwrap()), (None, None)))
    });
    let first = upload(&world, &li, &chat, "a.png", Body::from_stream(body));
    let others = async {
        reads.await.unwrap();
        let refused = upload(&world, &li, &chat, "b.png", PNG).await;
        assert_eq!(refused.problem(), (429, "busy"));
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
        last.send(Bytes::from_static(b"the end")).unwrap();
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(first.ok()["bytes"], 10_007);
    assert_eq!(upload(&world, &li, &chat, "b.png", PNG).await.status, 201);
    world.end().await;
}

/// How files begin that the sniffer looks deeper into.
const MAGIC: &[&[u8]] =
    &[b"", PNG, PDF, b"PK\x03\x04", b"\0\0\0\x18ftypmp42", b"RIFF\0\0\0\0WEBP", b"ID3", b"\x1aE\xdf\xa3", b"OggS", b"\xd0\xcf\x11\xe0"];

proptest! {
    /// The sniffer reads what strangers write.
    #[test]
    fn no_bytes_make_the_sniffer_panic(magic in prop::sample::select(MAGIC), rest in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let media_type = kinds::sniff(&[magic, &rest].concat());
        prop_assert!(!media_type.starts_with("text/") && !media_type.contains("xml+") && !media_type.contains("svg"));
    }
}
