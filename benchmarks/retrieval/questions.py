"""Questions with known answers, of every kind, for both halves of the archive.

Paraphrases are written by hand (paraphrases.json, by the sentence that answers), as are questions
for pictures (visual.json) and those that nothing answers (unanswerable.json). The others are made
of sentences drawn by a seed: a part of it word by word, its rarest words in another order, the
same with slips of the hand. An answer is every place at which such words stand.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.retrieval.media import Talk
from benchmarks.retrieval.plan import Split
from benchmarks.retrieval.truth import Place, Sentence, Truth, places_in, stems_of
from index.words import STOP_WORDS, all_words, stem

KINDS = (
    "verbatim",
    "paraphrased",
    "keywords",
    "typos",
    "on screen only",
    "speech only",
    "document",
    "other language",
    "time-anchored",
    "visual",
    "unanswerable",
)
TEXT_KINDS = tuple(kind for kind in KINDS if kind not in ("visual", "unanswerable"))
COUNTS = {
    "verbatim": 30,
    "keywords": 30,
    "typos": 24,
    "on screen only": 24,
    "speech only": 24,
    "document": 24,
    "other language": 16,
    "time-anchored": 16,
}
"""Questions of each drawn kind in each half."""
_FRAGMENT_WORDS = (5, 8)
_LEAST_STEMS = 5
_FRAMES = (
    "{}",
    "{}",
    "{}",
    "where is it said that {}",
    "the part about {}",
    "when is {} mentioned",
)
_NEIGHBOURS = {a: row for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for a in row}
_SLIP_LETTERS = 5
_FOREIGN_TEXT = """
der die das und ist ein eine nicht mit wird werden den dem im auf zu für von sich auch als wie
le la les des une est et dans pour sur que qui du au ne pas par ce il en
"""
_FOREIGN_WORDS = frozenset(_FOREIGN_TEXT.split())
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and every right answer; none: nothing in the archive answers it."""

    text: str
    kind: str
    split: Split
    answers: tuple[Place, ...]


def all_questions(truth: Truth, *, seed: int) -> list[Question]:
    """Questions of both halves; the same seed and archive give the same."""
    found: list[Question] = []
    for split in ("dev", "test"):
        draw = random.Random(f"{seed} {split}")
        found += _drawn(truth, split, draw)
        found += _paraphrased(truth, split)
        found += _visual(truth, split)
        found += _unanswerable(split)
    return found


def _drawn(truth: Truth, split: Split, draw: random.Random) -> Iterator[Question]:
    own = [one for one in truth.sentences if one.split == split and len(one.stems) >= _LEAST_STEMS]
    english = [one for one in own if one.language == "en"]
    said = [one for one in english if one.is_said]
    pools = {
        "verbatim": said,
        "keywords": said,
        "typos": said,
        "on screen only": [one for one in english if one.is_shown and not one.is_said],
        "speech only": [one for one in said if not one.is_shown],
        "document": [one for one in english if one.is_printed and not one.is_said],
        "other language": [one for one in own if _is_foreign(one)],
    }
    for kind, pool in pools.items():
        chosen = draw.sample(pool, min(COUNTS[kind], len(pool)))
        for number, sentence in enumerate(chosen):
            yield from _asked(truth, kind, sentence, number, draw)
    yield from _anchored(truth, split, draw)


def _is_foreign(sentence: Sentence) -> bool:
    """Translated manuals hold English parts; these do not count."""
    told = _FOREIGN_WORDS & set(all_words(sentence.text))
    return sentence.language != "en" and len(told) >= 2


def _asked(
    truth: Truth, kind: str, sentence: Sentence, number: int, draw: random.Random
) -> Iterator[Question]:
    as_keywords = kind == "keywords" or (kind != "verbatim" and number % 2 == 1)
    if as_keywords:
        asked = _keywords(truth, sentence, draw)
        stems = stems_of(asked)
        answers = [p for one in truth.with_stems(stems) for p in truth.places_of(one.text)]
    else:
        asked = _fragment(sentence.text, draw)
        answers = list(truth.places_of(asked))
    if kind == "typos":
        asked = mistyped(asked, draw)
    elif not as_keywords and sentence.language == "en":
        asked = draw.choice(_FRAMES).format(asked)
    if answers:
        yield Question(asked, kind, sentence.split, tuple(dict.fromkeys(answers)))


