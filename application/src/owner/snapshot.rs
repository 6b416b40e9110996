//! A folded aggregate as bytes: a cache that may be thrown away, and is whenever it does not fit the log.

use domain::ids::CommandId;
use serde::{Deserialize, Serialize};

use super::aggregate::Aggregate;
use super::slot::Slot;
use crate::log::commit::ChainHash;

/// Counts up whenever the shape of any state changes; older snapshots are then ignored.
const FORMAT: u16 = 17;

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u16,
    version: u64,
    chain: [u8; 16],
    aggregate: Aggregate,
    commands: Vec<(CommandId, u64)>,
}

/// A snapshot that could be read.
pub struct Snapshot {
    pub chain: ChainHash,
    version: u64,
    aggregate: Aggregate,
    commands: Vec<(CommandId, u64)>,
}

fn is_of_today(bytes: &[u8]) -> bool {
    postcard::take_from_bytes::<u16>(bytes).is_ok_and(|(format, _)| format == FORMAT)
}

pub fn write(slot: &Slot) -> Option<Vec<u8>> {
    let stored = Stored {
        format: FORMAT,
        version: slot.version,
        chain: slot.chain.0,
        aggregate: slot.aggregate.clone(),
        commands: slot.commands.iter().collect(),
    };
    postcard::to_stdvec(&stored).ok()
}

impl Snapshot {
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let stored: Stored = is_of_today(bytes).then(|| postcard::from_bytes(bytes).ok())??;
        Some(Self { chain: ChainHash(stored.chain), version: stored.version, aggregate: stored.aggregate, commands: stored.commands })
    }

    /// How many events it has folded.
    pub fn version(&self) -> u64 {
        self.version.max(1)
    }

    pub fn restore_into(self, slot: &mut Slot) {
        slot.aggregate = self.aggregate;
        slot.version = self.version;
        slot.chain = self.chain;
        slot.snapshot_version = self.version;
        for (command, digest) in self.commands {
            slot.commands.insert(command, digest);
        }
    }
}
