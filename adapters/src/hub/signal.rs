//! What is merely current: told beside the feed, without a number. A newer signal about the same thing replaces one that still waits.

use std::fmt::Write;

use domain::ids::{ChatId, ConversationId, UserId};

/// Something that is so right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Unread messages of the reader in a chat.
    Unread {
        /// Where.
        chat: ChatId,
        /// How many.
        count: u64,
    },
    /// The reader's own place in a queue.
    Queue {
        /// Their conversation.
        conversation: ConversationId,
        /// From 1; `None` when it does not wait any more.
        position: Option<usize>,
        /// Expected wait in seconds, if one can be told.
        wait_s: Option<u64>,
    },
    /// Somebody writes, or has stopped.
    Typing {
        /// Where.
        chat: ChatId,
        /// Who.
        user: UserId,
        /// Whether they write.
        on: bool,
    },
    /// Somebody watched came or went.
    Presence {
        /// Who.
        user: UserId,
        /// Whether they are there.
        online: bool,
    },
}

impl Signal {
    /// Whether this one makes another one pointless.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unread { chat, .. }, Self::Unread { chat: other, .. }) => chat == other,
            (Self::Queue { conversation, .. }, Self::Queue { conversation: other, .. }) => conversation == other,
            (Self::Typing { chat, user, .. }, Self::Typing { chat: other_chat, user: other_user, .. }) => {
                (chat, user) == (other_chat, other_user)
            }
            (Self::Presence { user, .. }, Self::Presence { user: other, .. }) => user == other,
            (Self::Unread { .. } | Self::Queue { .. } | Self::Typing { .. } | Self::Presence { .. }, _) => false,
        }
    }

    /// Whether a device that polls is woken for it. Unread counts follow items, which woke it.
    #[must_use]
    pub const fn presses(&self) -> bool {
        match self {
            Self::Unread { .. } => false,
            Self::Queue { .. } | Self::Typing { .. } | Self::Presence { .. } => true,
        }
    }

    /// What the long poll calls it.
    #[must_use]
    pub const fn biz_code(&self) -> &'static str {
        match self {
            Self::Unread { .. } => "unread",
            Self::Queue { .. } => "queueing",
            Self::Typing { .. } => "typing",
            Self::Presence { .. } => "presence",
        }
    }
}

/// The frames that tell some signals: those about unread messages share one.
#[must_use]
pub fn frames(signals: &[Signal]) -> Vec<(&'static str, String)> {
    let mut frames = Vec::new();
    let unread: Vec<(ChatId, u64)> = signals
        .iter()
        .filter_map(|signal| match signal {
            Signal::Unread { chat, count } => Some((*chat, *count)),
            Signal::Queue { .. } | Signal::Typing { .. } | Signal::Presence { .. } => None,
        })
        .collect();
    if !unread.is_empty() {
        frames.push(("unread", unread_frame(&unread, false)));
    }
    frames.extend(signals.iter().filter_map(|signal| Some((signal.biz_code(), frame(signal)?))));
    frames
}

/// Unread messages by chat: of every chat that has some, or of those that changed.
#[must_use]
pub fn unread_frame(chats: &[(ChatId, u64)], whole: bool) -> String {
    let mut frame = String::with_capacity(48 + 48 * chats.len());
    frame.push_str("{\"t\":\"unread\",\"chats\":{");
    for (nth, (chat, count)) in chats.iter().enumerate() {
        let comma = if nth == 0 { "" } else { "," };
        write!(frame, "{comma}\"{chat}\":{count}").expect("writing to a string cannot fail");
    }
    write!(frame, "}},\"whole\":{whole}}}").expect("writing to a string cannot fail");
    frame
}

fn frame(signal: &Signal) -> Option<String> {
    match signal {
        Signal::Unread { .. } => None,
        Signal::Queue { conversation, position, wait_s } => {
            let (position, wait_s) = (or_null(position.map(|position| position as u64)), or_null(*wait_s));
            Some(format!("{{\"t\":\"queue\",\"conversation\":\"{conversation}\",\"position\":{position},\"wait_s\":{wait_s}}}"))
        }
        Signal::Typing { chat, user, on } => Some(format!("{{\"t\":\"typing\",\"chat\":\"{chat}\",\"user\":\"{user}\",\"on\":{on}}}")),
        Signal::Presence { user, online } => Some(format!("{{\"t\":\"presence\",\"user\":\"{user}\",\"online\":{online}}}")),
    }
}

fn or_null(number: Option<u64>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_is_one_frame_and_unread_counts_share_theirs() {
        let (chat, user) = (ChatId::from_u128(1), UserId::from_u128(2));
        let signals = [
            Signal::Unread { chat, count: 3 },
            Signal::Typing { chat, user, on: true },
            Signal::Unread { chat: ChatId::from_u128(4), count: 0 },
            Signal::Queue { conversation: ConversationId::from_u128(5), position: None, wait_s: Some(7) },
            Signal::Presence { user, online: false },
        ];
        let frames: Vec<serde_json::Value> = frames(&signals).iter().map(|(_, frame)| serde_json::from_str(frame).unwrap()).collect();
        assert_eq!(frames.len(), 4);
        assert_eq!(frames[0]["chats"].as_object().unwrap().len(), 2);
        assert_eq!(frames[0]["whole"], false);
        assert_eq!(frames[1]["on"], true);
        assert!(frames[2]["position"].is_null() && frames[2]["wait_s"] == 7);
        assert_eq!(frames[3]["online"], false);
    }

    #[test]
    fn a_signal_replaces_those_about_the_same_thing_only() {
        let (chat, user) = (ChatId::from_u128(1), UserId::from_u128(2));
        let typing = |user, on| Signal::Typing { chat, user, on };
        assert!(typing(user, false).replaces(&typing(user, true)));
        assert!(!typing(user, false).replaces(&typing(UserId::from_u128(3), true)));
        assert!(!Signal::Unread { chat, count: 1 }.replaces(&typing(user, true)));
    }
}
