//! When somebody is there to answer: weekly hours, holidays and make-up working days, in a time zone.
//!
//! Hours are wall-clock times of a place, so that a day with a change of the clock has its opening at the same time as any other.
//! The rules of the zones are a table in the program (`chrono-tz`, from the IANA database); nothing here asks the system.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::schema::text_schema;
use crate::time::Timestamp;

/// Minutes of a day: what `24:00` is.
const DAY_MINUTES: u16 = 24 * 60;
/// How far ahead an opening is looked for: a year with every day of it a holiday is the end of a shop.
const LOOK_AHEAD_DAYS: u64 = 400;

/// A name of the IANA database, such as `Asia/Shanghai`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

/// The text names no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time zone; write the name of an area and a place, such as Asia/Shanghai")]
pub struct UnknownZone(pub String);

impl Zone {
    /// The zone of a tenant that says nothing else.
    pub const UTC: Self = Self(Tz::UTC);

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The wall clock there at an instant; `None` outside the calendar.
    fn local(self, at: Timestamp) -> Option<NaiveDateTime> {
        DateTime::from_timestamp_millis(at.0).map(|utc| utc.with_timezone(&self.0).naive_local())
    }

    /// The instants at which the wall clock there shows this time: one; two where the clock is put back over it; where it skips
    /// this time, the first one after it.
    fn instants(self, local: NaiveDateTime) -> Vec<Timestamp> {
        // Clocks skip at least a quarter of an hour, and at most a day (Samoa, 2011).
        let quarters = (0..=(24 * 4)).filter_map(|quarter| local.checked_add_signed(TimeDelta::minutes(15 * quarter)));
        let shown = quarters.map(|wall| self.0.from_local_datetime(&wall)).find(|shown| *shown != LocalResult::None);
        let both = shown.map_or([None, None], |shown| [shown.earliest(), shown.latest().filter(|_| shown.single().is_none())]);
        both.into_iter().flatten().map(|at| Timestamp(at.timestamp_millis())).collect()
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;
    fn from_str(text: &str) -> Result<Self, UnknownZone> {
        text.parse().map(Self).map_err(|_| UnknownZone(text.to_owned()))
    }
}

/// A span of one day between two wall-clock times: `09:00-18:00`. It does not reach over midnight; `24:00` is the day's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    from_minute: u16,
    to_minute: u16,
}

/// Why a text is no [`Opening`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOpening {
    /// Not of the form.
    #[error("`{0}` is no span of a day; write it as 09:00-18:00")]
    Form(String),
    /// The end is not after the beginning.
    #[error("`{0}` ends before it begins; hours over midnight are written as two, 22:00-24:00 and, on the next day, 00:00-06:00")]
    Backwards(String),
}

impl Opening {
    /// A whole day.
    pub const WHOLE_DAY: Self = Self { from_minute: 0, to_minute: DAY_MINUTES };

    fn contains(self, time: NaiveTime) -> bool {
        let minute = time.hour() * 60 + time.minute();
        (u32::from(self.from_minute)..u32::from(self.to_minute)).contains(&minute)
    }

    /// Whether two openings of one day share a minute.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from_minute < other.to_minute && other.from_minute < self.to_minute
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits =
        |text: &str| (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u16>().ok()).flatten();
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= DAY_MINUTES).then_some(total)
}

impl FromStr for Opening {
    type Err = InvalidOpening;
    fn from_str(text: &str) -> Result<Self, InvalidOpening> {
        let form = || InvalidOpening::Form(text.to_owned());
        let (from, to) = text.split_once('-').ok_or_else(form)?;
        let (from_minute, to_minute) = (minutes(from.trim()).ok_or_else(form)?, minutes(to.trim()).ok_or_else(form)?);
        if from_minute < to_minute { Ok(Self { from_minute, to_minute }) } else { Err(InvalidOpening::Backwards(text.to_owned())) }
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from_minute, self.to_minute);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// A day of the week, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// 周一
    Mon,
    /// 周二
    Tue,
    /// 周三
    Wed,
    /// 周四
    Thu,
    /// 周五
    Fri,
    /// 周六
    Sat,
    /// 周日
    Sun,
}

