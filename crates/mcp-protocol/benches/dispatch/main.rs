//! What a message costs from its HTTP request to the last byte of its answer, without a network.
//!
//! `cargo bench -p mcp-protocol --features server` prints times and allocations. The allocations are the
//! bar: `allocations.json` beside this file has them, and the test `allocations` fails when one grows.

#![expect(clippy::unwrap_used, reason = "a bench stops at the first surprise")]

mod messages;

use divan::{AllocProfiler, Bencher};
use messages::{Server, kinds};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = 0..kinds().len())]
fn answer(bencher: Bencher<'_, '_>, number: usize) {
    let kinds = kinds();
    let kind = kinds.get(number).unwrap();
    let server = Server::start();
    bencher
        .with_inputs(|| server.request(kind))
        .bench_local_values(|request| server.answer(kind, request));
}
