//! A tracker over a network, with connections that can end without an answer.

use std::{
    collections::BTreeMap,
    future, io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State, connect_info::Connected},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    serve::{IncomingStream, Listener},
};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

use super::{Asked, Reply, Tracker};
use crate::app::failure::BoxError;

impl Tracker {
    /// Serves it on `listener` for ever.
    pub async fn serve(self, listener: TcpListener) -> Result<(), BoxError> {
        let router = Router::new().fallback(call).with_state(self);
        let service = router.into_make_service_with_connect_info::<Cut>();
        Ok(axum::serve(Lines(listener), service).await?)
    }
}

async fn call(
    State(tracker): State<Tracker>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: BTreeMap<_, _> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let asked = Asked {
        method: method.as_str().to_owned(),
        path: uri.path_and_query().map_or("", |path| path.as_str()).to_owned(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let of = |status| StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match tracker.perform(asked) {
        Reply::Never => future::pending().await,
        Reply::HangUp => {
            cut.0.store(true, Ordering::Relaxed);
            StatusCode::OK.into_response()
        }
        Reply::Garbled(status) => (of(status), "{\"key\": \"SE").into_response(),
        Reply::Answer(answer) => {
            let body = if answer.status == 204 { String::new() } else { answer.body.to_string() };
            let mut response =
                (of(answer.status), [(CONTENT_TYPE, "application/json")], body).into_response();
            for (name, value) in answer.headers {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(HeaderName::from_static(name), value);
                }
            }
            response
        }
    }
}

/// Connections that come in.
struct Lines(TcpListener);

/// A connection.
struct Line {
    stream: TcpStream,
    cut: Cut,
}

/// Whether a connection ends before anything more is said.
#[derive(Clone, Default)]
struct Cut(Arc<AtomicBool>);

impl Listener for Lines {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Line { stream, cut: Cut::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Lines>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().cut.clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cut.0.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