impl Weekday {
    /// Its name in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    fn of(date: NaiveDate) -> Self {
        match date.weekday() {
            chrono::Weekday::Mon => Self::Mon,
            chrono::Weekday::Tue => Self::Tue,
            chrono::Weekday::Wed => Self::Wed,
            chrono::Weekday::Thu => Self::Thu,
            chrono::Weekday::Fri => Self::Fri,
            chrono::Weekday::Sat => Self::Sat,
            chrono::Weekday::Sun => Self::Sun,
        }
    }
}

/// A day of the calendar: `2026-10-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub NaiveDate);

/// The text is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no day; write it as 2026-10-01")]
pub struct InvalidDay(pub String);

impl FromStr for Day {
    type Err = InvalidDay;
    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
        day.map(Self).ok_or_else(|| InvalidDay(text.to_owned()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

/// Days on which nobody is there, whatever the week says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The first day.
    pub from: Day,
    /// The last day; without one, it is a single day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    /// What it is called, for whoever reads the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Holiday {
    /// The last day.
    #[must_use]
    pub fn last(&self) -> Day {
        self.to.unwrap_or(self.from)
    }

    fn contains(&self, day: NaiveDate) -> bool {
        (self.from.0..=self.last().0).contains(&day)
    }
}

/// A day with hours of its own, whatever the week and the holidays say: a working day that makes up for a holiday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeUpDay {
    /// The day.
    pub day: Day,
    /// Its hours.
    pub open: Vec<Opening>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Hours of service. A day that the week does not name is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceHours {
    /// Where the clock hangs.
    pub zone: Zone,
    /// The hours of each day of the week.
    pub week: BTreeMap<Weekday, Vec<Opening>>,
    /// Days off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Working days that make up for days off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub make_up: Vec<MakeUpDay>,
}

impl ServiceHours {
    /// The hours of a day: those of a make-up day before a holiday, and a holiday before the week.
    fn of_day(&self, day: NaiveDate) -> &[Opening] {
        if let Some(make_up) = self.make_up.iter().find(|make_up| make_up.day.0 == day) {
            &make_up.open
        } else if self.holidays.iter().any(|holiday| holiday.contains(day)) {
            &[]
        } else {
            self.week.get(&Weekday::of(day)).map_or(&[], Vec::as_slice)
        }
    }

    /// Whether it is open at an instant. Outside the calendar it is closed.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.zone.local(at).is_some_and(|local| self.of_day(local.date()).iter().any(|opening| opening.contains(local.time())))
    }

    /// The first instant from `at` on at which it is open; `None` when there is none within 400 days.
    #[must_use]
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        if self.is_open(at) {
            return Some(at);
        }
        let today = self.zone.local(at)?.date();
        (0..LOOK_AHEAD_DAYS).filter_map(|ahead| today.checked_add_days(Days::new(ahead))).find_map(|day| {
            let begins = self.of_day(day).iter().filter_map(|opening| {
                let time = NaiveTime::from_num_seconds_from_midnight_opt(u32::from(opening.from_minute) * 60, 0)?;
                Some(self.zone.instants(day.and_time(time)))
            });
            // An opening that the clock skips never begins.
            begins.flatten().filter(|begin| *begin > at && self.is_open(*begin)).min()
        })
    }
}

/// Written and read as text.
macro_rules! as_text {
    ($name:ident, $pattern:literal, $about:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        text_schema!($name, $pattern, $about);
    };
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

as_text!(Zone, "^(UTC|[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){1,2})$", "A time zone of the IANA database, such as Asia/Shanghai.");
as_text!(Opening, "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$", "A span of one day, such as 09:00-18:00; 24:00 is its end.");
as_text!(Day, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "A day, such as 2026-10-01.");
