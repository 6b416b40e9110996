//! The campaigns: what each is, how far it is, and what became of those before. The list of recipients stays in the log.
//!
//! Few and small, so all of them are kept in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::log::stream::StreamKey;
use application::queries::{CampaignRow, CampaignStatus};
use domain::campaign::event::{CampaignEvent, Place, Sequence, Tally};
use domain::event::Event;
use domain::ids::{CampaignId, TenantId};

use crate::keys::Key;
use crate::projection::{ApplyError, Fact, Projection, Streams, ViewInfo};
use crate::rows::{Row, Rows, encode};
use crate::store::{ViewStore, WriteBatch};

/// What is fixed about this view.
pub const INFO: ViewInfo = ViewInfo { name: "campaigns", version: 2, streams: Streams::CAMPAIGN, tables: &["campaigns"] };

impl Row for CampaignRow {}

type Id = (TenantId, CampaignId);

/// See the file's head.
pub struct Campaigns {
    rows: BTreeMap<Id, CampaignRow>,
    table: Arc<str>,
    changed: BTreeSet<Id>,
}

impl Campaigns {
    /// The view over a store.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub fn open(store: &Arc<dyn ViewStore>) -> Result<Self, ApplyError> {
        let table = INFO.table("campaigns");
        let stored = Rows::<CampaignRow>::stored(&**store, &table)?;
        let rows = stored.into_iter().map(|(key, row)| ((key.tenant, row.campaign), row)).collect();
        Ok(Self { rows, table, changed: BTreeSet::new() })
    }

    /// A campaign.
    #[must_use]
    pub fn campaign(&self, tenant: TenantId, campaign: CampaignId) -> Option<CampaignRow> {
        self.rows.get(&(tenant, campaign)).cloned()
    }

    /// Campaigns of a tenant, the newest first, after one of them.
    #[must_use]
    pub fn campaigns(&self, tenant: TenantId, after: Option<CampaignId>, limit: usize) -> Vec<CampaignRow> {
        let first = (tenant, CampaignId::from_u128(0));
        let of_tenant = match after {
            Some(after) => self.rows.range(first..(tenant, after)),
            None => self.rows.range(first..=(tenant, CampaignId::from_u128(u128::MAX))),
        };
        of_tenant.rev().take(limit).map(|(_, row)| row.clone()).collect()
    }

    /// The campaigns that speak.
    #[must_use]
    pub fn running(&self) -> Vec<Id> {
        self.rows.iter().filter(|(_, row)| row.status == CampaignStatus::Running).map(|(id, _)| *id).collect()
    }

    fn event(&mut self, fact: &Fact<'_>, campaign: CampaignId, event: &CampaignEvent) -> Result<(), ApplyError> {
        let id = (fact.tenant, campaign);
        if let CampaignEvent::CampaignCreated(created) = event {
            let row = CampaignRow {
                campaign,
                shop: created.shop,
                style: created.style,
                kind: created.kind,
                content: fact.at,
                per_second: created.per_second,
                status: CampaignStatus::Draft,
                cancelled: None,
                recipients: 0,
                sequence: Sequence::default(),
                place: Place::default(),
                tally: Tally::default(),
                created_at: fact.time,
                started_at: None,
                ended_at: None,
            };
            self.rows.insert(id, row);
        } else {
            let row = self.rows.get_mut(&id).ok_or(ApplyError::NotOpened)?;
            match event {
                CampaignEvent::CampaignCreated(_) => {}
                CampaignEvent::RecipientsAdded(added) => row.recipients += added.recipients.len() as u64,
                CampaignEvent::CampaignStarted(started) => {
                    row.sequence = started.sequence;
                    row.status = CampaignStatus::Running;
                    row.started_at = Some(fact.time);
                }
                CampaignEvent::CampaignPaused(_) => row.status = CampaignStatus::Paused,
                CampaignEvent::CampaignResumed(_) => row.status = CampaignStatus::Running,
                CampaignEvent::CampaignCancelled(cancelled) => {
                    row.status = CampaignStatus::Cancelled;
                    row.cancelled = Some(cancelled.reason);
                    row.ended_at = Some(fact.time);
                }
                CampaignEvent::CampaignAdvanced(advanced) => {
                    row.place = advanced.to;
                    row.tally = row.tally.and(advanced.tally);
                }
                CampaignEvent::CampaignFinished(_) => {
                    row.status = CampaignStatus::Finished;
                    row.ended_at = Some(fact.time);
                }
            }
        }
        self.changed.insert(id);
        Ok(())
    }
}

impl Projection for Campaigns {
    fn apply(&mut self, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match (fact.event, fact.stream) {
            (Event::Campaign(event), StreamKey::Campaign(campaign)) => self.event(fact, campaign, event),
            (Event::Campaign(_), _) => Err(ApplyError::WrongStream),
            (Event::Chat(_) | Event::Conversation(_) | Event::User(_) | Event::Desk(_) | Event::Tenant(_) | Event::Retrieval(_), _) => {
                Ok(())
            }
        }
    }

    fn flush(&mut self, batch: &mut WriteBatch) {
        for (tenant, campaign) in std::mem::take(&mut self.changed) {
            if let Some(row) = self.rows.get(&(tenant, campaign)) {
                let key = Key::new(tenant, *campaign.as_bytes());
                batch.table(&self.table).put_with(|out| key.write(out), |out| encode(row, out));
            }
        }
    }

    fn wrote(&mut self, _flushes: usize) {}

    fn pending(&self) -> usize {
        self.changed.len()
    }
}
