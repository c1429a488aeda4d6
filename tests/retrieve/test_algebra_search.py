"""Expressions against nested loops over random hits, and end to end on the small archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from index.embedders import Embedder
from index.errors import QuestionError
from index.metadata import MetadataTable, SourceMetadata
from index.records import MomentKind, PageArea, Source, SourceKind, Span
from index.snapshot import Snapshot
from retrieve.algebra import (
    Between,
    Expression,
    Operand,
    Outermost,
    Part,
    Related,
    Without,
    across,
    after,
    before,
    between,
    count,
    during,
    exact,
    first,
    last,
    near,
    negated,
    parts_of,
    without,
)
from retrieve.algebra_search import PARTNERS_TOLD, Evaluation, Places, search_expression
from retrieve.algebra_text import as_expression, expression_of
from retrieve.filters import Filters
from retrieve.hits import Hit, Reason
from retrieve.operands import Matches
from retrieve.result import SearchResult
from retrieve.settings import RetrieveSettings
from tests.retrieve.archive import BEES, COFFEE, MANUAL, span_of_sentence
from tests.retrieve.test_algebra_text import parts

# --- against nested loops ------------------------------------------------------------------------

ORDERS = {"s0": 1, "s1": 0, "s2": 1, "s4": 2}
NUMBERS = {"s0": 0, "s1": 1, "s2": 2, "s3": 3, "s4": 4}
SOURCES = {
    name: Source(
        id=name,
        kind=SourceKind.DOCUMENT if name == "s4" else SourceKind.VIDEO,
        name=name,
        size_bytes=1,
        duration=None if name == "s4" else Fraction(100),
        pages=9 if name == "s4" else None,
    )
    for name in NUMBERS
}


@st.composite
def _hits(draw: st.DrawFn) -> tuple[Hit, ...]:
    places = draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(NUMBERS)), st.integers(0, 9), st.integers(1, 4)),
            max_size=5,
        )
    )
    hits = []
    for number, (name, start, length) in enumerate(places):
        place: Span | PageArea = PageArea(start + 1, str(start + 1))
        if name != "s4":
            place = Span(Fraction(start, 3), Fraction(start + length, 3))
        reason = Reason(MomentKind.UTTERANCE, 0.5, "", number)
        hits.append(Hit(number + 1, 0.5, SOURCES[name], place, "", (reason,), number, number, 0))
    return tuple(hits)


def _holds(relation: str, one: Hit, other: Hit, at_most: Fraction | None, is_across: bool) -> bool:
    a, b = one.place, other.place
    if isinstance(a, PageArea) or isinstance(b, PageArea):
        return False
    if one.source != other.source:
        own, others = ORDERS.get(one.source.id), ORDERS.get(other.source.id)
        if not is_across or at_most is not None or own is None or others is None:
            return False
        return {"before": own < others, "after": own > others}.get(relation, False)
    near_enough = at_most is None or a.gap_to(b) <= at_most
    return (
        near_enough
        and {
            "before": a.end <= b.start,
            "after": a.start >= b.end,
            "during": b.start <= a.start and a.end <= b.end,
            "near": True,
        }[relation]
    )


def _position(hit: Hit) -> tuple[Fraction | int, Fraction | int]:
    if isinstance(hit.place, Span):
        return hit.place.start, hit.place.end
    return hit.place.page, 0


def _naive(part: Part, found: Mapping[Operand, Sequence[Hit]], is_across: bool) -> list[Hit]:
    match part:
        case Operand():
            return list(found[part])
        case Related(left, relation, right, at_most, is_negated):
            others = _naive(right, found, is_across)
            return [
                hit
                for hit in _naive(left, found, is_across)
                if isinstance(hit.place, Span)
                and any(_holds(relation, hit, one, at_most, is_across) for one in others)
                is not is_negated
            ]
        case Between(left, earlier, later, is_negated):
            starts = _naive(earlier, found, is_across)
            ends = _naive(later, found, is_across)
            return [
                hit
                for hit in _naive(left, found, is_across)
                if isinstance(hit.place, Span)
                and (
                    any(_holds("after", hit, one, None, is_across) for one in starts)
                    and any(_holds("before", hit, one, None, is_across) for one in ends)
                )
                is not is_negated
            ]
        case Without(left, other):
            others = _naive(other, found, is_across)
            held = {hit.source.id for hit in others}
            return [
                hit
                for hit in _naive(left, found, is_across)
                if not (held if is_across else hit.source.id in held)
            ]
        case Outermost(end, of):
            hits = _naive(of, found, is_across)
            choose = min if end == "first" else max
            groups: dict[str, list[Hit]] = {}
            for hit in hits:
                if not is_across or hit.source.id in ORDERS:
                    groups.setdefault("" if is_across else hit.source.id, []).append(hit)
            best = {
                name: choose(own, key=lambda hit: (
                    ORDERS.get(hit.source.id, 0), NUMBERS[hit.source.id], _position(hit)
                ))
                for name, own in groups.items()
            }  # fmt: skip
            return [hit for hit in hits if any(hit is one for one in best.values())]


def _bare(hits: Sequence[Hit]) -> list[tuple[str, Span | PageArea]]:
    return [(hit.source.id, hit.place) for hit in hits]


@hypothesis_settings(max_examples=100)
@given(parts, st.booleans(), st.data())
def test_expressions_keep_what_nested_loops_keep(
    part: Part, is_across: bool, data: st.DataObject
) -> None:
    operands = dict.fromkeys(one for one in parts_of(part) if isinstance(one, Operand))
    found = {operand: data.draw(_hits()) for operand in operands}
    matches = {operand: Matches(hits, 9, complete=True) for operand, hits in found.items()}
    evaluation = Evaluation(matches, Places(NUMBERS, ORDERS), is_across)
    hits = evaluation.hits_of(part)
    assert _bare(hits) == _bare(_naive(part, found, is_across))
    assert evaluation.steps[-1].kept == len(hits)
    if isinstance(part, Related) and isinstance(part.left, Operand) and not part.negated:
        for hit in hits:
            assert 1 <= len(hit.partners) <= PARTNERS_TOLD
            for partner in hit.partners:
                assert _holds(part.relation, hit, partner.hit, part.at_most, is_across)


# --- end to end ----------------------------------------------------------------------------------


def ask(
    archive: Snapshot,
    embedder: Embedder,
    query: str | Part | Expression,
    *,
    k: int = 10,
    filters: Filters | None = None,
) -> SearchResult:
    expression = as_expression(query)
    assert expression is not None
    return search_expression(
        archive,
        embedder,
        expression,
        k=k,
        filters=filters or Filters(),
        settings=RetrieveSettings(),
    )


def sentences(result: SearchResult) -> list[tuple[str, int]]:
    """Source and number of the sentence of each hit that is one."""
    numbers = {span_of_sentence(number): number for number in range(20)}
    return sorted(
        (hit.source.name, numbers[hit.place])
        for hit in result.hits
        if isinstance(hit.place, Span) and hit.place in numbers
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        # queen: 5 and 6; mites: 7, 8 and a slide; honey: 12, 14 and 17
        ('"queen" BEFORE "varroa mites"', [5, 6]),
        ('"queen" BEFORE "eggs a day"', []),
        ('"queen" AFTER "eggs a day"', [6]),
        ('"honey" AFTER EXACT "lime blossom"', [17]),
        ('"honey" WITHIN 60s AFTER EXACT "lime blossom"', [17]),
        ('"honey" WITHIN 9s OF EXACT "lime blossom"', [12, 14]),
        ('"honey" NOT WITHIN 9s OF EXACT "lime blossom"', [17]),
        ('"honey" BETWEEN "gloves and goggles" AND "stung"', [12, 14]),
        ('"honey" NOT BETWEEN "gloves and goggles" AND "stung"', [17]),
        ('"gloves" DURING "varroa treatment"', [9]),
        ('FIRST "honey"', [12]),
        ('LAST "honey"', [17]),
        ('"honey" AFTER FIRST "honey"', [14, 17]),
        ('"honey" AFTER ("gloves and goggles" AFTER "queen")', [12, 14, 17]),
        ('"honey" BEFORE "football"', []),
        ('"honey" NOT BEFORE "football"', [12, 14, 17]),
        ('"honey" NOT "queen"', []),
        ('"honey" NOT "football"', [12, 14, 17]),
        ('EXACT "acid burns the skin"', [9]),
        ('EXACT "acid skin burns"', []),
    ],
)
def test_expressions_find_their_sentences(
    archive: Snapshot, embedder: Embedder, query: str, found: list[int]
) -> None:
    result = ask(archive, embedder, query)
    assert sentences(result) == [(BEES, number) for number in found]
    assert [hit.rank for hit in result.hits] == list(range(1, len(result.hits) + 1))
    assert result.expression == query


def test_partners_say_what_makes_a_hit_true(archive: Snapshot, embedder: Embedder) -> None:
    result = ask(archive, embedder, near("gloves and goggles", "oxalic acid", 5))
    (hit,) = result.hits
    assert {partner.relation for partner in hit.partners} == {"within 5s of"}
    assert {partner.expression for partner in hit.partners} == {'"oxalic acid"'}
    assert span_of_sentence(8) in {partner.hit.place for partner in hit.partners}
    assert hit.partners[0].hit.source == hit.source


def test_the_explanation_tells_each_step(archive: Snapshot, embedder: Embedder) -> None:
    result = ask(archive, embedder, '"filter cartridge" BEFORE "queen"')
    assert result.hits == ()
    assert result.explanation is not None
    steps = result.explanation.steps
    assert [step.expression for step in steps] == [
        '"filter cartridge"',
        '"queen"',
        '"filter cartridge" BEFORE "queen"',
    ]
    assert [step.is_operand for step in steps] == [True, True, False]
    assert steps[1].kept == 2
    assert steps[2].on_pages == steps[0].kept > 0
    assert steps[2].pairs == 0
    assert "SELECT kept.number" in str(steps[2].statement)


def test_pages_have_an_order_and_no_time(archive: Snapshot, embedder: Embedder) -> None:
    all_pages = ask(archive, embedder, '"pump" NOT "football"', k=50)
    numbers = [hit.place.page for hit in all_pages.hits if isinstance(hit.place, PageArea)]
    assert len(numbers) > 2
    for build, choose in ((first, min), (last, max)):
        (hit,) = ask(archive, embedder, build("pump")).hits
        assert hit.source.name == MANUAL
        assert isinstance(hit.place, PageArea)
        assert hit.place.page == choose(numbers)
    assert ask(archive, embedder, 'COUNT "pump" NOT DURING "pump"').hits == ()


def test_counts_are_told_by_source(archive: Snapshot, embedder: Embedder) -> None:
    result = ask(archive, embedder, count("honey"), k=1)
    assert result.count is not None
    assert (result.count.total, result.count.complete) == (3, True)
    assert [(source.name, own) for source, own in result.count.by_source] == [(BEES, 3)]
    assert len(result.hits) == 1
    few = replace(RetrieveSettings(), operand_candidates=2)
    expression = as_expression(count("honey"))
    assert expression is not None
    cut = search_expression(
        archive, embedder, expression, k=5, filters=Filters(), settings=few
    ).count
    assert cut is not None
    assert not cut.complete


def test_across_sources_the_order_is_what_metadata_say(
    archive: Snapshot, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {source.name: source.id for source in archive.sources.values()}

    def said(**days: str | int) -> None:
        names = {"bees": BEES, "coffee": COFFEE}
        held = {ids[names[name]]: SourceMetadata({"day": day}) for name, day in days.items()}
        monkeypatch.setattr(archive, "metadata", MetadataTable(held, archive.source_ids))

    said(bees="2021-05-01", coffee="2019-03-02")
    mites_after = across(after("varroa mites", "first crack"), "day")
    assert (BEES, 7) in sentences(ask(archive, embedder, mites_after))
    assert ask(archive, embedder, after("varroa mites", "first crack")).hits == ()
    assert ask(archive, embedder, across(before("varroa mites", "first crack"), "day")).hits == ()
    earliest = ask(archive, embedder, across(first("coffee"), "day"))
    assert [hit.source.name for hit in earliest.hits] == [COFFEE]
    said(bees=1, coffee=1)
    assert ask(archive, embedder, mites_after).hits == ()
    said(bees=2, coffee="2019")
    with pytest.raises(QuestionError, match="cannot be ordered by 'day'"):
        ask(archive, embedder, mites_after)
    with pytest.raises(QuestionError, match="no source has metadata 'year' to order by; there is"):
        ask(archive, embedder, across(first("honey"), "year"))


def test_without_across_looks_at_every_source(archive: Snapshot, embedder: Embedder) -> None:
    assert sentences(ask(archive, embedder, without("honey", "first crack")))
    assert ask(archive, embedder, across(without("honey", "first crack"))).hits == ()


def test_filters_hold_for_every_operand(archive: Snapshot, embedder: Embedder) -> None:
    late = Filters(within=Span(span_of_sentence(6).start, span_of_sentence(17).end))
    result = ask(archive, embedder, during("queen", "queen"), filters=late)
    assert sentences(result) == [(BEES, 6)]
    spoken = Filters(kinds=(MomentKind.UTTERANCE,))
    assert ask(archive, embedder, during("gloves", "varroa treatment"), filters=spoken).hits == ()


def test_k_is_checked_and_hits_are_built_from_python_as_from_text(
    archive: Snapshot, embedder: Embedder
) -> None:
    with pytest.raises(QuestionError, match="at least 1"):
        ask(archive, embedder, first("honey"), k=0)
    built = ask(archive, embedder, negated(between("honey", "gloves and goggles", "stung")))
    typed = '"honey" NOT BETWEEN "gloves and goggles" AND "stung"'
    assert expression_of(typed) is not None
    assert built.hits == ask(archive, embedder, typed).hits
    assert ask(archive, embedder, exact("HV 2207 B")).hits
