//! The fields of raw events that are counted by: each named once more, so that nothing is shared with how views read them.

use domain::conversation::event::ProviderAnswer;
use domain::ids::{ChatId, ClientMessageId, UserId};
use domain::message::{ChatRole, Visibility};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Opened {
    pub(super) customer: UserId,
}

#[derive(Deserialize)]
pub(super) struct Joined {
    pub(super) user: UserId,
    pub(super) role: ChatRole,
}

#[derive(Deserialize)]
pub(super) struct Created {
    pub(super) owner: UserId,
}

#[derive(Deserialize)]
pub(super) struct Invited {
    pub(super) user: UserId,
    pub(super) floor: u64,
}

#[derive(Deserialize)]
pub(super) struct Left {
    pub(super) user: UserId,
}

#[derive(Deserialize)]
pub(super) struct Replaced {
    pub(super) from: UserId,
    pub(super) into: UserId,
}

#[derive(Deserialize)]
pub(super) struct Posted {
    pub(super) seq: u64,
    pub(super) client_message: ClientMessageId,
    pub(super) sender: UserId,
    pub(super) visibility: Visibility,
}

#[derive(Deserialize)]
pub(super) struct Recalled {
    pub(super) seq: u64,
    #[serde(default)]
    pub(super) visibility: Visibility,
}

#[derive(Deserialize)]
pub(super) struct Hidden {
    pub(super) reader: UserId,
}

#[derive(Deserialize)]
pub(super) struct Read {
    pub(super) reader: UserId,
    pub(super) up_to_seq: u64,
    pub(super) shown_seq: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Begun {
    pub(super) chat: ChatId,
    pub(super) customer: UserId,
}

#[derive(Deserialize)]
pub(super) struct Assigned {
    pub(super) agent: UserId,
}

#[derive(Deserialize)]
pub(super) struct Ticket {
    pub(super) owner: Option<UserId>,
}

#[derive(Deserialize)]
pub(super) struct Answered {
    pub(super) answer: ProviderAnswer,
}

#[derive(Deserialize)]
pub(super) struct Resumed {
    pub(super) consumer: String,
    pub(super) verdict: String,
}
