//! The robots that receive: follows the log, and for each question that a chat asks the robot of its conversation answers, or gives
//! up: the built-in one, which looks into the tenant's articles, or one that the tenant has elsewhere ([`remote`]).
//!
//! It is a consumer of its own, so that neither training a model nor a robot that is slow holds up a policy. What it says and orders
//! carries ids that follow from the question, so that a restart repeats nothing. It must not decide when a human is wanted: flows and
//! conversations do.

pub mod articles;
mod elsewhere;
pub mod models;
pub mod remote;
mod seats;

use std::sync::Arc;

use application::command::Request;
use application::error::CommandError;
use application::log::commit::EventMeta;
use application::log::stream::{StreamId, StreamKey};
use application::policies::robot::{Found, Question, give_up, human_at_once, reply};
use application::policies::{Fact, Wanted};
use application::ports::checkpoints::Checkpoints;
use application::ports::command_bus::CommandBus;
use application::ports::event_log::{CommitPosition, EventLog, StoredCommit};
use application::ports::key_store::KeyStore;
use application::queries::{ConversationStatus, ReadModels};
use domain::chat::event::{ChatEvent, MessagePosted, QuestionAsked};
use domain::conversation::event::HumanReason;
use domain::event::Event;
use domain::flow::reception::RobotRule;
use domain::ids::{ChatId, ConversationId, TenantId};
use domain::labels::Label;
use domain::time::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::models::{Knowledge, Models, Near};
use self::remote::RemoteRobots;
pub use self::seats::{Seats, ShowsGrowing, Unseen};
use crate::flows::followed::FlowLookup;
use crate::follower::{Bounds, Carrier, Follower, Halt, Place};
use crate::http::error::ApiError;
use crate::reading::{Reader, caught_up};

/// The stored name of what it reacts to; nothing else is read.
const QUESTION: &str = "chat.question_asked";
/// Whoever answers one question.
struct Robot {
    log: Arc<dyn EventLog>,
    keys: Arc<dyn KeyStore>,
    views: Arc<dyn ReadModels>,
    commands: Arc<dyn CommandBus>,
    flows: FlowLookup,
    models: Arc<Models>,
    remote: Arc<RemoteRobots>,
    shows: Arc<dyn ShowsGrowing>,
}

/// What there is to answer with.
pub struct Answerers {
    /// What the built-in robot knows.
    pub models: Arc<Models>,
    /// Robots elsewhere.
    pub remote: Arc<RemoteRobots>,
    /// Whoever shows what grows.
    pub shows: Arc<dyn ShowsGrowing>,
}

/// See the file's head.
pub struct RobotTask(Follower<Robot>);

/// A question in the log.
struct Asked {
    stream: StreamId,
    meta: EventMeta,
    at: Timestamp,
    event: Event,
}

impl RobotTask {
    /// Goes on from the checkpoint. The watch tells how far it is.
    pub fn new(
        answerers: Answerers,
        log: Arc<dyn EventLog>,
        keys: Arc<dyn KeyStore>,
        views: Arc<dyn ReadModels>,
        commands: Arc<dyn CommandBus>,
        checkpoints: Arc<dyn Checkpoints>,
    ) -> (Self, watch::Receiver<CommitPosition>) {
        let flows = FlowLookup::new(Arc::clone(&log), Arc::clone(&keys), Arc::clone(&views));
        let Answerers { models, remote, shows } = answerers;
        let robot = Robot { log: Arc::clone(&log), keys, views, commands, flows, models, remote, shows };
        let (follower, watching) = Follower::new(robot, log, checkpoints);
        (Self(follower), watching)
    }

    /// Runs until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        self.0.run(cancel).await;
    }
}

impl Carrier for Robot {
    const CONSUMER: &'static str = "robots";
    /// Whoever asks more of a robot that does not answer has a human. How much of a tenant is asked elsewhere is bounded there.
    const BOUNDS: Bounds = Bounds { all: 4_096, of_tenant: usize::MAX, behind: 16 };
    type Item = Asked;
    type Finder = ();

    async fn begin(&self, _: CommitPosition) {}

    fn find((): &mut (), commit: &StoredCommit) -> Vec<(Place, Asked)> {
        let of_chat = |asked: Asked| {
            let StreamKey::Chat(chat) = asked.stream.key else { return None };
            Some(((asked.stream.tenant, chat), asked))
        };
        questions(commit).into_iter().filter_map(of_chat).collect()
    }

    async fn carry(&self, asked: &Asked, commit: CommitPosition) -> Result<(), Halt> {
        self.answer(asked, commit).await
    }

    async fn give_up(&self, asked: &Asked, _: CommitPosition) -> Result<(), Halt> {
        self.give_way(asked).await
    }
}

