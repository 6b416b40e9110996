//! Damage: a bit flips somewhere on the disk. Nothing wrong is ever read, and the check knows whatever a reader notices.

use adapters::event_log::embedded::EmbeddedLog;
use tests::random::Random;

use super::{Machine, drop_after_crash, seeds};

/// Bytes of a page of either file.
const PAGE_BYTES: usize = 4096;
/// Bytes in which SQLite describes a file, at the beginning of its first page.
const FILE_HEADER_BYTES: usize = 100;

#[test]
fn a_flipped_bit_is_reported_or_changes_nothing() {
    let mut random = Random::new(1);
    let mut reported = 0;
    let flips = seeds() * 40;
    for flip in 0..flips {
        let (machine, head) = closed_machine(3);
        let file = if flip % 4 == 0 { "index.sqlite3" } else { "log.sqlite3" };
        let offset = random.below_u64(machine.disk.length(file) as u64) as usize;
        reported += u64::from(is_flip_reported(&machine, file, offset, random.below_u64(8) as u8, head));
    }
    println!("{flips} flips, {reported} in places that matter");
    assert!(reported > flips / 4);
}

#[test]
fn a_flipped_bit_in_the_header_of_a_file_is_reported_or_changes_nothing() {
    let mut reported = 0;
    let rounds = seeds().min(8);
    for (round, file) in (0..rounds).flat_map(|round| [(round, "index.sqlite3"), (round, "log.sqlite3")]) {
        for offset in 0..FILE_HEADER_BYTES {
            let (machine, head) = closed_machine(round);
            reported += u64::from(is_flip_reported(&machine, file, offset, ((offset as u64 + round) % 8) as u8, head));
        }
    }
    println!("{rounds} bits of every byte, {reported} in places that matter");
    assert!(reported > rounds * 20);
}

#[test]
fn a_flipped_bit_where_sqlite_describes_its_pages_and_tables_is_reported_or_changes_nothing() {
    let mut random = Random::new(2);
    let mut reported = 0;
    let flips = seeds() * 40;
    for flip in 0..flips {
        let (machine, head) = closed_machine(flip);
        let file = if flip % 2 == 0 { "index.sqlite3" } else { "log.sqlite3" };
        let page = random.below_u64((machine.disk.length(file) / PAGE_BYTES) as u64) as usize;
        let offset = match random.below_u64(4) {
            // The definitions of the tables lie at the end of the first page, the rows of `meta` at the end of another one.
            0 => PAGE_BYTES - 1 - random.below_u64(512) as usize,
            1 => (page + 1) * PAGE_BYTES - 1 - random.below_u64(64) as usize,
            _ => page * PAGE_BYTES + random.below_u64(32) as usize,
        };
        reported += u64::from(is_flip_reported(&machine, file, offset, random.below_u64(8) as u8, head));
    }
    println!("{flips} flips, {reported} in places that matter");
    assert!(reported > flips / 4);
}

#[test]
fn a_flipped_bit_in_a_wal_is_reported_or_changes_nothing() {
    let mut random = Random::new(3);
    let (mut flips, mut reported) = (0, 0);
    for seed in 0..seeds() * 40 {
        let mut machine = Machine::new(seed);
        let mut log = machine.open().unwrap();
        machine.work(&mut log);
        // The process died, the machine did not.
        drop_after_crash(&machine, log);
        machine.disk.restart_process();
        let file = if seed % 4 == 0 { "index.sqlite3-wal" } else { "log.sqlite3-wal" };
        let length = machine.disk.length(file) as u64;
        if length > 0 {
            let head = machine.acknowledged.len() as u64;
            let offset = random.below_u64(length) as usize;
            flips += 1;
            reported += u64::from(is_flip_reported(&machine, file, offset, random.below_u64(8) as u8, head));
        }
    }
    println!("{flips} flips, {reported} in places that matter");
    assert!(reported > flips / 4);
}

/// What was acknowledged behind a damaged place may be all there is of it: whoever refuses to open must leave it there.
#[test]
fn a_refused_open_destroys_nothing() {
    let mut random = Random::new(4);
    let mut refused = 0;
    for seed in 0..seeds() * 10 {
        let mut machine = Machine::new(seed);
        let mut log = machine.open().unwrap();
        machine.work(&mut log);
        drop_after_crash(&machine, log);
        machine.disk.restart_process();
        let length = machine.disk.length("log.sqlite3-wal") as u64;
        if length == 0 {
            continue;
        }
        let (offset, bit) = (random.below_u64(length) as usize, random.below_u64(8) as u8);
        machine.disk.flip_bit("log.sqlite3-wal", offset, bit);
        if machine.open().is_err() {
            refused += 1;
            // Once more: the first refusal must not make the second one succeed with less.
            assert!(machine.open().is_err(), "seed {seed}");
            assert_eq!(machine.disk.length("log.sqlite3-wal") as u64, length, "seed {seed}");
            machine.disk.flip_bit("log.sqlite3-wal", offset, bit);
            let log = machine.open().unwrap();
            machine.verify(&log);
        }
    }
    println!("{refused} refusals");
    assert!(refused > 0);
}

/// A machine that worked and closed its log: everything lies in the two files. And where the log ends.
fn closed_machine(seed: u64) -> (Machine, u64) {
    let mut machine = Machine::new(seed);
    let mut log = machine.open().unwrap();
    machine.work(&mut log);
    log.save_index().unwrap();
    let head = log.core.view().head();
    log.core.checkpoint_all();
    (machine, head)
}

/// Flips a bit, and lets the check look before and after a reader, which may mend the index. Returns whether the damage was
/// still reported afterwards.
fn is_flip_reported(machine: &Machine, file: &str, offset: usize, bit: u8, head: u64) -> bool {
    println!("flip bit {bit} of byte {offset} of {file}");
    machine.disk.flip_bit(file, offset, bit);
    let operations = machine.disk.operations();
    let was_reported = is_reported(machine);
    assert_eq!(machine.disk.operations(), operations, "the check changed what it checked");
    let reads_wrong = reads_everything_or_reports(machine, head);
    assert!(was_reported || !reads_wrong, "the check did not know what a reader was to notice");
    let is_reported = is_reported(machine);
    assert!(is_reported || !reads_wrong, "the check does not know what a reader noticed");
    is_reported
}

fn is_reported(machine: &Machine) -> bool {
    let report = EmbeddedLog::check_with(machine.dir.path(), Some(machine.disk.vfs()));
    report.as_ref().map_or(true, |report| !report.is_clean())
}

/// Whether something was reported; panics when something wrong was read.
fn reads_everything_or_reports(machine: &Machine, head: u64) -> bool {
    let Ok(log) = machine.open() else { return true };
    let view = log.core.view();
    let mut noticed = view.head() != head;
    assert!(!noticed, "the log silently ends elsewhere");
    for stored in &machine.acknowledged {
        match log.core.reader().read_commit(view, stored.position) {
            Ok(read) => assert_eq!(read.as_ref(), Some(stored)),
            Err(_) => noticed = true,
        }
    }
    for author in &machine.authors {
        match log.core.reader().read_stream(view, &author.stream(), 1, usize::MAX) {
            Ok(read) => read.iter().for_each(|commit| assert!(machine.acknowledged.contains(commit))),
            Err(_) => noticed = true,
        }
    }
    noticed
}
