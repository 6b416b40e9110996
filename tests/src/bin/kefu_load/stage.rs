//! Sets the stage: a tenant with shops, agents with passwords who sign in, customers who are minted; and keeps their sessions
//! alive. It must not know what they will say.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::api::{Api, Ask, id_of, text_of};
use super::args::TargetArgs;
use super::error::LoadError;
use super::ids::{Hex, now_ms};
use super::socket::Endpoint;
use super::wire::{self, Position};

/// Accounts that are made at a time.
const AT_A_TIME: usize = 16;
/// A token is renewed when it has less than this left.
const RENEW_BEFORE: Duration = Duration::from_secs(60);
/// A device's name, and the provider under which customers are known.
const DEVICE: &str = "kefu-load";
/// Agents exist for one run; the password only has to satisfy the server.
const PASSWORD: &str = "load-generator-password";

/// A tenant that this run made.
pub struct Stage {
    /// The server.
    pub api: Api,
    /// The tenant's id.
    pub tenant: String,
    operator_key: String,
}

/// Somebody who is signed in.
pub struct Account {
    /// Their id.
    pub user: u128,
    session: Mutex<Session>,
}

struct Session {
    access: String,
    refresh: String,
    renew_at: Instant,
}

/// A message that was posted.
pub struct Said {
    /// Its id.
    pub message: u128,
    /// Its place in the chat.
    pub seq: u64,
    /// Where it is in the log, or after it.
    pub position: Position,
}

/// Whom to make.
#[derive(Clone, Debug)]
pub enum Part {
    /// A customer.
    Customer {
        /// Their account at the provider.
        name: String,
    },
    /// An agent of the group `main`.
    Agent {
        /// Their login.
        login: String,
        /// Conversations at a time.
        capacity: u32,
    },
}

impl Stage {
    /// Makes the tenant and its shops.
    pub async fn set(target: &TargetArgs, shops: usize) -> Result<Self, LoadError> {
        let api = Api::new(Endpoint::parse(&target.url)?, Duration::from_secs_f64(target.retry_for));
        let tenant = target.tenant.clone().unwrap_or_else(|| format!("load{}", base_36(now_ms())));
        let stage = Self { api, tenant, operator_key: target.operator_key.clone() };
        let body = json!({"id": stage.tenant, "time_zone": "UTC", "title": "Load"});
        let mut made = stage.api.ask(Ask::post("/v1/tenants", &stage.operator_key, body)).await?;
        for shop in 0..shops {
            let body = json!({"id": shop_id(shop), "title": format!("Shop {}", shop + 1)});
            made = stage.api.ask(Ask::post(stage.path("/shops"), &stage.operator_key, body)).await?;
        }
        if let Some(quota) = target.quota {
            let limits = Ask::put(stage.path("/limits"), &stage.operator_key, json!({"messages_per_second": quota}));
            made = stage.api.ask(limits).await?;
        }
        stage.wait_for(&made).await?;
        Ok(stage)
    }

