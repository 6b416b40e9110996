//! What an agent is able to do, in the bodies of requests and answers.

use domain::labels::{Label, Language};
use domain::user::abilities::{Abilities, AbilitiesChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What changes of an agent's abilities; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAbilities {
    /// All skills from here on, at most 64.
    #[schema(value_type = Option<Vec<String>>)]
    skills: Option<Vec<Label>>,
    /// All languages from here on, at most 16.
    #[schema(value_type = Option<Vec<String>>)]
    languages: Option<Vec<Language>>,
    /// Smaller is asked first, where a flow goes by rank; 100 unless told otherwise.
    rank: Option<u8>,
    /// How often they are drawn beside others, where a flow goes by weight: 0 to 1,000, 100 unless told otherwise.
    weight: Option<u16>,
}

impl From<ChangeAbilities> for AbilitiesChange {
    fn from(body: ChangeAbilities) -> Self {
        let ChangeAbilities { skills, languages, rank, weight } = body;
        Self { skills, languages, rank, weight }
    }
}

/// What an agent is able to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct AbilitiesBody {
    /// What they know.
    skills: Vec<String>,
    /// The languages they speak.
    languages: Vec<String>,
    /// Smaller is asked first, where a flow goes by rank.
    rank: u8,
    /// How often they are drawn beside others, where a flow goes by weight.
    weight: u16,
}

impl From<&Abilities> for AbilitiesBody {
    fn from(abilities: &Abilities) -> Self {
        Self {
            skills: abilities.skills.iter().map(ToString::to_string).collect(),
            languages: abilities.languages.iter().map(ToString::to_string).collect(),
            rank: abilities.rank,
            weight: abilities.weight,
        }
    }
}
