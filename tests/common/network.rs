//! A network between the SDK and the services that loses, delays and refuses what it is told to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_dynamodb::config::{
    HttpClient, RuntimeComponents, SharedHttpClient,
    retry::{RetryConfig, RetryPartition},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use inspector_triage::{
    adapters::{
        dynamodb::DynamoDb,
        inspector2::Inspector2,
        s3::S3,
        sns::{Sns, Topics},
    },
    app::{Triage, TriageConfig, review::Review},
    domain::{announce::Budget, finding::Scope},
    emulator::Emulator,
};
use tokio::{sync::Notify, time::sleep};

/// The calls of triage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    Refresh,
    Write,
    Permit,
    Publish,
    Mark,
    /// What waits: the index and the rows.
    Read,
    LockSummary,
    LeaseAll,
    UnlockSummary,
    RememberAnnounced,
    /// Whether somebody listens.
    Listeners,
    ShareListeners,
    /// A question to Inspector.
    Ask,
    /// The row of the daily round.
    Round,
}

impl Call {
    /// The calls for a new finding.
    pub const ALL: [Self; 6] =
        [Self::Refresh, Self::Write, Self::Listeners, Self::Permit, Self::Publish, Self::Mark];

    /// Which call a request is.
    fn of(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        match target.rsplit('.').next().unwrap_or_default() {
            "Query" | "BatchGetItem" => Self::Read,
            _ if request.uri().contains("inspector2.") => Self::Ask,
            "UpdateItem" if body.contains("\"ROUND\"") => Self::Round,
            "UpdateItem" if body.contains("SUMMARY") => Self::UnlockSummary,
            "UpdateItem" if body.contains("BUCKET#") => Self::ShareListeners,
            "UpdateItem" => Self::Refresh,
            "TransactWriteItems" if body.contains("SUMMARY") => Self::LockSummary,
            "TransactWriteItems" if body.contains("lease.holder = :holder") => Self::Mark,
            "TransactWriteItems" if body.contains("BUCKET#") => Self::Permit,
            "TransactWriteItems" if body.contains("PROBLEM#") => Self::RememberAnnounced,
            "TransactWriteItems" if body.contains("lease = :lease") => Self::LeaseAll,
            "TransactWriteItems" => Self::Write,
            _ if ["GetTopicAttributes", "ListSubscriptions"]
                .iter()
                .any(|word| body.contains(word)) =>
            {
                Self::Listeners
            }
            _ => Self::Publish,
        }
    }

    /// Whether it writes several rows at once.
    fn is_transaction(self) -> bool {
        use Call::{LeaseAll, LockSummary, Mark, Permit, RememberAnnounced, Write};
        matches!(self, Write | Permit | Mark | LockSummary | LeaseAll | RememberAnnounced)
    }

    /// Whether SNS answers it.
    fn is_to_topic(self) -> bool {
        matches!(self, Self::Publish | Self::Listeners)
    }
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The service has an error of its own, and has done nothing.
    ErrorBefore,
    /// The service has done it, and answers with an error.
    ErrorAfter,
    /// The service refuses to do so much at once.
    Throttled,
    /// The service refuses one part of a transaction, because so much at once is written where its row is.
    PartThrottled,
    /// The service refuses to write to a row that somebody else writes to.
    Conflict,
    /// The connection breaks before the service has the request.
    DroppedBefore,
    /// The connection breaks before its answer arrives.
    DroppedAfter,
    /// The function is ended before the request is sent.
    KilledBefore,
    /// The function is ended before the answer arrives.
    KilledAfter,
}

impl Fault {
    pub const ALL: [Self; 9] = [
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::Throttled,
        Self::PartThrottled,
        Self::Conflict,
        Self::DroppedBefore,
        Self::DroppedAfter,
        Self::KilledBefore,
        Self::KilledAfter,
    ];

    /// Whether the service did what it was asked.
    pub fn takes_effect(self) -> bool {
        matches!(self, Self::ErrorAfter | Self::DroppedAfter | Self::KilledAfter)
    }

