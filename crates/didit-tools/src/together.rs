//! Several futures at once, within a bound, without a runtime.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// How many calls one question has in flight at most.
pub(crate) const AT_ONCE: usize = 8;

/// Runs all of them, [`AT_ONCE`] at a time, and gives the results in the order of the futures.
///
/// Dropping the returned future drops those in flight.
pub(crate) async fn together<F: Future>(work: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting = work.into_iter().enumerate();
    let mut running: Vec<(usize, Pin<Box<F>>)> = Vec::with_capacity(AT_ONCE);
    let mut done: Vec<(usize, F::Output)> = Vec::new();
    poll_fn(|context| {
        loop {
            while running.len() < AT_ONCE {
                let Some((index, future)) = waiting.next() else {
                    break;
                };
                running.push((index, Box::pin(future)));
            }
            let before = running.len();
            running.retain_mut(|(index, future)| match future.as_mut().poll(context) {
                Poll::Ready(output) => {
                    done.push((*index, output));
                    false
                }
                Poll::Pending => true,
            });
            if running.len() == before {
                return if before == 0 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                };
            }
        }
    })
    .await;
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, output)| output).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn never_more_than_the_bound_and_in_order() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let started = tokio::time::Instant::now();
        let work = (0..20_u64).map(|index| {
            let (now, most) = (&now, &most);
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(100 - index)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                index
            }
        });
        assert_eq!(together(work).await, (0..20).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
        // Three rounds of eight, eight and four.
        assert!(started.elapsed() < Duration::from_millis(301));
    }

    #[tokio::test]
    async fn nothing_is_done_at_once() {
        assert!(
            together(Vec::<std::future::Ready<()>>::new())
                .await
                .is_empty()
        );
    }
}
