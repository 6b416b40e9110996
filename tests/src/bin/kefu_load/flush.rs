//! What one flush to disk costs here and now: the yardstick beside every latency.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::error::LoadError;

/// Enough for a stable median, few enough to take well under a second on a usual disk.
const FLUSHES: usize = 64;

/// Median of 4 KiB write + fdatasync in a directory, in milliseconds.
pub fn median_ms(directory: &Path) -> Result<f64, LoadError> {
    let failed = |source| LoadError::Flush { directory: directory.to_owned(), source };
    let path = directory.join(format!("kefu-load-flush-{}", std::process::id()));
    let measured = measure(&path);
    // Whether or not measuring worked, the file is ours to remove; if it was never made there is nothing to remove.
    let _ = std::fs::remove_file(&path);
    measured.map_err(failed)
}

fn measure(path: &Path) -> std::io::Result<f64> {
    // Appended to, as a log is.
    let mut file = OpenOptions::new().append(true).create_new(true).open(path)?;
    let block = [0xa5; 4096];
    let mut times = Vec::with_capacity(FLUSHES);
    for nth in 0..=FLUSHES {
        let started = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        // The first one makes the file.
        if nth > 0 {
            times.push(started.elapsed());
        }
    }
    times.sort_unstable();
    Ok(times[times.len() / 2].as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_is_measured_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        assert!(median_ms(directory.path()).unwrap() > 0.0);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert!(matches!(median_ms(Path::new("/nowhere")), Err(LoadError::Flush { .. })));
    }
}
