-- links-<generation>.duckdb: when pages of documents are on the screen in videos.
-- Instants are BIGINT ticks on the video's clock, hence exact.
CREATE TABLE schema_version (component VARCHAR NOT NULL, version INTEGER NOT NULL);

CREATE TABLE page_on_screen (
    position BIGINT PRIMARY KEY,
    document VARCHAR NOT NULL, -- id of the source
    page INTEGER NOT NULL CHECK (page >= 1),
    video VARCHAR NOT NULL, -- id of the source
    start_tick BIGINT NOT NULL CHECK (start_tick >= 0),
    end_tick BIGINT NOT NULL,
    ticks_per_second BIGINT NOT NULL CHECK (ticks_per_second > 0),
    score DOUBLE NOT NULL CHECK (score BETWEEN 0 AND 1),
    CHECK (start_tick < end_tick)
);

INSERT INTO schema_version VALUES ('links', 1);
