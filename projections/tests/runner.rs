//! The views as a server runs them: they follow the log, deliver what is new, and go on after a restart.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::sync::Arc;

use application::log::stream::StreamKey;
use application::ports::event_log::{CommitPosition, EventLog};
use application::queries::{AccountStage, BoardRow, Delivery, FeedKind, ReadModels, ServiceStatus};
use domain::desk::event as desk;
use domain::event::Event;
use domain::ids::{ApiKeyId, ConversationId, SessionId, UserId};
use domain::message::ChatRole;
use domain::private::Private;
use domain::tenant::event as tenant_event;
use domain::time::{Millis, Timestamp};
use domain::user::abilities::Abilities;
use domain::user::event as user;
use projections::runner::RunnerOptions;
use projections::store::ViewStore;
use projections::views::Views;
use support::people::*;
use support::{KeepingSink, START, TestLog, memory_store};

struct Server {
    views: Views,
    log: Arc<TestLog>,
    sink: Arc<KeepingSink>,
}

async fn server(story: &Story, store: Arc<dyn ViewStore>) -> Server {
    let log = story.history.log();
    let sink = Arc::new(KeepingSink::default());
    let views =
        Views::open(store, Arc::clone(&log) as Arc<dyn EventLog>, Arc::clone(&sink) as Arc<_>, RunnerOptions::default()).await.unwrap();
    Server { views, log, sink }
}

impl Server {
    /// The log grows to what the story has become.
    async fn follows(&self, story: &Story) {
        let known = usize::try_from(self.log.head().await.unwrap().0).unwrap();
        self.log.extend(&story.history.commits[known..]);
        self.views.at_least(story.history.head()).await.unwrap();
    }

    async fn delivered(self) -> Vec<Delivery> {
        self.views.close().await;
        std::mem::take(&mut self.sink.0.lock().unwrap())
    }
}

#[tokio::test]
async fn what_the_log_gains_is_delivered_once_with_its_readers_and_what_it_had_is_not() {
    let story = Story::in_conversation().joined(ALICE, ChatRole::Agent).says(BUYER);
    let (memory, store) = memory_store();
    let running = server(&story, Arc::clone(&store)).await;
    assert_eq!(running.views.reached(), story.history.head(), "caught up when it is open");
    assert_eq!(running.views.feed_head(acme(), ALICE), 2);
    let story = story.says(ALICE).event(StreamKey::Tenant, limits_changed());
    running.follows(&story).await;
    assert_eq!(running.views.feed_head(acme(), ALICE), 3);
    let delivered = running.delivered().await;
    assert_eq!(delivered.len(), 2);
    assert_eq!(delivered[0].at.commit, CommitPosition(6));
    assert_eq!(delivered[0].readers, [(BUYER, 5, FeedKind::Message), (ALICE, 3, FeedKind::Message)]);
    assert_eq!(delivered[0].bytes, story.history.commits[5].bytes);
    assert_eq!(delivered[1].readers, [], "also what nobody reads: boards follow it");

    // After a restart nothing is delivered again, also when the last checkpoint is older than the log.
    let before = memory.dump();
    let story = story.says(BUYER);
    let restarted = server(&story, store).await;
    assert_eq!(restarted.views.feed_head(acme(), ALICE), 4);
    assert_eq!(restarted.delivered().await.len(), 0);
    assert_ne!(memory.dump(), before, "closing wrote the last checkpoint");
}

fn limits_changed() -> Event {
    Event::Tenant(tenant_event::LimitsChanged { limits: tenant_event::Limits::default() }.into())
}

#[tokio::test]
async fn checkpoints_while_the_log_grows_lose_nothing() {
    let (memory, store) = memory_store();
    let mut story = Story::in_conversation().joined(ALICE, ChatRole::Agent);
    let log = story.history.log();
    let sink = Arc::new(KeepingSink::default());
    // Everything that is applied is written at once.
    let options = RunnerOptions { checkpoint_every: std::time::Duration::ZERO, pending_rows_max: 1, ..RunnerOptions::default() };
    let views = Views::start(store, Arc::clone(&log) as Arc<dyn EventLog>, Arc::clone(&sink) as Arc<_>, options).await.unwrap();
    for _ in 0..300 {
        let known = story.history.commits.len();
        story = story.says(BUYER).says(ALICE);
        log.extend(&story.history.commits[known..]);
    }
    views.at_least(story.history.head()).await.unwrap();
    let items = views.feed(acme(), BUYER, 0, usize::MAX);
    assert_eq!(items.iter().map(|item| item.index).collect::<Vec<_>>(), (1..=603).collect::<Vec<_>>());
    assert_eq!(views.unread(acme(), CHAT, ALICE), Some(0));
    views.close().await;
    let (expected, store) = memory_store();
    let rebuilt = server(&story, store).await;
    rebuilt.views.close().await;
    assert_eq!(memory.dump(), expected.dump());
}

