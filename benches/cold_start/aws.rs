//! DynamoDB and SNS over TLS on loopback, and what was asked of them when.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    serve::Listener,
};
use inspector_triage::{
    app::failure::BoxError,
    emulator::http::{Answer, Service},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

/// Something that was done for a client, from when it was asked to when it was given.
#[derive(Clone, Debug)]
pub struct Deed {
    /// The operation, or [`HANDSHAKE`].
    pub what: String,
    /// A connection was taken, or a request was received to its end.
    pub lock: Instant,
    /// It was secured, or the answer was ready to be sent.
    pub done: Instant,
}

/// A connection, up to the end of the TLS handshake.
pub const HANDSHAKE: &str = "TLS handshake";

impl Deed {
    /// Whether it is a call to AWS.
    pub fn is_call(&self) -> bool {
        self.what != HANDSHAKE
    }

    /// How long it was in hand.
    pub fn took(&self) -> Duration {
        self.done - self.lock
    }
}

/// What was done, and what went wrong, since somebody looked.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    deeds: Vec<Deed>,
    wrong: Vec<String>,
}

impl Log {
    fn add(&self, what: &str, lock: Instant) {
        let deed = Deed { what: what.to_owned(), lock, done: Instant::now() };
        self.entries().deeds.push(deed);
    }

    fn add_wrong(&self, what: String) {
        self.entries().wrong.push(what);
    }

    /// Takes out what was done.
    ///
    /// # Errors
    /// A call was refused for more than a condition, or a handshake failed.
    pub fn take(&self) -> Result<Vec<Deed>, BoxError> {
        let entries = std::mem::take(&mut *self.entries());
        match &entries.wrong[..] {
            [] => Ok(entries.deeds),
            wrong => Err(wrong.join("; ").into()),
        }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves `service` on a free port until the end of the runtime. Returns its URL.
pub async fn serve(
    service: Service,
    config: Arc<ServerConfig>,
    log: &Log,
) -> Result<String, BoxError> {
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://localhost:{}", tcp.local_addr()?.port());
    let listener = Tls { tcp, acceptor: config.into(), log: log.clone() };
    let router = Router::new().fallback(call).with_state((service, log.clone()));
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(url)
}

async fn call(
    State((service, log)): State<(Service, Log)>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // No call, but what a client sends that opens its connection before it has one to make.
    if method == Method::GET {
        return StatusCode::NOT_FOUND.into_response();
    }
    let lock = Instant::now();
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let (operation, kind) = match target {
        Some(target) => (target.rsplit('.').next().unwrap_or(target), "application/x-amz-json-1.0"),
        None => ("Publish", "text/xml"),
    };
    let Answer { status, body: answer, .. } = service.perform(target.unwrap_or_default(), &body);
    if status != 200 && !answer.contains("ConditionalCheckFailed") {
        log.add_wrong(format!("{operation} was refused: {answer}"));
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let response = (status, [(CONTENT_TYPE, kind)], answer).into_response();
    log.add(operation, lock);
    response
}

/// Connections with TLS.
struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    log: Log,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    /// The next one; they are made one after the other, as a function has one to each service.
    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (tcp, address) = Listener::accept(&mut self.tcp).await;
            let lock = Instant::now();
            let secured = async {
                tcp.set_nodelay(true)?;
                self.acceptor.accept(tcp).await
            };
            match secured.await {
                Ok(stream) => {
                    self.log.add(HANDSHAKE, lock);
                    return (stream, address);
                }
                Err(error) => self.log.add_wrong(format!("the TLS handshake failed: {error}")),
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
