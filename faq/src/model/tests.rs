//! What a robot may rely on, told with a small shop of our own.

use super::*;
use crate::text::TEXT_CHARACTERS_MAX;

const RETURNS: u32 = 0;
const DELIVERY: u32 = 1;
const INVOICE: u32 = 2;
const GREENHOUSE: u32 = 3;

fn article<'a>(question: &'a str, similar: &[&'a str]) -> Article<'a> {
    Article { question, similar: similar.to_vec() }
}

fn garden_shop() -> Vec<Article<'static>> {
    vec![
        article(
            "How do I return a plant?",
            &["My plant arrived dead, can I send it back?", "return policy for plants", "植物可以退货吗？", "收到的植物死了怎么退"],
        ),
        article(
            "When will my parcel arrive?",
            &["where is my parcel", "How long does delivery take?", "delivery time to the islands", "快递几天能到？", "什么时候发货"],
        ),
        article(
            "Can I get an invoice with VAT?",
            &["please send me a receipt for my company", "need a bill for taxes", "可以开增值税发票吗", "公司报销需要发票"],
        ),
        article(
            "How do I put up the greenhouse?",
            &["assembly instructions for the greenhouse", "screws for the glass roof", "温室怎么组装", "有没有安装温室的说明书"],
        ),
    ]
}

fn best(model: &Model, text: &str) -> Option<Match> {
    model.ask(text).first().copied()
}

#[track_caller]
fn assert_about(model: &Model, text: &str, article: u32) {
    let best = best(model, text).expect("something is like it");
    assert_eq!(best.article, article, "{text}: {best:?}");
}

#[test]
fn a_question_in_other_words_finds_its_article() {
    let model = Model::train(&garden_shop());
    assert_about(&model, "I want to return this plant", RETURNS);
    assert_about(&model, "parcel still not here, where is it", DELIVERY);
    assert_about(&model, "invoice for our company please", INVOICE);
    assert_about(&model, "no idea how to assemble my greenhouse", GREENHOUSE);
}

#[test]
fn a_question_in_chinese_finds_its_article() {
    let model = Model::train(&garden_shop());
    assert_about(&model, "我想退货，植物死了", RETURNS);
    assert_about(&model, "请问什么时候能到", DELIVERY);
    assert_about(&model, "發票怎麼開？", INVOICE);
    assert_about(&model, "溫室的說明書", GREENHOUSE);
}

#[test]
fn a_misspelt_question_finds_its_article() {
    let model = Model::train(&garden_shop());
    assert_about(&model, "retrun dead plnat", RETURNS);
    assert_about(&model, "greenhuose asembly", GREENHOUSE);
    assert_about(&model, "wher is my parcl", DELIVERY);
}

#[test]
fn words_of_the_same_meaning_find_an_article_in_another_language() {
    let model = Model::train(&[article("refund", &[]), article("warranty", &[]), article("gift cards", &[])]);
    assert_about(&model, "我要退款", 0);
    assert_about(&model, "money back please", 0);
    assert_about(&model, "保修多久", 1);
}

#[test]
fn a_phrasing_word_for_word_is_surer_than_anything() {
    let model = Model::train(&garden_shop());
    for (number, article) in (0..).zip(garden_shop()) {
        for text in std::iter::once(article.question).chain(article.similar) {
            let best = best(&model, &text.to_uppercase()).expect("a phrasing is like itself");
            assert_eq!(best, Match { article: number, confidence: EXACT_CONFIDENCE }, "{text}");
        }
    }
}

#[test]
fn a_near_phrasing_is_surer_than_a_stranger() {
    let model = Model::train(&garden_shop());
    let near = best(&model, "when will the parcel arrive").expect("it is like one").confidence;
    for stranger in ["what is the capital of france", "tell me a joke", "今天天气怎么样", "asdf qwer"] {
        let confidence = best(&model, stranger).map_or(0.0, |best| best.confidence);
        assert!(confidence < 0.4 && confidence < near / 2.0, "{stranger}: {confidence}, near one {near}");
    }
}

#[test]
fn one_article_is_enough_for_a_model() {
    let model = Model::train(&[article("How do I reset the thermostat?", &[])]);
    assert_eq!(best(&model, "how do i reset the thermostat"), Some(Match { article: 0, confidence: EXACT_CONFIDENCE }));
    assert!(best(&model, "reset my thermostat").expect("it is like it").confidence > 0.5);
    assert!(best(&model, "do you deliver to spain").is_none_or(|best| best.confidence < 0.3));
}

#[test]
fn three_articles_with_one_phrasing_each_are_told_apart() {
    let model = Model::train(&[article("opening hours", &[]), article("parking near the shop", &[]), article("退款要多久", &[])]);
    assert_about(&model, "what are your opening times", 0);
    assert_about(&model, "where is parking", 1);
    assert_about(&model, "多久可以退款", 2);
}

