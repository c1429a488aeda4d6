-- Where words of a moment's text are printed, in PDF points with the origin at the top left.
CREATE TABLE word_boxes (
    moment BIGINT NOT NULL,
    position INTEGER NOT NULL,
    start_char INTEGER NOT NULL CHECK (start_char >= 0),
    end_char INTEGER NOT NULL,
    x0 FLOAT NOT NULL,
    y0 FLOAT NOT NULL,
    x1 FLOAT NOT NULL,
    y1 FLOAT NOT NULL,
    CHECK (start_char < end_char),
    CHECK (x0 <= x1 AND y0 <= y1)
);

ALTER TABLE moments ADD COLUMN word_box_count INTEGER;

UPDATE schema_version SET version = 2 WHERE component = 'catalog';
