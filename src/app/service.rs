//! Triage as a whole: its settings, and the way out to the world. What it does stands beside this: for one finding in
//! `triage`, for many in `flush`.

use std::sync::{Arc, Mutex, atomic::AtomicBool};

use jiff::SignedDuration;

use crate::{
    domain::{
        announce::{Budget, Listeners, SUMMARY_AFTER},
        assess::{Policy, Priority},
    },
    render::Style,
};

/// How findings are triaged: the settings and the way out.
#[derive(Clone, Debug)]
pub struct Triage<S, P> {
    /// Where records are kept.
    pub store: S,
    /// Where messages go.
    pub publisher: P,
    /// What can be set.
    pub config: TriageConfig,
    /// Who listens, as far as known.
    pub(super) listeners: Arc<Mutex<Option<Listeners>>>,
    /// Whether a daily round is known to have looked up attacks.
    pub(super) has_threats: Arc<AtomicBool>,
}

/// What can be set of triage.
#[derive(Clone, Debug)]
pub struct TriageConfig {
    /// How findings are assessed.
    pub policy: Policy,
    /// Whether people are told at all. If not, what there is to tell stays pending.
    pub notify: bool,
    /// How messages are made.
    pub style: Style,
    /// The lowest priority of findings that get a message of their own.
    pub alone_from: Priority,
    /// How long what is not urgent waits for a summary: see [`turn`](crate::domain::announce::turn).
    pub summary_after: SignedDuration,
    /// How many messages they get.
    pub budget: Budget,
    /// Whether findings wait for somebody to listen to e-mail. If not, e-mail is left out where nobody does.
    pub email_required: bool,
}

impl Default for TriageConfig {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            notify: true,
            style: Style::default(),
            alone_from: Priority::P2,
            summary_after: SUMMARY_AFTER,
            budget: Budget::default(),
            email_required: true,
        }
    }
}

impl<S, P> Triage<S, P> {
    /// Triage that keeps records in `store` and tells people through `publisher`.
    pub fn new(store: S, publisher: P, config: TriageConfig) -> Self {
        let (listeners, has_threats) = (Arc::default(), Arc::default());
        Self { store, publisher, config, listeners, has_threats }
    }
}
