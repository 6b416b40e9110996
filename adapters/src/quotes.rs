//! Whether the text that a message quotes is still there for its reader. How it is shown, it must not know.

use application::queries::ReadModels;
use domain::chat::event::MessagePosted;
use domain::ids::{ChatId, TenantId, UserId};

/// Whether the quoted message was taken back, or removed by the reader from their own sight. Of a message from before the places of
/// quoted ones were kept nobody can tell, so that its quote is gone.
#[must_use]
pub fn is_gone(views: &dyn ReadModels, tenant: TenantId, chat: ChatId, posted: &MessagePosted, reader: Option<UserId>) -> bool {
    if posted.quote.is_none() {
        return false;
    }
    let is_hidden = |seq| reader.is_some_and(|reader| views.is_hidden(tenant, chat, seq, reader));
    posted.quote_seq.is_none_or(|seq| views.is_recalled(tenant, chat, seq) || is_hidden(seq))
}
