//! Sockets: who accepts, who serves, and how all of it ends.
//!
//! Every worker is a thread with a runtime of its own, so that a connection never changes threads. The first worker also
//! accepts, and gives each connection to the worker that has the fewest. Kernel balancing (`SO_REUSEPORT`) would deal
//! few connections unevenly, and one runtime over several threads would move requests between them.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::app::{App, Place};
use crate::budget::Share;
use crate::patient::Patient;

/// How long a connection may be silent, between requests or within the head of one.
const SILENCE: Duration = Duration::from_secs(75);
/// The same on connections beyond the limit.
const CROWDED_SILENCE: Duration = Duration::from_secs(5);
/// As many connections beyond the limit are answered, if only that the predictor is busy; more are closed at once.
const CROWD: usize = 64;
/// Longest head of a request in bytes, and what is read at once.
const BUFFER: usize = 64 << 10;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// A predictor that listens.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<usize>>,
}

/// A connection on its way to the worker that serves it.
struct Accepted {
    stream: StdStream,
    remote: SocketAddr,
    place: Place,
    /// Its place among all connections, and among those of the worker.
    _places: (Share, Load),
}

impl Server {
    /// Listens and serves from now on.
    ///
    /// # Errors
    /// What the system says when it gives no socket or no thread.
    pub fn start(app: App) -> io::Result<Self> {
        let settings = &app.predictor().settings;
        let (count, drain) = (settings.workers, settings.drain);
        let listener = listen(SocketAddr::new(settings.host, settings.port))?;
        let address = listener.local_addr()?;
        let app = Arc::new(app);
        let (stop, stopped) = watch::channel(false);
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::unbounded_channel()).unzip();
        let dealer = Dealer::new(senders);
        let loads: Vec<_> = dealer.workers.iter().map(|(_, load)| Arc::clone(load)).collect();
        let mut acceptor = Some(Acceptor { app: Arc::clone(&app), listener, stopped, workers: dealer });
        let mut workers = Vec::with_capacity(count);
        for (number, (incoming, load)) in receivers.into_iter().zip(loads).enumerate() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build()?;
            let (app, acceptor) = (Arc::clone(&app), acceptor.take());
            let work = move || {
                runtime.block_on(async {
                    if let Some(acceptor) = acceptor {
                        tokio::spawn(acceptor.run());
                    }
                    serve_all(&app, incoming, drain).await;
                });
                let left = load.load(Ordering::Relaxed);
                // A prediction that is still being computed has nobody left to answer.
                runtime.shutdown_background();
                left
            };
            workers.push(thread::Builder::new().name(format!("serving-{number}")).spawn(work)?);
        }
        Ok(Self { app, address, stop, workers })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: connections are still taken for a moment and told to close after their next answer, then what is in
    /// flight gets the time that the settings give it. Returns how many connections were cut off.
    pub fn stop(self) -> usize {
        let predictor = self.app.predictor();
        predictor.drain();
        thread::sleep(predictor.settings.last_call.min(predictor.settings.drain / 4));
        // Nobody listens any more if the workers ended by themselves.
        let _ = self.stop.send(true);
        // A worker that panicked has said so.
        self.workers.into_iter().map(|worker| worker.join().unwrap_or(0)).sum()
    }
}

/// A socket that other processes may listen on right after this one.
fn listen(address: SocketAddr) -> io::Result<StdListener> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4() } else { tokio::net::TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    })
}

struct Acceptor {
    app: Arc<App>,
    listener: StdListener,
    stopped: watch::Receiver<bool>,
    workers: Dealer,
}

impl Acceptor {
    /// Accepts until it is told to stop, and then what waits already.
    async fn run(self) {
        let Self { app, listener, mut stopped, workers } = self;
        // Registered with the runtime of this worker; it was with another one's before.
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        let mut stopped = pin!(async move { stopped.wait_for(|stop| *stop).await.is_ok() });
        loop {
            let next = poll_fn(|context| match listener.poll_accept(context) {
                Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
                Poll::Pending => stopped.as_mut().poll(context).map(|_| None),
            });
            match next.await {
                Some(Ok((stream, remote))) => workers.deal(&app, stream, remote),
                // Out of file descriptors, most likely; they come back.
                Some(Err(_)) => sleep(Duration::from_millis(20)).await,
                None => return,
            }
        }
    }
}

/// Gives connections to workers.
struct Dealer {
    workers: Vec<(mpsc::UnboundedSender<Accepted>, Arc<AtomicUsize>)>,
}

/// One connection of a worker.
struct Load(Arc<AtomicUsize>);

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Dealer {
    fn new(senders: Vec<mpsc::UnboundedSender<Accepted>>) -> Self {
        Self { workers: senders.into_iter().map(|sender| (sender, Arc::default())).collect() }
    }

    /// To the worker with the fewest connections; a connection that is far too many is closed.
    fn deal(&self, app: &App, stream: TcpStream, remote: SocketAddr) {
        let predictor = app.predictor();
        let share = predictor.connections.take_anyway(1);
        let excess = predictor.connections.used().saturating_sub(predictor.settings.max_connections);
        if excess > CROWD {
            return;
        }
        let fewest = self.workers.iter().min_by_key(|(_, load)| load.load(Ordering::Relaxed));
        let (Some((sender, load)), Ok(stream)) = (fewest, stream.into_std()) else { return };
        load.fetch_add(1, Ordering::Relaxed);
        let place = if excess > 0 { Place::Crowd } else { Place::Usual };
        let places = (share, Load(Arc::clone(load)));
        // A worker that has ended takes no more; the connection is then closed.
        let _ = sender.send(Accepted { stream, remote, place, _places: places });
    }
}

/// Serves what comes until nothing more comes, and then for at most `drain` what is left.
async fn serve_all(app: &Arc<App>, mut incoming: mpsc::UnboundedReceiver<Accepted>, drain: Duration) {
    let graceful = GracefulShutdown::new();
    let patience = app.predictor().settings.request_timeout;
    while let Some(accepted) = incoming.recv().await {
        let Accepted { stream, remote, place, _places: places } = accepted;
        // A connection that is gone already has nobody to complain.
        let Ok(stream) = TcpStream::from_std(stream) else { continue };
        let _ = stream.set_nodelay(true);
        let app = Arc::clone(app);
        let service = service_fn(move |request: Request<Incoming>| {
            let app = Arc::clone(&app);
            async move { Ok::<_, Infallible>(app.handle_on(place, remote, request.map(Body::new)).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(if place == Place::Crowd { CROWDED_SILENCE } else { SILENCE })
            .max_buf_size(BUFFER)
            .keep_alive(place == Place::Usual)
            .pipeline_flush(true)
            .serve_connection(Patient::new(stream, patience), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Connections end in all sorts of ways; what matters was answered and counted.
            let _ = connection.await;
            drop(places);
        });
    }
    let _ = timeout(drain, graceful.shutdown()).await;
}
