//! What the platform tells a shop's customers.

use application::log::stream::StreamKey;
use domain::campaign::event as campaign;
use domain::event::Event;
use domain::ids::{CampaignId, UserId};
use domain::message::{Kind, Style};
use domain::private::Private;

use super::Shop;

impl Shop {
    /// The platform wrote to people whom the shop did not know, and is about to write to others.
    pub(super) fn campaigns(&mut self) {
        let shop = self.shop;
        let created = || {
            let (style, kind) = (Style::Card, Kind::Text);
            Event::Campaign(campaign::CampaignCreated { shop, style, kind, per_second: 10, private: Private::Closed }.into())
        };
        let strangers = vec![UserId::from_u128(self.id()), UserId::from_u128(self.id())];
        let added = Event::Campaign(campaign::RecipientsAdded { recipients: strangers }.into());
        let (first, second) = (CampaignId::from_u128(self.id()), CampaignId::from_u128(self.id()));
        let to = |part, offset| campaign::Place { part, offset };
        let unknown = |count| campaign::Tally { unknown: count, ..campaign::Tally::default() };
        self.commit(
            StreamKey::Campaign(first),
            [
                created(),
                added.clone(),
                Event::Campaign(campaign::CampaignStarted { sequence: campaign::Sequence::ById }.into()),
                Event::Campaign(campaign::CampaignAdvanced { to: to(0, 1), tally: unknown(1) }.into()),
                Event::Campaign(campaign::CampaignPaused {}.into()),
                Event::Campaign(campaign::CampaignResumed {}.into()),
                Event::Campaign(campaign::CampaignAdvanced { to: to(1, 0), tally: unknown(1) }.into()),
                Event::Campaign(campaign::CampaignFinished {}.into()),
            ],
        );
        let cancelled = campaign::CampaignCancelled { reason: campaign::CancelReason::Requested };
        self.commit(StreamKey::Campaign(second), [created(), added, Event::Campaign(cancelled.into())]);
    }
}
