//! Whatever bytes are found in the place of a commit, reading them ends in an answer or a typed error.

use application::log::codec::{self, DecodeError, Reading};
use application::log::commit::{self, InvalidCommit};
use application::ports::key_store::{KeyState, SubjectKey};
use proptest::prelude::*;

use super::commits::stored;
use super::{FixedKeys, SUBJECT, stream_of};

/// CRC-32C, bit by bit and apart from the code under test.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 })
    })
}

/// Writes a checksum that fits what stands before it.
fn checksummed(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(body) = bytes.len().checked_sub(4) {
        let crc = crc32c(&bytes[..body]);
        bytes[body..].copy_from_slice(&crc.to_le_bytes());
    }
    bytes
}

/// Goes every way that a reader can go. It must come back, whatever it finds.
fn read_in_every_way(bytes: &[u8]) {
    let _ = commit::check(bytes);
    let _ = commit::header(bytes);
    let keys = FixedKeys::with_the_key();
    for raw in commit::events(bytes).into_iter().flatten().flatten() {
        for stream in ["chat.opened", "user.registered", "tenant.created"].map(stream_of) {
            for reading in [Reading::Closed, Reading::Open(&keys)] {
                let _ = codec::decode(&stream, &raw, reading);
            }
        }
    }
}

#[test]
fn every_single_flipped_bit_is_noticed() {
    let bytes = stored();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(commit::check(&damaged), Err(InvalidCommit::Checksum), "bit {bit}");
    }
}

#[test]
fn a_commit_that_was_cut_off_is_no_commit() {
    let bytes = stored();
    for length in 0..bytes.len() {
        assert!(commit::check(&bytes[..length]).is_err(), "cut to {length} bytes");
        read_in_every_way(&bytes[..length]);
    }
}

#[test]
fn a_commit_of_a_newer_format_says_so() {
    for format in [2, 3, u8::MAX] {
        let mut bytes = stored();
        bytes[2] = format;
        assert_eq!(commit::check(&checksummed(bytes)), Err(InvalidCommit::NewerFormat { format }));
    }
}

#[test]
fn format_zero_and_other_magic_were_never_written() {
    let mut bytes = stored();
    bytes[2] = 0;
    assert_eq!(commit::check(&checksummed(bytes)), Err(InvalidCommit::Malformed { what: "format" }));
    let mut bytes = stored();
    bytes[0] = b'X';
    assert_eq!(commit::check(&checksummed(bytes)), Err(InvalidCommit::Malformed { what: "magic" }));
}

#[test]
fn a_sealed_half_that_was_changed_or_has_another_key_is_not_authentic() {
    let bytes = stored();
    let stream = stream_of("chat.message_posted");
    let raw = commit::events(&bytes).expect("a commit").nth(1).expect("two events").expect("an event");
    let other_key = FixedKeys([(SUBJECT, KeyState::Present(SubjectKey([9; 32])))].into());
    let refused = codec::decode(&stream, &raw, Reading::Open(&other_key));
    assert!(matches!(refused, Err(DecodeError::NotAuthentic { ref name }) if name == "chat.message_posted"), "{refused:?}");

    let (subject, sealed) = raw.sealed.expect("sealed");
    for at in 0..sealed.len() {
        let mut changed = sealed.to_vec();
        changed[at] ^= 1;
        let raw = commit::RawEvent { sealed: Some((subject, &changed)), ..raw };
        let refused = codec::decode(&stream, &raw, Reading::Open(&FixedKeys::with_the_key()));
        assert!(matches!(refused, Err(DecodeError::NotAuthentic { .. })), "byte {at}");
    }
    let elsewhere = codec::decode(&stream_of("tenant.created"), &raw, Reading::Open(&FixedKeys::with_the_key()));
    assert!(matches!(elsewhere, Err(DecodeError::NotAuthentic { .. })), "moved into another stream");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        read_in_every_way(&bytes);
        read_in_every_way(&checksummed(bytes));
    }

    #[test]
    fn a_mutated_commit_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        appended in prop::collection::vec(any::<u8>(), 0..16),
    ) {
        let mut bytes = stored();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(appended);
        read_in_every_way(&bytes);
        read_in_every_way(&checksummed(bytes));
    }
}
