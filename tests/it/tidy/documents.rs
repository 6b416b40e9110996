//! Every file that a page names is there.

use std::path::{Path, PathBuf};

use super::{expect_none, files_with_extension, quoted, root, text};

/// Folders of a running installation, which no checkout has.
const OF_AN_INSTALLATION: [&str; 5] = ["kefu-data/", "log/", "keys/", "attachments/", "target/"];

fn pages() -> impl Iterator<Item = PathBuf> {
    files_with_extension("md")
}

/// Lines outside of fenced blocks, with their numbers.
fn prose(page: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    (1..)
        .zip(page.lines())
        .filter(|(_, line)| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
        .collect()
}

/// Whether a quoted text claims to be a file or folder of the project.
fn is_path(quoted: &str) -> bool {
    let plain = quoted.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
    let last = quoted.rsplit('/').next().expect("split gives at least one part");
    plain && quoted.contains('/') && !quoted.starts_with(['/', '.']) && (last.is_empty() || Path::new(last).extension().is_some())
}

fn belongs_to_an_installation(path: &str) -> bool {
    OF_AN_INSTALLATION.iter().any(|folder| path.starts_with(folder))
}

#[test]
fn every_path_that_a_page_names_exists() {
    let mut complaints = Vec::new();
    for page in pages() {
        for (number, line) in prose(&text(&page)) {
            for path in quoted(line).iter().filter(|quoted| is_path(quoted) && !belongs_to_an_installation(quoted)) {
                if !root().join(path).exists() {
                    complaints.push(format!("{}:{number}: {path}", page.display()));
                }
            }
        }
    }
    expect_none(complaints);
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    let mut complaints = Vec::new();
    for page in pages() {
        let folder = root().join(page.parent().expect("a file lies in a folder"));
        for (number, line) in prose(&text(&page)) {
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
            for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
                if !folder.join(target).exists() {
                    complaints.push(format!("{}:{number}: {target}", page.display()));
                }
            }
        }
    }
    expect_none(complaints);
}

#[test]
fn every_page_is_named_in_the_readme() {
    let readme = text("README.md");
    let missing = files_with_extension("md").filter(|page| page.parent() == Some(Path::new("docs")));
    expect_none(missing.map(|page| page.display().to_string()).filter(|page| !readme.contains(page.as_str())).collect());
}

#[test]
fn a_path_is_told_from_other_quoted_words() {
    for path in ["docs/API.md", "tests/fixtures/events/", "a/b-c_d.rs"] {
        assert!(is_path(path), "{path}");
    }
    for other in ["application/json", "/v1/feed", "10.0.0.0/8", "main.rs", "chat-{tenant}.{id}", "make run", "https://x.example/a.html"] {
        assert!(!is_path(other), "{other}");
    }
}
