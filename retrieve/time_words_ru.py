"""Times in Russian, in the cases in which they are said."""

from __future__ import annotations

from fractions import Fraction

from retrieve.time_words import (
    HOUR_S,
    MINUTE_S,
    SECOND_S,
    Language,
    Meaning,
    Phrase,
    joined,
    numbered,
)

_CARDINALS = numbered("""
один одна одну одной одного одном
два две двух двумя двум
три трех тремя трем
четыре четырех четырьмя четырем
пять пяти пятью
шесть шести шестью
семь семи семью
восемь восьми восемью
девять девяти девятью
десять десяти десятью
одиннадцать одиннадцати
двенадцать двенадцати
тринадцать тринадцати
четырнадцать четырнадцати
пятнадцать пятнадцати
шестнадцать шестнадцати
семнадцать семнадцати
восемнадцать восемнадцати
девятнадцать девятнадцати
""")
_TENS = numbered(
    """
двадцать двадцати
тридцать тридцати
сорок сорока
пятьдесят пятидесяти
шестьдесят шестидесяти
семьдесят семидесяти
восемьдесят восьмидесяти
девяносто девяноста
""",
    2,
)
_STEMS = """перв втор трет четверт пят шест седьм восьм девят десят одиннадцат двенадцат тринадцат
четырнадцат пятнадцат шестнадцат семнадцат восемнадцат девятнадцат""".split()
_TENS_STEMS = "двадцат тридцат сороков пятидесят шестидесят семидесят восьмидесят девяност".split()
_ENDINGS = "ый ий ой ая яя ое ую ого ому ом ым ые ых ым".split()
_THIRD = "третий третья третье третью третьей третьего третьему третьем третьи".split()
_PARTS = numbered(
    """
половина половины половине половину половиной
треть трети
четверть четверти
""",
    2,
)
_MEDIA = joined(
    "видео лекции лекция записи запись фильма фильм доклада доклад ролика ролик интервью подкаста",
    "выпуска урока занятия встречи вебинара передачи выступления презентации",
)
_OF_MEDIA = f"(?: (?:этого |этой |этом )?{_MEDIA}(?!\\w))?"
_NOT_AFTER = "(?! (?:после|до|перед)(?!\\w))"
_TAIL = _OF_MEDIA + _NOT_AFTER
_IN = "(?:(?:в течение|за|во|в|на|с|со|из) )?"
_AT = "(?:в|во|на)"
_MARK = "(?:момент |моменте |времени |отметке |отметки |отметку )?"
_ABOUT = "(?:(?:в|на) )?(?:около|примерно|приблизительно|где-то|в районе)(?: (?:в|на))?"
_LAST = joined(
    "последние последних последний последнюю последняя последней последнем последнее",
    "заключительные заключительных финальные",
)

RUSSIAN = Language(
    numbers={
        **{word: Fraction(n) for word, n in _CARDINALS.items()},
        **{word: Fraction(10 * n) for word, n in _TENS.items()},
        **dict.fromkeys("сто ста".split(), Fraction(100)),
        **dict.fromkeys("полтора полторы полутора".split(), Fraction(3, 2)),
        **dict.fromkeys("пол половина половину".split(), Fraction(1, 2)),
        **dict.fromkeys("пару пара пары".split(), Fraction(2)),
        **dict.fromkeys("несколько нескольких".split(), Fraction(5)),
        "три четверти": Fraction(3, 4),
    },
    ordinals={
        **{stem + end: n for n, stem in enumerate(_STEMS, 1) for end in _ENDINGS if n != 3},
        **dict.fromkeys(_THIRD, 3),
        **{stem + end: 10 * n for n, stem in enumerate(_TENS_STEMS, 2) for end in _ENDINGS},
        **_PARTS,
    },
    units={
        **dict.fromkeys(
            "секунда секунды секунду секунде секунд секундах секунд сек с".split(), SECOND_S
        ),
        **dict.fromkeys(
            "минута минуты минуту минуте минут минутах минутой минутами мин м".split(), MINUTE_S
        ),
        **dict.fromkeys("час часа часу часе часов часы часах часом часам ч".split(), HOUR_S),
    },
    lengths=dict.fromkeys("полчаса получаса".split(), 30 * MINUTE_S),
    halves=frozenset({"с половиной"}),
    phrases=(
        Phrase(Meaning.BETWEEN, f"между {_MARK}{{p}} и {_MARK}{{p}}{_TAIL}"),
        Phrase(Meaning.BETWEEN, f"(?:с|со|от) {_MARK}{{p}} (?:до|по|-) {_MARK}{{p}}{_TAIL}"),
        Phrase(Meaning.FROM_END, f"(?:(?:за|в) )?{{d}} до (?:конца|окончания){_TAIL}"),
        Phrase(Meaning.FIRST, f"{_IN}(?:самые )?(?:{{first}}|начальные) {{d}}{_TAIL}", sure=True),
        Phrase(Meaning.LAST, f"{_IN}(?:самые )?{_LAST} {{d}}{_TAIL}", sure=True),
        Phrase(Meaning.LAST, f"{_IN}{_LAST} {{u}}{_TAIL}", sure=True),
        Phrase(Meaning.PART, f"{_IN}{{o}} {{o}}{_TAIL}", sure=True),
        Phrase(Meaning.PART, f"{_IN}{_LAST} {{o}}{_TAIL}", sure=True),
        Phrase(Meaning.AROUND, f"{_ABOUT} {_MARK}{{p}}{_TAIL}"),
        Phrase(Meaning.AT, f"{_AT} (?:самой |самом )?{{ordinal}}{_TAIL}", sure=True),
        Phrase(Meaning.AFTER, f"(?:после|спустя|через|начиная с|позже) {_MARK}{{p}}{_TAIL}"),
        Phrase(Meaning.BEFORE, f"(?:до|раньше|перед) {_MARK}{{p}}{_TAIL}"),
        Phrase(Meaning.AT, f"{_AT} {_MARK}(?:{{clock}}|{{named}}|{{d}}){_TAIL}"),
        Phrase(Meaning.HALFWAY, f"(?:(?:в|на) )?(?:середине|на полпути)(?: пути)?{_OF_MEDIA}$"),
        Phrase(
            Meaning.BEGINNING,
            f"(?:в|с) (?:самом |самого )?(?:начале|начала)(?: {_MEDIA}(?!\\w)|(?= ?[?!.,;]|$))",
        ),
        Phrase(Meaning.MIDDLE, f"в (?:самой )?середине(?: {_MEDIA}(?!\\w)|(?= ?[?!.,;]|$))"),
        Phrase(
            Meaning.END,
            "(?:в|под|ближе к) (?:самом |самый )?(?:конце|конец|концу)"
            f"(?: {_MEDIA}(?!\\w)|(?= ?[?!.,;]|$))",
        ),
    ),
    spaced=True,
    day_before="(?:сегодня|завтра|вчера|ежедневно) в",
    day_after="утра|вечера|дня|ночи|часов|часа|по москве|мск|utc",
    idle=joined(
        "что о чем ли кто как где когда происходит произошло происходило было есть говорит",
        "говорят говорится говорилось говорил говорила сказал сказала сказали сказано рассказывает",
        "рассказал рассказала рассказывают рассказывается показано показывает показывают",
        "показали обсуждали обсуждается обсуждают об про видео лекции записи там он она они речь",
        "шла идет содержание кратко перескажи",
    ),
)
