//! What happened, rehearsed as it was, happens again: every fact of the desk, one by one, from the beginning and from the middle.

use adapters::flows::rehearse::take;
use application::rehearsal::figures;
use application::rehearsal::plan::Plan;
use application::rehearsal::play::play;
use application::rehearsal::recording::Recorder;
use domain::ids::TenantId;

use super::world::World;
use crate::recount::{Checked, ensure};

pub(super) fn check(world: &World, tenant: TenantId) -> Checked {
    let commits = world.commits();
    let time = |place: usize| application::log::commit::header(&commits[place].bytes).map(|header| header.time);
    let middle = commits.len() / 2;
    let middle = time(middle).map_err(|error| format!("a commit cannot be read: {error}"))?;
    for from in [None, Some(middle)] {
        let mut recorder = Recorder::new(from, None);
        for stored in &commits {
            take(&mut recorder, tenant, stored).map_err(|error| format!("a commit cannot be rehearsed: {error}"))?;
        }
        let (recording, plan) = (recorder.finish(), Plan::default());
        let played = play(&recording, &plan);
        let differs = recording.facts.iter().zip(&played.facts).find(|(was, is)| was != is);
        ensure(differs.is_none(), || format!("rehearsed from {from:?}, {differs:?}"))?;
        let (was, is) = (recording.facts.len(), played.facts.len());
        ensure(was == is, || {
            let further = recording.facts.get(is).or(played.facts.get(was));
            format!("rehearsed from {from:?}, {is} facts of {was}: {further:#?}")
        })?;
        let (was, is) = (figures::recorded(&recording), figures::of(&recording, &played, &plan));
        ensure(was == is, || format!("rehearsed from {from:?}, the figures were {was:#?} and are {is:#?}"))?;
        otherwise(&recording)?;
    }
    Ok(())
}

/// Under another capacity the same customers come, and the desk keeps its rules.
fn otherwise(recording: &application::rehearsal::recording::Recording) -> Checked {
    for capacity in [1, 3] {
        let plan = Plan { capacity: Some(capacity), ..Plan::default() };
        let played = play(recording, &plan);
        let figures = figures::of(recording, &played, &plan);
        let carried = recording.desk.agents.values().map(domain::desk::state::Agent::load).max().unwrap_or_default();
        let most = figures.agents.iter().map(|load| load.most).max().unwrap_or_default();
        ensure(most <= capacity.max(carried), || format!("somebody carried {most}, with a capacity of {capacity}"))?;
        let was = figures::recorded(recording);
        let (was, is) = (was.all.came + was.left_messages + was.refused, figures.all.came + figures.left_messages + figures.refused);
        ensure(was == is + played.still_there, || format!("{is} came, and {} were still there, of {was}", played.still_there))?;
    }
    Ok(())
}
