//! What the scores of a text say for each article. It does not know how often such evidence turned out right.

/// Turns differences of scores into odds. Chosen on the training parts of four public sets; 3 to 8 do about as well.
const SHARPNESS: f32 = 4.0;
/// With fewer articles than this there is too little to stand out from, so absent ones are made up.
const ARTICLES_MIN: usize = 5;
/// By how much an article that is not there would score less than those that are there do for a text of unknown words. Chosen on the
/// training parts of four public sets, cut down to tenants of 1 to 5 articles.
const ABSENT_LESS: f32 = 0.2;
/// The rest that is always left for other articles; keeps the odds finite.
const REST_MIN: f32 = 1e-3;

/// What speaks for one article being what a text is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Natural logarithm of the odds of this article against all others, were one of them right; -7 to 7 for a best one.
    pub log_odds: f32,
    /// Share of the text that the tenant's phrasings know, 0 to 1.
    pub known: f32,
}

/// The evidence for each article by its score. `constants` is what each of them scores for a text of unknown words.
pub fn evidence(scores: &[f32], constants: &[f32], known: f32) -> impl Iterator<Item = Evidence> {
    let absent_score = constants.iter().sum::<f32>() / constants.len().max(1) as f32 - ABSENT_LESS;
    let best = scores.iter().copied().fold(absent_score, f32::max);
    let absent = ARTICLES_MIN.saturating_sub(scores.len()) as f32 * odds(absent_score, best);
    let sum = absent + scores.iter().map(|&score| odds(score, best)).sum::<f32>();
    scores.iter().map(move |&score| {
        let own = odds(score, best);
        Evidence { log_odds: (own / (sum - own).max(REST_MIN)).ln(), known }
    })
}

/// The place and the evidence of the article with the highest score; the first one of equals.
pub fn best_evidence(scores: &[f32], constants: &[f32], known: f32) -> Option<(usize, Evidence)> {
    evidence(scores, constants, known).enumerate().reduce(|best, next| if next.1.log_odds > best.1.log_odds { next } else { best })
}

fn odds(score: f32, best: f32) -> f32 {
    (SHARPNESS * (score - best)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_odds(scores: &[f32]) -> Vec<f32> {
        evidence(scores, &vec![0.0; scores.len()], 1.0).map(|evidence| evidence.log_odds).collect()
    }

    #[test]
    fn no_articles_no_evidence() {
        assert_eq!(best_evidence(&[], &[], 1.0), None);
    }

    #[test]
    fn the_best_article_stands_out_by_its_distance() {
        let near = best_evidence(&[0.5, 0.4, -0.9, -0.9, -0.9], &[-0.5; 5], 1.0).unwrap();
        let far = best_evidence(&[-0.9, 0.5, -0.9, -0.9, -0.9], &[-0.5; 5], 1.0).unwrap();
        assert_eq!((near.0, far.0), (0, 1));
        assert!(near.1.log_odds < far.1.log_odds);
    }

    #[test]
    fn two_articles_alike_share_the_odds() {
        let odds = log_odds(&[1.0, 1.0, -1.0, -1.0, -1.0]);
        assert!(odds[0].abs() < 0.01 && odds[0] == odds[1]);
    }

    #[test]
    fn a_single_article_must_still_score_to_be_likely() {
        assert!(log_odds(&[0.9])[0] > 2.0);
        assert!(log_odds(&[0.0])[0] < 0.0);
    }

    #[test]
    fn of_a_few_articles_one_stands_out_by_what_unknown_words_score() {
        let low = best_evidence(&[0.2, -0.6], &[-0.5; 2], 1.0).unwrap();
        let high = best_evidence(&[0.2, -0.6], &[0.0; 2], 1.0).unwrap();
        assert!(low.1.log_odds > high.1.log_odds);
    }

    #[test]
    fn odds_stay_finite() {
        let odds = log_odds(&[50.0, -50.0, -50.0, -50.0, -50.0]);
        assert!(odds.iter().all(|odds| odds.abs() < f32::INFINITY || *odds == f32::NEG_INFINITY) && odds[0] < 7.0);
    }
}
