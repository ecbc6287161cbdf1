-- The document store: records in collections.
--
-- The full path of a record is `collection/id`, its parent the collection's own; neither is stored
-- twice. Rows lie in the order of the key they are found by, and without a rowid: a record is
-- written whole and soon shrinks to a delta, and a table with rowids would keep the room (2,600
-- bytes a version instead of 750, measured on 10,000 of them).

CREATE TABLE records (
    collection TEXT    NOT NULL,
    key        BLOB    NOT NULL,
    id         TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted    INTEGER NOT NULL,
    data       BLOB    NOT NULL,
    CONSTRAINT pk_records PRIMARY KEY (collection, key),
    CONSTRAINT ck_records_key CHECK (length(key) = 16),
    CONSTRAINT ck_records_version CHECK (version >= 1),
    CONSTRAINT ck_records_deleted CHECK (deleted IN (0, 1))
) STRICT, WITHOUT ROWID;
