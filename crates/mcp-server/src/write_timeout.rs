//! A connection whose peer has to keep reading.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Fails a write that makes no progress for a while; a connection with nothing to write may stay quiet.
#[derive(Debug)]
pub(crate) struct WriteTimeout<I> {
    inner: I,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl<I> WriteTimeout<I> {
    pub(crate) fn new(inner: I, limit: Duration) -> Self {
        Self {
            inner,
            limit,
            timer: Box::pin(tokio::time::sleep(limit)),
            is_waiting: false,
        }
    }

    /// Lets a step through that is done; one that is not may wait until the timer ends.
    fn within<T>(
        &mut self,
        step: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if step.is_ready() {
            self.is_waiting = false;
            return step;
        }
        if !self.is_waiting {
            self.is_waiting = true;
            self.timer.as_mut().reset(Instant::now() + self.limit);
        }
        self.timer.as_mut().poll(cx).map(|()| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the peer does not read its answer",
            ))
        })
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for WriteTimeout<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let step = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.within(step, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let step = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.within(step, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let step = Pin::new(&mut self.inner).poll_flush(cx);
        self.within(step, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let step = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.within(step, cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_slowly_but_reads_gets_everything() {
        let (mut peer, here) = tokio::io::duplex(1000);
        let writing = tokio::spawn(async move {
            let mut here = WriteTimeout::new(here, LIMIT);
            here.write_all(&[7; 10_000]).await
        });
        let mut read = vec![0; 1000];
        for _ in 0..10 {
            tokio::time::sleep(LIMIT - Duration::from_secs(1)).await;
            peer.read_exact(&mut read).await.unwrap();
        }
        writing.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_read_is_given_up() {
        let (_peer, here) = tokio::io::duplex(1000);
        let mut here = WriteTimeout::new(here, LIMIT);
        let begun = Instant::now();
        let why = here.write_all(&[7; 10_000]).await.unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn quiet_is_no_matter() {
        let (mut peer, here) = tokio::io::duplex(1000);
        let mut here = WriteTimeout::new(here, LIMIT);
        tokio::time::sleep(LIMIT * 10).await;
        here.write_all(b"x").await.unwrap();
        tokio::time::sleep(LIMIT * 10).await;
        here.write_all(b"y").await.unwrap();
        let mut read = [0; 2];
        peer.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"xy");
    }
}
