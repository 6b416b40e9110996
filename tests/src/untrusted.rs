//! What must hold of every reader of untrusted bytes, whatever the bytes: it answers, and what it understands once it understands
//! in any other spelling of the same JSON. Used by the fuzz targets and by the test that replays what they found.

use serde_json::Value;

/// A reader, by the name of its fuzz target and of its folder of inputs.
pub type Reader = (&'static str, fn(&[u8]) -> bool);

/// Every reader.
pub const READERS: [Reader; 3] =
    [("frame", adapters::untrusted::frame), ("order", adapters::untrusted::order), ("poll", adapters::untrusted::poll)];

/// Gives bytes to a reader.
///
/// # Panics
/// When the reader contradicts itself.
pub fn check(reader: fn(&[u8]) -> bool, bytes: &[u8]) -> bool {
    let understood = reader(bytes);
    if understood {
        let value: Value = serde_json::from_slice(bytes).expect("what was understood is JSON");
        assert!(value.is_object(), "what was understood is an object");
        assert!(reader(value.to_string().as_bytes()), "another spelling is not understood: {value}");
        assert!(!reader(&bytes[..bytes.iter().rposition(|byte| *byte == b'}').expect("an object ends")]), "half of it is understood");
        let mut more = value;
        more["no field of ours"] = Value::Null;
        assert!(!reader(more.to_string().as_bytes()), "a field that is none of ours is understood");
    }
    understood
}
