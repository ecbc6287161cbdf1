-- The schema. From the first release on, this file never changes: later steps follow it.
--
-- In every table ids are the 16 bytes of a UUID, times are microseconds since 1970 in UTC, hashes
-- are 32 bytes. A column that refers to another table needs no check of its length. Constraints
-- have names, which the storage layer turns into errors. Columns that say who did something hold
-- the id of an actor: an account, share link or job. They refer to no table. Tables are WITHOUT
-- ROWID where rows are small, so that a look-up by primary key searches one tree instead of two.

-- ---------------------------------------------------------------------------------------------
-- Accounts, signed-in devices and their refresh tokens

CREATE TABLE users (
    id             BLOB    NOT NULL,
    username       TEXT    NOT NULL,
    email          TEXT    NOT NULL,
    display_name   TEXT    NOT NULL,
    bio            TEXT    NOT NULL,
    role           TEXT    NOT NULL,
    password_hash  TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    last_login_at  INTEGER,
    deactivated_at INTEGER,
    deleted_at     INTEGER,
    CONSTRAINT pk_users PRIMARY KEY (id),
    -- Both are stored folded, so that names that look the same cannot both be taken.
    CONSTRAINT uq_users_username UNIQUE (username),
    CONSTRAINT uq_users_email UNIQUE (email),
    CONSTRAINT ck_users_id CHECK (length(id) = 16),
    CONSTRAINT ck_users_role CHECK (role IN ('user', 'premium', 'admin'))
) STRICT, WITHOUT ROWID;

