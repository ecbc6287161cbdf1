-- Moves of the whole database. Where it was copied from, if it was. Until it is live, nobody may use it.
CREATE TABLE database_origin (
    id      INTEGER NOT NULL,
    move_id BLOB    NOT NULL,
    stage   TEXT    NOT NULL,
    CONSTRAINT pk_database_origin PRIMARY KEY (id),
    CONSTRAINT ck_database_origin_id CHECK (id = 1),
    CONSTRAINT ck_database_origin_move CHECK (length(move_id) = 16),
    CONSTRAINT ck_database_origin_stage CHECK (stage IN ('emptying', 'copying', 'live'))
) STRICT;

-- How far each table is copied.
CREATE TABLE moved_tables (
    name        TEXT    NOT NULL,
    -- The last primary key.
    position    BLOB,
    is_complete INTEGER NOT NULL,
    CONSTRAINT pk_moved_tables PRIMARY KEY (name),
    CONSTRAINT ck_moved_tables_is_complete CHECK (is_complete IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Foreign keys that are removed while rows are copied, on PostgreSQL only.
CREATE TABLE moved_links (
    table_name TEXT NOT NULL,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL,
    CONSTRAINT pk_moved_links PRIMARY KEY (table_name, name)
) STRICT, WITHOUT ROWID;

-- Where this database is about to move or has moved; one row at most.
CREATE TABLE database_departure (
    id        INTEGER NOT NULL,
    move_id   BLOB    NOT NULL,
    -- The URL with its password, encrypted.
    target    BLOB    NOT NULL,
    has_moved INTEGER NOT NULL,
    CONSTRAINT pk_database_departure PRIMARY KEY (id),
    CONSTRAINT ck_database_departure_id CHECK (id = 1),
    CONSTRAINT ck_database_departure_move CHECK (length(move_id) = 16),
    CONSTRAINT ck_database_departure_has_moved CHECK (has_moved IN (0, 1))
) STRICT;
