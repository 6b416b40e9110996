//! A quick look into one flat JSON object: its keys and the raw text of their values, in one pass and without allocating.
//!
//! It trusts the sender to be a JSON writer: text that is not JSON yields fewer fields, never a panic. Text is only unescaped
//! where somebody asks for it. It must not know which fields there are.

use std::borrow::Cow;

/// The fields of an object, in the order in which they are written.
pub struct Fields<'a> {
    text: &'a [u8],
    at: usize,
}

/// The fields of the object that starts at the first `{`.
pub fn fields(text: &[u8]) -> Fields<'_> {
    let at = text.iter().position(|byte| *byte == b'{').map_or(text.len(), |at| at + 1);
    Fields { text, at }
}

/// The objects of an array, as raw text.
pub fn elements(array: &[u8]) -> Elements<'_> {
    let at = array.iter().position(|byte| *byte == b'[').map_or(array.len(), |at| at + 1);
    Elements { text: array, at }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let key_at = skip_blank(self.text, self.at, b',');
        if *self.text.get(key_at)? != b'"' {
            return None;
        }
        let key_end = end_of_string(self.text, key_at)?;
        let value_at = skip_blank(self.text, key_end, b':');
        let value_end = end_of_value(self.text, value_at)?;
        self.at = value_end;
        Some((&self.text[key_at + 1..key_end - 1], &self.text[value_at..value_end]))
    }
}

/// See [`elements`].
pub struct Elements<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let at = skip_blank(self.text, self.at, b',');
        if *self.text.get(at)? == b']' {
            return None;
        }
        let end = end_of_value(self.text, at)?;
        self.at = end;
        Some(&self.text[at..end])
    }
}

/// The value of one field.
pub fn field<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields(text).find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
}

/// What stands between the quotes of a raw string value, escapes and all. `null` and other values give `None`.
pub fn raw_text(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// A string value with its escapes undone.
pub fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    let raw = raw_text(value)?;
    if raw.contains(&b'\\') {
        return serde_json::from_slice::<String>(value).ok().map(Cow::Owned);
    }
    std::str::from_utf8(raw).ok().map(Cow::Borrowed)
}

/// A non-negative whole number.
pub fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 19 {
        return None;
    }
    value.iter().try_fold(0_u64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

/// An id: 32 hexadecimal digits in quotes.
pub fn id(value: &[u8]) -> Option<u128> {
    let raw = raw_text(value)?;
    if raw.len() != 32 {
        return None;
    }
    raw.iter().try_fold(0_u128, |id, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return None,
        };
        Some(id << 4 | u128::from(digit))
    })
}

fn skip_blank(text: &[u8], mut at: usize, separator: u8) -> usize {
    while let Some(byte) = text.get(at) {
        if *byte != separator && !byte.is_ascii_whitespace() {
            break;
        }
        at += 1;
    }
    at
}

/// The place after the closing quote of the string that opens at `at`.
fn end_of_string(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn end_of_value(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => end_of_string(text, at),
        b'{' | b'[' => {
            let (mut at, mut depth) = (at, 0_usize);
            loop {
                match text.get(at)? {
                    b'"' => {
                        at = end_of_string(text, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        _ => {
            let length = text[at..].iter().position(|byte| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace())?;
            (length > 0).then_some(at + length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: &[u8] =
        br#"{"t":"item", "i":12,"m":{"content":"a \"}\" b","n":[1,{"x":2}],"from":null},"chat":"0123456789abcdef0123456789ABCDEF" }"#;

    #[test]
    fn fields_come_raw_and_nested_values_whole() {
        let keys: Vec<&str> = fields(ITEM).map(|(key, _)| std::str::from_utf8(key).unwrap()).collect();
        assert_eq!(keys, ["t", "i", "m", "chat"]);
        assert_eq!(field(ITEM, "i").and_then(number), Some(12));
        assert_eq!(field(ITEM, "chat").and_then(id), Some(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
        let message = field(ITEM, "m").unwrap();
        assert_eq!(field(message, "content").and_then(text).as_deref(), Some(r#"a "}" b"#));
        assert_eq!(field(message, "n"), Some(&br#"[1,{"x":2}]"#[..]));
        assert_eq!(field(message, "from").and_then(raw_text), None);
    }

    #[test]
    fn elements_of_an_array_come_one_by_one() {
        let all: Vec<&[u8]> = elements(br#" [ {"a":"]"} , {"b":[1]},3 ]"#).collect();
        assert_eq!(all, [&br#"{"a":"]"}"#[..], br#"{"b":[1]}"#, b"3"]);
        assert_eq!(elements(b"[]").count(), 0);
    }

    #[test]
    fn what_is_no_json_ends_the_fields_and_never_panics() {
        for cut in 0..ITEM.len() {
            let _ = fields(&ITEM[..cut]).count();
            let _ = elements(&ITEM[..cut]).count();
        }
        assert_eq!(fields(b"{]}").count(), 0);
        assert_eq!(fields(b"{\"a\":}]").count(), 0, "a value that closes before it opens");
    }

    #[test]
    fn numbers_and_ids_are_checked() {
        assert_eq!((number(b"-1"), number(b""), number(b"99999999999999999999"), number(b"1.5")), (None, None, None, None));
        assert_eq!((id(b"\"12\""), id(b"null"), id(b"\"zz23456789abcdef0123456789abcdef\"")), (None, None, None));
    }
}
