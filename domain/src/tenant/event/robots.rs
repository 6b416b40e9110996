//! What happens to the robots that a tenant has elsewhere, as it is stored.

use serde::{Deserialize, Serialize};

use super::SharedSecret;
use crate::labels::Label;
use crate::private::Private;
use crate::time::Millis;

/// How a robot is talked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RobotProtocol {
    /// A signed request for each question, answered at once.
    Http,
    /// As servers of language models do: the conversation so far goes out, and the answer comes in pieces.
    ChatCompletions,
}

/// One thing that a robot is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RobotUse {
    /// It receives customers where a flow says so.
    Seat,
    /// It suggests answers to those who serve.
    Assist,
    /// It scores agents, where a flow asks it to.
    Scorer,
}

/// What a tenant says of a robot that it has elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotSettings {
    /// Where it is asked.
    pub url: String,
    /// The language model that is asked for, of chat completions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the language model is told first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
}

/// A robot is connected, or is connected otherwise from here on. With another protocol than before its secret is void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotConnected {
    /// Its name among the tenant's seats.
    pub robot: Label,
    /// How it is talked with.
    pub protocol: RobotProtocol,
    /// What it is there for.
    pub uses: Vec<RobotUse>,
    /// How long it may take for an answer.
    pub time_out: Millis,
    /// Its address, and what a language model is told.
    #[serde(skip)]
    pub private: Private<RobotSettings>,
}

/// Whatever the robot is asked is signed with this secret from here on, or carries this key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotSecretSet {
    /// Which.
    pub robot: Label,
    /// The secret, or the key.
    #[serde(skip)]
    pub private: Private<SharedSecret>,
}

/// The robot is asked nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotDisconnected {
    /// Which.
    pub robot: Label,
}
