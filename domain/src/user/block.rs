//! Customers whom a tenant wants to hear nothing of any more, until somebody takes it back.
//!
//! What a blocked customer may not do is refused where they ask for it; here it is remembered, and they do not sign in anew.

use crate::message::Party;
use crate::private::Private;
use crate::remark::Remark;
use crate::user::decide::{Decision, active};
use crate::user::error::UserError;
use crate::user::event::{BlockReason, CustomerBlocked, CustomerUnblocked, Role};
use crate::user::state::UserState;

pub(super) fn block(state: &UserState, by: Party, reason: Option<&Remark>) -> Decision {
    let user = active(state)?;
    if user.identity.role != Role::Customer {
        return Err(UserError::OnlyCustomersAreBlocked { role: user.identity.role });
    }
    if user.blocked {
        return Ok(vec![]);
    }
    Ok(vec![CustomerBlocked { by, private: Private::Known(BlockReason { reason: reason.cloned() }) }.into()])
}

pub(super) fn unblock(state: &UserState, by: Party) -> Decision {
    if active(state)?.blocked { Ok(vec![CustomerUnblocked { by }.into()]) } else { Ok(vec![]) }
}
