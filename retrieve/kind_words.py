"""Words that say of what kind a moment is: "on the slide", 画面里, «вслух».

Only what can hardly mean anything else is read; "what did she say" is none of it, since what one
remembers as said may stand on a slide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.records import MomentKind

_WRITTEN_OR_SHOWN = tuple(kind for kind in MomentKind if kind is not MomentKind.UTTERANCE)
_SPOKEN = (MomentKind.UTTERANCE,)
_PICTURES = (MomentKind.FRAME, MomentKind.FIGURE, MomentKind.PAGE)
_VIDEOS = (MomentKind.FRAME, MomentKind.UTTERANCE, MomentKind.SCREEN_TEXT)
_DOCUMENTS = (MomentKind.PASSAGE, MomentKind.PAGE, MomentKind.FIGURE)
_NOT_OF = r"(?!\w| (?:of|for)\b)"
_PHRASES: tuple[tuple[str, tuple[MomentKind, ...]], ...] = (
    (r"(?<!\w)(?:(?:shown|written|displayed) )?on (?:the |a |her |his |one of the |which )?"
     rf"(?:slides?|screen|whiteboard|blackboard){_NOT_OF}", _WRITTEN_OR_SHOWN),
    (rf"(?<!\w)on-screen{_NOT_OF}", _WRITTEN_OR_SHOWN),
    (r"在?(?:幻灯片|投影片|屏幕|ppt)(?:上面|上|里|中)", _WRITTEN_OR_SHOWN),
    (r"(?<!\w)на (?:слайд(?:е|ах)|экране|доске)(?!\w)", _WRITTEN_OR_SHOWN),
    (r"(?<!\w)(?:in the audio|in the soundtrack|out loud|said aloud|(?:is |was |were )?spoken aloud"
     r"|in the narration)(?!\w)", _SPOKEN),
    (r"在?(?:音频|语音|旁白)(?:里|中)|口头上?", _SPOKEN),
    (r"(?<!\w)(?:вслух|в аудио|в звуке|устно|голосом)(?!\w)", _SPOKEN),
    (rf"(?<!\w)in the (?:pictures?|photos?|images?|frames?){_NOT_OF}", _PICTURES),
    (r"在?(?:画面|图片|照片|图像)(?:里|中|上)", _PICTURES),
    (r"(?<!\w)(?:в кадре|на (?:картинк(?:е|ах)|фото|изображени(?:и|ях)))(?!\w)", _PICTURES),
    (rf"(?<!\w)in (?:the |any |which )?videos?{_NOT_OF}", _VIDEOS),
    (r"在?(?:视频|影片)(?:里|中)", _VIDEOS),
    (r"(?<!\w)(?:в|на) видео(?!\w)", _VIDEOS),
    (rf"(?<!\w)in (?:the |any |which )?(?:documents?|pdfs?){_NOT_OF}", _DOCUMENTS),
    (r"在?(?:文档|文件|pdf)(?:里|中)", _DOCUMENTS),
    (r"(?<!\w)(?:в документ(?:е|ах)|в pdf)(?!\w)", _DOCUMENTS),
)  # fmt: skip
_PATTERNS = [(re.compile(phrase), kinds) for phrase, kinds in _PHRASES]


@dataclass(frozen=True, slots=True)
class NamedKinds:
    """What stands at [start, end) of a text, and the kinds that it means."""

    start: int
    end: int
    kinds: tuple[MomentKind, ...]


def find_kinds(folded: str) -> tuple[NamedKinds, ...]:
    """The kinds that a folded text names, in order."""
    found = [
        NamedKinds(*match.span(), kinds)
        for pattern, kinds in _PATTERNS
        for match in pattern.finditer(folded)
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))
