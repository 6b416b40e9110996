//! Everything that may be asked for. Who may is in the table beside.

use domain::user::event::Role;

/// One thing that a route or a frame can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Make a tenant.
    CreateTenant,
    /// See which tenants there are.
    ListTenants,
    /// Read a tenant's settings.
    ReadTenant,
    /// Open a store.
    OpenShop,
    /// Form a reception group.
    FormGroup,
    /// Issue or void API keys.
    ManageApiKeys,
    /// Set the secret of customers' identity tokens.
    SetIdentitySecret,
    /// Change the tenant's limits.
    ChangeLimits,
    /// Publish, read and withdraw flows.
    ManageFlows,
    /// Connect, read and disconnect channels.
    ManageChannels,
    /// Connect, read and disconnect robots that the tenant has elsewhere.
    ManageRobots,
    /// Connect, read and disconnect providers that answer for the tenant.
    ManageProviders,
    /// Create, change and close accounts that reach across tenants.
    ManagePlatformUsers,
    /// Create, change and close accounts that set up the tenant.
    ManageAdmins,
    /// Create, change and close accounts of those who serve and review.
    ManageStaff,
    /// Create, change and close accounts of customers.
    ManageCustomers,
    /// Declare that an anonymous customer is an identified one.
    MergeCustomers,
    /// Block customers, and addresses they come from.
    BlockCustomers,
    /// Destroy somebody's key, which makes their texts unreadable for good.
    EraseUsers,
    /// See who has an account.
    ListUsers,
    /// Read one account.
    ReadUser,
    /// Say of a customer what the tenant knows of them: tier, language, tags, attributes.
    DescribeCustomers,
    /// Read what is said of customers.
    ReadDescriptions,
    /// See and end sign-ins.
    ManageSessions,
    /// Sign a customer in on their behalf.
    MintIdentities,
    /// Sign in to another tenant that knows one as its guest.
    SignInAsGuest,
    /// Read one's own account, follow one's own feed, connect a device, sign out.
    UseOwnAccount,
    /// Start, pause and stop one's own service.
    ChangeOwnService,
    /// Follow whether others are online.
    WatchPresence,
    /// Open a chat with a shop.
    OpenChat,
    /// Read a chat and its messages.
    ReadChat,
    /// Post, recall and hide messages, and mark them read.
    TakePartInChat,
    /// Make a group thread.
    CreateThread,
    /// Read a group thread, its members and its messages.
    ReadThread,
    /// Decide in a group thread without having been given the right there.
    ManageThreads,
    /// See which conversations there are.
    ListConversations,
    /// Read one conversation.
    ReadConversation,
    /// Read why a conversation's agents have it.
    ExplainAssignment,
    /// End a conversation.
    CloseConversation,
    /// Go on with a conversation that ended.
    ReopenConversation,
    /// Rate the service.
    RateConversation,
    /// Ask the customer to rate.
    InviteRating,
    /// Leave the page of a conversation.
    LeaveConversation,
    /// Ask for a human instead of the robot.
    AskForHuman,
    /// Hand a conversation over.
    TransferConversation,
    /// Take a conversation from whoever has it.
    TakeOverConversation,
    /// Take a conversation from a queue of which agents pick.
    PickConversation,
    /// Say that one has a conversation that one was given.
    AcceptConversation,
    /// Say how far the ticket of a left message is.
    KeepTickets,
    /// See who waits.
    ReadQueue,
    /// See the agents and their load.
    ReadAgents,
    /// See the canned replies that one may use.
    ReadCannedReplies,
    /// Keep canned replies for the tenant or for a group.
    ManageCannedReplies,
    /// Keep canned replies of one's own.
    KeepOwnCannedReplies,
    /// Keep the articles from which the robot answers.
    ManageArticles,
    /// Read them, and ask what they answer.
    ReadArticles,
    /// Write, start, pause and cancel platform campaigns: no merchant's right.
    ManageCampaigns,
    /// See the campaigns, how far they are, and what became of them.
    ReadCampaigns,
    /// Ask a robot what to answer in a conversation.
    AskSuggestions,
    /// Start contact with a customer, under the outreach rule.
    ReachOut,
    /// See who wanted to start contact with whom, and what the rule said.
    ReadOutreach,
    /// Take the evidence of it away, to be verified elsewhere.
    ExportOutreach,
    /// See which consumers stand still.
    ListConsumers,
    /// Decide how a stopped consumer goes on.
    ResumeConsumer,
}

impl Action {
    /// Every action, in the order of the table.
    pub const ALL: [Self; 64] = [
        Self::CreateTenant,
        Self::ListTenants,
        Self::ReadTenant,
        Self::OpenShop,
        Self::FormGroup,
        Self::ManageApiKeys,
        Self::SetIdentitySecret,
        Self::ChangeLimits,
        Self::ManageFlows,
        Self::ManageChannels,
        Self::ManageRobots,
        Self::ManageProviders,
        Self::ManagePlatformUsers,
        Self::ManageAdmins,
        Self::ManageStaff,
        Self::ManageCustomers,
        Self::MergeCustomers,
        Self::BlockCustomers,
        Self::EraseUsers,
        Self::ListUsers,
        Self::ReadUser,
        Self::DescribeCustomers,
        Self::ReadDescriptions,
        Self::ManageSessions,
        Self::MintIdentities,
        Self::SignInAsGuest,
        Self::UseOwnAccount,
        Self::ChangeOwnService,
        Self::WatchPresence,
        Self::OpenChat,
        Self::ReadChat,
        Self::TakePartInChat,
        Self::CreateThread,
        Self::ReadThread,
        Self::ManageThreads,
        Self::ListConversations,
        Self::ReadConversation,
        Self::ExplainAssignment,
        Self::CloseConversation,
        Self::ReopenConversation,
        Self::RateConversation,
        Self::InviteRating,
        Self::LeaveConversation,
        Self::AskForHuman,
        Self::TransferConversation,
        Self::TakeOverConversation,
        Self::PickConversation,
        Self::AcceptConversation,
        Self::KeepTickets,
        Self::ReadQueue,
        Self::ReadAgents,
        Self::ReadCannedReplies,
        Self::ManageCannedReplies,
        Self::KeepOwnCannedReplies,
        Self::ManageArticles,
        Self::ReadArticles,
        Self::ManageCampaigns,
        Self::ReadCampaigns,
        Self::AskSuggestions,
        Self::ReachOut,
        Self::ReadOutreach,
        Self::ExportOutreach,
        Self::ListConsumers,
        Self::ResumeConsumer,
    ];

    /// The right one needs over an account of this role: nobody may make or change an account that can do more than they.
    #[must_use]
    pub const fn manage_user(role: Role) -> Self {
        match role {
            Role::PlatformOperator | Role::Governance => Self::ManagePlatformUsers,
            Role::TenantAdmin | Role::Integration => Self::ManageAdmins,
            Role::Supervisor | Role::Agent | Role::QualityReviewer => Self::ManageStaff,
            Role::Customer => Self::ManageCustomers,
        }
    }
}
