//! Where commands go: to the one owner who decides, wherever it runs. It must not know who asks, nor by which protocol.

use async_trait::async_trait;

use crate::command::{Answer, Request};
use crate::error::CommandError;

/// Takes commands to the owner of their tenant's shard.
#[async_trait]
pub trait CommandBus: Send + Sync {
    /// Carries a command out. Answers when its events are durable. Commands reach the owner in the order of the first poll.
    ///
    /// # Errors
    /// [`CommandError`].
    async fn execute(&self, request: Request) -> Result<Answer, CommandError>;
}
