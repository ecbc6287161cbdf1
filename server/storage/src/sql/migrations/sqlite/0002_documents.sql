-- Documents: who, when, where. What they say lies in the live log and, materialised for reading
-- and searching, in document_texts.

CREATE TABLE documents (
    id                 TEXT    NOT NULL,
    kind               TEXT    NOT NULL,
    title              TEXT    NOT NULL,
    -- Lower case by Unicode's rules, made by the program: databases disagree on folding, and
    -- lists must sort alike in all of them.
    title_folded       TEXT    NOT NULL,
    description        TEXT    NOT NULL,
    description_folded TEXT    NOT NULL,
    created_by         TEXT    NOT NULL,
    last_modified_by   TEXT    NOT NULL,
    head_version       INTEGER NOT NULL,
    head_commit        TEXT,
    live_seq           INTEGER NOT NULL,
    meta_rev           INTEGER NOT NULL,
    text_seq           INTEGER NOT NULL,
    content_hash       BLOB    NOT NULL,
    content_length     INTEGER NOT NULL,
    word_count         INTEGER NOT NULL,
    is_public          INTEGER NOT NULL,
    is_template        INTEGER NOT NULL,
    request_key        BLOB    NOT NULL,
    request_hash       BLOB    NOT NULL,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    deleted_at         INTEGER,
    CONSTRAINT pk_documents PRIMARY KEY (id),
    -- A request that is sent again must not make a second document.
    CONSTRAINT uq_documents_request_key UNIQUE (request_key),
    CONSTRAINT fk_documents_created_by FOREIGN KEY (created_by) REFERENCES users (id),
    CONSTRAINT fk_documents_last_modified_by FOREIGN KEY (last_modified_by) REFERENCES users (id),
    CONSTRAINT ck_documents_kind CHECK (kind IN ('markdown', 'text', 'json')),
    CONSTRAINT ck_documents_head CHECK (head_version >= 0 AND (head_version = 0) = (head_commit IS NULL)),
    CONSTRAINT ck_documents_seq CHECK (live_seq >= text_seq AND text_seq >= 0),
    CONSTRAINT ck_documents_hash CHECK (length(content_hash) = 32),
    CONSTRAINT ck_documents_is_public CHECK (is_public IN (0, 1)),
    CONSTRAINT ck_documents_is_template CHECK (is_template IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE document_owners (
    document_id TEXT    NOT NULL,
    user_id     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    CONSTRAINT pk_document_owners PRIMARY KEY (document_id, user_id),
    CONSTRAINT fk_document_owners_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT fk_document_owners_user FOREIGN KEY (user_id) REFERENCES users (id)
) STRICT, WITHOUT ROWID;

-- Lists start from the documents a user owns.
CREATE INDEX idx_document_owners_user ON document_owners (user_id, document_id);

-- With a rowid: texts are long, and in a table without one every inner page would carry them.
CREATE TABLE document_texts (
    document_id TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    content     TEXT    NOT NULL,
    CONSTRAINT pk_document_texts PRIMARY KEY (document_id),
    CONSTRAINT fk_document_texts_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE
) STRICT;
