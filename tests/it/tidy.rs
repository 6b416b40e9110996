//! What prose promises is checked here: headers, sizes, arrows, and every page of `docs/` against the code it describes.
//!
//! The checks read text. A message says what to change, and where.

mod api_page;
mod command_line;
mod config_page;
mod dependencies;
mod documents;
mod events_page;
mod glossary;
mod rust_text;
mod sources;

use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours, or nothing that was written by hand.
const PASSED_OVER: [&str; 5] = ["target", "kefu-data", "node_modules", "dist", ".git"];

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a member of the workspace").to_owned()
}

/// Every file of the project, as a path from the root.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder can be listed") {
            let entry = entry.expect("a folder can be listed");
            let name = entry.file_name();
            let kind = entry.file_type().expect("a file has a kind");
            if kind.is_dir() && !PASSED_OVER.iter().any(|folder| name == *folder) {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path().strip_prefix(root()).expect("it was found there").to_owned());
            }
        }
    }
    found.sort();
    found
}

fn files_with_extension(extension: &str) -> impl Iterator<Item = PathBuf> {
    files().into_iter().filter(move |path| path.extension().is_some_and(|found| found == extension))
}

/// The text of a file, by its path from the root.
fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of every table row in the part of a page that starts at a heading and ends at the next one of the same rank or higher;
/// head and ruler are left out.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let rank = heading.bytes().take_while(|byte| *byte == b'#').count();
    let starts_part = |line: &str| (1..=rank).any(|rank| line.starts_with(&format!("{} ", "#".repeat(rank))));
    let mut lines = page.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "no heading {heading:?}");
    let rows: Vec<Vec<String>> = lines.take_while(|line| !starts_part(line)).filter_map(cells).collect();
    let is_ruler = |row: &Vec<String>| row.iter().all(|cell| !cell.is_empty() && cell.bytes().all(|byte| b"-:".contains(&byte)));
    let head = |at: usize| rows.get(at + 1).is_some_and(is_ruler);
    (0..rows.len()).filter(|at| !is_ruler(&rows[*at]) && !head(*at)).map(|at| rows[at].clone()).collect()
}

fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

/// What stands between backticks in a line.
fn quoted(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Fails with every complaint at once, so that one run shows all there is to do.
#[track_caller]
fn expect_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n  {}\n", complaints.join("\n  "));
}

#[test]
fn a_table_is_read_without_its_head_and_up_to_the_next_part() {
    let page = "# A\n| x |\n|---|\n| not this |\n\n## B\n\n| n | m |\n|---|:-:|\n| `1` | 2 |\n\ntext\n\n### C\n| a |\n|---|\n| 3 |\n\n## D\n| 4 |\n";
    assert_eq!(table(page, "## B"), [vec!["`1`", "2"], vec!["3"]]);
    assert_eq!(quoted("a `b` c `d/e.rs`."), ["b", "d/e.rs"]);
}
