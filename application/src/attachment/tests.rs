//! What was sealed is read again, in any range; and nothing else opens.

use proptest::prelude::*;

use super::*;
use crate::ports::key_store::SubjectKey;

const KEY: SubjectKey = SubjectKey([7; 32]);
const ID: AttachmentId = AttachmentId::from_u128(5);
const WRITING: Uuid = Uuid::from_u128(9);

const FIRST_FORMAT: &str = "4b41010000000000000000000000000000000900000000000000000000000000000001000000000000000000000000000000\
    02030000000000000009696d6167652f706e671700f997981040384e08428f7b69150b9b70139c72fc3e1ffcc9d78d77bdd7\
    46b6b5aee7751fe29fd3c71764d20bbf0b3c097bcaa2fd78616a052129e3c122004e0fc7a1467469c9dbf6cfc0f3c75d6353\
    0d2f4d00f722c6b515067792360c3c9d10";

const SECOND_FORMAT: &str = "4b41020000000000000000000000000000000900000000000000000000000000000001000000000000000000000000000000\
    020300000000000000040000000000000009696d6167652f706e671700f997981040384ef64c8c4386ff83e5cef9273b068b\
    5180c9d78d77bdd746b6b5e7c1fc7d48a978521ea1a5c94d95b0457bcaa2fd78616a052129e3c122004e0fc7a1467469c9db\
    f6cfc0f3c75d63530da50fbb09d2acaf4f78e4dfab5ffb34a4";

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

fn about() -> About {
    let (uploader, chat) = (UserId::from_u128(1), ChatId::from_u128(2));
    About { uploader, chat, at: Timestamp(3), use_by: Some(Timestamp(4)), media_type: "image/png".to_owned() }
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// Sealed, with the content handed over in pieces of this size.
fn stored(content: &[u8], piece: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut sealer = Sealer::begin(&KEY, (acme(), ID), WRITING, &about(), "猫.png", &mut out);
    for piece in content.chunks(piece) {
        sealer.push(piece, &mut out);
    }
    sealer.finish(&mut out);
    out
}

fn header(stored: &[u8]) -> Result<Header, Unreadable> {
    Header::read(acme(), ID, &stored[..stored.len().min(HEADER_BYTES_MAX)], stored.len() as u64)
}

fn slice(stored: &[u8], range: &std::ops::Range<u64>) -> Vec<u8> {
    stored[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()].to_vec()
}

fn read(stored: &[u8], range: std::ops::Range<u64>) -> Result<Vec<u8>, Unreadable> {
    let header = header(stored)?;
    header.content(&KEY, &range, &slice(stored, &header.place_of(&range)))
}

#[test]
fn the_header_tells_what_it_is_and_the_name_is_sealed() {
    let stored = stored(&content(10), 10);
    let header = header(&stored).unwrap();
    assert_eq!((&header.about, header.bytes), (&about(), 10));
    assert_eq!(header.name(&KEY).as_deref(), Ok("猫.png"));
    assert_eq!(header.name(&SubjectKey([8; 32])), Err(Unreadable::NotAuthentic));
    assert!(!stored.windows(4).any(|window| window == ".png".as_bytes()));
    assert_eq!(header.hash(&KEY, &slice(&stored, &header.place_of_footer())), Ok(*blake3::hash(&content(10)).as_bytes()));
}

#[test]
fn sizes_around_the_chunk_are_told_to_the_byte() {
    for bytes in [1, 15, 16, 17, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 1] {
        let stored = stored(&content(bytes), 7_777);
        assert_eq!(header(&stored).unwrap().bytes, bytes as u64);
        assert_eq!(read(&stored, 0..bytes as u64).unwrap(), content(bytes));
    }
}

/// Every format is read for ever: this is what programs wrote on its first day.
#[test]
fn the_bytes_of_the_first_format_stay_what_they_are() {
    let text = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    let stored: Vec<u8> = FIRST_FORMAT.as_bytes().chunks(2).map(text).collect();
    assert_eq!(header(&stored).unwrap().about, About { use_by: None, ..about() }, "what it held stays");
    assert_eq!(header(&stored).unwrap().name(&KEY).as_deref(), Ok("猫.png"));
    assert_eq!(read(&stored, 2..9).unwrap(), b"picture");
}

#[test]
fn the_bytes_of_the_second_format_stay_what_they_are() {
    let stored = stored(b"a picture", 4);
    let written: String = stored.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written, SECOND_FORMAT);
    assert_eq!(read(&stored, 2..9).unwrap(), b"picture");
}

#[test]
fn what_may_be_used_for_ever_says_so() {
    let mut out = Vec::new();
    let about = About { use_by: None, ..about() };
    let mut sealer = Sealer::begin(&KEY, (acme(), ID), WRITING, &about, "n", &mut out);
    sealer.push(b"x", &mut out);
    sealer.finish(&mut out);
    assert_eq!(header(&out).unwrap().about, about);
}

