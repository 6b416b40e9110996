//! An upload is used in time, or removed; and never is one removed that a message shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adapters::attachments::sweep::{Swept, sweep};
use adapters::blob_store::ObjectBlobStore;
use adapters::config::{AttachmentsConfig, Config};
use application::ports::event_log::CommitPosition;
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::time::Millis;
use object_store::{ObjectStoreExt, PutPayload};

use super::storing::{Down, objects, started, world_with_store};
use super::*;

const DAY: Millis = Millis::hours(24);
const HOUR: Millis = Millis::hours(1);
const ONE_MS: Millis = Millis(1);

fn message(world: &World, url: &str) -> Value {
    json!({"id": world.client_id(), "content": "a.png", "kind": "picture", "url": url})
}

async fn show(world: &World, who: &Person, chat: &str, url: &str) -> Reply {
    world.post(who, &format!("/v1/tenants/acme/chats/{chat}/messages"), message(world, url)).await
}

/// Li again, whose token has run out meanwhile.
async fn li(world: &World) -> Person {
    world.customer(ACME, "li").await
}

async fn swept(world: &World) -> Swept {
    sweep(&world.app).await.unwrap()
}

#[tokio::test]
async fn an_upload_that_no_message_uses_is_removed_after_its_time() {
    let world = World::new().await;
    let (who, chat) = chatting(&world).await;
    let answer = upload(&world, &who, &chat, "a.png", PNG).await.ok();
    assert_eq!(answer["use_by"], world.clock_ms() + DAY.0);
    world.clock.pass(DAY);
    assert_eq!(swept(&world).await, Swept::default(), "until the last moment");
    assert_eq!(read(&world, &li(&world).await, &url(&answer)).await.status, 200);
    world.clock.pass(ONE_MS);
    assert_eq!(swept(&world).await, Swept { removed: 1, ..Swept::default() });
    assert_eq!(read(&world, &li(&world).await, &url(&answer)).await.problem(), (404, "not_found"));
    assert_eq!(show(&world, &li(&world).await, &chat, &url(&answer)).await.problem(), (410, "attachment_gone"));
    assert_eq!(swept(&world).await, Swept::default(), "nothing is left to be done");
    world.end().await;
}

