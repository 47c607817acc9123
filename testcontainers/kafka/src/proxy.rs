//! A network that can be cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as BlockingListener, ToSocketAddrs};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::error::{Error, Explain as _};

const CHUNK: usize = 32 << 10;
/// Chunks on their way in one direction of one connection; then the sender waits, as it would for a full window.
const IN_FLIGHT: usize = 64;

/// Listens on a port of 127.0.0.1 and passes everything on to another address, until told otherwise. It runs on a thread of
/// its own, so that neither a busy test nor the end of its runtime stops it; it ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Weather {
    cut: bool,
    delay: Duration,
    /// Connections of an earlier number than this are to be closed.
    resets: u64,
    ended: bool,
}

impl Proxy {
    /// A way to `target`, healthy at first. Nothing needs to listen there yet.
    ///
    /// # Errors
    /// The address cannot be resolved, or no port is free.
    pub fn to(target: impl ToSocketAddrs) -> Result<Self, Error> {
        let bound = || -> io::Result<_> {
            let target = target.to_socket_addrs()?.next().ok_or(io::ErrorKind::InvalidInput)?;
            let listener = BlockingListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok((target, listener.local_addr()?, listener, runtime))
        };
        let (target, address, listener, runtime) = bound().explain(|| "cannot start a proxy".into())?;
        let (weather, seen) = watch::channel(Weather::default());
        let thread = std::thread::Builder::new()
            .name("proxy".into())
            .spawn(move || runtime.block_on(listen(listener, target, seen)))
            .explain(|| "cannot start a proxy's thread".into())?;
        Ok(Self { address, weather, thread: Some(thread) })
    }

    /// Where to connect instead.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes nothing on any more, in neither direction, and closes nothing. New connections are taken and hear nothing.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| weather.cut = true);
    }

    /// Ends a [`cut`](Self::cut) and a [`delay`](Self::delay). What was sent meanwhile arrives, as TCP would see to.
    pub fn heal(&self) {
        self.weather.send_modify(|weather| {
            weather.cut = false;
            weather.delay = Duration::ZERO;
        });
    }

    /// Closes every connection there is, without a farewell; what was on its way is lost. New ones are served as the weather is.
    pub fn reset(&self) {
        self.weather.send_modify(|weather| weather.resets += 1);
    }

    /// Lets everything sent from now on arrive so much later, in each direction.
    pub fn delay(&self, delay: Duration) {
        self.weather.send_modify(|weather| weather.delay = delay);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.weather.send_modify(|weather| weather.ended = true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            // It panicked and has said so; there is nothing left to end.
        }
    }
}

async fn listen(listener: BlockingListener, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let accepted = tokio::select! {
            _ = weather.wait_for(|weather| weather.ended) => return,
            accepted = listener.accept() => accepted,
        };
        // One that was gone before it was taken is no reason to stop.
        if let Ok((client, _)) = accepted {
            tokio::spawn(connection(client, target, weather.clone()));
        }
    }
}

async fn connection(client: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let resets = weather.borrow().resets;
    let mut until = weather.clone();
    let served = async {
        // Not before the way is open: whoever dials through a cut line reaches nobody.
        open(&mut weather).await?;
        let server = TcpStream::connect(target).await.ok()?;
        for side in [&client, &server] {
            side.set_nodelay(true).ok()?;
            // Closed by a reset or by an error it ends hard, and both sides know.
            side.set_zero_linger().ok()?;
        }
        let (client_reads, client_writes) = client.into_split();
        let (server_reads, server_writes) = server.into_split();
        tokio::join!(
            pass(client_reads, server_writes, weather.clone()),
            pass(server_reads, client_writes, weather.clone())
        );
        Some(())
    };
    tokio::select! {
        _ = served => {}
        _ = until.wait_for(|weather| weather.resets > resets || weather.ended) => {}
    }
}

/// Waits until nothing is cut.
async fn open(weather: &mut watch::Receiver<Weather>) -> Option<()> {
    weather.wait_for(|weather| !weather.cut).await.ok().map(|_| ())
}

/// One direction, until its sender ends it or either side fails.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(IN_FLIGHT);
    let delays = weather.clone();
    let reads = async move {
        let mut chunk = vec![0; CHUNK];
        while let Ok(length @ 1..) = from.read(&mut chunk).await {
            let arrives = Instant::now() + delays.borrow().delay;
            if sender.send((arrives, chunk[..length].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writes = async move {
        while let Some((arrives, chunk)) = receiver.recv().await {
            tokio::time::sleep_until(arrives).await;
            if open(&mut weather).await.is_none() || to.write_all(&chunk).await.is_err() {
                return;
            }
        }
        // The end is passed on too, and no sooner than the rest.
        if open(&mut weather).await.is_some() && to.shutdown().await.is_err() {
            // The other side was faster.
        }
    };
    tokio::join!(reads, writes);
}
