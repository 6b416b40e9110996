//! Evidence is taken away and verified by what is in it alone; whatever is altered is found.

use adapters::outreach::verify::{Found, VerifyError, verify};
use application::log::commit;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// What happened: sent, too late, never wrote, from elsewhere, and to somebody who was nobody in particular when they wrote.
async fn evidence() -> String {
    let (world, li, chat) = somebody_wrote().await;
    let _ = reach_out(&world, order(&world, li.user(), "sent")).await.ok();
    let _ = world.say(&world.customer(ACME, "li").await, &chat, "thanks").await.ok();
    world.pass(Millis(THREE_DAYS.0 + 1)).await;
    assert_eq!(refusal(&reach_out(&world, order(&world, li.user(), "too late")).await).0, "too_old");
    let wang = world.customer(ACME, "wang").await;
    assert_eq!(refusal(&reach_out(&world, order(&world, wang.user(), "never wrote")).await).0, "no_message");
    let (_, _) = world.open_chat(&wang).await;
    let mut elsewhere = order(&world, wang.user(), "from elsewhere");
    elsewhere["entry"] = json!("shop_page");
    assert_eq!(refusal(&reach_out(&world, elsewhere).await).0, "entry_not_allowed");
    let visitor = world.visitor(ACME).await;
    let (new, _) = world.open_chat(&visitor).await;
    let _ = world.say(&visitor, &new, "hello?").await.ok();
    let merge = format!("/v1/tenants/acme/users/{}/merge", visitor.user());
    let _ = world.post(&Person::operator(), &merge, json!({"into": wang.user().to_string()})).await.ok();
    world.settle().await;
    let _ = reach_out(&world, order(&world, wang.user(), "hello, Wang")).await.ok();
    let governance = json!({"role": "governance", "display_name": "G", "login": "gov", "password": tests::people::PASSWORD});
    let _ = world.post(&Person::operator(), "/v1/tenants/acme/users", governance).await.ok();
    let governance = world.sign_in(ACME, "gov").await;
    let reply = world.get(&governance, &format!("{PATH}/evidence")).await;
    assert_eq!(reply.headers["content-type"], "application/jsonl");
    let text = String::from_utf8(reply.bytes.to_vec()).unwrap();
    assert!(!text.contains("is it in stock?") && !text.contains("too late"), "nobody's words leave the log");
    world.end().await;
    text
}

fn verified(text: &str) -> Result<Found, (usize, String)> {
    verify(text.as_bytes()).map_err(|error| match error {
        VerifyError::Faulty(fault) => (fault.line, fault.what),
        VerifyError::Unreadable(error) => panic!("{error}"),
    })
}

/// The same lines with an end that fits them: somebody who alters a file can do that.
fn mended(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    let attempts = lines.iter().filter(|line| line.starts_with("{\"attempt\"")).count();
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("{text}{{\"end\":{{\"attempts\":{attempts},\"hash\":\"{hash}\"}}}}\n")
}

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let _ = lines.pop().expect("an end");
    lines
}

/// Every value within a value that is none of others, altered.
fn altered(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(fields) => {
            let each = fields.iter().flat_map(|(name, field)| altered(field).into_iter().map(move |other| (name.clone(), other)));
            each.map(|(name, other)| {
                let mut fields = fields.clone();
                fields.insert(name, other);
                Value::Object(fields)
            })
            .collect()
        }
        Value::Array(items) => vec![Value::Array([items.as_slice(), &[json!(1)]].concat())],
        Value::Number(number) => vec![json!(number.as_i64().unwrap() + 1), json!(number.as_i64().unwrap() - 1), Value::Null],
        Value::String(text) => {
            let mut other = text.clone();
            other.pop();
            vec![json!(format!("{text}0")), json!(other), json!(text.replace(['0', 'e'], "1") + "1"), Value::Null]
        }
        Value::Null => vec![json!("something"), json!(1)],
        Value::Bool(_) => panic!("there are no such fields"),
    }
}

#[tokio::test]
async fn evidence_is_verified_and_every_single_alteration_is_found() {
    let text = evidence().await;
    let found = verified(&text).unwrap();
    assert_eq!((found.attempts, found.allowed, found.refused, found.taken_as_recorded), (5, 2, 3, 0));
    let lines = lines(&text);
    assert_eq!(mended(&lines), text, "the end is mended as it is written");

    // One byte, anywhere.
    for at in (0..text.len()).step_by(5) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        assert!(verify(bytes.as_slice()).is_err(), "byte {at}");
    }
    // One line, and the end is mended.
    for at in 0..lines.len() {
        let without: Vec<String> = [&lines[..at], &lines[at + 1..]].concat();
        let twice: Vec<String> = [&lines[..=at], &lines[at..]].concat();
        for other in [without, twice] {
            assert!(verified(&mended(&other)).is_err(), "line {}", at + 1);
        }
    }
    // One field of what is said, and the end is mended.
    for (at, line) in lines.iter().enumerate() {
        let value: Value = serde_json::from_str(line).unwrap();
        for other in altered(&value) {
            let mut lines = lines.clone();
            lines[at] = other.to_string();
            let (place, what) = verified(&mended(&lines)).expect_err(&lines[at]);
            assert!(place > 0 && !what.is_empty());
        }
    }
    // It breaks off.
    let end = text.lines().last().unwrap();
    assert!(verified(text.strip_suffix(&format!("{end}\n")).unwrap()).is_err());
    assert!(verified(text.trim_end()).is_err());
    assert!(verified(&format!("{text}\n")).is_err());
    assert!(verified("").is_err());
}

