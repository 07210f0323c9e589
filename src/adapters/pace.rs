//! How fast a service is asked. AWS publishes no rates for Inspector, so we begin slowly, and give way where it asks us to.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::{error::metadata::ProvideErrorMetadata, timeout::TimeoutConfig};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    adapters::failed,
    app::{NotAnswered, Refusal, TimeLimit, failure::CallFailed},
};

/// How often a call is tried that keeps failing in a way that may pass. Throttling has no such limit but time.
const MAX_FAILURES: u32 = 5;
/// How long to wait before a call is repeated, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];
/// How much slower it gets at most than it began.
const SLOWEST: u32 = 32;
/// A page of a large account takes longer than what the other services are asked for.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a call may take that is made at a pace. What is repeated, and when, is decided at that pace: the client itself
/// repeats nothing.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(CALL_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

/// The pace of all calls of a client.
#[derive(Clone, Debug)]
pub struct Pace {
    /// From one call to the next, at full speed.
    interval: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// When the next call may begin.
    next: Option<Instant>,
    /// How many times slower than full speed.
    slower: u32,
    /// How many calls went well since it was slowed down.
    well: u32,
}

impl Pace {
    /// At most so many calls a second.
    pub fn new(calls_a_second: f64) -> Self {
        Self::every(Duration::try_from_secs_f64(1.0 / calls_a_second).unwrap_or_default())
    }

    /// As many calls a second as are made. What is throttled waits all the same, each call for itself.
    pub fn unpaced() -> Self {
        Self::every(Duration::ZERO)
    }

    fn every(interval: Duration) -> Self {
        let state = State { next: None, slower: 1, well: 0 };
        Self { interval, state: Arc::new(Mutex::new(state)) }
    }

    /// Makes `call` when its turn comes, and again if it fails in a way that may pass, as long as `limit` allows.
    ///
    /// # Errors
    /// It failed for good, or there is no time left.
    pub async fn call<T, E, F>(
        &self,
        operation: &'static str,
        object: &str,
        limit: TimeLimit<'_>,
        call: impl Fn() -> F,
    ) -> Result<T, NotAnswered>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let (mut failures, mut pause) = (0, PAUSES[0]);
        loop {
            let turn = self.turn();
            if limit.is_over_in(turn.saturating_duration_since(Instant::now())) {
                let source = "it is asked as often as it may be until there is no time left".into();
                let failed = CallFailed { operation, object: object.to_owned(), source };
                return Err(NotAnswered { why: Refusal::Busy, failed });
            }
            sleep_until(turn).await;
            let error = match call().await {
                Ok(answer) => {
                    self.went_well();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let why = refusal(&error);
            let is_throttled = is_throttled(&error);
            failures += u32::from(!is_throttled);
            let may_pass = is_throttled || (may_pass(&error) && failures < MAX_FAILURES);
            let asked_for = retry_after(&error);
            let failed = failed::call(operation, object, error);
            if !may_pass {
                return Err(NotAnswered { why, failed });
            }
            if is_throttled {
                self.slow_down();
            }
            pause = asked_for.unwrap_or(pause).min(PAUSES[1]);
            if limit.is_over_in(pause) {
                return Err(NotAnswered { why: Refusal::Busy, failed });
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES[1]);
        }
    }

    /// When the next call may begin, which is taken.
    fn turn(&self) -> Instant {
        let mut state = self.state();
        let now = Instant::now();
        let turn = state.next.map_or(now, |next| next.max(now));
        state.next = Some(turn + self.interval * state.slower);
        turn
    }

    fn slow_down(&self) {
        let mut state = self.state();
        state.slower = (state.slower * 2).min(SLOWEST);
        state.well = 0;
    }

    /// After as many calls that went well as it is slower, it gets faster again.
    fn went_well(&self) {
        let mut state = self.state();
        state.well += 1;
        if state.slower > 1 && state.well >= 10 * state.slower {
            state.slower /= 2;
            state.well = 0;
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// What an error says, by its code: several operations do not model all that they answer.
fn refusal<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Refusal {
    let says = |words: &[&str]| {
        let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
        words.iter().any(|word| message.is_some_and(|message| message.contains(word)))
    };
    match code(error) {
        Some("AccessDeniedException" | "UnrecognizedClientException") => Refusal::Denied,
        Some("ResourceNotFoundException") => Refusal::NotFound,
        Some("ValidationException") if says(&["token", "Token"]) => Refusal::Token,
        _ => Refusal::Other,
    }
}

fn is_throttled<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let is_limited = error.raw_response().is_some_and(|answer| answer.status().as_u16() == 429);
    is_limited || matches!(code(error), Some("ThrottlingException" | "TooManyRequestsException"))
}

/// Whether a call may go through another time: it was not answered whole, or the service had an error of its own.
fn may_pass<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        // An answer that breaks off in the midst of it comes with a good status.
        SdkError::ServiceError(error) => {
            let status = error.raw().status();
            status.is_server_error() || status.is_success()
        }
        // What is of no kind is no matter of the network: there are no credentials, for example.
        SdkError::DispatchFailure(failed) => {
            !(failed.is_user() || failed.is_other() && failed.as_other().is_none())
        }
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        _ => false,
    }
}

/// For how long the service wants to be left alone.
fn retry_after<E>(error: &SdkError<E, HttpResponse>) -> Option<Duration> {
    let seconds: f64 = error.raw_response()?.headers().get("retry-after")?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
