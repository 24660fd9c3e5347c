//! The accounts that this server hosts, each a client of the engine.

pub(crate) mod account;
pub(crate) mod outbox;
pub(crate) mod pump;
pub(crate) mod state;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use whimbrel::{ClientOptions, Engine, EngineOptions};

pub(crate) use account::Account;

use crate::access::secret::{self};
use crate::access::{KeyKind, Scope};
use crate::config::Settings;
use crate::failure::{Failure, Problem};
use crate::server::{Server, StartError};
use crate::store::accounts::{self, AccountRow, AccountSettings, Standing};
use crate::store::keys::{self, KeyRow};
use crate::store::now_ms;

/// The engine and its accounts.
pub(crate) struct Hosting {
    engine: Engine,
    folder: PathBuf,
    fast_commits: bool,
    accounts: RwLock<BTreeMap<String, Arc<Account>>>,
}

/// What a new account begins with.
pub(crate) struct NewAccount {
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) user: Option<i64>,
    pub(crate) dialect: &'static str,
    pub(crate) profile: String,
    pub(crate) settings: AccountSettings,
    /// The key that its owner chose; one is made if absent.
    pub(crate) key: Option<String>,
}

impl Hosting {
    pub(crate) fn new(settings: &Settings) -> Result<Self, whimbrel::Error> {
        let mut options = EngineOptions::default();
        if let Some(endpoint) = &settings.endpoint {
            options.endpoint = endpoint.clone();
        }
        Ok(Self {
            engine: Engine::new(options)?,
            folder: settings.data.join("accounts"),
            fast_commits: settings.fast_commits,
            accounts: RwLock::default(),
        })
    }

    fn file(&self, account: &str) -> PathBuf {
        self.folder.join(format!("{account}.db"))
    }

    fn client_options(&self, row: &AccountRow) -> Result<ClientOptions, whimbrel::Error> {
        let mut options = ClientOptions::default();
        options.auto_start = false;
        options.manual_acknowledge = true;
        options.sync_to_disk = !self.fast_commits;
        options.full_history = row.settings.full_history;
        options.proxy = row.settings.proxy.as_deref().map(whimbrel::Proxy::parse).transpose()?;
        Ok(options)
    }

    /// Opens every account at the start of the server.
    pub(crate) async fn open_all(server: &Arc<Server>) -> Result<(), StartError> {
        for row in server.store.unit(accounts::all).await? {
            let id = row.id.clone();
            if let Err(failure) = Self::open(server, row).await {
                // One file that cannot be opened does not take the others down.
                tracing::error!(account = id, %failure, "An account could not be opened.");
            }
        }
        Ok(())
    }

    async fn open(server: &Arc<Server>, row: AccountRow) -> Result<Arc<Account>, Failure> {
        let hosting = &server.hosting;
        let options = hosting.client_options(&row)?;
        let client = hosting.engine.open_async(hosting.file(&row.id), options).await?;
        let account = Account::start(server, row, client)?;
        let mut accounts = hosting.accounts.write().unwrap_or_else(PoisonError::into_inner);
        accounts.insert(account.id.clone(), Arc::clone(&account));
        Ok(account)
    }

    /// Makes an account, and answers with it and its key.
    pub(crate) async fn create(
        server: &Arc<Server>,
        new: NewAccount,
    ) -> Result<(Arc<Account>, String), Failure> {
        let key = match new.key {
            Some(key) => key,
            None => secret::new_key(KeyKind::Account).map_err(|error| Failure::internal(&error))?,
        };
        let mut row = AccountRow {
            id: uuid::Uuid::new_v4().to_string(),
            number: 0,
            tenant: new.tenant,
            name: new.name,
            user: new.user,
            dialect: new.dialect.to_owned(),
            profile: new.profile,
            settings: new.settings,
            standing: Standing::default(),
            created_at: now_ms(),
            updated_at: now_ms(),
        };
        let key_row = account_key(server, &row, &key, "account key");
        let text = key.clone();
        let row = server.store.unit(move |unit| {
            accounts::insert(unit, &mut row)?;
            keys::insert(unit, &key_row, &text)?;
            Ok(row)
        });
        let row = row.await?;
        let id = row.id.clone();
        match Self::open(server, row).await {
            Ok(account) => Ok((account, key)),
            Err(failure) => {
                server.store.unit(move |unit| accounts::delete(unit, &id)).await?;
                Err(failure)
            }
        }
    }

