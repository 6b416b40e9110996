//! The rules of a tenant's articles, each where it holds and where it stops.

use crate::private::Private;
use crate::retrieval::Retrieval;
use crate::retrieval::command::RetrievalCommand;
use crate::retrieval::decide::{ANSWER_BYTES_MAX, LINKS_MAX, QUESTION_BYTES_MAX, SIMILAR_MAX};
use crate::retrieval::error::RetrievalError;
use crate::retrieval::event::{ArticleLink, ArticleRemoved, ArticleSaved, ArticleText, RetrievalEvent};
use crate::retrieval::state::{ARTICLES_MAX, PHRASINGS_MAX};
use crate::testing::{self, Given};

fn given(history: impl IntoIterator<Item = RetrievalEvent>) -> Given<Retrieval> {
    testing::given(history)
}

fn returns() -> ArticleText {
    ArticleText {
        question: "怎么退货？".into(),
        similar: vec!["How do I return it?".into(), "退货流程".into()],
        answer: "请在订单页申请。".into(),
        links: vec![ArticleLink { title: "退货".into(), url: "https://shop.example/returns".into() }],
    }
}

fn save(article: &str, text: ArticleText) -> RetrievalCommand {
    RetrievalCommand::SaveArticle { article: article.parse().unwrap(), shop: None, text: text.into() }
}

fn saved(article: &str, text: ArticleText) -> RetrievalEvent {
    ArticleSaved { article: article.parse().unwrap(), shop: None, phrasings: text.phrasings(), private: Private::Known(text) }.into()
}

fn many(article: usize, phrasings: u32) -> RetrievalEvent {
    let article = format!("a{article}").parse().unwrap();
    ArticleSaved { article, shop: None, phrasings, private: Private::Known(returns()) }.into()
}

#[test]
fn an_article_is_kept_under_the_tenants_own_name_and_may_be_said_anew() {
    given([])
        .when(save("FAQ-1", returns()))
        .then([saved("FAQ-1", returns())])
        .when(save("FAQ-1", ArticleText { similar: vec![], ..returns() }))
        .then([saved("FAQ-1", ArticleText { similar: vec![], ..returns() })])
        .when(RetrievalCommand::RemoveArticle { article: "FAQ-1".parse().unwrap() })
        .then([ArticleRemoved { article: "FAQ-1".parse().unwrap() }.into()])
        .when(RetrievalCommand::RemoveArticle { article: "FAQ-1".parse().unwrap() })
        .then_nothing();
}

#[test]
fn each_part_of_an_article_has_its_limit() {
    let refused = |text, error| drop(given([]).when(save("FAQ-1", text)).then_refused(error));
    refused(ArticleText { question: " ".into(), ..returns() }, RetrievalError::Empty { part: "question" });
    refused(ArticleText { answer: String::new(), ..returns() }, RetrievalError::Empty { part: "answer" });
    let long = "x".repeat(QUESTION_BYTES_MAX + 1);
    refused(ArticleText { similar: vec![long], ..returns() }, RetrievalError::TooLong { part: "similar", limit: QUESTION_BYTES_MAX });
    let long = "x".repeat(ANSWER_BYTES_MAX + 1);
    refused(ArticleText { answer: long, ..returns() }, RetrievalError::TooLong { part: "answer", limit: ANSWER_BYTES_MAX });
    refused(
        ArticleText { similar: vec!["x".into(); SIMILAR_MAX + 1], ..returns() },
        RetrievalError::TooMany { part: "similar questions", limit: SIMILAR_MAX },
    );
    refused(
        ArticleText { links: vec![returns().links[0].clone(); LINKS_MAX + 1], ..returns() },
        RetrievalError::TooMany { part: "links", limit: LINKS_MAX },
    );
    given([]).when(save("FAQ-1", ArticleText { similar: vec!["x".into(); SIMILAR_MAX], ..returns() })).then_accepted();
}

#[test]
fn a_tenant_has_so_many_articles_and_asks_in_so_many_ways() {
    let full = given((0..ARTICLES_MAX).map(|article| many(article, 1)));
    full.when(save("a0", returns()))
        .then_accepted()
        .when(save("one-more", returns()))
        .then_refused(RetrievalError::TooManyArticles { limit: ARTICLES_MAX });
    let asked = given([many(0, PHRASINGS_MAX - 3)]);
    asked
        .when(save("b", returns()))
        .then_accepted()
        .when(save("c", returns()))
        .then_refused(RetrievalError::TooManyPhrasings { limit: PHRASINGS_MAX });
}
