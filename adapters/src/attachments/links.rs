//! The link of a message: whether it leads to an attachment, and whether whoever posts may use that.
//!
//! What is found here is judged again by the chat, at its own time: an upload that no message used may be removed meanwhile.

use domain::chat::command::Attached;
use domain::ids::{AttachmentId, ChatId, TenantId};

use super::sight::{Eyes, Sight, sight};
use super::{Proof, Stored};
use crate::http::error::ApiError;
use crate::messaging::Sender;
use crate::reading::look_up;
use crate::state::AppState;

/// A link to an attachment of the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which.
    pub attachment: AttachmentId,
    /// Whether it names a host, which may be another installation's.
    names_host: bool,
}

/// Reads a link; `None` when it leads somewhere else.
#[must_use]
pub fn read(tenant: TenantId, url: &str) -> Option<Link> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let path = match host {
        Some(rest) => &rest[rest.find('/')?..],
        None => url,
    };
    let id = path.strip_prefix("/v1/tenants/")?.strip_prefix(tenant.as_str())?.strip_prefix("/attachments/")?;
    let id = id.split(['?', '#']).next().unwrap_or_default();
    Some(Link { attachment: id.parse().ok()?, names_host: host.is_some() })
}

/// Looks up what a message's link leads to, as its sender may use it in this chat.
///
/// # Errors
/// [`ApiError::Blob`], [`ApiError::Attachment`], [`ApiError::Keys`], [`ApiError::Read`].
pub async fn look_up_attached(app: &AppState, sender: Sender, chat: ChatId, url: Option<&str>) -> Result<Attached, ApiError> {
    let tenant = sender.tenant;
    let Some(link) = url.and_then(|url| read(tenant, url)) else { return Ok(Attached::Nothing) };
    let attachment = link.attachment;
    let Some(stored) = Stored::find(app, tenant, attachment).await? else {
        return Ok(if link.names_host { Attached::Nothing } else { Attached::Missing });
    };
    if stored.header.about.chat != chat {
        return Ok(Attached::Missing);
    }
    match stored.prove(app)? {
        Proof::Proven => {}
        // It is gone.
        Proof::Erased => return Ok(Attached::Missing),
    }
    let uses = || app.ports.views.attachment_uses(tenant, attachment);
    let use_by = stored.header.about.use_by;
    // In time it does not matter whether another message was first; afterwards it does.
    let is_late = use_by.is_some_and(|use_by| app.now() > use_by);
    let uses = if is_late { look_up(app, uses).await? } else { uses() };
    let Some(uses) = uses else { return Ok(Attached::File { attachment, use_by }) };
    let row = app.ports.views.chat(tenant, chat);
    let eyes = row.as_ref().and_then(|row| row.member(sender.user)).map(Eyes::of_member);
    match eyes.map(|eyes| sight(app, tenant, &uses, eyes)) {
        // Whether they are a member at all is the chat's to say; nobody else gets that far.
        Some(Sight::Seen) | None => Ok(Attached::File { attachment, use_by: None }),
        Some(Sight::TakenBack | Sight::Unseen) => Ok(Attached::Missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_an_attachment_of_the_tenant_or_somewhere_else() {
        let acme: TenantId = "acme".parse().unwrap();
        let id = "01900000000070008000000000000001";
        let attachment = id.parse().unwrap();
        for (url, names_host) in [
            (format!("/v1/tenants/acme/attachments/{id}"), false),
            (format!("/v1/tenants/acme/attachments/{id}?size=small#top"), false),
            (format!("https://kefu.example/v1/tenants/acme/attachments/{id}"), true),
            (format!("http://127.0.0.1:8080/v1/tenants/acme/attachments/{id}"), true),
        ] {
            assert_eq!(read(acme, &url), Some(Link { attachment, names_host }), "{url}");
        }
        for url in [
            String::new(),
            "https://shop.example".to_owned(),
            "https://shop.example/p/1001".to_owned(),
            "/v1/tenants/acme/attachments/".to_owned(),
            "/v1/tenants/acme/attachments/nonsense".to_owned(),
            format!("/v1/tenants/acme2/attachments/{id}"),
            format!("/v1/tenants/rival/attachments/{id}"),
            format!("/v2/tenants/acme/attachments/{id}"),
            format!("ftp://x/v1/tenants/acme/attachments/{id}"),
        ] {
            assert_eq!(read(acme, &url), None, "{url}");
        }
    }
}
