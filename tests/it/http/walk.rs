//! Every route, walked by every role and key, in their own tenant and in another one.
//!
//! What each may do is asked of the table in `application::access`; what the routes do with it is seen here. The routes come
//! from the description, so that a new one must be given its action before this passes.

use application::access::{Action, Principal, Reach, Resource, allowed, reach};
use axum::body::Body;
use axum::http::{Method, Request};
use domain::ids::GroupId;
use domain::tenant::event::Scope;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, SHOP, World, id};

const RIVAL: &str = "rival";

/// What a route does, and a body it understands.
struct Step {
    method: Method,
    path: &'static str,
    /// `None` for a route that asks nobody who they are.
    action: Option<Action>,
    /// Whether it is about the caller's own account.
    own: bool,
    body: Value,
}

fn step(method: Method, path: &'static str, action: Action, body: Value) -> Step {
    let own = matches!(
        action,
        Action::UseOwnAccount | Action::ChangeOwnService | Action::TakePartInChat | Action::OpenChat | Action::SignInAsGuest
    );
    Step { method, path, action: Some(action), own, body }
}

fn public(method: Method, path: &'static str) -> Step {
    Step { method, path, action: None, own: false, body: Value::Null }
}

#[rustfmt::skip]
fn steps() -> Vec<Step> {
    use Method as M;
    let m = "0190000000007000800000000000abcd";
    let mut steps = vec![
        public(M::GET, "/livez"), public(M::GET, "/readyz"), public(M::GET, "/v1/ws"),
        public(M::POST, "/v1/tenants/{t}/sign-in"), public(M::POST, "/v1/tenants/{t}/customers/sign-in"),
        public(M::POST, "/v1/tenants/{t}/token/refresh"),
        step(M::POST, "/v1/tenants", Action::CreateTenant, json!({"id": "acme", "time_zone": "Asia/Shanghai", "title": "x"})),
        step(M::GET, "/v1/tenants", Action::ListTenants, Value::Null),
        step(M::GET, "/v1/tenants/{t}", Action::ReadTenant, Value::Null),
        step(M::POST, "/v1/tenants/{t}/shops", Action::OpenShop, json!({"id": SHOP, "title": "x"})),
        step(M::POST, "/v1/tenants/{t}/groups", Action::FormGroup, json!({"id": "vip", "title": "x"})),
        step(M::POST, "/v1/tenants/{t}/api-keys", Action::ManageApiKeys, json!({"title": "x", "scopes": ["manage_users"]})),
        step(M::DELETE, "/v1/tenants/{t}/api-keys/{id}", Action::ManageApiKeys, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/identity-secret", Action::SetIdentitySecret, json!({"secret": "A".repeat(44)})),
        step(M::GET, "/v1/tenants/{t}/articles", Action::ReadArticles, Value::Null),
        step(M::GET, "/v1/tenants/{t}/articles/{article}", Action::ReadArticles, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/articles/{article}", Action::ManageArticles, json!({"question": "x", "answer": "x"})),
        step(M::DELETE, "/v1/tenants/{t}/articles/{article}", Action::ManageArticles, Value::Null),
        step(M::POST, "/v1/tenants/{t}/articles/import", Action::ManageArticles, json!({"jsonl": "{\"article\": \"x\", \"question\": \"x\", \"answer\": \"x\"}"})),
        step(M::GET, "/v1/tenants/{t}/flows", Action::ManageFlows, Value::Null),
        step(M::POST, "/v1/tenants/{t}/flows/check", Action::ManageFlows, json!({"text": "flow: assignment"})),
        step(M::GET, "/v1/tenants/{t}/flows/{kind}", Action::ManageFlows, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/flows/{kind}", Action::ManageFlows, json!({"text": "flow: assignment"})),
        step(M::DELETE, "/v1/tenants/{t}/flows/{kind}", Action::ManageFlows, Value::Null),
        step(M::GET, "/v1/tenants/{t}/shops/{s}/flows/{kind}", Action::ManageFlows, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/shops/{s}/flows/{kind}", Action::ManageFlows, json!({"text": "flow: assignment"})),
        step(M::DELETE, "/v1/tenants/{t}/shops/{s}/flows/{kind}", Action::ManageFlows, Value::Null),
        step(M::GET, "/v1/tenants/{t}/channels", Action::ManageChannels, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/channels/{channel}", Action::ManageChannels, json!({"shop": SHOP, "title": "x", "url": "https://shop.example/"})),
        step(M::GET, "/v1/tenants/{t}/channels/{channel}", Action::ManageChannels, Value::Null),
        step(M::DELETE, "/v1/tenants/{t}/channels/{channel}", Action::ManageChannels, Value::Null),
        step(M::GET, "/v1/tenants/{t}/robots", Action::ManageRobots, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/robots/{robot}", Action::ManageRobots, json!({"protocol": "http", "uses": ["seat"], "url": "https://shop.example/"})),
        step(M::DELETE, "/v1/tenants/{t}/robots/{robot}", Action::ManageRobots, Value::Null),
        step(M::GET, "/v1/tenants/{t}/providers", Action::ManageProviders, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/providers/{provider}", Action::ManageProviders, json!({"title": "P", "url": "https://shop.example/", "groups": ["main"], "capacity": 1})),
        step(M::DELETE, "/v1/tenants/{t}/providers/{provider}", Action::ManageProviders, Value::Null),
        public(M::POST, "/v1/tenants/{t}/providers/{provider}/session-created"), public(M::POST, "/v1/tenants/{t}/providers/{provider}/messages"),
        public(M::GET, "/v1/tenants/{t}/providers/{provider}/attachments/{id}"), public(M::POST, "/v1/tenants/{t}/providers/{provider}/attachments"),
        public(M::POST, "/v1/tenants/{t}/providers/{provider}/rating-requests"), public(M::POST, "/v1/tenants/{t}/providers/{provider}/session-ended"),
        public(M::POST, "/v1/tenants/{t}/channels/{channel}/messages"), public(M::POST, "/v1/tenants/{t}/channels/{channel}/read"),
        public(M::POST, "/v1/tenants/{t}/channels/{channel}/messages/{m}/recall"), public(M::POST, "/v1/tenants/{t}/channels/{channel}/ready"),
        public(M::GET, "/v1/tenants/{t}/channels/{channel}/attachments/{id}"), public(M::POST, "/v1/tenants/{t}/channels/{channel}/attachments"),
        public(M::POST, "/v1/tenants/{t}/channels/{channel}/rating"), public(M::POST, "/v1/tenants/{t}/channels/{channel}/end"),
        step(M::PUT, "/v1/tenants/{t}/limits", Action::ChangeLimits, json!({"recall_window_ms": 60_000})),
        step(M::PUT, "/v1/tenants/{t}/device-policies", Action::ChangeLimits, json!({"role": "agent", "devices_max": 2})),
        step(M::POST, "/v1/tenants/{t}/users", Action::ManageStaff, json!({"role": "agent", "display_name": "x"})),
        step(M::GET, "/v1/tenants/{t}/users", Action::ListUsers, Value::Null),
        step(M::GET, "/v1/tenants/{t}/users/{u}", Action::ReadUser, Value::Null),
        step(M::PATCH, "/v1/tenants/{t}/users/{u}", Action::ManageCustomers, json!({"display_name": "x"})),
        step(M::DELETE, "/v1/tenants/{t}/users/{u}", Action::ManageCustomers, Value::Null),
        step(M::POST, "/v1/tenants/{t}/users/{u}/accounts", Action::ManageCustomers, json!({"provider": "p", "account": "a"})),
        step(M::POST, "/v1/tenants/{t}/users/{u}/merge", Action::MergeCustomers, json!({"into": m})),
        step(M::GET, "/v1/tenants/{t}/users/{u}/description", Action::ReadDescriptions, Value::Null),
        step(M::PATCH, "/v1/tenants/{t}/users/{u}/description", Action::DescribeCustomers, json!({"tier": "gold"})),
        step(M::GET, "/v1/tenants/{t}/users/{u}/sessions", Action::ManageCustomers, Value::Null),
        step(M::DELETE, "/v1/tenants/{t}/users/{u}/sessions/{s}", Action::ManageCustomers, Value::Null),
        step(M::GET, "/v1/tenants/{t}/users/{u}/block", Action::BlockCustomers, Value::Null),
        step(M::GET, "/v1/tenants/{t}/blocked-customers", Action::BlockCustomers, Value::Null),
        step(M::DELETE, "/v1/tenants/{t}/users/{u}/block", Action::BlockCustomers, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/users/{u}/block", Action::BlockCustomers, json!({"reason": "x"})),
        step(M::GET, "/v1/tenants/{t}/blocked-addresses", Action::BlockCustomers, Value::Null),
        step(M::POST, "/v1/tenants/{t}/blocked-addresses", Action::BlockCustomers, json!({"range": "192.0.2.0/24", "reason": "x"})),
        step(M::DELETE, "/v1/tenants/{t}/blocked-addresses/{id}", Action::BlockCustomers, Value::Null),
        step(M::DELETE, "/v1/tenants/{t}/users/{u}/key", Action::EraseUsers, Value::Null),
        step(M::POST, "/v1/tenants/{t}/customers/mint", Action::MintIdentities, json!({"provider": "p", "account": "b", "display_name": "x"})),
        step(M::GET, "/v1/tenants/{t}/me", Action::UseOwnAccount, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/me/service", Action::ChangeOwnService, json!({"status": "started"})),
        step(M::POST, "/v1/tenants/{t}/chats", Action::OpenChat, json!({"shop": SHOP})),
        step(M::GET, "/v1/tenants/{t}/chats/{c}", Action::ReadChat, Value::Null),
        step(M::GET, "/v1/tenants/{t}/chats/{c}/messages", Action::ReadChat, Value::Null),
        step(M::POST, "/v1/tenants/{t}/chats/{c}/messages", Action::TakePartInChat, json!({"id": m, "content": "x"})),
        step(M::POST, "/v1/tenants/{t}/chats/{c}/attachments", Action::TakePartInChat, Value::Null),
        step(M::GET, "/v1/tenants/{t}/attachments/{id}", Action::ReadChat, Value::Null),
        step(M::POST, "/v1/tenants/{t}/customers/import", Action::ManageCustomers, json!({"customers": [{"provider": "p", "account": "c"}]})),
        step(M::GET, "/v1/tenants/{t}/outreach", Action::ReadOutreach, Value::Null),
        step(M::POST, "/v1/tenants/{t}/outreach", Action::ReachOut, json!({"id": m, "shop": SHOP, "customer": m, "entry": "order_page", "content": "x"})),
        step(M::GET, "/v1/tenants/{t}/outreach/evidence", Action::ExportOutreach, Value::Null),
        step(M::GET, "/v1/tenants/{t}/outreach/{id}", Action::ReadOutreach, Value::Null),
        step(M::GET, "/v1/tenants/{t}/campaigns", Action::ReadCampaigns, Value::Null),
        step(M::POST, "/v1/tenants/{t}/campaigns", Action::ManageCampaigns, json!({"shop": SHOP, "content": "x"})),
        step(M::GET, "/v1/tenants/{t}/campaigns/{id}", Action::ReadCampaigns, Value::Null),
        step(M::POST, "/v1/tenants/{t}/campaigns/{id}/recipients", Action::ManageCampaigns, json!({"recipients": [m]})),
        step(M::POST, "/v1/tenants/{t}/campaigns/{id}/start", Action::ManageCampaigns, Value::Null),
        step(M::POST, "/v1/tenants/{t}/campaigns/{id}/pause", Action::ManageCampaigns, Value::Null),
        step(M::POST, "/v1/tenants/{t}/campaigns/{id}/cancel", Action::ManageCampaigns, Value::Null),
        step(M::GET, "/v1/tenants/{t}/canned-replies", Action::ReadCannedReplies, Value::Null),
        step(M::POST, "/v1/tenants/{t}/canned-replies", Action::ManageCannedReplies, json!({"scope": "tenant", "shortcut": "hi", "title": "x", "text": "x"})),
        step(M::PUT, "/v1/tenants/{t}/canned-replies/{id}", Action::ReadCannedReplies, json!({"shortcut": "hi", "title": "x", "text": "x"})),
        step(M::DELETE, "/v1/tenants/{t}/canned-replies/{id}", Action::ReadCannedReplies, Value::Null),
        step(M::POST, "/v1/tenants/{t}/chats/{c}/read", Action::TakePartInChat, json!({"seq": 1})),
        step(M::POST, "/v1/tenants/{t}/chats/{c}/messages/{m}/recall", Action::TakePartInChat, Value::Null),
        step(M::DELETE, "/v1/tenants/{t}/chats/{c}/messages/{m}", Action::TakePartInChat, Value::Null),
        step(M::POST, "/v1/tenants/{t}/guests", Action::ManageCustomers, json!({"tenant": "home", "user": m, "display_name": "x"})),
        step(M::POST, "/v1/tenants/{t}/sign-in/guest", Action::SignInAsGuest, json!({})),
        step(M::POST, "/v1/tenants/{t}/threads", Action::CreateThread, json!({"title": "x", "label": "merchant"})),
        step(M::GET, "/v1/tenants/{t}/threads", Action::TakePartInChat, Value::Null),
        step(M::GET, "/v1/tenants/{t}/threads/{c}", Action::ReadThread, Value::Null),
        step(M::DELETE, "/v1/tenants/{t}/threads/{c}", Action::TakePartInChat, Value::Null),
        step(M::POST, "/v1/tenants/{t}/threads/{c}/members", Action::TakePartInChat, json!({"user": m, "label": "guest"})),
        step(M::PATCH, "/v1/tenants/{t}/threads/{c}/members/{u}", Action::TakePartInChat, json!({"permissions": ["post"]})),
        step(M::DELETE, "/v1/tenants/{t}/threads/{c}/members/{u}", Action::TakePartInChat, Value::Null),
        step(M::PUT, "/v1/tenants/{t}/threads/{c}/title", Action::TakePartInChat, json!({"title": "x"})),
        step(M::PUT, "/v1/tenants/{t}/threads/{c}/owner", Action::TakePartInChat, json!({"user": m})),
        step(M::PUT, "/v1/tenants/{t}/threads/{c}/mute", Action::TakePartInChat, json!({"muted": true})),
        step(M::PUT, "/v1/tenants/{t}/threads/{c}/archive", Action::TakePartInChat, json!({"archived": true})),
        step(M::GET, "/v1/tenants/{t}/conversations", Action::ListConversations, Value::Null),
        step(M::GET, "/v1/tenants/{t}/conversations/{id}", Action::ReadConversation, Value::Null),
        step(M::GET, "/v1/tenants/{t}/conversations/{id}/assignment", Action::ExplainAssignment, Value::Null),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/close", Action::CloseConversation, json!({})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/rating", Action::RateConversation, json!({"score": 5})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/answers/{m}/rating", Action::RateConversation, json!({"score": 5})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/rating-invitation", Action::InviteRating, json!({})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/transfer", Action::TransferConversation, json!({"group": "vip"})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/take-over", Action::TakeOverConversation, json!({})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/pick", Action::PickConversation, json!({})),
        step(M::PATCH, "/v1/tenants/{t}/conversations/{id}/ticket", Action::KeepTickets, json!({"state": "solved"})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/reopen", Action::ReopenConversation, json!({})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/exit", Action::LeaveConversation, json!({})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/hand-off", Action::AskForHuman, json!({})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/suggestions", Action::AskSuggestions, json!({"robot": "faq", "text": "x"})),
        step(M::POST, "/v1/tenants/{t}/articles/ask", Action::ReadArticles, json!({"shop": SHOP, "text": "x"})),
        step(M::POST, "/v1/tenants/{t}/conversations/{id}/accept", Action::AcceptConversation, json!({})),
        step(M::GET, "/v1/tenants/{t}/feed", Action::UseOwnAccount, Value::Null),
        step(M::POST, "/v1/init", Action::UseOwnAccount, json!({})),
        step(M::POST, "/v1/keepalive", Action::UseOwnAccount, json!({"device": m, "wait_ms": 0})),
        step(M::POST, "/v1/sendmessage", Action::UseOwnAccount, json!({"bizCode": "presence"})),
        step(M::GET, "/v1/events", Action::UseOwnAccount, Value::Null),
        step(M::GET, "/v1/tenants/{t}/queue", Action::ReadQueue, Value::Null),
        step(M::GET, "/v1/tenants/{t}/agents", Action::ReadAgents, Value::Null),
        step(M::GET, "/v1/consumers", Action::ListConsumers, Value::Null),
        step(M::POST, "/v1/tenants/{t}/consumers/{name}/resume", Action::ResumeConsumer, json!({"position": "s0c1e0", "verdict": "skip"})),
        // The last, because whoever walks it is signed out.
        step(M::POST, "/v1/tenants/{t}/sign-out", Action::UseOwnAccount, Value::Null),
    ];
    for step in &mut steps {
        // Lists are narrowed to one's own, and always allowed to those who have any right to them.
        step.own |= matches!(step.action, Some(Action::ListConversations | Action::ReadCannedReplies)) || step.path.ends_with("/queue");
    }
    steps
}

/// Ids of things in a tenant that belong to nobody who walks.
struct Things {
    tenant: &'static str,
    user: String,
    chat: String,
    conversation: String,
    attachment: String,
}

impl Things {
    async fn of(world: &World, tenant: &'static str) -> Self {
        let customer = world.customer(tenant, "bystander").await;
        let (chat, conversation) = world.open_chat(&customer).await;
        let _ = world.say(&customer, &chat, "hello").await.ok();
        let upload =
            Request::post(format!("/v1/tenants/{tenant}/chats/{chat}/attachments")).body(Body::from("a file")).expect("a valid path");
        let attachment = world.send(upload, &customer).await.ok()["id"].as_str().expect("it has an id").to_owned();
        world.settle().await;
        Self { tenant, user: customer.user().to_string(), chat, conversation, attachment }
    }

    fn path(&self, template: &str, tenant: &str) -> String {
        let unknown = "01900000000070008000000000000001";
        let id = match template {
            template if template.contains("api-keys") => unknown,
            template if template.contains("/attachments/") => &self.attachment,
            _ => &self.conversation,
        };
        template
            .replace("{t}", tenant)
            .replace("{u}", &self.user)
            .replace("{c}", &self.chat)
            .replace("{id}", id)
            .replace("{s}", unknown)
            .replace("{m}", unknown)
            .replace("{channel}", "walked")
            .replace("{robot}", "walked")
            .replace("{provider}", "walked")
            .replace("{kind}", "assignment")
            .replace("{article}", "FAQ-1")
            .replace("{name}", "feed")
    }
}

enum Rights {
    Operator,
    User(Role),
    Key(Vec<Scope>),
}

struct Walker {
    person: Person,
    rights: Rights,
}

fn main_group() -> [GroupId; 1] {
    ["main".parse().expect("main is a slug")]
}

impl Walker {
    fn groups(&self) -> &'static [GroupId] {
        static MAIN: std::sync::OnceLock<[GroupId; 1]> = std::sync::OnceLock::new();
        match self.rights {
            Rights::User(role) if role.serves() => MAIN.get_or_init(main_group),
            Rights::Operator | Rights::User(_) | Rights::Key(_) => &[],
        }
    }

    fn principal(&self) -> Principal<'_> {
        match &self.rights {
            Rights::Operator => Principal::Operator,
            Rights::User(role) => Principal::User { tenant: id(ACME), role: *role, groups: self.groups() },
            Rights::Key(scopes) => Principal::ApiKey { tenant: id(ACME), scopes },
        }
    }

    fn is_user(&self) -> bool {
        matches!(self.rights, Rights::User(_))
    }
}

async fn walkers(world: &World) -> Vec<Walker> {
    let mut walkers = vec![Walker { person: Person::operator(), rights: Rights::Operator }];
    for role in [
        Role::PlatformOperator,
        Role::Governance,
        Role::TenantAdmin,
        Role::Supervisor,
        Role::Agent,
        Role::QualityReviewer,
        Role::Integration,
    ] {
        let person = world.staff(ACME, role, &format!("{role:?}").to_lowercase()).await;
        walkers.push(Walker { person, rights: Rights::User(role) });
    }
    let customer = world.customer(ACME, "customer").await;
    walkers.push(Walker { person: customer, rights: Rights::User(Role::Customer) });
    for (name, scope) in [
        ("mint_identities", Scope::MintIdentities),
        ("manage_users", Scope::ManageUsers),
        ("manage_tenant", Scope::ManageTenant),
        ("read_conversations", Scope::ReadConversations),
        ("reception", Scope::Reception),
        ("robot", Scope::Robot),
        ("provider", Scope::Provider),
    ] {
        let person = world.integration(ACME, &[name]).await;
        walkers.push(Walker { person, rights: Rights::Key(vec![scope]) });
    }
    walkers
}

/// Whether a problem is the access table's, and not another rule's.
fn is_denial(code: Option<&str>) -> bool {
    matches!(code, Some("forbidden" | "wrong_tenant"))
}

/// Creating an agent needs another right than creating a customer, and so on; the walk's body decides.
fn expected(walker: &Walker, step: &Step, action: Action, tenant: &str) -> bool {
    let shop = SHOP.parse().ok();
    let group = if step.path.contains("/conversations/{id}") { main_group().first().copied() } else { None };
    let own = step.own && walker.is_user();
    let of_tenant = step.path.contains("{t}") || action == Action::UseOwnAccount;
    let resource = if of_tenant { Resource::of_tenant(id(tenant)) } else { Resource::platform() };
    allowed(walker.principal(), action, resource.at_shop(shop).in_group(group).own(own)).is_ok()
}

#[tokio::test]
async fn every_described_route_is_walked() {
    let mut described: Vec<String> = Vec::new();
    for (path, item) in adapters::http::router::openapi().paths.paths {
        for (method, operation) in
            [("GET", item.get), ("POST", item.post), ("PUT", item.put), ("PATCH", item.patch), ("DELETE", item.delete)]
        {
            described.extend(operation.map(|_| format!("{method} {path}")));
        }
    }
    let mut walked: Vec<String> = steps().iter().map(|step| format!("{} {}", step.method, step.path)).collect();
    described.sort();
    walked.sort();
    assert_eq!(described, walked);
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_lets_in() {
    let world = World::new().await;
    let things = Things::of(&world, ACME).await;
    let walkers = walkers(&world).await;
    for step in steps() {
        let path = things.path(step.path, things.tenant);
        let nobody = world.call(&Person::nobody(), step.method.clone(), &path, step.body.clone()).await;
        let Some(action) = step.action else {
            assert_ne!(nobody.body["code"], "unauthorized", "{path} is public");
            continue;
        };
        assert_eq!(nobody.problem(), (401, "unauthorized"), "{} {path} without a token", step.method);
        for walker in &walkers {
            let reply = world.call(&walker.person, step.method.clone(), &path, step.body.clone()).await;
            let denied = is_denial(reply.body["code"].as_str());
            let may = expected(walker, &step, action, ACME);
            let what = format!("{} {} {path}: {} {}", walker.person.name, step.method, reply.status, reply.body);
            assert_eq!(!denied, may, "{what}");
            assert_ne!(reply.status.as_u16(), 401, "{what}");
            assert!(!reply.status.is_server_error(), "{what}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn nobody_reaches_another_tenant_but_those_of_the_platform() {
    let world = World::new().await;
    world.make_tenant(RIVAL).await;
    let things = Things::of(&world, RIVAL).await;
    let walkers = walkers(&world).await;
    for step in steps().into_iter().filter(|step| step.path.contains("{t}")) {
        let Some(action) = step.action else {
            continue;
        };
        let path = things.path(step.path, RIVAL);
        for walker in &walkers {
            let reply = world.call(&walker.person, step.method.clone(), &path, step.body.clone()).await;
            let what = format!("{} {} {path}: {} {}", walker.person.name, step.method, reply.status, reply.body);
            if reach(walker.principal(), action) == Some(Reach::Platform) {
                assert!(!is_denial(reply.body["code"].as_str()), "{what}");
            } else {
                assert_eq!(reply.status.as_u16(), 403, "{what}");
                let home = matches!(walker.rights, Rights::Operator);
                assert_eq!(reply.body["code"], if home { "forbidden" } else { "wrong_tenant" }, "{what}");
            }
        }
    }
    world.end().await;
}

#[tokio::test]
async fn ids_of_another_tenant_are_unknown_in_ones_own() {
    let world = World::new().await;
    world.make_tenant(RIVAL).await;
    let things = Things::of(&world, RIVAL).await;
    let walkers = walkers(&world).await;
    let with_ids = |step: &Step| ["{u}", "{c}", "{id}"].iter().any(|id| step.path.contains(id));
    for step in steps().into_iter().filter(with_ids) {
        let path = things.path(step.path, ACME);
        for walker in &walkers {
            let reply = world.call(&walker.person, step.method.clone(), &path, step.body.clone()).await;
            let what = format!("{} {} {path}: {} {}", walker.person.name, step.method, reply.status, reply.body);
            assert!(matches!(reply.status.as_u16(), 403 | 404 | 409 | 422), "{what}");
        }
    }
    world.end().await;
}
