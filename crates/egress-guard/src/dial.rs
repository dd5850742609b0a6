//! Opening a connection to an address that was checked, behind a seam for tests.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

/// Both directions of a connection.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection on its way.
pub(crate) type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Duplex>>> + Send>>;

/// Connects to an address; it never sees a name, so it cannot look one up again.
pub(crate) trait Dial: Send + Sync + 'static {
    fn dial(&self, address: SocketAddr) -> Dialing;
}

/// TCP by the operating system.
pub(crate) struct Tcp;

impl Dial for Tcp {
    fn dial(&self, address: SocketAddr) -> Dialing {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // A small document is one packet each way; waiting for more delays it.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Duplex>)
        })
    }
}

/// An open connection, which takes one of the places for connections until it is closed.
pub(crate) struct Opened {
    io: Box<dyn Duplex>,
    _place: OwnedSemaphorePermit,
}

impl Opened {
    pub(crate) fn new(io: Box<dyn Duplex>, place: OwnedSemaphorePermit) -> Self {
        Self { io, _place: place }
    }
}

impl Connection for Opened {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Opened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl AsyncWrite for Opened {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
