//! The glue between SQLite's C interface and the model of the disk.
//!
//! Every function here translates its arguments, asks the model, and translates the answer. The rules of SQLite's locks are
//! those of its documentation for `xLock` and `xShmLock`.
#![expect(unsafe_code, reason = "SQLite calls a VFS through C function pointers")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::ffi;

use super::{Disk, Refusal};
use crate::random::Random;

mod shared_memory;

/// Longest path that SQLite may ask for.
const PATH_BYTES_MAX: c_int = 512;

/// A registered VFS. SQLite reads it until it is unregistered.
pub struct Registration {
    vfs: *mut ffi::sqlite3_vfs,
    name: *mut c_char,
}

// SAFETY: the pointers are only handed to SQLite, whose registry has its own lock, and freed once.
unsafe impl Send for Registration {}
// SAFETY: as above; `&Registration` only compares a pointer with null.
unsafe impl Sync for Registration {}

/// An open file, as SQLite allocates it: its own header first.
#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    disk: *const Mutex<Disk>,
    path: *mut String,
    id: u64,
    delete_on_close: bool,
    attached: bool,
    shared_locks: u8,
    exclusive_locks: u8,
}

/// Makes a disk known to SQLite.
pub fn register(name: &str, disk: &Arc<Mutex<Disk>>) -> Registration {
    let name = CString::new(name).expect("the name has no zero byte").into_raw();
    // SAFETY: all-zero is valid for this struct of numbers, pointers and optional functions.
    let mut vfs: ffi::sqlite3_vfs = unsafe { std::mem::zeroed() };
    vfs.iVersion = 1;
    vfs.szOsFile = c_int::try_from(size_of::<Handle>()).expect("a handle is small");
    vfs.mxPathname = PATH_BYTES_MAX;
    vfs.zName = name;
    vfs.pAppData = Arc::into_raw(Arc::clone(disk)).cast_mut().cast();
    vfs.xOpen = Some(open);
    vfs.xDelete = Some(delete);
    vfs.xAccess = Some(access);
    vfs.xFullPathname = Some(full_path);
    vfs.xRandomness = Some(randomness);
    vfs.xSleep = Some(sleep);
    vfs.xCurrentTime = Some(current_time);
    vfs.xGetLastError = Some(last_error);
    let vfs = Box::into_raw(Box::new(vfs));
    // SAFETY: `vfs` lives until `unregister`.
    let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
    assert_eq!(code, ffi::SQLITE_OK, "a fresh name can be registered");
    Registration { vfs, name }
}

impl Registration {
    /// Whether SQLite still knows it.
    pub fn is_registered(&self) -> bool {
        !self.vfs.is_null()
    }

    /// Takes it away from SQLite. All its files are closed.
    pub fn unregister(&mut self) {
        if self.vfs.is_null() {
            return;
        }
        // SAFETY: registered once, unregistered once; the pointers came from `Box`, `Arc` and `CString`.
        unsafe {
            ffi::sqlite3_vfs_unregister(self.vfs);
            let vfs = Box::from_raw(self.vfs);
            drop(Arc::from_raw(vfs.pAppData.cast::<Mutex<Disk>>()));
            drop(CString::from_raw(self.name));
        }
        self.vfs = ptr::null_mut();
    }
}

/// The disk behind a VFS.
///
/// # Safety
/// `vfs` was made by [`register`] and is still registered.
unsafe fn disk_of<'a>(vfs: *mut ffi::sqlite3_vfs) -> MutexGuard<'a, Disk> {
    // SAFETY: by the contract above; the `Arc` in `pAppData` outlives all calls.
    let disk: &'a Mutex<Disk> = unsafe { &*(*vfs).pAppData.cast::<Mutex<Disk>>() };
    disk.lock().expect("no code panics while it holds the disk")
}

/// The handle and its disk and path.
///
/// # Safety
/// `file` was opened by [`open`] and not closed.
unsafe fn handle_of<'a>(file: *mut ffi::sqlite3_file) -> (&'a mut Handle, MutexGuard<'a, Disk>, &'a str) {
    // SAFETY: by the contract above; SQLite uses one handle from one thread at a time.
    let handle = unsafe { &mut *file.cast::<Handle>() };
    // SAFETY: set in `open`, freed in `close`.
    let (disk, path) = unsafe { (&*handle.disk, &*handle.path) };
    (handle, disk.lock().expect("no code panics while it holds the disk"), path)
}

