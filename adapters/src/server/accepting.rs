//! How a connection is taken: what is written leaves at once, and whoever says nothing, or takes nothing, is given up. What is said on
//! it, it must not know.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// With what HTTP/2 begins (RFC 9113, 3.4), and no request of HTTP/1.
const HTTP2: &[u8; 4] = b"PRI ";
/// So much must have been said for what serves the connection to know that it is HTTP/1: as much as the whole preface of HTTP/2.
const KNOWN_FROM: usize = 24;

/// Sets a connection up.
#[derive(Clone, Copy, Debug)]
pub struct SetUp {
    /// A client that takes nothing of what is written to it for so long is given up, whatever is being written.
    pub dead_after: Duration,
}

impl<S> Accept<TcpStream, S> for SetUp {
    type Stream = TcpStream;
    type Service = S;
    type Future = Ready<io::Result<(TcpStream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let set_up = stream.set_nodelay(true).and_then(|()| self.give_up_in_time(&stream));
        ready(set_up.map(|()| (stream, service)))
    }
}

impl SetUp {
    /// RFC 5482; Linux counts a window that stays shut, too (tcp(7), `TCP_USER_TIMEOUT`).
    #[cfg(target_os = "linux")]
    fn give_up_in_time(self, stream: &TcpStream) -> io::Result<()> {
        let ms = u32::try_from(self.dead_after.as_millis()).unwrap_or(u32::MAX);
        Ok(rustix::net::sockopt::set_tcp_user_timeout(stream, ms)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn give_up_in_time(self, _: &TcpStream) -> io::Result<()> {
        Ok(())
    }
}

/// Gives up whoever does not begin to speak HTTP/1 in time: what tells the versions apart waits for ever.
#[derive(Clone, Copy, Debug)]
pub struct Begun<A> {
    /// What takes the connection, with its handshake.
    pub inner: A,
    /// For how long it may be silent.
    pub within: Duration,
}

impl<A, S> Accept<TcpStream, S> for Begun<A>
where
    A: Accept<TcpStream, S>,
    A::Future: Send + 'static,
{
    type Stream = Beginning<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, A::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let (taken, within) = (self.inner.accept(stream, service), self.within);
        Box::pin(async move {
            let (stream, service) = taken.await?;
            Ok((Beginning { stream, said: 0, first: [0; HTTP2.len()], until: Some(Box::pin(sleep(within))) }, service))
        })
    }
}

/// A connection on which something is to be said soon.
pub struct Beginning<T> {
    stream: T,
    /// Bytes so far, as long as it begins, and the first of them.
    said: usize,
    first: [u8; HTTP2.len()],
    /// Until when; none when it has begun.
    until: Option<Pin<Box<Sleep>>>,
}

impl<T> Beginning<T> {
    /// Whether what was just read may go on.
    fn hear(&mut self, said: &[u8]) -> io::Result<()> {
        // In how many pieces it comes is the client's to say.
        for (place, byte) in self.first.iter_mut().skip(self.said).zip(said) {
            *place = *byte;
        }
        self.said += said.len();
        if self.said >= HTTP2.len() && self.first == *HTTP2 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "HTTP/2 is not spoken here"));
        }
        if self.said >= KNOWN_FROM {
            self.until = None;
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Beginning<T> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.until.is_none() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(self.hear(&buffer.filled()[before..])),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match &mut self.until {
                Some(until) => until.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into())),
                None => Poll::Pending,
            },
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Beginning<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
