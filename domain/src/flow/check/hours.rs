//! Hours: openings of a day apart from each other, and open at some time.

use super::{Findings, Path, Problem, RULES_MAX};
use crate::flow::hours::{Opening, ServiceHours};

impl Findings<'_> {
    pub(super) fn hours(&mut self, path: &Path, hours: &ServiceHours) {
        for (weekday, openings) in &hours.week {
            self.openings(&path.key("week").key(weekday.as_str()), openings);
        }
        let holidays = path.key("holidays");
        self.count(&holidays, hours.holidays.len(), RULES_MAX);
        for (place, holiday) in hours.holidays.iter().enumerate() {
            if holiday.last() < holiday.from {
                self.add(&holidays.index(place).key("to"), Problem::HolidayBackwards);
            }
        }
        let make_up = path.key("make_up");
        self.count(&make_up, hours.make_up.len(), RULES_MAX);
        let days: Vec<_> = hours.make_up.iter().map(|make_up| make_up.day).collect();
        self.once(&make_up, &days);
        for (place, day) in hours.make_up.iter().enumerate() {
            self.openings(&make_up.index(place).key("open"), &day.open);
        }
        if hours.week.values().all(Vec::is_empty) && hours.make_up.iter().all(|day| day.open.is_empty()) {
            self.add(&path.key("week"), Problem::NeverOpen);
        }
    }

    fn openings(&mut self, path: &Path, openings: &[Opening]) {
        for (place, second) in openings.iter().enumerate() {
            if let Some(first) = openings[..place].iter().find(|first| first.overlaps(*second)) {
                let (first, second) = (first.to_string(), second.to_string());
                self.add(&path.index(place), Problem::HoursOverlap { first, second });
            }
        }
    }
}
