"""Duplicates: the same slide shown again, a repeated talk, one passage in two editions.

Texts are the same when nearly all of their words are, and all of their numbers. Pictures are the
same when their vectors are nearly one and the pictures themselves look the same: vectors alone
would call any two cups of coffee one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from index.records import MomentKind
from index.words import all_words

if TYPE_CHECKING:
    import numpy.typing as npt

    from index.snapshot import Snapshot
    from retrieve.merging import Group
    from retrieve.settings import RetrieveSettings

_FEWEST_WORDS = 4
"""Of fewer words, two texts are not told to be the same: everybody says thank you."""
_DENYING_TEXT = (
    "no not never none nor without cannot can't don't doesn't didn't isn't aren't wasn't weren't "
    "won't mustn't nicht kein keine nie ohne не ни без нет нельзя никогда 不 没 無 无 未 勿"
)
_DENYING = frozenset(_DENYING_TEXT.split())
"""Words that turn a sentence around: they must be the same."""
_SIDE_PX = 32
_DIFFERENT_LEVELS = 24
"""Two pictures differ where one of 32 x 32 cells differs by more, of 255 levels of brightness."""


@dataclass(slots=True)
class Distinct:
    """A place that stands for itself, and the others that show or say the same."""

    leader: Group
    duplicates: list[Group] = field(default_factory=list)


def distinct_places(
    groups: Sequence[Group], snapshot: Snapshot, settings: RetrieveSettings, *, k: int
) -> list[Distinct]:
    """Put groups (best first) that are the same under the first of them; the first k of these.

    No group is in two; what is like a duplicate, but not like its leader, stays by itself. Only
    moments of one kind are compared. Raises LibraryError when a picture cannot be read.
    """
    found: list[tuple[Distinct, _Looks]] = []
    vectors = _vectors(groups, snapshot)
    for group in groups:
        looks = _Looks(group, snapshot, vectors.get(group.anchor.stored.id))
        for distinct, others in found:
            if others.same_as(looks, settings):
                distinct.duplicates.append(group)
                break
        else:
            if len(found) < k:
                found.append((Distinct(group), looks))
    return [distinct for distinct, _ in found]


def same_text(one: Counter[str], other: Counter[str], share: float) -> bool:
    """Whether two texts, as counted words, say the same; see the module.

    `share`: of the words of both together, those that both have (Dice's coefficient).
    """
    sizes = one.total(), other.total()
    if min(sizes) < _FEWEST_WORDS:
        return False
    enough = share * sum(sizes)
    # At most so many words are in both; to count them takes ten times as long.
    repeated = min(sizes[0] - len(one), sizes[1] - len(other))
    if (len(one.keys() & other.keys()) + repeated) * 2 < enough:
        return False
    if (one & other).total() * 2 < enough:
        return False
    different = (one - other) + (other - one)
    return not any(word in _DENYING or _has_digit(word) for word in different)


def same_picture(one: bytes, other: bytes) -> bool:
    """Whether two JPEGs look the same when both are 32 x 32 levels of brightness."""
    difference = np.abs(_small(one) - _small(other))
    return bool(difference.max() <= _DIFFERENT_LEVELS)


def _vectors(groups: Sequence[Group], snapshot: Snapshot) -> dict[int, npt.NDArray[np.float32]]:
    """Those of the frames, of unit length: stored codes are a little longer or shorter."""
    ids = [group.anchor.stored.id for group in groups if group.moment.kind is MomentKind.FRAME]
    found = snapshot.vectors(np.array(ids, dtype=np.int64))
    return dict(zip(ids, found / np.linalg.norm(found, axis=1, keepdims=True), strict=True))


class _Looks:
    """What a group is compared by."""

    def __init__(
        self, group: Group, snapshot: Snapshot, vector: npt.NDArray[np.float32] | None
    ) -> None:
        self._snapshot = snapshot
        self.kind = group.moment.kind
        self.id = group.anchor.stored.id
        self.text = group.moment.text
        self.words = Counter(all_words(group.text()))
        self.vector = vector

    def same_as(self, other: _Looks, settings: RetrieveSettings) -> bool:
        if self.kind is not other.kind:
            return False
        if self.vector is None or other.vector is None:
            return same_text(self.words, other.words, settings.duplicate_text_share)
        cosine = float(self.vector @ other.vector)
        return cosine >= settings.duplicate_picture_cosine and self._looks_like(other)

    def _looks_like(self, other: _Looks) -> bool:
        pictures = [self._snapshot.picture(one.id) for one in (self, other)]
        first, second = pictures
        return first is not None and second is not None and same_picture(first, second)


def _has_digit(word: str) -> bool:
    return any(letter.isdigit() for letter in word)


def _small(jpeg: bytes) -> npt.NDArray[np.int16]:
    with Image.open(BytesIO(jpeg)) as picture:
        picture.draft("L", (_SIDE_PX * 4, _SIDE_PX * 4))
        small = picture.convert("L").resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.int16)
