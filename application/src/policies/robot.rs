//! What a robot does with what a customer wrote. What it found, in the articles or elsewhere, is given to it; what it says and orders
//! follows from that and from the flow, under ids that follow from the fact that asked it: so it does each thing once.

use domain::chat::command::Speaker;
use domain::conversation::command::ConversationCommand;
use domain::conversation::event::HumanReason;
use domain::flow::condition::{Circumstances, contains_word};
use domain::flow::reception::{HandOffTriggers, ReceptionFlow};
use domain::ids::{ChatId, ClientMessageId, ConversationId};
use domain::labels::{Language, Reference};
use domain::message::Kind;
use domain::retrieval::event::ArticleText;
use serde_json::json;

use super::following::Following;
use super::notices::{self, Said};
use super::{Caused, Fact, request};
use crate::command::Request;
use crate::log::stream::StreamKey;

/// What it says when it does not know, in Chinese and in English, before questions that come near and without any.
const UNSURE: [(&str, &str); 2] = [
    ("抱歉，我没有完全明白。您是想问：", "抱歉，这个问题我还不会回答。"),
    ("Sorry, I am not sure. Did you mean:", "Sorry, I do not know that yet."),
];

/// Tells what a robot says from whatever else is said because of a question.
const ANSWER: &str = "robot";

/// The id under which the answer to a question is said: the same however often the question is gone through.
#[must_use]
pub fn answer_id(fact: &Fact<'_>) -> ClientMessageId {
    notices::client_id(fact, ANSWER)
}

/// What a customer wrote to a robot.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The fact that asked it.
    pub fact: Fact<'a>,
    /// Where.
    pub chat: ChatId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// At which place.
    pub seq: u64,
    /// What it is.
    pub kind: Kind,
    /// The words.
    pub text: &'a str,
}

/// What a robot has to say to a question.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// A robot elsewhere answers it in these words.
    Said {
        /// What it says.
        words: &'a str,
        /// How sure that is, in percent.
        confidence: u8,
        /// Questions that the customer may ask next.
        hints: Vec<String>,
    },
    /// This article answers it.
    Answer {
        /// Which.
        article: &'a Reference,
        /// How sure that is, in percent.
        confidence: u8,
        /// What it says.
        text: &'a ArticleText,
    },
    /// None surely does.
    Unsure {
        /// How sure the best one is, in percent.
        confidence: u8,
        /// Questions that come near, the nearest first.
        related: Vec<String>,
    },
}

/// Why the customer is to have a human before the robot is even asked.
#[must_use]
pub fn human_at_once(question: &Question<'_>, triggers: &HandOffTriggers) -> Option<HumanReason> {
    if triggers.picture && question.kind == Kind::Picture {
        return Some(HumanReason::Picture);
    }
    let is_said = |word: &String| contains_word(question.text, word);
    triggers.keywords.iter().any(is_said).then_some(HumanReason::Keyword)
}

/// The order that brings the customer to the humans.
#[must_use]
pub fn give_up(fact: &Fact<'_>, conversation: ConversationId, reason: HumanReason) -> Vec<Request> {
    let want = Caused::new(StreamKey::Conversation(conversation), ConversationCommand::WantHuman { reason });
    vec![request(fact, want, 0)]
}

/// What is said and noted after a robot was asked.
#[must_use]
pub fn reply(question: &Question<'_>, following: &Following<ReceptionFlow>, found: &Found<'_>) -> Vec<Request> {
    let known = !matches!(found, Found::Unsure { .. });
    let (words, ext, article, confidence) = match found {
        Found::Said { words, confidence, hints } => (*words, notices::hints(hints), None, *confidence),
        Found::Answer { article, confidence, text } => {
            let links: Vec<_> = text.links.iter().map(|link| json!({ "title": link.title, "url": link.url })).collect();
            let ext = json!({ "article": article.as_str(), "links": links }).to_string();
            (text.answer.as_str(), Some(ext), Some((*article).clone()), *confidence)
        }
        Found::Unsure { confidence, related } => {
            let [chinese, english] = UNSURE;
            let (near, none) =
                if is_chinese(following.case.language(), &following.flow.languages, question.text) { chinese } else { english };
            let ext = json!({ "hints": related }).to_string();
            (if related.is_empty() { none } else { near }, Some(ext), None, *confidence)
        }
    };
    let said = Said { what: ANSWER, words, ext, after_end: false, speaker: Speaker::Robot };
    let say = notices::of(&question.fact, question.conversation, following.case.shop_account, &said);
    let note = ConversationCommand::NoteRobotAnswer {
        seq: question.seq,
        confidence,
        known,
        article,
        unknown_max: following.flow.hand_off.unknown_answers,
    };
    let caused = [Caused::new(StreamKey::Chat(question.chat), say), Caused::new(StreamKey::Conversation(question.conversation), note)];
    caused.into_iter().zip(0..).map(|(caused, nth)| request(&question.fact, caused, nth)).collect()
}

/// Whether somebody is spoken to in Chinese: in their language, if it is known and one of the flow's; or else as they write, or in the
/// flow's first.
fn is_chinese(language: Option<&Language>, languages: &[Language], text: &str) -> bool {
    let has = |primary: &str| languages.iter().any(|known| known.primary() == primary);
    if let Some(language) = language.filter(|language| has(language.primary())) {
        return language.primary() == "zh";
    }
    let is_han = |letter: char| matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
    match (text.chars().any(is_han), text.chars().any(char::is_alphabetic)) {
        (true, _) if has("zh") => true,
        (false, true) if has("en") => false,
        _ => languages.first().is_some_and(|language| language.primary() == "zh"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_spoken_to_in_their_language_or_as_they_write_or_in_the_shops() {
        let language = |text: &str| text.parse::<Language>().unwrap();
        let both = [language("zh-CN"), language("en")];
        assert!(is_chinese(Some(&language("zh-TW")), &both, "refund"));
        assert!(!is_chinese(Some(&language("en-GB")), &both, "退款"));
        assert!(is_chinese(None, &both, "refund 退款"));
        assert!(!is_chinese(None, &both, "refund"));
        assert!(is_chinese(None, &both, "???"));
        assert!(is_chinese(None, &[language("zh")], "refund"));
        assert!(!is_chinese(Some(&language("fr")), &[language("en")], "退款"));
    }
}