    /// The path of something of this tenant.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/tenants/{}{rest}", self.tenant)
    }

    /// Waits until reads know what an answer reports.
    async fn wait_for(&self, answer: &Value) -> Result<(), LoadError> {
        let position = text_of(answer, "a change", "position")?;
        self.api.ask(Ask::get(self.path(&format!("?at_least={position}")), &self.operator_key)).await.map(|_| ())
    }

    /// Makes accounts and signs them in, in the order of the parts.
    pub async fn people(&self, parts: Vec<Part>) -> Result<Vec<Account>, LoadError> {
        stream::iter(parts).map(|part| self.person(part)).buffered(AT_A_TIME).try_collect().await
    }

    async fn person(&self, part: Part) -> Result<Account, LoadError> {
        match part {
            Part::Customer { name } => self.customer(&name).await,
            Part::Agent { login, capacity } => self.agent(&login, capacity).await,
        }
    }

    async fn customer(&self, name: &str) -> Result<Account, LoadError> {
        let body = json!({"provider": DEVICE, "account": name, "display_name": name});
        let answer = self.api.ask(Ask::post(self.path("/customers/mint"), &self.operator_key, body)).await?;
        Account::signed_in(&answer)
    }

    async fn agent(&self, login: &str, capacity: u32) -> Result<Account, LoadError> {
        let body = json!({
            "role": "agent", "display_name": login, "login": login, "password": PASSWORD, "groups": ["main"], "capacity": capacity,
        });
        let made = self.api.ask(Ask::post(self.path("/users"), &self.operator_key, body)).await?;
        self.wait_for(&made).await?;
        let body = json!({"login": login, "password": PASSWORD, "device": DEVICE});
        let answer = self.api.ask(Ask::post(self.path("/sign-in"), "", body)).await?;
        Account::signed_in(&answer)
    }

    /// Something that the operator orders.
    pub async fn order(&self, rest: &str, body: Value) -> Result<Value, LoadError> {
        self.api.ask(Ask::post(self.path(rest), &self.operator_key, body)).await
    }

    /// Something that the operator reads.
    pub async fn look(&self, rest: &str) -> Result<Value, LoadError> {
        self.api.ask(Ask::get(self.path(rest), &self.operator_key)).await
    }

    /// Registers customers whom another system knows, many at a time; answers their ids.
    pub async fn import(&self, names: Vec<String>) -> Result<Vec<String>, LoadError> {
        let customers: Vec<Value> = names.iter().map(|name| json!({"provider": DEVICE, "account": name})).collect();
        let answer = self.order("/customers/import", json!({"customers": customers})).await?;
        let users = answer["users"].as_array().into_iter().flatten();
        Ok(users.filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// An agent begins to work.
    pub async fn start_service(&self, agent: &Account) -> Result<(), LoadError> {
        let token = self.token(agent).await?;
        self.api.ask(Ask::put(self.path("/me/service"), &token, json!({"status": "started"}))).await.map(|_| ())
    }

    /// A customer enters a chat; answers chat and conversation.
    pub async fn enter(&self, customer: &Account, shop: usize) -> Result<(u128, u128), LoadError> {
        let token = self.token(customer).await?;
        let body = json!({"shop": shop_id(shop), "entry": {"page": "shop"}});
        let answer = self.api.ask(Ask::post(self.path("/chats"), &token, body)).await?;
        Ok((id_of(&answer, "entering a chat", "chat")?, id_of(&answer, "entering a chat", "conversation")?))
    }

    /// Somebody posts a message over HTTP.
    pub async fn say(&self, by: &Account, chat: u128, id: u128, text: &str) -> Result<Said, LoadError> {
        let token = self.token(by).await?;
        let path = self.path(&format!("/chats/{}/messages", Hex(chat)));
        let answer = self.api.ask(Ask::post(path, &token, json!({"id": Hex(id).to_string(), "content": text}))).await?;
        let what = "posting a message";
        let incomplete = |field| LoadError::Incomplete { what: what.into(), field };
        let at = format!("\"{}\"", text_of(&answer, what, "position")?);
        Ok(Said {
            message: id_of(&answer, what, "message")?,
            seq: answer["seq"].as_u64().ok_or_else(|| incomplete("seq"))?,
            position: wire::position(at.as_bytes()).ok_or_else(|| incomplete("position"))?,
        })
    }

    /// Somebody ends a conversation, having seen the chat up to a place.
    pub async fn close(&self, by: &Account, conversation: u128, seen_seq: u64) -> Result<(), LoadError> {
        let token = self.token(by).await?;
        let path = self.path(&format!("/conversations/{}/close", Hex(conversation)));
        self.api.ask(Ask::post(path, &token, json!({"seen_seq": seen_seq}))).await.map(|_| ())
    }

    /// A customer rates.
    pub async fn rate(&self, customer: &Account, conversation: u128, score: u8) -> Result<(), LoadError> {
        let token = self.token(customer).await?;
        let path = self.path(&format!("/conversations/{}/rating", Hex(conversation)));
        self.api.ask(Ask::post(path, &token, json!({"score": score}))).await.map(|_| ())
    }

    /// One page of a feed, as it came.
    pub async fn feed_page(&self, reader: &Account, after: u64, limit: u32) -> Result<Vec<u8>, LoadError> {
        let token = self.token(reader).await?;
        self.api.ask_raw(&Ask::get(self.path(&format!("/feed?after={after}&limit={limit}")), &token)).await
    }

    /// One page of a chat, as it came.
    pub async fn chat_page(&self, reader: &Account, chat: u128, from_seq: u64, limit: u32) -> Result<Vec<u8>, LoadError> {
        let token = self.token(reader).await?;
        let path = self.path(&format!("/chats/{}/messages?from_seq={from_seq}&limit={limit}", Hex(chat)));
        self.api.ask_raw(&Ask::get(path, &token)).await
    }

    /// A token that is good for a while.
    pub async fn token(&self, account: &Account) -> Result<String, LoadError> {
        let mut session = account.session.lock().await;
        if Instant::now() >= session.renew_at {
            let body = json!({"refresh_token": session.refresh});
            let answer = self.api.ask(Ask::post(self.path("/token/refresh"), "", body)).await?;
            *session = Session::read(&answer)?;
        }
        Ok(session.access.clone())
    }

    /// The token is not believed any more, whatever its time: the next one is a new one.
    pub async fn renew(&self, account: &Account) {
        account.session.lock().await.renew_at = Instant::now();
    }
}

impl Account {
    fn signed_in(answer: &Value) -> Result<Self, LoadError> {
        Ok(Self { user: id_of(answer, "a sign-in", "user")?, session: Mutex::new(Session::read(answer)?) })
    }
}

impl Session {
    fn read(answer: &Value) -> Result<Self, LoadError> {
        let lives = answer.get("expires_in").and_then(Value::as_u64).unwrap_or_default();
        let lives = Duration::from_secs(lives);
        Ok(Self {
            access: text_of(answer, "a sign-in", "access_token")?,
            refresh: text_of(answer, "a sign-in", "refresh_token")?,
            // A token that lives shorter than the margin is renewed at half its life.
            renew_at: Instant::now() + lives.saturating_sub(RENEW_BEFORE).max(lives / 2),
        })
    }
}

/// The id of a shop, counted from 0.
fn shop_id(shop: usize) -> String {
    format!("shop{}", shop + 1)
}

fn base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
    }
    digits.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_name_is_a_slug() {
        assert_eq!(base_36(35 * 36 + 1), "z1");
        assert_eq!(base_36(0), "");
    }
}
