//! What a tenant knows of a customer in words of its own: tier, language, tags, and attributes.
//!
//! Tier, tags and the names of attributes are words of the tenant's lists and stay readable for ever; rules ask for them. The values
//! of attributes are private, and nothing is decided by them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::labels::{Label, Language};
use crate::private::Private;
use crate::user::decide::TEXT_BYTES_MAX;
use crate::user::error::UserError;
use crate::user::event::{AttributeValues, CustomerDescribed, Role};
use crate::user::state::ActiveUser;

/// Most tags of a customer: more than anybody reads beside a chat.
pub const TAGS_MAX: usize = 64;
/// Most attributes of a customer.
pub const ATTRIBUTES_MAX: usize = 64;

/// What becomes of a value that may be there or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It is this one from here on.
    Set(T),
}

impl<T: Clone> Edit<T> {
    /// The value after it.
    #[must_use]
    pub fn of(&self, before: Option<&T>) -> Option<T> {
        match self {
            Self::Keep => before.cloned(),
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        }
    }
}

/// What changes of a description; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Describe {
    /// The tier.
    pub tier: Edit<Label>,
    /// The language they speak.
    pub language: Edit<Language>,
    /// Tags that they get.
    pub add_tags: BTreeSet<Label>,
    /// Tags that they lose; one that is also added is lost.
    pub remove_tags: BTreeSet<Label>,
    /// Attributes that they get, or get otherwise.
    pub set_attributes: BTreeMap<Label, String>,
    /// Attributes that they lose; one that is also set is lost.
    pub remove_attributes: BTreeSet<Label>,
}

/// What is known of a customer, without the values of attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The tier.
    pub tier: Option<Label>,
    /// The language they speak.
    pub language: Option<Language>,
    /// Their tags.
    pub tags: BTreeSet<Label>,
    /// The names of their attributes.
    pub attributes: BTreeSet<Label>,
}

impl Description {
    /// Takes one fact in.
    pub fn take_in(&mut self, event: &CustomerDescribed) {
        self.tier.clone_from(&event.tier);
        self.language.clone_from(&event.language);
        self.tags = event.tags.iter().cloned().collect();
        for name in &event.removed_attributes {
            self.attributes.remove(name);
        }
        self.attributes.extend(event.set_attributes.iter().cloned());
    }
}

/// Setting an attribute is always recorded, because the state holds no value to compare with; nothing else that is true already is.
pub(super) fn describe(user: &ActiveUser, order: &Describe) -> Result<Vec<crate::user::event::UserEvent>, UserError> {
    if user.identity.role != Role::Customer {
        return Err(UserError::OnlyCustomersAreDescribed { role: user.identity.role });
    }
    let before = user.description.as_deref().cloned().unwrap_or_default();
    let values: BTreeMap<Label, String> = order
        .set_attributes
        .iter()
        .filter(|(name, _)| !order.remove_attributes.contains(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if values.values().any(|value| value.len() > TEXT_BYTES_MAX) {
        return Err(UserError::TextTooLong { field: "attributes", bytes_max: TEXT_BYTES_MAX });
    }
    let described = CustomerDescribed {
        tier: order.tier.of(before.tier.as_ref()),
        language: order.language.of(before.language.as_ref()),
        tags: before.tags.union(&order.add_tags).filter(|tag| !order.remove_tags.contains(*tag)).cloned().collect(),
        set_attributes: values.keys().cloned().collect(),
        removed_attributes: before.attributes.intersection(&order.remove_attributes).cloned().collect(),
        private: Private::Known(AttributeValues { values }),
    };
    let mut after = before.clone();
    after.take_in(&described);
    if after == before && described.set_attributes.is_empty() {
        return Ok(vec![]);
    }
    if after.tags.len() > TAGS_MAX {
        return Err(UserError::TooManyTags { tags_max: TAGS_MAX });
    }
    if after.attributes.len() > ATTRIBUTES_MAX {
        return Err(UserError::TooManyAttributes { attributes_max: ATTRIBUTES_MAX });
    }
    Ok(vec![described.into()])
}
