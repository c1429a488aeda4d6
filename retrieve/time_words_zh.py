"""Times in Chinese. Numerals are read by `time_symbols`; simplified and traditional units."""

from __future__ import annotations

from fractions import Fraction

from retrieve.time_words import HOUR_S, MINUTE_S, SECOND_S, Language, Meaning, Phrase

_MEDIA = "(?:(?:这|该|本)?(?:个|段|场|堂|节)?(?:视频|影片|录像|讲座|演讲|课程|课|录音|片子|会议))"
_IN = f"(?:(?:在|于|从)?(?:{_MEDIA}的?)?)"
_AFTER = "(?:里面|里|内|中|之内|的时候|时候|时|处|那里|的地方|的)?"
_MARK = "(?:时间)?"
_SPAN = "(?:到|至|-|~|和|与)"
_ROUND = "(?:左右|前后|上下|附近)"

CHINESE = Language(
    numbers={"几": Fraction(5), "幾": Fraction(5)},
    ordinals={},
    units={
        **dict.fromkeys(("秒钟", "秒鐘", "秒"), SECOND_S),
        **dict.fromkeys(("分钟", "分鐘", "分"), MINUTE_S),
        **dict.fromkeys(("刻钟", "刻鐘"), 15 * MINUTE_S),
        **dict.fromkeys(("小时", "小時", "钟头", "鐘頭"), HOUR_S),
    },
    lengths={},
    halves=frozenset(),
    phrases=(
        Phrase(Meaning.BETWEEN, f"{_IN}{{p}} {_SPAN} {{p}}(?:之间|期间|这段(?:时间)?)?{_AFTER}"),
        Phrase(Meaning.FROM_END, f"{_IN}(?:结束|结尾|末尾)(?:之)?前{{d}}{_AFTER}"),
        Phrase(Meaning.FIRST_SHARE, f"{_IN}(?:前|{{first}}个){{n}}分之{{n}}{_AFTER}", sure=True),
        Phrase(Meaning.LAST_SHARE, f"{_IN}(?:最后|后){{n}}分之{{n}}{_AFTER}", sure=True),
        Phrase(Meaning.FIRST, f"{_IN}(?:最前|前|最初|开头|开始|头)(?:的)?{{d}}{_AFTER}", sure=True),
        Phrase(Meaning.LAST, f"{_IN}(?:最后|倒数|最末|末尾|结尾)(?:的)?{{d}}{_AFTER}", sure=True),
        Phrase(
            Meaning.FIRST_HALF, f"{_IN}(?:前|上)(?:半段|半部分|半部|半场|半){_AFTER}", sure=True
        ),
        Phrase(
            Meaning.SECOND_HALF, f"{_IN}(?:后|下)(?:半段|半部分|半部|半场|半){_AFTER}", sure=True
        ),
        Phrase(Meaning.AROUND, f"{_IN}{_MARK}{{p}}{_ROUND}{_AFTER}"),
        Phrase(Meaning.AROUND, f"{_IN}(?:大约|大概|约)(?:在)?{_MARK}{{p}}{_AFTER}"),
        Phrase(Meaning.AFTER, f"{_IN}{{p}}(?:之后|以后|过后|开始|后|起){_AFTER}"),
        Phrase(Meaning.BEFORE, f"{_IN}{{p}}(?:之前|以前|前){_AFTER}"),
        Phrase(Meaning.AT, f"{_IN}{_MARK}{{ordinal}}{_AFTER}", sure=True),
        Phrase(Meaning.AT, f"(?:在|到|于)(?:{_MEDIA}的?)?{_MARK}{{p}}{_AFTER}"),
        Phrase(Meaning.HALFWAY, f"{_IN}(?:一半|中点){_AFTER}"),
        Phrase(Meaning.BEGINNING, f"(?:在|从)?{_MEDIA}?的?(?:一开始|开头|开始的时候|开场){_AFTER}"),
        Phrase(Meaning.MIDDLE, f"{_IN}(?:中间部分|中段|正中间){_AFTER}"),
        Phrase(Meaning.MIDDLE, f"在(?:{_MEDIA}的?)?中间{_AFTER}"),
        Phrase(Meaning.END, f"(?:在)?{_MEDIA}?的?(?:结尾|末尾|结束的时候|快结束){_AFTER}"),
    ),
    spaced=False,
    script="\u3005-\u3007\u3400-\u9fff",
    day_before="上午|下午|早上|晚上|凌晨|中午|傍晚|夜里|清晨|今天|明天|昨天",
    day_after="点|上午|下午",
    idle="发生了?|什么|讲了?|说了?|谈了?|介绍了?|出现了?|内容|事情|有|些|哪些|哪|吗|呢|是|的|了"
    "|在|里|视频|展示了?|演示了?|主要|都|请|总结|概括|一下|这|那|段|怎么|时候|播放|地方|中|他|她|们",
)
