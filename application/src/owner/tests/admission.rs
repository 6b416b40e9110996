//! Who may wait when much waits already.

use domain::chat::command::Announcement;

use super::*;

fn by_policy(command: ChatCommand, id: u128) -> Request {
    Request {
        stream: chat(),
        command: command.into(),
        id: CommandId::from_u128(id),
        digest: 0,
        actor: Actor::Policy,
        correlation: Uuid::nil(),
        causation: Uuid::nil(),
    }
}

#[test]
fn a_full_queue_answers_busy_at_once_but_policies_always_get_in() {
    let mut rig = Rig::opened_chat(OwnerLimits { waiting_per_tenant: 2, ..OwnerLimits::default() });
    let first = rig.ask(chat(), post(10, "one"), 10, 0);
    let second = rig.ask(chat(), post(11, "two"), 11, 0);
    let third = rig.ask(chat(), post(12, "three"), 12, 0);
    assert_eq!(*rig.answer(third), Err(CommandError::Busy));
    assert!(!rig.answers.contains_key(&first) && !rig.answers.contains_key(&second));
    let ticket = Ticket(99);
    let request = by_policy(post(13, "by a policy"), 13);
    rig.owner.submit(ticket, request);
    rig.run();
    rig.append_next();
    rig.append_next();
    assert!(rig.answer(ticket).is_ok());
    assert_eq!(rig.owner.waiting(), 0);
}

#[test]
fn what_a_campaign_says_is_put_off_like_anybody_else() {
    let mut rig = Rig::opened_chat(OwnerLimits { waiting_per_tenant: 1, ..OwnerLimits::default() });
    let first = rig.ask(chat(), post(10, "one"), 10, 0);
    let announcement = Announcement {
        shop: "shop".parse().expect("a slug"),
        customer: CUSTOMER,
        sender: UserId::from_u128(0x5),
        client_message: ClientMessageId::from_u128((u128::from(NOW.0.unsigned_abs()) << 80) | (7 << 76) | (2 << 62) | 11),
        message: MessageId::from_u128(11),
        digest: ContentDigest(1),
        content: MessageContent { content: "new shoes".to_owned(), url: None, quote_text: None, ext: None, ..MessageContent::default() },
        style: Style::Normal,
        kind: Kind::Text,
    };
    let request = by_policy(ChatCommand::Announce(Box::new(announcement)), 11);
    rig.owner.submit(Ticket(98), request.clone());
    rig.run();
    assert_eq!(*rig.answer(Ticket(98)), Err(CommandError::Busy));
    rig.append_next();
    assert!(rig.answer(first).is_ok());
    rig.owner.submit(Ticket(99), request);
    rig.run();
    assert!(!rig.answers.contains_key(&Ticket(99)), "it waits for its flush");
}
