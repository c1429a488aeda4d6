"""What frames a question and says nothing of its subject: "where is it said that ...".

Such words weigh in its vector and are looked up like any others; a few words of what was said are
found better without them.
"""

from __future__ import annotations

import re

from index.words import STOP_WORDS, all_words

_PLACE = r"(?:part|place|moment|passage|section|scene|bit|spot|point|time|slide|page)"
_TELL = r"(?:say|says|said|tell|tells|told|talk|talks|talked|speak|speaks|spoke|mention|mentions"
_TELL += r"|mentioned|explain|explains|explained|discuss|discusses|discussed|describe|describes"
_TELL += r"|described|show|shows|shown|cover|covers|covered)"
_ABOUT = r"(?:\s+(?:about|of|on|that))?"
_LEADS = re.compile(
    r"^\s*(?:please\s+)?(?:"
    rf"(?:show|find|give|get|take|bring)\s+(?:me\s+)?(?:to\s+)?(?:the\s+)?{_PLACE}\s+"
    r"(?:about|where|when|that|on|of|with)"
    rf"|the\s+{_PLACE}\s+(?:about|where|when)"
    rf"|(?:where|when|what)\s+(?:is|was)\s+(?:it\s+)?{_TELL}{_ABOUT}"
    rf"|(?:where|when|what)\s+(?:do|does|did)\s+(?:he|she|it|they|you|we|the\s+\w+)\s+{_TELL}{_ABOUT}"
    r"|(?:i\s+am|i['’]m)\s+looking\s+for|(?:search|look)\s+for"
    r")\s+",
    re.IGNORECASE,
)
_AROUND = re.compile(
    rf"^\s*(?:where|when)\s+(?:is|are|was|were)\s+(?P<subject>.+?)\s+{_TELL}{_ABOUT}\s*[?.!]*\s*$",
    re.IGNORECASE,
)


def without_frame(question: str) -> str:
    """The question's subject: what is left without what only asks for it.

    All of it where nothing that tells would be left.
    """
    around = _AROUND.match(question)
    subject = around["subject"] if around else _LEADS.sub("", question)
    return subject if set(all_words(subject)) - STOP_WORDS else question
