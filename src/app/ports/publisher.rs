//! The way to people.

use crate::{app::failure::CallFailed, domain::record::Audience, render::message::Message};

/// Where messages go.
pub trait Publisher {
    /// Who can be reached.
    fn audiences(&self) -> &[Audience];

    /// Hands a message over for delivery to an audience.
    ///
    /// # Errors
    /// The call did not succeed; whether the message went out is unknown.
    fn publish(
        &self,
        audience: Audience,
        message: &Message,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;
}
