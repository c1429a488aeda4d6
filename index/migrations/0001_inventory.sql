-- inventory-<generation>.duckdb: every path ever offered and what came of it.
CREATE TABLE schema_version (component VARCHAR NOT NULL, version INTEGER NOT NULL);

CREATE TABLE inventory (
    path VARCHAR PRIMARY KEY,
    size_bytes BIGINT NOT NULL CHECK (size_bytes >= 0),
    mtime_ns BIGINT NOT NULL,
    outcome VARCHAR NOT NULL CHECK (outcome IN ('added', 'unchanged', 'failed')),
    source_id VARCHAR,
    stage VARCHAR,
    reason VARCHAR,
    seen_at VARCHAR NOT NULL, -- ISO 8601, UTC
    CHECK (outcome = 'failed' OR source_id IS NOT NULL),
    CHECK (outcome <> 'failed' OR reason IS NOT NULL)
);

INSERT INTO schema_version VALUES ('inventory', 1);
