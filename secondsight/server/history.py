"""Earlier turns of a conversation as clients send them back."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from generate.conversation import MAX_EXCHANGES, Cited, Exchange
from index.records import PageArea, Span
from secondsight.conversations import MAX_CITED, MAX_QUESTION_CHARS, MAX_TEXT_CHARS

_LONGEST_S = 1e7


class CitedPlace(BaseModel):
    """A place that an answer cited: a span or a page."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    source: str = Field(max_length=100, description="Id of the source.")
    start_s: float | None = Field(None, ge=0, le=_LONGEST_S)
    end_s: float | None = Field(None, ge=0, le=_LONGEST_S)
    page: int | None = Field(None, ge=1, le=10_000_000)
    quote: str = Field("", max_length=MAX_TEXT_CHARS)

    @model_validator(mode="after")
    def _has_one_place(self) -> CitedPlace:
        if self.page is None and (
            self.start_s is None or self.end_s is None or self.start_s >= self.end_s
        ):
            raise ValueError("a cited place is a page, or a span with start_s before end_s")
        return self

    def cited(self) -> Cited:
        """The same for the library."""
        if self.page is not None:
            return Cited(self.source, PageArea(self.page, str(self.page)), self.quote)
        assert self.start_s is not None
        assert self.end_s is not None
        return Cited(self.source, Span(Fraction(self.start_s), Fraction(self.end_s)), self.quote)


class EarlierTurn(BaseModel):
    """An earlier question and its answer: the field `turn` of that answer."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    question: str = Field(min_length=1, max_length=MAX_QUESTION_CHARS)
    answer: str = Field(max_length=MAX_TEXT_CHARS)
    asked_as: str | None = Field(None, max_length=2 * MAX_QUESTION_CHARS)
    cited: list[CitedPlace] = Field([], max_length=MAX_CITED)

    def exchange(self) -> Exchange:
        """The same for the library."""
        places = tuple(one.cited() for one in self.cited)
        return Exchange(self.question, self.answer, places, self.asked_as or "")


History = Annotated[
    list[EarlierTurn],
    Field(
        max_length=MAX_EXCHANGES,
        description="Earlier answers of this conversation, the latest last: the field `turn` of "
        "each. Follow-ups are then read with them.",
    ),
]
