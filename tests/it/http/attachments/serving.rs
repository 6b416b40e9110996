//! What strangers wrote is served so that a browser shows pictures and runs nothing; and one range at a time.

use super::*;

#[tokio::test]
async fn a_picture_is_shown_and_nothing_in_it_is_run() {
    let world = World::new().await;
    let (li, chat) = chatting(&world).await;
    let answer = upload(&world, &li, &chat, "a%22%3B%0D%0Ab%20%E7%8C%AB.png", PNG).await.ok();
    let served = read(&world, &li, &url(&answer)).await;
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-disposition", "inline; filename*=UTF-8''a%22%3Bb%20%E7%8C%AB.png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("cache-control", "private"),
        ("cross-origin-resource-policy", "same-origin"),
        ("accept-ranges", "bytes"),
        ("content-length", "33"),
    ] {
        let expected = if name == "content-length" { PNG.len().to_string() } else { value.to_owned() };
        assert_eq!(header_of(&served, name), expected, "{name}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_a_browser_could_run_is_a_download_of_no_type() {
    let world = World::new().await;
    let (li, chat) = chatting(&world).await;
    for content in [
        &b"<!DOCTYPE html><script>alert(document.domain)</script>"[..],
        b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
        b"<svg onload=alert(1)>",
        b"alert(1)",
    ] {
        let called = request(&chat, "photo.png").header(header::CONTENT_TYPE, "image/png").body(Body::from(content)).unwrap();
        let answer = world.send(called, &li).await.ok();
        assert_eq!((&answer["kind"], &answer["media_type"]), (&json!("file"), &json!("application/octet-stream")));
        let served = read(&world, &li, &url(&answer)).await;
        assert_eq!(header_of(&served, "content-type"), "application/octet-stream");
        assert_eq!(header_of(&served, "content-disposition"), "attachment; filename*=UTF-8''photo.png");
        assert_eq!(header_of(&served, "x-content-type-options"), "nosniff");
        assert_eq!(header_of(&served, "content-security-policy"), "sandbox; default-src 'none'");
    }
    // A document has its type, and is a download, too.
    let answer = upload(&world, &li, &chat, "a.pdf", PDF).await.ok();
    let served = read(&world, &li, &url(&answer)).await;
    assert_eq!(
        (header_of(&served, "content-type"), header_of(&served, "content-disposition")),
        ("application/pdf", "attachment; filename*=UTF-8''a.pdf")
    );
    world.end().await;
}

/// Bytes that differ from their neighbours, behind the beginning of a picture.
fn picture(bytes: usize) -> Vec<u8> {
    let mut picture = PNG.to_vec();
    picture.extend((picture.len()..bytes).map(|at| u8::try_from(at % 251).unwrap()));
    picture
}

async fn range(world: &World, who: &Person, url: &str, asked: &str) -> Reply {
    world.send(Request::get(url).header(header::RANGE, asked).body(Body::empty()).unwrap(), who).await
}

#[tokio::test]
async fn any_one_range_is_served_also_across_chunks() {
    let world = World::new().await;
    let (li, chat) = chatting(&world).await;
    let whole = picture(3 * 1024 * 1024 + 17);
    let url = url(&upload(&world, &li, &chat, "a.png", whole.clone()).await.ok());
    let served = read(&world, &li, &url).await;
    assert!(served.status == 200 && served.bytes == whole);
    let size = whole.len();
    for (asked, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=65535-65536", 65_535, 65_537),
        ("bytes=1048570-2097160", 1_048_570, 2_097_161),
        ("bytes=3145000-", 3_145_000, size),
        ("bytes=-5", size - 5, size),
        ("bytes=10-99999999", 10, size),
    ] {
        let served = range(&world, &li, &url, asked).await;
        assert_eq!(served.status, 206, "{asked}");
        assert_eq!(header_of(&served, "content-range"), format!("bytes {from}-{}/{size}", to - 1));
        assert_eq!(header_of(&served, "content-length"), (to - from).to_string());
        assert!(served.bytes == whole[from..to], "{asked}");
        assert_eq!(header_of(&served, "x-content-type-options"), "nosniff");
    }
    let beyond = range(&world, &li, &url, &format!("bytes={size}-")).await;
    assert_eq!(beyond.problem(), (416, "range_not_satisfiable"));
    assert_eq!(header_of(&beyond, "content-range"), format!("bytes */{size}"));
    for ignored in ["bytes=0-1,5-6", "lines=1-2", "bytes=2-1"] {
        let served = range(&world, &li, &url, ignored).await;
        assert!(served.status == 200 && served.bytes == whole, "{ignored}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_head_tells_everything_but_the_content() {
    let world = World::new().await;
    let (li, chat) = chatting(&world).await;
    let url = url(&upload(&world, &li, &chat, "a.png", png(100_000)).await.ok());
    let got = read(&world, &li, &url).await;
    let head = world.call(&li, Method::HEAD, &url, Value::Null).await;
    assert!(head.status == 200 && head.bytes.is_empty());
    for name in ["content-type", "content-length", "content-disposition", "content-security-policy", "accept-ranges"] {
        assert_eq!(header_of(&head, name), header_of(&got, name), "{name}");
    }
    assert_eq!(header_of(&head, "content-length"), "100000");
    world.end().await;
}
