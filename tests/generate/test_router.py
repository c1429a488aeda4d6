"""The router: which questions a small model answers, and why."""

from __future__ import annotations

import pytest

from generate.answer import answer
from generate.audit import audit_line
from generate.backends import Backend
from generate.backends.router import Router, hard_because
from generate.settings import (
    GenerateSettings,
    OpenAISettings,
    Qwen3VLSettings,
    RouterSettings,
    RouteSettings,
)
from generate.token_costs import TokenCosts, estimate_text
from index.embedders import Embedder
from index.errors import SettingsError
from index.snapshot import Snapshot
from retrieve.filters import Filters
from retrieve.settings import RetrieveSettings
from tests.generate.pieces import said
from tests.generate.scripted import ScriptedBackend

ROUTER = RouterSettings(hard_from_words=12, hard_from_tokens=50)


def model(name: str) -> ScriptedBackend:
    backend = ScriptedBackend(
        lambda _: f"It was {name}. [E1]", TokenCosts(estimate_text, is_exact=False)
    )
    backend.name = name
    return backend


@pytest.fixture
def router() -> Router:
    return Router(model("small"), model("large"), ROUTER)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("When did the bees move?", ""),
        ("Who is the speaker on Monday?", ""),
        ("蜜蜂什么时候搬家?", ""),
        ("Когда переехали пчёлы?", ""),
        ("Why did the bees move?", "asks for reasons"),
        ("为什么蜜蜂搬家了?", "asks for reasons"),
        ("Почему переехали пчёлы?", "asks for reasons"),
        ("How do the two hives differ?", "asks for reasons"),
        ("What is the difference between the two hives?", "asks for a comparison"),
        ("How many times does she laugh?", "asks for a count or a list"),
        ("Summarise the second hour", "asks for a whole"),
        ("What was shown after the break?", "asks for an order in time"),
        ("Who spoke? What did she wear?", "asks several things"),
        ("谁在讲话?她穿什么?", "asks several things"),
        ("Which " + "very " * 12 + "long word", "a question of 15 words"),
    ],
)
def test_what_is_hard_is_read_off_the_question(question: str, reason: str) -> None:
    assert hard_because(question, ROUTER) == reason


def test_long_evidence_goes_to_the_large_model(router: Router) -> None:
    short, long = [said(1, "The bees moved.")], [said(1, "The bees moved today. " * 20)]
    easy, hard = (router.choose("When did they move?", pieces) for pieces in (short, long))
    assert (easy.backend.name, easy.level) == ("small", "easy")
    assert (hard.backend.name, hard.level) == ("large", "hard")
    assert "tokens of text" in hard.reason


def test_the_ledger_says_who_answered_and_why(archive: Snapshot, embedder: Embedder) -> None:
    def ask(question: str, backend: Backend) -> tuple[object, object, str]:
        found = answer(
            question,
            archive,
            embedder,
            filters=Filters(),
            retrieve=RetrieveSettings(),
            settings=GenerateSettings(),
            backend=backend,
        )
        noted = audit_line(found, None)
        assert (noted["model"], noted["route"]) == (found.ledger["model"], found.ledger["route"])
        return found.ledger["model"], found.ledger["route"], found.text

    router = Router(model("small"), model("large"), RouterSettings())
    who, why, text = ask("When did the bees move into the new hive?", router)
    assert (who, why) == ("small", "easy: a short question about short evidence")
    assert "small" in text
    assert ask("Why did the bees move?", router)[:2] == ("large", "hard: asks for reasons")
    assert ask("Why did the bees move?", model("lone"))[:2] == ("lone", None)


def test_models_of_a_router_differ_from_the_backends_only_in_what_is_named() -> None:
    settings = GenerateSettings(
        backend="router",
        qwen3_vl=Qwen3VLSettings(model="2B", threads=1),
        openai=OpenAISettings(base_url="http://gpu:8000/v1", seed=5, api_key_variable="KEY"),
        router=RouterSettings(
            easy=RouteSettings(),
            hard=RouteSettings(
                backend="openai", model="32B", base_url="http://big:1/v1", max_thought_tokens=99
            ),
        ),
    )
    assert settings.backends == (
        Qwen3VLSettings(model="2B", threads=1),
        OpenAISettings(base_url="http://big:1/v1", model="32B", max_thought_tokens=99, seed=5),
    )  # without the key of the other server
    with pytest.raises(SettingsError, match=r"generate\.qwen3_vl\.model"):
        GenerateSettings(backend="router")
    with pytest.raises(SettingsError, match=r"generate\.openai\.base_url"):
        GenerateSettings(backend="openai")
    with pytest.raises(SettingsError, match="http:// or https://"):
        OpenAISettings(base_url="localhost:8000")
    assert GenerateSettings().backends == ()