def _fragment(text: str, draw: random.Random) -> str:
    """Consecutive words of a sentence, of which at least half carry meaning where possible."""
    words = text.rstrip(".!?").split()
    length = min(len(words), draw.randint(*_FRAGMENT_WORDS))
    starts = range(len(words) - length + 1)

    def weight(start: int) -> int:
        return len(stems_of(" ".join(words[start : start + length])))

    best = max(map(weight, starts))
    start = draw.choice([at for at in starts if weight(at) >= best - 1])
    return " ".join(words[start : start + length]).strip(',;:()“”‘’"')


def _keywords(truth: Truth, sentence: Sentence, draw: random.Random) -> str:
    """Three or four of the rarer words, in any order."""
    words = {
        stem(word): word
        for word in all_words(sentence.text)
        if word not in STOP_WORDS and len(word) > 2 and word.isalpha()
    }
    by_rarity = sorted(words, key=lambda one: (truth.frequency(one), one))
    chosen = draw.sample(by_rarity[:4], min(draw.choice((3, 4)), len(by_rarity)))
    return " ".join(words[one] for one in chosen)


def mistyped(text: str, draw: random.Random) -> str:
    """The text with one slip of the hand in a third of its longer words, at least in one.

    Two letters change places, one is left out, doubled, or is that of a key of the same row. First
    letters stay.
    """
    words = text.split()
    long = [n for n, word in enumerate(words) if len(word) >= _SLIP_LETTERS and word.isalpha()]
    for number in draw.sample(long, -(-len(long) // 3)):
        words[number] = _slip(words[number], draw)
    return " ".join(words)


def _slip(word: str, draw: random.Random) -> str:
    at = draw.randrange(1, len(word) - 1)
    manner = draw.choice(("swap", "drop", "double", "beside"))
    if manner == "swap" and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if manner == "double":
        return word[:at] + word[at] + word[at:]
    row = _NEIGHBOURS.get(word[at].lower(), "")
    if manner == "beside" and len(row) > 1:
        return word[:at] + row[(row.index(word[at].lower()) + 1) % len(row)] + word[at + 1 :]
    return word[:at] + word[at + 1 :]


def _anchored(truth: Truth, split: Split, draw: random.Random) -> Iterator[Question]:
    """A word that a talk says again and again, or nothing else, at a time of a named talk."""
    talks = [talk for talk in truth.talks if talk.split == split and talk.language == "en"]
    for number in range(COUNTS["time-anchored"]):
        if talks:
            talk = talks[number % len(talks)]
            made = _at_time(talk, draw) if number % 2 else _within_minutes(truth, talk, draw)
            yield from made


def _at_time(talk: Talk, draw: random.Random) -> Iterator[Question]:
    name = talk.path.stem.replace("_", " ")
    scene = draw.choice(talk.scenes[1:])
    one = draw.choice(scene.said)
    second = round((one.start_s + one.end_s) / 2)
    text = f"what is said at {second // 60}:{second % 60:02d} in {name}"
    answer = Place(talk.path.name, "said", one.start_s, one.end_s)
    yield Question(text, "time-anchored", talk.split, (answer,))


def _within_minutes(truth: Truth, talk: Talk, draw: random.Random) -> Iterator[Question]:
    """Keywords that several places have, of which one is in the minutes named."""
    name = talk.path.stem.replace("_", " ")
    said = [one for scene in talk.scenes for one in scene.said if len(stems_of(one.text)) >= 4]
    one = draw.choice(said)
    minute = int(one.start_s // 60)
    first, last = max(0, minute - 1), minute + 2
    stems = sorted(stems_of(one.text), key=lambda s: (-truth.frequency(s), s))[:2]
    words = [word for word in all_words(one.text) if stem(word) in stems]
    inside = [
        place
        for text, place in places_in(talk)
        if set(stems) <= stems_of(text) and place.start_s < 60 * last and place.end_s > 60 * first
    ]
    text = f"{' '.join(dict.fromkeys(words))} between {first}:00 and {last}:00 in {name}"
    yield Question(text, "time-anchored", talk.split, tuple(inside))


def _paraphrased(truth: Truth, split: Split) -> Iterator[Question]:
    known = {one.text: one for one in truth.sentences}
    for sentence, text in _written("paraphrases").items():
        if sentence in known and known[sentence].split == split:
            yield Question(text, "paraphrased", split, truth.places_of(sentence))


def _visual(truth: Truth, split: Split) -> Iterator[Question]:
    own = {s.picture for talk in truth.talks if talk.split == split for s in talk.scenes}
    for picture, texts in _written("visual").items():
        if picture in own:
            for text in texts:
                yield Question(text, "visual", split, truth.pictures(picture))


def _unanswerable(split: Split) -> Iterator[Question]:
    for text in _written("unanswerable")[split]:
        yield Question(text, "unanswerable", split, ())


def _written(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return found
