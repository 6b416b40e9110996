//! Settings of devices' sockets.

use std::time::Duration;

use serde::Deserialize;

/// Settings of devices' sockets.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebSocketConfig {
    /// Frames that may wait for a device. Default 4,096: some seconds of a busy agent's feed; a slower device is told `slow` and
    /// resumes by index.
    pub queue_frames_max: usize,
    /// Bytes that may wait for a device. Default 1 MiB, so that 10,000 stuck devices cannot take more than 10 GiB.
    pub queue_bytes_max: usize,
    /// Orders of a device that may be on their way into the log. Default 64; more are not read from the socket until one is done.
    pub orders_in_flight_max: usize,
    /// Seconds for the first frame. Default 10.
    pub hello_timeout_s: u16,
    /// Seconds of silence after which the server pings. Default 25: below the idle limit of common proxies.
    pub ping_after_s: u16,
    /// Seconds of silence after which a device counts as gone. Default 75: two pings went unanswered.
    pub dead_after_s: u16,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self {
            queue_frames_max: 4_096,
            queue_bytes_max: 1024 * 1024,
            orders_in_flight_max: 64,
            hello_timeout_s: 10,
            ping_after_s: 25,
            dead_after_s: 75,
        }
    }
}

impl WebSocketConfig {
    /// See [`Self::hello_timeout_s`].
    #[must_use]
    pub fn hello_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.hello_timeout_s))
    }

    /// See [`Self::ping_after_s`].
    #[must_use]
    pub fn ping_after(&self) -> Duration {
        Duration::from_secs(u64::from(self.ping_after_s))
    }

    /// See [`Self::dead_after_s`].
    #[must_use]
    pub fn dead_after(&self) -> Duration {
        Duration::from_secs(u64::from(self.dead_after_s))
    }
}
