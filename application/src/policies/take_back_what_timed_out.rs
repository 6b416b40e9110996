//! A conversation whose agent let their time pass goes to the next one.

use domain::chat::event::{ChatEvent, Omission};
use domain::desk::command::DeskCommand;
use domain::desk::event::RequeueReason;

use super::Caused;
use crate::log::stream::StreamKey;

pub(super) fn react(event: &ChatEvent, caused: &mut Vec<Caused>) {
    if let ChatEvent::AssignmentTimedOut(timed_out) = event {
        let reason = match timed_out.reason {
            Omission::NotAccepted => RequeueReason::NotAccepted,
            Omission::NotAnswered => RequeueReason::NotAnswered,
        };
        let time_out = DeskCommand::TimeOut { conversation: timed_out.conversation, assignment: timed_out.assignment, reason };
        caused.push(Caused::new(StreamKey::Desk, time_out));
    }
}
