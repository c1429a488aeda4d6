"""The rules by which words are compared with poppler's."""

from dataclasses import replace

from benchmarks.documents.places import PlacedWord, agreement, without_leader_dots
from index.records import Box


def word(letters: str, x0: float, x1: float, y0: float = 100.0) -> PlacedWord:
    return PlacedWord(letters, Box(x0, y0, x1, y0 + 10))


DOTS = [word(".", 103 + 5 * at, 106 + 5 * at) for at in range(4)]


def test_a_word_loses_the_first_leader_dot_and_its_width() -> None:
    led = [word("Pumps.", 72, 101), *DOTS]
    assert without_leader_dots(led)[0] == word("Pumps", 72, 98)
    assert without_leader_dots(led)[1:] == DOTS


def test_other_dots_stay() -> None:
    ends = [word("hums.", 72, 101), word("Then", 104, 120)]
    above = [word("hums.", 72, 101, y0=80), *DOTS]
    short = [word("hums.", 72, 101), *DOTS[:2], word("20", 120, 130)]
    for words in (ends, above, short):
        assert without_leader_dots(words) == words


def test_kinds_of_words_are_counted_apart() -> None:
    ours = [
        word("same", 0, 20),
        word("far", 50, 60),
        word("parted", 100, 130),
        word("\u27e8odd\u27e9", 200, 230),
        word("C\ufffd", 300, 312),
        word("lost", 400, 420),
    ]
    theirs = [
        word("same", 1, 21),
        word("far", 53, 63),
        word("par", 100, 115),
        word("ted", 115, 130),
        word("hoddi", 200, 230),
        word("C", 300, 306),
        word("else", 400, 420),
    ]
    found = agreement(ours, theirs)
    assert (found.words, found.equal, found.parted_otherwise) == (6, 1, 1)
    assert (found.other_letters, found.unknown_letters) == (1, 1)
    high = [replace(each, box=replace(each.box, y0=104.5, y1=114.5)) for each in theirs]
    assert agreement(ours, high).equal == 0
