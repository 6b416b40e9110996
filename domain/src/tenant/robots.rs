//! The robots that a tenant has elsewhere: what they are called, what they are there for, and what must be known to ask them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::command::RobotConnection;
use super::decide::check_secret;
use super::error::TenantError;
use super::event::{RobotConnected, RobotDisconnected, RobotProtocol, RobotSecretSet, RobotSettings, RobotUse, SharedSecret, TenantEvent};
use super::state::CreatedTenant;
use crate::flow::reception::RobotRule;
use crate::labels::Label;
use crate::message::URL_BYTES_MAX;
use crate::private::Private;
use crate::time::Millis;

/// Most robots of one tenant: one for each kind of question, and some to try.
pub const ROBOTS_MAX: usize = 20;
/// How long a robot may take when the tenant says nothing.
pub const ROBOT_TIME_OUT_DEFAULT: Millis = Millis::seconds(10);
/// The longest that a robot may take: nobody looks at an empty page for longer.
pub const ROBOT_TIME_OUT_MAX: Millis = Millis::seconds(60);
/// Longest name of a language model in bytes.
pub const MODEL_BYTES_MAX: usize = 256;
/// Longest text that a language model is told first, in bytes: some pages.
pub const SYSTEM_BYTES_MAX: usize = 16 * 1024;
/// Longest key in bytes.
pub const ROBOT_KEY_BYTES_MAX: usize = 1_024;

/// A connected robot, without its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Robot {
    /// How it is talked with.
    pub protocol: RobotProtocol,
    /// What it is there for.
    pub uses: BTreeSet<RobotUse>,
}

pub(super) fn connect(tenant: &CreatedTenant, robot: &Label, connection: &RobotConnection) -> Result<Vec<TenantEvent>, TenantError> {
    let RobotConnection { protocol, uses, time_out, settings, secret, rotate } = connection;
    if [RobotRule::FAQ, RobotRule::NONE].contains(&robot.as_str()) {
        return Err(TenantError::RobotNameTaken { robot: robot.clone() });
    }
    let uses: BTreeSet<RobotUse> = uses.iter().copied().collect();
    if uses.is_empty() {
        return Err(TenantError::RobotWithoutUse);
    }
    if !(Millis(1)..=ROBOT_TIME_OUT_MAX).contains(time_out) {
        return Err(TenantError::LimitOutOfRange { limit: "timeout_ms", value: *time_out, max: ROBOT_TIME_OUT_MAX });
    }
    if uses.contains(&RobotUse::Scorer) && *protocol != RobotProtocol::Http {
        return Err(TenantError::RobotCannotScore);
    }
    check_settings(*protocol, settings)?;
    let before = tenant.robots.get(robot);
    if before.is_none() && tenant.robots.len() >= ROBOTS_MAX {
        return Err(TenantError::TooManyRobots { robots_max: ROBOTS_MAX });
    }
    let has_secret = before.is_some_and(|before| before.protocol == *protocol);
    let uses = uses.into_iter().collect();
    let connected =
        RobotConnected { robot: robot.clone(), protocol: *protocol, uses, time_out: *time_out, private: Private::Known(settings.clone()) };
    let mut events = vec![connected.into()];
    if let Some(secret) = secret.as_ref().filter(|_| !has_secret || *rotate) {
        check_robot_secret(*protocol, secret)?;
        events.push(RobotSecretSet { robot: robot.clone(), private: Private::Known(secret.clone()) }.into());
    }
    Ok(events)
}

fn check_settings(protocol: RobotProtocol, settings: &RobotSettings) -> Result<(), TenantError> {
    let RobotSettings { url, model, system } = settings;
    let too_long = |field, bytes_max| Err(TenantError::TextTooLong { field, bytes_max });
    let is_longer = |text: &Option<String>, bytes_max| text.as_ref().is_some_and(|text| text.len() > bytes_max);
    if url.is_empty() {
        return Err(TenantError::RobotAddressEmpty);
    }
    if url.len() > URL_BYTES_MAX {
        return too_long("url", URL_BYTES_MAX);
    }
    if is_longer(model, MODEL_BYTES_MAX) {
        return too_long("model", MODEL_BYTES_MAX);
    }
    if is_longer(system, SYSTEM_BYTES_MAX) {
        return too_long("system", SYSTEM_BYTES_MAX);
    }
    match protocol {
        RobotProtocol::ChatCompletions if model.as_ref().is_none_or(String::is_empty) => Err(TenantError::RobotWithoutModel),
        RobotProtocol::Http if model.is_some() || system.is_some() => Err(TenantError::RobotTakesNoModel),
        RobotProtocol::Http | RobotProtocol::ChatCompletions => Ok(()),
    }
}

/// What signs is a secret of ours; a key is whatever the other server gave out, as long as it fits a header.
fn check_robot_secret(protocol: RobotProtocol, secret: &SharedSecret) -> Result<(), TenantError> {
    match protocol {
        RobotProtocol::Http => check_secret(secret),
        RobotProtocol::ChatCompletions => {
            let key = &secret.secret;
            let fits = !key.is_empty() && key.len() <= ROBOT_KEY_BYTES_MAX && key.bytes().all(|byte| byte.is_ascii_graphic());
            if fits { Ok(()) } else { Err(TenantError::InvalidRobotKey { bytes_max: ROBOT_KEY_BYTES_MAX }) }
        }
    }
}

pub(super) fn disconnect(tenant: &CreatedTenant, robot: &Label) -> Vec<TenantEvent> {
    let known = tenant.robots.contains_key(robot);
    known.then(|| RobotDisconnected { robot: robot.clone() }.into()).into_iter().collect()
}

impl CreatedTenant {
    /// The robots that a flow may name for a use, beside the built-in one.
    pub(super) fn robots_for(&self, wanted: RobotUse) -> impl Iterator<Item = &Label> {
        self.robots.iter().filter(move |(_, robot)| robot.uses.contains(&wanted)).map(|(name, _)| name)
    }
}
