//! What is merely current: told beside the feed, without a number. A newer signal about the same thing replaces one that still waits.

use std::fmt::{self, Write};
use std::sync::Arc;

use application::queries::BoardRow;
use domain::ids::{ChatId, ClientMessageId, ConversationId, GroupId, UserId};
use domain::message::Visibility;

/// What a robot has written so far of a message to come. Its words are in the frame and nowhere else, logs included.
#[derive(Clone, PartialEq, Eq)]
pub struct Growing {
    /// The id that the message will come under.
    pub id: ClientMessageId,
    /// The whole text so far; empty when it was given up.
    pub content: Arc<str>,
    /// Who may see it.
    pub visibility: Visibility,
}

impl fmt::Debug for Growing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Growing").field("id", &self.id).field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}

/// Something that is so right now.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// How a watched group stands.
    Board(BoardRow),
    /// How a group stands is not told any more.
    BoardGone(GroupId),
    /// What a robot is writing.
    Chunk {
        /// Where.
        chat: ChatId,
        /// The robot.
        user: UserId,
        /// What it has so far.
        growing: Growing,
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
            (
                Self::Board(BoardRow { group, .. }) | Self::BoardGone(group),
                Self::Board(BoardRow { group: other, .. }) | Self::BoardGone(other),
            ) => group == other,
            // A robot writes one message at a time in a chat.
            (Self::Chunk { chat, user, .. }, Self::Chunk { chat: other_chat, user: other_user, .. }) => {
                (chat, user) == (other_chat, other_user)
            }
            (
                Self::Unread { .. }
                | Self::Queue { .. }
                | Self::Typing { .. }
                | Self::Presence { .. }
                | Self::Board(_)
                | Self::BoardGone(_)
                | Self::Chunk { .. },
                _,
            ) => false,
        }
    }

    /// Whether a device that polls is woken for it. Unread counts follow items, which woke it.
    #[must_use]
    pub const fn presses(&self) -> bool {
        match self {
            Self::Unread { .. } => false,
            Self::Queue { .. } | Self::Typing { .. } | Self::Presence { .. } | Self::Board(_) | Self::BoardGone(_) | Self::Chunk { .. } => {
                true
            }
        }
    }

    /// The bytes of text that it holds while it waits; all else is of a fixed size.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Chunk { growing, .. } => growing.content.len(),
            Self::Unread { .. }
            | Self::Queue { .. }
            | Self::Typing { .. }
            | Self::Presence { .. }
            | Self::Board(_)
            | Self::BoardGone(_) => 0,
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
            Self::Board(_) | Self::BoardGone(_) => "board",
            Self::Chunk { .. } => "chunk",
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
            Signal::Queue { .. }
            | Signal::Typing { .. }
            | Signal::Presence { .. }
            | Signal::Board(_)
            | Signal::BoardGone(_)
            | Signal::Chunk { .. } => None,
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
        Signal::Board(board) => Some(board_frame(board)),
        Signal::BoardGone(group) => Some(format!("{{\"t\":\"board\",\"group\":\"{group}\",\"gone\":true}}")),
        Signal::Chunk { chat, user, growing } => {
            let content = serde_json::to_string(&*growing.content).expect("a text can be written as JSON");
            let id = growing.id;
            Some(format!("{{\"t\":\"chunk\",\"chat\":\"{chat}\",\"user\":\"{user}\",\"id\":\"{id}\",\"content\":{content}}}"))
        }
    }
}

fn board_frame(board: &BoardRow) -> String {
    let BoardRow { group, waiting, left_messages, oldest_at, agents, on_service, free_slots, in_service } = board;
    let oldest_at = oldest_at.map_or_else(|| "null".to_owned(), |at| at.0.to_string());
    format!(
        "{{\"t\":\"board\",\"group\":\"{group}\",\"waiting\":{waiting},\"left_messages\":{left_messages},\"oldest_at\":{oldest_at},\"agents\":{agents},\
         \"on_service\":{on_service},\"free_slots\":{free_slots},\"in_service\":{in_service}}}"
    )
}

fn or_null(number: Option<u64>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

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
            Signal::Board(BoardRow { waiting: 2, oldest_at: Some(Timestamp(9)), ..BoardRow::empty("main".parse().unwrap()) }),
            chunk(user, "so \"far\"\n"),
            Signal::BoardGone("vip".parse().unwrap()),
        ];
        let frames: Vec<serde_json::Value> = frames(&signals).iter().map(|(_, frame)| serde_json::from_str(frame).unwrap()).collect();
        assert_eq!(frames.len(), 7);
        assert_eq!(frames[0]["chats"].as_object().unwrap().len(), 2);
        assert_eq!(frames[0]["whole"], false);
        assert_eq!(frames[1]["on"], true);
        assert!(frames[2]["position"].is_null() && frames[2]["wait_s"] == 7);
        assert_eq!(frames[3]["online"], false);
        let board = serde_json::json!({
            "t": "board", "group": "main", "waiting": 2, "left_messages": 0, "oldest_at": 9, "agents": 0, "on_service": 0, "free_slots": 0, "in_service": 0
        });
        assert_eq!(frames[4], board);
        assert_eq!((&frames[5]["t"], &frames[5]["content"]), (&"chunk".into(), &"so \"far\"\n".into()));
        assert_eq!(frames[6], serde_json::json!({"t": "board", "group": "vip", "gone": true}));
    }

    fn chunk(user: UserId, content: &str) -> Signal {
        let growing = Growing { id: ClientMessageId::from_u128(7), content: content.into(), visibility: Visibility::All };
        Signal::Chunk { chat: ChatId::from_u128(1), user, growing }
    }

    #[test]
    fn what_a_robot_writes_is_in_the_frame_and_in_no_log() {
        let signal = chunk(UserId::from_u128(2), "my card number is");
        assert!(!format!("{signal:?}").contains("card"));
        assert_eq!(signal.text_bytes(), 17);
    }

    #[test]
    fn a_signal_replaces_those_about_the_same_thing_only() {
        let (chat, user) = (ChatId::from_u128(1), UserId::from_u128(2));
        let typing = |user, on| Signal::Typing { chat, user, on };
        assert!(typing(user, false).replaces(&typing(user, true)));
        assert!(!typing(user, false).replaces(&typing(UserId::from_u128(3), true)));
        assert!(!Signal::Unread { chat, count: 1 }.replaces(&typing(user, true)));
        let board = |group: &str| Signal::Board(BoardRow::empty(group.parse().unwrap()));
        assert!(board("main").replaces(&board("main")) && !board("main").replaces(&board("vip")));
        let gone = Signal::BoardGone("main".parse().unwrap());
        assert!(gone.replaces(&board("main")) && board("main").replaces(&gone) && !gone.replaces(&board("vip")));
        assert!(chunk(user, "more").replaces(&chunk(user, "mo")) && !chunk(user, "more").replaces(&chunk(UserId::from_u128(3), "mo")));
        assert!(!chunk(user, "more").replaces(&typing(user, true)));
    }
}
