//! What can go wrong, in words for the person who reads it.

use std::error::Error;

use jiff::SignedDuration;

use crate::domain::finding::Malformed;

/// Why something failed, whatever that was.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A call to a service that failed. Says which operation on which object; the source says why.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {object} failed")]
pub struct CallFailed {
    /// Such as `DynamoDB UpdateItem`.
    pub operation: &'static str,
    /// Such as `FINDING#arn:…`.
    pub object: String,
    /// What the service or the network said.
    pub source: BoxError,
}

/// Why an event could not be triaged. Each of these fails the invocation, so that the event is
/// tried again or ends in the failure queue.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The event is not JSON.
    #[error("the event is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// A required field is missing or of the wrong type.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// An event of a kind that is not triaged.
    #[error(
        "an event with detail-type \"{detail_type}\" from source \"{from}\" is not triaged; \
         expected detail-type \"Inspector2 Finding\""
    )]
    Unsupported {
        /// Its detail-type, shortened.
        detail_type: String,
        /// Its source, shortened.
        from: String,
    },
    /// An event of the schedule that a function does not know.
    #[error(
        "an event with detail-type \"{detail_type}\" from source \"{from}\" is not known here; \
         expected detail-type {expected}"
    )]
    NotScheduled {
        /// Its detail-type, shortened.
        detail_type: String,
        /// Its source, shortened.
        from: String,
        /// What is known.
        expected: String,
    },
    /// An event whose source does not send such findings.
    #[error(
        "finding {arn} is not one that source \"{from}\" sends: findings of on-demand scans come from \
         inspector2.ami.ondemand, and no others do"
    )]
    Forged {
        /// The finding, shortened.
        arn: String,
        /// The event's source, shortened.
        from: String,
    },
    /// The table could not be read or written.
    #[error("a call to the table failed")]
    Store(#[source] CallFailed),
    /// A message could not be handed over. What it was to tell is recorded.
    #[error("people could not be told; what there is to tell is recorded")]
    Publisher(#[source] CallFailed),
    /// The page of a review could not be kept. The review is told once it is, or some hours later without it.
    #[error("the page of the review could not be kept")]
    Archive(#[source] CallFailed),
    /// People were told, and the table was too busy to note it. They will be told again.
    #[error(
        "the table was too busy to note that people were told of {0} findings; they will be told again"
    )]
    Unmarked(usize),
    /// So many findings could not be recorded that it is no matter of findings.
    #[error("{0} findings that Inspector lists could not be recorded")]
    Unrecorded(usize),
    /// It was never found out which accounts there are.
    #[error("it is not known yet in which accounts Inspector is on")]
    NoAccounts,
    /// Inspector did not say of any account, or not of some, what it does not look at.
    #[error("Inspector did not say what it does not look at")]
    NoCoverage,
    /// Other invocations kept changing the record.
    #[error("finding {arn} changed {attempts} times while it was being recorded; try again")]
    Contended {
        /// The finding.
        arn: String,
        /// How often this was tried.
        attempts: usize,
    },
    /// The invocation would be ended before the next step is done for sure.
    #[error(
        "{what}: {left:#} are left of this invocation, and the next step may take {needed:#}; \
         try again"
    )]
    OutOfTime {
        /// What would be left undone.
        what: String,
        /// How long the invocation may still run.
        left: SignedDuration,
        /// How long the next step may take.
        needed: SignedDuration,
    },
}

impl Failure {
    /// A stable name for the kind of failure, as Lambda reports it in `errorType`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotJson(_) | Self::Malformed(_) => "MalformedEvent",
            Self::Unsupported { .. } | Self::NotScheduled { .. } | Self::Forged { .. } => {
                "UnsupportedEvent"
            }
            Self::Store(_) | Self::Unmarked(_) | Self::Unrecorded(_) => "StoreFailed",
            Self::NoAccounts | Self::NoCoverage => "NotAnswered",
            Self::Publisher(_) => "PublishFailed",
            Self::Archive(_) => "ArchiveFailed",
            Self::Contended { .. } => "Contended",
            Self::OutOfTime { .. } => "OutOfTime",
        }
    }

    /// The failure and all its causes in one line.
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// An error and all its causes in one line, outermost first. A cause that repeats what was just
/// said is left out.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    crate::domain::text::line(&line)
}
