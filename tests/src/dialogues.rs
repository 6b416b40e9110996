//! Who plays in a set of recorded dialogues, and where: accounts, shops and the order of conversations for a replay.
//!
//! Parsing is [`adapters::history::dialogues`]; this file gives every recorded id one account per role and keeps the
//! overlapping conversations of a customer apart. It must not know how a conversation is played.

use std::collections::HashMap;

pub use adapters::history::dialogues::{Answer, Completion, Dialogue, DialogueError, Speaker, Turn, read, read_file};

/// Agents for dialogues that do not say who answered.
pub const UNNAMED_AGENTS: usize = 8;

/// One conversation with its place in the replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Which dialogue, by its place in the file.
    pub dialogue: usize,
    /// Seconds after the first recorded time of the file. A dialogue without any time starts with the one before it.
    pub starts_after_s: i64,
}

/// The conversations of one customer in one shop, one after the other: a chat has one open conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Place in [`Cast::customers`].
    pub customer: usize,
    /// The shop, from 0.
    pub shop: usize,
    /// What is played, in order of time.
    pub scenes: Vec<Scene>,
}

/// Everybody and everything that a replay needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cast {
    /// Recorded ids of the customers. An id that is also an agent is here and there: one account per role.
    pub customers: Vec<String>,
    /// Recorded ids of the agents.
    pub agents: Vec<String>,
    /// How many shops there must be.
    pub shops: usize,
    /// Who plays what.
    pub lanes: Vec<Lane>,
}

struct Timed {
    scene: Scene,
    customer: usize,
    ends_after_s: i64,
}

impl Cast {
    /// Casts the dialogues.
    #[must_use]
    pub fn of(dialogues: &[Dialogue]) -> Self {
        let first = dialogues.iter().filter_map(Dialogue::starts_at).min().unwrap_or_default();
        let mut people = People::default();
        let mut previous_start = 0;
        let mut timed: Vec<Timed> = Vec::with_capacity(dialogues.len());
        for (place, dialogue) in dialogues.iter().enumerate() {
            people.add_agent(dialogue.agent_id.as_deref());
            let starts = dialogue.starts_at().map_or(previous_start, |at| at - first);
            previous_start = starts;
            let ends = dialogue.turns.iter().filter_map(|turn| turn.t).max().map_or(starts, |at| at - first);
            let customer = people.customer(dialogue.customer_id.as_deref().unwrap_or(&dialogue.conversation_id));
            timed.push(Timed { scene: Scene { dialogue: place, starts_after_s: starts }, customer, ends_after_s: ends });
        }
        timed.sort_by_key(|timed| timed.scene.starts_after_s);
        let lanes = lanes(timed, people.customers.len());
        let shops = lanes.iter().map(|lane| lane.shop + 1).max().unwrap_or(0);
        Self { customers: people.customers, agents: people.agents, shops, lanes }
    }
}

#[derive(Default)]
struct People {
    customers: Vec<String>,
    places: HashMap<String, usize>,
    agents: Vec<String>,
    unnamed: usize,
}

impl People {
    fn customer(&mut self, id: &str) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        let place = self.customers.len();
        self.places.insert(id.to_owned(), place);
        self.customers.push(id.to_owned());
        place
    }

    fn add_agent(&mut self, id: Option<&str>) {
        let id = match id {
            Some(id) => id.to_owned(),
            None if self.unnamed < UNNAMED_AGENTS => {
                self.unnamed += 1;
                format!("unnamed-{}", self.unnamed)
            }
            None => return,
        };
        if !self.agents.contains(&id) {
            self.agents.push(id);
        }
    }
}