#[test]
fn articles_without_words_are_never_matched() {
    let model = Model::train(&[article("", &["?!"]), article("gift cards", &[]), article("\u{1f600}", &[])]);
    assert_eq!(model.ask("gift cards").iter().map(|found| found.article).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_phrasing_of_two_articles_is_not_sure_for_either() {
    let model = Model::train(&[article("red hose", &["it leaks"]), article("blue hose", &["it leaks"]), article("gift cards", &[])]);
    let matches = model.ask("it leaks");
    assert!(matches[..2].iter().all(|found| (0.2..0.7).contains(&found.confidence)), "{matches:?}");
}

#[test]
fn matches_are_few_sorted_and_of_different_articles() {
    let names: Vec<String> = (0..20).map(|number| format!("topic{number} hose")).collect();
    let articles: Vec<Article<'_>> = names.iter().map(|name| article(name, &[])).collect();
    let matches = Model::train(&articles).ask("the topic3 hose");
    assert_eq!(matches.len(), MATCHES_MAX);
    assert!(matches.is_sorted_by(|a, b| a.confidence >= b.confidence));
    let mut found: Vec<u32> = matches.iter().map(|found| found.article).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), MATCHES_MAX);
}

#[test]
fn no_articles_no_matches() {
    let model = Model::train(&[]);
    assert_eq!(model.ask("hello"), []);
    assert!(model.threshold(0.9) > 0.0);
}

#[test]
fn a_higher_precision_never_has_a_lower_threshold() {
    for model in [Model::train(&[]), Model::train(&garden_shop())] {
        let thresholds: Vec<f32> = (0..=110).map(|percent| model.threshold(percent as f32 / 100.0)).collect();
        assert!(
            thresholds.is_sorted() && thresholds.iter().all(|threshold| (0.0..=EXACT_CONFIDENCE).contains(threshold)),
            "{thresholds:?}"
        );
    }
}

#[test]
fn a_phrasing_word_for_word_passes_every_threshold() {
    let model = Model::train(&garden_shop());
    assert!(best(&model, "where is my parcel").expect("a phrasing").confidence >= model.threshold(1.0));
}

#[test]
fn the_same_articles_give_the_same_model() {
    let (first, second) = (Model::train(&garden_shop()), Model::train(&garden_shop()));
    assert_eq!(first, second);
    assert_eq!(first.ask("any parcel news"), second.ask("any parcel news"));
}

/// A sequence of numbers that look random and are always the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(below)).expect("less than a 32-bit number")
    }

    fn text(&mut self) -> String {
        // Latin, combining marks, right-to-left, Chinese, surrogates' neighbours, emoji, everything.
        const BLOCKS: [(u32, u32); 7] =
            [(0, 0x80), (0x300, 0x70), (0x590, 0x170), (0x4e00, 0x5200), (0xd700, 0x1000), (0x1f300, 0x400), (0, 0x11_0000)];
        let length = self.next(60);
        let mut character = || {
            let (start, count) = BLOCKS[self.next(7) as usize];
            char::from_u32(start + self.next(count)).unwrap_or(' ')
        };
        (0..length).map(|_| character()).collect()
    }
}

#[test]
fn any_text_is_safe_to_ask() {
    let model = Model::train(&garden_shop());
    let mut numbers = Numbers(20_261_122);
    for _ in 0..2_000 {
        let text = numbers.text();
        for found in model.ask(&text) {
            assert!((0.0..=1.0).contains(&found.confidence), "{text:?}: {found:?}");
        }
    }
}

#[test]
fn any_text_is_safe_to_train_from() {
    let mut numbers = Numbers(7);
    for _ in 0..50 {
        let texts: Vec<String> = (0..30).map(|_| numbers.text()).collect();
        let articles: Vec<Article<'_>> = texts.chunks(3).map(|texts| article(&texts[0], &[texts[1].as_str(), texts[2].as_str()])).collect();
        let model = Model::train(&articles);
        assert!(texts.iter().flat_map(|text| model.ask(text)).all(|found| found.confidence.is_finite()));
    }
}

#[test]
fn a_huge_text_is_read_from_its_beginning() {
    let model = Model::train(&garden_shop());
    let huge = format!("where is my parcel {}", "x".repeat(1 << 20));
    assert_about(&model, &huge, DELIVERY);
    let accents = format!("invoice{}", "\u{301}".repeat(1 << 20));
    assert_about(&model, &accents, INVOICE);
    let late = format!("{} parcel", "x ".repeat(TEXT_CHARACTERS_MAX));
    assert!(best(&model, &late).is_none_or(|best| best.confidence < 0.5));
}

#[test]
fn memory_is_told_and_small() {
    let bytes = Model::train(&garden_shop()).memory_bytes();
    assert!((1_000..100_000).contains(&bytes), "{bytes}");
}
