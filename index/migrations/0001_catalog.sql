-- catalog.duckdb: everything about the sources of one shard, written once, then only read.
-- Instants are BIGINT ticks of their source (ticks_per_second), hence exact.
CREATE TABLE schema_version (component VARCHAR NOT NULL, version INTEGER NOT NULL);

CREATE TABLE sources (
    source INTEGER PRIMARY KEY,
    id VARCHAR NOT NULL UNIQUE,
    kind VARCHAR NOT NULL CHECK (kind IN ('video', 'document')),
    name VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    ticks_per_second BIGINT NOT NULL CHECK (ticks_per_second > 0),
    duration_ticks BIGINT,
    pages INTEGER,
    details VARCHAR NOT NULL, -- JSON object
    notes VARCHAR NOT NULL, -- JSON array
    CHECK ((kind = 'video') = (duration_ticks IS NOT NULL)),
    CHECK ((kind = 'document') = (pages IS NOT NULL))
);

CREATE TABLE segments (
    segment INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources (source),
    title VARCHAR NOT NULL,
    first_moment BIGINT NOT NULL CHECK (first_moment >= 0),
    moment_count BIGINT NOT NULL CHECK (moment_count >= 0),
    start_tick BIGINT,
    end_tick BIGINT,
    first_page INTEGER,
    last_page INTEGER,
    CHECK ((start_tick IS NULL) = (end_tick IS NULL) AND start_tick < end_tick),
    CHECK ((first_page IS NULL) = (last_page IS NULL) AND first_page <= last_page),
    CHECK ((start_tick IS NULL) <> (first_page IS NULL))
);

-- Moments are numbered 0.. in order, contiguous by segment; moment = rowid.
CREATE TABLE moments (
    moment BIGINT NOT NULL CHECK (moment >= 0),
    segment INTEGER NOT NULL CHECK (segment >= 0),
    kind VARCHAR NOT NULL CHECK (
        kind IN ('frame', 'utterance', 'screen_text', 'passage', 'page', 'figure')
    ),
    text VARCHAR NOT NULL,
    heading VARCHAR NOT NULL,
    confidence DOUBLE,
    start_tick BIGINT,
    end_tick BIGINT,
    page INTEGER CHECK (page >= 1),
    page_label VARCHAR,
    pts BIGINT,
    time_base_numerator BIGINT,
    time_base_denominator BIGINT CHECK (time_base_denominator > 0),
    picture_offset BIGINT,
    picture_bytes BIGINT,
    word_count INTEGER NOT NULL,
    line_count INTEGER NOT NULL,
    box_count INTEGER NOT NULL,
    CHECK ((start_tick IS NULL) = (end_tick IS NULL) AND start_tick < end_tick),
    CHECK ((page IS NULL) = (page_label IS NULL)),
    CHECK ((start_tick IS NULL) <> (page IS NULL)),
    CHECK ((picture_offset IS NULL) = (picture_bytes IS NULL))
);

CREATE TABLE words (
    moment BIGINT NOT NULL,
    position INTEGER NOT NULL,
    text VARCHAR NOT NULL,
    start_tick BIGINT NOT NULL,
    end_tick BIGINT NOT NULL,
    probability DOUBLE NOT NULL,
    CHECK (start_tick < end_tick)
);

-- Lines of text read from a picture, in pixels of that picture.
CREATE TABLE lines (
    moment BIGINT NOT NULL,
    position INTEGER NOT NULL,
    text VARCHAR NOT NULL,
    x0 DOUBLE NOT NULL,
    y0 DOUBLE NOT NULL,
    x1 DOUBLE NOT NULL,
    y1 DOUBLE NOT NULL,
    confidence DOUBLE NOT NULL,
    CHECK (x0 <= x1 AND y0 <= y1)
);

-- Boxes of page areas, in PDF points with the origin at the top left.
CREATE TABLE boxes (
    moment BIGINT NOT NULL,
    position INTEGER NOT NULL,
    x0 DOUBLE NOT NULL,
    y0 DOUBLE NOT NULL,
    x1 DOUBLE NOT NULL,
    y1 DOUBLE NOT NULL,
    CHECK (x0 <= x1 AND y0 <= y1)
);

-- For analysts: moments with their source and float seconds.
CREATE VIEW moment_times AS
SELECT
    sources.id AS source_id,
    sources.name AS source_name,
    moments.moment,
    moments.segment,
    moments.kind,
    moments.start_tick / sources.ticks_per_second AS start_s,
    moments.end_tick / sources.ticks_per_second AS end_s,
    moments.page,
    moments.text
FROM moments
JOIN segments USING (segment)
JOIN sources USING (source);

INSERT INTO schema_version VALUES ('catalog', 1);
