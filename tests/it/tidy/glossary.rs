//! `docs/GLOSSARY.md` explains the words that the code is written in.

use std::collections::BTreeSet;

use domain::event::Event;

use super::{expect_none, files, table, text};

/// First cell of every row of every table.
fn words() -> Vec<String> {
    table(&text("docs/GLOSSARY.md"), "# Words").into_iter().map(|row| row[0].replace(['*', '`'], "")).collect()
}

#[test]
fn every_aggregate_has_its_sentence() {
    let words = words();
    let of_events = Event::types().filter_map(|stored| stored.name.split_once('.')).map(|(aggregate, _)| aggregate.to_owned());
    let of_folders = files().into_iter().filter(|path| path.ends_with("decide.rs") && path.starts_with("domain"));
    let of_folders = of_folders.filter_map(|path| Some(path.parent()?.file_name()?.to_str()?.to_owned()));
    let aggregates: BTreeSet<String> = of_events.chain(of_folders).collect();
    assert!(aggregates.len() >= 5, "{aggregates:?}");
    expect_none(aggregates.into_iter().filter(|aggregate| !words.contains(aggregate)).collect());
}

#[test]
fn a_word_is_explained_once_in_one_sentence_with_its_chinese_name() {
    let mut seen = BTreeSet::new();
    let mut complaints = Vec::new();
    for row in table(&text("docs/GLOSSARY.md"), "# Words") {
        let [word, meaning, chinese] = row.as_slice() else { panic!("a row has three cells: {row:?}") };
        if !seen.insert(word.clone()) {
            complaints.push(format!("{word}: twice"));
        }
        if !meaning.ends_with('.') || meaning.trim_end_matches('.').contains(". ") {
            complaints.push(format!("{word}: one sentence"));
        }
        if chinese.is_ascii() {
            complaints.push(format!("{word}: its Chinese name"));
        }
    }
    expect_none(complaints);
}
