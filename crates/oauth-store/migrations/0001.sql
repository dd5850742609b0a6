-- Every record of the authorization server, whatever its kind.
-- `id` is public or a keyed hash, never a secret; `body` is the record as JSON in the given `format`.
CREATE TABLE record (
    kind       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    expires_at INTEGER,
    format     INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_expiry ON record (expires_at) WHERE expires_at IS NOT NULL;

-- The last version that was given out. It only grows, so that no version comes twice.
CREATE TABLE last_version (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    value INTEGER NOT NULL
) STRICT;

INSERT INTO last_version (only, value) VALUES (1, 0);

-- Which migrations were made, and the checksum of each as it was then.
CREATE TABLE migration (
    number   INTEGER PRIMARY KEY,
    checksum TEXT    NOT NULL
) STRICT;
