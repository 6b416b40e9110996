//! CPU time and memory of the server and of this process. A server that was killed keeps what it had used.

use std::cell::Cell;

use super::error::LoadError;
use super::procfs;
use super::report::{Cpu, thousandths};

/// See the file's head.
pub struct Meter {
    server: Cell<Option<u32>>,
    /// Killed, and not back yet.
    is_down: Cell<bool>,
    used_before: Cell<f64>,
}

impl Meter {
    /// Of a server, if its process is known.
    pub fn new(server: Option<u32>) -> Self {
        Self { server: Cell::new(server), is_down: Cell::new(false), used_before: Cell::new(0.0) }
    }

    /// CPU time used so far.
    pub fn cpu(&self) -> Result<Cpu, LoadError> {
        let now = |pid| if self.is_down.get() { Ok(0.0) } else { procfs::cpu_s(pid) };
        let server_s = self.server.get().map(now).transpose()?.map(|now| now + self.used_before.get());
        Ok(Cpu { server_s, load_s: procfs::cpu_s(std::process::id())? })
    }

    /// Resident memory of the server, unless it is down.
    pub fn rss_mb(&self) -> Result<Option<f64>, LoadError> {
        let up = self.server.get().filter(|_| !self.is_down.get());
        Ok(up.map(procfs::rss_mb).transpose()?.map(thousandths))
    }

    /// CPU time used since an earlier look.
    pub fn cpu_since(&self, before: Cpu) -> Result<Cpu, LoadError> {
        let now = self.cpu()?;
        Ok(Cpu { server_s: now.server_s.zip(before.server_s).map(|(now, before)| now - before), load_s: now.load_s - before.load_s })
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
        self.is_down.set(true);
        Ok(())
    }

    /// The server runs again, under another id.
    pub fn restarted(&self, server: u32) {
        self.server.set(Some(server));
        self.is_down.set(false);
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
        assert!(meter.cpu().unwrap().server_s.unwrap() >= before, "while it is down too");
        assert_eq!(meter.rss_mb().unwrap(), None);
        meter.restarted(std::process::id());
        assert!(meter.cpu().unwrap().server_s.unwrap() >= 2.0 * before);
        assert!(Meter::new(None).cpu().unwrap().server_s.is_none());
    }
}
