-- Moves of stores, and the work of a document store that is written to two places.

-- The move of a store, one at most. It remains when it is done, so that servers find the new place.
CREATE TABLE store_moves (
    store         text COLLATE "C" NOT NULL,
    id            uuid NOT NULL,
    -- URLs with their passwords, encrypted; no source if the settings name it.
    source        bytea,
    target        bytea NOT NULL,
    phase         text COLLATE "C" NOT NULL,
    -- Where a worker resumes.
    position      text COLLATE "C" NOT NULL,
    done          bigint NOT NULL,
    total         bigint NOT NULL,
    note          text COLLATE "C" NOT NULL,
    -- The lease: a random id of the worker, and when the lease lapses.
    claimed_by    uuid,
    claimed_until bigint,
    started_at    bigint NOT NULL,
    updated_at    bigint NOT NULL,
    CONSTRAINT pk_store_moves PRIMARY KEY (store),
    CONSTRAINT ck_store_moves_store CHECK (store IN ('documents', 'relational')),
    CONSTRAINT ck_store_moves_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);

-- What each server says about a move: the phase in which it works, and that it is alive.
CREATE TABLE move_nodes (
    store   text COLLATE "C" NOT NULL,
    node    uuid NOT NULL,
    move_id uuid,
    phase   text COLLATE "C",
    beats   bigint NOT NULL,
    CONSTRAINT pk_move_nodes PRIMARY KEY (store, node),
    CONSTRAINT ck_move_nodes_phase CHECK ((move_id IS NULL) = (phase IS NULL))
);

-- Records that may differ between the two places of a document store: written before the record,
-- removed when both have it.
CREATE TABLE shadow_marks (
    id         uuid NOT NULL,
    collection text COLLATE "C" NOT NULL,
    record     text COLLATE "C" NOT NULL,
    marked_at  bigint NOT NULL,
    CONSTRAINT pk_shadow_marks PRIMARY KEY (id)
);

-- What servers have counted about the second place of a store, since it was written to first.
CREATE TABLE routing_counts (
    store           text COLLATE "C" NOT NULL,
    shadow_failures bigint NOT NULL,
    differences     bigint NOT NULL,
    repaired        bigint NOT NULL,
    CONSTRAINT pk_routing_counts PRIMARY KEY (store)
);
