//! What both programs are written with.

use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

/// Why a case went wrong.
pub type Failed = Box<dyn Error + Send + Sync>;

/// What takes longer than this does not come.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The resource whose changes are announced.
pub const WATCHED: &str = "test://watched-resource";

/// Says that a case went as it should.
pub fn seen(name: &str) {
    println!("  ok  {name}");
}

/// Fails unless both are the same.
pub fn same<A, E>(actual: &A, expected: &E, what: &str) -> Result<(), Failed>
where
    A: PartialEq<E> + Debug + ?Sized,
    E: Debug + ?Sized,
{
    ensure(actual == expected, || {
        format!("{what}: expected {expected:?}, received {actual:?}")
    })
}

/// Fails unless it holds.
pub fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(why().into()) }
}

/// Waits until it holds.
pub async fn soon(holds: impl Fn() -> bool) -> Result<(), Failed> {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    Ok(tokio::time::timeout(PATIENCE, waiting).await?)
}