-- Accounts whose rights may have changed, each with the number of its latest change: open connections
-- follow them.
CREATE TABLE account_changes (
    user_id BLOB    NOT NULL,
    number  INTEGER NOT NULL,
    CONSTRAINT pk_account_changes PRIMARY KEY (user_id),
    CONSTRAINT uq_account_changes_number UNIQUE (number),
    CONSTRAINT fk_account_changes_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id               BLOB    NOT NULL,
    user_id          BLOB    NOT NULL,
    user_agent       TEXT    NOT NULL,
    -- Where it was last seen, and where it began: the networks its user is known from.
    ip               TEXT    NOT NULL,
    first_ip         TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    revoked_at       INTEGER,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT fk_sessions_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_sessions_id CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_sessions_user ON sessions (user_id, last_activity_at);

-- Only hashes of tokens are stored: reading this table does not allow signing in.
CREATE TABLE refresh_tokens (
    token_hash     BLOB    NOT NULL,
    session_id     BLOB    NOT NULL,
    nonce          BLOB    NOT NULL,
    parent_hash    BLOB,
    expires_at     INTEGER NOT NULL,
    used_at        INTEGER,
    successor_used INTEGER NOT NULL,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (token_hash),
    CONSTRAINT fk_refresh_tokens_session FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT ck_refresh_tokens_hash CHECK (length(token_hash) = 32),
    CONSTRAINT ck_refresh_tokens_successor CHECK (successor_used IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_refresh_tokens_session ON refresh_tokens (session_id);

-- No foreign key: sessions may be stored elsewhere.
CREATE TABLE revocations (
    session_id BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT pk_revocations PRIMARY KEY (session_id),
    CONSTRAINT ck_revocations_session CHECK (length(session_id) = 16)
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_revocations_expires ON revocations (expires_at);

-- ---------------------------------------------------------------------------------------------
-- Documents: who, when, where. Their text is in the live log and, materialised for reading and
-- searching, in document_texts.

CREATE TABLE documents (
    id                 BLOB    NOT NULL,
    kind               TEXT    NOT NULL,
    title              TEXT    NOT NULL,
    -- Lower case by Unicode's rules, computed by the program: databases disagree on folding, and
    -- lists must sort alike in all of them.
    title_folded       TEXT    NOT NULL,
    description        TEXT    NOT NULL,
    description_folded TEXT    NOT NULL,
    created_by         BLOB    NOT NULL,
    last_modified_by   BLOB    NOT NULL,
    head_version       INTEGER NOT NULL,
    head_commit        BLOB,
    live_seq           INTEGER NOT NULL,
    -- Random, drawn when the document is created: CRDT updates are valid in their own lineage only.
    lineage            BLOB    NOT NULL,
    -- The number with which it begins. Earlier edits belong to former lineages.
    lineage_seq        INTEGER NOT NULL,
    -- The newest edit that history no longer keeps.
    forgotten_seq      INTEGER NOT NULL,
    meta_rev           INTEGER NOT NULL,
    text_seq           INTEGER NOT NULL,
    content_hash       BLOB    NOT NULL,
    content_length     INTEGER NOT NULL,
    word_count         INTEGER NOT NULL,
    is_public          INTEGER NOT NULL,
    is_template        INTEGER NOT NULL,
    -- NULL: the user's default.
    render_format      TEXT,
    -- Checksums by which damage to the row is noticed, one for the columns that are written together:
    -- kind, title and other details, creator, creation and lineage; live_seq, last_modified_by and
    -- updated_at; text_seq and the content_ and word_ columns; head_version and head_commit.
    details_hash       BLOB    NOT NULL,
    live_hash          BLOB    NOT NULL,
    text_hash          BLOB    NOT NULL,
    head_hash          BLOB    NOT NULL,
    request_key        BLOB    NOT NULL,
    request_hash       BLOB    NOT NULL,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    deleted_at         INTEGER,
    -- The same time: one statement moves many documents to the trash, and cannot hash.
    deleted_at_copy    INTEGER,
    CONSTRAINT pk_documents PRIMARY KEY (id),
    -- A repeated request must not create a second document.
    CONSTRAINT uq_documents_request_key UNIQUE (request_key),
    CONSTRAINT ck_documents_id CHECK (length(id) = 16),
    CONSTRAINT ck_documents_kind CHECK (kind IN ('markdown', 'text', 'json')),
    -- A commit that is not allowed sets head_commit to NULL, which this refuses.
    CONSTRAINT ck_documents_head CHECK (head_version >= 0 AND (head_version = 0) = (head_commit IS NULL)),
    CONSTRAINT ck_documents_head_commit CHECK (length(head_commit) = 16),
    CONSTRAINT ck_documents_seq CHECK (live_seq >= text_seq AND text_seq >= 0),
    CONSTRAINT ck_documents_lineage CHECK (length(lineage) = 16),
    CONSTRAINT ck_documents_hash CHECK (length(content_hash) = 32),
    CONSTRAINT ck_documents_is_public CHECK (is_public IN (0, 1)),
    CONSTRAINT ck_documents_is_template CHECK (is_template IN (0, 1)),
    CONSTRAINT ck_documents_render_format CHECK (render_format IN ('html', 'markdown'))
) STRICT, WITHOUT ROWID;

CREATE TABLE document_owners (
    document_id BLOB    NOT NULL,
    user_id     BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    CONSTRAINT pk_document_owners PRIMARY KEY (document_id, user_id),
    CONSTRAINT fk_document_owners_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT fk_document_owners_user FOREIGN KEY (user_id) REFERENCES users (id)
) STRICT, WITHOUT ROWID;

-- Lists start from the documents a user owns.
CREATE INDEX idx_document_owners_user ON document_owners (user_id, document_id);

-- With a rowid: texts are long, and a table without one keeps part of every row in its inner pages.
CREATE TABLE document_texts (
    document_id BLOB    NOT NULL,
    seq         INTEGER NOT NULL,
    content     TEXT    NOT NULL,
    CONSTRAINT pk_document_texts PRIMARY KEY (document_id),
    CONSTRAINT fk_document_texts_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
) STRICT;

-- ---------------------------------------------------------------------------------------------
-- The live log (DESIGN §6): accepted updates, the op ids used for them, the CRDT client ids under
-- which they write, and the snapshots that absorb them.

CREATE TABLE document_updates (
    document_id BLOB    NOT NULL,
    seq         INTEGER NOT NULL,
    actor_id    BLOB    NOT NULL,
    delta       BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    CONSTRAINT pk_document_updates PRIMARY KEY (document_id, seq),
    CONSTRAINT fk_document_updates_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_document_updates_seq CHECK (seq >= 1 AND seq < 9223372036854775807)
) STRICT, WITHOUT ROWID;

-- Updates that cannot be applied. They were acknowledged, so they are kept as long as the document,
-- but in a table of their own, so that loading a document does not read them. With a rowid, because
-- updates can be long.
CREATE TABLE document_quarantine (
    document_id    BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    actor_id       BLOB    NOT NULL,
    delta          BLOB    NOT NULL,
    -- Whether it is here because editing was restarted, which is not the fault of its actor.
    restarted      INTEGER NOT NULL,
    quarantined_at INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    CONSTRAINT pk_document_quarantine PRIMARY KEY (document_id, seq),
    CONSTRAINT ck_document_quarantine_restarted CHECK (restarted IN (0, 1)),
    CONSTRAINT fk_document_quarantine_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
) STRICT;

-- Loading a document counts the updates of each actor.
CREATE INDEX idx_document_quarantine_actor ON document_quarantine (document_id, actor_id);

-- An op id is used once: sent again it gets its first number, with other bytes it is refused.
-- These rows outlive those of document_updates, which snapshots absorb.
CREATE TABLE document_ops (
    document_id BLOB    NOT NULL,
    actor_id    BLOB    NOT NULL,
    -- 16 bytes if it is a UUID, else its text and a byte that is not part of any text.
    op_id       BLOB    NOT NULL,
    seq         INTEGER NOT NULL,
    -- The first 16 bytes.
    delta_hash  BLOB    NOT NULL,
    -- Whether the update is in document_quarantine, or was cut because it waited too long.
    quarantined INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    CONSTRAINT pk_document_ops PRIMARY KEY (document_id, actor_id, op_id),
    CONSTRAINT fk_document_ops_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_document_ops_quarantined CHECK (quarantined IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Which actor may write under a CRDT client id; NULL means the server's own edits. The 64 bits of
-- the id are stored unchanged, so large ids look negative here.
CREATE TABLE document_clients (
    document_id BLOB    NOT NULL,
    client_id   INTEGER NOT NULL,
    actor_id    BLOB,
    CONSTRAINT pk_document_clients PRIMARY KEY (document_id, client_id),
    CONSTRAINT fk_document_clients_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The newest one is loaded. Those before it are kept until it has been read back, so that it can be
-- rebuilt if it is damaged.
CREATE TABLE document_snapshots (
    document_id BLOB    NOT NULL,
    seq         INTEGER NOT NULL,
    -- The smallest seq of an update that it does not contain.
    from_seq    INTEGER NOT NULL,
    state       BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    CONSTRAINT pk_document_snapshots PRIMARY KEY (document_id, seq),
    CONSTRAINT fk_document_snapshots_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_document_snapshots_seq CHECK (seq >= 0 AND from_seq >= 1 AND from_seq <= seq + 1)
) STRICT;

-- Edits that snapshots have absorbed (DESIGN §3). The edits lie in the document store, in the
-- records whose ids begin with `record`. A segment with a `state_seq` begins with a whole state.
CREATE TABLE edit_segments (
    document_id BLOB    NOT NULL,
    number      INTEGER NOT NULL,
    record      BLOB    NOT NULL,
    hash        BLOB    NOT NULL,
    bytes       INTEGER NOT NULL,
    from_seq    INTEGER NOT NULL,
    to_seq      INTEGER NOT NULL,
    edits       INTEGER NOT NULL,
    state_seq   INTEGER,
    last_at     INTEGER NOT NULL,
    CONSTRAINT pk_edit_segments PRIMARY KEY (document_id, number),
    CONSTRAINT fk_edit_segments_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_edit_segments_seqs CHECK (from_seq >= 1 AND to_seq >= from_seq)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------------------------------------
-- Versions and the attempts to commit them (DESIGN §5)

-- The record of a version's content follows from document and commit, and its parent is the version
-- with the preceding number, so neither is named here.
CREATE TABLE versions (
    document_id    BLOB    NOT NULL,
    version_number INTEGER NOT NULL,
    commit_id      BLOB    NOT NULL,
    content_hash   BLOB    NOT NULL,
    chain_hash     BLOB    NOT NULL,
    content_length INTEGER NOT NULL,
    added          INTEGER NOT NULL,
    removed        INTEGER NOT NULL,
    message        TEXT    NOT NULL,
    -- Given at the commit; unlike the name, never changed.
    title          TEXT,
    -- What it brings back, if it is a restore: the content of a version, or the text after an edit.
    restored_version INTEGER,
    restored_edit    INTEGER,
    name           TEXT,
    -- Covers name, number and counts, which the chain hash does not.
    facts_hash     BLOB    NOT NULL,
    keep_whole     INTEGER NOT NULL,
    is_delta       INTEGER NOT NULL,
    author_id      BLOB    NOT NULL,
    -- The first 16 bytes of each.
    request_key    BLOB    NOT NULL,
    request_hash   BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    -- Because the head advances by one, numbers have no gaps.
    CONSTRAINT pk_versions PRIMARY KEY (document_id, version_number),
    CONSTRAINT uq_versions_commit_id UNIQUE (commit_id),
    CONSTRAINT uq_versions_request_key UNIQUE (request_key),
    CONSTRAINT fk_versions_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_versions_number CHECK (version_number >= 1 AND version_number < 9223372036854775807),
    CONSTRAINT ck_versions_commit CHECK (length(commit_id) = 16),
    CONSTRAINT ck_versions_request CHECK (length(request_key) = 16 AND length(request_hash) = 16),
    CONSTRAINT ck_versions_hashes CHECK (length(content_hash) = 32 AND length(chain_hash) = 32),
    CONSTRAINT ck_versions_keep_whole CHECK (keep_whole IN (0, 1)),
    CONSTRAINT ck_versions_is_delta CHECK (is_delta IN (0, 1)),
    CONSTRAINT ck_versions_restored CHECK (restored_version IS NULL OR restored_edit IS NULL)
) STRICT, WITHOUT ROWID;

-- Finds the version with a content, for an If-Match that names a hash. Eight bytes of the hash
-- leave one candidate; the query compares the rest.
CREATE INDEX idx_versions_content ON versions (document_id, substr(content_hash, 1, 8));
CREATE INDEX idx_versions_named ON versions (document_id, version_number) WHERE name IS NOT NULL;

-- A commit in one transaction with its content needs no row here. No foreign key: when a document
-- is purged, an attempt whose content was not erased stays, so that the collector erases it.
CREATE TABLE commit_intents (
    commit_id   BLOB    NOT NULL,
    document_id BLOB    NOT NULL,
    base_commit BLOB,
    request_key BLOB    NOT NULL,
    status      TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    -- When the content of an attempt that never became a version was erased.
    erased_at   INTEGER,
    CONSTRAINT pk_commit_intents PRIMARY KEY (commit_id),
    CONSTRAINT ck_commit_intents_ids CHECK (length(commit_id) = 16 AND length(document_id) = 16),
    CONSTRAINT ck_commit_intents_status CHECK (status IN ('open', 'committed', 'gc'))
) STRICT, WITHOUT ROWID;

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
    id   INTEGER NOT NULL,
    name TEXT    NOT NULL,
    CONSTRAINT pk_collections PRIMARY KEY (id),
    CONSTRAINT uq_collections_name UNIQUE (name)
) STRICT;

-- Ids of contents are UUIDv7, so new rows go to the end and fill their pages. Payloads over 512
-- bytes are in record_bodies: a version is written whole and soon shrinks to a delta, and a table
-- that holds both keeps the space (600 bytes a version instead of 380, measured on 10,000 of them).
CREATE TABLE records (
    collection INTEGER NOT NULL,
    -- The last segment of the path: 16 bytes if it is a UUID, else its text and a byte that is not
    -- part of any text.
    id         BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted    INTEGER NOT NULL,
    -- NULL if it is in record_bodies.
    data       BLOB,
    CONSTRAINT pk_records PRIMARY KEY (collection, id),
    CONSTRAINT fk_records_collection FOREIGN KEY (collection) REFERENCES collections (id),
    CONSTRAINT ck_records_version CHECK (version >= 1),
    CONSTRAINT ck_records_deleted CHECK (deleted IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_records_deleted ON records (updated_at) WHERE deleted;

-- With a rowid, like document_texts.
CREATE TABLE record_bodies (
    collection INTEGER NOT NULL,
    id         BLOB    NOT NULL,
    data       BLOB    NOT NULL,
    CONSTRAINT pk_record_bodies PRIMARY KEY (collection, id),
    CONSTRAINT fk_record_bodies_record FOREIGN KEY (collection, id) REFERENCES records (collection, id) ON DELETE CASCADE
) STRICT;

-- The changes of records, for those who follow them. Kept for some days. There is no foreign key: a
-- collection is removed only after its changes, and a check would scan the table.
CREATE TABLE record_changes (
    number     INTEGER NOT NULL,
    collection INTEGER NOT NULL,
    id         BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    -- 0 created, 1 updated, 2 deleted, 3 purged.
    kind       INTEGER NOT NULL,
    CONSTRAINT pk_record_changes PRIMARY KEY (number),
    CONSTRAINT ck_record_changes_kind CHECK (kind >= 0 AND kind <= 3)
) STRICT;

-- The highest number at a time: tells the age of changes.
CREATE TABLE record_marks (
    at     INTEGER NOT NULL,
    number INTEGER NOT NULL,
    CONSTRAINT pk_record_marks PRIMARY KEY (at)
) STRICT;

-- One row. `store` tells positions in these changes from those of other databases. Numbers up to
-- `highest` have been used; changes up to `forgotten` have been removed because of their age.
CREATE TABLE record_horizon (
    id        INTEGER NOT NULL,
    store     BLOB    NOT NULL,
    highest   INTEGER NOT NULL,
    forgotten INTEGER NOT NULL,
    CONSTRAINT pk_record_horizon PRIMARY KEY (id),
    CONSTRAINT ck_record_horizon_id CHECK (id = 1),
    CONSTRAINT ck_record_horizon_store CHECK (length(store) = 16)
) STRICT;

INSERT INTO record_horizon (id, store, highest, forgotten) VALUES (1, randomblob(16), 0, 0);

-- The highest number that was used; the next one follows it.
CREATE VIEW record_numbers AS
    SELECT MAX(number) AS top FROM (
        SELECT MAX(number) AS number FROM record_changes
        UNION ALL SELECT highest FROM record_horizon
    );

-- ---------------------------------------------------------------------------------------------
-- The change feed: what a reader can see of a document, numbered in the transaction that changes it

-- The latest change of each kind.
CREATE TABLE document_changes (
    document_id BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    change_seq  INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    CONSTRAINT pk_document_changes PRIMARY KEY (document_id, kind),
    CONSTRAINT uq_document_changes_seq UNIQUE (change_seq),
    CONSTRAINT fk_document_changes_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Who can no longer see a document; the nil id stands for the public. No foreign keys: they outlive
-- what they are about.
CREATE TABLE tombstones (
    document_id BLOB    NOT NULL,
    user_id     BLOB    NOT NULL,
    change_seq  INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    CONSTRAINT pk_tombstones PRIMARY KEY (document_id, user_id),
    CONSTRAINT uq_tombstones_seq UNIQUE (change_seq),
    CONSTRAINT ck_tombstones_ids CHECK (length(document_id) = 16 AND length(user_id) = 16)
) STRICT, WITHOUT ROWID;

-- One row. Numbers up to `highest` have been used by rows that are gone; tombstones up to
-- `forgotten` may have been removed because of their age.
CREATE TABLE change_horizon (
    id        INTEGER NOT NULL,
    highest   INTEGER NOT NULL,
    forgotten INTEGER NOT NULL,
    CONSTRAINT pk_change_horizon PRIMARY KEY (id),
    CONSTRAINT ck_change_horizon_id CHECK (id = 1)
) STRICT;

INSERT INTO change_horizon (id, highest, forgotten) VALUES (1, 0, 0);

-- The highest number that was used; the next one follows it.
CREATE VIEW change_numbers AS
    SELECT MAX(number) AS top FROM (
        SELECT MAX(change_seq) AS number FROM document_changes
        UNION ALL SELECT MAX(change_seq) FROM tombstones
        UNION ALL SELECT highest FROM change_horizon
    );

CREATE VIEW account_numbers AS
    SELECT COALESCE(MAX(number), 0) AS top FROM account_changes;

-- ---------------------------------------------------------------------------------------------
-- Work that follows a write, and the audit log

-- Jobs. A row is deleted when its work is done; those of periodic jobs stay. Within a topic and key
-- the first row by (queued_at, id) runs, so that jobs on one object keep their order.
CREATE TABLE outbox (
    id            BLOB    NOT NULL,
    topic         TEXT    NOT NULL,
    key           TEXT    NOT NULL,
    -- Further input. No topic uses it yet.
    payload       BLOB    NOT NULL,
    -- Runs begun since it was added or last succeeded.
    attempts      INTEGER NOT NULL,
    run_at        INTEGER NOT NULL,
    -- The lease: a random id of the worker, and when the lease lapses.
    claimed_by    BLOB,
    claimed_until INTEGER,
    -- Whether it failed so often that it is only rarely retried.
    parked        INTEGER NOT NULL,
    -- Its place in the queue: when it was added, or until when it was parked.
    queued_at     INTEGER NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT ck_outbox_id CHECK (length(id) = 16),
    CONSTRAINT ck_outbox_attempts CHECK (attempts >= 0),
    CONSTRAINT ck_outbox_parked CHECK (parked IN (0, 1)),
    CONSTRAINT ck_outbox_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_outbox_due ON outbox (topic, run_at);
CREATE INDEX idx_outbox_key ON outbox (topic, key, queued_at, id);
CREATE INDEX idx_outbox_claimed ON outbox (claimed_by) WHERE claimed_by IS NOT NULL;

-- No foreign key: entries outlive what they are about.
CREATE TABLE audit_log (
    id         BLOB    NOT NULL,
    action     TEXT    NOT NULL,
    actor_id   BLOB,
    subject    TEXT    NOT NULL,
    ip         TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (id),
    CONSTRAINT ck_audit_log_id CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_audit_log_created ON audit_log (created_at, id);

-- Keys that sign access tokens, if all nodes take them from here. Sealed: the secret that opens them
-- is in the settings.
CREATE TABLE signing_keys (
    id         BLOB    NOT NULL,
    -- In the order in which they were added.
    number     INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    signs_from INTEGER NOT NULL,
    CONSTRAINT pk_signing_keys PRIMARY KEY (id),
    CONSTRAINT uq_signing_keys_number UNIQUE (number),
    CONSTRAINT ck_signing_keys_id CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;

-- One row, written to find out whether the database accepts writes.
CREATE TABLE probes (
    id         INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    CONSTRAINT pk_probes PRIMARY KEY (id),
    CONSTRAINT ck_probes_id CHECK (id = 1)
) STRICT;