#[tokio::test]
async fn who_asks_for_a_position_waits_for_it_and_no_longer_than_promised() {
    let story = Story::in_conversation();
    let running = server(&story, memory_store().1).await;
    assert_eq!(running.views.at_least(story.history.head()).await, Ok(()));
    tokio::time::pause();
    let behind = running.views.at_least(CommitPosition(99)).await.unwrap_err();
    assert_eq!(behind.reached, story.history.head());
}

#[tokio::test]
async fn the_directory_knows_tenants_users_accounts_and_sessions() {
    let registered = |anonymous| user::UserRegistered { role: user::Role::Customer, anonymous, private: Private::Closed };
    let account = user::KeyedDigest::from_bytes([9; 16]);
    let session = |number: u128, expires_at| user::SessionStarted {
        session: SessionId::from_u128(number),
        refresh: account,
        expires_at,
        kind: domain::devices::DeviceKind::Other,
        private: Private::Closed,
    };
    let key = ApiKeyId::from_u128(3);
    let created = tenant_event::TenantCreated { time_zone: "Asia/Shanghai".into(), private: Private::Closed };
    let issued = tenant_event::ApiKeyIssued { key, secret: account, scopes: vec![tenant_event::Scope::Robot], private: Private::Closed };
    let agent = user::UserRegistered { role: user::Role::Agent, anonymous: false, private: Private::Closed };
    let user_event = |story: Story, id: UserId, event: user::UserEvent| story.event(StreamKey::User(id), Event::User(event));
    let mut story = Story::new()
        .event(StreamKey::Tenant, Event::Tenant(created.into()))
        .event(StreamKey::Tenant, Event::Tenant(issued.into()))
        .event(StreamKey::Tenant, Event::Tenant(tenant_event::ApiKeyRevoked { key }.into()));
    story = user_event(story, BUYER, registered(true).into());
    story = user_event(story, BUYER, user::ExternalAccountMapped { account, private: Private::Closed }.into());
    story = user_event(story, SIGNED_IN_BUYER, registered(false).into());
    story = user_event(story, ALICE, agent.into());
    story = user_event(story, ALICE, session(1, START + Millis(10)).into());
    story = user_event(story.later(Millis(10)), ALICE, session(2, START + Millis(99)).into());
    story = user_event(story, ALICE, user::ServiceStarted {}.into());
    story = user_event(story, ALICE, user::CameOnline { serves: true }.into());
    let running = server(&story, memory_store().1).await;
    let views = &running.views;
    assert_eq!(views.tenants(), [acme()]);
    let tenant = views.tenant(acme()).unwrap();
    assert_eq!((tenant.api_keys.len(), tenant.api_keys[0].revoked, tenant.title.commit), (1, true, CommitPosition(1)));
    assert_eq!(views.user_by_account(acme(), account), Some(BUYER));
    let alice = views.user(acme(), ALICE).unwrap();
    assert_eq!(alice.sessions.iter().map(|row| row.session).collect::<Vec<_>>(), [SessionId::from_u128(2)], "the expired one is forgotten");
    assert_eq!((alice.service, alice.online, views.online_users()), (ServiceStatus::Started, true, vec![(acme(), ALICE)]));
    let ids = |after, limit| views.users(acme(), after, limit).iter().map(|row| row.user).collect::<Vec<_>>();
    assert_eq!((ids(None, 2), ids(Some(SIGNED_IN_BUYER), 2)), (vec![BUYER, SIGNED_IN_BUYER], vec![ALICE]));

    story = user_event(story, BUYER, user::CustomerMerged { into: SIGNED_IN_BUYER, blocked: false }.into());
    story = user_event(story, ALICE, user::UserDeactivated {}.into());
    running.follows(&story).await;
    assert_eq!(running.views.user_by_account(acme(), account), Some(SIGNED_IN_BUYER));
    let alice = running.views.user(acme(), ALICE).unwrap();
    assert_eq!((alice.stage, alice.sessions.len(), running.views.online_users()), (AccountStage::Deactivated, 0, vec![]));
}

