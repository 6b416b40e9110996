//! `POST /v1/tenants/{t}/conversations/{id}/suggestions`: what a robot would answer, shown to whoever serves and to nobody else.

use application::access::Action;
use application::queries::ConversationRow;
use axum::Json;
use axum::extract::State;
use domain::flow::reception::RobotRule;
use domain::ids::{ConversationId, TenantId};
use domain::labels::{Label, Reference};
use domain::message::{CONTENT_BYTES_MAX, Category, Kind};
use domain::tenant::event::RobotUse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::reached;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::journey::Journey;
use crate::http::routes::tenant;
use crate::robots::models::Knowledge;
use crate::robots::remote::asking::{Answered, Asking, Turn};
use crate::robots::remote::history::{self, Where};
use crate::state::{App, AppState};

/// Answers of the built-in robot that are suggested, the likeliest first.
const SUGGESTED_MAX: usize = 3;
/// How sure it must be to suggest one.
const SUGGESTED_FROM: f32 = 0.1;

/// Whom to ask, and what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSuggestions {
    /// `faq`, or one of the tenant's robots that are there to assist; unless told the first of these, or `faq` where there is none.
    #[schema(value_type = Option<String>)]
    robot: Option<Label>,
    /// The question; what the customer wrote last, unless told.
    text: Option<String>,
}

/// What might be answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggested {
    /// Its id: a message that takes it says so.
    suggestion: String,
    /// Answers, the likeliest first; none, if the robot does not know.
    answers: Vec<AnswerBody>,
    /// Questions that come near.
    hints: Vec<String>,
}

/// An answer that might be sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerBody {
    /// The words.
    text: String,
    /// How sure the robot is, in percent.
    confidence: u8,
    /// The article that says so, of the built-in robot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    article: Option<Reference>,
}

/// Asks a robot what to answer. Nothing is stored; a message that takes the suggestion carries its id.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/conversations/{id}/suggestions",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation.")),
    request_body = AskSuggestions,
    responses((status = 200, body = Suggested), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn suggest(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    order: Order<AskSuggestions>,
) -> Result<Json<Suggested>, ApiError> {
    let row = reached(&app, &caller, tenant, id, Action::AskSuggestions).await?;
    let suggestion = Journey::of(&app, &caller, &order)?.new_id("suggestion", tenant);
    let AskSuggestions { robot, text } = order.body;
    if text.as_ref().is_some_and(|text| text.len() > CONTENT_BYTES_MAX) {
        return Err(InputError::Refused { field: "text", reason: "must be at most 16,384 bytes" }.into());
    }
    let (history, asked) = asked(&app, tenant, &row, text).await?;
    let tenant_row = tenant::known(&app, tenant)?;
    let chosen = match &robot {
        Some(robot) if robot.as_str() == RobotRule::FAQ => None,
        Some(robot) => {
            let robot = tenant_row.robot(robot, RobotUse::Assist);
            Some(robot.ok_or(ApiError::NotFound { kind: "robot that is there to assist" })?)
        }
        None => tenant_row.robots.iter().find(|robot| robot.uses.contains(&RobotUse::Assist)),
    };
    let Some(robot) = chosen else {
        return Ok(Json(of_articles(&app, tenant, &row, suggestion, &asked.text).await?));
    };
    let asking = Asking {
        id: suggestion,
        purpose: RobotUse::Assist,
        conversation: id,
        chat: row.chat,
        shop: row.shop,
        entry: row.entry.page,
        language: app.ports.views.description(tenant, row.customer).and_then(|known| known.language),
        seq: asked.seq,
        kind: asked.kind,
        text: asked.text,
        history,
    };
    let (answers, hints) = match app.ports.robots.ask(tenant, robot, &asking, &|_| {}).await? {
        Answered::Words { words, confidence, hints } => (vec![AnswerBody { text: words, confidence, article: None }], hints),
        Answered::Unknown { hints } => (vec![], hints),
        Answered::GiveWay => (vec![], vec![]),
    };
    Ok(Json(Suggested { suggestion: suggestion.simple().to_string(), answers, hints }))
}

/// What was said before, and the question: the text that was given, or what the customer wrote last.
async fn asked(app: &AppState, tenant: TenantId, row: &ConversationRow, text: Option<String>) -> Result<(Vec<Turn>, Turn), ApiError> {
    let of = Where { tenant, chat: row.chat, conversation: row.conversation };
    let last_seq = app.ports.views.chat(tenant, row.chat).map_or(0, |chat| chat.last_seq);
    let mut history = history::until(&*app.ports.log, &*app.ports.keys, &*app.ports.views, of, last_seq).await?;
    if let Some(text) = text {
        return Ok((history, Turn { seq: last_seq, from: Category::Customer, kind: Kind::Text, text, attachment: None }));
    }
    let last = history.iter().rposition(|turn| turn.from == Category::Customer);
    let last = last.ok_or(InputError::Refused { field: "text", reason: "is needed: the customer has written nothing lately" })?;
    // What was said since is no question.
    history.truncate(last + 1);
    let asked = history.pop().ok_or(ApiError::NotFound { kind: "message" })?;
    Ok((history, asked))
}

async fn of_articles(app: &AppState, tenant: TenantId, row: &ConversationRow, suggestion: Uuid, text: &str) -> Result<Suggested, ApiError> {
    let knowledge = app.ports.models.of_shop(tenant, row.shop).await?;
    let near = knowledge.ask(text);
    let likely = near.iter().filter(|near| near.confidence >= SUGGESTED_FROM).take(SUGGESTED_MAX);
    let answers =
        likely.map(|near| AnswerBody { text: near.text.answer.clone(), confidence: near.percent(), article: Some(near.article.clone()) });
    Ok(Suggested { suggestion: suggestion.simple().to_string(), answers: answers.collect(), hints: Knowledge::related(&near) })
}
