//! Reads a flow from text, YAML or JSON (which is YAML), and says of every fault on which line it is and what to write instead.

use domain::flow::check::{Fault, Known, Path, Step};
use domain::flow::{FLOW_BYTES_MAX, Flow, FlowKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_saphyr::{Error, Options};
use utoipa::ToSchema;

use super::located::{Located, Place};

/// Deepest nesting: the conditions' own limit, and what is around them.
const DEPTH_MAX: usize = 32;
/// Most values.
const NODES_MAX: usize = 50_000;
/// Most repetitions of a part by an alias (`*name`).
const ALIASES_MAX: usize = 1_000;
/// What to do where nothing better can be said.
const SEE_THE_SCHEMA: &str = "see what may be written: kefu flow schema";

/// One fault, as it is shown to whoever wrote the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TextFault {
    /// The line, from 1; `None` of the document as a whole.
    pub line: Option<u64>,
    /// The column, from 1.
    pub column: Option<u64>,
    /// The place in the document, such as `route[2].to`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

/// Reads and checks a flow.
///
/// # Errors
/// Every fault in the order of the text: one only when the text cannot be read as a flow at all.
pub fn read(text: &str, known: &Known) -> Result<Flow, Vec<TextFault>> {
    if text.len() > FLOW_BYTES_MAX {
        let problem = format!("the document has {} bytes, more than {FLOW_BYTES_MAX}", text.len());
        return Err(vec![whole(problem, "leave out what is not needed; texts of pages and articles belong elsewhere")]);
    }
    let located: Located = parse(text, None)?;
    let header: Header = parse(text, Some(&located))?;
    let kind = FlowKind::ALL.into_iter().find(|kind| Some(kind.as_str()) == header.flow.as_deref());
    let flow = match kind {
        Some(FlowKind::Reception) => Flow::Reception(parse(text, Some(&located))?),
        Some(FlowKind::Assignment) => Flow::Assignment(parse(text, Some(&located))?),
        None => {
            let path = Path::default().key("flow");
            let problem = match header.flow {
                None => "the document does not say which flow it is".to_owned(),
                Some(flow) => format!("there is no flow `{flow}`"),
            };
            return Err(vec![at(located.place(&path), &path, problem, "write `flow: reception` or `flow: assignment`")]);
        }
    };
    let mut faults: Vec<TextFault> = flow.check(known).iter().map(|fault| shown(&located, fault)).collect();
    faults.sort_by_key(|fault| (fault.line, fault.column));
    // A short text that repeats itself by aliases may be a long document.
    let written = super::diff::json(&flow).to_string().len();
    if faults.is_empty() && written > FLOW_BYTES_MAX {
        let problem = format!("without aliases the document has {written} bytes, more than {FLOW_BYTES_MAX}");
        faults.push(whole(problem, "repeat less"));
    }
    if faults.is_empty() { Ok(flow) } else { Err(faults) }
}

/// Reads another document of a flow's kind.
///
/// # Errors
/// The first fault.
pub(super) fn read_as<T: DeserializeOwned>(text: &str) -> Result<T, Vec<TextFault>> {
    let located: Located = parse(text, None)?;
    parse(text, Some(&located))
}

/// What every flow begins with; whatever else there is is read later.
#[derive(Deserialize)]
struct Header {
    flow: Option<String>,
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: NODES_MAX },
        strict_booleans: true,
    }
}

fn parse<T: DeserializeOwned>(text: &str, located: Option<&Located>) -> Result<T, Vec<TextFault>> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| vec![unreadable(&error, located)])
}

fn shown(located: &Located, fault: &Fault) -> TextFault {
    at(located.place(&fault.path), &fault.path, fault.problem.to_string(), &fault.problem.remedy())
}

fn at(place: Option<Place>, path: &Path, problem: String, remedy: &str) -> TextFault {
    TextFault {
        line: place.map(|place| place.line),
        column: place.map(|place| place.column),
        path: path.to_string(),
        problem,
        remedy: remedy.to_owned(),
    }
}

fn whole(problem: String, remedy: &str) -> TextFault {
    at(None, &Path::default(), problem, remedy)
}

/// A text that is no YAML, or whose values are not those of a flow.
fn unreadable(error: &Error, located: Option<&Located>) -> TextFault {
    let error = error.without_snippet();
    let place = error.location().and_then(Place::of);
    let mut path = place.zip(located).map_or_else(Path::default, |(place, located)| located.path(place));
    if let (Error::SerdeMissingField { .. }, Some(located)) = (error, located) {
        path = located.map_of(path);
    }
    let (problem, mut remedy) = in_words(error);
    if matches!(path.0.last(), Some(Step::Key(key)) if key.contains(' ')) {
        remedy.push_str("; a text with a comma in it needs quotes within { }");
    }
    at(place, &path, problem, &remedy)
}

fn in_words(error: &Error) -> (String, String) {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's own, which it says may grow")]
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("nothing is called `{field}` here"), format!("leave it out, or write one of: {}", expected.join(", ")))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("`{variant}` is not one of those that there are"), format!("write one of: {}", expected.join(", ")))
        }
        Error::SerdeMissingField { field, .. } => (format!("`{field}` is missing"), format!("add `{field}`")),
        Error::SerdeInvalidType { unexpected, expected, .. } | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (format!("this is {unexpected}"), format!("write {expected}"))
        }
        // The texts of the domain say what is wrong and, after a semicolon, what to write.
        Error::Message { msg, .. } => {
            let (problem, remedy) = msg.split_once("; ").unwrap_or((msg, SEE_THE_SCHEMA));
            (problem.to_owned(), remedy.to_owned())
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("a key");
            (format!("`{key}` is here twice"), "leave one of them out".to_owned())
        }
        Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } | Error::AliasReplayStackDepthExceeded { .. } => {
            let problem = "the document is nested too deeply, has too many values, or repeats itself too often";
            (problem.to_owned(), "write it plainly".to_owned())
        }
        Error::AliasError { error, .. } => in_words(error),
        _ => (plain(error), SEE_THE_SCHEMA.to_owned()),
    }
}

/// The library's words without the place, which is said apart.
fn plain(error: &Error) -> String {
    let text = error.render_with_options(serde_saphyr::render_options! { snippets: serde_saphyr::SnippetMode::Off });
    let text = text.lines().next().unwrap_or_default().trim();
    text.split(" at line ").next().unwrap_or(text).to_owned()
}