#[tokio::test]
async fn the_command_line_says_what_is_proven_or_which_line_is_wrong() {
    let text = evidence().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.jsonl");
    let run = |text: &str, json: bool| {
        std::fs::write(&file, text).unwrap();
        let mut said = Vec::new();
        let proven = adapters::outreach::command::run(&file, json, &mut said).unwrap();
        (proven, String::from_utf8(said).unwrap())
    };
    let (proven, said) = run(&text, false);
    assert!(proven && said.starts_with("5 attempts proven by "), "{said}");
    let (proven, said) = run(&text.replacen("order_page", "order_pagf", 1), false);
    assert_eq!((proven, said.as_str()), (false, "line 5: the attempt was made from another page\n"));
    let (proven, said) = run(&text.replacen("order_page", "order_pagf", 1), true);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((proven, &said["ok"], &said["fault"]["line"]), (false, &json!(false), &json!(5)));
    assert!(adapters::outreach::command::run(&folder.path().join("nothing"), false, &mut Vec::new()).is_err());
}

/// A commit with some bytes replaced, and a checksum that fits.
fn forged(line: &str, from: &[u8], to: &[u8]) -> Option<String> {
    assert_eq!(from.len(), to.len());
    let value: Value = serde_json::from_str(line).ok()?;
    let mut bytes = STANDARD.decode(value["commit"].as_str()?).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from)?;
    bytes[at..at + to.len()].copy_from_slice(to);
    let body = bytes.len() - 4;
    let crc = crc32c::crc32c(&bytes[..body]).to_le_bytes();
    bytes[body..].copy_from_slice(&crc);
    commit::check(&bytes).ok()?;
    Some(json!({"commit": STANDARD.encode(bytes)}).to_string())
}

#[tokio::test]
async fn bytes_that_are_forged_with_a_fitting_checksum_are_found() {
    let text = evidence().await;
    let lines = lines(&text);
    let mut tried = 0;
    for (from, to) in [
        // The newest message is not the customer's, or not a person's.
        (&b"\"category\":\"customer\""[..], &b"\"category\":\"customes\""[..]),
        // Somebody else made the attempt, from elsewhere, in another shop.
        (b"\"entry\":\"order_page\"", b"\"entry\":\"order_pagf\""),
        (b"\"entry\":\"shop_page\"", b"\"entry\":\"shop_pagf\""),
        (b"\"shop\":\"flagship\",\"customer\"", b"\"shop\":\"flagshiq\",\"customer\""),
        // Another age, another limit, another rule, another verdict.
        (b"\"age\":259200001", b"\"age\":259200000"),
        (b"\"age_max\":259200000", b"\"age_max\":259200001"),
        (b"\"rule\":1", b"\"rule\":2"),
        (b"too_old", b"too_olf"),
        (b"no_message", b"no_messagf"),
        (b"\"verdict\":\"allowed\"", b"\"verdict\":\"allowee\""),
        // The message was sent under no attempt.
        (b"{\"outreach\":{", b"{\"outreaci\":{"),
    ] {
        for at in 0..lines.len() {
            let Some(line) = forged(&lines[at], from, to) else { continue };
            tried += 1;
            let mut lines = lines.clone();
            lines[at] = line;
            assert!(verified(&mended(&lines)).is_err(), "{} in line {}", String::from_utf8_lossy(from), at + 1);
        }
    }
    assert!(tried >= 11, "every forgery was made somewhere: {tried}");
}

#[tokio::test]
async fn a_refusal_that_is_made_an_allowance_everywhere_is_found() {
    let text = evidence().await;
    let mut lines = lines(&text);
    let late = lines.iter().position(|line| line.starts_with("{\"attempt\"") && line.contains("too_old")).unwrap();
    let mut said: Value = serde_json::from_str(&lines[late]).unwrap();
    (said["attempt"]["verdict"], said["attempt"]["reason"]) = (json!("allowed"), Value::Null);
    lines[late] = said.to_string();
    let refused = &b"\"verdict\":{\"refused\":\"too_old\"}"[..];
    let allowed = &b"\"verdict\":\"allowed\"            "[..];
    for line in &mut lines[late + 1..] {
        if let Some(other) = forged(line, refused, allowed) {
            *line = other;
            break;
        }
    }
    let (_, what) = verified(&mended(&lines)).unwrap_err();
    assert_eq!(what, "it was allowed more than 72 hours after the customer's newest message");
}
