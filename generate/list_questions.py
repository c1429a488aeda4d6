"""Questions for all there is of something: "every mention of X", "how often is X mentioned?".

Read in English and German, and only where hardly anything else can be meant: "how often must the
bearings be greased?" asks for a sentence, not for a count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLACES = (
    r"(?:times?|moments?|places?|occasions?|passages?|parts?|instances?|scenes?|points?|pages?)"
)
_MENTIONS = r"(?:mentions?|occurrences?|references?)"
_MENTIONED = (
    r"(?:mentioned|named|said|spoken (?:of|about)|talked about|discussed|written|brought up)"
)
_MENTION = r"(?:mentions?|names?|says?|said|spe[ao]ks? (?:of|about)|talks? about|discuss(?:es)?)"
_WHO = (
    r"(?:he|she|they|it|you|we|anyone|anybody|someone|somebody|the (?:speaker|lecturer|author)s?)"
)
_COMES_UP = r"(?:appears?|appeared|occurs?|occurred|comes? up|came up)"
_BE = r"(?:is|are|was|were|gets?|got|has|have|had)"
_ASK = r"(?:please )?(?:(?:list|show|find|give|tell|name|count)(?: me| us)? )?"
_ALL = r"(?:all|every|each)(?: of)?(?: the)?(?: single)?"
_TAIL = (
    r"(?: (?:in (?:total|all|(?:the|this|my|our)(?: whole| entire)? "
    r"(?:archive|library|talk|video|document|recording|lecture)s?)|altogether|overall|throughout))?"
)
_STELLEN = r"(?:stellen?|male?|momente?|zeitpunkte?|passagen?|szenen?|seiten?|orte?)"
_ZEIGE = r"(?:(?:zeige?|nenne?|finde?|liste)(?: mir| uns)? )?"
_ALLE = r"(?:alle|jede|jedes|sämtliche)"
_ERWAEHNT = r"(?:erwähnt|genannt|gesagt|angesprochen|besprochen|geschrieben)"
_WIRD = r"(?:wird|werden|wurde|wurden|ist|sind)"

_COUNTS = (
    rf"(?:how many times|how often) {_BE} (?P<x>.+?)(?: been)? {_MENTIONED}{_TAIL}",
    rf"(?:how many times|how often) (?:do|does|did) {_WHO} {_MENTION} (?P<x>.+?){_TAIL}",
    rf"(?:how many times|how often) (?:do|does|did) (?P<x>.+?) {_COMES_UP}{_TAIL}",
    rf"how many {_MENTIONS} (?:of|to) (?P<x>.+?)(?: {_BE} there)?{_TAIL}",
    rf"how many {_MENTIONS} {_BE} there (?:of|to) (?P<x>.+?){_TAIL}",
    rf"count (?:{_ALL} |the )?{_MENTIONS} (?:of|to) (?P<x>.+?){_TAIL}",
    rf"(?:wie oft|wie viele male) {_WIRD} (?P<x>.+?) {_ERWAEHNT}",
    r"(?:wie oft|wie viele male) (?:kommt|kommen|kam|kamen) (?P<x>.+?) vor",
    r"wie viele erwähnungen (?:von|des|der) (?P<x>.+?)(?: gibt es)?",
)
_MENTIONS_LISTED = (
    rf"{_ASK}(?:{_ALL}|the|any) {_MENTIONS} (?:of|to) (?P<x>.+?){_TAIL}",
    rf"{_ASK}{_ALL} {_PLACES}(?: when| where| that| at which| in which)? "
    rf"(?P<x>.+?) {_BE}(?: been)? {_MENTIONED}{_TAIL}",
    rf"{_ASK}{_ALL} {_PLACES}(?: when| where| that| at which| in which)? "
    rf"{_WHO} {_MENTION} (?P<x>.+?){_TAIL}",
    rf"{_ASK}{_ALL} {_PLACES}(?: when| where| that| at which| in which)? "
    rf"(?P<x>.+?) {_COMES_UP}{_TAIL}",
    rf"(?:wann|wo) (?:überall|jeweils) {_WIRD} (?P<x>.+?) {_ERWAEHNT}",
    r"(?:wann|wo) (?:überall|jeweils) (?:kommt|kommen|kam|kamen) (?P<x>.+?) vor",
    rf"{_WIRD} (?P<x>.+?) (?:wann|wo) überall {_ERWAEHNT}",
    rf"{_ZEIGE}{_ALLE} erwähnung(?:en)? (?:von|des|der) (?P<x>.+?)",
    rf"{_ZEIGE}{_ALLE} {_STELLEN},? "
    rf"(?:an denen|in denen|bei denen|wo|wenn|an der|in der) (?P<x>.+?) {_ERWAEHNT} {_WIRD}",
)
_LISTED = (
    rf"{_ASK}{_ALL} {_PLACES}(?: when| where| that| at which| in which| about| of| with) (?P<x>.+)",
    r"(?:every|each) time (?P<x>.+)",
    r"(?:wann|wo) (?:überall|jeweils) (?P<x>.+)",
    rf"{_ZEIGE}{_ALLE} {_STELLEN},? "
    r"(?:an denen|in denen|bei denen|wo|wenn|an der|in der|zu|über|mit) (?P<x>.+)",
)


def _compiled(forms: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"{form}\s*[?.!]*", re.IGNORECASE) for form in forms)


_READ = [
    (_compiled(_COUNTS), True, True),
    (_compiled(_MENTIONS_LISTED), False, True),
    (_compiled(_LISTED), False, False),
]
_QUOTED = re.compile('["“„«「](?P<words>[^"”“»」]+)["”“»」]')
_LEADS = re.compile(r"(?:the |a |an )?(?:word|term|name|phrase|wort|begriff)s? ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListQuestion:
    """A question that all there is of something answers."""

    subject: str
    """What of."""
    counts: bool
    """Asked is how many there are."""
    by_words: bool
    """Asked is where its words stand; else where it is what the archive is about."""
    exact: bool
    """Its words stand together, as in quotes."""


def read_list_question(text: str) -> ListQuestion | None:
    """What all there is of is asked for; None: the question asks for something else."""
    flat = " ".join(text.split())
    for forms, counts, by_words in _READ:
        for form in forms:
            match = form.fullmatch(flat)
            if match is not None:
                return _asked(match["x"], counts=counts, by_words=by_words)
    return None


def _asked(subject: str, *, counts: bool, by_words: bool) -> ListQuestion | None:
    words = _LEADS.sub("", subject.strip(" ,;:?.!"), count=1)
    quoted = _QUOTED.fullmatch(words)
    plain = (quoted["words"] if quoted else words).strip()
    if not any(character.isalnum() for character in plain):
        return None
    return ListQuestion(plain, counts, by_words or quoted is not None, quoted is not None)
