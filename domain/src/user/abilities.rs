//! What an agent is able to do, as far as a flow asks for it when it chooses.

use serde::{Deserialize, Serialize};

use crate::labels::{Label, Language};
use crate::user::error::UserError;

/// Most skills of one agent: more than anybody assigns with care.
pub const SKILLS_MAX: usize = 64;
/// Most languages of one agent.
pub const LANGUAGES_MAX: usize = 16;
/// Rank of an agent of whom nothing else is said; a smaller number is a higher rank.
pub const RANK_DEFAULT: u8 = 100;
/// Weight of an agent of whom nothing else is said.
pub const WEIGHT_DEFAULT: u16 = 100;
/// Largest weight: ten times what everybody has.
pub const WEIGHT_MAX: u16 = 1_000;

/// Skills, languages, rank and weight of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilities {
    /// What they know, in order.
    pub skills: Vec<Label>,
    /// The languages they speak, in order.
    pub languages: Vec<Language>,
    /// Smaller is asked first, where a flow goes by rank.
    pub rank: u8,
    /// How often they are drawn beside others, where a flow goes by weight; 0 is never, as long as somebody has more.
    pub weight: u16,
}

impl Default for Abilities {
    fn default() -> Self {
        Self { skills: vec![], languages: vec![], rank: RANK_DEFAULT, weight: WEIGHT_DEFAULT }
    }
}

impl Abilities {
    /// Whether nothing was ever said of them.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether they speak a language: in this form or another one of the same (`zh` speaks `zh-TW`, and the other way round).
    #[must_use]
    pub fn speak(&self, language: &Language) -> bool {
        self.languages.iter().any(|spoken| spoken.is_a(language) || language.is_a(spoken))
    }

    /// Whether they have every one of these skills.
    #[must_use]
    pub fn have(&self, skills: &[Label]) -> bool {
        skills.iter().all(|skill| self.skills.contains(skill))
    }
}

/// What changes of an agent's abilities; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AbilitiesChange {
    /// All skills from here on, in any order; repeated ones count once.
    pub skills: Option<Vec<Label>>,
    /// All languages from here on, likewise.
    pub languages: Option<Vec<Language>>,
    /// The rank.
    pub rank: Option<u8>,
    /// The weight, at most [`WEIGHT_MAX`].
    pub weight: Option<u16>,
}

impl AbilitiesChange {
    /// Whether it changes nothing, whatever was before.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The abilities after the change.
    pub(super) fn of(&self, before: &Abilities) -> Result<Abilities, UserError> {
        let after = Abilities {
            skills: self.skills.as_ref().map_or_else(|| before.skills.clone(), |skills| in_order(skills)),
            languages: self.languages.as_ref().map_or_else(|| before.languages.clone(), |languages| in_order(languages)),
            rank: self.rank.unwrap_or(before.rank),
            weight: self.weight.unwrap_or(before.weight),
        };
        let limited = [("skills", after.skills.len(), SKILLS_MAX), ("languages", after.languages.len(), LANGUAGES_MAX)];
        if let Some((what, _, limit)) = limited.into_iter().find(|(_, found, limit)| found > limit) {
            return Err(UserError::TooManyAbilities { what, limit });
        }
        if after.weight > WEIGHT_MAX {
            return Err(UserError::WeightTooLarge { weight: after.weight, weight_max: WEIGHT_MAX });
        }
        Ok(after)
    }
}

fn in_order<T: Ord + Clone>(words: &[T]) -> Vec<T> {
    let mut words = words.to_vec();
    words.sort_unstable();
    words.dedup();
    words
}
