//! The part of the error table that is about rules of aggregates: every refusal of the domain, its status and its code.

use application::error::Refusal;
use axum::http::StatusCode;
use domain::campaign::error::CampaignError;
use domain::chat::error::ChatError;
use domain::conversation::error::ConversationError;
use domain::desk::error::DeskError;
use domain::message::ContentRefused;
use domain::retrieval::error::RetrievalError;
use domain::tenant::error::TenantError;
use domain::user::error::UserError;

use super::error::{Verdict, verdict};

const fn conflict(code: &'static str) -> Verdict {
    verdict(StatusCode::CONFLICT, code)
}

const fn unprocessable(code: &'static str) -> Verdict {
    verdict(StatusCode::UNPROCESSABLE_ENTITY, code)
}

const fn not_found() -> Verdict {
    verdict(StatusCode::NOT_FOUND, "not_found")
}

const fn forbidden(code: &'static str) -> Verdict {
    verdict(StatusCode::FORBIDDEN, code)
}

pub(super) fn of_refusal(refusal: &Refusal) -> Verdict {
    match refusal {
        Refusal::Chat(error) => of_chat(error),
        Refusal::Conversation(error) => of_conversation(error),
        Refusal::User(error) => of_user(error),
        Refusal::Desk(error) => of_desk(error),
        Refusal::Tenant(error) => of_tenant(error),
        Refusal::Campaign(error) => of_campaign(error),
        Refusal::Retrieval(error) => of_retrieval(error),
    }
}

fn of_chat(error: &ChatError) -> Verdict {
    match error {
        ChatError::NotOpen | ChatError::QuoteNotFound => not_found(),
        ChatError::AttachmentGone => verdict(StatusCode::GONE, "attachment_gone"),
        ChatError::UploadUsable { .. } => conflict("upload_usable"),
        ChatError::BelongsToAnother => conflict("belongs_to_another"),
        ChatError::NotAMember { .. } => forbidden("not_a_member"),
        ChatError::NotJoinable { .. } => conflict("not_joinable"),
        ChatError::CustomerStays => conflict("customer_stays"),
        ChatError::ServingAgentStays => conflict("serving_agent_stays"),
        ChatError::NotYoursAnyMore { .. } => conflict("not_yours_any_more"),
        ChatError::ClientIdReused => unprocessable("client_id_reused"),
        ChatError::ClientIdTooOld { .. } => conflict("client_id_too_old"),
        ChatError::ClientIdInvalid => unprocessable("client_id_invalid"),
        ChatError::StaffOnly | ChatError::NoteQuoted => forbidden("staff_only"),
        ChatError::Content(error) => of_content(error),
        ChatError::NotRecallable { .. } => conflict("not_recallable"),
        ChatError::RecallWindowOver => conflict("recall_window_over"),
        ChatError::ReopenWindowOver => conflict("reopen_window_over"),
        ChatError::AnotherConversation => conflict("another_conversation"),
        ChatError::BeyondEnd { .. } => unprocessable("beyond_end"),
        ChatError::TooManyHidden { .. } => conflict("too_many_hidden"),
        ChatError::TooManyMembers { .. } => conflict("too_many_members"),
        ChatError::OtherKind => conflict("other_kind_of_chat"),
        ChatError::Dissolved => conflict("dissolved"),
        ChatError::NotPermitted { .. } => forbidden("not_permitted"),
        ChatError::NotYoursToGive => forbidden("not_yours_to_give"),
        ChatError::NotTheOwner => forbidden("not_the_owner"),
        ChatError::OwnerStays => conflict("owner_stays"),
        ChatError::OwnerHasAll => conflict("owner_has_all"),
        ChatError::AlreadyAMember { .. } => conflict("already_a_member"),
        ChatError::NoSuchMember { .. } => not_found(),
        ChatError::BeforeJoining { .. } => unprocessable("before_joining"),
        ChatError::TitleEmpty => unprocessable("title_empty"),
        ChatError::TitleTooLong { .. } => unprocessable("text_too_long"),
    }
}

