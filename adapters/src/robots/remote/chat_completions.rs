//! The way to talk with servers of language models: chat completions as OpenAI's protocol has them. The conversation goes out as
//! messages, and the answer comes in pieces, as server-sent events; a server that sends it whole is understood, too.
//!
//! A language model cannot say that it does not know otherwise than in words, so two words stand for that: a tenant that wants them
//! asks for them in its system prompt.

use domain::message::{CONTENT_BYTES_MAX, Category};
use serde::{Deserialize, Serialize};

use super::asking::{Answered, Asking, RobotError};
use crate::http::extract::parse_object;

/// The most that is read of an answer: each word of it comes in some hundred bytes.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest line of an answer in bytes.
const LINE_BYTES_MAX: usize = 256 * 1024;
/// A whole answer that stands for not knowing.
const UNKNOWN: &str = "[unknown]";
/// A whole answer that stands for giving way to a human.
const HAND_OFF: &str = "[hand_off]";

#[derive(Serialize)]
struct MessageBody {
    role: &'static str,
    content: String,
}

#[derive(Serialize)]
struct RequestBody<'a> {
    model: &'a str,
    messages: Vec<MessageBody>,
    stream: bool,
}

/// What is sent. Who says several things on end says them in one message: many models want the roles to take turns.
///
/// # Panics
/// Never: it is plain text.
#[must_use]
pub fn body(model: &str, system: Option<&str>, asking: &Asking) -> String {
    let mut messages: Vec<MessageBody> =
        system.map(|content| MessageBody { role: "system", content: content.to_owned() }).into_iter().collect();
    let before = asking.history.iter().map(|turn| (turn.from, turn.text.as_str()));
    for (from, text) in before.chain([(Category::Customer, asking.text.as_str())]) {
        let role = match from {
            Category::Customer => "user",
            Category::System | Category::Agent | Category::Robot => "assistant",
        };
        match messages.last_mut() {
            _ if text.trim().is_empty() => {}
            Some(last) if last.role == role => {
                last.content.push('\n');
                last.content.push_str(text);
            }
            _ => messages.push(MessageBody { role, content: text.to_owned() }),
        }
    }
    serde_json::to_string(&RequestBody { model, messages, stream: true }).expect("plain text")
}

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(alias = "message")]
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
}

/// An answer that grows.
#[derive(Default)]
pub struct Growth {
    /// Of a line that is not whole yet.
    line: Vec<u8>,
    text: String,
    finished: bool,
    done: bool,
}

