//! Why there is no judgement.

use crate::{
    app::{
        failure::{BoxError, Failure, chain},
        gate::Unknown,
    },
    cli::{Misuse, advice, input::Origin},
    domain::gate::CannotTell,
};

/// Why there is no judgement.
pub enum Stop {
    /// The arguments make no sense.
    Misuse(Misuse),
    /// It cannot be told.
    CannotTell(CannotTell),
}

impl Stop {
    /// Something should be a finding, and is not.
    pub fn unread(origin: &Origin, failure: &Failure) -> Self {
        Self::CannotTell(CannotTell::Unread { origin: origin.to_string(), why: failure.chain() })
    }
}

impl From<CannotTell> for Stop {
    fn from(why: CannotTell) -> Self {
        Self::CannotTell(why)
    }
}

impl From<Unknown> for Stop {
    fn from(unknown: Unknown) -> Self {
        Self::CannotTell(match unknown {
            Unknown::CannotTell(why) => why,
            Unknown::Call { failed, service } => CannotTell::Failed {
                why: chain(failed.as_ref()),
                todo: advice::todo_or(&failed, service, "try again later"),
            },
        })
    }
}

impl From<BoxError> for Stop {
    fn from(error: BoxError) -> Self {
        match error.downcast::<Misuse>() {
            Ok(misuse) => Self::Misuse(*misuse),
            Err(error) => Self::CannotTell(CannotTell::Failed {
                why: chain(error.as_ref()),
                todo: "mend that, or name another file".to_owned(),
            }),
        }
    }
}

impl From<Misuse> for Stop {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
