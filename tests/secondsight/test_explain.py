"""`ask --explain`, and frames of real files before a model."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from generate.answer import Answer, answer
from generate.prompt import ClipPart, Prompt
from generate.settings import GenerateSettings
from generate.token_costs import TokenCosts, estimate_text
from generate.visuals import FILE_GONE, PicturesError
from index.catalog import MOMENT_KINDS
from index.errors import QuestionError
from index.inventory import read_inventory
from index.manifest import read_manifest
from index.records import MomentKind, Span
from index.shard import record_outcomes
from index.snapshot import Snapshot
from ingest.media import probe
from ingest.pyav_reader import read_frames
from retrieve.filters import Filters
from retrieve.settings import RetrieveSettings
from secondsight import Library
from secondsight.ledger_table import ledger_json, print_ledger
from secondsight.settings import settings_from
from secondsight.source_files import SourceFrames
from tests.conftest import MANUAL, TALK, secondsight
from tests.generate.scripted import ScriptedBackend, shown
from tests.retrieve.archive import shared_embedder

QUESTION = "a close-up of a tabby cat with green eyes"
COSTS = TokenCosts(estimate_text, is_exact=False)


def seen(prompt: Prompt) -> str:
    clips = [part for part in shown(prompt) if isinstance(part, ClipPart)]
    return f"A cat is seen. [{clips[0].evidence}]"


def asked(snapshot: Snapshot, backend: ScriptedBackend, settings: GenerateSettings) -> Answer:
    return answer(
        QUESTION,
        snapshot,
        shared_embedder(),
        filters=Filters(kinds=(MomentKind.FRAME, MomentKind.UTTERANCE)),
        retrieve=RetrieveSettings(),
        settings=settings,
        backend=backend,
        pictures=SourceFrames(snapshot),
    )


@pytest.fixture(scope="module")
def found(library: Library) -> tuple[Answer, Prompt]:
    backend = ScriptedBackend(seen, COSTS)
    answer = asked(library.snapshot(), backend, GenerateSettings())
    return answer, backend.prompts[-1]


def test_a_model_sees_frames_of_the_file_at_times_within_the_evidence(
    found: tuple[Answer, Prompt], library: Library
) -> None:
    answer, prompt = found
    talk = library.source(TALK.name)
    places = {piece.id: piece.place for piece in answer.evidence}
    clips = [part for part in shown(prompt) if isinstance(part, ClipPart)]
    assert {clip.content for clip in clips} == {talk.id}
    for clip in clips:
        place = places[clip.evidence]
        assert isinstance(place, Span)
        assert all(time in place for time in clip.times)
    assert all(row.note == "" or FILE_GONE not in row.note for row in answer.read.rows)


def test_the_table_tells_what_every_evidence_costs(
    found: tuple[Answer, Prompt], capsys: pytest.CaptureFixture[str]
) -> None:
    answer, prompt = found
    for is_terminal in (True, False):
        print_ledger(Console(force_terminal=is_terminal, width=200), answer.read)
        printed = capsys.readouterr().out
        assert f"{COSTS.of_prompt(prompt):,} tokens (estimated: there is no tokenizer)" in printed
        assert all(piece.id in printed for piece in answer.evidence)
        assert ("\x1b" in printed) is is_terminal
    lines = printed.splitlines()
    assert lines[0].split("\t")[:4] == ["evidence", "source", "place", "kind"]
    assert lines[1].startswith("instructions\t")
    rows = ledger_json(answer)["rows"]
    assert sum(row["tokens"] for row in rows) == answer.ledger["prompt_tokens"]
    assert json.loads(json.dumps(rows)) == rows


def test_what_was_quoted_and_read_is_told_without_a_model(archive: Path) -> None:
    question = "When did the surge arrive?"
    printed = secondsight("ask", "--explain", "-L", archive, question).stdout.splitlines()
    assert "\t".join(["evidence", "source", "place", "kind", "rank", ""]) in printed
    body = json.loads(secondsight("ask", "--json", "-L", archive, question).stdout)
    rows = body["ledger"]["rows"]
    assert [row["evidence"] for row in rows] == [f"E{n}" for n in range(1, len(rows) + 1)]
    quoted = {row["evidence"] for row in rows if row["note"] == "quoted"}
    cited = {one["evidence"] for sentence in body["sentences"] for one in sentence["citations"]}
    assert quoted == cited != set()
    assert all(row["tokens"] is None for row in rows)


def test_of_a_file_that_has_gone_stored_pictures_are_shown(archive: Path, tmp_path: Path) -> None:
    directory = tmp_path / "library"
    shutil.copytree(archive, directory)
    inventory = read_manifest(directory).inventory
    assert inventory is not None
    rows = read_inventory(directory / inventory)
    record_outcomes(directory, [replace(row, mtime_ns=row.mtime_ns - 1) for row in rows])
    snapshot = Snapshot.open(directory)
    found = asked(snapshot, ScriptedBackend(seen, COSTS), GenerateSettings())
    told = [row for row in found.read.rows if row.frames]
    assert told
    assert all(FILE_GONE in row.note for row in told)
    (talk,) = [source for source in snapshot.sources.values() if source.name == TALK.name]
    with pytest.raises(PicturesError, match="the file is gone or has changed"):
        SourceFrames(snapshot).shown_at(talk.id, [Fraction(1)], max_side_px=64)


def test_pages_are_rendered_at_the_size_that_is_needed(library: Library) -> None:
    snapshot = library.snapshot()
    manual = library.source(MANUAL.name)
    own = snapshot.source_range(manual.id)
    page = next(n for n in own if MOMENT_KINDS[snapshot.columns.kind[n]] is MomentKind.PAGE)
    files = SourceFrames(snapshot)
    fine = files.page_at(manual.id, int(snapshot.columns.page[page]), side_px=2000)
    assert max(fine.size) == 2000
    stored = Image.open(io.BytesIO(snapshot.picture(page) or b"")).convert("L")
    small = np.asarray(fine.convert("L").resize(stored.size), dtype=np.float32)
    assert np.abs(small - np.asarray(stored, dtype=np.float32)).mean() < 4
    enlarged = np.asarray(stored.resize(fine.size), dtype=np.float32)
    sharp = np.asarray(fine.convert("L"), dtype=np.float32)
    assert np.abs(np.diff(sharp)).mean() > 1.1 * np.abs(np.diff(enlarged)).mean()
    with pytest.raises(PicturesError, match=r"halden_manual.pdf: page 999: "):
        files.page_at(manual.id, 999, side_px=64)


def test_frames_are_those_on_show_at_the_times(library: Library) -> None:
    talk = library.source(TALK.name)
    times = [Fraction(188), Fraction(377, 2), Fraction(1885, 10), Fraction(202), Fraction(203)]
    frames = SourceFrames(library.snapshot()).shown_at(talk.id, times, max_side_px=160)
    assert [frame.size for frame in frames] == [frames[0].size] * 5
    info = probe(str(TALK))
    begun = {
        frame.time: frame.image
        for frame in read_frames(
            str(TALK), info, start=Fraction(187), end=Fraction(204), rate_hz=1000, max_side_px=160
        )
    }
    for time, frame in zip(times, frames, strict=True):
        expected = begun[max(at for at in begun if at <= time)]
        assert frame.tobytes() == expected.tobytes()
    for name in (TALK.name, MANUAL.name):
        assert SourceFrames(library.snapshot()).is_there(library.source(name).id)


def test_a_budget_below_its_answer_is_refused() -> None:
    with pytest.raises(Exception, match=r"generate\.token_budget holds the answer"):
        settings_from({"generate": {"token_budget": 1000}}, origin="mine.yaml")


def test_a_question_that_fits_no_budget_is_one_clear_error(library: Library) -> None:
    settings = GenerateSettings(token_budget=300, max_answer_tokens=200)
    with pytest.raises(QuestionError, match=r"raise generate\.token_budget"):
        asked(library.snapshot(), ScriptedBackend(seen, COSTS), settings)