#[tokio::test]
async fn a_message_uses_an_upload_until_the_last_moment_and_not_later() {
    let world = World::new().await;
    let (who, chat) = chatting(&world).await;
    let [in_time, late] = [upload(&world, &who, &chat, "a.png", PNG).await.ok(), upload(&world, &who, &chat, "b.png", PNG).await.ok()];
    world.clock.pass(DAY);
    let _ = show(&world, &li(&world).await, &chat, &url(&in_time)).await.ok();
    world.clock.pass(ONE_MS);
    // It still lies there, and would be gone a moment later.
    assert_eq!(show(&world, &li(&world).await, &chat, &url(&late)).await.problem(), (410, "attachment_gone"));
    world.settle().await;
    assert_eq!(swept(&world).await, Swept { removed: 1, settled: 1, ..Swept::default() });
    let again = show(&world, &li(&world).await, &chat, &url(&in_time)).await;
    assert_eq!(again.status, 200, "what was used may be used again");
    assert_eq!(read(&world, &li(&world).await, &url(&in_time)).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn what_is_used_stays_whatever_becomes_of_the_message() {
    let world = World::new().await;
    let (who, chat) = chatting(&world).await;
    let answer = upload(&world, &who, &chat, "a.png", PNG).await.ok();
    let shown = show(&world, &who, &chat, &url(&answer)).await.ok();
    let recall = format!("/v1/tenants/acme/chats/{chat}/messages/{}/recall", shown["message"].as_str().unwrap());
    let _ = world.post(&who, &recall, Value::Null).await.ok();
    world.settle().await;
    world.clock.pass(Millis(DAY.0 + 1));
    assert_eq!(swept(&world).await, Swept { settled: 1, ..Swept::default() });
    assert_eq!(read(&world, &Person::operator(), &url(&answer)).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn an_attachment_is_used_in_its_own_chat_and_anybody_elses_link_is_a_link() {
    let world = World::new().await;
    world.make_tenant("rival").await;
    let (who, chat) = chatting(&world).await;
    let wang = world.customer(ACME, "wang").await;
    let (elsewhere, _) = world.open_chat(&wang).await;
    let answer = upload(&world, &who, &chat, "a.png", PNG).await.ok();
    let id = answer["id"].as_str().unwrap();
    for gone in [url(&answer), format!("https://kefu.example{}", url(&answer))] {
        assert_eq!(show(&world, &wang, &elsewhere, &gone).await.problem(), (410, "attachment_gone"), "{gone}");
    }
    let unknown = "/v1/tenants/acme/attachments/01900000000070008000000000000001";
    assert_eq!(show(&world, &who, &chat, unknown).await.problem(), (410, "attachment_gone"));
    for link in ["https://shop.example/p/1", &format!("/v1/tenants/rival/attachments/{id}"), &format!("https://other.example{unknown}")] {
        let _ = show(&world, &who, &chat, link).await.ok();
    }
    let _ = show(&world, &who, &chat, &format!("https://kefu.example{}", url(&answer))).await.ok();
    world.settle().await;
    world.clock.pass(Millis(DAY.0 + 1));
    assert_eq!(swept(&world).await, Swept { settled: 1, ..Swept::default() }, "with the name of the host, too");
    world.end().await;
}

#[tokio::test]
async fn a_message_that_is_repeated_is_answered_like_the_first_time_whatever_became_of_its_file() {
    let world = World::new().await;
    let (who, chat) = chatting(&world).await;
    let answer = upload(&world, &who, &chat, "a.png", PNG).await.ok();
    let path = format!("/v1/tenants/acme/chats/{chat}/messages");
    let body = message(&world, &url(&answer));
    let first = world.post(&who, &path, body.clone()).await.ok();
    let recall = format!("{path}/{}/recall", first["message"].as_str().unwrap());
    let _ = world.post(&who, &recall, Value::Null).await.ok();
    world.settle().await;
    let again = world.post(&who, &path, body).await.ok();
    assert_eq!((&again["message"], &again["seq"]), (&first["message"], &first["seq"]));
    assert_eq!(show(&world, &who, &chat, &url(&answer)).await.problem(), (410, "attachment_gone"), "what was taken back is not shown anew");
    world.end().await;
}

#[tokio::test]
async fn a_late_repeat_of_an_upload_is_refused_and_may_be_uploaded_anew_once_it_is_removed() {
    let world = World::new().await;
    let (who, chat) = chatting(&world).await;
    let first = upload_once(&world, &who, "k1", &chat, "a.png", PNG).await.ok();
    world.clock.pass(Millis(DAY.0 + 1));
    let late = upload_once(&world, &li(&world).await, "k1", &chat, "a.png", PNG).await;
    assert_eq!(late.problem(), (410, "attachment_gone"));
    assert_eq!(swept(&world).await.removed, 1);
    let anew = upload_once(&world, &li(&world).await, "k1", &chat, "a.png", PNG).await.ok();
    assert_eq!(anew["id"], first["id"]);
    let _ = show(&world, &li(&world).await, &chat, &url(&anew)).await.ok();
    world.settle().await;
    world.clock.pass(Millis(DAY.0 + 1));
    assert_eq!(swept(&world).await, Swept { settled: 1, ..Swept::default() });
    assert_eq!(read(&world, &li(&world).await, &url(&anew)).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn whoever_posts_at_the_very_moment_of_the_removal_is_refused_or_keeps_the_file() {
    for turns in 0..40 {
        let world = World::new().await;
        let (who, chat) = chatting(&world).await;
        let answer = upload(&world, &who, &chat, "a.png", PNG).await.ok();
        world.clock.pass(DAY);
        let who = li(&world).await;
        let url = url(&answer);
        let post = show(&world, &who, &chat, &url);
        let remove = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            world.clock.pass(ONE_MS);
            swept(&world).await
        };
        let (posted, swept) = tokio::join!(post, remove);
        world.settle().await;
        let status = read(&world, &who, &url).await.status;
        if posted.status == 200 {
            assert_eq!((swept.removed, status.as_u16()), (0, 200), "after {turns} turns");
        } else {
            assert_eq!((posted.problem(), swept.removed, status.as_u16()), ((410, "attachment_gone"), 1, 404), "after {turns} turns");
        }
        world.end().await;
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_neither_revives_an_upload_nor_hurries_one() {
    let world = World::new().await;
    let (who, chat) = chatting(&world).await;
    let removed = upload(&world, &who, &chat, "a.png", PNG).await.ok();
    world.clock.pass(Millis(DAY.0 + 1));
    assert_eq!(swept(&world).await.removed, 1);
    world.clock.pass(Millis(-3 * DAY.0));
    assert_eq!(show(&world, &who, &chat, &url(&removed)).await.problem(), (410, "attachment_gone"));
    // The log's time stands still meanwhile, and so does that of what is uploaded now.
    let fresh = upload(&world, &who, &chat, "b.png", PNG).await.ok();
    assert_eq!(show(&world, &who, &chat, &url(&fresh)).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn without_a_time_nothing_is_removed() {
    let attachments = AttachmentsConfig { unused_hours: 0, ..AttachmentsConfig::default() };
    let world = World::with_config(Config { attachments, ..Config::default() }).await;
    world.make_tenant(ACME).await;
    let (who, chat) = chatting(&world).await;
    let answer = upload(&world, &who, &chat, "a.png", PNG).await.ok();
    assert_eq!(answer["use_by"], Value::Null);
    world.clock.pass(Millis::days(900));
    assert_eq!(swept(&world).await, Swept::default());
    assert_eq!(show(&world, &li(&world).await, &chat, &url(&answer)).await.status, 200);
    world.end().await;
}

/// How often the log says that an upload's time is over.
async fn times_over(world: &World) -> usize {
    let commits = world.app.ports.log.read_shard(CommitPosition(0), usize::MAX).await.unwrap();
    let events = commits.iter().flat_map(|stored| adapters::reading::events(stored).unwrap());
    events.filter(|event| matches!(event, Event::Chat(ChatEvent::UploadExpired(_)))).count()
}

#[tokio::test]
async fn a_round_that_breaks_off_anywhere_is_gone_on_with_and_says_nothing_twice() {
    let calls_left = Arc::new(AtomicUsize::new(usize::MAX));
    let down = Down { blobs: ObjectBlobStore::in_memory(), calls_left: Arc::clone(&calls_left) };
    let world = World::over(Config::default(), |engines| engines.blobs = Arc::new(down)).await;
    world.make_tenant(ACME).await;
    let (who, chat) = chatting(&world).await;
    let answer = upload(&world, &who, &chat, "a.png", PNG).await.ok();
    world.clock.pass(Millis(DAY.0 + 1));
    // What is due, the header, the removal, the note.
    calls_left.store(0, Ordering::SeqCst);
    assert!(sweep(&world.app).await.is_err());
    for calls in 1..4 {
        calls_left.store(calls, Ordering::SeqCst);
        assert_eq!(swept(&world).await, Swept { later: 1, ..Swept::default() }, "after {calls} calls");
    }
    calls_left.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(swept(&world).await, Swept { settled: 1, ..Swept::default() }, "only the note was left");
    assert_eq!(read(&world, &li(&world).await, &url(&answer)).await.problem(), (404, "not_found"));
    assert_eq!(times_over(&world).await, 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_forgets_no_upload_and_no_use() {
    let data = tempfile::tempdir().unwrap();
    let world = started(data.path()).await;
    world.make_tenant(ACME).await;
    let (who, chat) = chatting(&world).await;
    let [used, unused] = [upload(&world, &who, &chat, "a.png", PNG).await.ok(), upload(&world, &who, &chat, "b.png", PNG).await.ok()];
    let _ = show(&world, &who, &chat, &url(&used)).await.ok();
    world.end().await;
    let world = started(data.path()).await;
    world.clock.pass(Millis(DAY.0 + 1));
    assert_eq!(swept(&world).await, Swept { removed: 1, settled: 1, ..Swept::default() });
    world.end().await;
    // The clock stands where it stood at first, and the log goes on after what it has.
    let world = started(data.path()).await;
    assert_eq!(read(&world, &who, &url(&used)).await.status, 200);
    assert_eq!(read(&world, &who, &url(&unused)).await.problem(), (404, "not_found"));
    assert_eq!(show(&world, &who, &chat, &url(&unused)).await.problem(), (410, "attachment_gone"));
    assert_eq!(swept(&world).await, Swept::default());
    world.end().await;
}

#[tokio::test]
async fn an_upload_that_is_damaged_is_put_off_and_stands_in_nobodys_way() {
    let (world, store) = world_with_store().await;
    let (who, chat) = chatting(&world).await;
    let _ = upload(&world, &who, &chat, "a.png", PNG).await.ok();
    let place = objects(&store).await.remove(0).location;
    let sound = store.get(&place).await.unwrap().bytes().await.unwrap();
    let _ = upload(&world, &who, &chat, "b.png", PNG).await.ok();
    store.put(&place, PutPayload::from_static(b"no attachment")).await.unwrap();
    world.clock.pass(Millis(DAY.0 + 1));
    assert_eq!(swept(&world).await, Swept { removed: 1, put_off: 1, ..Swept::default() });
    assert_eq!(swept(&world).await, Swept::default(), "it is not due now");
    for _ in 0..2 {
        world.clock.pass(Millis(HOUR.0 + 1));
        assert_eq!(swept(&world).await, Swept { put_off: 1, ..Swept::default() }, "it is not forgotten either");
    }
    store.put(&place, sound.into()).await.unwrap();
    world.clock.pass(Millis(HOUR.0 + 1));
    assert_eq!(swept(&world).await, Swept { removed: 1, ..Swept::default() }, "decided once it can be");
    assert_eq!((objects(&store).await, times_over(&world).await), (vec![], 2));
    world.end().await;
}
