-- Every moment tells how many rows of each kind it has; 0 where an older catalog did not say.
-- DuckDB cannot add a check to a table, hence a new one; moment = rowid still holds.
CREATE TABLE checked_moments (
    moment BIGINT NOT NULL CHECK (moment >= 0),
    segment INTEGER NOT NULL CHECK (segment >= 0),
    kind VARCHAR NOT NULL CHECK (
        kind IN ('frame', 'utterance', 'screen_text', 'passage', 'page', 'figure')
    ),
    text VARCHAR NOT NULL,
    heading VARCHAR NOT NULL,
    confidence DOUBLE,
    start_tick BIGINT CHECK (start_tick >= 0),
    end_tick BIGINT,
    page INTEGER CHECK (page >= 1),
    page_label VARCHAR,
    pts BIGINT,
    time_base_numerator BIGINT,
    time_base_denominator BIGINT CHECK (time_base_denominator > 0),
    picture_offset BIGINT CHECK (picture_offset >= 0),
    picture_bytes BIGINT CHECK (picture_bytes >= 0),
    word_count INTEGER NOT NULL CHECK (word_count >= 0),
    line_count INTEGER NOT NULL CHECK (line_count >= 0),
    box_count INTEGER NOT NULL CHECK (box_count >= 0),
    word_box_count INTEGER NOT NULL CHECK (word_box_count >= 0),
    hyperlink_count INTEGER NOT NULL CHECK (hyperlink_count >= 0),
    CHECK ((start_tick IS NULL) = (end_tick IS NULL) AND start_tick < end_tick),
    CHECK ((page IS NULL) = (page_label IS NULL)),
    CHECK ((start_tick IS NULL) <> (page IS NULL)),
    CHECK ((picture_offset IS NULL) = (picture_bytes IS NULL)),
    CHECK ((pts IS NULL) = (time_base_numerator IS NULL)),
    CHECK ((pts IS NULL) = (time_base_denominator IS NULL))
);

INSERT INTO checked_moments BY NAME
SELECT * REPLACE (
    coalesce(word_box_count, 0) AS word_box_count,
    coalesce(hyperlink_count, 0) AS hyperlink_count
)
FROM moments
ORDER BY moment;

DROP TABLE moments;

ALTER TABLE checked_moments RENAME TO moments;

UPDATE schema_version SET version = 4 WHERE component = 'catalog';
