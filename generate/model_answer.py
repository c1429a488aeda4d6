"""A model answers: its prompt is packed, its text is read as it comes, every sentence is proved."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generate.assembly import NOT_FOUND, Assembled, assemble
from generate.audit import prompt_sha256
from generate.proof import prove
from generate.visuals import PicturesError
from index.errors import PromptTooLongError, QuestionError

if TYPE_CHECKING:
    from generate.answer_sentence import AnswerSentence
    from generate.backends import Backend, Ending
    from generate.evidence import Evidence
    from generate.ledger import Ledger
    from generate.prompt import Prompt, Turn
    from generate.settings import GenerateSettings
    from generate.visuals import SourcePictures
    from index.embedders import Embedder
    from index.snapshot import Snapshot

_SHORTER = 0.9
"""A prompt that its model finds too long is packed anew into at most this share."""
_MAX_REFUSALS = 5


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model made of the evidence."""

    sentences: tuple[AnswerSentence, ...]
    """With their verdicts; empty when it found no answer."""
    ledger: Ledger
    """What it read."""
    ending: Ending | None
    """How its text ended; None where it was not asked, there being no evidence."""
    prompt_sha256: str
    """What it was asked, as a hash."""
    refusals: int = 0
    """How many longer prompts it refused before."""


def ask_model(
    question: str,
    evidence: Sequence[Evidence],
    snapshot: Snapshot,
    embedder: Embedder,
    backend: Backend,
    *,
    settings: GenerateSettings,
    pictures: SourcePictures | None,
    conversation: Sequence[Turn] = (),
    stop: threading.Event | None = None,
) -> ModelAnswer:
    """Ask a model about evidence, which is not empty, and prove what it says.

    Where frames cannot be decoded, stored pictures take their place; where the model counts more
    tokens than were counted here, less is put before it. When `stop` is set, the text ends.
    Raises QuestionError when nothing fits the budget, and what the backend raises.
    """
    budget = min(settings.token_budget, backend.context_tokens)
    unreadable: set[str] = set()
    refusals: list[PromptTooLongError] = []
    while True:
        try:
            assembled = assemble(
                question,
                evidence,
                snapshot,
                backend.costs,
                budget_tokens=budget,
                answer_tokens=settings.max_answer_tokens,
                pictures=pictures,
                unreadable=unreadable,
                conversation=conversation,
            )
        except QuestionError:
            if refusals:  # Not the budget that was asked for is too small, but the model's.
                raise refusals[-1] from None
            raise
        try:
            text, ending = _read(backend, assembled.prompt, settings, stop or threading.Event())
        except PicturesError as error:
            if error.source_id in unreadable:
                raise
            unreadable.add(error.source_id)
        except PromptTooLongError as error:
            refusals.append(error)
            if len(refusals) == _MAX_REFUSALS:
                raise
            counted = (assembled.ledger.prompt_tokens or 0) + settings.max_answer_tokens
            share = 1.0 if error.limit_tokens is None else error.limit_tokens / error.tokens
            budget = int(min(_SHORTER, share) * counted)
        else:
            proved = _proved(text, ending, assembled, evidence, embedder, settings, backend)
            return replace(proved, refusals=len(refusals))


def _read(
    backend: Backend, prompt: Prompt, settings: GenerateSettings, stop: threading.Event
) -> tuple[str, Ending | None]:
    stream = backend.stream(prompt, max_answer_tokens=settings.max_answer_tokens, stop=stop)
    try:
        return "".join(stream), stream.ending
    finally:
        stream.close()


def _proved(
    text: str,
    ending: Ending | None,
    assembled: Assembled,
    evidence: Sequence[Evidence],
    embedder: Embedder,
    settings: GenerateSettings,
    backend: Backend,
) -> ModelAnswer:
    read = {row.evidence for row in assembled.ledger.rows if not row.is_left_out}
    supplied = [piece for piece in evidence if piece.id in read]
    sentences = (
        () if says_nothing(text) else prove(text, supplied, embedder, settings, backend=backend)
    )
    return ModelAnswer(sentences, assembled.ledger, ending, prompt_sha256(assembled.prompt))


def says_nothing(text: str) -> bool:
    """Whether a model says that the evidence does not answer, as it was told to."""
    return text.strip(" \n\t.!*\"'`“”„«»").casefold() in ("", NOT_FOUND)
