//! `kefu flow rehearse` and `kefu flow model`: read what is played, and print what came of it.

mod table;

use std::path::Path;

use application::log::codec::DecodeError;
use application::log::commit::{self, InvalidCommit};
use application::log::{codec, codec::Reading};
use application::policies::Fact;
use application::ports::event_log::{CommitPosition, EventLog, ReadError, StoredCommit};
use application::rehearsal::figures::{self, Figures};
use application::rehearsal::model::{Model, ModelError};
use application::rehearsal::plan::{Plan, Roster, RosterError};
use application::rehearsal::play::play;
use application::rehearsal::recording::{Recorder, Recording};
use domain::flow::check::Known;
use domain::flow::{Flow, FlowKind};
use domain::ids::TenantId;
use domain::time::{Millis, Timestamp};
use serde_json::{Value, json};

use super::command::{FlowCommandError, text_of};
use super::text;
use crate::cli;

/// Commits read at a time.
const PAGE_COMMITS: usize = 1_024;

/// Why nothing could be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// A document cannot be read.
    #[error(transparent)]
    File(#[from] FlowCommandError),
    /// A document is not what it is named as.
    #[error("{file} is no {kind} flow")]
    OtherKind {
        /// Which.
        file: String,
        /// What it was to be.
        kind: &'static str,
    },
    /// The roster has a fault.
    #[error("{file}{}: {problem}; {remedy}", line.map_or(String::new(), |line| format!(":{line}")))]
    Roster {
        /// Which.
        file: String,
        /// The line, from 1.
        line: Option<u64>,
        /// What is wrong.
        problem: String,
        /// What to write instead.
        remedy: String,
    },
    /// The roster cannot be followed.
    #[error(transparent)]
    RosterAgents(#[from] RosterError),
    /// The period ends before it begins.
    #[error("the period ends before it begins: --from is not before --to")]
    Backwards,
    /// There is nothing to play.
    #[error("tenant {tenant} has no facts of service in this log")]
    Nothing {
        /// Which.
        tenant: TenantId,
    },
    /// There is no such service.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] ReadError),
    /// A commit cannot be read.
    #[error("commit {at} cannot be read; kefu log check says more")]
    Commit {
        /// Which.
        at: u64,
        /// Why.
        #[source]
        source: InvalidCommit,
    },
    /// An event cannot be read.
    #[error("an event of commit {at} cannot be read")]
    Event {
        /// In which.
        at: u64,
        /// Why.
        #[source]
        source: DecodeError,
    },
}

/// What was rehearsed.
#[derive(Debug)]
pub struct Rehearsal {
    /// What to print.
    pub text: String,
    /// Whether what was to come out as it was did.
    pub reproduced: bool,
}

/// Reads a tenant's facts from a log.
///
/// # Errors
/// [`RehearseError`].
pub async fn record(
    log: &dyn EventLog,
    tenant: TenantId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Recording, RehearseError> {
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(RehearseError::Backwards);
    }
    let mut recorder = Recorder::new(from, to);
    let (mut after, mut found) = (CommitPosition(0), false);
    loop {
        let page = log.read_shard(after, PAGE_COMMITS).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for stored in &page {
            found |= take(&mut recorder, tenant, stored)?;
        }
    }
    if found { Ok(recorder.finish()) } else { Err(RehearseError::Nothing { tenant }) }
}

/// Takes in a commit, if it is the tenant's; answers whether it is.
///
/// # Errors
/// [`RehearseError::Commit`], [`RehearseError::Event`].
pub fn take(recorder: &mut Recorder, tenant: TenantId, stored: &StoredCommit) -> Result<bool, RehearseError> {
    let at = stored.position.0;
    let unreadable = |source| RehearseError::Commit { at, source };
    let header = stored.header().map_err(unreadable)?;
    if header.stream.tenant != tenant {
        return Ok(false);
    }
    for raw in commit::events(&stored.bytes).map_err(unreadable)? {
        let raw = raw.map_err(unreadable)?;
        let event = codec::decode(&header.stream, &raw, Reading::Closed).map_err(|source| RehearseError::Event { at, source })?;
        recorder.take(&Fact { stream: header.stream, meta: raw.meta, at: header.time, event: &event });
    }
    Ok(true)
}

/// The plan that the command line asks for.
fn plan(options: &cli::Rehearse) -> Result<Plan, RehearseError> {
    let mut plan = Plan { shop: options.shop, capacity: options.capacity, seed: options.seed, ..Plan::default() };
    if let Some(file) = &options.assignment {
        let Flow::Assignment(flow) = flow(file)? else { return Err(other_kind(file, FlowKind::Assignment)) };
        plan.assignment = Some(flow.into());
    }
    if let Some(file) = &options.reception {
        let Flow::Reception(flow) = flow(file)? else { return Err(other_kind(file, FlowKind::Reception)) };
        plan.reception = Some(flow.into());
    }
    if let Some(file) = &options.roster {
        let roster: Roster = text::read_as(&text_of(file)?).map_err(|faults| roster_fault(file, faults))?;
        roster.check()?;
        plan.roster = Some(roster);
    }
    Ok(plan)
}

fn roster_fault(file: &Path, faults: Vec<text::TextFault>) -> RehearseError {
    let fault = faults.into_iter().next();
    let (line, problem, remedy) = fault.map_or_else(Default::default, |fault| (fault.line, fault.problem, fault.remedy));
    RehearseError::Roster { file: file.display().to_string(), line, problem, remedy }
}

fn flow(file: &Path) -> Result<Flow, RehearseError> {
    Ok(text::read(&text_of(file)?, &Known::default()).map_err(|_| FlowCommandError::Faulty { file: file.to_owned() })?)
}

fn other_kind(file: &Path, kind: FlowKind) -> RehearseError {
    RehearseError::OtherKind { file: file.display().to_string(), kind: kind.as_str() }
}

/// Carries out `kefu flow rehearse` on a log.
///
/// # Errors
/// [`RehearseError`].
pub async fn rehearse(log: &dyn EventLog, options: &cli::Rehearse) -> Result<Rehearsal, RehearseError> {
    let plan = plan(options)?;
    let recording = record(log, options.tenant, options.from, options.to).await?;
    let played = play(&recording, &plan);
    let differs = plan.is_as_recorded().then(|| recording.facts.iter().zip(&played.facts).position(|(was, is)| was != is));
    let same_length = recording.facts.len() == played.facts.len();
    let reproduced = differs.map(|differs| differs.is_none() && same_length);
    let (was, is) = (figures::recorded(&recording), figures::of(&recording, &played, &plan));
    let text = if options.json {
        let shown = json!({
            "tenant": options.tenant, "from": shown(recording.from), "to": shown(recording.to.min(recording.end)),
            "as_recorded": plan.is_as_recorded(), "reproduced": reproduced, "facts": played.facts.len(),
            "still_there": played.still_there, "recorded": was, "rehearsed": is,
        });
        format!("{shown}\n")
    } else {
        let mut text = table::of(&[("recorded", &was), ("rehearsed", &is)]);
        text.push_str(&match (reproduced, differs.flatten()) {
            (None, _) => String::new(),
            (Some(true), _) => format!("as recorded: every one of {} facts of the desk came out again\n", recording.facts.len()),
            (Some(false), place) => format!(
                "NOT as recorded: the facts of the desk differ from fact {} on\n",
                place.unwrap_or(recording.facts.len().min(played.facts.len())) + 1
            ),
        });
        text
    };
    Ok(Rehearsal { text, reproduced: reproduced.unwrap_or(true) })
}

/// An instant as people read it; nothing where there is no bound.
fn shown(at: Timestamp) -> Value {
    at.to_rfc3339().map_or(Value::Null, Value::String)
}

/// Carries out `kefu flow model`.
///
/// # Errors
/// [`RehearseError::Model`].
pub fn model(options: &cli::Model) -> Result<String, RehearseError> {
    let model = Model {
        arrivals_per_hour: options.arrivals,
        handling: options.handling.millis(),
        patience: options.patience.map(domain::flow::words::Span::millis),
        agents: options.agents,
        capacity: options.capacity,
        length: Millis::hours(i64::from(options.hours)),
        seed: options.seed,
    };
    let figures = figures_of(&model)?;
    Ok(if options.json { format!("{}\n", json!(figures)) } else { table::of(&[("model", &figures)]) })
}

/// What a model comes to.
///
/// # Errors
/// [`RehearseError::Model`].
pub fn figures_of(model: &Model) -> Result<Figures, RehearseError> {
    model.check()?;
    let (recording, plan) = (model.recording(), Plan::default());
    Ok(figures::of(&recording, &play(&recording, &plan), &plan))
}
