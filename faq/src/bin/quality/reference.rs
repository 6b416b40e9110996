//! Measures what evidence is worth for other tenants: the table in the library's `reference.rs`. Queries are not used.

use faq::{Article, Outcome, held_out_outcomes};

use crate::data::Set;
use crate::measure::articles;

/// How tenants are cut out of a set: articles, phrasings of each, and how many such tenants.
struct Cut {
    articles: usize,
    phrasings: usize,
    tenants: usize,
}

const CUTS: [Cut; 5] = [
    Cut { articles: usize::MAX, phrasings: usize::MAX, tenants: 1 },
    Cut { articles: 25, phrasings: 8, tenants: 8 },
    Cut { articles: 25, phrasings: 2, tenants: 12 },
    Cut { articles: 5, phrasings: 3, tenants: 40 },
    Cut { articles: 3, phrasings: 3, tenants: 40 },
];
/// Groups by log-odds, and in each of those by known share.
const GROUPS: [usize; 2] = [10, 4];

/// Prints the table.
pub fn print(sets: &[Set]) {
    let mut outcomes: Vec<Outcome> = (0..sets.len()).flat_map(|place| CUTS.iter().flat_map(move |cut| of_cut(sets, place, cut))).collect();
    for mut group in grouped(&mut outcomes, GROUPS[0], |outcome| outcome.evidence.log_odds) {
        for group in grouped(&mut group, GROUPS[1], |outcome| outcome.evidence.known) {
            let mean = |of: fn(&Outcome) -> f32| weighted(&group, of) / weighted(&group, |_| 1.0);
            let log_odds = mean(|outcome| outcome.evidence.log_odds);
            println!("    ({log_odds:.2}, {:.2}, {:.3}),", mean(|outcome| outcome.evidence.known), mean(|outcome| outcome.right));
        }
    }
}

/// Outcomes of a kind of tenant, with a sum of weights of 1.
fn of_cut(sets: &[Set], place: usize, cut: &Cut) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = (0..cut.tenants).flat_map(|number| of_tenant(sets, place, cut, number)).collect();
    let sum = weighted(&outcomes, |_| 1.0);
    outcomes.iter_mut().for_each(|outcome| outcome.weight /= sum);
    outcomes
}

fn of_tenant(sets: &[Set], place: usize, cut: &Cut, number: usize) -> Vec<Outcome> {
    let tenant = tenant(&articles(&sets[place].topics), cut, number);
    let phrasings: usize = tenant.iter().map(|article| article.similar.len() + 1).sum();
    // As many as are left out in a round.
    let strangers = strangers(sets, place, number, phrasings / 5);
    held_out_outcomes(&tenant, &strangers)
}

fn tenant<'a>(all: &[Article<'a>], cut: &Cut, number: usize) -> Vec<Article<'a>> {
    // Primes, to spread what is taken over the set.
    let taken = |place: usize| &all[(place * 13 + number * 19) % all.len()];
    let short = |article: &Article<'a>| {
        let length = article.similar.len();
        let taken = (0..length.min(cut.phrasings - 1)).map(|place| article.similar[(place * 13 + number * 5) % length]);
        Article { question: article.question, similar: taken.collect() }
    };
    if cut.phrasings == usize::MAX { all.to_vec() } else { (0..cut.articles.min(all.len())).map(|place| short(taken(place))).collect() }
}

fn strangers(sets: &[Set], place: usize, number: usize, count: usize) -> Vec<&str> {
    let others = sets.iter().enumerate().filter(|&(other, _)| other != place);
    let texts: Vec<Vec<&str>> = others.map(|(_, set)| set.topics.iter().flatten().map(String::as_str).collect()).collect();
    (0..count).map(|index| texts[index % texts.len()][(index * 7919 + number * 31) % texts[index % texts.len()].len()]).collect()
}

/// Groups of about the same weight, in the order of a key.
fn grouped(outcomes: &mut [Outcome], count: usize, key: fn(&Outcome) -> f32) -> Vec<Vec<Outcome>> {
    outcomes.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let sum = weighted(outcomes, |_| 1.0);
    let mut groups = vec![Vec::new(); count];
    let mut before = 0.0;
    for outcome in outcomes {
        groups[((before / sum * count as f32) as usize).min(count - 1)].push(*outcome);
        before += outcome.weight;
    }
    groups
}

fn weighted(outcomes: &[Outcome], of: impl Fn(&Outcome) -> f32) -> f32 {
    outcomes.iter().map(|outcome| of(outcome) * outcome.weight).sum()
}
