//! Further JSON of a message (`ext`): kept and handed on as it was written, and read by whoever gets the message.
//!
//! So it must be such that every reader can read it: one item that a client cannot parse would end its link, again and again.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::http::error::InputError;

/// Deepest nesting. Common readers give up at 128 levels, and a frame has some of its own; people write two or three.
pub const DEPTH_MAX: usize = 32;

/// The text to keep.
///
/// # Errors
/// [`InputError::Refused`] when it is nested too deep, or has a number that no reader can hold.
pub fn checked(ext: &RawValue) -> Result<String, InputError> {
    let refused = |reason| InputError::Refused { field: "ext", reason };
    let value: Value = serde_json::from_str(ext.get()).map_err(|_| refused("is nested too deep, or has a number that is too large"))?;
    if depth(&value) > DEPTH_MAX { Err(refused("is nested deeper than 32 levels")) } else { Ok(ext.get().to_owned()) }
}

/// Levels of a value; serde_json reads no more than 128.
fn depth(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<String, InputError> {
        checked(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn what_is_kept_is_kept_as_it_was_written() {
        let written = r#"{ "b":1.50, "a":[ ]}"#;
        assert_eq!(check(written).unwrap(), written);
    }

    #[test]
    fn the_deepest_nesting_is_kept_and_one_more_is_refused() {
        let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
        assert!(check(&nested(DEPTH_MAX)).is_ok());
        for levels in [DEPTH_MAX + 1, 127, 129, 8_000] {
            assert!(matches!(check(&nested(levels)), Err(InputError::Refused { field: "ext", .. })), "{levels}");
        }
        let objects = |levels| r#"{"a":"#.repeat(levels) + "1" + &"}".repeat(levels);
        assert!(check(&objects(DEPTH_MAX)).is_ok() && check(&objects(DEPTH_MAX + 1)).is_err());
    }

    #[test]
    fn a_number_that_nobody_can_hold_is_refused() {
        assert!(check("[1e308]").is_ok() && check("[1e309]").is_err());
    }
}