fn of_conversation(error: &ConversationError) -> Verdict {
    match error {
        ConversationError::NotOpened => not_found(),
        ConversationError::BelongsToAnother => conflict("belongs_to_another"),
        ConversationError::Closed => conflict("conversation_closed"),
        ConversationError::NotTheCustomer => forbidden("not_the_customer"),
        ConversationError::NotYoursAnyMore { .. } => conflict("not_yours_any_more"),
        ConversationError::NoButton => conflict("no_button"),
        ConversationError::NothingToRate => conflict("nothing_to_rate"),
        ConversationError::AlreadyRated => conflict("already_rated"),
        ConversationError::InvalidScore { .. } => unprocessable("invalid_score"),
        ConversationError::NoTicket => conflict("no_ticket"),
        ConversationError::TooManyTicketChanges { .. } => conflict("too_many_ticket_changes"),
        ConversationError::TagNotOffered { .. } => unprocessable("tag_not_offered"),
        ConversationError::NotAnAnswer => unprocessable("not_an_answer"),
        ConversationError::AnswerAlreadyRated => conflict("already_rated"),
        ConversationError::TooManyAnswersRated { .. } => conflict("too_many_answers_rated"),
        ConversationError::RatingTooLong { .. } => unprocessable("rating_too_long"),
    }
}

fn of_canned_text(error: &ContentRefused) -> Verdict {
    match error {
        ContentRefused::Empty => unprocessable("message_empty"),
        ContentRefused::TooLong { .. } => unprocessable("text_too_long"),
    }
}

fn of_user(error: &UserError) -> Verdict {
    match error {
        UserError::NotRegistered => not_found(),
        UserError::RegisteredOtherwise { .. } => conflict("account_taken"),
        UserError::OnlyCustomersAreAnonymous { .. } => unprocessable("only_customers_are_anonymous"),
        UserError::Deactivated => conflict("deactivated"),
        UserError::Merged { .. } => conflict("merged"),
        UserError::NotAnonymous => conflict("not_anonymous"),
        UserError::MergedIntoItself => unprocessable("merged_into_itself"),
        UserError::DoesNotServe { .. } => conflict("does_not_serve"),
        UserError::NotOnService => conflict("not_on_service"),
        UserError::SessionTaken { .. } => conflict("session_taken"),
        UserError::SessionNotLive { .. } => verdict(StatusCode::UNAUTHORIZED, "revoked"),
        UserError::SessionExpired { .. } => verdict(StatusCode::UNAUTHORIZED, "expired"),
        UserError::ExpiryNotAhead => unprocessable("expiry_not_ahead"),
        UserError::CapacityTooLarge { .. } => unprocessable("capacity_too_large"),
        UserError::TooManyGroups { .. } => unprocessable("too_many_groups"),
        UserError::TooManyAbilities { .. } => unprocessable("too_many_abilities"),
        UserError::WeightTooLarge { .. } => unprocessable("weight_too_large"),
        UserError::TooManyAccounts { .. } => conflict("too_many_accounts"),
        UserError::TooManyCannedReplies { .. } => conflict("too_many_canned_replies"),
        UserError::ShortcutTaken { .. } => conflict("shortcut_taken"),
        UserError::NoSuchCannedReply { .. } => not_found(),
        UserError::CannedText(error) => of_canned_text(error),
        UserError::OnlyCustomersAreDescribed { .. } => unprocessable("only_customers_are_described"),
        UserError::OnlyCustomersAreBlocked { .. } => unprocessable("only_customers_are_blocked"),
        UserError::Blocked => forbidden("blocked"),
        UserError::TooManyTags { .. } => unprocessable("too_many_tags"),
        UserError::TooManyAttributes { .. } => unprocessable("too_many_attributes"),
        UserError::OnlyCustomersComeByChannels { .. } => unprocessable("only_customers_come_by_channels"),
        UserError::OfAnotherChannel { .. } => conflict("of_another_channel"),
        UserError::TextTooLong { .. } => unprocessable("text_too_long"),
    }
}

fn of_desk(error: &DeskError) -> Verdict {
    match error {
        DeskError::NotAtTheDesk { .. } => conflict("not_at_the_desk"),
        DeskError::NotYoursAnyMore { .. } => conflict("not_yours_any_more"),
        DeskError::AgentAtCapacity { .. } => conflict("agent_at_capacity"),
        DeskError::AgentNotAvailable { .. } => conflict("agent_not_available"),
        DeskError::NotPicked { .. } => conflict("not_picked"),
        DeskError::OtherGroup { .. } => conflict("other_group"),
        DeskError::DeskFull { .. } => Verdict { retry: true, ..verdict(StatusCode::TOO_MANY_REQUESTS, "desk_full") },
    }
}

const fn of_content(error: &ContentRefused) -> Verdict {
    match error {
        ContentRefused::Empty => unprocessable("message_empty"),
        ContentRefused::TooLong { .. } => verdict(StatusCode::PAYLOAD_TOO_LARGE, "message_too_long"),
    }
}

