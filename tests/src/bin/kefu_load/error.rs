//! Everything that can stop a run. What merely goes wrong in a run is counted in the report instead.

use std::io;
use std::path::PathBuf;

use tests::dialogues::DialogueError;

/// See the file's head.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The address is none.
    #[error("{url:?} is no address of a server; it looks like http://127.0.0.1:8080")]
    InvalidUrl {
        /// As given.
        url: String,
    },
    /// This client has no TLS.
    #[error("{url:?} needs TLS, which kefu-load does not speak; give it the plain http address behind the TLS listener or proxy")]
    TlsNotSupported {
        /// As given.
        url: String,
    },
    /// An argument is outside its range.
    #[error("{argument}: {reason}")]
    InvalidArgument {
        /// The flag.
        argument: &'static str,
        /// What it must be.
        reason: &'static str,
    },
    /// The dialogues cannot be read.
    #[error("the dialogues cannot be read")]
    Dialogues(#[from] DialogueError),
    /// There is nothing to play.
    #[error("the file holds no dialogue")]
    NothingToPlay,
    /// The server could not be reached, again and again.
    #[error("{what}: no answer for {waited_s} s")]
    Unreachable {
        /// The request.
        what: String,
        /// How long it was tried.
        waited_s: u64,
        /// The last failure.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused a request that a run cannot go without.
    #[error("{what}: {status} {code}: {detail}")]
    Refused {
        /// The request.
        what: String,
        /// HTTP status.
        status: u16,
        /// The problem's code.
        code: String,
        /// The problem's detail.
        detail: String,
    },
    /// The server answered something that the contract does not hold.
    #[error("{what}: the answer lacks {field}")]
    Incomplete {
        /// The request.
        what: String,
        /// What is missing.
        field: &'static str,
    },
    /// A socket was refused or broke.
    #[error("the socket broke")]
    Socket(#[from] io::Error),
    /// The handshake was answered with something else.
    #[error("the server refused the connection: {answer}")]
    HandshakeRefused {
        /// The status line.
        answer: String,
    },
    /// The server said good-bye.
    #[error("the server ended the connection: {code}")]
    Bye {
        /// Why.
        code: String,
    },
    /// This run cut the connection.
    #[error("this run cut the connection")]
    Cut,
    /// The server broke the WebSocket protocol.
    #[error("{what}")]
    Protocol {
        /// How.
        what: &'static str,
    },
    /// The pairs did not come together.
    #[error("after {waited_s} s the desk has brought together {ready} of {pairs} pairs")]
    NotPaired {
        /// How many are ready.
        ready: usize,
        /// How many should be.
        pairs: usize,
        /// How long it was waited.
        waited_s: u64,
    },
    /// The disk's flush could not be measured.
    #[error("cannot measure a flush in {}", directory.display())]
    Flush {
        /// Where.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The server's process could not be killed or started again.
    #[error("{what}")]
    Chaos {
        /// Which step.
        what: &'static str,
        /// Why, if the system said so.
        #[source]
        source: Option<io::Error>,
    },
    /// A process is gone or not readable.
    #[error("process {pid} cannot be read")]
    Process {
        /// Which.
        pid: u32,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl LoadError {
    /// A short name, for counting.
    pub fn kind(&self) -> String {
        if let Self::Refused { code, status, .. } = self {
            return if code.is_empty() { format!("http_{status}") } else { code.clone() };
        }
        if let Self::Bye { code } = self {
            return format!("bye_{code}");
        }
        if let Self::Cut = self {
            return "cut".into();
        }
        if let Self::Unreachable { .. } = self {
            return "unreachable".into();
        }
        self.to_string()
    }
}
