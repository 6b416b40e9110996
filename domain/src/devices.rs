//! Kinds of devices, and how many a user may be signed in on: shared by the tenant, who decides it, and the user, whom it binds.

use serde::{Deserialize, Serialize};

/// What somebody signs in on, as the client says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// It did not say, or is something else.
    #[default]
    Other,
    /// A page in a browser.
    Web,
    /// A program on a computer.
    Desktop,
    /// A telephone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A page inside another app.
    MiniApp,
}

impl DeviceKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Other, Self::Web, Self::Desktop, Self::Mobile, Self::Tablet, Self::MiniApp];

    /// Whether nothing is known of it; such a one is not written down.
    #[must_use]
    pub fn is_other(&self) -> bool {
        *self == Self::Other
    }
}

/// Most sign-ins of one user, whatever a policy says.
pub const DEVICES_MAX: u8 = 16;

/// How many devices a user is signed in on at a time, and which kinds end which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicePolicy {
    /// Most sign-ins at a time, 1 to [`DEVICES_MAX`]; a further one ends the one that would expire first.
    pub devices_max: u8,
    /// What else a sign-in ends.
    #[serde(default)]
    pub kicks: Vec<Kick>,
}

/// A sign-in on a device of one kind ends those on others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kick {
    /// The kind that comes.
    pub newcomer: DeviceKind,
    /// The kinds that go; its own kind among them means one device of it at a time.
    pub ends: Vec<DeviceKind>,
}

impl Default for DevicePolicy {
    fn default() -> Self {
        Self { devices_max: DEVICES_MAX, kicks: Vec::new() }
    }
}

impl DevicePolicy {
    /// Whether a sign-in on one kind ends one on another.
    #[must_use]
    pub fn ends(&self, newcomer: DeviceKind, there: DeviceKind) -> bool {
        self.kicks.iter().any(|kick| kick.newcomer == newcomer && kick.ends.contains(&there))
    }

    /// Whether it can be kept: a number within its limits, and each kind mentioned once.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (1..=DEVICES_MAX).contains(&self.devices_max)
            && each_once(self.kicks.iter().map(|kick| kick.newcomer))
            && self.kicks.iter().all(|kick| !kick.ends.is_empty() && each_once(kick.ends.iter().copied()))
    }
}

fn each_once(mut kinds: impl Iterator<Item = DeviceKind>) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    kinds.all(|kind| seen.insert(kind))
}
