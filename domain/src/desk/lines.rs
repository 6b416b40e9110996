//! Who waits, in lines: those of one group who insist on the same. Whoever could take the first of a line could take any of it, so
//! that somebody who waits for a rare skill holds up nobody but those who wait for the same.
//!
//! Derived from the tickets and the flows that are followed.

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::state::{Place, Ticket};
use crate::ids::{ConversationId, GroupId, UserId};
use crate::labels::{Label, Language};

/// What those of one line insist on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// The group they wait for.
    pub group: GroupId,
    /// Whether agents take them; then nobody is given any.
    pub picked: bool,
    /// The language that their agent must speak.
    pub language: Option<Language>,
    /// The skills that their agent must have.
    pub skills: Vec<Label>,
    /// Who had them and let them time out.
    pub passed: OrdSet<UserId>,
}

/// Every line with somebody in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(Line, OrdSet<Place>)>", into = "Vec<(Line, OrdSet<Place>)>")]
pub(super) struct Lines(OrdMap<Line, OrdSet<Place>>);

impl Lines {
    pub fn enter(&mut self, line: Line, conversation: ConversationId, ticket: &Ticket) {
        self.0.entry(line).or_default().insert(ticket.place(conversation));
    }

    /// An empty line goes with the last who leaves it, so that equal desks are equal in what is derived, too.
    pub fn leave(&mut self, line: &Line, conversation: ConversationId, ticket: &Ticket) {
        let emptied = self.0.get_mut(line).is_some_and(|places| {
            places.remove(&ticket.place(conversation));
            places.is_empty()
        });
        if emptied {
            self.0.remove(line);
        }
    }

    /// Every line with its first.
    pub fn heads(&self) -> impl Iterator<Item = (&Line, &Place)> {
        self.0.iter().filter_map(|(line, places)| Some((line, places.get_min()?)))
    }

    /// Everybody who waits for a group, in the order of being served.
    pub fn of_group(&self, group: GroupId) -> Vec<Place> {
        let lines = self.0.iter().filter(|(line, _)| line.group == group);
        let mut places: Vec<Place> = lines.flat_map(|(_, places)| places.iter().copied()).collect();
        places.sort_unstable();
        places
    }
}

impl From<Vec<(Line, OrdSet<Place>)>> for Lines {
    fn from(lines: Vec<(Line, OrdSet<Place>)>) -> Self {
        Self(lines.into_iter().collect())
    }
}

impl From<Lines> for Vec<(Line, OrdSet<Place>)> {
    fn from(lines: Lines) -> Self {
        lines.0.into_iter().collect()
    }
}
