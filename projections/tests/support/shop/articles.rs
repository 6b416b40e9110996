//! What the shop's robot answers from.

use application::log::stream::StreamKey;
use domain::event::Event;
use domain::private::Private;
use domain::retrieval::event as retrieval;

use super::Shop;

impl Shop {
    /// Two articles are kept, one of them is said anew, and a third is forgotten.
    pub(super) fn articles(&mut self) {
        let saved = |name: &str, phrasings| {
            let article = name.parse().unwrap();
            Event::Retrieval(retrieval::ArticleSaved { article, shop: None, phrasings, private: Private::Closed }.into())
        };
        let removed = retrieval::ArticleRemoved { article: "old".parse().unwrap() };
        let events = [saved("refund", 3), saved("old", 1), saved("size", 2), saved("refund", 4), Event::Retrieval(removed.into())];
        self.commit(StreamKey::Retrieval, events);
    }
}
