-- Links that words of a moment's text carry: to an address, or to a page of the same document.
CREATE TABLE hyperlinks (
    moment BIGINT NOT NULL,
    position INTEGER NOT NULL,
    start_char INTEGER NOT NULL CHECK (start_char >= 0),
    end_char INTEGER NOT NULL,
    address VARCHAR,
    page INTEGER CHECK (page >= 1),
    page_label VARCHAR,
    CHECK (start_char < end_char),
    CHECK ((address IS NULL) <> (page IS NULL)),
    CHECK ((page IS NULL) = (page_label IS NULL))
);

ALTER TABLE moments ADD COLUMN hyperlink_count INTEGER;

UPDATE schema_version SET version = 3 WHERE component = 'catalog';
