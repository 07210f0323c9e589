//! A function as Lambda runs it: a process, and the Runtime API that gives it events.

#![allow(dead_code, reason = "each benchmark uses its own part of this")]

pub mod process;
pub mod programs;
pub mod runtime_api;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use inspector_triage::app::failure::BoxError;
use serde_json::Value;
use tokio::time::timeout;

use process::Process;
use programs::Program;
use runtime_api::{Next, RuntimeApi, Said};

/// A function that runs.
pub struct Function {
    /// Its process.
    pub process: Process,
    api: RuntimeApi,
    name: &'static str,
    /// How long it may take for anything at all.
    patience: Duration,
}

/// What came of an event.
pub struct Handled {
    /// When it was handed out.
    pub lock: Instant,
    /// Until the answer was there.
    pub took: Duration,
    /// The processor time until the function waited for the next event.
    pub cpu: Duration,
    /// The answer.
    pub answer: Value,
}

impl Function {
    /// Starts `program` with `settings` and what Lambda tells a function. What it writes goes to the file `log`.
    pub async fn start(
        program: &Program,
        settings: impl IntoIterator<Item = (&'static str, String)>,
        log: &Path,
        patience: Duration,
    ) -> Result<Self, BoxError> {
        let api = RuntimeApi::serve().await?;
        let mut environment = vec![
            ("AWS_LAMBDA_RUNTIME_API", api.address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", program.name.to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
            ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned()),
        ];
        environment.extend(settings);
        let process = Process::start(program, &environment, log)?;
        Ok(Self { process, api, name: program.name, patience })
    }

    /// Waits until it asks for an event.
    pub async fn next(&mut self) -> Result<Next, BoxError> {
        match self.hear().await? {
            Said::Next(next) => Ok(next),
            Said::Answer(answer) => Err(format!("{}: {}", answer.kind, answer.body).into()),
        }
    }

    /// Gives it an event, and waits until it asks for the next one.
    pub async fn invoke(&mut self, next: Next, event: String) -> Result<(Handled, Next), BoxError> {
        let before = self.process.cpu.so_far()?;
        let lock = next.hand_out(event);
        let answer = match self.hear().await? {
            Said::Answer(answer) if answer.kind == "response" => answer,
            Said::Answer(answer) => {
                return Err(format!("{}: {}", answer.kind, answer.body).into());
            }
            Said::Next(_) => return Err("no answer".into()),
        };
        let next = self.next().await?;
        let cpu = self.process.cpu.so_far()?.saturating_sub(before);
        let took = answer.at - lock;
        Ok((Handled { lock, took, cpu, answer: serde_json::from_str(&answer.body)? }, next))
    }

    /// The error of a function that did not do what it should.
    pub fn failed(&self, problem: &BoxError) -> BoxError {
        let words = self.process.last_words();
        format!("{}: {problem}\nits last words:\n{words}", self.name).into()
    }

    async fn hear(&mut self) -> Result<Said, BoxError> {
        let Self { process, api, patience, .. } = self;
        let said = async {
            tokio::select! {
                said = api.hear() => said,
                ended = process.ended() => Err(ended),
            }
        };
        let silent = |_| format!("it has said nothing for {patience:?}").into();
        timeout(*patience, said).await.map_err(silent).flatten()
    }
}
