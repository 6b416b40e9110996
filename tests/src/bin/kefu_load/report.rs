//! What a run found: counted while it lasts, printed as one JSON object and as a summary for people.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::chaos::ChaosReport;

/// Longest latency that is told apart; whatever took longer counts as this.
const LATENCY_US_MAX: u64 = 10 * 60 * 1_000_000;

/// Latencies in microseconds, to 3 digits.
pub struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("the bounds and 3 digits are within what a histogram can hold"))
    }
}

impl Latency {
    /// Counts one.
    pub fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    fn quantile_ms(&self, quantile: f64) -> f64 {
        thousandths(self.0.value_at_quantile(quantile) as f64 / 1e3)
    }
}

/// Everything that is counted while a run lasts.
#[derive(Default)]
pub struct Counts {
    /// Messages that were sent, each once however often it was repeated.
    pub sent: u64,
    /// Messages whose ack came.
    pub acked: u64,
    /// Messages that arrived at the other side.
    pub delivered: u64,
    /// Messages that were sent again after a connection was lost or the server was busy.
    pub resent: u64,
    /// Connections that were made anew.
    pub reconnects: u64,
    /// Gaps in a pushed feed, closed by asking for the range.
    pub gaps: u64,
    /// Send to arrival at the other side.
    pub latency: Latency,
    /// Send to ack.
    pub ack_latency: Latency,
    /// What went wrong, by kind.
    pub errors: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts something that went wrong.
    pub fn error(&mut self, kind: impl Into<String>) {
        *self.errors.entry(kind.into()).or_default() += 1;
    }
}

/// What reading everything anew showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Acknowledged and not there: counted for each place (feed of either side, chat, live push) where it is missing.
    pub lost: u64,
    /// There more than once.
    pub duplicated: u64,
    /// Not where its sequence or its index says.
    pub out_of_order: u64,
    /// There, but with another text.
    pub altered: u64,
    /// The first few, in words.
    pub examples: Vec<String>,
}

/// How many examples are kept: enough to start looking.
const EXAMPLES_MAX: usize = 10;

impl Findings {
    /// Keeps an example.
    pub fn example(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(text());
        }
    }

    /// Adds what another reading found.
    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.out_of_order += other.out_of_order;
        self.altered += other.altered;
        for example in other.examples {
            self.example(|| example);
        }
    }
}

/// CPU time of a stretch of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// Of the server, if its process is known.
    pub server_s: Option<f64>,
    /// Of this process.
    pub load_s: f64,
}

/// The JSON object at the end.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The command.
    pub mode: &'static str,
    /// The tenant that was made.
    pub tenant: String,
    /// Conversations that were opened.
    pub conversations: u64,
    /// Of them played to their end (replay).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<u64>,
    /// Of them abandoned as recorded (replay).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<u64>,
    /// Of them rated (replay).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rated: Option<u64>,
    /// See [`Counts::sent`].
    pub sent: u64,
    /// See [`Counts::acked`].
    pub acked: u64,
    /// See [`Counts::delivered`].
    pub delivered: u64,
    /// See [`Findings::lost`].
    pub lost: u64,
    /// See [`Findings::duplicated`].
    pub duplicated: u64,
    /// See [`Findings::out_of_order`].
    pub out_of_order: u64,
    /// See [`Findings::altered`].
    pub altered: u64,
    /// Sent and never answered.
    pub unacked: u64,
    /// See [`Counts::resent`].
    pub resent: u64,
    /// See [`Counts::reconnects`].
    pub reconnects: u64,
    /// What went wrong on purpose. Where this stands, the latencies are latencies under chaos.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chaos: Option<ChaosReport>,
    /// See [`Counts::gaps`].
    pub gaps: u64,
    /// Messages that arrived, a second of the measured time.
    pub rate_per_s: f64,
    /// Median of send to arrival; in an open loop from the time at which it was due.
    pub p50_ms: f64,
    /// The same, of 99 in 100.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// Median of send to ack.
    pub ack_p50_ms: f64,
    /// The same, of 99 in 100.
    pub ack_p99_ms: f64,
    /// Median of 4 KiB write + fdatasync, measured before the run.
    pub flush_ms: f64,
    /// The measured time.
    pub measured_s: f64,
    /// The whole run, set-up and reading anew included.
    pub wall_s: f64,
    /// CPU seconds of the server for 10,000 messages that arrived in the measured time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_s_per_10k: Option<f64>,
    /// The same of this process.
    pub load_cpu_s_per_10k: f64,
    /// Resident memory of the server at the end of the measured time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_rss_mb: Option<f64>,
    /// Devices that were to be connected (crowds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<u64>,
    /// Of them connected at the end (idle) or again (storm).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<u64>,
    /// Growth of the server's memory (PSS) by connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_connection: Option<f64>,
    /// Share of one core that the server used while nobody said anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_share: Option<f64>,
    /// Customers on a campaign's list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<u64>,
    /// Of them reached, as the server counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<u64>,
    /// From the campaign's start to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_s: Option<f64>,
    /// Median of the pairs' latency before the campaign began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_p50_ms: Option<f64>,
    /// The same, of 99 in 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_p99_ms: Option<f64>,
    /// What went wrong, by kind.
    pub errors: BTreeMap<String, u64>,
    /// The first few findings, in words.
    pub examples: Vec<String>,
}

