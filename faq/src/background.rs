//! How frequent common words are in questions to any shop, so that a tenant with few phrasings does not take "how" or "请问" for
//! telling. It knows no tenant.
//!
//! Only words of grammar and courtesy are here, no words of a trade. The English figures are rounded from the training parts of four
//! public sets; the Chinese ones from the customers' side of CrossWOZ, with words of questions to shops put in by hand.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::grams::{GramKey, grams};

/// Questions that the background stands for, beside the tenant's own phrasings. On the training parts of four public sets it makes
/// small tenants better and large ones no worse; 600 to 2,000 do about as well.
pub const BACKGROUND_QUESTIONS: f32 = 1000.0;
/// A gram in all questions would be worth nothing anywhere.
const SHARE_MAX: f32 = 0.5;

/// Shares of questions, and words and phrases that each stand in about such a share.
const COMMON: [(f32, &str); 9] = [
    (0.35, "i"),
    (0.15, "my/to/the/a/can/is/how/you/do/what"),
    (0.07, "me/for/of/it/have/need/want/help/in/on/can i/i need/i want/i have/do i"),
    (0.03, "not/get/know/with/up/are/and/from/why/your/will/please/there/when/that/this/be/was/see/where/tell/am/if/at/dont/would/like"),
    (0.03, "can you/want to/need to/help me/tell me/how do i/what is/how to/is the/i am/i dont/have to/do you/how can i"),
    (0.015, "an/about/some/been/has/im/whats/does/could/did/now/go/any/still/as/or/so/by/just/it is/is there/is it/how long/how much"),
    (0.01, "should/cant/we/they/which/who/but/no/yes/hi/hello/hey/thanks/thank you/ok/okay/would like to/let me know/it says/thats"),
    (0.1, "的/我/吗/有/是/好/你/了/个/怎么/什么/可以/请问/我想/在/不"),
    (
        0.03,
        "一个/这个/那个/一下/为什么/怎么办/如何/能不能/可不可以/有没有/是不是/是否/多少/哪里/哪些/什么时候/你好/您好/谢谢/帮我/我要/我的/你们/没有/还有/已经/需要/知道/告诉/吧/呢/啊/要/能/会/就/都/也/到/给/和/多久",
    ),
];

/// Share of all questions that have a gram, sorted by gram.
static SHARES: LazyLock<Vec<(GramKey, f32)>> = LazyLock::new(|| {
    let mut shares: BTreeMap<GramKey, f32> = BTreeMap::new();
    for (share, texts) in COMMON {
        for (key, _) in texts.split('/').flat_map(grams) {
            *shares.entry(key).or_default() += share;
        }
    }
    shares.into_iter().map(|(key, share)| (key, share.min(SHARE_MAX))).collect()
});

/// How many of the [`BACKGROUND_QUESTIONS`] have this gram.
#[must_use]
pub fn background_questions(key: GramKey) -> f32 {
    let place = SHARES.binary_search_by_key(&key, |entry| entry.0);
    place.map_or(0.0, |place| SHARES[place].1 * BACKGROUND_QUESTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most_frequent(text: &str) -> f32 {
        grams(text).iter().map(|gram| background_questions(gram.0)).fold(0.0, f32::max)
    }

    #[test]
    fn words_of_grammar_are_frequent_and_words_of_a_trade_are_not_there() {
        for common in ["how", "请问"] {
            assert!(most_frequent(common) >= 0.1 * BACKGROUND_QUESTIONS, "{common}");
        }
        assert_eq!(most_frequent("zzzz"), 0.0);
    }

    #[test]
    fn no_gram_is_in_more_than_half_of_the_questions() {
        assert!(SHARES.iter().all(|entry| 0.0 < entry.1 && entry.1 <= SHARE_MAX));
    }
}