/// Puts every conversation into the first shop in which its customer is free at that time.
fn lanes(timed: Vec<Timed>, customers: usize) -> Vec<Lane> {
    // For each customer and shop: the lane, and until when it is taken.
    let mut taken: Vec<Vec<(usize, i64)>> = vec![Vec::new(); customers];
    let mut lanes: Vec<Lane> = Vec::new();
    for Timed { scene, customer, ends_after_s } in timed {
        let shops = &mut taken[customer];
        match shops.iter_mut().find(|(_, until)| *until < scene.starts_after_s) {
            Some((lane, until)) => {
                *until = ends_after_s;
                lanes[*lane].scenes.push(scene);
            }
            None => {
                let shop = shops.len();
                shops.push((lanes.len(), ends_after_s));
                lanes.push(Lane { customer, shop, scenes: vec![scene] });
            }
        }
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXTURE: &str = include_str!("../fixtures/dialogues.jsonl");

    fn dialogue(id: &str, agent: Option<&str>, customer: Option<&str>, times: &[i64]) -> Dialogue {
        let turn = |at: &i64| Turn { speaker: Speaker::Customer, text: "hello".into(), t: Some(*at) };
        Dialogue {
            conversation_id: id.into(),
            agent_id: agent.map(Into::into),
            customer_id: customer.map(Into::into),
            turns: times.iter().map(turn).collect(),
            survey_customer: vec![],
            completion: Completion::Complete,
        }
    }

    fn shop_of(cast: &Cast, dialogue: usize) -> usize {
        cast.lanes.iter().find(|lane| lane.scenes.iter().any(|scene| scene.dialogue == dialogue)).unwrap().shop
    }

    #[test]
    fn an_id_that_is_both_agent_and_customer_gets_one_account_per_role() {
        let cast = Cast::of(&[dialogue("1", Some("kim"), Some("lee"), &[1]), dialogue("2", Some("lee"), Some("kim"), &[5])]);
        assert_eq!((cast.customers, cast.agents), (vec!["lee".into(), "kim".into()], vec!["kim".into(), "lee".into()]));
    }

    #[test]
    fn overlapping_conversations_of_a_customer_go_to_further_shops() {
        let cast = Cast::of(&[
            dialogue("1", Some("a"), Some("c"), &[100, 200]),
            dialogue("2", Some("a"), Some("c"), &[150, 300]),
            dialogue("3", Some("a"), Some("c"), &[201, 210]),
            dialogue("4", Some("a"), Some("d"), &[150, 300]),
        ]);
        assert_eq!([0, 1, 2, 3].map(|place| shop_of(&cast, place)), [0, 1, 0, 0]);
        assert_eq!(cast.shops, 2);
    }

    #[test]
    fn a_conversation_that_starts_in_the_second_another_ends_overlaps_it() {
        let cast = Cast::of(&[dialogue("1", None, Some("c"), &[1, 2]), dialogue("2", None, Some("c"), &[2, 3])]);
        assert_eq!(cast.shops, 2);
    }

    #[test]
    fn dialogues_without_people_have_a_customer_each_and_share_a_few_agents() {
        let set: Vec<Dialogue> = (0..20).map(|number| dialogue(&number.to_string(), None, None, &[])).collect();
        let cast = Cast::of(&set);
        assert_eq!((cast.customers.len(), cast.agents.len(), cast.shops, cast.lanes.len()), (20, UNNAMED_AGENTS, 1, 20));
    }

    #[test]
    fn a_lane_is_in_order_of_time_whatever_the_order_of_the_file() {
        let cast = Cast::of(&[dialogue("late", None, Some("c"), &[900]), dialogue("early", None, Some("c"), &[100])]);
        let starts: Vec<(usize, i64)> = cast.lanes[0].scenes.iter().map(|scene| (scene.dialogue, scene.starts_after_s)).collect();
        assert_eq!(starts, [(1, 0), (0, 800)]);
    }

    #[test]
    fn the_fixture_holds_what_a_replay_must_cope_with() {
        let set = read(FIXTURE.as_bytes()).unwrap();
        let cast = Cast::of(&set);
        assert!(set.len() >= 12);
        assert!(cast.shops >= 2, "a customer with overlapping conversations");
        assert!(cast.customers.iter().any(|id| cast.agents.contains(id)), "an id in both roles");
        assert!(set.iter().any(|dialogue| !dialogue.has_customer_message()), "an abandoned conversation");
        assert!(set.iter().any(|dialogue| dialogue.completion == Completion::Disconnect), "an early disconnect");
        assert!(set.iter().any(|dialogue| dialogue.score().is_some_and(|score| score < 5)), "a survey that is not all yes");
        assert!(set.iter().any(|dialogue| dialogue.spoken().any(|turn| turn.text.contains('货'))), "chinese text");
        assert!(set.iter().any(|dialogue| dialogue.turns.iter().any(|turn| turn.speaker == Speaker::Action)), "a look-up");
    }
}