impl Growth {
    /// Takes the next bytes of an event stream; answers whether the text is longer than before.
    ///
    /// # Errors
    /// [`RobotError::Garbage`].
    pub fn take(&mut self, bytes: &[u8]) -> Result<bool, RobotError> {
        let before = self.text.len();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + piece.len() > LINE_BYTES_MAX {
                return Err(RobotError::Garbage("a line is too long"));
            }
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.take_line(&line)?;
            }
        }
        Ok(self.text.len() > before)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), RobotError> {
        // Names of events, ids, comments that keep the connection alive: none of them says anything.
        let Some(data) = line.strip_prefix(b"data:") else { return Ok(()) };
        match data.trim_ascii() {
            b"" => Ok(()),
            _ if self.done => Err(RobotError::Garbage("something comes after its end")),
            b"[DONE]" => {
                self.done = true;
                Ok(())
            }
            data => self.take_completion(data),
        }
    }

    /// Takes a piece of the answer, or all of it.
    ///
    /// # Errors
    /// [`RobotError::Garbage`].
    pub fn take_completion(&mut self, data: &[u8]) -> Result<(), RobotError> {
        let read = parse_object(data).map_err(|_| RobotError::Garbage("it is not the JSON of a completion"));
        let Completion { choices, error } = read?;
        if error.is_some() {
            return Err(RobotError::Garbage("the server reports an error"));
        }
        for choice in choices {
            if choice.index != 0 {
                return Err(RobotError::Garbage("it answers more than once"));
            }
            let content = choice.delta.and_then(|delta| delta.content).unwrap_or_default();
            if self.finished && !content.is_empty() {
                return Err(RobotError::Garbage("something comes after its end"));
            }
            if self.text.len() + content.len() > CONTENT_BYTES_MAX {
                return Err(RobotError::Garbage("an answer is 1 to 16,384 bytes"));
            }
            self.text.push_str(&content);
            match choice.finish_reason.as_deref() {
                None | Some("") => {}
                Some("stop") => self.finished = true,
                Some(_) => return Err(RobotError::Garbage("it was cut off")),
            }
        }
        Ok(())
    }

    /// Whether nothing more is to come.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.done
    }

    /// What a customer may see of it: nothing, as long as it may become one of the words that are not for them.
    #[must_use]
    pub fn shown(&self) -> Option<&str> {
        let text = self.text.trim_start();
        let is_ours = [UNKNOWN, HAND_OFF].iter().any(|word| word.starts_with(text.trim_end()));
        (!is_ours).then_some(self.text.as_str())
    }

    /// The answer, if it has come to its end.
    ///
    /// # Errors
    /// [`RobotError::Garbage`].
    pub fn answered(mut self) -> Result<Answered, RobotError> {
        // The last line may lack its end.
        let line = std::mem::take(&mut self.line);
        self.take_line(&line)?;
        if !self.finished && !self.done {
            return Err(RobotError::Garbage("it was cut off"));
        }
        match self.text.trim() {
            "" => Err(RobotError::Garbage("it says nothing")),
            UNKNOWN => Ok(Answered::Unknown { hints: vec![] }),
            HAND_OFF => Ok(Answered::GiveWay),
            // A language model does not say how sure it is.
            words => Ok(Answered::Words { words: words.to_owned(), confidence: 100, hints: vec![] }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str) -> String {
        format!("data: {}\n\n", serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}))
    }

    const END: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

    /// The answer of a stream that comes in parts of so many bytes.
    fn answered(stream: &str, part: usize) -> Result<Answered, RobotError> {
        let mut growth = Growth::default();
        for bytes in stream.as_bytes().chunks(part) {
            growth.take(bytes)?;
        }
        growth.answered()
    }

    fn words(words: &str) -> Answered {
        Answered::Words { words: words.into(), confidence: 100, hints: vec![] }
    }

    #[test]
    fn however_the_pieces_are_cut_the_answer_is_the_same() {
        let role = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n";
        let usage = "data: {\"choices\":[],\"usage\":{\"total_tokens\":9}}\n\n";
        let end = END.replace("data: [DONE]", &format!("{usage}data: [DONE]"));
        let stream = format!(": alive\n\n{role}{}event: x\n{}{end}", piece("您的包裹"), piece("在路上。\n"));
        for part in [1, 2, 3, 7, 64, stream.len()] {
            assert_eq!(answered(&stream, part).unwrap(), words("您的包裹在路上。"), "{part}");
        }
    }

    #[test]
    fn either_end_is_one() {
        let ends: Vec<&str> = END.split_inclusive("\n\n").collect();
        for end in ends {
            for end in [end, end.trim_end()] {
                assert_eq!(answered(&format!("{}{end}", piece("a")), 64).unwrap(), words("a"), "{end}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_no_answer() {
        let length = END.replace("stop", "length");
        let long = piece(&"x".repeat(CONTENT_BYTES_MAX / 2 + 1)).repeat(2) + END;
        let second = piece("b").replace("\"index\":0", "\"index\":1");
        for stream in [
            "",
            "<html>502</html>",
            "data: <html>\n",
            "data: {\"error\": {\"message\": \"overloaded\"}}\n",
            &piece("without an end"),
            END,
            &format!("{}{length}", piece("cut")),
            &format!("{}{second}{END}", piece("a")),
            &format!("{}{END}{}", piece("a"), piece("late")),
            &format!("{}{}{}", piece("a"), END.replace("data: [DONE]\n\n", ""), piece("late")),
            &long,
            &format!("data: {}", "x".repeat(LINE_BYTES_MAX)),
        ] {
            let told = answered(stream, 1_024);
            assert!(matches!(told, Err(RobotError::Garbage(_))), "{}: {told:?}", &stream[..stream.len().min(100)]);
        }
    }

    #[test]
    fn two_words_are_not_for_the_customer() {
        assert_eq!(answered(&format!("{}{END}", piece(" [unknown]\n")), 64).unwrap(), Answered::Unknown { hints: vec![] });
        assert_eq!(answered(&format!("{}{}{END}", piece("[hand"), piece("_off]")), 64).unwrap(), Answered::GiveWay);
        let mut growth = Growth::default();
        for (text, shown) in [("[", None), ("hand", None), ("ing over] is", Some("[handing over] is"))] {
            growth.take(piece(text).as_bytes()).unwrap();
            assert_eq!(growth.shown(), shown);
        }
    }

    #[test]
    fn an_answer_may_come_whole() {
        let mut growth = Growth::default();
        growth
            .take_completion(br#"{"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}"#)
            .unwrap();
        assert_eq!(growth.answered().unwrap(), words("Hi"));
    }
}
