//! What scenarios need and hosts never do. It is always built, so that tests and products are made of
//! the same crate.

use std::sync::Arc;

use crate::client::Client;
use crate::engine::Engine;
use crate::error::Error;
use crate::options::ClientOptions;
use crate::store::Store;
use crate::store::failing::FailingStore;

/// The disk of one client's store, which is in memory.
pub struct Disk(Arc<FailingStore>);

impl Disk {
    /// Lets every commit fail from now on, or none.
    pub fn fail(&self, fails: bool) {
        self.0.fail_next(if fails { u32::MAX } else { 0 });
    }
}

/// Opens a client whose disk can be made to fail.
pub fn open(engine: &Engine, options: ClientOptions) -> Result<(Client, Disk), Error> {
    engine.refuse_if_closed()?;
    let store = Arc::new(FailingStore::default());
    let client = engine.open_store(Arc::clone(&store) as Arc<dyn Store>, options)?;
    Ok((client, Disk(store)))
}
