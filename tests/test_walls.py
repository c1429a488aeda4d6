"""The walls of the house: who may import whom, and which module holds which engine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "index": {"index"},
    "ingest": {"ingest", "index"},
    "retrieve": {"retrieve", "index"},
    "generate": {"generate", "retrieve", "index"},
    "secondsight": {"secondsight", "ingest", "generate", "retrieve", "index", "configs"},
    "configs": {"configs"},
}
"""Folder -> folders it may import."""
ENGINES = {
    "duckdb": {"index/analysis.py", "index/interval_joins.py", "index/tables.py"},
    "faiss": {"index/vectors.py"},
    "tantivy": {"index/lexical.py"},
    "av": {"ingest/media.py", "ingest/pyav_reader.py"},
    "decord": {"ingest/decord_reader.py"},
    "pymupdf": {"ingest/mupdf"},
    "ray": {"ingest/cluster.py"},
}
MAX_LINES = 400


def _modules() -> list[Path]:
    return sorted(path for folder in ALLOWED for path in (ROOT / folder).rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    tops = {name.split(".")[0] for name in _imports(path)}
    assert tops & set(ALLOWED) <= ALLOWED[folder]


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_lives_in_one_place(engine: str) -> None:
    users = {
        path.relative_to(ROOT)
        for path in _modules()
        if engine in {name.split(".")[0] for name in _imports(path)}
    }
    homes = {Path(home) for home in ENGINES[engine]}
    assert {home for user in users for home in homes & {user, user.parent}} == homes
    assert all(homes & {user, user.parent} for user in users)


def test_no_module_outgrows_a_screenful_of_ideas() -> None:
    files = [*_modules(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}


def test_sql_lives_in_the_catalog() -> None:
    statements = ("SELECT ", "INSERT INTO", "CREATE TABLE", "DELETE FROM", "UPDATE ")
    holders = {
        str(path.relative_to(ROOT))
        for path in _modules()
        if any(
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.strip().startswith(statements)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert holders == {
        "index/analysis.py",
        "index/catalog.py",
        "index/catalog_checks.py",
        "index/exchange_tables.py",
        "index/interval_joins.py",
        "index/tables.py",
    }
