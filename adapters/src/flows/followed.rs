//! Finds the flow that a conversation follows, and what its rules ask for, for the policies.
//!
//! A document is read and parsed once per version. It must not decide what a flow says.

use std::sync::{Arc, Mutex, PoisonError};

use application::policies::Wanted;
use application::policies::following::{Case, Following};
use application::ports::event_log::EventLog;
use application::ports::key_store::KeyStore;
use application::queries::{ConversationFilter, ConversationRow, ConversationStatus, EventRef, FlowRow, ReadModels, TenantRow};
use domain::chat::event::ChatEvent;
use domain::desk::event::LastServed;
use domain::event::Event;
use domain::flow::assignment::AssignmentFlow;
use domain::flow::check::Known;
use domain::flow::condition::{QueueStand, ServiceTime};
use domain::flow::hours::ServiceHours;
use domain::flow::reception::ReceptionFlow;
use domain::flow::{Asked, Flow, FlowKind, FlowVersion};
use domain::ids::{ConversationId, ShopId, TenantId};
use domain::message::Category;
use domain::time::{Millis, Timestamp};
use hashbrown::HashMap;

use super::{published, text};
use crate::ids::shop_account;
use crate::reading::{OpenError, Reader};

/// Documents kept at a time. They are a few kilobytes each, and are read again when they are asked for again.
const DOCUMENTS_MAX: usize = 1_000;

/// Conversations of a customer that are looked at for the agent who served last: one that nobody served is passed over.
const CONVERSATIONS_LOOKED_AT: usize = 8;

/// A document that was read; nothing for one that says nothing any more.
#[derive(Clone)]
enum Parsed {
    Reception(Arc<ReceptionFlow>),
    Assignment(Arc<AssignmentFlow>),
    Nothing,
}

/// See the file's head.
pub struct FlowLookup {
    log: Arc<dyn EventLog>,
    keys: Arc<dyn KeyStore>,
    views: Arc<dyn ReadModels>,
    /// By where they lie in the log.
    documents: Mutex<HashMap<EventRef, Parsed>>,
}

