"""Times in English."""

from __future__ import annotations

from fractions import Fraction

from retrieve.time_words import (
    HOUR_S,
    MINUTE_S,
    SECOND_S,
    Language,
    Meaning,
    Phrase,
    each,
    joined,
    listed,
    numbered,
)

_ONES = listed("""one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen""")
_TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = numbered("""
first 1st
second
third
fourth
fifth
sixth
seventh
eighth
ninth
tenth
eleventh
twelfth
thirteenth
fourteenth
fifteenth
sixteenth
seventeenth
eighteenth
nineteenth
""")
_PARTS = {"half": 2, "halves": 2, "quarter": 4, "thirds": 3, "quarters": 4, "fifths": 5}
_MEDIA = joined(
    "video videos talk talks lecture lectures recording recordings film movie clip episode podcast",
    "session presentation meeting interview webinar tape file audio seminar class show speech",
)
_THE = "(?:(?:the|a|this|that|these|her|his|its|their|our|your|my|each|every) )?"
_OF_MEDIA = f"(?: (?:of|in|into|through|from) {_THE}{_MEDIA}(?!\\w))?"
_NOT_OF = "(?! (?:of|after|before|since|until)(?!\\w))"
_TAIL = _OF_MEDIA + _NOT_OF
_IN = f"(?:(?:with)?in |during |over |for |from |throughout )?{_THE}"
_AT = f"(?:at|in|on|during|@) {_THE}"
_ABOUT = "(?:at )?(?:around|about|near|roughly|approximately|circa|close to|somewhere around)"
_MARK = f"{_THE}(?:time ?stamp |time |mark )?"