    /// Whether `call` can have it.
    pub fn befalls(self, call: Call) -> bool {
        match self {
            Self::Conflict => !(call.is_to_topic() || matches!(call, Call::Read | Call::Ask)),
            Self::PartThrottled => call.is_transaction(),
            _ => true,
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fate {
    /// How long it is on its way. It arrives even if nobody waits for it any more.
    pub there: Duration,
    pub fault: Option<Fault>,
    /// How long the answer is on its way.
    pub back: Duration,
}

/// A request as it is sent. The SDK sends some more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub call: Call,
    /// How many calls of this kind the attempt made before.
    pub number: usize,
    /// How often it was sent before.
    pub repeated: usize,
}

impl Sent {
    /// Whether nothing like it was sent before, be it by the SDK or by ours.
    pub fn is_first(self) -> bool {
        (self.number, self.repeated) == (0, 0)
    }
}

type Fates = Box<dyn FnMut(Sent) -> Fate + Send>;

/// A network of one attempt.
#[derive(Clone)]
pub struct Network(Arc<State>);

struct State {
    fates: Mutex<Fates>,
    sent: Mutex<Progress>,
    on_effect: Box<dyn Fn(Call) + Send + Sync>,
    killed: Notify,
}

/// The calls so far: what each was, which of its kind, and how often it was sent.
#[derive(Default)]
struct Progress(HashMap<String, Sent>);

impl Network {
    /// A network in which `fates` decides about each request, and `on_effect` hears of each that
    /// was done.
    pub fn new(
        fates: impl FnMut(Sent) -> Fate + Send + 'static,
        on_effect: impl Fn(Call) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(State {
            fates: Mutex::new(Box::new(fates)),
            sent: Mutex::default(),
            on_effect: Box::new(on_effect),
            killed: Notify::new(),
        }))
    }

    /// A triage that reaches the store and the topic over this network, with retries of its own:
    /// in one process, the SDK's clients would share a budget for them.
    pub fn triage(&self, emulator: &Emulator, name: &str) -> Triage<DynamoDb, Sns> {
        self.triage_for(emulator, name, super::topics())
    }

    /// The same, for other audiences.
    pub fn triage_for(
        &self,
        emulator: &Emulator,
        name: &str,
        topics: Topics,
    ) -> Triage<DynamoDb, Sns> {
        // Without chance, so that what a test found it finds again.
        let retries = |config: Option<&RetryConfig>| {
            config.unwrap().clone().with_use_static_exponential_base(true)
        };
        let link =
            |inner: Option<SharedHttpClient>| Link { network: self.clone(), inner: inner.unwrap() };
        let dynamodb = emulator.dynamodb().build();
        let dynamodb = dynamodb
            .to_builder()
            .retry_config(retries(dynamodb.retry_config()))
            .retry_partition(RetryPartition::new(name.to_owned()))
            .http_client(link(dynamodb.http_client()));
        let sns = emulator.sns().build();
        let sns = sns
            .to_builder()
            .retry_config(retries(sns.retry_config()))
            .retry_partition(RetryPartition::new(name.to_owned()))
            .http_client(link(sns.http_client()));
        // Rations have tests of their own.
        let budget = Budget { p1: u8::MAX, others: u8::MAX };
        let triage = super::triage(dynamodb, sns.clone());
        let config = TriageConfig { budget, ..super::config() };
        Triage::new(triage.store, Sns::new(sns, topics), config)
    }

    /// The daily round over this network.
    pub fn review(&self, emulator: &Emulator, name: &str) -> Review<DynamoDb, Sns, Inspector2, S3> {
        let triage = self.triage(emulator, name);
        let inspector = emulator.inspector2();
        let config = inspector.clone().build();
        let link = Link { network: self.clone(), inner: config.http_client().unwrap() };
        let inspector = Inspector2::new(inspector.http_client(link), super::RATE);
        Review {
            triage,
            inspector,
            archive: super::archive(emulator, false),
            scope: Scope::default(),
            own_functions: vec!["triage-".to_owned()],
        }
    }

    /// What `work` comes to; `None` if the function was killed in the midst of it.
    pub async fn until_killed<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.0.killed.notified() => None,
        }
    }

    fn sent(&self, request: &HttpRequest) -> Sent {
        let invocation = request.headers().get("amz-sdk-invocation-id").unwrap_or_default();
        let call = Call::of(request);
        let calls = &mut self.0.sent.lock().unwrap().0;
        if let Some(sent) = calls.get_mut(invocation) {
            sent.repeated += 1;
            return *sent;
        }
        let number = calls.values().filter(|sent| sent.call == call).count();
        let sent = Sent { call, number, repeated: 0 };
        calls.insert(invocation.to_owned(), sent);
        sent
    }
}

