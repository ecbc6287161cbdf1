-- Moves of the whole database. Where it was copied from, if it was. Until it is live, nobody may use it.
CREATE TABLE database_origin (
    id      bigint NOT NULL,
    move_id uuid NOT NULL,
    stage   text COLLATE "C" NOT NULL,
    CONSTRAINT pk_database_origin PRIMARY KEY (id),
    CONSTRAINT ck_database_origin_id CHECK (id = 1),
    CONSTRAINT ck_database_origin_stage CHECK (stage IN ('emptying', 'copying', 'live'))
);

-- How far each table is copied.
CREATE TABLE moved_tables (
    name        text COLLATE "C" NOT NULL,
    -- The last primary key.
    position    bytea,
    is_complete boolean NOT NULL,
    CONSTRAINT pk_moved_tables PRIMARY KEY (name)
);

-- Foreign keys that are removed while rows are copied, which come in any order.
CREATE TABLE moved_links (
    table_name text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    definition text COLLATE "C" NOT NULL,
    CONSTRAINT pk_moved_links PRIMARY KEY (table_name, name)
);

-- Where this database is about to move or has moved; one row at most.
CREATE TABLE database_departure (
    id        bigint NOT NULL,
    move_id   uuid NOT NULL,
    -- The URL with its password, encrypted.
    target    bytea NOT NULL,
    has_moved boolean NOT NULL,
    CONSTRAINT pk_database_departure PRIMARY KEY (id),
    CONSTRAINT ck_database_departure_id CHECK (id = 1)
);
