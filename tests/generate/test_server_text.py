"""What is shown of a server's answer, however it is cut into pieces."""

from __future__ import annotations

from itertools import pairwise

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.backends.server_errors import Server, trouble_of
from generate.backends.server_text import ServerText
from index.errors import PromptTooLongError

SERVER = Server("http://here/v1", "m", "", None)


def shown(pieces: list[str], *, thinks: bool, is_complete: bool = True) -> str:
    text = ServerText(thinks=thinks)
    given_out = [text.add(piece) for piece in pieces]
    given_out.append(text.end(is_complete=is_complete))
    assert text.shown == "".join(given_out)
    return text.shown


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(ends)]


@given(
    st.text(alphabet="<>/think abc\n", max_size=30).filter(lambda text: "</think>" not in text),
    st.text(max_size=30),
    st.lists(st.integers(0, 80), max_size=12),
    st.booleans(),
)
def test_thoughts_go_and_the_answer_stays(
    thought: str, said: str, places: list[int], opens: bool
) -> None:
    whole = f"{'<think>' if opens else ''}{thought}</think>\n{said}"
    assert shown(cut(whole, places), thinks=True) == said.lstrip()
    if opens:
        assert shown(cut(whole, places), thinks=False) == said.lstrip()


@given(st.text(max_size=30), st.lists(st.integers(0, 40), max_size=12), st.booleans())
def test_an_answer_without_thoughts_stays_whole(said: str, places: list[int], thinks: bool) -> None:
    if said.lstrip().startswith("<think>"):
        return
    pieces = cut(said, places)
    assert shown(pieces, thinks=False) == said.lstrip()
    assert shown(pieces, thinks=False, is_complete=False) == said.lstrip()
    if thinks and "</think>" not in said:
        assert shown(pieces, thinks=True) == said.lstrip()
        assert shown(pieces, thinks=True, is_complete=False) == ""


@pytest.mark.parametrize(
    ("period", "repeats"),
    [("the bees came back. ", True), ("蜜蜂回来了。", True), ("- ", True), (None, False)],
)
def test_loops_are_seen_in_any_script(period: str | None, repeats: bool) -> None:
    text = ServerText(thinks=False)
    looped = False
    for number in range(600):
        text.add(f"line {number * number} of many, all of them new. " if period is None else period)
        looped = looped or text.loops()
    assert looped is repeats


@pytest.mark.parametrize(
    ("message", "tokens", "limit"),
    [
        (
            "This model's maximum context length is 32768 tokens. However, you requested 40,000 "
            "tokens (39000 in the messages, 1000 in the completion).",
            40_000,
            32_768,
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 1000. This model's maximum "
            "context length is 32768 tokens and your request has 32000 input tokens",
            32_100,
            32_768,
        ),
        (
            "You passed 5001 input tokens and requested 100 output tokens. However, the model's "
            "context length is only 5000 tokens",
            5_101,
            5_000,
        ),
        (
            "The decoder prompt (length 40000) is longer than the maximum model length of 32768.",
            40_100,
            32_768,
        ),
        (
            "The input (40000 tokens) is longer than the model's context length (32768 tokens).",
            40_100,
            32_768,
        ),
        (
            "the request exceeds the available context size (8192 tokens), try increasing it",
            7_100,
            8_192,
        ),
        (
            "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 98304]",
            7_100,
            98_404,
        ),
        ("Prompt is too long.", 7_100, None),
    ],
)
def test_servers_say_in_many_ways_that_a_prompt_is_too_long(
    message: str, tokens: int, limit: int | None
) -> None:
    error = openai.APIError(message, request=None, body={"message": message, "code": 400})  # type: ignore[arg-type]
    trouble = trouble_of(error, SERVER, prompt_tokens=7_000, answer_tokens=100)
    assert not trouble.is_passing
    assert isinstance(trouble.error, PromptTooLongError)
    assert (trouble.error.tokens, trouble.error.limit_tokens) == (tokens, limit)


@pytest.mark.parametrize(
    "message", ["Internal error", "Rate limit: 200000 tokens per minute", "Invalid image length"]
)
def test_other_refusals_are_no_matter_of_length(message: str) -> None:
    error = openai.APIError(message, request=None, body={"message": message})  # type: ignore[arg-type]
    trouble = trouble_of(error, SERVER, prompt_tokens=7_000, answer_tokens=100)
    assert not isinstance(trouble.error, PromptTooLongError)
