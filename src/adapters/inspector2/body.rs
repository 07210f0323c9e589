//! The answer as Inspector wrote it.
//!
//! The SDK fills in what is missing and must not be: an empty text, a time in 1970, "no value was set". So it signs, sends
//! and knows errors, and what is in a finding is read from the answer itself, by the reader that reads events.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::AfterDeserializationInterceptorContextRef},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use crate::{app::Page, domain::finding::show};

/// An interceptor that keeps the body of an answer.
#[derive(Clone, Debug, Default)]
pub struct Body(Arc<Mutex<Vec<u8>>>);

impl Body {
    /// The answer, which was kept since.
    fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Body {
    /// The items of `list` in the answer.
    ///
    /// # Errors
    /// There is none.
    pub fn list(&self, list: &str) -> Result<Vec<Value>, BoxError> {
        let mut json = self.json()?;
        match json.get_mut(list).map(Value::take) {
            Some(Value::Array(listed)) => Ok(listed),
            found => {
                let found = show(found.as_ref());
                Err(format!("expected {list}, an array; found {found}").into())
            }
        }
    }

    /// The page in the answer to a call with `token`: what `read` makes of each item of `list`. `next` is the token of the
    /// next page as the answer has it.
    ///
    /// # Errors
    /// It is no page, or leads to itself.
    pub fn page<T, E: fmt::Display>(
        &self,
        list: &str,
        token: Option<&str>,
        next: Option<String>,
        read: impl Fn(&Value) -> Result<T, E>,
    ) -> Result<Page<T>, BoxError> {
        let listed = self.list(list)?;
        // An empty one is not one that Inspector takes.
        let next = next.filter(|next| !next.is_empty());
        if next.is_some() && next.as_deref() == token {
            return Err("the token of the next page is that of this page".into());
        }
        let mut page = Page { items: Vec::with_capacity(listed.len()), unread: Vec::new(), next };
        for item in &listed {
            match read(item) {
                Ok(item) => page.items.push(item),
                Err(error) => page.unread.push(error.to_string()),
            }
        }
        Ok(page)
    }
}

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(body) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        }
        Ok(())
    }
}
