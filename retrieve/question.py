"""A question as typed: where it says to look, and the rest of its words, which are looked for.

Times are relative to each source that they may mean: the named ones, else every video, by its own
length. Conservative: what does not fit any of them stays in the words that are looked for, and so
does what may be a part of the content (`is_content`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from index.clock import format_clock
from index.folding import fold, fold_with_places
from index.records import MomentKind, Source, Span
from index.words import LOOKUP_STOP_WORDS, STOP_WORDS
from retrieve.kind_words import find_kinds
from retrieve.page_words import find_pages
from retrieve.source_names import NamedSource, find_sources
from retrieve.time_expressions import TimeExpression, bare_clock, find_times, spans_of
from retrieve.time_symbols import LANGUAGES

_SPANS_TOLD = 3
_DOCUMENTS_MEANT = 3
"""Of more, "page 12" says too little."""
_CUT = "\x00"
_STOP = STOP_WORDS | LOOKUP_STOP_WORDS
_IDLE = re.compile(
    "|".join(
        rf"(?<!\w)(?:{one.idle})(?!\w)" if one.spaced else f"(?:{one.idle})" for one in LANGUAGES
    )
)
_QUOTED = re.compile('"[^"]*"|“[^”]*”|«[^»]*»|「[^」]*」')
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


@dataclass(frozen=True, slots=True)
class Question:
    """What was understood of a question."""

    text: str
    """As asked."""
    searched: str
    """The rest, which is searched for; all of it when nothing else was understood."""
    sources: tuple[str, ...] | None = None
    """Ids of the sources that are named."""
    spans: tuple[tuple[str, Span], ...] | None = None
    """Where to look, by source; sources without a span are not meant."""
    instants: tuple[tuple[str, Fraction], ...] = ()
    """Instants that are named, by source; they lie in the spans."""
    pages: tuple[tuple[str, frozenset[int]], ...] | None = None
    """Pages that are named, by source."""
    kinds: tuple[MomentKind, ...] | None = None
    notes: tuple[str, ...] = ()
    """What was understood, in words."""
    doubtful: bool = False
    """True when some of it may be content after all: kinds, and times that are not sure."""

    @property
    def is_restricted(self) -> bool:
        """True when it says where to look."""
        said = (self.sources, self.spans, self.pages, self.kinds)
        return any(one is not None for one in said)

    @property
    def has_words(self) -> bool:
        """False when it only asks what there is: "what happened in the second hour?" """
        left = _IDLE.sub(" ", fold(self.searched))
        return any(word not in _STOP for word in _WORD.findall(left))


def literal(text: str) -> Question:
    """A question of which nothing is to be understood."""
    return Question(text, text)


def analyse(
    text: str,
    sources: Sequence[Source],
    *,
    doubtful: bool = True,
    is_content: Callable[[str, str], bool] = lambda words, rest: False,
    labels_of: Callable[[str], Mapping[str, int]] = lambda source_id: {},
) -> Question:
    """Understand a question about these sources.

    With `doubtful` False only what is sure is read. `is_content(words, rest)` is asked of pages and
    of times that are not sure: True leaves the words in what is searched for. `labels_of` tells
    what is printed on the pages of a document, folded.
    """
    named = find_sources(text, sources)
    without_names = _cut(text, [(one.start, one.end) for one in named])
    ids = tuple(dict.fromkeys(source_id for one in named for source_id in one.source_ids))
    meant = [source for source in sources if not ids or source.id in ids]
    notes = [_told_sources(named, sources)] if named else []

    named_pages, pages = (
        _pages(without_names, meant, labels_of, is_content) if doubtful else ([], ())
    )
    if named_pages:
        notes.append(_told_pages(pages, meant))
        without_names = _cut(without_names, named_pages)

    times, spans, kept = _times(without_names, meant, doubtful, is_content)
    notes += kept
    if times:
        notes.append(_told_times(times, spans, meant))
    rest = _cut(without_names, [(one.start, one.end) for one in times])

    kinds: tuple[MomentKind, ...] | None = None
    folded = fold_with_places(rest)
    there = {source.kind for source in meant}
    named_kinds = [
        one
        for one in (find_kinds(_QUOTED.sub(_masked, folded.text)) if doubtful else ())
        if there & {kind.source_kind for kind in one.kinds}
    ]
    if named_kinds:
        kinds = named_kinds[0].kinds
        named_kinds = [one for one in named_kinds if one.kinds == kinds]
        notes.append(f"only {', '.join(kinds)}")
    rest = _cut(rest, [folded.span(one.start, one.end) for one in named_kinds])
    return Question(
        text=text,
        searched=_tidy(rest) if named or named_pages or times or named_kinds else text,
        sources=ids or None,
        spans=spans if times else None,
        instants=_instants(times, spans, meant),
        pages=pages or None,
        kinds=kinds,
        notes=tuple(notes),
        doubtful=bool(named_kinds or named_pages) or any(not one.sure for one in times),
    )


def _pages(
    text: str,
    sources: Sequence[Source],
    labels_of: Callable[[str], Mapping[str, int]],
    is_content: Callable[[str, str], bool],
) -> tuple[list[tuple[int, int]], tuple[tuple[str, frozenset[int]], ...]]:
    """Where pages are named in a text, and which they are, by source."""
    documents = [source for source in sources if source.pages]
    folded = fold_with_places(text)
    found = find_pages(_QUOTED.sub(_masked, folded.text))
    if not found or len(documents) > _DOCUMENTS_MEANT:
        return [], ()
    spans = [folded.span(one.start, one.end) for one in found]
    rest = _tidy(_cut(text, spans))
    found = tuple(
        one
        for one, (start, end) in zip(found, spans, strict=True)
        if not is_content(text[start:end], rest)
    )
    places: list[tuple[int, int]] = []
    pages: dict[str, frozenset[int]] = {}
    for source in documents:
        labels = labels_of(source.id)
        for one in found:
            own = one.among(labels, source.pages or 0)
            if own:
                places.append(folded.span(one.start, one.end))
                pages[source.id] = pages.get(source.id, frozenset()) | own
    return places, tuple(pages.items())


def _told_pages(pages: Sequence[tuple[str, frozenset[int]]], sources: Sequence[Source]) -> str:
    names = {source.id: source.name for source in sources}
    told = [
        f"page {min(own)}{f'-{max(own)}' if len(own) > 1 else ''} of {names[source_id]}"
        for source_id, own in pages
    ]
    return f"only {' and '.join(told)}"


def _times(
    text: str, sources: Sequence[Source], doubtful: bool, is_content: Callable[[str, str], bool]
) -> tuple[list[TimeExpression], tuple[tuple[str, Span], ...], list[str]]:
    """The times that say where to look, where that is, and notes on those that do not."""
    alone = bare_clock(text.replace(_CUT, " "))
    found = [alone] if alone else find_times(text)
    if not found:
        return [], (), []
    lengths = [(source.id, source.duration) for source in sources if source.duration is not None]
    known: dict[Fraction, tuple[Span, ...]] = {}
    times: list[TimeExpression] = []
    notes: list[str] = []
    rest = _tidy(_cut(text, [(one.start, one.end) for one in found]))
    for one in found:
        if not one.sure and (not doubtful or is_content(one.words, rest)):
            notes.append(f"“{one.words}” is taken for words to look for")
        elif not any(one.spans_in(length) for length in {length for _, length in lengths}):
            notes.append(f"“{one.words}” fits no video here and is taken for words to look for")
        else:
            times.append(one)
    for _, length in lengths:
        if length not in known:
            known[length] = spans_of(times, length)
    spans = tuple((source_id, span) for source_id, length in lengths for span in known[length])
    return times, spans, notes


def _instants(
    times: Sequence[TimeExpression], spans: Sequence[tuple[str, Span]], sources: Sequence[Source]
) -> tuple[tuple[str, Fraction], ...]:
    """The named instants that all the times together leave."""
    lengths = {one.id: one.duration for one in sources if one.duration is not None}
    found = (
        (source_id, instant)
        for source_id, span in spans
        for one in times
        for instant in one.instants_in(lengths[source_id])
        if span.start <= instant <= span.end
    )
    return tuple(dict.fromkeys(found))


def _told_sources(named: Sequence[NamedSource], sources: Sequence[Source]) -> str:
    wanted = {source_id for one in named for source_id in one.source_ids}
    return f"only in {', '.join(source.name for source in sources if source.id in wanted)}"


def _told_times(
    times: Sequence[TimeExpression],
    spans: Sequence[tuple[str, Span]],
    sources: Sequence[Source],
) -> str:
    """The words and where they say to look: as spans when few, else in how many videos."""
    words = ", ".join(f"“{one.words}”" for one in times)
    names = {source.id: source.name for source in sources}
    if len({span for _, span in spans}) <= _SPANS_TOLD:
        places = dict.fromkeys(_told_span(span) for _, span in spans)
        told = " and ".join(places)
    else:
        told = "of each its own stretch"
    videos = list(dict.fromkeys(names[source_id] for source_id, _ in spans))
    where = f"of {videos[0]}" if len(videos) == 1 else f"of {len(videos)} videos"
    return f"{words}: {told} {where}"


def _told_span(span: Span) -> str:
    return f"{format_clock(span.start, 0)}-{format_clock(span.end, 0)}"


def _cut(text: str, places: Sequence[tuple[int, int]]) -> str:
    """The text with marks of the same length where something was understood."""
    for start, end in places:
        text = text[:start] + _CUT * (end - start) + text[end:]
    return text


def _masked(quoted: re.Match[str]) -> str:
    return _CUT * len(quoted.group())


def _tidy(text: str) -> str:
    """What is left, as one would have typed it."""
    joined = re.sub(rf"\s*{_CUT}+\s*", " ", text)
    joined = re.sub(r"\s+([?!.,;:。，？！、；])", r"\1", joined)
    joined = re.sub(r"([,;，、])(?=[?!.。？！])", "", joined)
    return joined.strip(" \t\n,;:，、；")
