//! Lambda's Runtime API, on loopback: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::{net::SocketAddr, time::Instant};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use inspector_triage::app::failure::BoxError;
use tokio::{
    net::TcpListener,
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
};

/// What a function says.
pub enum Said {
    /// It asks for an event. Whoever has one hands it out.
    Next(Next),
    /// It has done with one.
    Answer(Answer),
}

/// A function that waits for an event.
pub struct Next {
    /// Since when.
    pub at: Instant,
    event: oneshot::Sender<String>,
}

impl Next {
    /// Gives it one. Returns when that was; the function may be gone by then.
    pub fn hand_out(self, event: String) -> Instant {
        let at = Instant::now();
        let _ = self.event.send(event);
        at
    }
}

/// What it made of an event.
pub struct Answer {
    /// When it had said it all.
    pub at: Instant,
    /// `response`, or `error`.
    pub kind: String,
    /// The words.
    pub body: String,
}

/// The API for one function.
pub struct RuntimeApi {
    /// Where it is.
    pub address: SocketAddr,
    said: UnboundedReceiver<Said>,
}

impl RuntimeApi {
    /// Serves it on a free port until the end of the runtime.
    pub async fn serve() -> Result<Self, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, said) = unbounded_channel();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answer))
            .route("/2018-06-01/runtime/init/{kind}", post(answer_to_start))
            .with_state(sender);
        // An answer must not wait for the acknowledgement of the one before.
        let listener = listener.tap_io(|tcp| {
            if let Err(error) = tcp.set_nodelay(true) {
                eprintln!("Runtime API: TCP_NODELAY was refused: {error}");
            }
        });
        tokio::spawn(async { axum::serve(listener, router).await });
        Ok(Self { address, said })
    }

    /// What the function says next.
    pub async fn hear(&mut self) -> Result<Said, BoxError> {
        self.said.recv().await.ok_or_else(|| "the Runtime API has ended".into())
    }
}

type Sender = State<UnboundedSender<Said>>;

async fn next(State(said): Sender) -> Response {
    let (event, given) = oneshot::channel();
    // If nobody listens any more, no event comes either.
    let _ = said.send(Said::Next(Next { at: Instant::now(), event }));
    match given.await {
        Ok(event) => (HEADERS, event).into_response(),
        Err(_) => StatusCode::GONE.into_response(),
    }
}

/// What goes with an event. The deadline lies in the year 2100.
const HEADERS: [(&str, &str); 4] = [
    ("content-type", "application/json"),
    ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
    ("lambda-runtime-deadline-ms", "4102444800000"),
    (
        "lambda-runtime-invoked-function-arn",
        "arn:aws:lambda:eu-central-1:111122223333:function:function",
    ),
];

async fn answer(said: Sender, Path((_, kind)): Path<(String, String)>, body: Bytes) -> StatusCode {
    note(&said, kind, &body)
}

async fn answer_to_start(said: Sender, Path(kind): Path<String>, body: Bytes) -> StatusCode {
    note(&said, kind, &body)
}

fn note(said: &Sender, kind: String, body: &[u8]) -> StatusCode {
    let body = String::from_utf8_lossy(body).into_owned();
    let _ = said.send(Said::Answer(Answer { at: Instant::now(), kind, body }));
    StatusCode::ACCEPTED
}
