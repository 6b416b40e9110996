//! Questions whose right answer is known, asked of a model that has not seen them: what calibration learns from.
//!
//! A part of the articles is left out of such a model altogether, so that their phrasings are questions that nothing fits; of the
//! other articles, a part of the phrasings is kept back.

use crate::calibration::Outcome;
use crate::evidence::{Evidence, best_evidence};
use crate::grams::grams_of;
use crate::phrasing::{Article, Phrasing, phrasings};
use crate::text::{Word, words};
use crate::trained::Trained;

/// Parts that articles, and phrasings of an article, are divided into.
const PARTS: usize = 5;
/// Phrasings that are trained on again for held-out outcomes: more take time and tell nothing new.
const TRAINED_AGAIN_MAX: usize = 10_000;
/// The same times the number of articles, which is what training takes time for.
const TRAINED_AGAIN_WEIGHTS_MAX: usize = 1_000_000;
/// Share of the questions asked that no article fits. It differs from shop to shop (3 % to 54 % in public sets), and confidence is
/// meant for this one.
pub const UNANSWERABLE_SHARE: f32 = 0.4;

/// Held-out outcomes of these articles, see the file's head, and of some questions that surely none of them fits. Empty if there are
/// only questions that fit, or only such that do not.
#[must_use]
pub fn held_out_outcomes(articles: &[Article<'_>], strangers: &[&str]) -> Vec<Outcome> {
    let strangers: Vec<Vec<Word>> = strangers.iter().map(|text| words(text)).collect();
    outcomes(&phrasings(articles), &strangers)
}

/// Held-out outcomes of these phrasings, which are sorted by article, and of questions that none of them fits.
#[must_use]
pub fn outcomes(phrasings: &[Phrasing], strangers: &[Vec<Word>]) -> Vec<Outcome> {
    let mut outcomes = Outcomes::default();
    for round in 0..rounds(phrasings) {
        ask_held_out(phrasings, strangers, round, &mut outcomes);
    }
    outcomes.weighted()
}

/// As many rounds as there is time for.
fn rounds(phrasings: &[Phrasing]) -> usize {
    let articles = phrasings.chunk_by(|a, b| a.article == b.article).count().max(1);
    let trained_again_max = TRAINED_AGAIN_MAX.min(TRAINED_AGAIN_WEIGHTS_MAX / articles);
    (trained_again_max / phrasings.len().max(1)).clamp(1, PARTS)
}

/// Best answers to questions that an article fits, with whether they were right, and to those that none fits.
#[derive(Default)]
struct Outcomes {
    answerable: Vec<(Evidence, bool)>,
    unanswerable: Vec<Evidence>,
}

impl Outcomes {
    /// All outcomes, the unanswerable ones weighed to their share.
    fn weighted(self) -> Vec<Outcome> {
        if self.unanswerable.is_empty() {
            return Vec::new();
        }
        let wanted = self.answerable.len() as f32 * UNANSWERABLE_SHARE / (1.0 - UNANSWERABLE_SHARE);
        let weight = wanted / self.unanswerable.len() as f32;
        let answerable = self.answerable.iter().map(|&(evidence, right)| Outcome { evidence, right: f32::from(right), weight: 1.0 });
        let unanswerable = self.unanswerable.iter().map(|&evidence| Outcome { evidence, right: 0.0, weight });
        answerable.chain(unanswerable).filter(|outcome| outcome.weight > 0.0).collect()
    }
}

/// What a phrasing is good for in a round.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Trained,
    KeptBack,
    LeftOut,
}

fn ask_held_out(phrasings: &[Phrasing], strangers: &[Vec<Word>], round: usize, outcomes: &mut Outcomes) {
    let roles = roles(phrasings, round);
    let with = |role: Role| phrasings.iter().zip(&roles).filter(move |pair| *pair.1 == role).map(|pair| pair.0);
    let trained = Trained::on(with(Role::Trained));
    for phrasing in with(Role::KeptBack) {
        outcomes.answerable.extend(answer(&trained, &phrasing.words).map(|(article, evidence)| (evidence, article == phrasing.article)));
    }
    let left_out = with(Role::LeftOut).map(|phrasing| &phrasing.words).chain(strangers);
    outcomes.unanswerable.extend(left_out.filter_map(|words| answer(&trained, words)).map(|answer| answer.1));
}

/// What each phrasing is good for in a round. Phrasings of an article are kept back in turn, except an only one.
fn roles(phrasings: &[Phrasing], round: usize) -> Vec<Role> {
    let mut roles = Vec::with_capacity(phrasings.len());
    for (number, of_article) in phrasings.chunk_by(|a, b| a.article == b.article).enumerate() {
        for place in 0..of_article.len() {
            roles.push(if number % PARTS == round {
                Role::LeftOut
            } else if place % PARTS == (round + number) % PARTS && of_article.len() > 1 {
                Role::KeptBack
            } else {
                Role::Trained
            });
        }
    }
    roles
}

/// The best article for a question, and what speaks for it.
fn answer(trained: &Trained, words: &[Word]) -> Option<(u32, Evidence)> {
    let vector = trained.vocabulary.vector(&grams_of(&trained.speller.corrected(words.to_vec())));
    let mut scores = vec![0.0; trained.articles.len()];
    trained.linear.score(&vector, &mut scores);
    best_evidence(&scores, trained.linear.constants(), vector.known).map(|(place, evidence)| (trained.articles[place], evidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn articles<'a>(texts: &[&[&'a str]]) -> Vec<Article<'a>> {
        texts.iter().map(|texts| Article { question: texts[0], similar: texts[1..].to_vec() }).collect()
    }

    const SHOP: [&[&str]; 3] = [
        &["how do I send it back", "send an item back", "sending things back"],
        &["when are you open", "opening hours", "are you open on sundays"],
        &["do you sell gift cards", "gift card for a friend"],
    ];

    #[test]
    fn every_article_is_left_out_at_most_once_and_so_is_every_phrasing_kept_back() {
        let phrasings = phrasings(&articles(&SHOP));
        let rounds: Vec<Vec<Role>> = (0..PARTS).map(|round| roles(&phrasings, round)).collect();
        for place in 0..phrasings.len() {
            let count = |role: Role| rounds.iter().filter(|roles| roles[place] == role).count();
            assert_eq!(count(Role::LeftOut), 1);
            assert!(count(Role::KeptBack) <= 1);
        }
    }

    #[test]
    fn an_article_with_one_phrasing_is_never_asked_without_it() {
        let phrasings = phrasings(&articles(&[&["gift cards"], &["opening hours"]]));
        let kept_back = (0..PARTS).flat_map(|round| roles(&phrasings, round)).filter(|role| *role == Role::KeptBack);
        assert_eq!(kept_back.count(), 0);
        assert_eq!(outcomes(&phrasings, &[]), []);
    }

    #[test]
    fn unanswerable_questions_weigh_what_they_are_supposed_to() {
        let outcomes = held_out_outcomes(&articles(&SHOP), &["what is the capital of france"]);
        let sum = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| outcome.weight).sum::<f32>();
        let answerable = outcomes.iter().take_while(|outcome| outcome.weight == 1.0).count();
        let share = sum(&outcomes[answerable..]) / sum(&outcomes);
        assert!((share - UNANSWERABLE_SHARE).abs() < 1e-3, "{share} after {answerable}");
    }

    #[test]
    fn nothing_can_be_held_out_of_nothing() {
        assert_eq!(held_out_outcomes(&[], &["hello"]), []);
        assert_eq!(held_out_outcomes(&articles(&[&["opening hours"]]), &[]), []);
    }
}
