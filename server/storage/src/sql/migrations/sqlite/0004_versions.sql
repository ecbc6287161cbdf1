-- Versions and the attempts to commit them (DESIGN §5).

CREATE TABLE versions (
    document_id    TEXT    NOT NULL,
    version_number INTEGER NOT NULL,
    commit_id      TEXT    NOT NULL,
    parent_commit  TEXT,
    content_id     TEXT    NOT NULL,
    content_hash   BLOB    NOT NULL,
    chain_hash     BLOB    NOT NULL,
    content_length INTEGER NOT NULL,
    added          INTEGER NOT NULL,
    removed        INTEGER NOT NULL,
    message        TEXT    NOT NULL,
    name           TEXT,
    keep_whole     INTEGER NOT NULL,
    is_delta       INTEGER NOT NULL,
    author_id      TEXT    NOT NULL,
    request_key    BLOB    NOT NULL,
    request_hash   BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    -- Together with the head, which moves by one, this leaves no holes.
    CONSTRAINT pk_versions PRIMARY KEY (document_id, version_number),
    CONSTRAINT uq_versions_commit_id UNIQUE (commit_id),
    CONSTRAINT uq_versions_request_key UNIQUE (request_key),
    CONSTRAINT fk_versions_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
    CONSTRAINT fk_versions_author FOREIGN KEY (author_id) REFERENCES users (id),
    CONSTRAINT ck_versions_number CHECK (version_number >= 1 AND version_number < 9223372036854775807),
    CONSTRAINT ck_versions_parent CHECK ((version_number = 1) = (parent_commit IS NULL)),
    CONSTRAINT ck_versions_hashes CHECK (length(content_hash) = 32 AND length(chain_hash) = 32),
    CONSTRAINT ck_versions_keep_whole CHECK (keep_whole IN (0, 1)),
    CONSTRAINT ck_versions_is_delta CHECK (is_delta IN (0, 1))
) STRICT, WITHOUT ROWID;

-- “Which version has this content?”, for an If-Match that names a hash.
CREATE INDEX idx_versions_content ON versions (document_id, content_hash);
CREATE INDEX idx_versions_named ON versions (document_id, version_number) WHERE name IS NOT NULL;

-- No foreign key: when a document is deleted for ever, an attempt whose content was not erased
-- stays, so that the collector finds what it may yet write.
CREATE TABLE commit_intents (
    commit_id   TEXT    NOT NULL,
    document_id TEXT    NOT NULL,
    base_commit TEXT,
    request_key BLOB    NOT NULL,
    status      TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    -- When the content of an attempt that never became a version was erased.
    erased_at   INTEGER,
    CONSTRAINT pk_commit_intents PRIMARY KEY (commit_id),
    CONSTRAINT ck_commit_intents_status CHECK (status IN ('open', 'committed', 'gc'))
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_commit_intents_open ON commit_intents (expires_at) WHERE status = 'open';
CREATE INDEX idx_commit_intents_condemned ON commit_intents (commit_id) WHERE status = 'gc' AND erased_at IS NULL;
CREATE INDEX idx_commit_intents_document ON commit_intents (document_id);
