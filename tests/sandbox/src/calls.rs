//! Calls, as people make them on their phones.

use crate::Sandbox;
use crate::service::{CallState, CallStep};

/// A call. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct Call {
    sandbox: Sandbox,
    id: String,
}

impl Sandbox {
    /// Somebody calls somebody, both given by number. Nothing if there are no such people, or the one who is
    /// called has blocked the other.
    #[must_use]
    pub fn call(&self, caller: &str, callee: &str, video: bool) -> Option<Call> {
        let id = self.with(|service| service.call_somebody(caller, callee, video))?;
        Some(Call { sandbox: self.clone(), id })
    }

    /// The call with this id.
    #[must_use]
    pub fn find_call(&self, id: &str) -> Option<Call> {
        let known = self.with(|service| service.call_state(id).is_some());
        known.then(|| Call { sandbox: self.clone(), id: id.to_owned() })
    }
}

impl Call {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the service knows of it.
    #[must_use]
    pub fn state(&self) -> Option<CallState> {
        self.sandbox.with(|service| service.call_state(&self.id))
    }

    /// Whoever is called takes it on the phone.
    pub fn accept(&self) {
        self.act(CallStep::Accept);
    }

    /// Whoever is called refuses it on the phone.
    pub fn reject(&self) {
        self.act(CallStep::Reject);
    }

    /// Whoever called waits no longer.
    pub fn give_up(&self) {
        self.act(CallStep::GiveUp);
    }

    /// They have talked, and whoever called ends it.
    pub fn hang_up(&self) {
        self.act(CallStep::HangUp);
    }

    fn act(&self, step: CallStep) {
        self.sandbox.with(|service| service.act_on_call(&self.id, step));
    }
}
