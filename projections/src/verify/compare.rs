//! Two stores, one view: every row of either must be in the other.

use serde::Serialize;

use crate::engine::META_TABLE;
use crate::keys::prefix_end;
use crate::projection::ViewInfo;
use crate::store::{Pair, StoreError, ViewStore};

/// Differences that are shown; the others are counted.
const SHOWN_MAX: usize = 10;
/// Rows read at a time.
const PAGE: usize = 1_024;

/// One row that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its table.
    pub table: String,
    /// Its key in hexadecimal.
    pub key: String,
    /// `missing`, `extra` or `different`.
    pub what: &'static str,
}

/// What was compared so far.
#[derive(Default)]
pub(super) struct Comparison {
    pub(super) rows: u64,
    pub(super) different: u64,
    pub(super) first: Vec<Difference>,
}

impl Comparison {
    /// Compares everything that belongs to a view.
    pub(super) fn compare(&mut self, info: ViewInfo, stored: &dyn ViewStore, rebuilt: &dyn ViewStore) -> Result<(), StoreError> {
        for table in info.tables {
            self.range(&info.table(table), &[], &[u8::MAX; 128], stored, rebuilt)?;
        }
        let stops = format!("stop/{}/{}/", info.name, info.version).into_bytes();
        self.range(META_TABLE, &stops, &prefix_end(&stops), stored, rebuilt)
    }

    fn range(&mut self, table: &str, from: &[u8], to: &[u8], stored: &dyn ViewStore, rebuilt: &dyn ViewStore) -> Result<(), StoreError> {
        let mut stored = Rows::new(stored, table, from, to);
        let mut rebuilt = Rows::new(rebuilt, table, from, to);
        let (mut found, mut expected) = (stored.next()?, rebuilt.next()?);
        loop {
            self.rows += 1;
            match (&found, &expected) {
                (None, None) => {
                    self.rows -= 1;
                    return Ok(());
                }
                (Some((found_key, found_value)), Some((expected_key, expected_value))) if found_key == expected_key => {
                    if found_value != expected_value {
                        self.differs(table, found_key, "different");
                    }
                    (found, expected) = (stored.next()?, rebuilt.next()?);
                }
                (Some((extra, _)), other) if other.as_ref().is_none_or(|(key, _)| extra < key) => {
                    self.differs(table, extra, "extra");
                    found = stored.next()?;
                }
                (_, Some((missing, _))) => {
                    self.differs(table, missing, "missing");
                    expected = rebuilt.next()?;
                }
                (Some(_), None) => unreachable!("a row beyond the end of the other table is extra"),
            }
        }
    }

    fn differs(&mut self, table: &str, key: &[u8], what: &'static str) {
        self.different += 1;
        if self.first.len() < SHOWN_MAX {
            let key = key.iter().map(|byte| format!("{byte:02x}")).collect();
            self.first.push(Difference { table: table.to_owned(), key, what });
        }
    }
}

/// The rows of a table, read page by page.
struct Rows<'a> {
    store: &'a dyn ViewStore,
    table: &'a str,
    from: Vec<u8>,
    to: &'a [u8],
    page: std::vec::IntoIter<Pair>,
    ended: bool,
}

impl<'a> Rows<'a> {
    fn new(store: &'a dyn ViewStore, table: &'a str, from: &[u8], to: &'a [u8]) -> Self {
        Self { store, table, from: from.to_vec(), to, page: Vec::new().into_iter(), ended: false }
    }

    fn next(&mut self) -> Result<Option<Pair>, StoreError> {
        if self.page.as_slice().is_empty() && !self.ended {
            let page = self.store.scan(self.table, &self.from, self.to, PAGE)?;
            self.ended = page.len() < PAGE;
            if let Some((last, _)) = page.last() {
                self.from.clone_from(last);
                self.from.push(0);
            }
            self.page = page.into_iter();
        }
        Ok(self.page.next())
    }
}