ENGLISH = Language(
    numbers={
        **{word: Fraction(n) for n, word in enumerate(_ONES, 1)},
        **{word: Fraction(10 * n) for n, word in enumerate(_TENS, 2)},
        **dict.fromkeys(("a", "an"), Fraction(1)),
        **dict.fromkeys(("hundred", "a hundred", "one hundred"), Fraction(100)),
        **dict.fromkeys(("half a", "half an", "half of an", "a half"), Fraction(1, 2)),
        **dict.fromkeys(("quarter of an", "a quarter of an"), Fraction(1, 4)),
        "three quarters of an": Fraction(3, 4),
        **dict.fromkeys(("couple", "couple of", "a couple of", "a couple"), Fraction(2)),
        **dict.fromkeys(("few", "a few", "several"), Fraction(5)),
    },
    ordinals={
        **_ORDINALS,
        **{word.removesuffix("y") + "ieth": 10 * n for n, word in enumerate(_TENS, 2)},
        **_PARTS,
    },
    units={
        **each("seconds sec secs s", SECOND_S),
        **each("minute minutes min mins m", MINUTE_S),
        **each("hour hours hr hrs h", HOUR_S),
    },
    lengths={"half hour": HOUR_S // 2, "quarter hour": HOUR_S // 4, "half minute": MINUTE_S // 2},
    halves=frozenset({"and a half", "and half"}),
    phrases=(
        Phrase(Meaning.BETWEEN, f"(?:in |during )?between {_THE}{{p}} and {_THE}{{p}}{_TAIL}"),
        Phrase(
            Meaning.BETWEEN,
            f"from {_MARK}{{p}} (?:to|till|until|up to|through|-) {_MARK}{{p}}{_TAIL}",
        ),
        Phrase(Meaning.BETWEEN, f"{_IN}{{named}} (?:to|-|and|through) {{p}}{_TAIL}"),
        Phrase(Meaning.BETWEEN, f"(?:{_AT})?{{clock}} (?:to|till|until|-) {{clock}}{_TAIL}"),
        Phrase(Meaning.FROM_END, f"(?:{_AT})?{{d}} (?:before|from|to) the end{_TAIL}"),
        Phrase(
            Meaning.FIRST, f"{_IN}(?:very )?(?:{{first}}|opening|initial) {{d}}{_TAIL}", sure=True
        ),
        Phrase(Meaning.LAST, f"{_IN}(?:very )?(?:last|final|closing) {{d}}{_TAIL}", sure=True),
        Phrase(Meaning.FIRST, f"{_IN}(?:opening|initial) {{u}}{_TAIL}", sure=True),
        Phrase(Meaning.LAST, f"(?:in|during) {_THE}(?:last|final|closing) {{u}}{_TAIL}", sure=True),
        Phrase(
            Meaning.FIRST, f"(?:(?:in |during )?the|in|during) {{first}} {{u}}{_TAIL}", sure=True
        ),
        Phrase(Meaning.PART, f"{_IN}{{o}} {{o}}{_TAIL}", sure=True),
        Phrase(Meaning.PART, f"{_IN}(?:last|final) {{o}}{_TAIL}", sure=True),
        Phrase(Meaning.AT, f"(?:(?:with)?in|during|on|at|around) {_THE}{{ordinal}}{_TAIL}", True),
        Phrase(Meaning.AT, f"the {{ordinal}}{_TAIL}", True),
        Phrase(Meaning.AFTER, f"(?:from|starting (?:at|from)) {_MARK}{{p}} (?:on|onwards?)(?!\\w)"),
        Phrase(Meaning.AFTER, f"(?:any time )?(?:after|past|starting at) {_MARK}{{p}}{_TAIL}"),
        Phrase(Meaning.BEFORE, f"(?:any time )?(?:before|until|till|up to) {_MARK}{{p}}{_TAIL}"),
        Phrase(
            Meaning.AROUND,
            f"{_ABOUT} {_MARK}(?:{{clock}}|{{named}}|{{ordinal}})(?: (?:mark|in))?{_TAIL}",
        ),
        Phrase(Meaning.AROUND, f"at {_ABOUT} {_MARK}{{d}}(?: (?:mark|in))?{_TAIL}"),
        Phrase(Meaning.AROUND, f"{_ABOUT} {_MARK}{{d}} (?:mark|in){_TAIL}"),
        Phrase(Meaning.AROUND, f"(?:{_ABOUT} )(?:halfway|midway|half way)(?: through)?{_OF_MEDIA}"),
        Phrase(Meaning.AT, f"(?:at|@) {_MARK}{{p}}(?: mark| in)?{_TAIL}"),
        Phrase(Meaning.AT, f"(?:in |on |during )?{_THE}{{named}}{_TAIL}"),
        Phrase(Meaning.AT, f"{{d}} in(?:to {_THE}{_MEDIA})?(?=$| ?[?!.,;])"),
        Phrase(
            Meaning.HALFWAY,
            f"(?:at )?{_THE}(?:halfway point|half way|halfway|midway|midpoint)"
            f"(?: (?:through|into))?(?: {_THE}{_MEDIA})?{_TAIL}",
        ),
        Phrase(
            Meaning.BEGINNING,
            f"(?:at|in|near|towards?|from) the (?:very )?(?:beginning|start|outset){_TAIL}",
        ),
        Phrase(Meaning.MIDDLE, f"(?:at|in|near|towards?|around) the middle{_TAIL}"),
        Phrase(Meaning.END, f"(?:at|in|near|towards?) the (?:very )?end{_TAIL}"),
    ),
    spaced=True,
    script="a-z",
    day_before="(?:today|tomorrow|yesterday|daily) at",
    day_after="am|pm|a\\.m|p\\.m|o'clock|utc|gmt|cet|est|pst|today|tomorrow|yesterday|every day"
    "|in the (?:morning|afternoon|evening)|at night",
    idle=joined(
        "happen happens happened happening going goes go say says said saying talk talks talked",
        "talking discuss discusses discussed cover covers covered show shows showed shown showing",
        "see seen explain explains explained tell tells told mention mentions mentioned topic",
        "topics subject summary summarize summarise summarized content contents thing things",
        "anything everything there place took take takes present presented describe me give list",
        "video talk lecture recording speaker",
    ),
)
