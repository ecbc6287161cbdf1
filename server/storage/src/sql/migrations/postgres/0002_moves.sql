-- Moves of stores, and the work of a document store that is written to two places.

-- The move of a store, one at most. It remains when it is done, so that servers find the new place.
CREATE TABLE store_moves (
    store         text COLLATE "C" NOT NULL,
    id            uuid NOT NULL,
    -- URLs with their passwords, encrypted; no source after a cancelled move.
    source        bytea,
    target        bytea NOT NULL,
    phase         text COLLATE "C" NOT NULL,
    -- Goes up with each change of the phase: a phase can come again.
    turn          bigint  NOT NULL,
    -- The move, done, that this one has replaced.
    replaced      uuid,
    -- Where a worker resumes.
    position      text COLLATE "C" NOT NULL,
    done          bigint NOT NULL,
    total         bigint NOT NULL,
    note          text COLLATE "C" NOT NULL,
    -- The lease: a random id of the worker, and when the lease lapses.
    claimed_by    uuid,
    claimed_until bigint,
    CONSTRAINT pk_store_moves PRIMARY KEY (store),
    CONSTRAINT ck_store_moves_store CHECK (store IN ('documents', 'relational')),
    CONSTRAINT ck_store_moves_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);

-- What each server says about a move: the turn in which it works, and that it is alive.
CREATE TABLE move_nodes (
    store   text COLLATE "C" NOT NULL,
    node    uuid NOT NULL,
    move_id uuid,
    turn    bigint,
    beats   bigint NOT NULL,
    CONSTRAINT pk_move_nodes PRIMARY KEY (store, node),
    CONSTRAINT ck_move_nodes_turn CHECK ((move_id IS NULL) = (turn IS NULL))
);

-- Records that may differ between the two places of a document store: written before the record,
-- removed when both have it.
CREATE TABLE shadow_marks (
    id         uuid NOT NULL,
    collection text COLLATE "C" NOT NULL,
    record     text COLLATE "C" NOT NULL,
    -- For whom the record of which place was the truth: a move and its source or target, or the settings.
    move_id    uuid,
    truth      text COLLATE "C" NOT NULL,
    -- Whether the write removes the record for good.
    purges     boolean NOT NULL,
    CONSTRAINT pk_shadow_marks PRIMARY KEY (id),
    CONSTRAINT ck_shadow_marks_truth CHECK (truth IN ('users', 'documents', 'source', 'target'))
);
CREATE INDEX ix_shadow_marks_record ON shadow_marks (collection, record);

-- What servers have counted about the second place of a store, since it was written to first.
CREATE TABLE routing_counts (
    store           text COLLATE "C" NOT NULL,
    shadow_failures bigint NOT NULL,
    differences     bigint NOT NULL,
    repaired        bigint NOT NULL,
    CONSTRAINT pk_routing_counts PRIMARY KEY (store)
);
