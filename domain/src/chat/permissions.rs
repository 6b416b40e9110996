//! What a member of a group thread may do, as a set.
//!
//! It is written as a list of words, so that a stored event explains itself.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::message::Permission;

/// A set of permissions.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u8);

const EVERY: [Permission; 4] = [Permission::Post, Permission::Invite, Permission::Remove, Permission::Manage];

const fn bit(permission: Permission) -> u8 {
    match permission {
        Permission::Post => 1,
        Permission::Invite => 2,
        Permission::Remove => 4,
        Permission::Manage => 8,
    }
}

impl Permissions {
    /// Nothing but reading.
    pub const NONE: Self = Self(0);
    /// Taking part in what is said, and nothing else.
    pub const POST: Self = Self(bit(Permission::Post));
    /// Everything.
    pub const ALL: Self = Self(15);

    /// Whether this one is in it.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// Whether all of these are in it.
    #[must_use]
    pub const fn has_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Those in one of the two, but not in both: what a change from one to the other gives and takes.
    #[must_use]
    pub const fn differing(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// Those in it, in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        EVERY.into_iter().filter(move |permission| self.has(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | bit(permission)))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Collected, because a format without lengths of its own needs to know how many there are.
        self.iter().collect::<Vec<_>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Permission>::deserialize(deserializer).map(|permissions| permissions.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_survives_a_snapshot;

    #[test]
    fn every_set_is_written_as_words_and_read_back() {
        for bits in 0..16 {
            assert_survives_a_snapshot(&Permissions(bits));
        }
        let some: Permissions = [Permission::Remove, Permission::Post, Permission::Post].into_iter().collect();
        assert_eq!(serde_json::to_string(&some).unwrap(), r#"["post","remove"]"#);
        assert!(serde_json::from_str::<Permissions>(r#"["fly"]"#).is_err());
    }

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_else() {
        let some: Permissions = [Permission::Post, Permission::Manage].into_iter().collect();
        assert!(
            some.has(Permission::Post) && some.has(Permission::Manage) && !some.has(Permission::Invite) && !some.has(Permission::Remove)
        );
        assert!(Permissions::ALL.has_all(some) && !some.has_all(Permissions::ALL) && some.has_all(Permissions::NONE));
        assert_eq!(some.differing(Permissions::POST), [Permission::Manage].into_iter().collect());
        assert_eq!(EVERY.into_iter().collect::<Permissions>(), Permissions::ALL);
    }
}