const fn of_retrieval(error: &RetrievalError) -> Verdict {
    match error {
        RetrievalError::TooManyArticles { .. } => conflict("too_many_articles"),
        RetrievalError::TooManyPhrasings { .. } => conflict("too_many_phrasings"),
        RetrievalError::Empty { .. } => unprocessable("article_part_empty"),
        RetrievalError::TooLong { .. } => unprocessable("text_too_long"),
        RetrievalError::TooMany { .. } => unprocessable("article_part_too_many"),
    }
}

fn of_campaign(error: &CampaignError) -> Verdict {
    match error {
        CampaignError::Unwritten => not_found(),
        CampaignError::WrittenOtherwise => conflict("campaign_exists"),
        CampaignError::Content(error) => of_content(error),
        CampaignError::PaceOutOfRange { .. } => unprocessable("limit_out_of_range"),
        CampaignError::NotADraft => conflict("campaign_not_a_draft"),
        CampaignError::PartSize { .. } => unprocessable("recipients_out_of_range"),
        CampaignError::TooManyRecipients { .. } => conflict("too_many_recipients"),
        CampaignError::NoRecipients => conflict("campaign_without_recipients"),
        CampaignError::Over => conflict("campaign_over"),
        CampaignError::NotStarted => conflict("campaign_not_started"),
        CampaignError::TookTooLong => conflict("campaign_took_too_long"),
        CampaignError::ElsewhereAlready { .. } | CampaignError::NotOnward => conflict("campaign_elsewhere"),
    }
}

fn of_tenant(error: &TenantError) -> Verdict {
    match error {
        TenantError::NotCreated => not_found(),
        TenantError::CreatedOtherwise { .. } => conflict("tenant_exists"),
        TenantError::InvalidTimeZone { .. } => unprocessable("invalid_time_zone"),
        TenantError::TooManyShops { .. } => conflict("too_many_shops"),
        TenantError::TooManyGroups { .. } => conflict("too_many_groups"),
        TenantError::TooManyApiKeys { .. } => conflict("too_many_api_keys"),
        TenantError::ApiKeyTaken { .. } => conflict("api_key_taken"),
        TenantError::NoScopes => unprocessable("no_scopes"),
        TenantError::MintIdentitiesTogetherWith { .. } => unprocessable("scopes_do_not_go_together"),
        TenantError::IdentitySecretTooShort { .. } => unprocessable("secret_too_short"),
        TenantError::IdentitySecretNotBase64 => unprocessable("secret_not_base64"),
        TenantError::LimitOutOfRange { .. } => unprocessable("limit_out_of_range"),
        TenantError::DevicePolicyUnsound { .. } => unprocessable("device_policy_unsound"),
        TenantError::AttachmentBytesOutOfRange { .. } => unprocessable("limit_out_of_range"),
        TenantError::TooManyCannedReplies { .. } => conflict("too_many_canned_replies"),
        TenantError::ShortcutTaken { .. } => conflict("shortcut_taken"),
        TenantError::NoSuchCannedReply { .. } | TenantError::NoSuchGroup { .. } => not_found(),
        TenantError::CannedText(error) => of_canned_text(error),
        TenantError::FlowFaulty { .. } => unprocessable("flow_faulty"),
        TenantError::TooManyBlockedRanges { .. } => conflict("too_many_blocked_ranges"),
        TenantError::TooManyChannels { .. } => conflict("too_many_channels"),
        TenantError::NoSuchShop { .. } => not_found(),
        TenantError::ChannelAddressEmpty => unprocessable("invalid_value"),
        TenantError::TooManyProviders { .. } => conflict("too_many_providers"),
        TenantError::ProviderWithoutGroup | TenantError::ProviderAddressEmpty => unprocessable("invalid_value"),
        TenantError::ProviderCapacityOutOfRange { .. } => unprocessable("limit_out_of_range"),
        TenantError::TooManyRobots { .. } => conflict("too_many_robots"),
        TenantError::RobotNameTaken { .. } => conflict("robot_name_taken"),
        TenantError::RobotWithoutUse
        | TenantError::RobotCannotScore
        | TenantError::RobotAddressEmpty
        | TenantError::RobotWithoutModel
        | TenantError::RobotTakesNoModel
        | TenantError::InvalidRobotKey { .. } => unprocessable("invalid_value"),
        TenantError::InvalidConsumer { .. } => unprocessable("invalid_consumer"),
        TenantError::TextTooLong { .. } => unprocessable("text_too_long"),
    }
}
