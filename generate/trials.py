"""Trials: a sentence of a model beside the words that may prove it, and how well they do.

A cheap ladder. The words in common, weighed by their rarity among the evidence (inverse document
frequency, Spärck Jones 1972); what is at odds (`generate.conflicts`); likeness of meaning by the
library's own embedder, for those that words alone do not prove.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np

from generate.answer_sentence import Verdict
from generate.cited_places import SLACK_S
from generate.conflicts import Comparison, Reading, compare, read
from generate.evidence import Evidence
from generate.quantities import Quantity, is_same
from generate.settings import ProofSettings
from generate.windows import Window, windows_of
from index.embedders import Embedder
from index.records import PageArea
from retrieve.words import content_words

_KIN_CREDIT = 0.8
"""What a word counts of which only another form is there: calibration for calibrate."""
_CONTEXT_CREDIT = 0.5
"""What a word counts that stands only elsewhere in the same evidence."""
_SHORTEST_KIN = 5
_KIN_SHARE = 0.7
_TRIED = 6
"""Windows of cited evidence that are read for their meaning, and as many of others."""
_EVERY_WORD = 0.999
_OTHERS = 8
"""Pieces of evidence that were not cited in which a sentence is looked for."""
_JOINED = 3
"""Pieces of evidence that may prove a sentence together."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A sentence beside one window, or one each of several pieces of evidence."""

    windows: tuple[Window, ...]
    is_cited: bool
    cover: float
    """Share of the sentence's telling words that are there, weighed by rarity, 0..1."""
    about: float
    """The same of the words that are not at odds."""
    comparison: Comparison
    cosine: float = 0.0
    """Likeness of meaning; 0 where words have proved the sentence already."""
    word_cosines: tuple[float, ...] = ()
    """Of each word that stands in another's place."""

    def score(self, settings: ProofSettings) -> float:
        """Words and meaning, 0..1."""
        if self.is_proved_by_words:
            return self.cover
        return _mixed(self.cosine, self.cover, settings)

    def relatedness(self, settings: ProofSettings) -> float:
        """As the score, of what is not at odds: how much the two are about one thing, 0..1."""
        return _mixed(self.cosine, self.about, settings)

    def verdict(self, settings: ProofSettings) -> Verdict:
        """What these words say about the sentence."""
        if self.at_odds(settings):
            is_about = self.relatedness(settings) >= settings.about_from
            return "contradicted" if is_about else "not shown"
        if self.comparison.missing:
            return "not shown"
        return "supported" if self.score(settings) >= settings.supported_from else "not shown"

    def at_odds(self, settings: ProofSettings) -> tuple[str, ...]:
        """What is said differently, words that are no synonyms among it, for readers."""
        pairs = zip(self.comparison.replaced, self.word_cosines, strict=False)
        others = [
            f"{new}: the evidence says {old}"
            for (new, old), cosine in pairs
            if cosine < settings.synonyms_from
        ]
        return (*self.comparison.conflicts, *others)

    @property
    def is_proved_by_words(self) -> bool:
        """True when every word of the sentence is there and nothing is at odds."""
        at_odds = self.comparison.conflicts or self.comparison.missing or self.comparison.replaced
        return self.cover >= _EVERY_WORD and not at_odds

    @property
    def reading(self) -> Reading:
        """All of its windows, read as one text."""
        return _read_together(self.windows)


