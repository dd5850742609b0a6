//! The lock under which the file is changed.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::private;

/// How often a lock that somebody else has is tried.
const PAUSE: Duration = Duration::from_millis(2);

/// Waits for the lock, which is on a file of its own, since the file with the grants is replaced; none when it took too long.
///
/// Closing the file gives it back, and so does the end of the process.
pub(super) fn wait(path: &Path, at_most: Duration) -> io::Result<Option<File>> {
    let lock = private().create(true).truncate(false).open(path)?;
    let begun = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::WouldBlock) if begun.elapsed() < at_most => {
                std::thread::sleep(PAUSE);
            }
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(source),
        }
    }
}
