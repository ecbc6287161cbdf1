-- Moves of stores, and the work of a document store that is written to two places.

-- The move of a store, one at most. It remains when it is done, so that servers find the new place.
CREATE TABLE store_moves (
    store         TEXT    NOT NULL,
    id            BLOB    NOT NULL,
    -- URLs with their passwords, encrypted; no source after a cancelled move.
    source        BLOB,
    target        BLOB    NOT NULL,
    phase         TEXT    NOT NULL,
    -- Goes up with each change of the phase: a phase can come again.
    turn          INTEGER NOT NULL,
    -- The move, done, that this one has replaced.
    replaced      BLOB,
    -- Where a worker resumes.
    position      TEXT    NOT NULL,
    done          INTEGER NOT NULL,
    total         INTEGER NOT NULL,
    note          TEXT    NOT NULL,
    -- The lease: a random id of the worker, and when the lease lapses.
    claimed_by    BLOB,
    claimed_until INTEGER,
    CONSTRAINT pk_store_moves PRIMARY KEY (store),
    CONSTRAINT ck_store_moves_id CHECK (length(id) = 16),
    CONSTRAINT ck_store_moves_store CHECK (store IN ('documents', 'relational')),
    CONSTRAINT ck_store_moves_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
) STRICT, WITHOUT ROWID;

-- What each server says about a move: the turn in which it works, and that it is alive.
CREATE TABLE move_nodes (
    store   TEXT    NOT NULL,
    node    BLOB    NOT NULL,
    move_id BLOB,
    turn    INTEGER,
    beats   INTEGER NOT NULL,
    CONSTRAINT pk_move_nodes PRIMARY KEY (store, node),
    CONSTRAINT ck_move_nodes_node CHECK (length(node) = 16),
    CONSTRAINT ck_move_nodes_turn CHECK ((move_id IS NULL) = (turn IS NULL))
) STRICT, WITHOUT ROWID;

-- Records that may differ between the two places of a document store: written before the record,
-- removed when both have it.
CREATE TABLE shadow_marks (
    id         BLOB    NOT NULL,
    collection TEXT    NOT NULL,
    record     TEXT    NOT NULL,
    -- For whom the record of which place was the truth: a move and its source or target, or the settings.
    move_id    BLOB,
    truth      TEXT    NOT NULL,
    -- Whether the write removes the record for good.
    purges     INTEGER NOT NULL,
    CONSTRAINT pk_shadow_marks PRIMARY KEY (id),
    CONSTRAINT ck_shadow_marks_id CHECK (length(id) = 16),
    CONSTRAINT ck_shadow_marks_truth CHECK (truth IN ('users', 'documents', 'source', 'target'))
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_shadow_marks_record ON shadow_marks (collection, record);

-- What servers have counted about the second place of a store, since it was written to first.
CREATE TABLE routing_counts (
    store           TEXT    NOT NULL,
    shadow_failures INTEGER NOT NULL,
    differences     INTEGER NOT NULL,
    repaired        INTEGER NOT NULL,
    CONSTRAINT pk_routing_counts PRIMARY KEY (store)
) STRICT, WITHOUT ROWID;