class Reader:
    """Reads sentences against one list of evidence. What it has read of the evidence it keeps."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._evidence = evidence
        self._around = {
            piece.id: read(f"{piece.source.name} {piece.heading}. {piece.text}")
            for piece in evidence
        }
        self._windows: dict[str, tuple[Window, ...]] = {}
        self._holding: dict[str, int] = {}
        for around in self._around.values():
            for one in around.stems:
                self._holding[one] = self._holding.get(one, 0) + 1

    def trials(self, text: str, cited: Sequence[Evidence]) -> list[Trial]:
        """A sentence beside the windows that hold most of its words; cosines are not set yet."""
        claim = read(text)
        weights = self._weights(claim)
        own = {piece.id for piece in cited}
        others = [piece for piece in self._evidence if piece.id not in own]
        covers = {piece.id: self._cover(weights, self._around[piece.id]) for piece in others}
        others.sort(key=lambda piece: -covers[piece.id])
        near = self._tried(claim, weights, cited, is_cited=True)
        return [
            *near[:_TRIED],
            *self._together(claim, weights, near),
            *self._tried(claim, weights, others[:_OTHERS], is_cited=False)[:_TRIED],
        ]

    def _tried(
        self,
        claim: Reading,
        weights: dict[str, float],
        pieces: Iterable[Evidence],
        *,
        is_cited: bool,
    ) -> list[Trial]:
        """Windows by words in common, then short ones first."""
        trials = [
            self._trial(claim, weights, (window,), is_cited=is_cited)
            for piece in pieces
            for window in self._windows_of(piece)
        ]
        return sorted(trials, key=lambda one: (-round(one.cover, 2), one.windows[0].sentences))

    def _together(
        self, claim: Reading, weights: dict[str, float], near: Sequence[Trial]
    ) -> list[Trial]:
        """The best windows of all cited evidence as one text: some sentences need two proofs."""
        best: dict[str, Window] = {}
        for trial in near:
            best.setdefault(trial.windows[0].evidence.id, trial.windows[0])
        windows = tuple(best.values())[:_JOINED]
        if len(windows) < 2:
            return []
        return [self._trial(claim, weights, windows, is_cited=True)]

    def _trial(
        self,
        claim: Reading,
        weights: dict[str, float],
        windows: tuple[Window, ...],
        *,
        is_cited: bool,
    ) -> Trial:
        said = _read_together(windows)
        around = self._around_of(windows)
        told = _without_places(claim, windows)
        comparison = compare(told, said, around=around)
        cover = self._cover(weights, said, around, quantities=told.quantities)
        even = {word: weight for word, weight in weights.items() if word not in comparison.odd}
        held = [one for one in told.quantities if one.written not in comparison.missing]
        about = self._cover(even, said, around, quantities=held)
        return Trial(windows, is_cited, cover, about, comparison)

    def _around_of(self, windows: Sequence[Window]) -> Reading:
        readings = [self._around[window.evidence.id] for window in windows]
        if len(readings) == 1:
            return readings[0]
        return read(" ".join(one.text for one in readings))

    def _windows_of(self, piece: Evidence) -> tuple[Window, ...]:
        if piece.id not in self._windows:
            self._windows[piece.id] = windows_of(piece)
        return self._windows[piece.id]

    def _weights(self, claim: Reading) -> dict[str, float]:
        """Rarity of each telling word of a sentence; numbers count by themselves."""
        counted = {word for one in claim.quantities for word in content_words(one.written)}
        total = len(self._evidence)
        return {
            one: log(1 + (total + 1) / (1 + self._holding.get(one, 0)))
            for one in sorted(claim.stems - counted)
        }

    def _cover(
        self,
        weights: dict[str, float],
        said: Reading,
        around: Reading | None = None,
        *,
        quantities: Sequence[Quantity] = (),
    ) -> float:
        rare = log(2 + len(self._evidence))
        total = sum(weights.values()) + rare * len(quantities)
        held = sum(weight * _credit(word, said, around) for word, weight in weights.items())
        held += rare * sum(
            any(is_same(one, other) for other in said.quantities) for one in quantities
        )
        return held / total if total else 0.0


def with_meaning(
    texts: Sequence[str], trials: Sequence[Sequence[Trial]], embedder: Embedder
) -> list[list[Trial]]:
    """The trials of each text with their likeness of meaning; all is embedded at once.

    What holds every word of a text needs no model to tell that it means the same.
    """
    is_open = [not any(trial.is_proved_by_words for trial in own) for own in trials]
    asked: set[str] = set()
    for text, own, undecided in zip(texts, trials, is_open, strict=True):
        if own and undecided:
            asked |= {text, *(trial.reading.text for trial in own)}
            asked |= {word for trial in own for pair in trial.comparison.replaced for word in pair}
    likeness = _likeness(sorted(asked), embedder)
    return [
        [_with_cosines(text, trial, likeness) for trial in own] if undecided else list(own)
        for text, own, undecided in zip(texts, trials, is_open, strict=True)
    ]


def _with_cosines(text: str, trial: Trial, likeness: Callable[[str, str], float]) -> Trial:
    pairs = trial.comparison.replaced
    return replace(
        trial,
        cosine=likeness(text, trial.reading.text),
        word_cosines=tuple(likeness(new, old) for new, old in pairs),
    )


def _mixed(cosine: float, cover: float, settings: ProofSettings) -> float:
    share = settings.meaning_share
    return share * max(cosine, 0.0) + (1 - share) * cover


def _read_together(windows: Sequence[Window]) -> Reading:
    if len(windows) == 1:
        return windows[0].reading
    return read(" ".join(window.reading.text for window in windows))


def _likeness(texts: Sequence[str], embedder: Embedder) -> Callable[[str, str], float]:
    row = {text: number for number, text in enumerate(texts)}
    vectors = embedder.embed_texts(texts) if texts else np.empty((0, 0), np.float32)

    def of(one: str, other: str) -> float:
        return float(vectors[row[one]] @ vectors[row[other]])

    return of


def _credit(word: str, said: Reading, around: Reading | None) -> float:
    if word in said.stems:
        return 1.0
    if any(_is_kin(word, other) for other in said.stems):
        return _KIN_CREDIT
    return _CONTEXT_CREDIT if around is not None and word in around.stems else 0.0


def _is_kin(one: str, other: str) -> bool:
    """True for forms of one word: they begin alike."""
    longest = max(len(one), len(other))
    if min(len(one), len(other)) < _SHORTEST_KIN or one[0] != other[0]:
        return False
    alike = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    return alike >= _SHORTEST_KIN and alike >= _KIN_SHARE * longest


def _without_places(claim: Reading, windows: Sequence[Window]) -> Reading:
    """A claim without the times and pages that only say where it is said."""
    kept = tuple(one for one in claim.quantities if not _names_place(one, claim.text, windows))
    return claim if len(kept) == len(claim.quantities) else replace(claim, quantities=kept)


def _names_place(quantity: Quantity, text: str, windows: Sequence[Window]) -> bool:
    for window in windows:
        place = window.evidence.place
        if isinstance(place, PageArea):
            before = text[: text.find(quantity.written)].casefold().rstrip()
            is_page = before.endswith(("page", "p.", "seite", "s.", "стр.", "странице", "第"))
            if is_page and quantity.number == place.page:
                return True
        elif quantity.dimension in ("clock", "s"):
            # 12:05 may be minutes and seconds, too.
            seconds = {quantity.value, quantity.value / 60}
            if any(place.start - SLACK_S <= one <= place.end + SLACK_S for one in seconds):
                return quantity.dimension == "clock" or "." in quantity.written
    return False