impl Report {
    /// Takes over what was counted in the measured time: latencies and rate.
    pub fn measured(&mut self, counts: &Counts, arrived: u64, measured: Duration, cpu: Cpu) {
        let seconds = measured.as_secs_f64();
        let ten_thousands = arrived as f64 / 1e4;
        let per_10k = |cpu_s: f64| if arrived == 0 { 0.0 } else { thousandths(cpu_s / ten_thousands) };
        self.measured_s = thousandths(seconds);
        self.rate_per_s = if seconds > 0.0 { thousandths(arrived as f64 / seconds) } else { 0.0 };
        self.latencies(counts);
        self.ack_p50_ms = counts.ack_latency.quantile_ms(0.5);
        self.ack_p99_ms = counts.ack_latency.quantile_ms(0.99);
        self.server_cpu_s_per_10k = cpu.server_s.map(per_10k);
        self.load_cpu_s_per_10k = per_10k(cpu.load_s);
    }

    /// Takes over the latencies of the time before what is measured beside.
    pub fn quiet(&mut self, counts: &Counts) {
        self.quiet_p50_ms = Some(counts.latency.quantile_ms(0.5));
        self.quiet_p99_ms = Some(counts.latency.quantile_ms(0.99));
    }

    /// Takes over the latencies.
    pub fn latencies(&mut self, counts: &Counts) {
        self.p50_ms = counts.latency.quantile_ms(0.5);
        self.p99_ms = counts.latency.quantile_ms(0.99);
        self.max_ms = counts.latency.quantile_ms(1.0);
    }

    /// Takes over the totals.
    pub fn totals(&mut self, counts: &Counts, findings: Findings) {
        self.sent = counts.sent;
        self.acked = counts.acked;
        self.delivered = counts.delivered;
        self.unacked = counts.sent - counts.acked;
        self.resent = counts.resent;
        self.reconnects = counts.reconnects;
        self.gaps = counts.gaps;
        self.errors.clone_from(&counts.errors);
        self.lost = findings.lost;
        self.duplicated = findings.duplicated;
        self.out_of_order = findings.out_of_order;
        self.altered = findings.altered;
        self.examples = findings.examples;
    }

    /// Whether the run proves what it should: everything acknowledged is there once, in order and unaltered, everything sent was
    /// acknowledged, and every conversation was played to its end.
    pub fn is_good(&self) -> bool {
        let clean = (self.lost, self.duplicated, self.out_of_order, self.altered, self.unacked) == (0, 0, 0, 0, 0);
        let there = self.connected.is_none_or(|connected| Some(connected) == self.connections);
        let there = there && self.reached == self.recipients;
        // Whoever only stays must not be sent away, unless that was wanted.
        let there = there && (self.mode != "idle" || self.reconnects == 0 || self.chaos.is_some());
        let something = self.acked > 0 || self.mode == "idle" || self.reached.is_some_and(|reached| reached > 0);
        clean && there && something && self.completed.is_none_or(|completed| completed == self.conversations)
    }

    /// The summary for people.
    pub fn summary(&self) -> String {
        let verdict = if self.is_good() { "nothing lost, doubled or out of order" } else { "NOT as it must be" };
        let mut text = format!(
            "{} on tenant {}: {verdict}\n  conversations {}   sent {}   acked {}   delivered {}   unacked {}\n  lost {}   duplicated {}   \
             out of order {}   altered {}   reconnects {}   resent {}\n  {:.0} messages/s over {:.1} s   p50 {:.2} ms   p99 {:.2} ms   max {:.2} ms   \
             ack p50 {:.2} ms   p99 {:.2} ms\n  flush {:.2} ms   wall {:.1} s   generator {:.3} CPU-s/10k",
            self.mode,
            self.tenant,
            self.conversations,
            self.sent,
            self.acked,
            self.delivered,
            self.unacked,
            self.lost,
            self.duplicated,
            self.out_of_order,
            self.altered,
            self.reconnects,
            self.resent,
            self.rate_per_s,
            self.measured_s,
            self.p50_ms,
            self.p99_ms,
            self.max_ms,
            self.ack_p50_ms,
            self.ack_p99_ms,
            self.flush_ms,
            self.wall_s,
            self.load_cpu_s_per_10k,
        );
        if let (Some(cpu), Some(rss)) = (self.server_cpu_s_per_10k, self.server_rss_mb) {
            text += &format!("   server {cpu:.3} CPU-s/10k, {rss:.0} MiB");
        }
        if let (Some(completed), Some(abandoned), Some(rated)) = (self.completed, self.abandoned, self.rated) {
            text += &format!("\n  played to the end {completed}   abandoned as recorded {abandoned}   rated {rated}");
        }
        if let (Some(asked), Some(connected)) = (self.connections, self.connected) {
            text += &format!("\n  connected {connected} of {asked}");
        }
        if let (Some(bytes), Some(share)) = (self.bytes_per_connection, self.server_cpu_share) {
            text += &format!("   {bytes:.0} bytes of server memory a connection   {share:.3} of a core while idle");
        }
        if let (Some(recipients), Some(reached), Some(seconds)) = (self.recipients, self.reached, self.campaign_s) {
            text += &format!("\n  campaign reached {reached} of {recipients} in {seconds:.1} s");
        }
        if let (Some(p50), Some(p99)) = (self.quiet_p50_ms, self.quiet_p99_ms) {
            text += &format!("   before it p50 {p50:.2} ms   p99 {p99:.2} ms");
        }
        if let Some(chaos) = &self.chaos {
            let ChaosReport { seed, kills, drops, stalls, slow_byes, stalled_lost, .. } = chaos;
            text += &format!(
                "\n  latencies are under chaos (seed {seed}): server kills {kills}   connections cut {drops}   readers stopped {stalls}   \
                 told slow {slow_byes}, without a word {stalled_lost}"
            );
        }
        for (kind, count) in &self.errors {
            text += &format!("\n  error {kind}: {count}");
        }
        for example in &self.examples {
            text += &format!("\n  {example}");
        }
        text
    }
}

/// Rounds to what is worth printing.
pub fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
