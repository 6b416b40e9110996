//! A linear classifier, one score per article. It knows vectors and article numbers, no text.
//!
//! Each article has a support vector machine of its own (squared hinge loss) that tells its phrasings from all others. All of them are
//! trained at once by dual coordinate descent (Hsieh et al. 2008, "A Dual Coordinate Descent Method for Large-scale Linear SVM",
//! algorithm 1), in a fixed order of phrasings. A constant beside the grams says that nearly all phrasings are about other articles;
//! without it only the grams that many phrasings have, mostly pieces of grammar, could say so. To this comes a share of naive Bayes,
//! which is linear, too.

use crate::bayes::add_naive_bayes;
use crate::vocabulary::Vector;

/// What a phrasing on the wrong side costs. Anything between 1 and 10 does about as well on the training parts of four public sets.
const COST: f32 = 3.0;
/// Square of the constant that every text has beside its grams, whose squares make up 1. On the training parts of four public sets it
/// raises accuracy by a point or two in the set of an actual shop and changes little in the others, at 0.04 as at 0.5.
const CONSTANT_SQUARE: f32 = 0.25;
/// Rounds over all phrasings, if they are many; more change nothing in accuracy.
const ROUNDS_MIN: usize = 6;
/// Rounds over all phrasings at most: by then even a phrasing of two articles is as near to one as to the other.
const ROUNDS_MAX: usize = 30;
/// How often phrasings are visited at least, in as many rounds as that takes.
const VISITS_MIN: usize = 6_000;
/// Steps smaller than this are left out.
const STEP_MIN: f32 = 1e-3;
/// Training ends with a round whose largest step is smaller than this.
const ROUND_STEP_MIN: f32 = 1e-2;
/// Parts of the number of phrasings to go on by, round after round, so that phrasings of one article do not follow each other.
const STRIDES: [f64; 5] = [0.618, 0.414, 0.732, 0.236, 0.645];

/// Weights of every gram for every article, as they are trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    articles: usize,
    /// For every article, what a text scores whatever its grams are.
    constants: Vec<f32>,
    /// Row after row, one for each gram.
    weights: Vec<f32>,
}

impl Linear {
    /// A classifier that tells the articles' phrasings apart. `grams` is the size of the vocabulary, `phrasings` are the vectors with
    /// the numbers of their articles, all below `articles`.
    #[must_use]
    pub fn train(grams: usize, articles: usize, phrasings: &[(Vector, u32)]) -> Self {
        let mut linear = Self { articles, constants: vec![0.0; articles], weights: vec![0.0; grams * articles] };
        let mut descent = Descent::new(articles, phrasings);
        for round in 0..(VISITS_MIN / phrasings.len().max(1)).clamp(ROUNDS_MIN, ROUNDS_MAX) {
            let mut step_max = 0.0_f32;
            for place in order(phrasings.len(), round) {
                step_max = step_max.max(descent.visit(&mut linear, place, &phrasings[place]));
            }
            if step_max < ROUND_STEP_MIN {
                break;
            }
        }
        add_naive_bayes(&mut linear.weights, articles, phrasings);
        linear
    }

    /// The score of each article for a text: about 1 for one of its phrasings, -1 for another article's, its constant for unknown words.
    pub fn score(&self, vector: &Vector, scores: &mut [f32]) {
        scores.copy_from_slice(&self.constants);
        for &(gram, weight) in &vector.weights {
            for (score, of_article) in scores.iter_mut().zip(self.row(gram)) {
                *score += weight * of_article;
            }
        }
    }

    /// What a text scores whatever its grams are, for each article.
    #[must_use]
    pub fn constants(&self) -> &[f32] {
        &self.constants
    }

    /// The weights of a gram, one for each article.
    #[must_use]
    pub fn row(&self, gram: u32) -> &[f32] {
        &self.weights[gram as usize * self.articles..][..self.articles]
    }

    fn add(&mut self, vector: &Vector, steps: &[f32]) {
        for &(gram, weight) in &vector.weights {
            let row = &mut self.weights[gram as usize * self.articles..][..self.articles];
            for (of_article, step) in row.iter_mut().zip(steps) {
                *of_article += weight * step;
            }
        }
    }
}

/// What training keeps beside the weights.
struct Descent {
    /// For every phrasing and article, how hard the phrasing pushes the article's weights.
    duals: Vec<f32>,
    /// For every article, one over twice the cost of a phrasing of its own. An article with few phrasings is not asked for less often,
    /// so its phrasings cost as much together as another's.
    softness: Vec<f32>,
    /// For every article, what its constant would be, were it free.
    pulls: Vec<f32>,
    scores: Vec<f32>,
    steps: Vec<f32>,
}

/// One over twice the cost of a phrasing of any other article.
const SOFTNESS: f32 = 0.5 / COST;

