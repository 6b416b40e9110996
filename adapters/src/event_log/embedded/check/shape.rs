//! Whether a file is what SQLite and this engine need, before anything in it is read: its mode, its tables, its pages.
//!
//! It must not know what the rows mean.

use rusqlite::{Connection, MAIN_DB};

use super::super::sql::Location;
use super::{CheckReport, FindingKind, in_file};

/// Checks one file; `schema` is what made its tables.
pub fn check(report: &mut CheckReport, location: &Location, connection: &Connection, schema: &str) {
    for part in [mode(connection), tables(connection, schema), structure(connection)] {
        let found = part.unwrap_or_else(|error| vec![error.to_string()]);
        found.into_iter().for_each(|what| report.add(FindingKind::File, in_file(location), what));
    }
}

/// The mode lies in two bytes of the header. With other values there SQLite reads the file and does not write it, or not as
/// this engine counts on.
fn mode(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut found = Vec::new();
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if journal != "wal" {
        found.push(format!("its journal mode is {journal}, not wal"));
    }
    if connection.is_readonly(MAIN_DB)? {
        found.push("SQLite takes it for read-only".to_owned());
    }
    Ok(found)
}

/// Statements are prepared against the definitions in the file, and some are prepared only when something went wrong.
fn tables(connection: &Connection, schema: &str) -> rusqlite::Result<Vec<String>> {
    let pattern = Connection::open_in_memory()?;
    pattern.execute_batch(schema)?;
    let same = definitions(connection)? == definitions(&pattern)?;
    Ok(if same { Vec::new() } else { vec!["its tables are defined in other words".to_owned()] })
}

fn definitions(connection: &Connection) -> rusqlite::Result<Vec<[Option<String>; 4]>> {
    let mut select = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")?;
    let rows = select.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    rows.collect()
}

/// SQLite's own check of its pages. The quick one leaves the order of keys out, which look-ups rest on.
fn structure(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut lines: Vec<String> =
        connection.prepare("PRAGMA integrity_check")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    lines.retain(|line| line != "ok");
    Ok(lines)
}
