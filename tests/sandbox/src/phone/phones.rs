//! All phones of a sandbox.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Attach, Phone, PhoneError};
use crate::hub::Hub;
use crate::{LidStanding, Sandbox};

/// The phones, by number.
pub(crate) struct Phones {
    attach: Attach,
    hub: Arc<Hub>,
    phones: Mutex<BTreeMap<String, Phone>>,
    /// Held while a phone is made, so that no number is made twice.
    making: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Phones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phones").field("phones", &self.lock().keys()).finish_non_exhaustive()
    }
}

impl Phones {
    /// No phones yet.
    pub(crate) fn new(attach: Attach, hub: Arc<Hub>) -> Self {
        Self { attach, hub, phones: Mutex::default(), making: tokio::sync::Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Phone>> {
        self.phones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The phone with this number, made if it does not exist. Without a number the next free one of
    /// the range for fiction is taken.
    pub(crate) async fn get(
        &self,
        number: Option<&str>,
        name: Option<&str>,
        standing: Option<LidStanding>,
    ) -> Result<Phone, PhoneError> {
        let _making = self.making.lock().await;
        let number = match number {
            Some(number) => number.to_owned(),
            None => self.free_number(),
        };
        if let Some(phone) = self.find(&number) {
            return Ok(phone);
        }
        let name = name.map_or_else(|| format!("Phone {number}"), str::to_owned);
        let phone = Phone::start(self.attach.clone(), &self.hub, &number, &name, standing).await?;
        self.lock().insert(number, phone.clone());
        Ok(phone)
    }

    fn free_number(&self) -> String {
        let phones = self.lock();
        let mut candidates = (1_u64..).map(|count| (15_550_000_000 + count).to_string());
        // There are more numbers than phones, so one is free.
        candidates.find(|number| !phones.contains_key(number)).unwrap_or_default()
    }

    /// The phone with this number, if it exists.
    pub(crate) fn find(&self, number: &str) -> Option<Phone> {
        self.lock().get(number).cloned()
    }

    /// All phones, by number.
    pub(crate) fn all(&self) -> Vec<Phone> {
        self.lock().values().cloned().collect()
    }
}

impl Sandbox {
    /// The phone with this number, made and brought online if it does not exist.
    pub async fn phone(&self, number: &str) -> Result<Phone, PhoneError> {
        self.phone_book().get(Some(number), None, None).await
    }

    /// As [`Sandbox::phone`]; without a number the next free one is taken. An existing phone keeps
    /// its name.
    pub async fn create_phone(&self, number: Option<&str>, name: Option<&str>) -> Result<Phone, PhoneError> {
        self.phone_book().get(number, name, None).await
    }

    /// As [`Sandbox::create_phone`]; a new account stands with LIDs as told. An existing one stays as
    /// it is.
    pub async fn create_phone_standing(
        &self,
        number: Option<&str>,
        name: Option<&str>,
        standing: LidStanding,
    ) -> Result<Phone, PhoneError> {
        self.phone_book().get(number, name, Some(standing)).await
    }

    /// Somebody sets his phone up anew, with the same number: its companions are unlinked, and everybody who
    /// knows him hears of the new identity.
    pub async fn reinstall(&self, phone: &Phone) -> Result<(), PhoneError> {
        phone.go_offline().await;
        let keys = phone.renew();
        self.with(|service| service.forget_identity(&keys));
        // What was encrypted with the former keys is of no use to it.
        self.drop_app_state(phone.number());
        phone.go_online().await
    }

    /// The phone with this number, if it exists.
    #[must_use]
    pub fn find_phone(&self, number: &str) -> Option<Phone> {
        self.phone_book().find(number)
    }

    /// All phones, by number.
    #[must_use]
    pub fn phones(&self) -> Vec<Phone> {
        self.phone_book().all()
    }
}
