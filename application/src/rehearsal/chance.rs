//! What nobody recorded, drawn from what others did: by a hash of the visit, so that a rehearsal answers the same each time.

use domain::ids::ConversationId;
use domain::time::Millis;

use super::visit::{Patience, ServiceEnd, Visit};

/// For what something is drawn; different draws of one visit are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// How long a customer waits.
    Patience,
    /// How long a service takes.
    Work,
    /// How long an agent takes to answer.
    Answer,
}

/// An even chance in (0, 1] of a visit: the first 53 bits of a hash.
#[must_use]
pub fn even(seed: u64, conversation: ConversationId, nth: u32, draw: Draw) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(conversation.as_bytes());
    hasher.update(&nth.to_le_bytes());
    hasher.update(&[draw as u8]);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    unit(u64::from_le_bytes(bytes))
}

/// 64 even bits as an even number in (0, 1].
#[must_use]
pub(super) fn unit(bits: u64) -> f64 {
    // 53 bits are what a double holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
    let above = ((bits >> 11) + 1) as f64;
    above / (1_u64 << 53) as f64
}

/// How likely a customer still waits after a time: the estimate of Kaplan and Meier (J. Am. Stat. Assoc. 53, 1958), which counts
/// whoever was served for as long as they were seen to wait.
#[derive(Clone, Debug, Default)]
pub struct Survival {
    /// Times at which somebody left, and what share waits on beyond each.
    steps: Vec<(Millis, f64)>,
}

impl Survival {
    /// From how long customers waited, and whether they left then.
    #[must_use]
    pub fn of(mut waits: Vec<(Millis, bool)>) -> Self {
        waits.sort_unstable_by_key(|(wait, left)| (*wait, !*left));
        let mut steps: Vec<(Millis, f64)> = vec![];
        let mut share = 1.0;
        let total = waits.len();
        for (index, (wait, left)) in waits.into_iter().enumerate() {
            if left {
                #[expect(clippy::cast_precision_loss, reason = "a count of visits")]
                let at_risk = (total - index) as f64;
                share *= 1.0 - 1.0 / at_risk;
                match steps.last_mut().filter(|(at, _)| *at == wait) {
                    Some(last) => last.1 = share,
                    None => steps.push((wait, share)),
                }
            }
        }
        Self { steps }
    }

    /// When somebody leaves who has waited so long already; `None` if they are among those who stay.
    #[must_use]
    pub fn leaves_after(&self, waited: Millis, chance: f64) -> Option<Millis> {
        let now = self.steps.iter().rev().find(|(at, _)| *at <= waited).map_or(1.0, |(_, share)| *share);
        self.steps.iter().find(|(at, share)| *at > waited && *share <= now * chance).map(|(at, _)| *at)
    }
}

/// What the visits of a period did, to draw from.
#[derive(Clone, Debug, Default)]
pub struct Experience {
    seed: u64,
    patience: Survival,
    works: Vec<Millis>,
    answers: Vec<Millis>,
}

impl Experience {
    /// Of these visits.
    #[must_use]
    pub fn of(visits: &[Visit], seed: u64) -> Self {
        let waits = visits.iter().filter(|visit| !visit.arrival.left_message).filter_map(|visit| match visit.waits.first()?.patience {
            Patience::Left { after, .. } => Some((after, true)),
            Patience::AtLeast(waited) => Some((waited, false)),
            Patience::Endless => None,
        });
        let mut works: Vec<Millis> = visits.iter().filter_map(Visit::work).collect();
        works.sort_unstable();
        let services = visits.iter().flat_map(|visit| &visit.services).filter(|service| matches!(service.end, ServiceEnd::Deed(_)));
        let mut answers: Vec<Millis> = services.filter_map(|service| service.answered_after).collect();
        answers.sort_unstable();
        Self { seed, patience: Survival::of(waits.collect()), works, answers }
    }

    /// When a customer leaves who was only seen to wait so long; `None` if they stay.
    #[must_use]
    pub fn patience(&self, visit: &Visit, waited: Millis) -> Option<Millis> {
        self.patience.leaves_after(waited, even(self.seed, visit.conversation, visit.nth, Draw::Patience))
    }

    /// How long somebody who was never served would have kept an agent; `None` if nobody was ever served.
    #[must_use]
    pub fn work(&self, visit: &Visit) -> Option<Millis> {
        quantile(&self.works, even(self.seed, visit.conversation, visit.nth, Draw::Work))
    }

    /// How long an agent would have taken to answer somebody who was never served.
    #[must_use]
    pub fn answer(&self, visit: &Visit) -> Option<Millis> {
        quantile(&self.answers, even(self.seed, visit.conversation, visit.nth, Draw::Answer))
    }
}

/// The value at a share of a sorted list, by nearest rank.
#[must_use]
pub fn quantile(sorted: &[Millis], share: f64) -> Option<Millis> {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}
