"""Where a claim says something else than a text does: numbers, negation, opposites, names.

Cheap signs of a contradiction between two sentences about the same thing. Which things two texts
are about is for others to say (`generate.proof`); who does what to whom is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from generate.opposites import HAN_RIVALS, RIVALS, opposites_of
from generate.quantities import Quantity, are_rivals, codes_of, is_same, quantities_of
from index.words import STOP_WORDS, all_words, stem
from retrieve.words import content_words

_NEGATED_AHEAD = 5
"""So many telling words after a "not" are what it denies, up to the end of the clause."""
_ELSE_THE_SAME = 0.6
"""Where so much of a claim is in the text, its first word stands for the name that is there."""
_DENIED_SHARE = 0.4
"""A denial is at odds where so many of the words that it denies are in the other text."""
_LIKE_SEQUENCE = 0.75
"""Texts with so many words in common in one order say the same but for the words that differ."""
_MISHEARD = 0.75
"""Names this much alike are one name, written or recognised differently."""
_NEGATOR = re.compile(
    r"\b(?:not|never|no|none|neither|nor|without|cannot|nobody|nothing|nowhere)\b|n['’]t\b"
    r"|\b(?:nicht|kein(?:e[nmrs]?)?|nie|niemals|niemand|nichts|ohne|weder)\b"
    r"|\b(?:не|нет|ни|без|никогда|нельзя|никто|ничего)\b"
    r"|[不没無无未勿](?![同仅但断])|非(?!常)",
    re.IGNORECASE,
)
_NO_DENIAL = re.compile(
    r"\b(?:not|no)(?: be)? (?:more|longer|less|later|higher|greater|fewer|larger|further|earlier"
    r"|only|just|sooner|even)\b|\bnicht (?:nur|mehr als|länger als|weniger als)\b"
    r"|\bне (?:только|более|менее)\b",
    re.IGNORECASE,
)
_EXCEPT = re.compile(
    r"\b(?:unless|until|except|only|bis|außer|erst|nur|пока|кроме|только)\b|除非|直到|只(?=有|能|是|要|在|会)",
    re.IGNORECASE,
)
_IMPLIED = re.compile(
    r"\b(?:un[a-z]{4,}|refus\w+|fail\w*|prevent\w*|avoid\w*|forbid\w*|forbidden|prohibit\w*|lack\w*"
    r"|impossible|verbot\w*|verhinder\w*|запрещ\w*|нельзя)\b|禁止|避免|拒绝",
    re.IGNORECASE,
)
"""Says no without a word for it."""
_CLAUSE_END = re.compile(
    r"[.,;:!?()。，；：！？、—]|\b(?:but|because|so|which|that|when|while|if|and|aber|weil|dass|und|"
    r"wenn|но|потому|что|когда|если|и)\b",
    re.IGNORECASE,
)
_GERMAN_WORD = re.compile(r"\b(?:der|die|das|und|ist|nicht|ein|eine|einen|wird|mit|auf|von|zu)\b")
_NAME = re.compile(r"(?<![\w'’-])[^\W\d_a-zа-яё][^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What of a text can be at odds with another one."""

    text: str
    stems: frozenset[str]
    """Words that carry meaning, as stems."""
    words: frozenset[str]
    """All words, folded."""
    forms: frozenset[str]
    """All words as stems, and words of Chinese that have an opposite."""
    quantities: tuple[Quantity, ...]
    codes: frozenset[str]
    names: frozenset[str]
    """Words written with a capital letter within a sentence, folded; none in German."""
    initial: str
    """The first word, folded, where it may be a name, else empty."""
    denied: frozenset[str]
    """Stems that a negation denies."""
    denied_unless: frozenset[str]
    """Those that it denies but for an exception: not until, not unless."""
    negators: int
    has_exception: bool
    """Says until, unless or only."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claim beside a text."""

    conflicts: tuple[str, ...]
    """What is said differently, in words for readers."""
    missing: tuple[str, ...]
    """Numbers, codes, names and denials of the claim that the text does not hold."""
    replaced: tuple[tuple[str, str], ...]
    """Words of the claim where an otherwise like text has others: big or small for large."""
    odd: frozenset[str]
    """Stems of the claim that are at odds or missing: the rest tells what it is about."""


