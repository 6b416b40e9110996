//! Which threads give way: those that nobody waits for. What a message's answer depends on runs before them.
//!
//! A checkpoint or a batch of index rows is milliseconds of work that may as well be done a little later. On a machine whose cores
//! are busy it otherwise stands before the messages of that moment (docs/PERFORMANCE.md, "Open loop").

/// How much nicer than the rest of the process: a tenth of its share when all want the same core (`sched(7)`: a step is a factor
/// of 1.25). Not the last level, because what is put off for ever fills memory until the log refuses.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Makes the calling thread give way to the others of this process, as do the threads it starts from now on. There is no way
/// back without privileges. Does nothing where the system knows priorities of whole processes only.
pub fn give_way() {
    // Linux gives every thread a niceness of its own, against POSIX: setpriority(2), "C library/kernel differences".
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "a thread in the background runs with the priority of the others");
    }
}
