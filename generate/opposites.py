"""Opposites: words that exclude each other, by a list and by prefixes."""

from __future__ import annotations

from index.words import stem

_RIVALS_TEXT = """
january february march april june july august september october november december
januar februar märz mai juni juli oktober dezember
monday tuesday wednesday thursday friday saturday sunday
montag dienstag mittwoch donnerstag freitag samstag sonntag
spring summer autumn winter
frühling sommer herbst
morning afternoon evening night
red blue green yellow white black brown orange grey violet
rot blau grün gelb weiß schwarz
north south east west northwest northeast southwest southeast
left right
front behind
increase decrease
rise fall
raise lower
open close
opened closed
before after
first last
always never
more less
most least
longest shortest
largest smallest
highest lowest
maximum minimum
above below
over under
inside outside
start stop
early late
earlier later
hot cold
warm cold
wet dry
clean dirty
heavy light
dark light
darkest lightest
old new young
full empty
fast slow
strong weak
wide narrow
widen narrow
lengthen shorten
loose tight
large small
big small
long short
top bottom
add remove
add delete
allow forbid
require optional
good bad
healthy sick
upward downward
daily weekly monthly yearly
gain lose
won lost
accept reject
copper steel iron brass wood plastic glass
vor nach
offen geschlossen
öffnet schließt
steigt fällt
warm kalt
immer nie
mehr weniger
до после
перед после
больше меньше
открыт закрыт
весной летом осенью зимой
之前 之后
以前 以后
增加 减少
上升 下降
打开 关闭
最高 最低
最大 最小
"""
RIVALS: dict[str, set[str]] = {}
"""Stem -> stems of what stands for the contrary, or for another one of the same kind."""
for _row in map(str.split, _RIVALS_TEXT.strip().splitlines()):
    for _word in _row:
        RIVALS.setdefault(stem(_word), set()).update({stem(one) for one in _row} - {stem(_word)})
HAN_RIVALS = tuple(word for word in RIVALS if "\u4e00" <= word[0] <= "\u9fff")
"""Those of Chinese, looked up within a text."""
_OPPOSING = ("un", "dis", "non")
_SHORTEST_OPPOSED = 4


def opposites_of(word: str, forms: frozenset[str]) -> set[str]:
    """Which of some words say the opposite of a word: those of a list, untrained for trained."""
    found = RIVALS.get(word, set()) & forms
    if len(word) >= _SHORTEST_OPPOSED:
        found |= {prefix + word for prefix in _OPPOSING} & forms
    for prefix in _OPPOSING:
        bare = word.removeprefix(prefix)
        if bare != word and len(bare) >= _SHORTEST_OPPOSED and bare in forms:
            found.add(bare)
    return found
