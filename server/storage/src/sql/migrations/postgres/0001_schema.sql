-- The schema, in step with that of SQLite: a test compares the two. From the first release on, this
-- file never changes: later steps follow it.
--
-- Times are microseconds since 1970 in UTC, hashes are 32 bytes. Constraints have names, which the
-- storage layer turns into errors. Columns that say who did something hold the id of an actor: an
-- account, share link or job. They refer to no table. Texts compare byte by byte, as in SQLite,
-- whatever the locale of the database.

-- ---------------------------------------------------------------------------------------------
-- Accounts, signed-in devices and their refresh tokens

CREATE TABLE users (
    id             uuid NOT NULL,
    username       text COLLATE "C" NOT NULL,
    email          text COLLATE "C" NOT NULL,
    display_name   text COLLATE "C" NOT NULL,
    bio            text COLLATE "C" NOT NULL,
    role           text COLLATE "C" NOT NULL,
    password_hash  text COLLATE "C" NOT NULL,
    created_at     bigint NOT NULL,
    last_login_at  bigint,
    deactivated_at bigint,
    deleted_at     bigint,
    CONSTRAINT pk_users PRIMARY KEY (id),
    -- Both are stored folded, so that names that look the same cannot both be taken.
    CONSTRAINT uq_users_username UNIQUE (username),
    CONSTRAINT uq_users_email UNIQUE (email),
    CONSTRAINT ck_users_role CHECK (role IN ('user', 'premium', 'admin'))
);

