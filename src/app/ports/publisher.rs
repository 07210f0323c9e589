//! The way to people.

use crate::{app::failure::CallFailed, domain::record::Audience, render::message::Message};

/// Where messages go.
pub trait Publisher {
    /// Who can be reached.
    fn audiences(&self) -> &[Audience];

    /// Hands a message over for delivery to an audience.
    fn publish(
        &self,
        audience: Audience,
        message: &Message,
    ) -> impl Future<Output = Result<(), NotPublished>> + Send;

    /// Whether somebody listens to an audience. What is published without is dropped.
    fn has_listener(
        &self,
        audience: Audience,
    ) -> impl Future<Output = Result<bool, CallFailed>> + Send;
}

/// Why a message was not published.
#[derive(Debug)]
pub enum NotPublished {
    /// There is something wrong with this message. Another one may be taken.
    Refused(CallFailed),
    /// The call did not succeed; whether the message went out is unknown.
    Failed(CallFailed),
}

impl NotPublished {
    /// The call.
    pub fn into_call(self) -> CallFailed {
        match self {
            Self::Refused(call) | Self::Failed(call) => call,
        }
    }
}
