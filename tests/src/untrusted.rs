//! What must hold of every reader of untrusted bytes, whatever the bytes: it answers, and does not contradict itself. Used by the
//! fuzz targets and by the test that replays what they found.

use adapters::flows::diff::{changes, json};
use adapters::flows::text::read;
use domain::flow::check::Known;
use serde_json::Value;

/// Gives bytes to a reader and says whether it understood them; panics when it contradicts itself.
pub type Check = fn(&[u8]) -> bool;

/// Every reader, by the name of its fuzz target and of its folder of inputs.
pub const READERS: [(&str, Check); 6] =
    [("frame", frame), ("order", order), ("poll", poll), ("flow", flow), ("answer", answer), ("completion", completion)];

/// A frame of a socket.
pub fn frame(bytes: &[u8]) -> bool {
    understood_json(adapters::untrusted::frame, bytes)
}

/// The body of an order over a poll.
pub fn order(bytes: &[u8]) -> bool {
    understood_json(adapters::untrusted::order, bytes)
}

/// The body of a poll.
pub fn poll(bytes: &[u8]) -> bool {
    understood_json(adapters::untrusted::poll, bytes)
}

/// What a robot elsewhere answers.
pub fn answer(bytes: &[u8]) -> bool {
    understood_json(adapters::untrusted::answer, bytes)
}

/// What a language model answers: the same however it is cut on its way.
pub fn completion(bytes: &[u8]) -> bool {
    let whole = adapters::untrusted::completion(bytes, bytes.len().max(1));
    for part in [1, 7] {
        assert_eq!(adapters::untrusted::completion(bytes, part), whole, "in parts of {part}");
    }
    whole.is_some()
}

/// What is understood once is understood in any other spelling of the same JSON, and neither half nor with anything more.
fn understood_json(reader: fn(&[u8]) -> bool, bytes: &[u8]) -> bool {
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

/// A flow in YAML. One that is in order is the same flow in JSON, and none with a key that nobody knows; of one that is not, every
/// fault says what to write instead, and where, within the text.
pub fn flow(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match read(text, &Known::default()) {
        Ok(flow) => {
            let mut value = json(&flow);
            let again = read(&value.to_string(), &Known::default());
            assert_eq!(again.as_ref(), Ok(&flow), "the same in JSON is not the same: {value}");
            assert_eq!(changes(&flow, &flow), []);
            value["no key of ours"] = Value::Null;
            assert!(read(&value.to_string(), &Known::default()).is_err(), "a key that is none of ours is understood");
            true
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            for fault in faults {
                assert!(!fault.problem.is_empty() && !fault.remedy.is_empty(), "{fault:?}");
                // A line more, for what is missing at the end.
                let lines = text.split(['\n', '\r']).count() as u64;
                assert!(fault.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{fault:?} of {lines} lines");
            }
            false
        }
    }
}
