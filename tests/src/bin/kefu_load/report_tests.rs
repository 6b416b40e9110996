//! When a run is good, and what its object must hold.

use super::*;

fn good() -> Report {
    Report { conversations: 2, completed: Some(2), sent: 5, acked: 5, delivered: 5, ..Report::default() }
}

#[test]
fn a_run_is_good_only_if_nothing_is_missing() {
    assert!(good().is_good());
    assert!(!Report { lost: 1, ..good() }.is_good());
    assert!(!Report { duplicated: 1, ..good() }.is_good());
    assert!(!Report { out_of_order: 1, ..good() }.is_good());
    assert!(!Report { altered: 1, ..good() }.is_good());
    assert!(!Report { unacked: 1, ..good() }.is_good());
    assert!(!Report { completed: Some(1), ..good() }.is_good());
    assert!(!Report { acked: 0, ..good() }.is_good(), "a run that proved nothing");
    let connected = |connected| Report { connections: Some(3), connected: Some(connected), ..good() };
    assert!(connected(3).is_good() && !connected(2).is_good());
    let reached = |reached| Report { recipients: Some(3), reached, ..good() };
    assert!(reached(Some(3)).is_good() && !reached(Some(2)).is_good() && !reached(None).is_good());
    let idle = || Report { mode: "idle", ..Report::default() };
    assert!(idle().is_good() && !Report { reconnects: 1, ..idle() }.is_good());
    assert!(Report { reconnects: 1, chaos: Some(ChaosReport::default()), ..idle() }.is_good());
}

#[test]
fn latencies_from_microseconds_to_minutes_are_told_apart() {
    let mut latency = Latency::default();
    for millis in [1, 44, 90_000] {
        latency.record(Duration::from_millis(millis));
    }
    assert!((latency.quantile_ms(0.5) - 44.0).abs() < 0.1);
    assert!((latency.quantile_ms(1.0) - 90_000.0).abs() < 100.0);
}

#[test]
fn the_object_has_the_promised_fields() {
    let mut report = Report { server_rss_mb: Some(1.0), ..good() };
    report.measured(&Counts::default(), 10_000, Duration::from_secs(2), Cpu { server_s: Some(0.7), load_s: 0.2 });
    let object = serde_json::to_value(&report).unwrap();
    for field in [
        "conversations",
        "sent",
        "acked",
        "delivered",
        "lost",
        "duplicated",
        "out_of_order",
        "rate_per_s",
        "p50_ms",
        "p99_ms",
        "flush_ms",
        "wall_s",
        "server_cpu_s_per_10k",
        "load_cpu_s_per_10k",
        "server_rss_mb",
    ] {
        assert!(object.get(field).is_some_and(serde_json::Value::is_number), "{field}");
    }
    assert_eq!((report.rate_per_s, report.server_cpu_s_per_10k, report.load_cpu_s_per_10k), (5_000.0, Some(0.7), 0.2));
}
