//! Every source file says what it is for, holds one idea, and carries nothing of the machine it was written on.

use super::{expect_none, files, files_with_extension, root, text};

/// No file is longer.
const LINES_MAX: usize = 600;
/// A longer file needs a reason in [`LONG`].
const LINES_WITHOUT_A_REASON: usize = 400;
/// Long files, and why each is better in one piece.
const LONG: [(&str, &str); 5] = [
    ("adapters/src/http/error.rs", "the one table from errors to status codes: split, it would be several tables"),
    ("application/src/log/commit.rs", "builder and reader of one byte layout are proof-read side by side"),
    ("application/src/owner.rs", "one state machine; its parts that stand alone are files beside it"),
    ("application/src/queries.rs", "every question with its answer, plain data"),
    ("tests/src/bin/kefu_load/pairs/talk.rs", "the hot path of the generator, with its tests beside it"),
];

#[test]
fn every_source_file_begins_with_what_it_is_for() {
    for (extension, begin) in [("rs", "//!"), ("ts", "/**"), ("css", "/*")] {
        let silent = files_with_extension(extension).filter(|path| !text(path).starts_with(begin));
        expect_none(silent.map(|path| format!("{}: begin with {begin} and a sentence", path.display())).collect());
    }
}

#[test]
fn a_long_file_has_a_reason_and_a_very_long_one_has_none() {
    let mut complaints = Vec::new();
    for path in files_with_extension("rs").chain(files_with_extension("ts")) {
        let lines = text(&path).lines().count();
        let name = path.to_str().expect("file names are ascii");
        let reason = LONG.iter().find(|(long, _)| *long == name);
        if lines > LINES_MAX {
            complaints.push(format!("{name}: {lines} lines, at most {LINES_MAX}"));
        } else if lines > LINES_WITHOUT_A_REASON && reason.is_none() {
            complaints.push(format!("{name}: {lines} lines; over {LINES_WITHOUT_A_REASON} it needs a reason in tests/it/tidy/sources.rs"));
        } else if lines <= LINES_WITHOUT_A_REASON && reason.is_some() {
            complaints.push(format!("{name}: only {lines} lines; take it off the list in tests/it/tidy/sources.rs"));
        }
    }
    complaints.extend(LONG.iter().filter(|(name, _)| !root().join(name).exists()).map(|(name, _)| format!("{name}: is not there")));
    expect_none(complaints);
}

/// A fact that was just decided has its private half open, one that is read again has it closed: whoever looked would not come to
/// the same a second time.
#[test]
fn what_can_be_rebuilt_never_looks_at_a_private_half() {
    let rebuilt = |path: &std::path::Path| path.starts_with("projections/src") || path.starts_with("application/src/policies");
    let looking = files_with_extension("rs").filter(|path| rebuilt(path)).flat_map(|path| {
        let looks = |line: &str| [".private", "Private::", "private_state"].iter().any(|look| line.contains(look));
        let lines: Vec<usize> = (1..).zip(text(&path).lines()).filter(|(_, line)| looks(line)).map(|(number, _)| number).collect();
        lines.into_iter().map(move |number| format!("{}:{number}: leave private halves alone", path.display()))
    });
    expect_none(looking.collect());
}

#[test]
fn nothing_is_left_to_do_and_no_path_leads_out_of_the_project() {
    // Put together here, so that this file does not hold them itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("db", "g!(")];
    let paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut complaints = Vec::new();
    for path in files() {
        // What is not text has no words.
        let Ok(content) = std::fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in (1..).zip(content.lines()) {
            for word in marks.iter().chain(&paths).filter(|word| line.contains(**word)) {
                complaints.push(format!("{}:{number}: {word}", path.display()));
            }
        }
    }
    expect_none(complaints);
}
