//! The wal-index: memory that the connections to one file share, and its eight locks.
//!
//! All connections are in this process, so plain memory will do.

use std::ffi::{c_int, c_void};
use std::ptr;

use rusqlite::ffi;

use super::handle_of;

/// Gives a region of the wal-index, made when asked to.
pub unsafe extern "C" fn map(file: *mut ffi::sqlite3_file, region: c_int, size: c_int, extend: c_int, out: *mut *mut c_void) -> c_int {
    // SAFETY: SQLite gives an open handle and a place for the answer. A region is boxed, so it stays where it is until the
    // last connection detaches.
    unsafe {
        *out = ptr::null_mut();
        let (handle, mut disk, path) = handle_of(file);
        if disk.crashed {
            return ffi::SQLITE_IOERR_SHMMAP;
        }
        let Some(node) = disk.files.get_mut(path) else { return ffi::SQLITE_IOERR_SHMMAP };
        let memory = &mut node.shared_memory;
        if !handle.attached {
            handle.attached = true;
            memory.attached += 1;
        }
        let region = region as usize;
        while memory.regions.len() <= region && extend != 0 {
            memory.regions.push(vec![0_u64; size as usize / size_of::<u64>()].into_boxed_slice());
        }
        if let Some(found) = memory.regions.get_mut(region) {
            *out = found.as_mut_ptr().cast();
        }
    }
    ffi::SQLITE_OK
}

/// Takes or gives back locks of the wal-index, as in `os_unix.c`.
pub unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: SQLite gives an open handle.
    let (handle, mut disk, path) = unsafe { handle_of(file) };
    let Some(node) = disk.files.get_mut(path) else { return ffi::SQLITE_IOERR_SHMLOCK };
    let slots = offset as usize..(offset + count) as usize;
    let mask = slots.clone().fold(0_u8, |mask, slot| mask | 1 << slot);
    let locks = &mut node.shared_memory.locks;
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        for slot in slots {
            let bit = 1_u8 << slot;
            if handle.exclusive_locks & bit != 0 {
                locks[slot] = 0;
            } else if handle.shared_locks & bit != 0 {
                locks[slot] -= 1;
            }
        }
        handle.shared_locks &= !mask;
        handle.exclusive_locks &= !mask;
        return ffi::SQLITE_OK;
    }
    if flags & ffi::SQLITE_SHM_SHARED != 0 {
        if handle.shared_locks & mask != 0 {
            return ffi::SQLITE_OK;
        }
        if slots.clone().any(|slot| locks[slot] < 0) {
            return ffi::SQLITE_BUSY;
        }
        slots.for_each(|slot| locks[slot] += 1);
        handle.shared_locks |= mask;
        return ffi::SQLITE_OK;
    }
    let foreign = |slot: usize| locks[slot] != 0 && handle.exclusive_locks & (1 << slot) == 0;
    if slots.clone().any(foreign) {
        return ffi::SQLITE_BUSY;
    }
    slots.for_each(|slot| locks[slot] = -1);
    handle.exclusive_locks |= mask;
    ffi::SQLITE_OK
}

/// Orders memory between connections.
pub unsafe extern "C" fn barrier(_file: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

/// Ends a connection's use of the wal-index.
pub unsafe extern "C" fn unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: SQLite gives an open handle.
    unsafe { detach(file) };
    ffi::SQLITE_OK
}

/// Gives up a handle's part of the shared memory; with the last one it is gone.
///
/// # Safety
/// As [`handle_of`].
pub unsafe fn detach(file: *mut ffi::sqlite3_file) {
    // SAFETY: by the contract above.
    let (handle, mut disk, path) = unsafe { handle_of(file) };
    if !std::mem::take(&mut handle.attached) {
        return;
    }
    let Some(node) = disk.files.get_mut(path) else { return };
    let memory = &mut node.shared_memory;
    memory.attached = memory.attached.saturating_sub(1);
    if memory.attached == 0 {
        *memory = super::super::SharedMemory::default();
    }
}
