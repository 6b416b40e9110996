//! The network between devices and the node: streams in memory that are cut after so many bytes in either direction, or stall.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::sync::{mpsc, watch};

use crate::random::Random;

/// Where the node takes connections; nothing while it is down.
pub(super) type Door = Option<mpsc::UnboundedSender<DuplexStream>>;

/// See the file's head.
pub(super) struct Net {
    door: watch::Sender<Door>,
    healed: Arc<AtomicBool>,
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug)]
struct Fate {
    /// Bytes that reach the client before it is cut.
    down: usize,
    /// Bytes that leave the client before it is cut.
    up: usize,
    /// Bytes on their way in one direction.
    buffer: usize,
}

impl Fate {
    fn of(random: &mut Random) -> Self {
        let mut bytes = |most: usize| if random.once_in(2) { usize::MAX } else { random.below(most) };
        let (down, up) = (bytes(12_000), bytes(4_000));
        Self { down, up, buffer: random.pick(&[48, 300, 2_000, 65_536]) }
    }
}

/// A connection, to be cut or stalled from outside.
#[derive(Default)]
pub(super) struct Line {
    cut: AtomicBool,
    stalled: AtomicBool,
    healed: Arc<AtomicBool>,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Line {
    fn wake(&self) {
        self.reader.wake();
        self.writer.wake();
    }

    /// Breaks it.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Lets nothing reach the client any more, or everything again.
    pub(super) fn stall(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::SeqCst);
        self.wake();
    }

    fn is_healed(&self) -> bool {
        self.healed.load(Ordering::SeqCst)
    }
}

impl Net {
    pub(super) fn new() -> Self {
        Self { door: watch::Sender::new(None), healed: Arc::default() }
    }

    /// The node is up, or down.
    pub(super) fn open(&self, door: Door) {
        self.door.send_replace(door);
    }

    /// From here on nothing is cut and nothing stalls.
    pub(super) fn heal(&self) {
        self.healed.store(true, Ordering::SeqCst);
    }

    /// Waits until the node is up.
    pub(super) async fn up(&self) {
        // The sender lives as long as `self`.
        let _ = self.door.subscribe().wait_for(Option::is_some).await;
    }

    /// Connects; `None` while the node is down.
    pub(super) fn connect(&self, random: &mut Random) -> Option<(Pipe, Arc<Line>)> {
        let fate = Fate::of(random);
        let (ours, theirs) = duplex(fate.buffer);
        self.door.borrow().as_ref()?.send(theirs).ok()?;
        let line = Arc::new(Line { healed: Arc::clone(&self.healed), ..Line::default() });
        Some((Pipe { stream: Some(ours), fate, line: Arc::clone(&line) }, line))
    }
}

/// The client's end of a connection.
pub(super) struct Pipe {
    stream: Option<DuplexStream>,
    fate: Fate,
    line: Arc<Line>,
}

impl Pipe {
    /// The connection is gone: the node sees its end, too.
    fn broken(&mut self) -> io::Error {
        self.stream = None;
        io::ErrorKind::ConnectionReset.into()
    }
}

impl AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.line.reader.register(context.waker());
        let healed = self.line.is_healed();
        if self.line.cut.load(Ordering::SeqCst) || (self.fate.down == 0 && !healed) {
            return Poll::Ready(Err(self.broken()));
        }
        if self.line.stalled.load(Ordering::SeqCst) && !healed {
            return Poll::Pending;
        }
        let mut chunk = [0; 2_048];
        let most = if healed { chunk.len() } else { self.fate.down.min(chunk.len()) };
        let mut part = ReadBuf::new(&mut chunk[..most.min(buffer.remaining())]);
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())) };
        let polled = Pin::new(stream).poll_read(context, &mut part);
        buffer.put_slice(part.filled());
        if self.fate.down != usize::MAX {
            self.fate.down = self.fate.down.saturating_sub(part.filled().len());
        }
        polled
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.writer.register(context.waker());
        let healed = self.line.is_healed();
        if self.line.cut.load(Ordering::SeqCst) || (self.fate.up == 0 && !healed) {
            return Poll::Ready(Err(self.broken()));
        }
        let most = if healed { bytes.len() } else { self.fate.up.min(bytes.len()) };
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())) };
        let polled = Pin::new(stream).poll_write(context, &bytes[..most]);
        if let Poll::Ready(Ok(written)) = &polled
            && self.fate.up != usize::MAX
        {
            self.fate.up = self.fate.up.saturating_sub(*written);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_flush(context),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}
