//! What every function has in common: settings, logs, clients, the runtime, and metrics for each invocation.

use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp, Unit};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::{
    logs,
    metrics::{Measure, Measurements},
    response::FunctionError,
    settings::{self, Settings},
};
use crate::{
    adapters::{aws::Clients, calls::CallRecorder},
    app::{Attempt, failure::Failure},
};

/// A Lambda function.
pub trait Function: Sized {
    /// What can be set.
    type Settings: Settings;
    /// What it answers.
    type Response: Serialize + Measure;

    /// The function with these settings, talking to AWS through `clients`.
    fn new(settings: Self::Settings, clients: &Clients) -> Self;

    /// Handles one event, given as its JSON text.
    ///
    /// # Errors
    /// Something was not done that should have been. Lambda then repeats the event.
    fn handle(
        &self,
        event: &[u8],
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Self::Response, FunctionError>>;
}

/// Runs a function: reads its settings with `lookup`, which gives the value of an environment variable, and handles
/// events as long as Lambda sends some. Logs and metrics go to `output`.
///
/// # Errors
/// A bad setting keeps the function from starting, with a line that names it.
pub async fn run<F: Function, W: Write + Send + 'static>(
    lookup: impl Fn(&str) -> Option<String>,
    clock: fn() -> Timestamp,
    output: fn() -> W,
) -> Result<(), Error> {
    let (logging, settings) = settings::read::<F::Settings>(lookup)?;
    logs::start(logging.level, output)?;
    let clients = Clients::load().await;
    let function = F::new(settings, &clients);
    let events = service_fn(|event: LambdaEvent<Payload>| {
        invoke(&function, event, clients.calls(), clock, output())
    });
    // Boxed, because what is nested this deep is more than the compiler lays out in one piece.
    Box::pin(lambda_runtime::run(events)).await
}

/// An event as it came. Reading it never fails, so that what is not JSON is refused by us, with a
/// name and a reason, like every other event that cannot be triaged.
#[derive(Debug)]
struct Payload(Result<Box<RawValue>, serde_json::Error>);

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer).map_err(serde::de::Error::custom)))
    }
}

impl Payload {
    /// The JSON text of the event.
    ///
    /// # Errors
    /// [`Failure::NotJson`].
    fn json(self) -> Result<Box<RawValue>, Failure> {
        self.0.map_err(Failure::NotJson)
    }
}

/// How long an invocation may still run at `now`, given the deadline that Lambda sets it, in
/// milliseconds since 1970.
///
/// `started` is when it began: a deadline before that is none. `cargo lambda watch` sends such a
/// one.
fn time_left(deadline_ms: u64, started: Timestamp, now: Timestamp) -> SignedDuration {
    i64::try_from(deadline_ms)
        .ok()
        .and_then(|deadline| Timestamp::from_millisecond(deadline).ok())
        .filter(|deadline| *deadline > started)
        .map_or(SignedDuration::MAX, |deadline| deadline.duration_since(now))
}

/// Handles the event of one invocation, logs and measures.
async fn invoke<F: Function>(
    function: &F,
    invocation: LambdaEvent<Payload>,
    calls: &CallRecorder,
    clock: fn() -> Timestamp,
    metrics: impl Write + Send,
) -> Result<F::Response, FunctionError> {
    let LambdaEvent { payload, context } = invocation;
    let began = clock();
    let measurements = Mutex::new(Measurements::default());
    let measuring = || measurements.lock().unwrap_or_else(PoisonError::into_inner);
    let metrics = Mutex::new(metrics);
    let write = |measured: &Measurements| {
        let function = &context.env_config.function_name;
        let mut metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = measured.write(function, clock(), &mut *metrics) {
            // What was done is done: an invocation does not fail because it could not be counted.
            tracing::warn!(error.message = %error, "the metrics could not be written");
        }
    };
    let attempt = Attempt {
        name: &format!("{}@{began}", context.request_id),
        function: &context.invoked_function_arn,
        // As fine as Inspector's own times, and as people like to read them.
        now: began.round(Unit::Millisecond).unwrap_or(began),
        left: &|| time_left(context.deadline, began, clock()),
        observe: &|observation| {
            logs::observed(&observation);
            if observation.is_said_once() {
                // An invocation that is killed must not take it along.
                let mut measured = Measurements::default();
                measured.observe(observation);
                write(&measured);
            } else {
                measuring().observe(observation);
            }
        },
    };
    let response = match payload.json() {
        Ok(event) => function.handle(event.get().as_bytes(), attempt).await,
        Err(failure) => Err(FunctionError::new(failure, None)),
    };
    let mut measurements = measuring();
    measurements.calls(&calls.take());
    match &response {
        Ok(response) => response.measure(&mut measurements),
        Err(FunctionError(failure)) => measurements.failure(failure),
    }
    write(&measurements);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_what_lambda_gives_and_a_deadline_of_the_past_is_none() {
        let started: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let now: Timestamp = "2026-11-20T12:00:25Z".parse().unwrap();
        let deadline = |time: &str| {
            let time: Timestamp = time.parse().unwrap();
            u64::try_from(time.as_millisecond()).unwrap()
        };
        let left = |deadline| time_left(deadline, started, now);
        assert_eq!(left(deadline("2026-11-20T12:00:30Z")), SignedDuration::from_secs(5));
        assert_eq!(left(deadline("2026-11-20T12:00:20Z")), SignedDuration::from_secs(-5));
        for none in [0, 600_000, u64::MAX] {
            assert_eq!(left(none), SignedDuration::MAX);
        }
    }
}
