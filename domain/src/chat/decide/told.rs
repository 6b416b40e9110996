//! What no member says: announcements of the platform's campaigns, notices of the shop's flow, and remarks of whoever handed over.

use super::{Decided, check_client_id, check_minted, is_posted, open};
use crate::chat::command::{Announcement, FlowNotice, Speaker};
use crate::chat::event::MessagePosted;
use crate::chat::state::{CLIENT_IDS_KEPT_FOR, ChatState, OpenChat, ServiceChat, Session};
use crate::message::{Category, Kind, Origin, Persona, Style, Visibility};
use crate::private::Private;
use crate::time::Timestamp;

pub(super) fn announce(announcement: &Announcement, state: &ChatState, at: Timestamp) -> Decided {
    let Announcement { shop, customer, sender, client_message, .. } = *announcement;
    let mut events = open(shop, customer, state)?;
    let last_seq = match state.open() {
        Some(chat) if is_posted(chat, sender, client_message, announcement.digest)? => return Ok(vec![]),
        Some(chat) => {
            check_client_id(chat, sender, client_message, at)?;
            chat.last_seq
        }
        None => {
            check_minted(client_message, at - CLIENT_IDS_KEPT_FOR, at)?;
            0
        }
    };
    announcement.content.check()?;
    let said = MessagePosted {
        message: announcement.message,
        seq: last_seq + 1,
        client_message,
        digest: announcement.digest,
        sender,
        category: Category::System,
        origin: Origin::Campaign,
        persona: Persona::Shop,
        visibility: Visibility::All,
        style: announcement.style,
        kind: announcement.kind,
        conversation: None,
        assignment: None,
        quote: None,
        quote_seq: None,
        // It goes to many chats, and an attachment belongs to one.
        attachment: None,
        body_bytes: u32::try_from(announcement.content.bytes()).unwrap_or(u32::MAX),
        private: Private::Known(announcement.content.clone()),
    };
    events.push(said.into());
    Ok(events)
}

pub(super) fn notify(chat: &OpenChat, service: &ServiceChat, notice: &FlowNotice, at: Timestamp) -> Decided {
    let is_over = match service.session {
        Session::Open { conversation, .. } => conversation != notice.conversation,
        Session::Ended { conversation, .. } => conversation != notice.conversation || !notice.after_end,
        Session::None => true,
    };
    // A robot that is late has nothing to say any more.
    let is_late = match service.session {
        Session::Open { silence, .. } => notice.speaker == Speaker::Robot && !silence.robot,
        Session::Ended { .. } | Session::None => false,
    };
    if is_over || is_late || is_posted(chat, notice.sender, notice.client_message, notice.digest)? {
        return Ok(vec![]);
    }
    check_client_id(chat, notice.sender, notice.client_message, at)?;
    notice.content.check()?;
    let (category, origin, visibility, style) = match notice.speaker {
        Speaker::Flow => (Category::System, Origin::System, Visibility::All, Style::Normal),
        Speaker::Robot => (Category::Robot, Origin::Robot, Visibility::All, Style::Normal),
        Speaker::HandOver => (Category::Agent, Origin::Human, Visibility::Staff, Style::Toast),
    };
    let said = MessagePosted {
        message: notice.message,
        seq: chat.last_seq + 1,
        client_message: notice.client_message,
        digest: notice.digest,
        sender: notice.sender,
        category,
        origin,
        persona: Persona::Shop,
        visibility,
        style,
        kind: Kind::Text,
        conversation: Some(notice.conversation),
        assignment: None,
        quote: None,
        quote_seq: None,
        attachment: None,
        body_bytes: u32::try_from(notice.content.bytes()).unwrap_or(u32::MAX),
        private: Private::Known(notice.content.clone()),
    };
    Ok(vec![said.into()])
}