/// The network as a client of one service has it.
#[derive(Clone)]
struct Link {
    network: Network,
    inner: SharedHttpClient,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

impl HttpClient for Link {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Wire { network: self.network.clone(), inner })
    }
}

#[derive(Debug)]
struct Wire {
    network: Network,
    inner: SharedHttpConnector,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sent = self.network.sent(&request);
        let fate = (self.network.0.fates.lock().unwrap())(sent);
        let parts = parts(&request);
        let (network, inner) = (self.network.clone(), self.inner.clone());
        // A task of its own: what was sent arrives, whoever has given up waiting for it.
        let journey = tokio::spawn(async move {
            pause(fate.there).await;
            if fate.fault.is_some_and(|fault| !fault.takes_effect()) {
                return None;
            }
            let answer = inner.call(request).await;
            if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                (network.0.on_effect)(sent.call);
            }
            pause(fate.back).await;
            Some(answer)
        });
        let network = self.network.clone();
        HttpConnectorFuture::new(async move {
            let broken = || ConnectorError::io("the connection broke".into());
            if fate.fault == Some(Fault::KilledBefore) {
                journey.abort();
                return network.kill().await;
            }
            let answer = journey.await.unwrap();
            match fate.fault {
                None => answer.unwrap(),
                Some(Fault::KilledBefore | Fault::KilledAfter) => network.kill().await,
                Some(Fault::DroppedBefore | Fault::DroppedAfter) => Err(broken()),
                Some(Fault::ErrorBefore | Fault::ErrorAfter) => {
                    Ok(refusal(500, sent.call, "InternalServerError"))
                }
                Some(Fault::Throttled) if sent.call == Call::Ask => {
                    Ok(refusal(429, sent.call, "ThrottlingException"))
                }
                Some(Fault::Throttled) => Ok(refusal(400, sent.call, "ThrottlingException")),
                Some(Fault::PartThrottled) => Ok(cancelled(parts, "ThrottlingError")),
                Some(Fault::Conflict) if parts == 0 => {
                    Ok(refusal(400, sent.call, "TransactionConflictException"))
                }
                Some(Fault::Conflict) => Ok(cancelled(parts, "TransactionConflict")),
            }
        })
    }
}

impl Network {
    async fn kill<T>(&self) -> T {
        self.0.killed.notify_one();
        std::future::pending().await
    }
}

async fn pause(time: Duration) {
    if time > Duration::ZERO {
        sleep(time).await;
    }
}

/// How many parts a transaction has.
fn parts(request: &HttpRequest) -> usize {
    let body: Option<serde_json::Value> =
        request.body().bytes().and_then(|body| serde_json::from_slice(body).ok());
    body.and_then(|body| Some(body["TransactItems"].as_array()?.len())).unwrap_or_default()
}

/// How the service words it that a transaction was not done: of so many `parts` the first one was refused.
fn cancelled(parts: usize, why: &str) -> HttpResponse {
    let code = |part| if part == 0 { why } else { "None" };
    let reasons: Vec<_> = (0..parts).map(|part| serde_json::json!({"Code": code(part)})).collect();
    let body = serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    });
    HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body.to_string()))
}

/// An error as the service words it.
fn refusal(status: u16, call: Call, code: &str) -> HttpResponse {
    let body = if call.is_to_topic() {
        format!(
            "<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>As the test \
             wants it</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
    } else {
        serde_json::json!({
            "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
            "message": "As the test wants it",
        })
        .to_string()
    };
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}
