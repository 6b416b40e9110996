//! The robots that receive: follows the log, and for each question that a chat asks the robot of its conversation answers, or gives
//! up: the built-in one, which looks into the tenant's articles, or one that the tenant has elsewhere ([`remote`]).
//!
//! It is a consumer of its own, so that neither training a model nor a robot that is slow holds up a policy. What it says and orders carries ids that follow from
//! the question, so that a restart repeats nothing. It must not decide when a human is wanted: flows and conversations do.

pub mod articles;
mod elsewhere;
pub mod models;
pub mod remote;
mod seats;

use std::collections::VecDeque;
use std::sync::Arc;

use application::command::Request;
use application::error::CommandError;
use application::log::codec::{self, Reading};
use application::log::commit;
use application::log::stream::{StreamId, StreamKey};
use application::policies::robot::{Found, Question, give_up, human_at_once, reply};
use application::policies::{Fact, Wanted};
use application::ports::checkpoints::Checkpoints;
use application::ports::command_bus::CommandBus;
use application::ports::event_log::{CommitPosition, EventLog, ReadError, StoredCommit};
use application::ports::key_store::KeyStore;
use application::queries::{ConversationStatus, ReadModels};
use domain::chat::event::{ChatEvent, MessagePosted, QuestionAsked};
use domain::conversation::event::HumanReason;
use domain::event::Event;
use domain::flow::reception::RobotRule;
use domain::ids::{ChatId, ConversationId, TenantId};
use domain::labels::Label;
use domain::time::Timestamp;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use hashbrown::HashMap;
use tokio::sync::watch;
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

use self::models::{Knowledge, Models, Near};
use self::remote::RemoteRobots;
pub use self::seats::{Seats, ShowsGrowing, Unseen};
use crate::flows::followed::FlowLookup;
use crate::http::error::ApiError;
use crate::reading::Reader;
use crate::unfinished::Unfinished;

/// The robot's name among the consumers' checkpoints.
const CONSUMER: &str = "robots";
/// The stored name of what it reacts to; nothing else is read.
const QUESTION: &str = "chat.question_asked";
/// Commits between two saved checkpoints.
const COMMITS_PER_CHECKPOINT: u64 = 1_024;
/// Questions that may be under way.
const QUESTIONS_OPEN: usize = 4_096;
/// Commits that may lie behind the oldest question under way: a second of a busy shard for each second that a robot may take.
const COMMITS_BEHIND: usize = 1 << 19;
/// Questions of a chat that may wait behind the one that is under way: whoever asks more of a robot that does not answer has a human.
const BEHIND_MAX: usize = 16;
/// Wait before going on after a failure that may pass.
const RETRY_WAIT: Duration = Duration::from_millis(100);

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
pub struct RobotTask {
    robot: Arc<Robot>,
    log: Arc<dyn EventLog>,
    checkpoints: Arc<dyn Checkpoints>,
    done: CommitPosition,
    saved: CommitPosition,
    reached: watch::Sender<CommitPosition>,
}

/// Why it could not go on; it begins again at its last position.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("the log cannot be read: {0}")]
    Log(#[from] ReadError),
    #[error("a command could not be carried out: {0}")]
    Command(#[from] CommandError),
}

/// A question in the log.
struct Asked {
    stream: StreamId,
    meta: commit::EventMeta,
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
        let done: CommitPosition = checkpoints.load(CONSUMER).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let (reached, watching) = watch::channel(done);
        let flows = FlowLookup::new(Arc::clone(&log), Arc::clone(&keys), Arc::clone(&views));
        let Answerers { models, remote, shows } = answerers;
        let robot = Arc::new(Robot { log: Arc::clone(&log), keys, views, commands, flows, models, remote, shows });
        (Self { robot, log, checkpoints, done, saved: done, reached }, watching)
    }

    /// Runs until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        loop {
            let halt = tokio::select! {
                halt = self.follow() => halt,
                () = cancel.cancelled() => break,
            };
            if let Err(error) = halt {
                tracing::warn!(%error, commit = self.done.0, "the robot begins again where it was");
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY_WAIT) => {}
                () = cancel.cancelled() => break,
            }
        }
        self.save();
    }

    async fn follow(&mut self) -> Result<(), Halt> {
        let mut subscription = self.log.subscribe(self.done).await?;
        let mut answering = Answering::new(Arc::clone(&self.robot));
        loop {
            tokio::select! {
                batch = subscription.next(), if answering.has_room() => {
                    for commit in batch? {
                        answering.take(&commit);
                    }
                }
                answered = answering.next(), if answering.is_busy() => answered?,
            }
            if let Some(done) = answering.unfinished.advance() {
                self.done = done;
                self.reached.send_replace(done);
            }
            if self.done.0 >= self.saved.0 + COMMITS_PER_CHECKPOINT {
                self.save();
            }
        }
    }

    fn save(&mut self) {
        match serde_json::to_vec(&self.done) {
            Ok(bytes) => self.checkpoints.save(CONSUMER, &bytes),
            Err(error) => tracing::error!(%error, "the robot's checkpoint cannot be written"),
        }
        self.saved = self.done;
    }
}