impl Descent {
    fn new(articles: usize, phrasings: &[(Vector, u32)]) -> Self {
        let mut softness = vec![0.0; articles];
        for (_, article) in phrasings {
            softness[*article as usize] += SOFTNESS * articles as f32 / phrasings.len() as f32;
        }
        let none = vec![0.0; articles];
        Self { duals: vec![0.0; phrasings.len() * articles], softness, pulls: none.clone(), scores: none.clone(), steps: none }
    }

    /// Moves the weights of all articles to where this phrasing is best off; gives the size of the largest step.
    fn visit(&mut self, linear: &mut Linear, place: usize, (vector, article): &(Vector, u32)) -> f32 {
        linear.score(vector, &mut self.scores);
        let own = *article as usize;
        let square = vector.known + CONSTANT_SQUARE;
        let duals = &mut self.duals[place * linear.articles..][..linear.articles];
        let own_dual = duals[own];
        for ((step, dual), score) in self.steps.iter_mut().zip(duals.iter_mut()).zip(&self.scores) {
            *step = -push(dual, -score, square, SOFTNESS);
        }
        duals[own] = own_dual;
        self.steps[own] = push(&mut duals[own], self.scores[own], square, self.softness[own]);
        let step_max = self.steps.iter().fold(0.0_f32, |largest, step| largest.max(step.abs()));
        if step_max >= STEP_MIN {
            linear.add(vector, &self.steps);
            self.pull(&mut linear.constants);
        }
        step_max
    }

    /// A constant speaks against an article or not at all: that a text is a text is no reason to take it for the only article's.
    fn pull(&mut self, constants: &mut [f32]) {
        for ((pull, constant), step) in self.pulls.iter_mut().zip(constants).zip(&self.steps) {
            *pull += CONSTANT_SQUARE * step;
            *constant = pull.min(0.0);
        }
    }
}

/// Moves a dual to its best value for a phrasing that is so far on the right side; gives by how much.
fn push(dual: &mut f32, right_side: f32, square: f32, softness: f32) -> f32 {
    let before = *dual;
    *dual = (before - (right_side - 1.0 + before * softness) / (square + softness)).max(0.0);
    *dual - before
}

/// All numbers below `count`, each once, far from the one before.
fn order(count: usize, round: usize) -> impl Iterator<Item = usize> {
    let mut stride = (count as f64 * STRIDES[round % STRIDES.len()]) as usize + 1;
    while common_divisor(stride, count) > 1 {
        stride += 1;
    }
    (0..count).map(move |step| (step * stride + round) % count)
}

const fn common_divisor(left: usize, right: usize) -> usize {
    if right == 0 { left } else { common_divisor(right, left % right) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phrasings of three articles, each with a gram of its own and one that all have.
    fn phrasings() -> Vec<(Vector, u32)> {
        let vector = |own| Vector { weights: vec![(own, 0.8), (3, 0.6)], known: 1.0 };
        vec![(vector(0), 0), (vector(0), 0), (vector(1), 1), (vector(2), 2)]
    }

    fn scores(linear: &Linear, weights: Vec<(u32, f32)>) -> Vec<f32> {
        let mut scores = vec![f32::NAN; 3];
        linear.score(&Vector { weights, known: 1.0 }, &mut scores);
        scores
    }

    #[test]
    fn phrasings_score_high_for_their_own_article_and_low_for_others() {
        let linear = Linear::train(4, 3, &phrasings());
        for (vector, article) in phrasings() {
            for (other, score) in (0..).zip(scores(&linear, vector.weights)) {
                assert!(if other == article { score > 0.4 } else { score < -0.3 }, "{article} {other}: {score}");
            }
        }
    }

    #[test]
    fn unknown_words_score_the_constants() {
        let linear = Linear::train(4, 3, &phrasings());
        assert_eq!(scores(&linear, vec![]), linear.constants());
    }

    #[test]
    fn a_constant_speaks_against_each_of_several_articles_and_never_for_an_only_one() {
        assert!(Linear::train(4, 3, &phrasings()).constants().iter().all(|&constant| constant < 0.0));
        let only: Vec<(Vector, u32)> = phrasings().into_iter().map(|(vector, _)| (vector, 0)).collect();
        assert_eq!(Linear::train(4, 1, &only).constants(), [0.0]);
    }

    #[test]
    fn training_twice_gives_the_same_weights() {
        assert_eq!(Linear::train(4, 3, &phrasings()), Linear::train(4, 3, &phrasings()));
    }

    #[test]
    fn nothing_to_train_from_is_no_harm() {
        assert_eq!(Linear::train(0, 0, &[]).weights, []);
    }

    #[test]
    fn every_round_visits_every_phrasing_once() {
        for count in [0, 1, 2, 3, 10, 97, 100] {
            for round in 0..ROUNDS_MAX {
                let mut places: Vec<usize> = order(count, round).collect();
                places.sort_unstable();
                assert_eq!(places, (0..count).collect::<Vec<_>>());
            }
        }
    }
}
