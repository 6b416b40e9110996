//! Whoever still waits, or has been silent, is told what the flow says of it; and so is whoever was silent for too long.

use domain::chat::command::Speaker;
use domain::chat::event::ChatEvent;
use domain::conversation::event::{CloseReason, ConversationEvent};
use domain::event::Event;
use domain::flow::condition::Circumstances;
use domain::flow::reception::ReceptionFlow;
use domain::flow::words::Notice;
use domain::ids::{ChatId, ConversationId};

use super::following::Following;
use super::notices::{self, Said};
use super::{Caused, Fact, PolicyView, Wanted};
use crate::log::stream::{StreamId, StreamKey};

/// What the time calls for.
#[derive(Clone, Copy)]
struct Call {
    chat: ChatId,
    conversation: ConversationId,
    wanted: Wanted,
    /// Tells the notices of one fact apart.
    what: &'static str,
    which: Which,
}

#[derive(Clone, Copy)]
enum Which {
    /// They still wait; the flow has a notice for each time.
    Busy(u32),
    /// They have been silent for a while.
    Reminder,
    /// They were silent for too long.
    End,
}

fn call(stream: StreamId, event: &Event) -> Option<Call> {
    match (event, stream.key) {
        (Event::Conversation(ConversationEvent::StillWaiting(waiting)), StreamKey::Conversation(conversation)) => Some(Call {
            chat: waiting.chat,
            conversation,
            wanted: Wanted::Version(waiting.flow),
            what: "busy",
            which: Which::Busy(waiting.notice),
        }),
        (Event::Conversation(ConversationEvent::ConversationClosed(closed)), StreamKey::Conversation(conversation))
            if closed.reason == CloseReason::Expired =>
        {
            Some(Call { chat: closed.chat, conversation, wanted: Wanted::InForce, what: "expired", which: Which::End })
        }
        (Event::Chat(ChatEvent::IdleReminded(reminded)), StreamKey::Chat(chat)) => {
            let conversation = reminded.conversation;
            Some(Call { chat, conversation, wanted: Wanted::InForce, what: "reminder", which: Which::Reminder })
        }
        (
            Event::Conversation(_)
            | Event::Chat(_)
            | Event::User(_)
            | Event::Desk(_)
            | Event::Tenant(_)
            | Event::Campaign(_)
            | Event::Retrieval(_),
            _,
        ) => None,
    }
}

fn notice(flow: &ReceptionFlow, which: Which) -> Option<&Notice> {
    match which {
        Which::Busy(notice) => flow.waiting.busy.get(usize::try_from(notice).ok()?).map(|notice| &notice.say),
        Which::Reminder => flow.idle.remind.as_ref().map(|remind| &remind.say),
        Which::End => flow.idle.say.as_ref(),
    }
}

/// Of which conversation it must be known what the flow says, and which flow.
pub(super) fn needs_flow(stream: StreamId, event: &Event) -> Option<(ConversationId, Wanted)> {
    call(stream, event).map(|call| (call.conversation, call.wanted))
}

pub(super) fn react(fact: &Fact<'_>, view: &dyn PolicyView, caused: &mut Vec<Caused>) {
    let Some((call, Following { flow, case, .. })) = call(fact.stream, fact.event).zip(view.reception()) else { return };
    if let Some(words) = notice(flow, call.which).and_then(|say| say.said_in(case.language(), &flow.languages)) {
        let said = Said { what: call.what, words, ext: None, after_end: matches!(call.which, Which::End), speaker: Speaker::Flow };
        caused.push(Caused::new(StreamKey::Chat(call.chat), notices::of(fact, call.conversation, case.shop_account, &said)));
    }
}
