-- Work that follows a write, and what is kept for audits.

CREATE TABLE outbox (
    id         TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    -- Its place in the queue: when it was put in, or last put behind the others.
    queued_at  INTEGER NOT NULL,
    done_at    INTEGER,
    CONSTRAINT pk_outbox PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_outbox_pending ON outbox (queued_at, id) WHERE done_at IS NULL;
CREATE INDEX idx_outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;

-- No foreign key: an audit must outlive what it is about.
CREATE TABLE audit_log (
    id         TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    actor_id   TEXT,
    subject    TEXT    NOT NULL,
    ip         TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_audit_log_created ON audit_log (created_at, id);
