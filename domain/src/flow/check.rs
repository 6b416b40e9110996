//! What is wrong with a flow: every fault with the path where it lies, and with what to write instead.
//!
//! Everything is looked at, so that whoever mends a document mends it once. A document without a fault does what it says: every
//! name in it is known, every rule can be reached, every condition can hold, and no conversation goes in a circle.

mod assignment;
mod condition;
mod hours;
mod notice;
mod reception;

use std::collections::BTreeSet;
use std::fmt;

pub use self::assignment::check_assignment;
pub use self::reception::check_reception;
use super::words::NOTICE_BYTES_MAX;
use crate::ids::GroupId;
use crate::labels::{Label, Language};

/// Most rules in one list of a flow: they are tried one by one for each conversation.
pub const RULES_MAX: usize = 200;
/// Most entries in one list of a condition, and most words of any other list.
pub const ENTRIES_MAX: usize = 500;

/// A step into a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an element of a list, from 0.
    Index(usize),
}

/// Where something is in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The value of a key here.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    /// An element here.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

/// `route[2].when.tier`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if place == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// One fault of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub path: Path,
    /// What.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A list that must name something is empty.
    #[error("the list is empty")]
    Empty,
    /// A list is too long.
    #[error("the list has {found} entries, more than {limit}")]
    TooMany {
        /// What there is.
        found: usize,
        /// What there may be.
        limit: usize,
    },
    /// The same twice.
    #[error("`{0}` is here twice")]
    Twice(String),
    /// No group of the tenant.
    #[error("the tenant has no group `{group}`")]
    UnknownGroup {
        /// The name.
        group: GroupId,
        /// What the tenant has.
        known: Vec<GroupId>,
    },
    /// No seat of the tenant.
    #[error("the tenant has no robot `{seat}`")]
    UnknownRobot {
        /// The name.
        seat: Label,
        /// What the tenant has.
        known: Vec<Label>,
    },
    /// No scorer of the tenant.
    #[error("the tenant has no scorer `{name}`")]
    UnknownScorer {
        /// The name.
        name: Label,
        /// What the tenant has.
        known: Vec<Label>,
    },
    /// No destination of the document.
    #[error("there is no destination `{name}`")]
    UnknownDestination {
        /// The name.
        name: Label,
        /// What there is.
        known: Vec<Label>,
    },
    /// No route and no destination leads there.
    #[error("nothing leads to this destination")]
    DestinationUnused,
    /// It leads back to itself.
    #[error("conversations go in a circle: {}", .0.join(" -> "))]
    Circle(Vec<String>),
    /// Something before it holds always.
    #[error("this is never reached, because {before} holds always")]
    NeverReached {
        /// What holds always.
        before: Path,
    },
    /// The last rule asks for something.
    #[error("the last rule must hold always, or some conversations have nowhere to go")]
    LastAsks,
    /// It cannot hold.
    #[error("this can never hold: {0}")]
    Impossible(Contradiction),
    /// Conditions in conditions in conditions.
    #[error("conditions are nested deeper than {limit}")]
    TooDeep {
        /// The most.
        limit: usize,
    },
    /// A destination for nobody.
    #[error("a destination that queues, or where a message is left, needs a group")]
    GroupMissing,
    /// A refusal with a group, or with skills.
    #[error("a refusal leads to no group")]
    GroupOfRefusal,
    /// Nothing brings a customer from the robot to a human.
    #[error("a robot receives, but nothing brings a customer to the humans")]
    NoWayToHumans,
    /// The number is out of range.
    #[error("{found} is not from {least} to {most}")]
    OutOfRange {
        /// What there is.
        found: u64,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// Two openings of a day share time.
    #[error("{first} and {second} overlap")]
    HoursOverlap {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// The last day is before the first.
    #[error("the holiday ends before it begins")]
    HolidayBackwards,
    /// It is never open.
    #[error("these hours are never open")]
    NeverOpen,
    /// Nothing is said in a language that is needed.
    #[error("nothing is said in `{0}`")]
    LanguageMissing(Language),
    /// It is said in a language that the flow does not have.
    #[error("the flow has no language `{0}`")]
    LanguageUnknown(Language),
    /// There is nothing in it.
    #[error("the text is blank")]
    Blank,
    /// The text is too long.
    #[error("the text has {found} bytes, more than {NOTICE_BYTES_MAX}")]
    TextTooLong {
        /// Its bytes.
        found: usize,
    },
    /// Later than what it must precede.
    #[error("this is not before `{0}`")]
    NotBefore(&'static str),
    /// A queue from which agents pick, with rules about giving.
    #[error("agents pick from this queue, so nothing is chosen and nothing is to be accepted")]
    NothingIsGiven,
}

/// Why a condition can never hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Pages and stages exclude each other.
    #[error("no entry page is left of those asked for")]
    Entry,
    /// Tiers exclude each other.
    #[error("no tier is left of those asked for")]
    Tier,
    /// Groups exclude each other.
    #[error("no group is left of those asked for")]
    AskedFor,
    /// Languages exclude each other.
    #[error("no language is left of those asked for")]
    Language,
    /// Open and closed at once, or closed without hours.
    #[error("it is never so by the flow's hours")]
    Service,
    /// A queue that is longer and shorter at once.
    #[error("no length of the queue is left")]
    Queue,
    /// `not` of what holds always.
    #[error("what is under `not` holds always")]
    Not,
}

impl Problem {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Empty => "name at least one, or leave the key out".into(),
            Self::TooMany { .. } => "join rules that lead to the same".into(),
            Self::Twice(_) => "leave one of them out".into(),
            Self::UnknownGroup { known, .. } => format!("form the group first, or write one of: {}", listed(known)),
            Self::UnknownRobot { known, .. } => format!("set the robot up first, or write one of: {}", listed(known)),
            Self::UnknownScorer { known, .. } if known.is_empty() => {
                "connect a robot whose use is `scorer` first, or leave the step out".into()
            }
            Self::UnknownScorer { known, .. } => {
                format!("connect it as a robot whose use is `scorer` first, or write one of: {}", listed(known))
            }
            Self::UnknownDestination { known, .. } => format!("add it under `destinations`, or write one of: {}", listed(known)),
            Self::DestinationUnused => "name it in `route` or in another destination's `otherwise`, or leave it out".into(),
            Self::Circle(_) => "let one of them lead to nothing, or to a destination that holds always".into(),
            Self::NeverReached { .. } => "put it before the rule that holds always, or leave it out".into(),
            Self::LastAsks => "add a last rule without `when`".into(),
            Self::Impossible(_) => "leave out one of the parts that exclude each other".into(),
            Self::TooDeep { .. } => "split it into several rules".into(),
            Self::GroupMissing => "add `group`".into(),
            Self::GroupOfRefusal => "leave out `group` and `skills`, or write `then: queue`".into(),
            Self::NoWayToHumans => "set `hand_off.button: true`, or name keywords".into(),
            Self::OutOfRange { least, most, .. } => format!("write a number from {least} to {most}"),
            Self::HoursOverlap { .. } => "join them into one, or let one end where the other begins".into(),
            Self::HolidayBackwards => "exchange `from` and `to`".into(),
            Self::NeverOpen => "name at least one day with hours, or leave `hours` out for always open".into(),
            Self::LanguageMissing(language) => format!("add the text under `{language}`"),
            Self::LanguageUnknown(_) => "add it to `languages`, or leave the text out".into(),
            Self::Blank => "write what is to be said, or leave the key out".into(),
            Self::TextTooLong { .. } => "say it shorter, or link to a page".into(),
            Self::NotBefore(later) => format!("choose a shorter span, or a longer one for `{later}`"),
            Self::NothingIsGiven => "leave the key out, or write `take: given`".into(),
        }
    }
}