#[tokio::test]
async fn the_queues_show_who_waits_in_which_order_and_who_carries_what() {
    let group = "sales".parse().unwrap();
    let queued = |number: u128, priority: u8, waited_ms: i64| desk::ConversationQueued {
        conversation: ConversationId::from_u128(number),
        chat: CHAT,
        group,
        queue: desk::QueueKind::Online,
        priority,
        enqueued_at: Timestamp(START.0 - waited_ms),
        shop: None,
        last_served: None,
        language: None,
        skills: vec![],
        scores: std::collections::BTreeMap::new(),
        moved_from: None,
        overflow_at: None,
    };
    let decision = desk::Decision {
        rule: desk::AssignmentRule::LeastLoaded,
        flow_version: 0,
        flow_shop: None,
        desk_version: 0,
        losing: vec![],
        candidates: vec![],
    };
    let first = ConversationId::from_u128(3);
    let assigned = desk::ConversationAssigned {
        conversation: first,
        chat: CHAT,
        agent: ALICE,
        assignment: 1,
        previous: None,
        accept_within: None,
        answer_within: None,
        provider: false,
        decision,
    };
    let updated = desk::AgentUpdated {
        agent: ALICE,
        on_service: true,
        online: true,
        capacity: 1,
        groups: vec![group],
        abilities: Abilities::default(),
        provider: None,
    };
    let desk_event = |story: Story, event: desk::DeskEvent| story.event(StreamKey::Desk, Event::Desk(event));
    let mut story = desk_event(Story::new(), updated.into());
    for event in [queued(1, 5, 10), queued(2, 5, 20), queued(3, 1, 0)] {
        story = desk_event(story, event.into());
    }
    let (_, store) = memory_store();
    let running = server(&story, Arc::clone(&store)).await;
    let order = |views: &Views| views.queue(acme(), Some(group)).iter().map(|row| row.conversation.uuid().as_u128()).collect::<Vec<_>>();
    assert_eq!(order(&running.views), [3, 2, 1]);
    assert_eq!(running.views.queue_position(acme(), ConversationId::from_u128(1)), Some(3));
    story = desk_event(story, assigned.into());
    running.follows(&story).await;
    assert_eq!(order(&running.views), [2, 1]);
    assert_eq!(running.views.agents(acme())[0].carries, [first]);
    let board = BoardRow {
        waiting: 2,
        oldest_at: Some(Timestamp(START.0 - 20)),
        agents: 1,
        on_service: 1,
        in_service: 1,
        ..BoardRow::empty(group)
    };
    let nobody = "vip".parse().unwrap();
    assert_eq!(running.views.boards(acme(), &[nobody, group]), [board, BoardRow::empty(nobody)], "the one place is taken");
    assert_eq!(running.views.boards("rival".parse().unwrap(), &[group]), [BoardRow::empty(group)]);
    running.delivered().await;

    // The desk is read back as it was.
    let requeued = desk::ConversationRequeued {
        conversation: first,
        chat: CHAT,
        agent: ALICE,
        assignment: 1,
        group,
        reason: desk::RequeueReason::AgentLost,
        overflow_at: None,
    };
    let released = desk::ConversationReleased { conversation: ConversationId::from_u128(2), chat: CHAT, agent: None, assignment: None };
    let restarted = server(&story, store).await;
    assert_eq!(restarted.views.agents(acme())[0].carries, [first]);
    story = desk_event(desk_event(story, requeued.into()), released.into());
    restarted.follows(&story).await;
    assert_eq!((order(&restarted.views), restarted.views.agents(acme())[0].carries.len()), (vec![3, 1], 0));
    let board = restarted.views.boards(acme(), &[group])[0];
    assert_eq!((board.waiting, board.in_service, board.free_slots), (2, 0, 1));
    story = desk_event(
        story,
        desk::AgentUpdated {
            agent: ALICE,
            on_service: true,
            online: false,
            capacity: 1,
            groups: vec![group],
            abilities: Abilities::default(),
            provider: None,
        }
        .into(),
    );
    restarted.follows(&story).await;
    let board = restarted.views.boards(acme(), &[group])[0];
    assert_eq!((board.agents, board.on_service, board.free_slots), (1, 0, 0), "whoever is not connected takes nothing");
}