    /// Gives an account a new key in place of those that it has.
    pub(crate) async fn new_key(server: &Arc<Server>, account: &Account) -> Result<String, Failure> {
        let key = secret::new_key(KeyKind::Account).map_err(|error| Failure::internal(&error))?;
        let row = account_key(server, &account.row(), &key, "account key");
        let (id, text) = (account.id.clone(), key.clone());
        let done = server.store.unit(move |unit| {
            keys::delete_of_account(unit, &id)?;
            keys::insert(unit, &row, &text)
        });
        done.await?;
        Ok(key)
    }

    /// Ends an account: its link, its file and everything that is kept of it.
    pub(crate) async fn delete(server: &Arc<Server>, account: &Arc<Account>) -> Result<(), Failure> {
        if account.is_linked() {
            let mut options = whimbrel::CallOptions::default();
            options.timeout = Some(Duration::from_secs(10));
            if let Err(error) = account.client.logout(options).await {
                // The phone can remove the device itself; what is here goes all the same.
                tracing::warn!(account = account.id, %error, "The link of a deleted account could not be ended.");
            }
        }
        let removed = {
            let mut accounts = server.hosting.accounts.write().unwrap_or_else(PoisonError::into_inner);
            accounts.remove(&account.id)
        };
        if removed.is_none() {
            return Err(Failure::new(Problem::AccountNotFound, "there is no such account"));
        }
        account.close(Duration::from_secs(5)).await;
        let id = account.id.clone();
        server.store.unit(move |unit| accounts::delete(unit, &id)).await?;
        server.deliveries.forget_account(&account.id);
        let file = server.hosting.file(&account.id);
        for suffix in ["", "-wal", "-shm", "-lock"] {
            let mut name = file.clone().into_os_string();
            name.push(suffix);
            // Not all of them are there.
            let _ = tokio::fs::remove_file(name).await;
        }
        Ok(())
    }

    /// An account by its id.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Account>> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All accounts, in the order in which they were made.
    pub(crate) fn all(&self) -> Vec<Arc<Account>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let mut accounts: Vec<_> = accounts.values().cloned().collect();
        accounts.sort_by_key(|account| account.number);
        accounts
    }

    /// The accounts that somebody sees: the one place where lists are filtered.
    pub(crate) fn seen_by(&self, principal: &crate::access::Principal) -> Vec<Arc<Account>> {
        let seen = |account: &Arc<Account>| principal.sees(&account.tenant, &account.id);
        self.all().into_iter().filter(seen).collect()
    }

    /// An account that somebody sees, by its name. The root key, which sees those of all tenants, means its
    /// own tenant's first.
    pub(crate) fn by_name(&self, principal: &crate::access::Principal, name: &str) -> Option<Arc<Account>> {
        let mut named: Vec<_> =
            self.seen_by(principal).into_iter().filter(|account| account.name() == name).collect();
        named.sort_by_key(|account| account.tenant != principal.tenant);
        named.into_iter().next()
    }

    /// Closes all accounts without ending their links.
    pub(crate) async fn close(&self, timeout: Duration) {
        for account in self.all() {
            account.stop_tasks();
        }
        if let Err(error) = self.engine.close(timeout).await {
            tracing::warn!(%error, "The engine did not close in order.");
        }
    }
}

/// A key for an account, with what such keys may do.
pub(crate) fn account_key(server: &Server, account: &AccountRow, text: &str, name: &str) -> KeyRow {
    KeyRow {
        id: uuid::Uuid::new_v4().to_string(),
        kind: KeyKind::Account,
        tenant: account.tenant.clone(),
        account: Some(account.id.clone()),
        user: account.user,
        name: name.to_owned(),
        scopes: [Scope::Read, Scope::Send, Scope::Manage, Scope::Link, Scope::Events].into_iter().collect(),
        active: true,
        sealed: server.seal.close(text, &account.id),
        created_at: now_ms(),
        used_at: None,
        expires_at: None,
    }
}
