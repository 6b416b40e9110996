//! Naive Bayes: how much more often each gram occurs in an article's phrasings than anywhere. It knows vectors and article numbers,
//! no text.
//!
//! It is coarser than the linear classifier, but it draws on every gram, where the classifier rests on the few that tell articles
//! apart. Added to it at a small share, it holds up the answer when those few are misspelt or left out.

use crate::vocabulary::Vector;

/// Share that it has in a score. On the training parts of four public sets, with words left out and misspelt, 0.04 raises accuracy by
/// half a point in large tenants over none; more of it costs small ones.
const SHARE: f32 = 0.04;
/// How much of each gram an article is taken to have before its phrasings are seen, for every gram of the vocabulary.
const SMOOTHING: f32 = 0.1;

/// Adds naive Bayes to weights, which are row after row, one row for each gram, with one weight for each article.
pub fn add_naive_bayes(weights: &mut [f32], articles: usize, phrasings: &[(Vector, u32)]) {
    if weights.is_empty() {
        return;
    }
    let counts = counts(weights.len(), articles, phrasings);
    let by_article = column_sums(&counts, articles);
    let all: f32 = by_article.iter().sum();
    let smoothing = SMOOTHING * (weights.len() / articles) as f32;
    for (row, counts) in weights.chunks_exact_mut(articles).zip(counts.chunks_exact(articles)) {
        let frequency = counts.iter().sum::<f32>() / all;
        for ((weight, count), of_article) in row.iter_mut().zip(counts).zip(&by_article) {
            *weight += SHARE * ((count / frequency + smoothing) / (of_article + smoothing)).ln();
        }
    }
}

/// The sum of each gram's weights in each article's phrasings.
fn counts(length: usize, articles: usize, phrasings: &[(Vector, u32)]) -> Vec<f32> {
    let mut counts = vec![0.0; length];
    for (vector, article) in phrasings {
        for &(gram, weight) in &vector.weights {
            counts[gram as usize * articles + *article as usize] += weight;
        }
    }
    counts
}

fn column_sums(rows: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in rows.chunks_exact(columns) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrasing(grams: &[u32], article: u32) -> (Vector, u32) {
        (Vector { weights: grams.iter().map(|&gram| (gram, 0.5)).collect(), known: 1.0 }, article)
    }

    #[test]
    fn a_gram_speaks_for_the_articles_that_have_it_more_often() {
        let mut weights = [0.0; 6];
        add_naive_bayes(&mut weights, 2, &[phrasing(&[0, 2], 0), phrasing(&[1, 2], 1)]);
        assert!(weights[0] > 0.0 && weights[1] < 0.0, "the first gram speaks for the first article: {weights:?}");
        assert!(weights[2] < 0.0 && weights[3] > 0.0, "the second gram speaks for the second article: {weights:?}");
        assert!(weights[4].abs() < 1e-6 && weights[5].abs() < 1e-6, "a gram of both says nothing: {weights:?}");
    }

    #[test]
    fn nothing_to_learn_from_changes_nothing() {
        add_naive_bayes(&mut [], 0, &[]);
        add_naive_bayes(&mut [], 3, &[]);
    }
}
