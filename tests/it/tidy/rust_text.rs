//! Reads the little of Rust's notation that the pages are compared with: fields of structs, variants of enums.

/// A public field of a struct.
#[derive(Debug, PartialEq)]
pub struct Field {
    pub name: String,
    pub kind: String,
    /// Its doc comment, in one line.
    pub doc: String,
    /// Whether serde leaves it out when there is nothing to say.
    pub may_be_absent: bool,
}

/// The public fields of `pub struct <name> { .. }`, in order; `None` when the text has no such struct.
pub fn fields(text: &str, name: &str) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    let (mut doc, mut may_be_absent) = (String::new(), false);
    for line in body(text, &format!("pub struct {name} {{"))? {
        if let Some(words) = line.strip_prefix("///") {
            doc = format!("{doc} {}", words.trim()).trim().to_owned();
        } else if line.starts_with("#[") {
            may_be_absent |= line.contains("skip_serializing_if");
        } else if let Some((name, kind)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(": ")) {
            let kind = kind.trim_end_matches(',').to_owned();
            fields.push(Field { name: name.to_owned(), kind, doc: std::mem::take(&mut doc), may_be_absent });
            may_be_absent = false;
        }
    }
    Some(fields)
}

/// The variants of `pub enum <name> { .. }` as serde's `snake_case` writes them; `None` when the text has no such enum.
pub fn variants(text: &str, name: &str) -> Option<Vec<String>> {
    let lines = body(text, &format!("pub enum {name} {{"))?;
    let mut depth = 0_usize;
    let mut variants = Vec::new();
    for line in lines.into_iter().filter(|line| !line.starts_with("///") && !line.starts_with("#[")) {
        if depth == 0 {
            let word: String = line.chars().take_while(char::is_ascii_alphanumeric).collect();
            variants.extend(Some(snake_case(&word)).filter(|word| !word.is_empty()));
        }
        depth = (depth + line.matches('{').count()).saturating_sub(line.matches('}').count());
    }
    Some(variants)
}

/// The trimmed lines from after the opening line to the brace that closes it.
fn body<'a>(text: &'a str, opening: &str) -> Option<Vec<&'a str>> {
    let mut lines = text.lines();
    let first = lines.find(|line| line.starts_with(opening))?;
    if first.ends_with('}') {
        return Some(Vec::new());
    }
    Some(lines.take_while(|line| !line.starts_with('}')).map(str::trim).collect())
}

/// `TakeOver` as `take_over`.
fn snake_case(word: &str) -> String {
    let mut written = String::new();
    for letter in word.chars() {
        if letter.is_ascii_uppercase() && !written.is_empty() {
            written.push('_');
        }
        written.push(letter.to_ascii_lowercase());
    }
    written
}

/// `take_over` as `TakeOver`.
pub fn camel_case(word: &str) -> String {
    let capital = |part: &str| part[..1].to_ascii_uppercase() + &part[1..];
    word.split('_').filter(|part| !part.is_empty()).map(capital).collect()
}

#[test]
fn fields_and_variants_are_read_from_the_text() {
    let text = "/// A.\npub struct A {\n    /// One. Default 1:\n    /// why.\n    #[serde(default, skip_serializing_if = \"Option::is_none\")]\n    pub one: Option<u8>,\n    pub two: Vec<B>,\n}\n\npub struct E {}\n\npub enum C {\n    /// X.\n    #[default]\n    TakeOver,\n    Given {\n        /// y.\n        y: u8,\n    },\n    Last(u8),\n}\n";
    let read = fields(text, "A").expect("there");
    assert_eq!(read[0], Field { name: "one".into(), kind: "Option<u8>".into(), doc: "One. Default 1: why.".into(), may_be_absent: true });
    assert_eq!((read[1].name.as_str(), read[1].may_be_absent, read.len()), ("two", false, 2));
    assert_eq!(fields(text, "E"), Some(vec![]));
    assert_eq!(fields(text, "F"), None);
    assert_eq!(variants(text, "C").expect("there"), ["take_over", "given", "last"]);
    assert_eq!(camel_case("take_over"), "TakeOver");
}