-- Accounts whose rights may have changed, each with the number of its latest change: open connections
-- follow them.
CREATE TABLE account_changes (
    user_id uuid NOT NULL,
    number  bigint NOT NULL,
    CONSTRAINT pk_account_changes PRIMARY KEY (user_id),
    CONSTRAINT uq_account_changes_number UNIQUE (number),
    CONSTRAINT fk_account_changes_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE sessions (
    id               uuid NOT NULL,
    user_id          uuid NOT NULL,
    user_agent       text COLLATE "C" NOT NULL,
    -- Where it was last seen, and where it began: the networks its user is known from.
    ip               text COLLATE "C" NOT NULL,
    first_ip         text COLLATE "C" NOT NULL,
    created_at       bigint NOT NULL,
    last_activity_at bigint NOT NULL,
    revoked_at       bigint,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT fk_sessions_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX idx_sessions_user ON sessions (user_id, last_activity_at);

-- Only hashes of tokens are stored: reading this table does not allow signing in.
CREATE TABLE refresh_tokens (
    token_hash     bytea NOT NULL,
    session_id     uuid NOT NULL,
    nonce          bytea NOT NULL,
    parent_hash    bytea,
    expires_at     bigint NOT NULL,
    used_at        bigint,
    successor_used boolean NOT NULL,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (token_hash),
    CONSTRAINT fk_refresh_tokens_session FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT ck_refresh_tokens_hash CHECK (length(token_hash) = 32)
);

CREATE INDEX idx_refresh_tokens_session ON refresh_tokens (session_id);

-- No foreign key: sessions may be stored elsewhere.
CREATE TABLE revocations (
    session_id uuid NOT NULL,
    expires_at bigint NOT NULL,
    CONSTRAINT pk_revocations PRIMARY KEY (session_id)
);

CREATE INDEX idx_revocations_expires ON revocations (expires_at);

-- ---------------------------------------------------------------------------------------------
-- Documents: who, when, where. Their text is in the live log and, materialised for reading and
-- searching, in document_texts.

CREATE TABLE documents (
    id                 uuid NOT NULL,
    kind               text COLLATE "C" NOT NULL,
    title              text COLLATE "C" NOT NULL,
    -- Lower case by Unicode's rules, computed by the program: databases disagree on folding, and
    -- lists must sort alike in all of them.
    title_folded       text COLLATE "C" NOT NULL,
    description        text COLLATE "C" NOT NULL,
    description_folded text COLLATE "C" NOT NULL,
    created_by         uuid NOT NULL,
    last_modified_by   uuid NOT NULL,
    head_version       bigint NOT NULL,
    head_commit        uuid,
    live_seq           bigint NOT NULL,
    -- Random, drawn when the document is created: CRDT updates are valid in their own lineage only.
    lineage            bytea NOT NULL,
    -- The number with which it begins. Earlier edits belong to former lineages.
    lineage_seq        bigint NOT NULL,
    -- The newest edit that history no longer keeps.
    forgotten_seq      bigint NOT NULL,
    meta_rev           bigint NOT NULL,
    text_seq           bigint NOT NULL,
    content_hash       bytea NOT NULL,
    content_length     bigint NOT NULL,
    word_count         bigint NOT NULL,
    is_public          boolean NOT NULL,
    is_template        boolean NOT NULL,
    -- NULL: the user's default.
    render_format      text COLLATE "C",
    -- Checksums by which damage to the row is noticed, one for the columns that are written together:
    -- kind, title and other details, creator, creation and lineage; live_seq, last_modified_by and
    -- updated_at; text_seq and the content_ and word_ columns; head_version and head_commit.
    details_hash       bytea NOT NULL,
    live_hash          bytea NOT NULL,
    text_hash          bytea NOT NULL,
    head_hash          bytea NOT NULL,
    request_key        bytea NOT NULL,
    request_hash       bytea NOT NULL,
    created_at         bigint NOT NULL,
    updated_at         bigint NOT NULL,
    deleted_at         bigint,
    -- The same time: one statement moves many documents to the trash, and cannot hash.
    deleted_at_copy    bigint,
    CONSTRAINT pk_documents PRIMARY KEY (id),
    -- A repeated request must not create a second document.
    CONSTRAINT uq_documents_request_key UNIQUE (request_key),
    CONSTRAINT ck_documents_kind CHECK (kind IN ('markdown', 'text', 'json')),
    -- A commit that is not allowed sets head_commit to NULL, which this refuses.
    CONSTRAINT ck_documents_head CHECK (head_version >= 0 AND (head_version = 0) = (head_commit IS NULL)),
    CONSTRAINT ck_documents_seq CHECK (live_seq >= text_seq AND text_seq >= 0),
    CONSTRAINT ck_documents_lineage CHECK (length(lineage) = 16),
    CONSTRAINT ck_documents_hash CHECK (length(content_hash) = 32),
    CONSTRAINT ck_documents_render_format CHECK (render_format IN ('html', 'markdown'))
);

CREATE TABLE document_owners (
    document_id uuid NOT NULL,
    user_id     uuid NOT NULL,
    created_at  bigint NOT NULL,
    CONSTRAINT pk_document_owners PRIMARY KEY (document_id, user_id),
    CONSTRAINT fk_document_owners_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT fk_document_owners_user FOREIGN KEY (user_id) REFERENCES users (id)
);

-- Lists start from the documents a user owns.
CREATE INDEX idx_document_owners_user ON document_owners (user_id, document_id);

CREATE TABLE document_texts (
    document_id uuid NOT NULL,
    seq         bigint NOT NULL,
    content     text COLLATE "C" NOT NULL,
    CONSTRAINT pk_document_texts PRIMARY KEY (document_id),
    CONSTRAINT fk_document_texts_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
);

-- ---------------------------------------------------------------------------------------------
-- The live log (DESIGN §6): accepted updates, the op ids used for them, the CRDT client ids under
-- which they write, and the snapshots that absorb them.

CREATE TABLE document_updates (
    document_id uuid NOT NULL,
    seq         bigint NOT NULL,
    actor_id    uuid NOT NULL,
    delta       bytea NOT NULL,
    created_at  bigint NOT NULL,
    CONSTRAINT pk_document_updates PRIMARY KEY (document_id, seq),
    CONSTRAINT fk_document_updates_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_document_updates_seq CHECK (seq >= 1 AND seq < 9223372036854775807)
);

-- Updates that cannot be applied. They were acknowledged, so they are kept as long as the document,
-- but in a table of their own, so that loading a document does not read them.
CREATE TABLE document_quarantine (
    document_id    uuid NOT NULL,
    seq            bigint NOT NULL,
    actor_id       uuid NOT NULL,
    delta          bytea NOT NULL,
    -- Whether it is here because editing was restarted, which is not the fault of its actor.
    restarted      boolean NOT NULL,
    quarantined_at bigint NOT NULL,
    created_at     bigint NOT NULL,
    CONSTRAINT pk_document_quarantine PRIMARY KEY (document_id, seq),
    CONSTRAINT fk_document_quarantine_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
);

-- Loading a document counts the updates of each actor.
CREATE INDEX idx_document_quarantine_actor ON document_quarantine (document_id, actor_id);

-- An op id is used once: sent again it gets its first number, with other bytes it is refused.
-- These rows outlive those of document_updates, which snapshots absorb.
CREATE TABLE document_ops (
    document_id uuid NOT NULL,
    actor_id    uuid NOT NULL,
    -- 16 bytes if it is a UUID, else its text and a byte that is not part of any text.
    op_id       bytea NOT NULL,
    seq         bigint NOT NULL,
    -- The first 16 bytes.
    delta_hash  bytea NOT NULL,
    -- Whether the update is in document_quarantine, or was cut because it waited too long.
    quarantined boolean NOT NULL,
    created_at  bigint NOT NULL,
    CONSTRAINT pk_document_ops PRIMARY KEY (document_id, actor_id, op_id),
    CONSTRAINT fk_document_ops_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
);

-- Which actor may write under a CRDT client id; NULL means the server's own edits. The 64 bits of
-- the id are stored unchanged, so large ids look negative here.
CREATE TABLE document_clients (
    document_id uuid NOT NULL,
    client_id   bigint NOT NULL,
    actor_id    uuid,
    CONSTRAINT pk_document_clients PRIMARY KEY (document_id, client_id),
    CONSTRAINT fk_document_clients_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
);

-- The newest one is loaded. Those before it are kept until it has been read back, so that it can be
-- rebuilt if it is damaged.
CREATE TABLE document_snapshots (
    document_id uuid NOT NULL,
    seq         bigint NOT NULL,
    -- The smallest seq of an update that it does not contain.
    from_seq    bigint NOT NULL,
    state       bytea NOT NULL,
    created_at  bigint NOT NULL,
    CONSTRAINT pk_document_snapshots PRIMARY KEY (document_id, seq),
    CONSTRAINT fk_document_snapshots_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_document_snapshots_seq CHECK (seq >= 0 AND from_seq >= 1 AND from_seq <= seq + 1)
);

-- Edits that snapshots have absorbed (DESIGN §3). The edits lie in the document store, in the
-- records whose ids begin with `record`. A segment with a `state_seq` begins with a whole state.
CREATE TABLE edit_segments (
    document_id uuid NOT NULL,
    number      bigint NOT NULL,
    record      uuid NOT NULL,
    hash        bytea NOT NULL,
    bytes       bigint NOT NULL,
    from_seq    bigint NOT NULL,
    to_seq      bigint NOT NULL,
    edits       bigint NOT NULL,
    state_seq   bigint,
    last_at     bigint NOT NULL,
    CONSTRAINT pk_edit_segments PRIMARY KEY (document_id, number),
    CONSTRAINT fk_edit_segments_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_edit_segments_seqs CHECK (from_seq >= 1 AND to_seq >= from_seq)
);

-- ---------------------------------------------------------------------------------------------
-- Versions and the attempts to commit them (DESIGN §5)

-- The record of a version's content follows from document and commit, and its parent is the version
-- with the preceding number, so neither is named here.
CREATE TABLE versions (
    document_id    uuid NOT NULL,
    version_number bigint NOT NULL,
    commit_id      uuid NOT NULL,
    content_hash   bytea NOT NULL,
    chain_hash     bytea NOT NULL,
    content_length bigint NOT NULL,
    added          bigint NOT NULL,
    removed        bigint NOT NULL,
    message        text COLLATE "C" NOT NULL,
    -- Given at the commit; unlike the name, never changed.
    title          text COLLATE "C",
    -- What it brings back, if it is a restore: the content of a version, or the text after an edit.
    restored_version bigint,
    restored_edit    bigint,
    name           text COLLATE "C",
    -- Covers name, number and counts, which the chain hash does not.
    facts_hash     bytea NOT NULL,
    keep_whole     boolean NOT NULL,
    is_delta       boolean NOT NULL,
    author_id      uuid NOT NULL,
    -- The first 16 bytes of each.
    request_key    bytea NOT NULL,
    request_hash   bytea NOT NULL,
    created_at     bigint NOT NULL,
    -- Because the head advances by one, numbers have no gaps.
    CONSTRAINT pk_versions PRIMARY KEY (document_id, version_number),
    CONSTRAINT uq_versions_commit_id UNIQUE (commit_id),
    CONSTRAINT uq_versions_request_key UNIQUE (request_key),
    CONSTRAINT fk_versions_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_versions_number CHECK (version_number >= 1 AND version_number < 9223372036854775807),
    CONSTRAINT ck_versions_request CHECK (length(request_key) = 16 AND length(request_hash) = 16),
    CONSTRAINT ck_versions_hashes CHECK (length(content_hash) = 32 AND length(chain_hash) = 32),
    CONSTRAINT ck_versions_restored CHECK (restored_version IS NULL OR restored_edit IS NULL)
);

-- Finds the version with a content, for an If-Match that names a hash. Eight bytes of the hash
-- leave one candidate; the query compares the rest.
CREATE INDEX idx_versions_content ON versions (document_id, substr(content_hash, 1, 8));
CREATE INDEX idx_versions_named ON versions (document_id, version_number) WHERE name IS NOT NULL;

-- A commit in one transaction with its content needs no row here. No foreign key: when a document
-- is purged, an attempt whose content was not erased stays, so that the collector erases it.
CREATE TABLE commit_intents (
    commit_id   uuid NOT NULL,
    document_id uuid NOT NULL,
    base_commit uuid,
    request_key bytea NOT NULL,
    status      text COLLATE "C" NOT NULL,
    expires_at  bigint NOT NULL,
    created_at  bigint NOT NULL,
    -- When the content of an attempt that never became a version was erased.
    erased_at   bigint,
    CONSTRAINT pk_commit_intents PRIMARY KEY (commit_id),
    CONSTRAINT ck_commit_intents_status CHECK (status IN ('open', 'committed', 'gc'))
);

CREATE INDEX idx_commit_intents_open ON commit_intents (expires_at) WHERE status = 'open';
CREATE INDEX idx_commit_intents_committed ON commit_intents (created_at) WHERE status = 'committed';
CREATE INDEX idx_commit_intents_condemned ON commit_intents (commit_id) WHERE status = 'gc' AND erased_at IS NULL;
CREATE INDEX idx_commit_intents_document ON commit_intents (document_id);
-- Before a request is refused, its open attempts are closed.
CREATE INDEX idx_commit_intents_request ON commit_intents (request_key) WHERE status = 'open';

-- ---------------------------------------------------------------------------------------------
-- The document store: records in collections

-- Names are long, and every record and every change of one has one.
CREATE TABLE collections (
    id   bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    name text COLLATE "C" NOT NULL,
    CONSTRAINT pk_collections PRIMARY KEY (id),
    CONSTRAINT uq_collections_name UNIQUE (name)
);

-- Ids of contents are UUIDv7, so new rows go to the end and fill their pages. Payloads over 512
-- bytes are in record_bodies, as in SQLite.
CREATE TABLE records (
    collection bigint NOT NULL,
    -- The last segment of the path: 16 bytes if it is a UUID, else its text and a byte that is not
    -- part of any text.
    id         bytea NOT NULL,
    version    bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    deleted    boolean NOT NULL,
    -- NULL if it is in record_bodies.
    data       bytea,
    CONSTRAINT pk_records PRIMARY KEY (collection, id),
    CONSTRAINT fk_records_collection FOREIGN KEY (collection) REFERENCES collections (id),
    CONSTRAINT ck_records_version CHECK (version >= 1)
);

CREATE INDEX idx_records_deleted ON records (updated_at) WHERE deleted;

CREATE TABLE record_bodies (
    collection bigint NOT NULL,
    id         bytea NOT NULL,
    data       bytea NOT NULL,
    CONSTRAINT pk_record_bodies PRIMARY KEY (collection, id),
    CONSTRAINT fk_record_bodies_record FOREIGN KEY (collection, id) REFERENCES records (collection, id) ON DELETE CASCADE
);

-- Compressed by the program.
ALTER TABLE record_bodies ALTER COLUMN data SET STORAGE EXTERNAL;

-- The changes of records, for those who follow them. Kept for some days. There is no foreign key: a
-- collection is removed only after its changes, and a check would scan the table.
CREATE TABLE record_changes (
    number     bigint NOT NULL,
    collection bigint NOT NULL,
    id         bytea NOT NULL,
    version    bigint NOT NULL,
    -- 0 created, 1 updated, 2 deleted, 3 purged.
    kind       bigint NOT NULL,
    CONSTRAINT pk_record_changes PRIMARY KEY (number),
    CONSTRAINT ck_record_changes_kind CHECK (kind >= 0 AND kind <= 3)
);

-- The highest number at a time: tells the age of changes.
CREATE TABLE record_marks (
    at     bigint NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT pk_record_marks PRIMARY KEY (at)
);

-- One row. `store` tells positions in these changes from those of other databases. Numbers up to
-- `highest` have been used; changes up to `forgotten` have been removed because of their age.
CREATE TABLE record_horizon (
    id        bigint NOT NULL,
    store     bytea NOT NULL,
    highest   bigint NOT NULL,
    forgotten bigint NOT NULL,
    CONSTRAINT pk_record_horizon PRIMARY KEY (id),
    CONSTRAINT ck_record_horizon_id CHECK (id = 1),
    CONSTRAINT ck_record_horizon_store CHECK (length(store) = 16)
);

INSERT INTO record_horizon (id, store, highest, forgotten)
    VALUES (1, decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), 0, 0);

-- ---------------------------------------------------------------------------------------------
-- The change feed: what a reader can see of a document, numbered in the transaction that changes it

-- The latest change of each kind.
CREATE TABLE document_changes (
    document_id uuid NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    change_seq  bigint NOT NULL,
    at          bigint NOT NULL,
    CONSTRAINT pk_document_changes PRIMARY KEY (document_id, kind),
    CONSTRAINT uq_document_changes_seq UNIQUE (change_seq),
    CONSTRAINT fk_document_changes_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
);

-- Who can no longer see a document; the nil id stands for the public. No foreign keys: they outlive
-- what they are about.
CREATE TABLE tombstones (
    document_id uuid NOT NULL,
    user_id     uuid NOT NULL,
    change_seq  bigint NOT NULL,
    at          bigint NOT NULL,
    CONSTRAINT pk_tombstones PRIMARY KEY (document_id, user_id),
    CONSTRAINT uq_tombstones_seq UNIQUE (change_seq)
);

-- One row. Numbers up to `highest` have been used by rows that are gone; tombstones up to
-- `forgotten` may have been removed because of their age.
CREATE TABLE change_horizon (
    id        bigint NOT NULL,
    highest   bigint NOT NULL,
    forgotten bigint NOT NULL,
    CONSTRAINT pk_change_horizon PRIMARY KEY (id),
    CONSTRAINT ck_change_horizon_id CHECK (id = 1)
);

INSERT INTO change_horizon (id, highest, forgotten) VALUES (1, 0, 0);

-- How numbers are given out. Transactions run beside each other and end in any order, so a reader
-- could pass a number whose transaction is not visible yet. A transaction that takes a number
-- therefore holds a lock until it ends, and a reader stops at a number that was the newest when all
-- present holders had ended. No cache: a number taken later must be higher.
CREATE SEQUENCE change_numbers CACHE 1;
CREATE SEQUENCE account_numbers CACHE 1;
CREATE SEQUENCE record_numbers CACHE 1;

-- ---------------------------------------------------------------------------------------------
-- Work that follows a write, and the audit log

-- Jobs. A row is deleted when its work is done; those of periodic jobs stay. Within a topic and key
-- the first row by (queued_at, id) runs, so that jobs on one object keep their order.
CREATE TABLE outbox (
    id            uuid NOT NULL,
    topic         text COLLATE "C" NOT NULL,
    key           text COLLATE "C" NOT NULL,
    -- Further input. No topic uses it yet.
    payload       bytea NOT NULL,
    -- Runs begun since it was added or last succeeded.
    attempts      bigint NOT NULL,
    run_at        bigint NOT NULL,
    -- The lease: a random id of the worker, and when the lease lapses.
    claimed_by    uuid,
    claimed_until bigint,
    -- Whether it failed so often that it is only rarely retried.
    parked        boolean NOT NULL,
    -- Its place in the queue: when it was added, or until when it was parked.
    queued_at     bigint NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT ck_outbox_attempts CHECK (attempts >= 0),
    CONSTRAINT ck_outbox_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);

CREATE INDEX idx_outbox_due ON outbox (topic, run_at);
CREATE INDEX idx_outbox_key ON outbox (topic, key, queued_at, id);
CREATE INDEX idx_outbox_claimed ON outbox (claimed_by) WHERE claimed_by IS NOT NULL;

-- No foreign key: entries outlive what they are about.
CREATE TABLE audit_log (
    id         uuid NOT NULL,
    action     text COLLATE "C" NOT NULL,
    actor_id   uuid,
    subject    text COLLATE "C" NOT NULL,
    ip         text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (id)
);

CREATE INDEX idx_audit_log_created ON audit_log (created_at, id);

-- Keys that sign access tokens, if all nodes take them from here. Sealed: the secret that opens them
-- is in the settings.
CREATE TABLE signing_keys (
    id         uuid   NOT NULL,
    -- In the order in which they were added.
    number     bigint NOT NULL,
    sealed     bytea  NOT NULL,
    signs_from bigint NOT NULL,
    CONSTRAINT pk_signing_keys PRIMARY KEY (id),
    CONSTRAINT uq_signing_keys_number UNIQUE (number)
);

-- One row, written to find out whether the database accepts writes.
CREATE TABLE probes (
    id         bigint NOT NULL,
    written_at bigint NOT NULL,
    CONSTRAINT pk_probes PRIMARY KEY (id),
    CONSTRAINT ck_probes_id CHECK (id = 1)
);
