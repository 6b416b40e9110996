//! What the kernel is asked for so that a message waits for little: who comes first on a core, for how long, and in how large
//! pages memory comes. Nothing of it needs a privilege.
//!
//! A checkpoint or a batch of index rows is milliseconds of work that may as well be done a little later. On a machine whose cores
//! are busy it otherwise stands before the messages of that moment (docs/PERFORMANCE.md, "Open loop").

/// How much nicer than the rest of the process: a tenth of its share when all want the same core (`sched(7)`: a step is a factor
/// of 1.25). Not the last level, because what is put off for ever fills memory until the log refuses.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// How long a thread may keep a core from another that has work, in nanoseconds: the least that Linux grants. By default it is
/// more than a millisecond, and a message passes through five threads.
#[cfg(target_os = "linux")]
const TURN_NS: u64 = 100_000;

/// Makes the calling thread give way to the others of this process, as do the threads it starts from now on. There is no way
/// back without privileges. Does nothing where the system knows priorities of whole processes only.
pub fn give_way() {
    // Linux gives every thread a niceness of its own, against POSIX: setpriority(2), "C library/kernel differences".
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "a thread in the background runs with the priority of the others");
    }
}

/// Makes the calling thread, and those it starts from now on, take short turns on a core: shares stay what they are, but whoever
/// has work gets to it sooner. Linux before 6.12 ignores it, other systems do not know it.
pub fn take_short_turns() {
    #[cfg(target_os = "linux")]
    if let Err(error) = linux::set_turn(TURN_NS) {
        tracing::debug!(%error, "threads keep a core for as long as the kernel likes");
    }
}

/// Makes the process get its memory in pages of 4 KiB. A page of 2 MiB is filled with zeros before the thread that touched it goes
/// on, which takes milliseconds where the machine is virtual; the allocator asks for such pages (`madvise(2)`).
pub fn take_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "pages are as large as the kernel likes");
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;

    /// `struct sched_attr` of the kernel in its first version, which every later one reads: `sched_setattr(2)`.
    #[repr(C)]
    #[derive(Default)]
    pub(super) struct SchedAttr {
        size: u32,
        pub policy: u32,
        flags: u64,
        pub nice: i32,
        priority: u32,
        /// For a thread of the normal policy: the length of its turn, held between 0.1 and 100 ms. Source: Linux 6.12, commit
        /// 857b158dc5e8, "sched/eevdf: Use `sched_attr::sched_runtime` to set request/slice suggestion".
        pub runtime: u64,
        deadline: u64,
        period: u64,
    }

    const SIZE: u32 = size_of::<SchedAttr>() as u32;
    const FLAGS: libc::c_uint = 0;
    const SELF: libc::pid_t = 0;

    /// Sets the turn of the calling thread and leaves its policy and niceness as they are.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn set_turn(nanoseconds: u64) -> io::Result<()> {
        let attr = SchedAttr { runtime: nanoseconds, ..get()? };
        // SAFETY: the kernel reads `attr.size` bytes, which it has filled in itself, of a structure that lives until it returns.
        #[expect(unsafe_code, reason = "no library wraps this call for threads of the normal policy")]
        let set = unsafe { libc::syscall(libc::SYS_sched_setattr, SELF, &raw const attr, FLAGS) };
        if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// How the calling thread is scheduled.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn get() -> io::Result<SchedAttr> {
        let mut attr = SchedAttr::default();
        // SAFETY: the kernel writes at most `SIZE` bytes to a structure of that size, of which every bit pattern is a value.
        #[expect(unsafe_code, reason = "as above")]
        let got = unsafe { libc::syscall(libc::SYS_sched_getattr, SELF, &raw mut attr, SIZE, FLAGS) };
        if got == 0 { Ok(attr) } else { Err(io::Error::last_os_error()) }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::linux::{get, set_turn};
    use super::*;

    #[test]
    fn pages_are_small_once_they_are_asked_for() {
        take_small_pages();
        assert!(rustix::thread::transparent_huge_pages_are_disabled().unwrap());
    }

    #[test]
    fn a_turn_is_as_asked_where_the_kernel_knows_it_and_nothing_else_changes() {
        // In a thread of its own: what it sets stays with it.
        let (before, after) = std::thread::spawn(|| {
            give_way();
            let before = get().unwrap();
            set_turn(TURN_NS).unwrap();
            (before, get().unwrap())
        })
        .join()
        .unwrap();
        assert_eq!((after.policy, after.nice), (before.policy, NICENESS));
        // A kernel before 6.12 answers 0 both times.
        assert_eq!(after.runtime, if before.runtime == 0 { 0 } else { TURN_NS });
    }
}
