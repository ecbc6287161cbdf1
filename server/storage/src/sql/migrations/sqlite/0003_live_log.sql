-- The live log (DESIGN §6): accepted updates, the op ids that were spent on them, the client ids
-- under which they write, and snapshots that absorb them.

CREATE TABLE document_updates (
    document_id    TEXT    NOT NULL,
    seq            INTEGER NOT NULL,
    actor_id       TEXT    NOT NULL,
    delta          BLOB    NOT NULL,
    quarantined_at INTEGER,
    created_at     INTEGER NOT NULL,
    CONSTRAINT pk_document_updates PRIMARY KEY (document_id, seq),
    CONSTRAINT fk_document_updates_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT fk_document_updates_actor FOREIGN KEY (actor_id) REFERENCES users (id),
    CONSTRAINT ck_document_updates_seq CHECK (seq >= 1 AND seq < 9223372036854775807)
) STRICT, WITHOUT ROWID;

-- An op id is spent once: sent again it gets its first number, with other bytes it is refused.
-- The rows outlive those of document_updates, which snapshots absorb.
CREATE TABLE document_ops (
    document_id TEXT    NOT NULL,
    user_id     TEXT    NOT NULL,
    op_id       TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    delta_hash  BLOB    NOT NULL,
    -- Whether the update was quarantined; its row in document_updates may be gone.
    quarantined INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    CONSTRAINT pk_document_ops PRIMARY KEY (document_id, user_id, op_id),
    CONSTRAINT fk_document_ops_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT fk_document_ops_user FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT ck_document_ops_quarantined CHECK (quarantined IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Whose structs may come under a CRDT client id; no user means the server's own edits. The 64
-- bits of the id are kept as they are, so the larger ones look negative here.
CREATE TABLE document_clients (
    document_id TEXT    NOT NULL,
    client_id   INTEGER NOT NULL,
    user_id     TEXT,
    CONSTRAINT pk_document_clients PRIMARY KEY (document_id, client_id),
    CONSTRAINT fk_document_clients_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT fk_document_clients_user FOREIGN KEY (user_id) REFERENCES users (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE document_snapshots (
    document_id TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    state       BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    CONSTRAINT pk_document_snapshots PRIMARY KEY (document_id, seq),
    CONSTRAINT fk_document_snapshots_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT ck_document_snapshots_seq CHECK (seq >= 0)
) STRICT;

-- Edits that snapshots have absorbed (DESIGN §3). The edits lie in the document store, in the
-- records whose ids begin with `record`. A segment with a `state_seq` begins with a whole state.
CREATE TABLE edit_segments (
    document_id TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    record      TEXT    NOT NULL,
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
