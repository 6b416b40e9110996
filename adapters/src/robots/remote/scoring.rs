//! What a tenant's scorer is told of a conversation that is about to wait, and what it may answer. docs/PROTOCOL.md is the contract.

use std::collections::BTreeMap;

use domain::conversation::event::EntryPage;
use domain::desk::event::Scores;
use domain::ids::{ConversationId, GroupId, ShopId, UserId};
use domain::labels::{Label, Language};
use domain::tenant::event::RobotUse;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::asking::RobotError;
use crate::http::extract::parse_object;

/// The most that is read of an answer.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Most agents that are named to a scorer: those who are free come first.
pub const CANDIDATES_MAX: usize = 256;
/// The highest score; its negative is the lowest.
pub const SCORE_MAX: i32 = 1_000_000;

/// An agent of the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CandidateBody {
    /// Who.
    pub agent: UserId,
    /// Conversations now.
    pub load: usize,
    /// Most at a time.
    pub capacity: u32,
    /// Whether they could take one more now. A score of somebody who cannot counts when they can.
    pub free: bool,
}

/// A conversation, and those who may get it.
#[derive(Clone, Debug, Serialize)]
pub struct Scoring {
    /// Its id: the same however often it is asked.
    #[serde(skip)]
    pub id: Uuid,
    /// `scorer`.
    pub purpose: RobotUse,
    /// The conversation.
    pub conversation: ConversationId,
    /// The shop.
    pub shop: ShopId,
    /// The group that it waits for.
    pub group: GroupId,
    /// The page from which the customer came.
    pub entry_page: EntryPage,
    /// The customer's language, if it is known.
    pub language: Option<Language>,
    /// The customer's tier, if they have one.
    pub tier: Option<Label>,
    /// The customer's tags.
    pub tags: Vec<Label>,
    /// What whoever answers should know.
    pub skills: Vec<Label>,
    /// The agents of the group.
    pub candidates: Vec<CandidateBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerBody {
    scores: BTreeMap<String, i32>,
}

/// What came back: scores of those who were named. Others are passed over.
///
/// # Errors
/// [`RobotError::Garbage`].
pub fn read(bytes: &[u8], scoring: &Scoring) -> Result<Scores, RobotError> {
    let read = parse_object(bytes).map_err(|_| RobotError::Garbage("it is not the JSON of scores"));
    let AnswerBody { scores } = read?;
    if scores.values().any(|score| score.checked_abs().is_none_or(|size| size > SCORE_MAX)) {
        return Err(RobotError::Garbage("a score is a whole number from -1,000,000 to 1,000,000"));
    }
    let of = |candidate: &CandidateBody| Some((candidate.agent, *scores.get(&candidate.agent.to_string())?));
    Ok(scoring.candidates.iter().filter_map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scoring() -> Scoring {
        let candidate = |number| CandidateBody { agent: UserId::from_u128(number), load: 0, capacity: 1, free: true };
        Scoring {
            id: Uuid::nil(),
            purpose: RobotUse::Scorer,
            conversation: ConversationId::from_u128(9),
            shop: "flagship".parse().unwrap(),
            group: "main".parse().unwrap(),
            entry_page: EntryPage::Shop,
            language: None,
            tier: None,
            tags: vec![],
            skills: vec![],
            candidates: vec![candidate(1), candidate(2)],
        }
    }

    #[test]
    fn scores_count_of_those_who_were_named() {
        let [one, stranger] = [1, 3].map(UserId::from_u128);
        let answer = format!("{{\"scores\": {{\"{one}\": -7, \"{stranger}\": 9, \"nobody\": 1}}}}");
        assert_eq!(read(answer.as_bytes(), &scoring()).unwrap(), Scores::from([(one, -7)]));
        assert_eq!(read(b"{\"scores\": {}}", &scoring()).unwrap(), Scores::new());
    }

    #[test]
    fn what_makes_no_sense_is_no_score() {
        for answer in [
            "",
            "[]",
            "[{}]",
            "{}",
            "<html>",
            "{\"scores\": {\"a\": 1.5}}",
            "{\"scores\": {\"a\": 1000001}}",
            "{\"scores\": {\"a\": -2147483648}}",
            "{\"scores\": {\"a\": null}}",
            "{\"scores\": {}, \"more\": 1}",
        ] {
            assert!(matches!(read(answer.as_bytes(), &scoring()), Err(RobotError::Garbage(_))), "{answer}");
        }
    }
}
