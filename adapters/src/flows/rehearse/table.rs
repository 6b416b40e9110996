//! Figures side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use application::rehearsal::figures::{Figures, Flow, Load};

/// Agents that are listed; all of them are in the JSON.
const AGENTS_SHOWN: usize = 20;

/// A table with a column for each.
pub(super) fn of(columns: &[(&str, &Figures)]) -> String {
    let mut table = Table { text: String::new() };
    table.row("", &columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
    let mut all = |name: &str, value: fn(&Figures) -> String| table.row(name, &columns.iter().map(|(_, of)| value(of)).collect::<Vec<_>>());
    all("came to wait", |of| of.all.came.to_string());
    all("  served", |of| of.all.served.to_string());
    all("  left", |of| of.all.left.to_string());
    all("  still waiting", |of| of.still_waiting.to_string());
    all("left a message", |of| of.left_messages.to_string());
    all("refused", |of| of.refused.to_string());
    all("abandonment", |of| percent(of.all.abandonment));
    all("wait, mean", |of| seconds(of.all.waits.mean_ms));
    all("wait, median", |of| seconds_of(of.all.waits.median_ms));
    all("wait, p90", |of| seconds_of(of.all.waits.p90_ms));
    all("wait, longest", |of| seconds_of(of.all.waits.longest_ms));
    all("had to wait", |of| percent(of.all.waits.waited));
    all("served within 20 s", |of| percent(of.all.waits.within_20s));
    all("served within 60 s", |of| percent(of.all.waits.within_60s));
    all("waiting at a time, mean", |of| format!("{:.2}", of.all.mean_queue));
    all("24 h reply rate", |of| percent(of.replies.rate));
    all("  rounds", |of| of.replies.rounds.to_string());
    all("first answer, mean", |of| seconds(of.replies.first_response_mean_ms));
    all("first answer, p90", |of| seconds_of(of.replies.first_response_p90_ms));
    let groups: BTreeSet<&String> = columns.iter().flat_map(|(_, of)| of.groups.keys()).collect();
    if groups.len() > 1 {
        for group in groups {
            let shown = |of: &&Figures| of.groups.get(group).map_or("-".to_owned(), one_group);
            table.row(&format!("group {group}"), &columns.iter().map(|(_, of)| shown(of)).collect::<Vec<_>>());
        }
    }
    table.agents(columns);
    table.text
}

fn one_group(flow: &Flow) -> String {
    format!("{} came, {} left, {}", flow.came, percent(flow.abandonment), seconds(flow.waits.mean_ms))
}

fn one_agent(load: &&Load) -> String {
    format!("{} given, {:.2} at a time, {}", load.given, load.mean_load, percent(load.occupancy))
}

struct Table {
    text: String,
}

impl Table {
    fn row(&mut self, name: &str, values: &[String]) {
        let mut line = format!("{name:<28}");
        for value in values {
            write!(line, "  {value:>34}").expect("a text takes everything");
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn agents(&mut self, columns: &[(&str, &Figures)]) {
        let by_name = |of: &Figures| of.agents.iter().map(|load| (load.agent.clone(), load.clone())).collect::<BTreeMap<_, _>>();
        let columns: Vec<BTreeMap<String, Load>> = columns.iter().map(|(_, of)| by_name(of)).collect();
        let names: BTreeSet<&String> = columns.iter().flat_map(BTreeMap::keys).collect();
        for name in names.iter().take(AGENTS_SHOWN) {
            let shown = |of: &BTreeMap<String, Load>| of.get(*name).as_ref().map_or("-".to_owned(), one_agent);
            // The end of an id is what differs.
            let tail: String = name.chars().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect();
            self.row(&format!("agent {tail}"), &columns.iter().map(shown).collect::<Vec<_>>());
        }
        if names.len() > AGENTS_SHOWN {
            self.row(&format!("and {} more agents: --json", names.len() - AGENTS_SHOWN), &[]);
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn seconds(ms: f64) -> String {
    format!("{:.1} s", ms / 1_000.0)
}

fn seconds_of(ms: i64) -> String {
    // Spans of at most months.
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    seconds(ms as f64)
}
