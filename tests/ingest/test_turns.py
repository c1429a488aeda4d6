"""Videos are cut where the topic of what is said turns."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.embedders import open_embedder
from index.records import Moment, MomentKind, Span
from index.settings import EmbedderSettings
from ingest.segments import segment_video
from ingest.settings import SegmentSettings
from ingest.turns import turn_depths

SETTINGS = SegmentSettings()
DIMS = 64
SENTENCE_S = Fraction(9, 2)
WORD_S = Fraction(2, 5)
PAUSE_S = Fraction(1, 2)

Vectors = npt.NDArray[np.float32]

BREAD = (
    "A good loaf of bread begins with flour, water, salt and a little yeast.",
    "Mix the flour and the water first, and leave the dough alone for half an hour.",
    "Then knead it on the table until it is smooth and does not stick to your hands.",
    "Strong flour takes up more water than the flour you use for cakes.",
    "Put the dough into an oiled bowl and cover it with a wet cloth.",
    "In a warm kitchen it doubles its size in about two hours.",
    "A slow rise in the refrigerator gives the bread more taste.",
    "Shape the loaf gently, so that the bubbles inside stay whole.",
    "Cut the top with a sharp knife just before it goes into the oven.",
    "A bowl of hot water in the oven makes the crust thin and crisp.",
    "Bake the bread until its bottom sounds hollow when you knock on it.",
    "Let the loaf cool on a rack before you cut the first slice.",
)
PLANETS = (
    "Saturn is the sixth planet from the sun and the second largest one.",
    "Its rings are made of ice and rock, from grains of dust to blocks as big as houses.",
    "Galileo saw the rings through his telescope and took them for two moons.",
    "Jupiter, its neighbour, has a storm that is wider than the whole earth.",
    "Both giants consist mostly of hydrogen and helium.",
    "A year on Saturn lasts more than twenty-nine of our years.",
    "Space probes flew past the outer planets and sent pictures of their moons.",
    "Titan, the largest moon of Saturn, has lakes of liquid methane.",
    "Under the ice of Europa there may be an ocean of salt water.",
    "Astronomers search these oceans for chemical traces of life.",
    "Neptune was found by calculation before anyone had seen it in the sky.",
    "Beyond its orbit there are thousands of small icy worlds.",
)
TAXES = (
    "Everybody who earns money in the town must hand in a tax return once a year.",
    "The form asks for your wages, your interest and the rent you receive.",
    "Keep the receipts of everything that you want to deduct from your income.",
    "Families with children pay less, because there is an allowance for each child.",
    "Whoever is late pays a fine to the revenue office.",
    "Self-employed people pay their income tax in four parts in advance.",
    "An accountant can fill in the form for you, but you must sign it yourself.",
    "Companies pay tax on their profits, and not on their sales.",
    "Value added tax is collected by the shops and passed on to the state.",
    "If you have paid too much, the office sends the money back to your bank account.",
    "You may object to a tax notice in writing within one month.",
    "The court decides when the taxpayer and the office cannot agree.",
)
TALKS = {
    "three subjects": (TAXES, BREAD, PLANETS),
    "another order": (PLANETS, TAXES, BREAD),
    "unequal length": (TAXES[:8], PLANETS[:11], BREAD[:7]),
}


def _talk(lengths_s: Sequence[Fraction]) -> tuple[list[Moment], Fraction]:
    """Utterances of these lengths with equal pauses; how long the talk lasts."""
    at, said = Fraction(0), []
    for number, length_s in enumerate(lengths_s):
        said.append(Moment(MomentKind.UTTERANCE, Span(at, at + length_s), f"sentence {number}"))
        at += length_s + PAUSE_S
    return said, at


def _even_talk(count: int) -> tuple[list[Moment], Fraction]:
    return _talk([SENTENCE_S] * count)


def _topics(counts: list[int], seed: int, likeness: float = 0.4) -> Vectors:
    """Vectors of sentences, so many of each topic; two of one topic have about this cosine."""
    chance = np.random.default_rng(seed)
    noise = _unit(chance.normal(size=(sum(counts), DIMS)))
    topics = _unit(chance.normal(size=(len(counts), DIMS)))
    own = np.repeat(topics, counts, axis=0)
    vectors = likeness**0.5 * own + (1 - likeness) ** 0.5 * noise
    return _unit(vectors).astype(np.float32)


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    rows: npt.NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


def _cuts(
    moments: list[Moment], vectors: Vectors, duration: Fraction, shots: tuple[Fraction, ...] = ()
) -> set[Fraction]:
    segments = segment_video(moments, vectors, shots, duration, SETTINGS)
    return {segment.extent.start for segment in segments if isinstance(segment.extent, Span)}


@pytest.mark.parametrize("first", range(5, 20))
def test_the_cut_is_exactly_at_the_turn(first: int) -> None:
    moments, duration = _even_talk(24)
    turn = moments[first].span.start
    vectors = _topics([first, 24 - first], seed=first)
    cuts = _cuts(moments, vectors, duration)
    assert turn in cuts
    assert not any(0 < abs(cut - turn) < SETTINGS.min_s for cut in cuts)


def test_a_turn_outweighs_a_shot_nearby_but_a_shot_any_other_border() -> None:
    moments, duration = _even_talk(16)
    vectors = _topics([8, 8], seed=3)
    turn, shot = moments[8].span.start, moments[7].span.start - PAUSE_S / 2
    assert turn in _cuts(moments, vectors, duration, (shot,))
    same = np.repeat(vectors[:1], 16, axis=0)
    assert _cuts(moments, same, duration, (shot,)) == {0, shot}


def test_a_turn_while_nothing_is_said_is_paid_once() -> None:
    moments, _ = _even_talk(20)
    late = [
        Moment(moment.kind, Span(moment.span.start + 90, moment.span.end + 90), moment.text)
        for moment in moments[10:]
    ]
    vectors = _topics([10, 10], seed=5)
    told = [*moments[:10], *late]
    with_turn = _cuts(told, vectors, Fraction(190))
    without = _cuts(told, np.repeat(vectors[:1], 20, axis=0), Fraction(190))
    silence = Span(moments[9].span.end, late[0].span.start)
    assert late[0].span.start in with_turn
    assert sum(cut in silence for cut in with_turn) <= sum(cut in silence for cut in without)


@pytest.fixture(scope="module")
def embedded() -> dict[str, Vectors]:
    """Vectors of all sentences of the talks."""
    texts = [*BREAD, *PLANETS, *TAXES]
    vectors = open_embedder(EmbedderSettings()).embed_texts(texts)
    return dict(zip(texts, vectors, strict=True))


@pytest.mark.parametrize("name", TALKS)
def test_real_sentences_are_cut_where_the_subject_changes(
    name: str, embedded: dict[str, Vectors]
) -> None:
    parts = TALKS[name]
    texts = [text for part in parts for text in part]
    moments, duration = _talk([len(text.split()) * WORD_S for text in texts])
    vectors = np.stack([embedded[text] for text in texts])
    first = np.cumsum([len(part) for part in parts])[:-1]
    turns = {moments[row].span.start for row in first}
    cuts = _cuts(moments, vectors, duration)
    assert turns <= cuts
    without = _cuts(moments, np.repeat(vectors[:1], len(texts), axis=0), duration)
    assert not turns & without


def test_depths_are_the_same_when_all_cosines_lie_close_together() -> None:
    spans = [moment.span for moment in _even_talk(30)[0]]
    vectors = _topics([12, 18], seed=1)
    squeezed = _unit(np.hstack([np.full((30, 1), 5.0), vectors])).astype(np.float32)
    assert (squeezed @ squeezed.T).min() > 0.9
    depths = turn_depths(spans, vectors)
    assert depths.argmax() == 11
    assert turn_depths(spans, squeezed) == pytest.approx(depths, abs=1e-3)


@given(st.integers(0, 12), st.integers(0, 3))
def test_depths_without_difference_are_none(count: int, seed: int) -> None:
    spans = [moment.span for moment in _even_talk(count)[0]]
    same = np.repeat(_topics([1], seed), count, axis=0)
    assert turn_depths(spans, same) == pytest.approx(np.zeros(max(0, count - 1)), abs=1e-6)


def test_sentences_far_apart_tell_nothing() -> None:
    spans = [Span(Fraction(30 * at), Fraction(30 * at + 5)) for at in range(4)]
    assert turn_depths(spans, np.eye(4, dtype=np.float32)).tolist() == [0, 0, 0]


def test_opposite_and_absent_meanings_are_no_error() -> None:
    spans = [moment.span for moment in _even_talk(6)[0]]
    vectors = np.zeros((6, 2), np.float32)
    vectors[:, 0] = (1, -1, 0, 0, 1, -1)
    depths = turn_depths(spans, vectors)
    assert np.isfinite(depths).all()
    assert (depths >= 0).all()


def test_every_utterance_needs_a_vector() -> None:
    with pytest.raises(ValueError, match="one vector an utterance"):
        turn_depths([Span(Fraction(0), Fraction(1))], np.zeros((2, 3), np.float32))
