//! `kefu flow publish`: brings a flow to a running server, by its API and nothing else.

use std::path::Path;
use std::time::Duration;

use domain::flow::Flow;
use domain::flow::check::Known;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::json;

use super::command::{FlowCommandError, line, report, text_of};
use super::text::{TextFault, read};
use crate::cli::Publish;

/// Longest wait for the server: it answers once the flow is durable, which takes milliseconds.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// What the server says of a flow that is in force.
#[derive(Deserialize)]
struct Published {
    version: u32,
}

/// What the server says when it refuses.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    faults: Vec<TextFault>,
}

/// Publishes a flow and says its version, or every fault; answers whether it is in force.
pub(super) async fn publish(order: &Publish, said: &mut String) -> Result<bool, FlowCommandError> {
    let text = text_of(&order.file)?;
    // Only the server knows the tenant's groups; which flow it is, and what is wrong with it by itself, is seen here.
    let flow = match read(&text, &Known::default()) {
        Ok(flow) => flow,
        Err(faults) => {
            report(&order.file, None, &faults, said);
            return Ok(false);
        }
    };
    let answer = ask(order, &flow, &text).await?;
    let status = answer.status();
    let unreadable = |source| FlowCommandError::NoAnswer { source };
    if status.is_success() {
        let Published { version } = answer.json().await.map_err(unreadable)?;
        let (file, kind) = (order.file.display(), flow.kind().as_str());
        line(said, &format_args!("{file}: version {version} of the {kind} flow is in force"));
        return Ok(true);
    }
    let problem = answer.json::<Problem>().await.unwrap_or_default();
    if problem.faults.is_empty() {
        return Err(FlowCommandError::Refused { status: status.as_u16(), code: problem.code, detail: problem.detail });
    }
    report(Path::new(&order.file), None, &problem.faults, said);
    Ok(false)
}

async fn ask(order: &Publish, flow: &Flow, text: &str) -> Result<Response, FlowCommandError> {
    let base = Url::parse(&order.url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let mut url = base.ok_or_else(|| FlowCommandError::NoAddress { url: order.url.clone() })?;
    let path = match order.shop {
        Some(shop) => format!("v1/tenants/{}/shops/{shop}/flows/{}", order.tenant, flow.kind().as_str()),
        None => format!("v1/tenants/{}/flows/{}", order.tenant, flow.kind().as_str()),
    };
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/'));
    }
    // The program has one by now; a test may not.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let no_answer = |source| FlowCommandError::NoAnswer { source };
    // A key follows no redirect.
    let client = Client::builder().redirect(Policy::none()).timeout(ANSWER_MAX).build().map_err(no_answer)?;
    let answer = client.put(url).bearer_auth(&order.key).json(&json!({ "text": text })).send().await.map_err(no_answer)?;
    if answer.status() == StatusCode::NOT_FOUND
        && answer.headers().get("content-type").is_none_or(|kind| kind != "application/problem+json")
    {
        return Err(FlowCommandError::NoAddress { url: order.url.clone() });
    }
    Ok(answer)
}
