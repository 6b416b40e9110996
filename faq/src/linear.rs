//! A linear classifier, one score per article. It knows vectors and article numbers, no text.
//!
//! Each article has a support vector machine of its own (squared hinge loss, no bias) that tells its phrasings from all others. All
//! of them are trained at once by dual coordinate descent (Hsieh et al. 2008, "A Dual Coordinate Descent Method for Large-scale
//! Linear SVM", algorithm 1), in a fixed order of phrasings. Without a bias a text of unknown words scores 0 everywhere. To this comes
//! a share of naive Bayes, which is linear, too.

use crate::bayes::add_naive_bayes;
use crate::vocabulary::Vector;

/// What a phrasing on the wrong side costs. Anything between 1 and 10 does about as well on the training parts of four public sets.
const COST: f32 = 3.0;
/// Rounds over all phrasings; more change nothing in accuracy.
const ROUNDS_MAX: usize = 6;
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
    /// Row after row, one for each gram.
    weights: Vec<f32>,
}

impl Linear {
    /// A classifier that tells the articles' phrasings apart. `grams` is the size of the vocabulary, `phrasings` are the vectors with
    /// the numbers of their articles, all below `articles`.
    #[must_use]
    pub fn train(grams: usize, articles: usize, phrasings: &[(Vector, u32)]) -> Self {
        let mut linear = Self { articles, weights: vec![0.0; grams * articles] };
        let mut descent = Descent::new(articles, phrasings);
        for round in 0..ROUNDS_MAX {
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

    /// The score of each article for a text: about 1 for one of its phrasings, -1 for another article's, 0 for unknown words.
    pub fn score(&self, vector: &Vector, scores: &mut [f32]) {
        scores.fill(0.0);
        for &(gram, weight) in &vector.weights {
            for (score, of_article) in scores.iter_mut().zip(self.row(gram)) {
                *score += weight * of_article;
            }
        }
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
        Self { duals: vec![0.0; phrasings.len() * articles], softness, scores: vec![0.0; articles], steps: vec![0.0; articles] }
    }

    /// Moves the weights of all articles to where this phrasing is best off; gives the size of the largest step.
    fn visit(&mut self, linear: &mut Linear, place: usize, (vector, article): &(Vector, u32)) -> f32 {
        linear.score(vector, &mut self.scores);
        let own = *article as usize;
        let duals = &mut self.duals[place * linear.articles..][..linear.articles];
        let own_dual = duals[own];
        for ((step, dual), score) in self.steps.iter_mut().zip(duals.iter_mut()).zip(&self.scores) {
            *step = -push(dual, -score, vector.known, SOFTNESS);
        }
        duals[own] = own_dual;
        self.steps[own] = push(&mut duals[own], self.scores[own], vector.known, self.softness[own]);
        let step_max = self.steps.iter().fold(0.0_f32, |largest, step| largest.max(step.abs()));
        if step_max >= STEP_MIN {
            linear.add(vector, &self.steps);
        }
        step_max
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
    fn unknown_words_score_nothing() {
        assert_eq!(scores(&Linear::train(4, 3, &phrasings()), vec![]), [0.0; 3]);
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
