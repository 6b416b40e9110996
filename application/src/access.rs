//! Who may do what: one table of role x action x reach, and one of API-key scope x action.
//!
//! Everything here is pure. Facts about the resource are looked up by the caller; this file must not know a protocol, a view
//! or a clock. A rule that depends on the state of an aggregate (who serves now, whose message it is) stays with its decider.

mod action;

use domain::ids::{GroupId, ShopId, TenantId};
use domain::tenant::event::Scope;
use domain::user::event::Role;

pub use self::action::Action;

/// How far a right goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// What is theirs: their account, the chats they are a member of, the conversations they serve.
    Own,
    /// What belongs to a group they serve, and what is theirs.
    Group,
    /// What happens at a shop of their tenant that the request names.
    Shop,
    /// Everything of their tenant.
    Tenant,
    /// Everything of every tenant.
    Platform,
}

const NONE: Option<Reach> = None;
const OWN: Option<Reach> = Some(Reach::Own);
const GROUP: Option<Reach> = Some(Reach::Group);
const SHOP: Option<Reach> = Some(Reach::Shop);
const TEN: Option<Reach> = Some(Reach::Tenant);
const PLAT: Option<Reach> = Some(Reach::Platform);

/// The table. Columns: platform operator, governance, tenant admin, supervisor, agent, quality reviewer, integration, customer.
#[rustfmt::skip]
const fn row(action: Action) -> [Option<Reach>; 8] {
    match action {
        //                                operator governance admin supervisor agent reviewer integration customer
        Action::CreateTenant         => [ PLAT,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ListTenants          => [ PLAT,  PLAT,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ReadTenant           => [ PLAT,  PLAT,  TEN,   TEN,   TEN,   TEN,   TEN,   NONE ],
        Action::OpenShop             => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::FormGroup            => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ManageApiKeys        => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::SetIdentitySecret    => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ChangeLimits         => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ManageFlows          => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ManageChannels       => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ManageRobots         => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ManageProviders      => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ManagePlatformUsers  => [ PLAT,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ManageAdmins         => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ManageStaff          => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ManageCustomers      => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::MergeCustomers       => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::BlockCustomers       => [ PLAT,  NONE,  TEN,   TEN,   NONE,  NONE,  NONE,  NONE ],
        Action::EraseUsers           => [ PLAT,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ListUsers            => [ PLAT,  PLAT,  TEN,   TEN,   NONE,  NONE,  NONE,  NONE ],
        Action::ReadUser             => [ PLAT,  PLAT,  TEN,   TEN,   OWN,   OWN,   OWN,   OWN  ],
        Action::DescribeCustomers    => [ PLAT,  NONE,  TEN,   TEN,   OWN,   NONE,  NONE,  NONE ],
        Action::ReadDescriptions     => [ PLAT,  PLAT,  TEN,   TEN,   OWN,   TEN,   NONE,  NONE ],
        Action::ManageSessions       => [ PLAT,  OWN,   OWN,   OWN,   OWN,   OWN,   OWN,   OWN  ],
        Action::MintIdentities       => [ PLAT,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::SignInAsGuest        => [ NONE,  OWN,   OWN,   OWN,   OWN,   OWN,   OWN,   OWN  ],
        Action::UseOwnAccount        => [ OWN,   OWN,   OWN,   OWN,   OWN,   OWN,   OWN,   OWN  ],
        Action::ChangeOwnService     => [ NONE,  NONE,  NONE,  OWN,   OWN,   NONE,  NONE,  NONE ],
        Action::WatchPresence        => [ PLAT,  PLAT,  TEN,   TEN,   TEN,   TEN,   TEN,   OWN  ],
        Action::OpenChat             => [ NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  SHOP ],
        Action::ReadChat             => [ PLAT,  PLAT,  TEN,   TEN,   OWN,   TEN,   NONE,  OWN  ],
        Action::TakePartInChat       => [ NONE,  NONE,  OWN,   OWN,   OWN,   NONE,  NONE,  OWN  ],
        Action::CreateThread         => [ NONE,  NONE,  TEN,   TEN,   TEN,   NONE,  NONE,  NONE ],
        Action::ReadThread           => [ PLAT,  PLAT,  OWN,   OWN,   OWN,   NONE,  NONE,  OWN  ],
        Action::ManageThreads        => [ NONE,  NONE,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ListConversations    => [ PLAT,  PLAT,  TEN,   TEN,   OWN,   TEN,   TEN,   OWN  ],
        Action::ReadConversation     => [ PLAT,  PLAT,  TEN,   TEN,   GROUP, TEN,   TEN,   OWN  ],
        Action::ExplainAssignment    => [ PLAT,  PLAT,  TEN,   TEN,   GROUP, TEN,   TEN,   NONE ],
        Action::CloseConversation    => [ NONE,  NONE,  TEN,   GROUP, OWN,   NONE,  NONE,  OWN  ],
        Action::ReopenConversation   => [ NONE,  NONE,  TEN,   GROUP, OWN,   NONE,  NONE,  NONE ],
        Action::RateConversation     => [ NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  OWN  ],
        Action::InviteRating         => [ NONE,  NONE,  TEN,   GROUP, OWN,   NONE,  NONE,  NONE ],
        Action::LeaveConversation    => [ NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  OWN  ],
        Action::AskForHuman          => [ NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  OWN  ],
        Action::TransferConversation => [ PLAT,  NONE,  TEN,   GROUP, OWN,   NONE,  NONE,  NONE ],
        Action::TakeOverConversation => [ NONE,  NONE,  NONE,  GROUP, NONE,  NONE,  NONE,  NONE ],
        Action::PickConversation     => [ NONE,  NONE,  NONE,  GROUP, GROUP, NONE,  NONE,  NONE ],
        Action::AcceptConversation   => [ NONE,  NONE,  NONE,  GROUP, GROUP, NONE,  NONE,  NONE ],
        Action::KeepTickets          => [ NONE,  NONE,  TEN,   GROUP, GROUP, NONE,  NONE,  NONE ],
        Action::ReadQueue            => [ PLAT,  PLAT,  TEN,   TEN,   GROUP, NONE,  NONE,  NONE ],
        Action::ReadAgents           => [ PLAT,  PLAT,  TEN,   TEN,   TEN,   NONE,  NONE,  NONE ],
        Action::ReadCannedReplies    => [ PLAT,  NONE,  TEN,   GROUP, GROUP, NONE,  NONE,  NONE ],
        Action::ManageCannedReplies  => [ PLAT,  NONE,  TEN,   GROUP, NONE,  NONE,  NONE,  NONE ],
        Action::KeepOwnCannedReplies => [ NONE,  NONE,  NONE,  OWN,   OWN,   NONE,  NONE,  NONE ],
        Action::ManageArticles       => [ PLAT,  NONE,  TEN,   TEN,   NONE,  NONE,  NONE,  NONE ],
        Action::ReadArticles         => [ PLAT,  PLAT,  TEN,   TEN,   TEN,   TEN,   NONE,  NONE ],
        Action::ManageCampaigns      => [ PLAT,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ReadCampaigns        => [ PLAT,  PLAT,  TEN,   TEN,   NONE,  NONE,  NONE,  NONE ],
        Action::AskSuggestions       => [ NONE,  NONE,  TEN,   TEN,   GROUP, NONE,  NONE,  NONE ],
        Action::ReachOut             => [ NONE,  NONE,  NONE,  TEN,   TEN,   NONE,  NONE,  NONE ],
        Action::ReadOutreach         => [ PLAT,  PLAT,  TEN,   TEN,   NONE,  NONE,  NONE,  NONE ],
        Action::ExportOutreach       => [ PLAT,  PLAT,  TEN,   NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ListConsumers        => [ PLAT,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE ],
        Action::ResumeConsumer       => [ PLAT,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE,  NONE ],
    }
}

const fn column(role: Role) -> usize {
    match role {
        Role::PlatformOperator => 0,
        Role::Governance => 1,
        Role::TenantAdmin => 2,
        Role::Supervisor => 3,
        Role::Agent => 4,
        Role::QualityReviewer => 5,
        Role::Integration => 6,
        Role::Customer => 7,
    }
}

/// What a scope of an API key opens, always within the key's tenant. Robot and provider seats get their routes with their channels.
const fn scope_actions(scope: Scope) -> &'static [Action] {
    match scope {
        Scope::MintIdentities => &[Action::MintIdentities],
        Scope::ManageUsers => &[
            Action::ManageStaff,
            Action::ManageCustomers,
            Action::MergeCustomers,
            Action::ListUsers,
            Action::ReadUser,
            Action::DescribeCustomers,
            Action::ReadDescriptions,
        ],
        Scope::ManageTenant => {
            &[Action::ReadTenant, Action::OpenShop, Action::FormGroup, Action::ManageFlows, Action::ManageArticles, Action::ReadArticles]
        }
        Scope::ReadConversations => &[
            Action::ListConversations,
            Action::ReadConversation,
            Action::ExplainAssignment,
            Action::ReadChat,
            Action::ReadQueue,
            Action::ReadAgents,
        ],
        Scope::Reception => &[Action::OpenChat],
        Scope::Robot | Scope::Provider => &[],
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Principal<'a> {
    /// The holder of the installation's operator key.
    Operator,
    /// Somebody signed in.
    User {
        /// Their tenant.
        tenant: TenantId,
        /// What they are.
        role: Role,
        /// The groups they serve.
        groups: &'a [GroupId],
    },
    /// An integration, by its key.
    ApiKey {
        /// Its tenant.
        tenant: TenantId,
        /// What it may do.
        scopes: &'a [Scope],
    },
}

/// What the rules need to know of the thing that is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resource {
    /// Its tenant; `None` for the platform itself.
    pub tenant: Option<TenantId>,
    /// The shop, once it is known to be one of the tenant's.
    pub shop: Option<ShopId>,
    /// The group it belongs to, if any.
    pub group: Option<GroupId>,
    /// Whether it is the asker's own.
    pub own: bool,
}

impl Resource {
    /// The platform itself.
    #[must_use]
    pub fn platform() -> Self {
        Self::default()
    }

    /// Something of a tenant.
    #[must_use]
    pub fn of_tenant(tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..Self::default() }
    }

    /// The same, at a shop that the tenant has.
    #[must_use]
    pub fn at_shop(self, shop: Option<ShopId>) -> Self {
        Self { shop, ..self }
    }

    /// The same, belonging to a group.
    #[must_use]
    pub fn in_group(self, group: Option<GroupId>) -> Self {
        Self { group, ..self }
    }

    /// The same, belonging to the asker or not.
    #[must_use]
    pub fn own(self, own: bool) -> Self {
        Self { own, ..self }
    }
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The asker belongs to another tenant.
    #[error("this belongs to another tenant")]
    OtherTenant,
    /// Nobody in this role, or with these scopes, may do it.
    #[error("{action:?} is not among your rights")]
    NoRight {
        /// What was asked.
        action: Action,
    },
    /// They may do it, but not to this one.
    #[error("{action:?} is not among your rights here")]
    OutOfReach {
        /// What was asked.
        action: Action,
    },
}

/// How far somebody's right to do this goes; `None` when they have none. Lists are narrowed by it.
#[must_use]
pub fn reach(principal: Principal<'_>, action: Action) -> Option<Reach> {
    match principal {
        Principal::Operator => row(action)[column(Role::PlatformOperator)],
        Principal::User { role, .. } => row(action)[column(role)],
        Principal::ApiKey { scopes, .. } => scopes.iter().any(|scope| scope_actions(*scope).contains(&action)).then_some(Reach::Tenant),
    }
}

/// Whether somebody may do this to that.
///
/// # Errors
/// [`Denied`]. Another tenant is told first, so that nothing is learnt about what it has.
pub fn allowed(principal: Principal<'_>, action: Action, resource: Resource) -> Result<(), Denied> {
    let reach = reach(principal, action);
    if reach == Some(Reach::Platform) {
        return Ok(());
    }
    let (home, groups) = match principal {
        Principal::Operator => (None, [].as_slice()),
        Principal::User { tenant, groups, .. } => (Some(tenant), groups),
        Principal::ApiKey { tenant, .. } => (Some(tenant), [].as_slice()),
    };
    if home.is_some() && resource.tenant.is_some() && resource.tenant != home {
        return Err(Denied::OtherTenant);
    }
    let reach = reach.ok_or(Denied::NoRight { action })?;
    if resource.tenant.is_none() {
        return Err(Denied::NoRight { action });
    }
    let within = match reach {
        Reach::Own => resource.own,
        Reach::Group => resource.own || resource.group.is_some_and(|group| groups.contains(&group)),
        Reach::Shop => resource.own && resource.shop.is_some(),
        Reach::Tenant => home.is_some(),
        Reach::Platform => true,
    };
    if within { Ok(()) } else { Err(Denied::OutOfReach { action }) }
}

#[cfg(test)]
mod tests;
