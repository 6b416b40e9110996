//! A stretch of a campaign's list in the order in which it is gone through, and where in it a noted place lies. This file must
//! not know what is said to whom.

use domain::campaign::event::{PARTS_TOGETHER, Place, Sequence};
use domain::ids::UserId;

/// Additions to the list that are gone through together.
#[derive(Debug, PartialEq, Eq)]
pub struct Leg {
    sequence: Sequence,
    first: u32,
    /// How many recipients there are up to the end of each addition.
    ends: Vec<usize>,
    /// Everybody, in order.
    recipients: Vec<UserId>,
}

/// How many additions a leg of this sequence has, at most.
#[must_use]
pub const fn parts_of(sequence: Sequence) -> u32 {
    match sequence {
        Sequence::AsListed => 1,
        Sequence::ById => PARTS_TOGETHER,
    }
}

/// The first addition of the leg that a place lies in.
#[must_use]
pub const fn first_part(sequence: Sequence, place: Place) -> u32 {
    place.part - place.part % parts_of(sequence)
}

impl Leg {
    /// Lines up additions, beginning with one that [`first_part`] named: as many as there are, at most [`parts_of`].
    #[must_use]
    pub fn new(sequence: Sequence, first: u32, parts: &[Vec<UserId>]) -> Self {
        let ends = parts.iter().scan(0, |end, part| {
            *end += part.len();
            Some(*end)
        });
        let mut recipients = parts.concat();
        match sequence {
            Sequence::AsListed => {}
            // Who is on the list twice is twice in it, so which of the two is meant makes no difference.
            Sequence::ById => recipients.sort_unstable(),
        }
        Self { sequence, first, ends: ends.collect(), recipients }
    }

    /// Those who come next at a place, at most so many. None at the end of the leg, or outside it.
    #[must_use]
    pub fn after(&self, place: Place, at_most: usize) -> &[UserId] {
        let Some(before) = self.before(place) else { return &[] };
        &self.recipients[before..(before + at_most).min(self.recipients.len())]
    }

    /// Whether a place lies in a leg after this one: in none at the end of a leg that is not full, because that is the last.
    #[must_use]
    pub const fn is_followed_at(&self, place: Place) -> bool {
        first_part(self.sequence, place) != self.first
    }

    /// The place after so many more.
    #[must_use]
    pub fn advanced(&self, place: Place, by: usize) -> Place {
        let gone = self.before(place).unwrap_or(self.recipients.len()) + by;
        let whole = self.ends.partition_point(|end| *end <= gone);
        let offset = gone - self.start_of(whole).min(gone);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Place { part: self.first + number(whole), offset: if whole < self.ends.len() { number(offset) } else { 0 } }
    }

    /// How many come before a place.
    fn before(&self, place: Place) -> Option<usize> {
        let nth = usize::try_from(place.part.checked_sub(self.first)?).ok()?;
        let before = self.start_of(nth) + usize::try_from(place.offset).ok()?;
        (before <= *self.ends.get(nth)?).then_some(before)
    }

    fn start_of(&self, nth: usize) -> usize {
        nth.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(ids: &[u128]) -> Vec<UserId> {
        ids.iter().copied().map(UserId::from_u128).collect()
    }

    const fn place(part: u32, offset: u32) -> Place {
        Place { part, offset }
    }

    #[test]
    fn a_list_that_goes_by_id_has_everybody_once_and_side_by_side_whatever_part_they_came_with() {
        let leg = Leg::new(Sequence::ById, 256, &[people(&[5, 1, 9]), people(&[4]), people(&[2, 5])]);
        let (mut at, mut met, mut places) = (place(256, 0), vec![], vec![]);
        loop {
            let some = leg.after(at, 2);
            if some.is_empty() {
                break;
            }
            met.extend_from_slice(some);
            at = leg.advanced(at, some.len());
            places.push(at);
        }
        assert_eq!(met, people(&[1, 2, 4, 5, 5, 9]));
        assert_eq!(places, [place(256, 2), place(258, 0), place(259, 0)]);
    }

    #[test]
    fn every_place_counts_as_many_as_were_gone_through() {
        let leg = Leg::new(Sequence::ById, 0, &[people(&[3, 1]), people(&[2]), people(&[6, 5, 4])]);
        let all: Vec<Place> = (0..=6).map(|gone| leg.advanced(place(0, 0), gone)).collect();
        assert_eq!(all, [place(0, 0), place(0, 1), place(1, 0), place(2, 0), place(2, 1), place(2, 2), place(3, 0)]);
        for (gone, at) in all.iter().enumerate() {
            assert_eq!(leg.after(*at, 9).len(), 6 - gone);
            assert_eq!(leg.advanced(*at, 6 - gone), place(3, 0));
        }
    }

    #[test]
    fn a_list_in_its_own_order_is_gone_through_part_by_part() {
        let leg = Leg::new(Sequence::AsListed, 7, &[people(&[5, 1, 9])]);
        assert_eq!(leg.after(place(7, 1), 9), people(&[1, 9]));
        assert_eq!((leg.advanced(place(7, 1), 1), leg.advanced(place(7, 1), 2)), (place(7, 2), place(8, 0)));
    }

    #[test]
    fn a_leg_begins_where_the_one_before_it_ends() {
        assert_eq!((first_part(Sequence::ById, place(511, 3)), first_part(Sequence::ById, place(512, 0))), (256, 512));
        assert_eq!(first_part(Sequence::AsListed, place(511, 3)), 511);
        let leg = Leg::new(Sequence::ById, 256, &vec![people(&[1]); 256]);
        assert!(!leg.is_followed_at(place(511, 0)) && leg.is_followed_at(leg.advanced(place(511, 0), 1)));
        let last = Leg::new(Sequence::ById, 256, &[people(&[1, 2])]);
        assert!(!last.is_followed_at(last.advanced(place(256, 0), 2)), "it need not be read again to know that nobody follows");
    }

    #[test]
    fn outside_of_it_there_is_nobody() {
        let leg = Leg::new(Sequence::ById, 256, &[people(&[1, 2])]);
        for outside in [place(0, 0), place(256, 3), place(257, 0), place(u32::MAX, u32::MAX)] {
            assert!(leg.after(outside, 9).is_empty(), "{outside:?}");
        }
        assert!(Leg::new(Sequence::ById, 0, &[]).after(place(0, 0), 9).is_empty());
    }
}
