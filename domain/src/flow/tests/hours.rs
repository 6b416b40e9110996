//! Hours of service: open, closed, and open again.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::flow::hours::{InvalidOpening, Opening, ServiceHours, Zone};
use crate::time::{Millis, Timestamp};

/// A shop in Shanghai: weekdays 09:00-12:00 and 13:00-18:00, Saturdays until noon; off from 1 to 7 October, with the 10th, a
/// Saturday, made up for.
fn shanghai() -> ServiceHours {
    let day = json!(["09:00-12:00", "13:00-18:00"]);
    hours(json!({
        "zone": "Asia/Shanghai",
        "week": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": ["09:00-12:00"] },
        "holidays": [{ "from": "2026-10-01", "to": "2026-10-07", "name": "国庆节" }],
        "make_up": [{ "day": "2026-10-10", "open": ["10:00-16:00"] }]
    }))
}

fn hours(document: Value) -> ServiceHours {
    serde_json::from_value(document).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

fn opens(hours: &ServiceHours, after: &str) -> Option<String> {
    hours.next_open(at(after)).and_then(Timestamp::to_rfc3339)
}

#[test]
fn it_is_open_from_the_first_minute_to_before_the_last() {
    let hours = shanghai();
    assert!(!hours.is_open(at("2026-09-30T08:59:59.999+08:00")));
    assert!(hours.is_open(at("2026-09-30T09:00:00+08:00")));
    assert!(hours.is_open(at("2026-09-30T11:59:59.999+08:00")));
    assert!(!hours.is_open(at("2026-09-30T12:00:00+08:00")));
    assert!(hours.is_open(at("2026-09-30T17:59:59+08:00")));
    assert!(!hours.is_open(at("2026-09-27T10:00:00+08:00")), "a Sunday");
}

#[test]
fn a_holiday_is_closed_and_a_make_up_day_has_its_own_hours() {
    let hours = shanghai();
    for closed in ["2026-10-01T10:00:00+08:00", "2026-10-07T10:00:00+08:00", "2026-10-10T09:30:00+08:00", "2026-10-10T16:00:00+08:00"] {
        assert!(!hours.is_open(at(closed)), "{closed}");
    }
    for open in ["2026-10-08T10:00:00+08:00", "2026-10-10T12:30:00+08:00"] {
        assert!(hours.is_open(at(open)), "{open}");
    }
}

#[test]
fn a_make_up_day_within_a_holiday_is_open() {
    let hours = hours(json!({
        "zone": "UTC", "week": {},
        "holidays": [{ "from": "2026-02-01", "to": "2026-02-28" }],
        "make_up": [{ "day": "2026-02-14", "open": ["00:00-24:00"] }]
    }));
    assert!(hours.is_open(at("2026-02-14T23:59:59Z")));
    assert!(!hours.is_open(at("2026-02-15T00:00:00Z")));
}

#[test]
fn the_next_opening_skips_lunch_nights_weekends_and_holidays() {
    let hours = shanghai();
    assert_eq!(opens(&hours, "2026-09-28T10:00:00+08:00").as_deref(), Some("2026-09-28T02:00:00.000Z"), "open already");
    assert_eq!(opens(&hours, "2026-09-28T12:30:00+08:00").as_deref(), Some("2026-09-28T05:00:00.000Z"), "after lunch");
    assert_eq!(opens(&hours, "2026-09-28T18:00:00+08:00").as_deref(), Some("2026-09-29T01:00:00.000Z"), "tomorrow");
    assert_eq!(opens(&hours, "2026-09-26T12:00:00+08:00").as_deref(), Some("2026-09-28T01:00:00.000Z"), "on Monday");
    assert_eq!(opens(&hours, "2026-09-30T18:00:00+08:00").as_deref(), Some("2026-10-08T01:00:00.000Z"), "after the holidays");
    assert_eq!(opens(&hours, "2026-10-09T18:00:00+08:00").as_deref(), Some("2026-10-10T02:00:00.000Z"), "the make-up day");
}

#[test]
fn hours_that_are_over_for_good_have_no_next_opening() {
    let hours = hours(json!({ "zone": "UTC", "week": {}, "make_up": [{ "day": "2026-01-02", "open": ["10:00-11:00"] }] }));
    assert_eq!(opens(&hours, "2026-01-01T00:00:00Z").as_deref(), Some("2026-01-02T10:00:00.000Z"));
    assert_eq!(opens(&hours, "2026-01-02T11:00:00Z"), None);
}

#[test]
fn where_the_clock_is_changed_the_wall_clock_decides() {
    // New York 2026: put forward on 8 March from 02:00 to 03:00, and back on 1 November from 02:00 to 01:00.
    let night = hours(json!({ "zone": "America/New_York", "week": { "sun": ["01:30-02:30"] } }));
    assert!(night.is_open(at("2026-03-08T01:45:00-05:00")));
    assert!(!night.is_open(at("2026-03-08T03:10:00-04:00")), "02:10 was skipped, and 03:10 is after the end");
    for open in ["2026-11-01T01:45:00-04:00", "2026-11-01T01:45:00-05:00", "2026-11-01T02:15:00-05:00"] {
        assert!(night.is_open(at(open)), "{open}");
    }
    assert!(!night.is_open(at("2026-11-01T01:15:00-05:00")), "01:15 for the second time");
    assert_eq!(opens(&night, "2026-11-01T01:15:00-05:00").as_deref(), Some("2026-11-01T06:30:00.000Z"), "01:30 for the second time");
    let skipped = hours(json!({ "zone": "America/New_York", "week": { "sun": ["02:00-02:30"] } }));
    assert_eq!(opens(&skipped, "2026-03-08T00:00:00-05:00").as_deref(), Some("2026-03-15T06:00:00.000Z"), "it does not open that day");
    let half = hours(json!({ "zone": "America/New_York", "week": { "sun": ["02:30-04:00"] } }));
    assert_eq!(opens(&half, "2026-03-08T00:00:00-05:00").as_deref(), Some("2026-03-08T07:00:00.000Z"), "at 03:00, once the clock is there");
}

#[test]
fn a_span_of_a_day_is_written_with_two_digits_and_forwards() {
    assert_eq!("09:00-18:00".parse::<Opening>().map(|opening| opening.to_string()), Ok("09:00-18:00".into()));
    assert_eq!("00:00-24:00".parse::<Opening>(), Ok(Opening::WHOLE_DAY));
    for form in ["9:00-18:00", "09:00", "09:00-18:60", "09:00-24:01", "0900-1800", "", "09:00-18:00-19:00", "aa:00-18:00"] {
        assert_eq!(form.parse::<Opening>(), Err(InvalidOpening::Form(form.into())));
    }
    for backwards in ["22:00-06:00", "09:00-09:00"] {
        assert_eq!(backwards.parse::<Opening>(), Err(InvalidOpening::Backwards(backwards.into())));
    }
}

#[test]
fn a_zone_is_one_of_the_database() {
    assert_eq!("Asia/Shanghai".parse::<Zone>().unwrap().name(), "Asia/Shanghai");
    for bad in ["Asia/Atlantis", "CST", "", "+08:00"] {
        assert!(bad.parse::<Zone>().is_err(), "{bad}");
    }
}

proptest! {
    /// Whatever the hours, the next opening is open, and nothing between is.
    #[test]
    fn nothing_is_open_before_the_next_opening(minute in 0_i64..(366 * 24 * 60), zone in prop::sample::select(vec!["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"])) {
        let hours = ServiceHours { zone: zone.parse().unwrap(), ..shanghai() };
        let from = at("2026-01-01T00:00:00Z") + Millis::minutes(minute);
        let next = hours.next_open(from).unwrap();
        prop_assert!(hours.is_open(next));
        let mut before = from;
        while before < next {
            prop_assert!(!hours.is_open(before));
            before = before + Millis::minutes(7);
        }
        prop_assert!(next == from || !hours.is_open(next - Millis(1)));
    }
}
