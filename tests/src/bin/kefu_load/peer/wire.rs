//! The little of socket.io that the peer needs: Engine.IO 4 over a WebSocket, the packets of socket.io 5 in it.
//!
//! Source: <https://socket.io/docs/v4/engine-io-protocol/> and <https://socket.io/docs/v4/socket-io-protocol/>: a packet begins with
//! its types, a number by which an event asks to be acknowledged follows, and then JSON.

use std::io::Write;

use serde::Deserialize;

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// The transport is open.
    Open,
    /// The client is in the namespace.
    Joined,
    /// To be answered at once.
    Ping,
    /// What was sent under this number is stored.
    Ack {
        /// The number.
        number: u64,
    },
    /// Somebody else's message.
    Message {
        /// Their number for it.
        number: u64,
        /// What it says.
        text: String,
    },
    /// Anything else.
    Other,
}

#[derive(Deserialize)]
struct Message {
    number: u64,
    text: String,
}

/// Where a client connects that calls itself so.
pub fn path(name: &str) -> String {
    format!("/socket.io/?EIO=4&transport=websocket&user={name}")
}

/// Joins the namespace.
pub fn join(out: &mut Vec<u8>) {
    out.extend_from_slice(b"40");
}

/// Answers a ping.
pub fn pong(out: &mut Vec<u8>) {
    out.push(b'3');
}

/// Sends a message that is to be acknowledged under its number.
pub fn send(out: &mut Vec<u8>, number: u64, to: &str, text: &str) {
    // Writing to memory cannot fail.
    let _ = write!(out, r#"42{number}["send",{{"to":"{to}","number":{number},"text":"{text}"}}]"#);
}

/// Reads one packet.
pub fn hear(payload: &[u8]) -> Heard {
    match payload {
        [b'0', ..] => Heard::Open,
        [b'2'] => Heard::Ping,
        [b'4', b'0', ..] => Heard::Joined,
        [b'4', b'2', event @ ..] => match serde_json::from_slice::<(String, Message)>(event) {
            Ok((name, Message { number, text })) if name == "message" => Heard::Message { number, text },
            Ok(_) | Err(_) => Heard::Other,
        },
        [b'4', b'3', ack @ ..] => {
            let digits = ack.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let number = str::from_utf8(&ack[..digits]).ok().and_then(|digits| digits.parse().ok());
            number.map_or(Heard::Other, |number| Heard::Ack { number })
        }
        _ => Heard::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_socket_io_writes_them() {
        assert_eq!(hear(br#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#), Heard::Open);
        assert_eq!(hear(br#"40{"sid":"y"}"#), Heard::Joined);
        assert_eq!(hear(b"2"), Heard::Ping);
        assert_eq!(hear(br#"4312["7"]"#), Heard::Ack { number: 12 });
        let message = Heard::Message { number: 3, text: "您好".into() };
        assert_eq!(hear(r#"42["message",{"id":"7","number":3,"text":"您好"}]"#.as_bytes()), message);
        for other in [&b""[..], b"43", b"42[]", br#"42["else",{"number":1,"text":""}]"#, b"41", b"6"] {
            assert_eq!(hear(other), Heard::Other, "{other:?}");
        }
    }

    #[test]
    fn a_message_asks_for_its_acknowledgement() {
        let mut out = Vec::new();
        send(&mut out, 12, "a1", "hello");
        assert_eq!(out, br#"4212["send",{"to":"a1","number":12,"text":"hello"}]"#);
    }
}
