//! What Inspector has found in something that is to be deployed, once it has looked: first whether there was a scan, then
//! what it found, when that stands still, then what is known of attacks.

mod image;
mod listing;
mod project;
mod threats;
mod wait;

use std::time::Duration;

use super::{
    failure::CallFailed,
    ports::{Clock, NotAnswered},
};
use crate::domain::{
    finding::Finding,
    gate::{CannotTell, Note, Subject},
};

pub use wait::{Progress, Waiting};

/// Who is asked about what stands before a gate.
pub struct Asking<'a, I, R, C> {
    /// Inspector.
    pub inspector: &'a I,
    /// The registry of images.
    pub registry: &'a R,
    /// For how long is waited, and by which clock.
    pub waiting: &'a Waiting<'a, C>,
}

/// What was found in something.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What it is, and when it was scanned.
    pub subject: Subject,
    /// All findings in it that are not closed.
    pub findings: Vec<Finding>,
    /// What to know besides.
    pub notes: Vec<Note>,
}

/// Why it is not known what was found.
#[derive(Debug)]
pub enum Unknown {
    /// It cannot be told.
    CannotTell(CannotTell),
    /// A call to a service failed.
    Call {
        /// The call.
        failed: Box<CallFailed>,
        /// What was asked, such as `Amazon Inspector`.
        service: &'static str,
    },
}

impl From<CannotTell> for Unknown {
    fn from(why: CannotTell) -> Self {
        Self::CannotTell(why)
    }
}

/// How long after a look at a scan that is not done there is the next.
const SCAN_PAUSE: Duration = Duration::from_secs(10);

const INSPECTOR: &str = "Amazon Inspector";
const REGISTRY: &str = "Amazon ECR";

/// A call that failed, to this service.
fn failed(service: &'static str) -> impl Fn(NotAnswered) -> Unknown {
    move |not| Unknown::Call { failed: Box::new(not.failed), service }
}