/// Where a question was asked.
type Place = (TenantId, ChatId);
/// A question under way: its commit and its place, and what became of it.
type UnderWay = BoxFuture<'static, (CommitPosition, Option<Place>, Result<(), Halt>)>;

/// Questions under way: of each chat one after the other, of different chats side by side, so that a tenant whose model is being
/// trained holds up no other.
struct Answering {
    robot: Arc<Robot>,
    open: FuturesUnordered<UnderWay>,
    /// What waits behind the question that is under way in a chat.
    behind: HashMap<Place, VecDeque<(CommitPosition, Asked)>>,
    /// With the number of questions that are not answered.
    unfinished: Unfinished,
    /// All of them together.
    questions: usize,
}

impl Answering {
    fn new(robot: Arc<Robot>) -> Self {
        Self { robot, open: FuturesUnordered::new(), behind: HashMap::new(), unfinished: Unfinished::default(), questions: 0 }
    }

    fn has_room(&self) -> bool {
        self.questions < QUESTIONS_OPEN && self.unfinished.commits() < COMMITS_BEHIND
    }

    fn is_busy(&self) -> bool {
        !self.open.is_empty()
    }

    fn take(&mut self, commit: &StoredCommit) {
        let asked = questions(commit);
        self.unfinished.begin(commit.position, asked.len());
        for asked in asked {
            let StreamKey::Chat(chat) = asked.stream.key else { continue };
            self.questions += 1;
            let place = (asked.stream.tenant, chat);
            match self.behind.get_mut(&place) {
                Some(behind) if behind.len() >= BEHIND_MAX => self.give_up(commit.position, asked),
                Some(behind) => behind.push_back((commit.position, asked)),
                None => {
                    self.behind.insert(place, VecDeque::new());
                    self.begin(commit.position, place, asked);
                }
            }
        }
    }

    fn begin(&self, position: CommitPosition, place: Place, asked: Asked) {
        let robot = Arc::clone(&self.robot);
        self.open.push(async move { (position, Some(place), robot.answer(&asked, position).await) }.boxed());
    }

    /// Out of turn: it says nothing, and so it cannot say it in the wrong order.
    fn give_up(&self, position: CommitPosition, asked: Asked) {
        let robot = Arc::clone(&self.robot);
        self.open.push(async move { (position, None, robot.give_up(&asked).await) }.boxed());
    }

    /// Waits until one is answered, and begins the next of its chat.
    async fn next(&mut self) -> Result<(), Halt> {
        let Some((position, place, answered)) = self.open.next().await else { return Ok(()) };
        answered?;
        self.questions -= 1;
        self.unfinished.done_one(position);
        if let Some(place) = place {
            match self.behind.get_mut(&place).and_then(VecDeque::pop_front) {
                Some((position, asked)) => self.begin(position, place, asked),
                None => drop(self.behind.remove(&place)),
            }
        }
        Ok(())
    }
}

impl Robot {
    async fn answer(&self, asked: &Asked, commit: CommitPosition) -> Result<(), Halt> {
        let (Event::Chat(ChatEvent::QuestionAsked(question)), StreamKey::Chat(chat)) = (&asked.event, asked.stream.key) else {
            return Ok(());
        };
        while self.views.at_least(commit).await.is_err() {
            tracing::warn!(commit = commit.0, "the robot waits for the read models");
        }
        let fact = Fact { stream: asked.stream, meta: asked.meta, at: asked.at, event: &asked.event };
        let requests = self.requests(fact, chat, question).await.unwrap_or_else(|error| {
            // It is the tenant's own: others are answered meanwhile, and this customer has a human.
            tracing::error!(tenant.id = %fact.stream.tenant, chat.id = %chat, %error, "the robot gives up: something cannot be looked up");
            give_up(&fact, question.conversation, HumanReason::RobotFailed)
        });
        self.carry_out(&fact, requests).await
    }

    async fn give_up(&self, asked: &Asked) -> Result<(), Halt> {
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
    let Ok(header) = commit::header(&stored.bytes) else { return vec![] };
    if !matches!(header.stream.key, StreamKey::Chat(_)) {
        return vec![];
    }
    let Ok(events) = commit::events(&stored.bytes) else { return vec![] };
    events
        .filter_map(|raw| raw.ok().filter(|raw| raw.name == QUESTION))
        .filter_map(|raw| {
            let event = codec::decode(&header.stream, &raw, Reading::Closed).ok()?;
            Some(Asked { stream: header.stream, meta: raw.meta, at: header.time, event })
        })
        .collect()
}
