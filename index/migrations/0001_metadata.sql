-- metadata-<generation>.duckdb: what users say about sources, and who may find them.
CREATE TABLE schema_version (component VARCHAR NOT NULL, version INTEGER NOT NULL);

CREATE TABLE metadata (
    source VARCHAR NOT NULL, -- id of the source
    name VARCHAR NOT NULL CHECK (name <> ''),
    text VARCHAR,
    whole BIGINT,
    number DOUBLE CHECK (isfinite(number)),
    truth BOOLEAN,
    PRIMARY KEY (source, name),
    CHECK (
        (text IS NOT NULL)::INT + (whole IS NOT NULL)::INT + (number IS NOT NULL)::INT
        + (truth IS NOT NULL)::INT = 1
    )
);

-- A source with tags is found only by who is permitted one of them.
CREATE TABLE tags (
    source VARCHAR NOT NULL, -- id of the source
    tag VARCHAR NOT NULL CHECK (tag <> ''),
    PRIMARY KEY (source, tag)
);

INSERT INTO schema_version VALUES ('metadata', 1);
