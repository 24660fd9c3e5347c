//! Promises that are settled from the engine's threads.

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, JsDeferred};
use whimbrel::{Code, Error, Outcome};

use crate::error::to_js;

type Resolver<T> = Box<dyn FnOnce(Env) -> napi::Result<T>>;

/// The native end of a promise. It is settled exactly once: what drops it unsettled, such as the
/// end of the engine's threads, rejects it.
pub(crate) struct Promise<T: ToNapiValue + Send + 'static> {
    deferred: Option<JsDeferred<T, Resolver<T>>>,
}

impl<T: ToNapiValue + Send + 'static> Promise<T> {
    /// Makes a promise; the object is for JavaScript. As long as it is pending the process stays.
    pub(crate) fn new(env: &Env) -> napi::Result<(Self, Object<'_>)> {
        let (deferred, promise) = env.create_deferred()?;
        Ok((Self { deferred: Some(deferred) }, promise))
    }

    /// Settles it, from any thread. Does nothing when its environment is gone.
    pub(crate) fn settle(mut self, result: Result<T, Error>) {
        let Some(deferred) = self.deferred.take() else { return };
        match result {
            Ok(value) => deferred.resolve(Box::new(move |_| Ok(value))),
            Err(error) => deferred.reject(to_js(&error)),
        }
    }
}

impl<T: ToNapiValue + Send + 'static> Drop for Promise<T> {
    fn drop(&mut self) {
        if let Some(deferred) = self.deferred.take() {
            let error = Error::new(Code::Cancelled, "the engine was closed").with_outcome(Outcome::Unknown);
            deferred.reject(to_js(&error));
        }
    }
}
