//! `kefu outreach`: what the command line says of evidence.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use super::verify::{VerifyError, verify};

/// Why evidence could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum OutreachCommandError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// Nobody takes what is said.
    #[error("cannot write")]
    Unwritable {
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// Verifies a file, `-` for standard input; answers whether it proves what it says.
///
/// # Errors
/// [`OutreachCommandError`].
pub fn run(file: &Path, json: bool, out: &mut impl Write) -> Result<bool, OutreachCommandError> {
    let unreadable = |source| OutreachCommandError::Unreadable { file: file.to_owned(), source };
    let lines: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file).map_err(unreadable)?))
    };
    let (said, proven) = match verify(lines) {
        Ok(found) if json => (serde_json::json!({ "ok": true, "found": found }).to_string(), true),
        Ok(found) => (found.to_string(), true),
        Err(VerifyError::Unreadable(source)) => return Err(unreadable(source)),
        Err(VerifyError::Faulty(fault)) if json => (serde_json::json!({ "ok": false, "fault": fault }).to_string(), false),
        Err(VerifyError::Faulty(fault)) => (fault.to_string(), false),
    };
    writeln!(out, "{said}").map_err(|source| OutreachCommandError::Unwritable { source })?;
    Ok(proven)
}
