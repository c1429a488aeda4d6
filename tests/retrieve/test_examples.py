"""Search by picture, by a moment, by both and words, by exact phrase, past typos: real vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from index.catalog import MOMENT_KINDS
from index.embedders import Embedder
from index.errors import QuestionError
from index.records import MomentKind
from index.snapshot import Snapshot
from retrieve.examples import at_the_place, join_by_segment, seen_and_said
from retrieve.filters import Filters
from retrieve.hits import Hit
from retrieve.query import Like, Query
from retrieve.result import SearchResult
from retrieve.search import search
from retrieve.settings import RetrieveSettings
from tests.retrieve.archive import BEE_TALK, BEES, COFFEE, COFFEE_TALK, MANUAL, PHOTOS
from tests.retrieve.test_search import source_id


def ask(
    archive: Snapshot, embedder: Embedder, query: Query, *, filters: Filters | None = None
) -> SearchResult:
    return search(
        archive,
        embedder,
        query,
        k=5,
        filters=filters or Filters(),
        settings=RetrieveSettings(),
    )


def photo(name: str) -> Image.Image:
    """A photograph, cropped and mirrored: not the very picture that is stored."""
    with Image.open(PHOTOS / f"{name}.jpg") as picture:
        width, height = picture.size
        kept = picture.crop((width // 20, height // 20, width, height))
    return kept.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def kinds(hits: Sequence[Hit]) -> list[MomentKind]:
    return [hit.reasons[0].kind for hit in hits]


@pytest.mark.parametrize(("name", "source"), [("cat", BEES), ("coffee", COFFEE)])
def test_a_picture_finds_what_looks_like_it(
    archive: Snapshot, embedder: Embedder, name: str, source: str
) -> None:
    found = ask(archive, embedder, Query(picture=photo(name)))
    assert (found.hits[0].source.name, found.hits[0].reasons[0].kind) == (source, "frame")
    assert set(kinds(found.hits)) <= {MomentKind.FRAME, MomentKind.PAGE}
    assert (found.query, found.picture, found.best_text_cosine) == ("", True, None)


def test_a_picture_finds_words_where_nothing_is_seen(archive: Snapshot, embedder: Embedder) -> None:
    spoken = Filters(kinds=(MomentKind.UTTERANCE,))
    best = ask(archive, embedder, Query(picture=photo("cat")), filters=spoken).hits[0]
    assert best.text == "My cat watches the entrance, but she has never been stung."


def test_words_beside_a_picture_choose_among_what_looks_alike(
    archive: Snapshot, embedder: Embedder
) -> None:
    rocket = photo("rocket")
    pages = Filters(kinds=(MomentKind.PAGE, MomentKind.PASSAGE))
    for words, page in (("greased bearings", 5), ("E47 filter blocked", 4)):
        best = ask(archive, embedder, Query(words, picture=rocket), filters=pages).hits[0]
        assert best.source.name == MANUAL
        assert best.place.page == page  # type: ignore[union-attr]


def test_more_like_a_moment_leaves_itself_out(archive: Snapshot, embedder: Embedder) -> None:
    bees = source_id(archive, BEES)
    own = archive.source_range(bees)
    texts = [one.moment.text for one in archive.moments(own)]
    ordinal = texts.index(BEE_TALK[7])
    found = ask(archive, embedder, Query(like=Like(bees, ordinal=ordinal)))
    assert found.like == Like(bees, ordinal=ordinal)
    assert own[ordinal] not in {reason.moment_id for hit in found for reason in hit.reasons}
    assert "treat the mites" in found[0].text.lower() or "Varroa treatment" in found[0].text
    elsewhere = ask(
        archive,
        embedder,
        Query(like=Like(bees, ordinal=ordinal)),
        filters=Filters(sources=(source_id(archive, COFFEE),)),
    )
    assert {hit.source.name for hit in elsewhere} == {COFFEE}


def test_what_goes_on_with_a_moment_is_at_its_place(archive: Snapshot) -> None:
    bees = source_id(archive, BEES)
    own = archive.source_range(bees)
    frame = MOMENT_KINDS.index(MomentKind.FRAME)
    frames = own.start + np.flatnonzero(archive.columns.kind[own.start : own.stop] == frame)
    assert len(frames) == 3  # three pictures of one cat, one after the other
    mask = at_the_place(archive, frames[1:2], gap_s=1.0)
    assert np.flatnonzero(mask).tolist() == frames.tolist()
    spoken = np.array([own.start])
    assert np.flatnonzero(at_the_place(archive, spoken, gap_s=1.0))[0] == own.start


def test_a_page_is_left_out_whole(archive: Snapshot, embedder: Embedder) -> None:
    manual = source_id(archive, MANUAL)
    found = ask(archive, embedder, Query(like=Like(manual, page=2)))
    assert len(found) == 5
    assert all((hit.source.name, getattr(hit.place, "page", None)) != (MANUAL, 2) for hit in found)


def test_words_beside_a_moment_count(archive: Snapshot, embedder: Embedder) -> None:
    like = Like(source_id(archive, BEES), time=archive.moments([0])[0].moment.span.start)
    best = ask(archive, embedder, Query("the second crack bitter cup", like=like)).hits[0]
    assert best.text == COFFEE_TALK[5]


def test_phrases_must_occur_in_what_vectors_find_too(archive: Snapshot, embedder: Embedder) -> None:
    strict = ask(archive, embedder, Query('"oxalic acid"'))
    assert len(strict) > 0
    assert all("oxalic acid" in hit.text.lower() for hit in strict)
    assert len(ask(archive, embedder, Query('"acid oxalic"'))) == 0
    loose = ask(archive, embedder, Query('"acid oxalic"', phrases="prefer"))
    assert "oxalic acid" in loose[0].text.lower()
    both = ask(archive, embedder, Query('when is it done "oxalic acid"'))
    assert {hit.place for hit in both} == {hit.place for hit in strict}
    seen = ask(archive, embedder, Query('"oxalic acid"', picture=photo("cat")))
    assert {hit.place for hit in seen} == {hit.place for hit in strict}


def test_words_that_match_nothing_are_taken_for_mistyped(
    archive: Snapshot, embedder: Embedder
) -> None:
    found = ask(archive, embedder, Query("sealling capacitr"))
    assert found.read_as == {"sealling": ("sealing",), "capacitr": ("capacitor",)}
    assert found[0].source.name == MANUAL
    as_typed_well = ask(archive, embedder, Query("sealing capacitor"))
    assert as_typed_well.read_as == {}
    assert found.best_text_cosine == as_typed_well.best_text_cosine  # what was meant is embedded
    exact = ask(archive, embedder, Query("sealling capacitr", typos="none"))
    assert exact.read_as == {}


def test_evidence_of_a_segment_speaks_for_its_moments(archive: Snapshot) -> None:
    (first, second), other = archive.segment(0).moments[:2], archive.segment(1).moments[0]
    joined = join_by_segment(archive, [(first, 1.0), (other, 0.9)], [(second, 1.0)])
    assert [moment for moment, _ in joined] == [first, second, other]
    assert [round(score, 3) for _, score in joined] == [0.95, 0.95, 0.45]


def test_seen_and_said_is_between(embedder: Embedder) -> None:
    one, other = embedder.embed_texts(["a cat", "snow in winter"])
    between = seen_and_said(one, other)
    assert np.linalg.norm(between) == pytest.approx(1.0, abs=1e-5)
    assert between @ one == pytest.approx(between @ other, abs=1e-4)


def test_a_picture_and_a_moment_at_once_are_refused(archive: Snapshot) -> None:
    like = Like(source_id(archive, BEES), ordinal=0)
    with pytest.raises(QuestionError, match="a picture or a moment"):
        replace(Query(like=like), picture=photo("cat"))
