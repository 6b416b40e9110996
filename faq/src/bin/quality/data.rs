//! The retrieval sets of `shared/data`, whose README tells their format. It knows no model.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

/// A topic set: known phrasings by topic, and queries with the right topic.
pub struct Set {
    /// The name of its directory.
    pub name: &'static str,
    /// The phrasings of each topic.
    pub topics: Vec<Vec<String>>,
    /// What is asked, and the right topic's place; none if nothing fits.
    pub queries: Vec<(String, Option<u32>)>,
}

/// The topic sets there are.
pub const NAMES: [&str; 4] = ["hint3_curekart", "banking77", "clinc150", "bitext"];

/// Reads a set.
///
/// # Errors
/// What is missing or not as the README has it.
pub fn read(directory: &Path, name: &'static str) -> Result<Set, String> {
    let phrasings = rows(&directory.join(name).join("corpus.jsonl.gz"), |row| Some((text(row, "question")?, text(row, "answer")?)))?;
    let mut names: Vec<&String> = phrasings.iter().map(|phrasing| &phrasing.1).collect();
    names.sort();
    names.dedup();
    let mut topics = vec![Vec::new(); names.len()];
    for (question, topic) in &phrasings {
        topics[names.partition_point(|name| *name < topic)].push(question.clone());
    }
    let right = |row: &Value| {
        let answerable = !row["relevant"].as_array()?.is_empty();
        let intent = text(row, "intent")?;
        let place = names.binary_search(&&intent).ok().and_then(|place| u32::try_from(place).ok());
        (place.is_some() || !answerable).then_some(place.filter(|_| answerable))
    };
    let queries = rows(&directory.join(name).join("queries.jsonl.gz"), |row| Some((text(row, "text")?, right(row)?)))?;
    Ok(Set { name, topics, queries })
}

fn text(row: &Value, field: &str) -> Option<String> {
    Some(row[field].as_str()?.to_owned())
}

fn rows<T>(path: &Path, read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, String> {
    let broken = |why: &str| format!("{}: {why}", path.display());
    let file = File::open(path).map_err(|error| broken(&error.to_string()))?;
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    lines
        .map(|line| {
            let line = line.map_err(|error| broken(&error.to_string()))?;
            let row: Value = serde_json::from_str(&line).map_err(|error| broken(&error.to_string()))?;
            read(&row).ok_or_else(|| broken(&format!("not a row of this kind: {line}")))
        })
        .collect()
}