impl Robot {
    async fn answer(&self, asked: &Asked, commit: CommitPosition) -> Result<(), Halt> {
        let (Event::Chat(ChatEvent::QuestionAsked(question)), StreamKey::Chat(chat)) = (&asked.event, asked.stream.key) else {
            return Ok(());
        };
        caught_up(&*self.views, commit, Self::CONSUMER).await;
        let fact = Fact { stream: asked.stream, meta: asked.meta, at: asked.at, event: &asked.event };
        let requests = self.requests(fact, chat, question).await.unwrap_or_else(|error| {
            // It is the tenant's own: others are answered meanwhile, and this customer has a human.
            tracing::error!(tenant.id = %fact.stream.tenant, chat.id = %chat, %error, "the robot gives up: something cannot be looked up");
            give_up(&fact, question.conversation, HumanReason::RobotFailed)
        });
        self.carry_out(&fact, requests).await
    }

    async fn give_way(&self, asked: &Asked) -> Result<(), Halt> {
        let Event::Chat(ChatEvent::QuestionAsked(question)) = &asked.event else { return Ok(()) };
        let fact = Fact { stream: asked.stream, meta: asked.meta, at: asked.at, event: &asked.event };
        tracing::warn!(tenant.id = %fact.stream.tenant, "the robot gives up: a customer asks more than it answers");
        self.carry_out(&fact, give_up(&fact, question.conversation, HumanReason::RobotFailed)).await
    }

    async fn carry_out(&self, fact: &Fact<'_>, requests: Vec<Request>) -> Result<(), Halt> {
        for request in requests {
            match self.commands.execute(request).await {
                // A refusal is an answer: somebody else has it by now.
                Ok(_) | Err(CommandError::Refused(_) | CommandError::Erased | CommandError::Gone) => {}
                Err(error) if error.may_pass() => return Err(error.into()),
                Err(error) => {
                    tracing::error!(tenant.id = %fact.stream.tenant, %error, "what the robot did cannot be stored; it is passed over");
                }
            }
        }
        Ok(())
    }

    /// What it says and orders.
    async fn requests(&self, fact: Fact<'_>, chat: ChatId, asked: &QuestionAsked) -> Result<Vec<Request>, ApiError> {
        let (tenant, conversation) = (fact.stream.tenant, asked.conversation);
        // Whoever waits for a human, or has one, is not answered by a robot, whatever a chat may have heard late.
        let Some(robot) = self.receives(tenant, conversation) else { return Ok(vec![]) };
        if self.views.is_recalled(tenant, chat, asked.seq) {
            return Ok(vec![]);
        }
        let posted = self.posted(fact.stream, chat, asked.seq).await?;
        let kind = posted.as_ref().map_or(domain::message::Kind::Unknown, |posted| posted.kind);
        let text = posted.as_ref().and_then(|posted| posted.private.known()).map(|content| content.content.as_str()).unwrap_or_default();
        let question = Question { fact, chat, conversation, seq: asked.seq, kind, text };
        let Some(following) = self.flows.reception(Wanted::InForce, tenant, conversation, fact.at).await? else {
            return Ok(give_up(&fact, conversation, HumanReason::RobotFailed));
        };
        if let Some(reason) = human_at_once(&question, &following.flow.hand_off) {
            return Ok(give_up(&fact, conversation, reason));
        }
        if robot.as_str() != RobotRule::FAQ {
            return self.ask_elsewhere(&robot, &question, &following).await;
        }
        let knowledge = self.models.of_shop(tenant, following.case.shop).await?;
        let near = knowledge.ask(text);
        let found = match near.first() {
            Some(best) if best.answers => Found::Answer { article: best.article, confidence: best.percent(), text: best.text },
            best => Found::Unsure { confidence: best.map_or(0, Near::percent), related: Knowledge::related(&near) },
        };
        Ok(reply(&question, &following, &found))
    }

    /// The robot that has a conversation, as far as the read models know.
    fn receives(&self, tenant: TenantId, conversation: ConversationId) -> Option<Label> {
        let row = self.views.conversation(tenant, conversation)?;
        row.robot.filter(|_| row.status == ConversationStatus::Reception)
    }

    /// The message at a place of a chat.
    async fn posted(&self, stream: StreamId, chat: ChatId, seq: u64) -> Result<Option<MessagePosted>, ApiError> {
        let Some((_, at)) = self.views.messages(stream.tenant, chat, seq, 1).first().copied().filter(|(found, _)| *found == seq) else {
            return Ok(None);
        };
        let event = Reader::over(&*self.log, &*self.keys).open(at).await?.event;
        let Event::Chat(ChatEvent::MessagePosted(posted)) = event else { return Ok(None) };
        Ok(Some(posted))
    }
}

/// The questions of a commit. What cannot be read stops the policies, which say so; the robot passes over it.
fn questions(stored: &StoredCommit) -> Vec<Asked> {
    let Ok(header) = stored.header() else { return vec![] };
    if !matches!(header.stream.key, StreamKey::Chat(_)) {
        return vec![];
    }
    let asked = stored.events_named(&[QUESTION]).into_iter();
    asked.map(|(_, meta, event)| Asked { stream: header.stream, meta, at: header.time, event }).collect()
}
