//! Who can be told: those who listen.

use std::sync::PoisonError;

use futures_util::future::join_all;

use super::{
    attempt::{Attempt, Observation},
    failure::chain,
    ports::Publisher,
    service::Triage,
};
use crate::domain::{announce::Listeners, record::Audience};

/// Who is told.
#[derive(Default)]
pub(super) struct Reach {
    /// Those who can be told now.
    pub now: Vec<Audience>,
    /// Those who are to be told in the end. A finding waits for those of them who are not here.
    pub all: Vec<Audience>,
}

impl<S, P: Publisher> Triage<S, P> {
    /// Who listens, as far as known. Asked by the first attempt that has something to tell, and again a minute after
    /// nobody listened.
    pub(super) async fn listeners(&self, attempt: Attempt<'_>) -> Listeners {
        let known = self.known_listeners().clone();
        match known.filter(|known| known.holds_at(attempt.now)) {
            Some(known) => known,
            None => self.ask_listeners(attempt).await,
        }
    }

    /// Asks who listens. If there is no answer it is as it was, and somebody does if nothing is known: doubt silences
    /// nobody, and does not give a voice to who was known to have no ears.
    pub(super) async fn ask_listeners(&self, attempt: Attempt<'_>) -> Listeners {
        let audiences = self.publisher.audiences();
        let asked = audiences.iter().map(|&audience| self.publisher.has_listener(audience));
        let before = self.known_listeners().clone();
        let mut listeners = Listeners { without: Vec::new(), as_of: attempt.now };
        for (answer, &audience) in join_all(asked).await.into_iter().zip(audiences) {
            match answer {
                Ok(listens) => {
                    (attempt.observe)(Observation::Listener { audience, listens });
                    if !listens {
                        listeners.without.push(audience);
                    }
                }
                Err(failed) => {
                    let heard = before.as_ref().is_none_or(|before| before.hears(audience));
                    if !heard {
                        listeners.without.push(audience);
                    }
                    let (audience, taken_as) =
                        (audience.as_str(), if heard { "yes" } else { "no" });
                    (attempt.observe)(Observation::Warning {
                        what: format!(
                            "whether somebody listens to {audience} is not known; taken as {taken_as}"
                        ),
                        reason: chain(&failed),
                    });
                }
            }
        }
        self.learn_listeners(listeners.clone());
        listeners
    }

    /// Remembers who listens.
    pub(super) fn learn_listeners(&self, listeners: Listeners) {
        *self.known_listeners() = Some(listeners);
    }

    fn known_listeners(&self) -> std::sync::MutexGuard<'_, Option<Listeners>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is told if these listen.
    pub(super) fn reach(&self, listeners: &Listeners) -> Reach {
        let audiences = self.publisher.audiences().iter().copied();
        let (now, absent): (Vec<_>, Vec<_>) =
            audiences.partition(|&audience| listeners.hears(audience));
        let waited_for =
            |&audience: &Audience| audience != Audience::Email || self.config.email_required;
        let all = now.iter().copied().chain(absent.into_iter().filter(waited_for)).collect();
        Reach { now, all }
    }
}
