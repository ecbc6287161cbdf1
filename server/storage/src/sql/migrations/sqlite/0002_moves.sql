-- Moves of stores, and the work of a document store that is written to two places.

-- The move of a store, one at most. It remains when it is done, so that servers find the new place.
CREATE TABLE store_moves (
    store         TEXT    NOT NULL,
    id            BLOB    NOT NULL,
    -- URLs with their passwords, encrypted; no source if the settings name it.
    source        BLOB,
    target        BLOB    NOT NULL,
    phase         TEXT    NOT NULL,
    -- Where a worker resumes.
    position      TEXT    NOT NULL,
    done          INTEGER NOT NULL,
    total         INTEGER NOT NULL,
    note          TEXT    NOT NULL,
    -- The lease: a random id of the worker, and when the lease lapses.
    claimed_by    BLOB,
    claimed_until INTEGER,
    started_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    CONSTRAINT pk_store_moves PRIMARY KEY (store),
    CONSTRAINT ck_store_moves_id CHECK (length(id) = 16),
    CONSTRAINT ck_store_moves_store CHECK (store IN ('documents', 'relational')),
    CONSTRAINT ck_store_moves_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
) STRICT, WITHOUT ROWID;

-- What each server says about a move: the phase in which it works, and that it is alive.
CREATE TABLE move_nodes (
    store   TEXT    NOT NULL,
    node    BLOB    NOT NULL,
    move_id BLOB,
    phase   TEXT,
    beats   INTEGER NOT NULL,
    CONSTRAINT pk_move_nodes PRIMARY KEY (store, node),
    CONSTRAINT ck_move_nodes_node CHECK (length(node) = 16),
    CONSTRAINT ck_move_nodes_phase CHECK ((move_id IS NULL) = (phase IS NULL))
) STRICT, WITHOUT ROWID;

-- Records that may differ between the two places of a document store: written before the record,
-- removed when both have it.
CREATE TABLE shadow_marks (
    id         BLOB    NOT NULL,
    collection TEXT    NOT NULL,
    record     TEXT    NOT NULL,
    marked_at  INTEGER NOT NULL,
    CONSTRAINT pk_shadow_marks PRIMARY KEY (id),
    CONSTRAINT ck_shadow_marks_id CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;

-- What servers have counted about the second place of a store, since it was written to first.
CREATE TABLE routing_counts (
    store           TEXT    NOT NULL,
    shadow_failures INTEGER NOT NULL,
    differences     INTEGER NOT NULL,
    repaired        INTEGER NOT NULL,
    CONSTRAINT pk_routing_counts PRIMARY KEY (store)
) STRICT, WITHOUT ROWID;
