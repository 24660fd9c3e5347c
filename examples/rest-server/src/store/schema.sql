-- The server's own file. Every table is strict; times are milliseconds since 1970.

CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    id TEXT NOT NULL UNIQUE,
    -- What dialects with integer ids call it; never given anew, so that no late request reaches another account.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Unique within its tenant.
    name TEXT NOT NULL,
    user INTEGER,
    dialect TEXT NOT NULL,
    profile TEXT NOT NULL,
    -- JSON: what the dialects keep about it, and the settings that act on it.
    settings TEXT NOT NULL,
    -- JSON: who it is linked to, as far as it is known.
    standing TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    lookup TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    account TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    user INTEGER,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1,
    sealed BLOB,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    expires_at INTEGER
) STRICT;
CREATE INDEX keys_lookup ON keys (lookup);
CREATE INDEX keys_account ON keys (account);

CREATE TABLE events (
    -- Grows within each account; the id of the event in the native dialect.
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    -- The same however often the engine tells it.
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    -- Deliveries of one chat keep their order; empty: those about the account.
    lane TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    raw BLOB,
    UNIQUE (account, id)
) STRICT;
CREATE INDEX events_account ON events (account, sequence);

CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- Absent: all accounts of the tenant.
    account TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    dialect TEXT NOT NULL,
    url TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    -- JSON: names of the dialect's events; an empty list means all.
    events TEXT NOT NULL,
    -- JSON: headers of the host's own.
    headers TEXT NOT NULL,
    -- JSON: what the dialect keeps about it.
    options TEXT NOT NULL,
    secret TEXT,
    former_secret TEXT,
    failing_since INTEGER,
    paused INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhooks_account ON webhooks (account);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event INTEGER NOT NULL REFERENCES events (sequence) ON DELETE CASCADE,
    -- One event may be several deliveries of a dialect.
    part INTEGER NOT NULL,
    name TEXT NOT NULL,
    lane TEXT NOT NULL,
    -- pending, delivered, dead
    state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    last_status INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    done_at INTEGER,
    UNIQUE (webhook, event, part)
) STRICT;
CREATE INDEX deliveries_pending ON deliveries (webhook, lane, id) WHERE state = 'pending';
CREATE INDEX deliveries_event ON deliveries (event);

CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- The engine's operation and its request, as JSON.
    operation TEXT NOT NULL,
    request TEXT NOT NULL,
    -- JSON: what the dialect that sent it wants to know again.
    source TEXT NOT NULL,
    -- What is shown while it waits: composing, recording or nothing.
    shows TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    -- queued, handed, sent, failed
    state TEXT NOT NULL,
    error TEXT,
    -- A file of the server's own that goes with it.
    file TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (account, message_id)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (account, sequence) WHERE state IN ('queued', 'handed');

CREATE TABLE idempotency (
    principal TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    -- From this every id of the request is made, so that a repetition makes the same ones.
    seed BLOB NOT NULL,
    status INTEGER,
    content_type TEXT,
    body BLOB,
    at INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
) STRICT;

-- Handles by which files are fetched.
CREATE TABLE media (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- The engine's word for a file at the service, or the name of one in the server's folder.
    reference TEXT,
    file TEXT,
    mimetype TEXT NOT NULL,
    file_name TEXT,
    size INTEGER,
    chat TEXT,
    message_id TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX media_account ON media (account, created_at);
