//! Why a device is told to go, and how it is told.

/// Why a device is told to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bye {
    /// Its sign-in's time is over.
    Expired,
    /// Its sign-in was ended.
    Revoked,
    /// The account was closed.
    Deactivated,
    /// Its user signed in on too many other devices.
    Superseded,
    /// It did not read fast enough; it resumes by its index.
    Slow,
    /// The server stops; it connects again.
    Shutdown,
    /// It sent what is no frame of ours.
    BadFrame,
    /// It sent too much at once.
    TooBig,
    /// It is not signed in.
    Unauthorized,
    /// It did not say hello in time.
    NoHello,
    /// Its user has as many links as one may have; it comes back later.
    TooMany,
}

impl Bye {
    /// The code in the `bye` frame.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Deactivated => "deactivated",
            Self::Superseded => "superseded",
            Self::Slow => "slow",
            Self::Shutdown => "shutdown",
            Self::BadFrame | Self::TooBig => "bad_frame",
            Self::Unauthorized | Self::NoHello => "unauthorized",
            Self::TooMany => "too_many_sockets",
        }
    }

    /// The code of the WebSocket close frame.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Expired | Self::Revoked | Self::Deactivated | Self::Superseded | Self::Unauthorized => 4401,
            Self::BadFrame => 4400,
            Self::NoHello => 4408,
            Self::Slow | Self::TooMany => 1013,
            Self::Shutdown => 1012,
            Self::TooBig => 1009,
        }
    }

    /// In words.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Expired => "the sign-in has expired",
            Self::Revoked => "the sign-in was ended",
            Self::Deactivated => "the account was closed",
            Self::Superseded => "signed in on too many other devices",
            Self::Slow => "too many frames are waiting; connect again and resume after the last index",
            Self::Shutdown => "the server stops; connect again",
            Self::BadFrame => "not a frame of this protocol",
            Self::TooBig => "the frame is too large",
            Self::Unauthorized => "not signed in",
            Self::NoHello => "no hello in time",
            Self::TooMany => "as many links as one user may have are open; connect again later",
        }
    }
}
