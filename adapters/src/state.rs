//! What every route and socket reaches: the ports, the secrets, the settings, and the sockets that are open.
//!
//! It is put together once, in `main.rs` or by a test's world. It must not know a route.

use std::sync::Arc;

use application::ports::blob_store::BlobStore;
use application::ports::clock::Clock;
use application::ports::command_bus::CommandBus;
use application::ports::event_log::EventLog;
use application::ports::ids::Ids;
use application::ports::key_store::KeyStore;
use application::queries::{ReadModels, StoppedConsumer};
use domain::time::Timestamp;
use uuid::Uuid;

use crate::addresses::Addresses;
use crate::attachments::uploads::Uploads;
use crate::blocks::Blocks;
use crate::campaigns::Campaigns;
use crate::channels::long_poll::polls::Polls;
use crate::channels::signed::connections::Connections;
use crate::config::Config;
use crate::flows::followed::FlowLookup;
use crate::http::idempotency::SeenKeys;
use crate::http::identity_tokens::IdentitySecrets;
use crate::http::passwords::Passwords;
use crate::http::tokens::AccessTokens;
use crate::hub::Hub;
use crate::outgoing::Outgoing;
use crate::policy_task::PolicyWatch;
use crate::presence::Presence;
use crate::profiles::Profiles;
use crate::providers;
use crate::quotas::Quotas;
use crate::robots::models::Models;
use crate::robots::remote::RemoteRobots;
use crate::secrets::Secrets;
use crate::shutdown::Shutdown;
use crate::signals::Signals;

/// The ports that the edge stands on.
#[derive(Clone)]
pub struct Ports {
    /// Where commands go.
    pub commands: Arc<dyn CommandBus>,
    /// What can be asked.
    pub views: Arc<dyn ReadModels>,
    /// The log, for private texts.
    pub log: Arc<dyn EventLog>,
    /// The keys that open them.
    pub keys: Arc<dyn KeyStore>,
    /// The sealed bytes of attachments.
    pub blobs: Arc<dyn BlobStore>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// How far the policies are.
    pub policies: PolicyWatch,
    /// What the robot knows of the tenants' articles.
    pub models: Arc<Models>,
    /// The robots that tenants have elsewhere.
    pub robots: Arc<RemoteRobots>,
    /// Where the tenants' providers are called.
    pub providers: Arc<providers::connections::Connections>,
    /// Requests to addresses that tenants wrote down.
    pub outgoing: Arc<Outgoing>,
}

impl Ports {
    /// Views and policies that stand still for a tenant.
    #[must_use]
    pub fn stopped_consumers(&self) -> Vec<StoppedConsumer> {
        let mut stopped = self.views.stopped_consumers();
        stopped.extend_from_slice(&self.policies.stopped.borrow());
        stopped
    }
}

/// Everything the edge needs.
pub struct AppState {
    /// The ports.
    pub ports: Ports,
    /// Keys of this installation.
    pub secrets: Secrets,
    /// Settings.
    pub config: Config,
    /// The sockets that are open.
    pub hub: Arc<Hub>,
    /// Who is connected, and since when not any more.
    pub presence: Presence,
    /// What is merely current.
    pub signals: Signals,
    /// The campaigns that speak.
    pub campaigns: Campaigns,
    /// The flows that conversations follow.
    pub flows: FlowLookup,
    /// What tenants may still post in this second.
    pub quotas: Quotas,
    /// Names and pictures of those who speak for shops.
    pub profiles: Profiles,
    /// The addresses that tenants blocked.
    pub blocks: Blocks,
    /// What client addresses may still do.
    pub addresses: Addresses,
    /// The devices that poll.
    pub polls: Polls,
    /// The channels that tenants connected.
    pub connections: Connections,
    /// Requests to addresses that tenants wrote down.
    pub outgoing: Arc<Outgoing>,
    /// The order to stop.
    pub shutdown: Shutdown,
    pub(crate) tokens: AccessTokens,
    pub(crate) passwords: Passwords,
    pub(crate) identity_secrets: IdentitySecrets,
    pub(crate) seen_keys: SeenKeys,
    pub(crate) uploads: Uploads,
}

/// The state as routes hold it.
pub type App = Arc<AppState>;

impl AppState {
    /// Puts the edge together. The hub must be the one that the read models deliver to.
    #[must_use]
    pub fn new(ports: Ports, secrets: Secrets, config: Config, hub: Arc<Hub>, shutdown: Shutdown) -> App {
        hub.asks(&ports.views);
        Arc::new(Self {
            tokens: AccessTokens::new(&secrets),
            passwords: Passwords::new(&secrets, config.auth.password_hashes_at_once),
            identity_secrets: IdentitySecrets::default(),
            seen_keys: SeenKeys::default(),
            uploads: Uploads::new(config.attachments.uploads_at_once),
            presence: Presence::default(),
            signals: Signals::default(),
            campaigns: Campaigns::default(),
            flows: FlowLookup::new(Arc::clone(&ports.log), Arc::clone(&ports.keys), Arc::clone(&ports.views)),
            quotas: Quotas::default(),
            profiles: Profiles::default(),
            blocks: Blocks::default(),
            addresses: Addresses::new(&config.addresses),
            polls: Polls::default(),
            connections: Connections::default(),
            outgoing: Arc::clone(&ports.outgoing),
            ports,
            secrets,
            config,
            hub,
            shutdown,
        })
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// A new id.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        self.ports.ids.uuid_v7(self.now())
    }
}