def read(text: str) -> Reading:
    """Read a sentence or a few of them."""
    denied, denied_unless, negators = _denied(text)
    words = frozenset(all_words(text))
    forms = {*map(stem, words), *(word for word in HAN_RIVALS if word in text)}
    return Reading(
        text=text,
        stems=frozenset(content_words(text)),
        words=words,
        forms=frozenset(forms),
        quantities=quantities_of(text),
        codes=codes_of(text),
        names=_names_of(text),
        initial=_initial(text),
        denied=denied,
        denied_unless=denied_unless,
        has_exception=_EXCEPT.search(text) is not None,
        negators=negators,
    )


def compare(claim: Reading, said: Reading, *, around: Reading) -> Comparison:
    """What a claim says differently than a text, and what it says beyond it.

    `around` is the whole that the text was taken from, headings and name of the source included:
    who "he" is may stand there.
    """
    conflicts = [*_other_opposites(claim, said), *_other_denials(claim, said)]
    missing: list[str] = []
    for quantity, rival in _unheld_quantities(claim, said):
        if not quantity.is_article:
            missing.append(quantity.written)
        if rival is not None:
            conflicts.append(f"{quantity.written}: the evidence says {rival.written}")
    for name, rival_name in (
        *_unheld(claim.codes, said.codes, said.codes or around.codes | around.words),
        *_unheld(_possible_names(claim, said), said.names, around.names | around.words),
    ):
        missing.append(name)
        if rival_name is not None:
            conflicts.append(f"{name}: the evidence says {rival_name}")
    odd = {one for text in missing for one in content_words(text)}
    odd |= {text.partition(":")[0] for text in conflicts}
    if claim.negators > said.negators:
        missing.append("not")
    replaced = () if conflicts else tuple(_replaced(claim, said))
    return Comparison(tuple(conflicts), tuple(missing), replaced, frozenset(odd))


def _unheld_quantities(claim: Reading, said: Reading) -> Iterator[tuple[Quantity, Quantity | None]]:
    """Numbers of the claim that the text does not hold, each with what it says instead."""
    for quantity in claim.quantities:
        if any(is_same(quantity, other) for other in said.quantities):
            continue
        free = [
            other
            for other in said.quantities
            if are_rivals(quantity, other)
            and not any(is_same(one, other) for one in claim.quantities)
        ]
        if quantity.is_article:
            free = [other for other in free if other.is_article]
        if free or not quantity.is_article:
            yield quantity, free[0] if free else None


def _unheld(
    claimed: frozenset[str], said: frozenset[str], around: frozenset[str]
) -> Iterator[tuple[str, str | None]]:
    """Names of the claim that are nowhere around, each with one that stands in their place."""
    free = sorted(said - claimed)
    for name in sorted(claimed - around):
        if any(_is_misheard(name, other) for other in around):
            continue
        yield name, free[0] if free else None


def _possible_names(claim: Reading, said: Reading) -> frozenset[str]:
    """Names of a claim, its first word among them when all but that is said."""
    others = claim.stems - {stem(claim.initial)}
    if not claim.initial or not others or not said.names - claim.words:
        return claim.names
    share = len(others & said.stems) / len(others)
    return claim.names | {claim.initial} if share >= _ELSE_THE_SAME else claim.names


def _is_misheard(name: str, other: str) -> bool:
    if any(character.isdigit() for character in name):
        return False
    return SequenceMatcher(None, name, other, autojunk=False).ratio() >= _MISHEARD


def _other_opposites(claim: Reading, said: Reading) -> Iterator[str]:
    """Words of the claim for which the text has another one of the same kind: June for May."""
    for word in sorted(claim.forms - said.forms):
        rivals = sorted(opposites_of(word, said.forms) - claim.forms)
        # "not open" and "closed" agree.
        if rivals and (word in claim.denied) == (rivals[0] in said.denied):
            yield f"{_unstemmed(word, claim)}: the evidence says {_unstemmed(rivals[0], said)}"


def _unstemmed(form: str, reading: Reading) -> str:
    return next((word for word in sorted(reading.words) if stem(word) == form), form)


def _other_denials(claim: Reading, said: Reading) -> Iterator[str]:
    """What one of the two denies and the other does not."""
    excepts = claim.has_exception and said.has_exception
    ours = claim.denied | (claim.denied_unless if excepts else frozenset())
    theirs = said.denied | (said.denied_unless if excepts else frozenset())
    if _share_kin(ours, theirs):
        return
    if ours and _are_held(ours, said):
        yield f"only the answer says no: {_words_of(ours & _forms_held(ours, said), claim)}"
    elif theirs and not ours and not _IMPLIED.search(claim.text) and _are_held(theirs, claim):
        yield f"only the evidence says no: {_words_of(theirs & _forms_held(theirs, claim), said)}"


