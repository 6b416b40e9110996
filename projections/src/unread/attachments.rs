//! Which messages use an attachment: so that whoever may see none of them may not read it either.

use std::sync::Arc;

use application::queries::{AttachmentPlace, AttachmentUses};
use domain::chat::event::MessagePosted;
use domain::ids::{AttachmentId, ChatId, TenantId};

use super::INFO;
use crate::keys::Key;
use crate::projection::ApplyError;
use crate::rows::{Row, Rows};
use crate::store::ViewStore;

/// Messages that are remembered of one attachment: the same file is rarely shown more than once in a chat.
const PLACES_MAX: usize = 256;

impl Row for AttachmentUses {}

/// See the file's head.
pub(super) struct Attachments {
    pub(super) rows: Rows<AttachmentUses>,
}

impl Attachments {
    pub(super) fn open(store: &Arc<dyn ViewStore>) -> Self {
        Self { rows: Rows::new(Arc::clone(store), INFO.table("attachments")) }
    }

    pub(super) fn uses(&self, tenant: TenantId, attachment: AttachmentId) -> Result<Option<AttachmentUses>, ApplyError> {
        self.rows.read(key(tenant, attachment))
    }

    pub(super) fn posted(&mut self, tenant: TenantId, chat: ChatId, posted: &MessagePosted) -> Result<(), ApplyError> {
        let Some(attachment) = posted.attachment else { return Ok(()) };
        let uses = self.rows.change(key(tenant, attachment))?.get_or_insert_with(|| AttachmentUses { chat, places: Vec::new() });
        if uses.places.len() == PLACES_MAX {
            uses.places.remove(0);
        }
        uses.places.push(AttachmentPlace { seq: posted.seq, visibility: posted.visibility });
        Ok(())
    }
}

fn key(tenant: TenantId, attachment: AttachmentId) -> Key {
    Key::new(tenant, *attachment.as_bytes())
}