#[test]
fn the_longest_header_fits_the_first_bytes() {
    let about = About { media_type: "m".repeat(MEDIA_TYPE_BYTES_MAX), ..about() };
    let mut out = Vec::new();
    let mut sealer = Sealer::begin(&KEY, (acme(), ID), WRITING, &about, &"n".repeat(NAME_BYTES_MAX), &mut out);
    assert_eq!(out.len(), HEADER_BYTES_MAX);
    sealer.push(b"x", &mut out);
    sealer.finish(&mut out);
    assert_eq!(header(&out).unwrap().name(&KEY).unwrap().len(), NAME_BYTES_MAX);
}

#[test]
fn it_opens_in_its_own_place_and_under_its_own_key_only() {
    let stored = stored(&content(3 * CHUNK_BYTES), 1 << 20);
    let of = |tenant: &str, id| Header::read(tenant.parse().unwrap(), id, &stored[..HEADER_BYTES_MAX], stored.len() as u64).unwrap();
    let range = 0..10_u64;
    let open = |header: &Header, key| header.content(key, &range, &slice(&stored, &header.place_of(&range)));
    assert!(open(&of("acme", ID), &KEY).is_ok());
    assert_eq!(open(&of("other", ID), &KEY), Err(Unreadable::NotAuthentic));
    assert_eq!(open(&of("acme", AttachmentId::from_u128(6)), &KEY), Err(Unreadable::NotAuthentic));
    assert_eq!(open(&of("acme", ID), &SubjectKey([8; 32])), Err(Unreadable::NotAuthentic));
}

#[test]
fn a_chunk_that_was_moved_or_cut_off_does_not_open() {
    let whole = stored(&content(3 * CHUNK_BYTES), 1 << 20);
    let begin = whole.len() - FOOTER_BYTES - 3 * SEALED_CHUNK_BYTES;
    let mut swapped = whole.clone();
    let (first, second) = (begin..begin + SEALED_CHUNK_BYTES, begin + SEALED_CHUNK_BYTES..begin + 2 * SEALED_CHUNK_BYTES);
    swapped[first.clone()].copy_from_slice(&whole[second.clone()]);
    swapped[second].copy_from_slice(&whole[first]);
    assert_eq!(read(&swapped, 0..1), Err(Unreadable::NotAuthentic));
    // The last chunk left out, the footer put after the one before.
    let mut shorter = whole[..begin + 2 * SEALED_CHUNK_BYTES].to_vec();
    shorter.extend_from_slice(&whole[whole.len() - FOOTER_BYTES..]);
    let end = 2 * CHUNK_BYTES as u64;
    assert_eq!(read(&shorter, end - 1..end), Err(Unreadable::NotAuthentic));
}

#[test]
fn what_is_no_attachment_is_told_so() {
    let whole = stored(&content(10), 10);
    let mut newer = whole.clone();
    newer[2] = FORMAT + 1;
    assert_eq!(header(&newer), Err(Unreadable::NewerFormat { format: FORMAT + 1 }));
    for cut in 0..whole.len() {
        let header = header(&whole[..cut]);
        assert!(header.is_err() || read(&whole[..cut], 0..1).is_err(), "cut at {cut}");
    }
    assert_eq!(header(b"GIF89a and then some"), Err(Unreadable::Malformed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_range_of_any_content_is_read_as_it_was_written(bytes in 1_usize..200_000, piece in 1_usize..150_000, a in 0_usize..200_000, b in 1_usize..200_000) {
        let content = content(bytes);
        let stored = stored(&content, piece);
        let start = a % bytes;
        let end = start + 1 + b % (bytes - start);
        prop_assert_eq!(&read(&stored, start as u64..end as u64).unwrap(), &content[start..end]);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..900), total in any::<u64>(), magic in any::<bool>()) {
        let mut bytes = bytes;
        if magic && bytes.len() > 3 {
            bytes[..3].copy_from_slice(&[b'K', b'A', FORMAT]);
        }
        if let Ok(header) = Header::read(acme(), ID, &bytes, total) {
            let _ = header.name(&KEY);
            let _ = header.place_of(&(0..1));
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed(bit in 0_usize..8 * 300) {
        let mut stored = stored(&content(100), 100);
        let at = bit / 8 % stored.len();
        stored[at] ^= 1 << (bit % 8);
        let opens = || -> Result<bool, Unreadable> {
            let header = header(&stored)?;
            let hash = header.hash(&KEY, &slice(&stored, &header.place_of_footer()))?;
            Ok(header.name(&KEY)? == "猫.png" && hash == *blake3::hash(&read(&stored, 0..100)?).as_bytes())
        };
        prop_assert!(!opens().unwrap_or(false));
    }
}
