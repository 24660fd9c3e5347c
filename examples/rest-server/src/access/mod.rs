//! Who asks, and what they may do: keys, tenants, scopes, and limits on asking.

pub(crate) mod limits;
pub(crate) mod secret;

use std::collections::BTreeSet;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    /// Look at things.
    Read,
    /// Send messages and everything that others notice.
    Send,
    /// Change accounts, webhooks and settings.
    Manage,
    /// Link and unlink.
    Link,
    /// Follow events.
    Events,
    /// Make tenants, keys and users.
    Admin,
}

impl Scope {
    pub(crate) const ALL: [Self; 6] =
        [Self::Read, Self::Send, Self::Manage, Self::Link, Self::Events, Self::Admin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Send => "send",
            Self::Manage => "manage",
            Self::Link => "link",
            Self::Events => "events",
            Self::Admin => "admin",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyKind {
    /// Everything on this server.
    Root,
    /// Everything of one tenant.
    Tenant,
    /// One account.
    Account,
    /// A person's token: the accounts of that user's tenant.
    Personal,
}

impl KeyKind {
    pub(crate) const ALL: [Self; 4] = [Self::Root, Self::Tenant, Self::Account, Self::Personal];

    /// The word in the key itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Tenant => "tenant",
            Self::Account => "acct",
            Self::Personal => "pat",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// What the key is for.
    pub(crate) kind: KeyKind,
    /// The key's id, by which limits and idempotency are counted.
    pub(crate) key: String,
    /// The tenant; the root key belongs to the main one and sees all.
    pub(crate) tenant: String,
    /// The only account that it sees.
    pub(crate) account: Option<String>,
    /// The user that a personal token belongs to.
    pub(crate) user: Option<i64>,
    /// What it may do.
    pub(crate) scopes: BTreeSet<Scope>,
}

impl Principal {
    /// Whether it may see an account: the only place where this is decided.
    pub(crate) fn sees(&self, tenant: &str, account: &str) -> bool {
        match (self.kind, &self.account) {
            (KeyKind::Root, _) => true,
            (_, Some(own)) => own == account && self.tenant == tenant,
            (_, None) => self.tenant == tenant,
        }
    }

    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.kind == KeyKind::Root || self.scopes.contains(&scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(kind: KeyKind, account: Option<&str>) -> Principal {
        let (key, tenant) = ("k".to_owned(), "t".to_owned());
        Principal {
            kind,
            key,
            tenant,
            account: account.map(str::to_owned),
            user: None,
            scopes: BTreeSet::new(),
        }
    }

    #[test]
    fn a_tenant_sees_its_accounts_and_a_key_of_an_account_that_one_alone() {
        let tenant = principal(KeyKind::Tenant, None);
        assert!(tenant.sees("t", "a") && tenant.sees("t", "b") && !tenant.sees("u", "a"));
        let account = principal(KeyKind::Account, Some("a"));
        assert!(account.sees("t", "a") && !account.sees("t", "b") && !account.sees("u", "a"));
        assert!(principal(KeyKind::Root, None).sees("u", "a"));
    }
}