def _are_held(denied: frozenset[str], other: Reading) -> bool:
    """True when a text has most of what is denied, and not the opposite of it: closed for open."""
    if any(opposites_of(one, other.forms) for one in denied):
        return False
    return len(_forms_held(denied, other)) >= _DENIED_SHARE * len(denied)


def _forms_held(denied: frozenset[str], other: Reading) -> frozenset[str]:
    return frozenset(one for one in denied if _share_kin(frozenset({one}), other.stems))


def _words_of(stems: frozenset[str], reading: Reading) -> str:
    words = (word for word in all_words(reading.text) if stem(word) in stems)
    return ", ".join(dict.fromkeys(words))


def _share_kin(some: frozenset[str], others: frozenset[str]) -> bool:
    """True when two denials deny the same in some form."""
    return any(one == other or _are_forms(one, other) for one in some for other in others)


def _are_forms(one: str, other: str) -> bool:
    """True for use and used, bypas and bypassed."""
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) > 2 and longer.startswith(shorter) and len(longer) - len(shorter) <= 3


def _replaced(claim: Reading, said: Reading) -> Iterator[tuple[str, str]]:
    """Words that stand in each other's place in texts that run alike."""
    ours, theirs = _in_order(claim), _in_order(said)
    matcher = SequenceMatcher(None, [one for one, _ in ours], [one for one, _ in theirs], False)
    if matcher.ratio() < _LIKE_SEQUENCE:
        return
    for kind, first, last, begin, end in matcher.get_opcodes():
        if kind != "replace" or last - first != 1 or end - begin != 1:
            continue
        (new_stem, new), (old_stem, old) = ours[first], theirs[begin]
        if not _is_misheard(new, old) and not _are_forms(new_stem, old_stem):
            yield new, old


def _in_order(reading: Reading) -> list[tuple[str, str]]:
    """The telling words of a text in order, each as stem and as it stands; no numbers."""
    counted = {word for one in reading.quantities for word in all_words(one.written)}
    words = [word for word in all_words(reading.text) if word not in STOP_WORDS | counted]
    words = [word for word in words if not word[0].isdigit()]
    return [(stem(word), word) for word in words]


def _denied(text: str) -> tuple[frozenset[str], frozenset[str], int]:
    """Stems within reach of a negation, without and with an exception; plain negations."""
    denied: set[str] = set()
    unless: set[str] = set()
    count = 0
    harmless = [match.span() for match in _NO_DENIAL.finditer(text)]
    for negator in _NEGATOR.finditer(text):
        start, end = _clause(text, *negator.span())
        clause = text[start:end]
        if any(first <= negator.start() < last for first, last in harmless):
            continue
        excepted = _EXCEPT.search(clause) is not None
        count += not excepted
        is_german = negator[0][0] in "nkNKwo" and _GERMAN_WORD.search(text) is not None
        reach = clause if is_german else text[negator.end() : end]
        counted = {word for one in quantities_of(reach) for word in content_words(one.written)}
        words = [word for word in content_words(reach) if word not in counted]
        reached = words[: None if is_german else _NEGATED_AHEAD]
        (unless if excepted else denied).update(reached)
    return frozenset(denied), frozenset(unless), count


def _clause(text: str, first: int, last: int) -> tuple[int, int]:
    """Where the clause around [first, last) begins and ends."""
    start = max((match.end() for match in _CLAUSE_END.finditer(text, 0, first)), default=0)
    following = _CLAUSE_END.search(text, last)
    return start, following.start() if following else len(text)


def _initial(text: str) -> str:
    match = re.match(r"[^\W\d_]+", text)
    if match is None or not match[0][0].isupper() or len(_GERMAN_WORD.findall(text)) > 1:
        return ""
    word = match[0].casefold()
    return "" if word in STOP_WORDS or _NEGATOR.match(word) else word


def _names_of(text: str) -> frozenset[str]:
    if len(_GERMAN_WORD.findall(text)) > 1:
        return frozenset()
    words = re.findall(r"[^\W\d_]+", text)
    capitals = sum(word[0].isupper() for word in words)
    if capitals * 2 > len(words):
        return frozenset()  # a title
    inner = [
        match
        for match in _NAME.finditer(text)
        if re.search(r"[\w,;]['’\")]*\s+$", text[: match.start()])
    ]
    names = (match[0].casefold() for match in inner)
    return frozenset(name for name in names if stem(name) not in RIVALS and name != "i")
