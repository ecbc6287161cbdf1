-- Accounts, signed-in devices and their refresh tokens.
--
-- In every table: ids are hyphenated UUIDs, times are microseconds since 1970 in UTC, hashes are
-- 32 bytes. Tables are WITHOUT ROWID where rows are small, so that a look-up by key walks one tree
-- instead of two. Constraints have names, by which a breach is told to the caller.

CREATE TABLE users (
    id             TEXT    NOT NULL,
    username       TEXT    NOT NULL,
    email          TEXT    NOT NULL,
    display_name   TEXT    NOT NULL,
    bio            TEXT    NOT NULL,
    role           TEXT    NOT NULL,
    password_hash  TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    last_login_at  INTEGER,
    deactivated_at INTEGER,
    deleted_at     INTEGER,
    CONSTRAINT pk_users PRIMARY KEY (id),
    -- Both are stored folded, so that equal means equal for people.
    CONSTRAINT uq_users_username UNIQUE (username),
    CONSTRAINT uq_users_email UNIQUE (email),
    CONSTRAINT ck_users_role CHECK (role IN ('user', 'premium', 'admin'))
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id               TEXT    NOT NULL,
    user_id          TEXT    NOT NULL,
    user_agent       TEXT    NOT NULL,
    ip               TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    revoked_at       INTEGER,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT fk_sessions_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_sessions_user ON sessions (user_id, last_activity_at);

-- Only hashes of tokens are stored: who reads this table cannot sign in with it.
CREATE TABLE refresh_tokens (
    token_hash     BLOB    NOT NULL,
    session_id     TEXT    NOT NULL,
    nonce          BLOB    NOT NULL,
    parent_hash    BLOB,
    expires_at     INTEGER NOT NULL,
    used_at        INTEGER,
    successor_used INTEGER NOT NULL,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (token_hash),
    CONSTRAINT fk_refresh_tokens_session FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT ck_refresh_tokens_hash CHECK (length(token_hash) = 32),
    CONSTRAINT ck_refresh_tokens_successor CHECK (successor_used IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_refresh_tokens_session ON refresh_tokens (session_id);

-- No foreign key: this table may live in another store than the sessions.
CREATE TABLE revocations (
    session_id TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT pk_revocations PRIMARY KEY (session_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_revocations_expires ON revocations (expires_at);
