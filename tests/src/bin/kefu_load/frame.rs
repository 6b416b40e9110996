//! RFC 6455 framing as a client needs it: masked text out, unmasked frames in. It must not know sockets or JSON.

use super::error::LoadError;

/// Longest payload that is taken from a server: a page of items is far below it.
pub const PAYLOAD_BYTES_MAX: u64 = 8 * 1024 * 1024;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// UTF-8 text.
    Text,
    /// The other side is done.
    Close,
    /// Must be answered by a pong with the same payload.
    Ping,
    /// The answer to a ping.
    Pong,
}

impl Opcode {
    const fn code(self) -> u8 {
        match self {
            Self::Text => 0x1,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    const fn of(code: u8) -> Option<Self> {
        match code {
            0x1 => Some(Self::Text),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xa => Some(Self::Pong),
            _ => None,
        }
    }
}

/// Appends one masked frame.
pub fn push_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], mask: u32) {
    out.push(FIN | opcode.code());
    match payload.len() {
        length @ 0..=125 => out.push(MASKED | length as u8),
        length @ 126..=0xffff => {
            out.push(MASKED | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let mask = mask.to_ne_bytes();
    out.extend_from_slice(&mask);
    let start = out.len();
    out.extend_from_slice(payload);
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let (chunks, rest) = out[start..].as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= key;
    }
}

/// What has arrived and is not yet taken.
#[derive(Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Inbox {
    /// Room to read into: at least some kilobytes.
    pub fn room(&mut self) -> &mut [u8] {
        const ROOM: usize = 4 * 1024;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.bytes.len() - self.end < ROOM {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.bytes.len() - self.end < ROOM {
                self.bytes.resize((self.end + ROOM).next_power_of_two(), 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// Says how much of the room was filled.
    pub fn filled(&mut self, bytes: usize) {
        self.end = (self.end + bytes).min(self.bytes.len());
    }

    /// Takes what stands before the end of an HTTP head, with it.
    pub fn take_head(&mut self) -> Option<&[u8]> {
        let all = &self.bytes[self.start..self.end];
        let length = all.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let start = self.start;
        self.start += length;
        Some(&self.bytes[start..start + length])
    }

    /// Takes the next whole frame; `None` if it is not there yet.
    pub fn take_frame(&mut self) -> Result<Option<(Opcode, &[u8])>, LoadError> {
        let all = &self.bytes[self.start..self.end];
        let [first, second, ..] = all else { return Ok(None) };
        if second & MASKED != 0 {
            return Err(LoadError::Protocol { what: "the server masked a frame" });
        }
        let (header, length) = match second & 0x7f {
            126 => match all.get(2..4) {
                Some(bytes) => (4, bytes.iter().fold(0, |length, byte| length << 8 | u64::from(*byte))),
                None => return Ok(None),
            },
            127 => match all.get(2..10) {
                Some(bytes) => (10, bytes.iter().fold(0, |length, byte| length << 8 | u64::from(*byte))),
                None => return Ok(None),
            },
            short => (2, u64::from(short)),
        };
        if length > PAYLOAD_BYTES_MAX {
            return Err(LoadError::Protocol { what: "the server sent a frame beyond any page" });
        }
        if first & FIN == 0 {
            return Err(LoadError::Protocol { what: "the server sent a message in fragments, which this client does not join" });
        }
        let opcode = Opcode::of(first & 0x0f).ok_or(LoadError::Protocol { what: "the server sent a frame that is not text" })?;
        let whole = header + length as usize;
        if all.len() < whole {
            return Ok(None);
        }
        let start = self.start;
        self.start += whole;
        Ok(Some((opcode, &self.bytes[start + header..start + whole])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(inbox: &mut Inbox, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = inbox.room();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            inbox.filled(count);
            bytes = &bytes[count..];
        }
    }

    /// A frame as a server would send it: the client's frame unmasked.
    fn server_frame(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        push_frame(&mut out, Opcode::Text, payload, 0);
        let header = out.len() - payload.len() - 4;
        out.drain(header..header + 4);
        out[1] &= !MASKED;
        out
    }

    #[test]
    fn a_payload_is_masked_byte_by_byte_whatever_its_length() {
        for length in [0, 1, 7, 8, 9, 125, 126, 127, 1000, 65_535, 65_536] {
            let payload: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let mut out = Vec::new();
            push_frame(&mut out, Opcode::Text, &payload, 0xdead_beef);
            let start = out.len() - length;
            let mask = &out[start - 4..start];
            let unmasked: Vec<u8> = out[start..].iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]).collect();
            assert_eq!(unmasked, payload, "{length}");
        }
    }

    #[test]
    fn frames_are_taken_whole_however_they_arrive() {
        let payloads: Vec<Vec<u8>> = [3, 126, 5_000, 70_000].iter().map(|length| vec![b'x'; *length]).collect();
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| server_frame(payload)).collect();
        for step in [1, 3, 1_000, stream.len()] {
            let mut inbox = Inbox::default();
            let mut taken = Vec::new();
            for piece in stream.chunks(step) {
                feed(&mut inbox, piece);
                while let Some((opcode, payload)) = inbox.take_frame().unwrap() {
                    assert_eq!(opcode, Opcode::Text);
                    taken.push(payload.to_vec());
                }
            }
            assert!(taken == payloads, "in steps of {step}");
        }
    }

    #[test]
    fn what_a_server_must_not_send_is_an_error() {
        for bytes in [&[0x81, 0x80, 0, 0, 0, 0][..], &[0x01, 0x01, b'x'], &[0x82, 0x00], &[0x81, 127, 1, 0, 0, 0, 0, 0, 0, 0]] {
            let mut inbox = Inbox::default();
            feed(&mut inbox, bytes);
            assert!(matches!(inbox.take_frame(), Err(LoadError::Protocol { .. })), "{bytes:?}");
        }
    }

    #[test]
    fn the_head_of_a_handshake_ends_at_the_blank_line() {
        let mut inbox = Inbox::default();
        feed(&mut inbox, b"HTTP/1.1 101 x\r\n");
        assert!(inbox.take_head().is_none());
        feed(&mut inbox, b"\r\n\x81\x01x");
        assert_eq!(inbox.take_head(), Some(&b"HTTP/1.1 101 x\r\n\r\n"[..]));
        assert_eq!(inbox.take_frame().unwrap(), Some((Opcode::Text, &b"x"[..])));
    }
}