impl FlowLookup {
    /// Looks into these.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, keys: Arc<dyn KeyStore>, views: Arc<dyn ReadModels>) -> Self {
        Self { log, keys, views, documents: Mutex::default() }
    }

    /// The reception flow that a conversation follows, if its shop or its tenant has one in force, or the version by which it was
    /// routed, with what is known of it at a time. The read models must know the conversation.
    ///
    /// # Errors
    /// [`OpenError`] when the log cannot be read.
    pub async fn reception(
        &self,
        wanted: Wanted,
        tenant: TenantId,
        conversation: ConversationId,
        at: Timestamp,
    ) -> Result<Option<Following<ReceptionFlow>>, OpenError> {
        let Some((row, conversation)) = self.rows(tenant, conversation) else { return Ok(None) };
        let found = match wanted {
            Wanted::InForce => row.flow(FlowKind::Reception, conversation.shop),
            Wanted::Version(FlowVersion { shop, version }) => {
                row.flows.iter().find(|flow| (flow.kind, flow.shop, flow.version) == (FlowKind::Reception, shop, version))
            }
        };
        let Some(found) = found else { return Ok(None) };
        let Parsed::Reception(flow) = self.document(tenant, found).await? else { return Ok(None) };
        let case = self.case(&row, &conversation, &flow.asked(), flow.hours.as_ref(), at).await?;
        Ok(Some(Following { version: FlowVersion { shop: found.shop, version: found.version }, flow, case }))
    }

    /// The reception flow in force for a shop, if there is one: what it says whatever is known of a conversation.
    ///
    /// # Errors
    /// [`OpenError`] when the log cannot be read.
    pub async fn reception_of(&self, tenant: TenantId, shop: ShopId) -> Result<Option<Arc<ReceptionFlow>>, OpenError> {
        let row = self.views.tenant(tenant);
        let Some(found) = row.as_ref().and_then(|row| row.flow(FlowKind::Reception, shop)) else { return Ok(None) };
        Ok(match self.document(tenant, found).await? {
            Parsed::Reception(flow) => Some(flow),
            Parsed::Assignment(_) | Parsed::Nothing => None,
        })
    }

    /// The same of the assignment flow in force.
    ///
    /// # Errors
    /// [`OpenError`] when the log cannot be read.
    pub async fn assignment(
        &self,
        tenant: TenantId,
        conversation: ConversationId,
        at: Timestamp,
    ) -> Result<Option<Following<AssignmentFlow>>, OpenError> {
        let Some((row, conversation)) = self.rows(tenant, conversation) else { return Ok(None) };
        let Some(found) = row.flow(FlowKind::Assignment, conversation.shop) else { return Ok(None) };
        let Parsed::Assignment(flow) = self.document(tenant, found).await? else { return Ok(None) };
        let case = self.case(&row, &conversation, &flow.asked(), flow.hours.as_ref(), at).await?;
        Ok(Some(Following { version: FlowVersion { shop: found.shop, version: found.version }, flow, case }))
    }

    /// A tenant that ever had a flow, and one of its conversations.
    fn rows(&self, tenant: TenantId, conversation: ConversationId) -> Option<(Arc<TenantRow>, ConversationRow)> {
        let row = self.views.tenant(tenant).filter(|row| !row.flows.is_empty())?;
        Some((row, self.views.conversation(tenant, conversation)?))
    }

    async fn document(&self, tenant: TenantId, flow: &FlowRow) -> Result<Parsed, OpenError> {
        let known = |documents: &Mutex<HashMap<EventRef, Parsed>>| {
            documents.lock().unwrap_or_else(PoisonError::into_inner).get(&flow.text).cloned()
        };
        if let Some(known) = known(&self.documents) {
            return Ok(known);
        }
        let text = published::text(&mut Reader::over(&*self.log, &*self.keys), flow).await?;
        // It was checked when it was published, against the groups that there were.
        let parsed = match text.map(|text| text::read(&text, &Known::default())) {
            Some(Ok(Flow::Reception(flow))) => Parsed::Reception(flow.into()),
            Some(Ok(Flow::Assignment(flow))) => Parsed::Assignment(flow.into()),
            Some(Err(faults)) => {
                let fault = faults.first().map(|fault| fault.problem.as_str());
                tracing::error!(tenant.id = %tenant, kind = flow.kind.as_str(), version = flow.version, fault, "a published flow cannot be read; the built-in one is followed");
                Parsed::Nothing
            }
            None => Parsed::Nothing,
        };
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if documents.len() >= DOCUMENTS_MAX {
            documents.clear();
        }
        documents.insert(flow.text, parsed.clone());
        Ok(parsed)
    }

    async fn case(
        &self,
        row: &TenantRow,
        conversation: &ConversationRow,
        asked: &Asked,
        hours: Option<&ServiceHours>,
        at: Timestamp,
    ) -> Result<Case, OpenError> {
        let tenant = row.tenant;
        let description = self.views.description(tenant, conversation.customer).unwrap_or_default();
        let groups: Vec<_> = asked.queues.iter().copied().collect();
        let boards = if groups.is_empty() { vec![] } else { self.views.boards(tenant, &groups) };
        let stand = |board: &application::queries::BoardRow| QueueStand {
            waiting: u32::try_from(board.waiting).unwrap_or(u32::MAX),
            longest_wait: board.oldest_at.map_or(Millis(0), |oldest| at - oldest),
            staffed: board.on_service > 0,
        };
        Ok(Case {
            shop: conversation.shop,
            shop_account: shop_account(tenant, conversation.shop),
            last_served: self.last_served(tenant, conversation),
            entry: conversation.entry.page,
            asked_for: conversation.group.or(conversation.entry.group),
            tier: description.tier,
            tags: description.tags,
            language: description.language,
            service: if hours.is_none_or(|hours| hours.is_open(at)) { ServiceTime::Open } else { ServiceTime::Closed },
            text: if asked.words { self.last_words(conversation).await? } else { None },
            queues: boards.iter().map(|board| (board.group, stand(board))).collect(),
            robots: row.seats().cloned().collect(),
        })
    }

    /// Who served the customer last in this shop: in this conversation before it came back, or in the one before.
    fn last_served(&self, tenant: TenantId, conversation: &ConversationRow) -> Option<LastServed> {
        if let Some(agent) = conversation.agent {
            return Some(LastServed { agent, at: conversation.last_activity });
        }
        let of_customer = ConversationFilter {
            customer: Some(conversation.customer),
            shop: Some(conversation.shop),
            status: Some(ConversationStatus::Closed),
            ..ConversationFilter::default()
        };
        let before = self.views.conversations(tenant, of_customer, None, CONVERSATIONS_LOOKED_AT);
        before.iter().find_map(|row| Some(LastServed { agent: row.agent?, at: row.closed_at? }))
    }

    /// The assignment flow that lies at a place, if it says anything.
    ///
    /// # Errors
    /// [`OpenError`] when the log cannot be read.
    pub async fn assignment_at(&self, tenant: TenantId, at: EventRef) -> Result<Option<Arc<AssignmentFlow>>, OpenError> {
        let row = self.views.tenant(tenant);
        let Some(flow) = row.as_ref().and_then(|row| row.flows.iter().find(|flow| flow.text == at)) else { return Ok(None) };
        Ok(match self.document(tenant, flow).await? {
            Parsed::Assignment(flow) => Some(flow),
            Parsed::Reception(_) | Parsed::Nothing => None,
        })
    }

    /// What the customer wrote last, if nobody has spoken since.
    async fn last_words(&self, conversation: &ConversationRow) -> Result<Option<String>, OpenError> {
        let Some(at) = conversation.last_message else { return Ok(None) };
        let event = Reader::over(&*self.log, &*self.keys).open(at).await?.event;
        let Event::Chat(ChatEvent::MessagePosted(posted)) = event else { return Ok(None) };
        let said = posted.private.known().filter(|_| posted.category == Category::Customer);
        Ok(said.map(|said| said.content.clone()))
    }
}
