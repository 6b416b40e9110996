//! `kefu flow`: what the command line says of flows.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use domain::flow::check::Known;
use domain::flow::{FLOW_BYTES_MAX, Flow, FlowKind};
use serde_json::json;

use super::text::{TextFault, read};
use super::{diff, publish, rehearse};
use crate::cli::DocumentCommand;

/// Why a command about flows could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum FlowCommandError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// Nobody takes what is said.
    #[error("cannot write")]
    Unwritable {
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// There is no such service.
    #[error(transparent)]
    Model(#[from] Box<rehearse::RehearseError>),
    /// There is no server at the address.
    #[error("{url} is not the address of a kefu server")]
    NoAddress {
        /// What was given.
        url: String,
    },
    /// The server did not answer.
    #[error("the server does not answer")]
    NoAnswer {
        /// What happened on the way.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused, and not because of the flow.
    #[error("the server refused: {status} {code} {detail}")]
    Refused {
        /// Its status.
        status: u16,
        /// Its code.
        code: String,
        /// In words.
        detail: String,
    },
    /// Only flows in order can be compared.
    #[error("{} has faults: kefu flow check says which", file.display())]
    Faulty {
        /// Which.
        file: PathBuf,
    },
}

/// Carries out a command; answers whether there was nothing to complain of.
///
/// # Errors
/// [`FlowCommandError`].
pub async fn run(command: &DocumentCommand, out: &mut impl Write) -> Result<bool, FlowCommandError> {
    let mut said = String::new();
    let nothing_to_complain_of = match command {
        DocumentCommand::Check { files, groups, robots, scorers, json } => {
            let known = Known {
                groups: (!groups.is_empty()).then(|| groups.iter().copied().collect()),
                robots: (!robots.is_empty()).then(|| robots.iter().cloned().collect()),
                scorers: (!scorers.is_empty()).then(|| scorers.iter().cloned().collect()),
            };
            check(files, &known, *json, &mut said)?
        }
        DocumentCommand::Diff { old, new, json } => {
            let changes = diff::changes(&in_order(old)?, &in_order(new)?);
            if *json {
                line(&mut said, &json!(changes));
            } else {
                changes.iter().for_each(|change| line(&mut said, change));
            }
            changes.is_empty()
        }
        DocumentCommand::Publish(order) => publish::publish(order, &mut said).await?,
        DocumentCommand::Schema { flow } => {
            for kind in FlowKind::ALL.into_iter().filter(|kind| kind.as_str() == flow) {
                line(&mut said, &format_args!("{:#}", super::schema(kind)));
            }
            true
        }
        DocumentCommand::Model(options) => {
            said = rehearse::model(options).map_err(Box::new)?;
            true
        }
    };
    match out.write_all(said.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(nothing_to_complain_of),
        written => written.map(|()| nothing_to_complain_of).map_err(|source| FlowCommandError::Unwritable { source }),
    }
}

pub(super) fn line(said: &mut String, what: &impl std::fmt::Display) {
    writeln!(said, "{what}").expect("a text takes everything");
}

fn check(files: &[PathBuf], known: &Known, json: bool, said: &mut String) -> Result<bool, FlowCommandError> {
    let mut in_order = true;
    let mut reports = Vec::new();
    for file in files {
        let checked = read(&text_of(file)?, known);
        let faults = checked.as_ref().err().map_or(&[][..], Vec::as_slice);
        in_order &= faults.is_empty();
        if json {
            let kind = checked.as_ref().ok().map(|flow| flow.kind().as_str());
            reports.push(json!({ "file": file.display().to_string(), "flow": kind, "faults": faults }));
        } else {
            report(file, checked.as_ref().map(Flow::kind).ok(), faults, said);
        }
    }
    if json {
        line(said, &json!({ "in_order": in_order, "files": reports }));
    } else if known.groups.is_none() {
        line(said, &"names of groups were not checked; name the tenant's with --group");
    }
    Ok(in_order)
}

pub(super) fn report(file: &Path, kind: Option<FlowKind>, faults: &[TextFault], said: &mut String) {
    let name = file.display();
    for fault in faults {
        let place = fault.line.zip(fault.column).map_or(String::new(), |(line, column)| format!(":{line}:{column}"));
        let path = if fault.path.is_empty() { String::new() } else { format!(" {}:", fault.path) };
        line(said, &format_args!("{name}{place}:{path} {}\n    {}", fault.problem, fault.remedy));
    }
    if let Some(kind) = kind {
        line(said, &format_args!("{name}: the {} flow is in order", kind.as_str()));
    }
}

fn in_order(file: &Path) -> Result<Flow, FlowCommandError> {
    read(&text_of(file)?, &Known::default()).map_err(|_| FlowCommandError::Faulty { file: file.to_owned() })
}

/// A file's text, up to a little more than a flow may have: enough to be refused.
pub(super) fn text_of(file: &Path) -> Result<String, FlowCommandError> {
    let unreadable = |source| FlowCommandError::Unreadable { file: file.to_owned(), source };
    let source: Box<dyn Read> =
        if file == Path::new("-") { Box::new(io::stdin()) } else { Box::new(std::fs::File::open(file).map_err(unreadable)?) };
    let mut bytes = Vec::new();
    source.take(FLOW_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    // What is cut in the middle of a character is too large anyway.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
