//! CPU time and memory of the server and of this process. A server that was killed keeps what it had used.

use std::cell::Cell;

use super::error::LoadError;
use super::procfs;
use super::report::{Cpu, thousandths};

/// See the file's head.
pub struct Meter {
    server: Cell<Option<u32>>,
    used_before: Cell<f64>,
}

impl Meter {
    /// Of a server, if its process is known.
    pub fn new(server: Option<u32>) -> Self {
        Self { server: Cell::new(server), used_before: Cell::new(0.0) }
    }

    /// CPU time used so far.
    pub fn cpu(&self) -> Result<Cpu, LoadError> {
        let server_s = self.server.get().map(procfs::cpu_s).transpose()?.map(|now| now + self.used_before.get());
        Ok(Cpu { server_s, load_s: procfs::cpu_s(std::process::id())? })
    }

    /// Resident memory of the server.
    pub fn rss_mb(&self) -> Result<Option<f64>, LoadError> {
        Ok(self.server.get().map(procfs::rss_mb).transpose()?.map(thousandths))
    }

    /// The server's process, if it is known.
    pub fn server(&self) -> Option<u32> {
        self.server.get()
    }

    /// The server is about to be killed: what it has used stays counted.
    pub fn about_to_kill(&self) -> Result<(), LoadError> {
        if let Some(used) = self.cpu()?.server_s {
            self.used_before.set(used);
        }
        Ok(())
    }

    /// The server runs again, under another id.
    pub fn restarted(&self, server: u32) {
        self.server.set(Some(server));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_server_used_stays_counted() {
        let meter = Meter::new(Some(std::process::id()));
        let before = meter.cpu().unwrap().server_s.unwrap();
        meter.about_to_kill().unwrap();
        meter.restarted(std::process::id());
        assert!(meter.cpu().unwrap().server_s.unwrap() >= 2.0 * before);
        assert!(Meter::new(None).cpu().unwrap().server_s.is_none());
    }
}