fn listed(names: &[impl fmt::Display]) -> String {
    if names.is_empty() {
        return "(there is none)".into();
    }
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What the tenant has that a flow may name. What is not known is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its groups.
    pub groups: Option<BTreeSet<GroupId>>,
    /// Its robots that receive, the built-in one included.
    pub robots: Option<BTreeSet<Label>>,
    /// Its services that score agents.
    pub scorers: Option<BTreeSet<Label>>,
}

/// Faults that were found so far.
struct Findings<'a> {
    known: &'a Known,
    languages: &'a [Language],
    has_hours: bool,
    faults: Vec<Fault>,
}

impl Findings<'_> {
    fn add(&mut self, path: &Path, problem: Problem) {
        self.faults.push(Fault { path: path.clone(), problem });
    }

    fn group(&mut self, path: &Path, group: GroupId) {
        if let Some(known) = &self.known.groups
            && !known.contains(&group)
        {
            let known = known.iter().copied().collect();
            self.add(path, Problem::UnknownGroup { group, known });
        }
    }

    fn count(&mut self, path: &Path, found: usize, limit: usize) {
        if found > limit {
            self.add(path, Problem::TooMany { found, limit });
        }
    }

    fn range(&mut self, path: &Path, found: u64, least: u64, most: u64) {
        if !(least..=most).contains(&found) {
            self.add(path, Problem::OutOfRange { found, least, most });
        }
    }

    /// Says of each entry that is here a second time.
    fn once<T: Ord + ToString>(&mut self, path: &Path, entries: &[T]) {
        let mut seen = BTreeSet::new();
        for (place, entry) in entries.iter().enumerate() {
            if !seen.insert(entry) {
                self.add(&path.index(place), Problem::Twice(entry.to_string()));
            }
        }
    }

    /// Says of rules after one that holds always that they are never reached.
    fn reached<'r>(&mut self, path: &Path, conditions: impl Iterator<Item = &'r super::condition::Condition>) {
        let mut always = None;
        for (place, condition) in conditions.enumerate() {
            let here = path.index(place);
            match &always {
                Some(before) => self.add(&here, Problem::NeverReached { before: Path::clone(before) }),
                None if condition.is_always() => always = Some(here),
                None => {}
            }
        }
    }
}