fn code(outcome: Result<(), Refusal>, io_error: c_int) -> c_int {
    match outcome {
        Ok(()) => ffi::SQLITE_OK,
        Err(Refusal::Crashed) => io_error,
        Err(Refusal::Full) => ffi::SQLITE_FULL,
        Err(Refusal::Sync) => ffi::SQLITE_IOERR_FSYNC,
    }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a registered VFS, memory of `szOsFile` bytes, and a valid name or null.
    unsafe {
        (*file).pMethods = ptr::null();
        let mut disk = disk_of(vfs);
        if disk.crashed {
            return ffi::SQLITE_CANTOPEN;
        }
        disk.handles += 1;
        let id = disk.handles;
        let path = if name.is_null() { format!("temporary-{id}") } else { CStr::from_ptr(name).to_string_lossy().into_owned() };
        if !disk.files.contains_key(&path) {
            if flags & ffi::SQLITE_OPEN_CREATE == 0 && !name.is_null() {
                return ffi::SQLITE_CANTOPEN;
            }
            disk.files.insert(path.clone(), super::File::default());
        }
        ptr::write(
            file.cast::<Handle>(),
            Handle {
                base: ffi::sqlite3_file { pMethods: &raw const METHODS },
                disk: (*vfs).pAppData.cast(),
                path: Box::into_raw(Box::new(path)),
                id,
                delete_on_close: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
                attached: false,
                shared_locks: 0,
                exclusive_locks: 0,
            },
        );
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes an open handle once.
    unsafe {
        shared_memory::detach(file);
        let (handle, mut disk, path) = handle_of(file);
        if let Some(node) = disk.files.get_mut(path) {
            node.locks.remove(&handle.id);
        }
        if handle.delete_on_close {
            disk.files.remove(path);
        }
        drop(disk);
        drop(Box::from_raw(handle.path));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, buffer: *mut c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite gives an open handle and a buffer of `amount` bytes.
    unsafe {
        let (_, disk, path) = handle_of(file);
        if disk.crashed {
            return ffi::SQLITE_IOERR_READ;
        }
        let buffer = std::slice::from_raw_parts_mut(buffer.cast::<u8>(), amount as usize);
        let content = disk.files.get(path).map_or(&[][..], |node| &node.current);
        let from = content.get(offset as usize..).unwrap_or(&[]);
        let have = from.len().min(buffer.len());
        buffer[..have].copy_from_slice(&from[..have]);
        buffer[have..].fill(0);
        if have < buffer.len() { ffi::SQLITE_IOERR_SHORT_READ } else { ffi::SQLITE_OK }
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, buffer: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite gives an open handle and `amount` bytes.
    unsafe {
        let (_, mut disk, path) = handle_of(file);
        let bytes = std::slice::from_raw_parts(buffer.cast::<u8>(), amount as usize);
        code(disk.write(path, offset as usize, bytes), ffi::SQLITE_IOERR_WRITE)
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: SQLite gives an open handle.
    let (_, mut disk, path) = unsafe { handle_of(file) };
    code(disk.truncate(path, size as usize), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite gives an open handle.
    let (_, mut disk, path) = unsafe { handle_of(file) };
    code(disk.sync(path), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: SQLite gives an open handle and a place for the answer.
    unsafe {
        let (_, disk, path) = handle_of(file);
        *size = disk.files.get(path).map_or(0, |node| node.current.len()) as i64;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite gives an open handle.
    let (handle, mut disk, path) = unsafe { handle_of(file) };
    let Some(node) = disk.files.get_mut(path) else { return ffi::SQLITE_IOERR_LOCK };
    let own = node.locks.get(&handle.id).copied().unwrap_or(0);
    if own >= level {
        return ffi::SQLITE_OK;
    }
    let others = node.locks.iter().filter(|(id, _)| **id != handle.id).map(|(_, level)| *level).max().unwrap_or(0);
    let tolerated = match level {
        ffi::SQLITE_LOCK_SHARED => ffi::SQLITE_LOCK_RESERVED,
        ffi::SQLITE_LOCK_RESERVED => ffi::SQLITE_LOCK_SHARED,
        _pending_or_exclusive => 0,
    };
    if others > tolerated {
        if level == ffi::SQLITE_LOCK_EXCLUSIVE && others < ffi::SQLITE_LOCK_RESERVED {
            node.locks.insert(handle.id, ffi::SQLITE_LOCK_PENDING);
        }
        return ffi::SQLITE_BUSY;
    }
    node.locks.insert(handle.id, level);
    ffi::SQLITE_OK
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite gives an open handle.
    let (handle, mut disk, path) = unsafe { handle_of(file) };
    if let Some(node) = disk.files.get_mut(path) {
        if level == 0 {
            node.locks.remove(&handle.id);
        } else {
            node.locks.insert(handle.id, level);
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, answer: *mut c_int) -> c_int {
    // SAFETY: SQLite gives an open handle and a place for the answer.
    unsafe {
        let (_, disk, path) = handle_of(file);
        let reserved = disk.files.get(path).is_some_and(|node| node.locks.values().any(|level| *level >= ffi::SQLITE_LOCK_RESERVED));
        *answer = c_int::from(reserved);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_file: *mut ffi::sqlite3_file, _operation: c_int, _argument: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    super::SECTOR_BYTES as c_int
}

/// As SQLite's own VFS for Unix says: bytes beside a write are never damaged.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, _sync_dir: c_int) -> c_int {
    // SAFETY: SQLite gives a registered VFS and a valid name.
    unsafe {
        let path = CStr::from_ptr(name).to_string_lossy();
        code(disk_of(vfs).delete(&path), ffi::SQLITE_IOERR_DELETE)
    }
}

unsafe extern "C" fn access(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, _flags: c_int, answer: *mut c_int) -> c_int {
    // SAFETY: SQLite gives a registered VFS, a valid name and a place for the answer.
    unsafe {
        let path = CStr::from_ptr(name).to_string_lossy();
        *answer = c_int::from(disk_of(vfs).files.contains_key(path.as_ref()));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(_vfs: *mut ffi::sqlite3_vfs, name: *const c_char, size: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite gives a valid name and room for `size` bytes.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > size as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, count: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite gives a registered VFS and room for `count` bytes.
    unsafe {
        let mut random = Random::new(disk_of(vfs).random.number());
        std::slice::from_raw_parts_mut(out.cast::<u8>(), count as usize).fill_with(|| random.number().to_le_bytes()[0]);
    }
    count
}

/// Nobody waits here for time to pass.
unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::yield_now();
    microseconds
}

unsafe extern "C" fn current_time(_vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *out = 2_460_000.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_vfs: *mut ffi::sqlite3_vfs, _size: c_int, _out: *mut c_char) -> c_int {
    0
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shared_memory::map),
    xShmLock: Some(shared_memory::lock),
    xShmBarrier: Some(shared_memory::barrier),
    xShmUnmap: Some(shared_memory::unmap),
    xFetch: None,
    xUnfetch: None,
};
