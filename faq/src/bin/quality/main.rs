//! Prints how good the model is on the public topic sets, with thresholds that it chose from the phrasings alone.
//!
//! `quality [DIRECTORY]` prints the figures; `quality reference [DIRECTORY]` prints the table in `reference.rs` anew.

mod data;
mod measure;
mod reference;

use std::path::PathBuf;
use std::process::ExitCode;

use data::Set;
use measure::{Answered, measure};

/// Where it lies beside the project.
const DIRECTORY: &str = "../shared/data/retrieval";
/// Precisions that thresholds are asked for.
const PRECISIONS: [f32; 4] = [0.8, 0.9, 0.95, 0.97];

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let for_reference = arguments.first().is_some_and(|first| first == "reference");
    if for_reference {
        arguments.remove(0);
    }
    let directory = PathBuf::from(arguments.first().map_or(DIRECTORY, String::as_str));
    match data::NAMES.iter().map(|name| data::read(&directory, name)).collect::<Result<Vec<Set>, String>>() {
        Ok(sets) if for_reference => reference::print(&sets),
        Ok(sets) => sets.iter().for_each(report),
        Err(missing) => {
            eprintln!("NOTHING WAS MEASURED: the data is not there. {missing}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn report(set: &Set) {
    let measured = measure(set);
    let phrasings: usize = set.topics.iter().map(Vec::len).sum();
    println!("{}: {phrasings} phrasings of {} topics", set.name, set.topics.len());
    println!("  accuracy {:.4} on {} answerable queries", measured.accuracy(), measured.answerable.len());
    println!(
        "  trained in {:.2} s, {} µs a question, {:.1} MB",
        measured.trained_in.as_secs_f32(),
        measured.asked_in.as_micros(),
        measured.memory_bytes as f32 / 1e6
    );
    println!("  threshold for        is    answers  right of those  of {:4} unanswerable  right of all", measured.unanswerable.len());
    for precision in PRECISIONS {
        line(&format!("precision {precision:.2}"), &measured.answered(measured.model.threshold(precision)));
    }
    line("half answered", &measured.answered(measured.half_threshold()));
}

fn line(what: &str, answered: &Answered) {
    let Answered { threshold, coverage, precision, unanswerable, precision_all } = answered;
    // A share of nothing prints as NaN: the set has no unanswerable queries, or none was answered.
    println!("  {what:16}  {threshold:.4}  {coverage:8.3}  {precision:14.4}  {unanswerable:20.4}  {precision_all:12.4}");
}
