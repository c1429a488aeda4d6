"""Hostile documents end in seconds, each with its reason or a note; nothing of them is run."""

# mypy: allow-untyped-calls

from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest

from benchmarks.documents.broken import Outcome, read_document
from ingest.document import REPAIRED, lost_notes
from ingest.settings import DocumentSettings
from tests.media.broken_pdfs import CASES, WORDS, many_objects, script
from tests.media.mutations import mutate
from tests.media.small_documents import small_documents

SETTINGS = DocumentSettings(page_limit_s=1.0, page_memory_bytes=300_000_000)


def outcome_of(content: bytes, folder: Path, name: str = "file.pdf") -> Outcome:
    """What becomes of a file; nothing wrong, and soon."""
    path = folder / name
    path.write_bytes(content)
    outcome = read_document(path, folder / "library", SETTINGS)
    assert outcome.wrong == ""
    assert outcome.took_s < 20
    return outcome


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("drawing_bomb", "no end after 1 s|more memory than the limit"),
        ("state_bomb", "too many nested graphics states"),
        ("nested_bomb", "no end after 1 s"),
        ("string_bomb", "more memory than the limit|no end after 1 s"),
        ("deep_content", "stack overflow"),
    ],
)
def test_a_bomb_between_two_pages_costs_its_own_page(
    tmp_path: Path, case: str, reason: str
) -> None:
    outcome = outcome_of(CASES[case](), tmp_path)
    (note,) = outcome.notes
    assert note.startswith("page 2 could not be read: ")
    assert any(each in note for each in reason.split("|")), note
    assert outcome.pages == 3
    assert outcome.text.split("\n") == [WORDS, WORDS]


def test_forms_that_draw_each_other_without_end_cost_their_page(tmp_path: Path) -> None:
    outcome = outcome_of(CASES["laughs"](), tmp_path)
    assert outcome.notes[-1] == "page 3 could not be read: no end after 1 s"
    assert outcome.text.split("\n") == [WORDS, WORDS]


@pytest.mark.parametrize(
    ("case", "note"),
    [
        ("repaired", REPAIRED),
        ("claimed_pages", None),
        ("own_form", None),
        ("absurd_image", None),
        ("cyclic_pages", "pages 2-3 could not be read: cycle in page tree"),
        ("deep_outline", "its outline could not be read: its reader crashed (SIGSEGV)"),
        ("cyclic_outline", "its outline could not be read: Cycle detected in outlines"),
        ("deep_arrays", None),
        ("script", None),
        ("page of 200 inches", None),
        ("page of kilometres", None),
        ("page of nothing", None),
        ("page of no numbers", None),
    ],
)
def test_what_can_be_read_of_a_hostile_file_is_read(
    tmp_path: Path, case: str, note: str | None
) -> None:
    outcome = outcome_of(CASES[case](), tmp_path)
    assert outcome.reason == ""
    assert list(outcome.notes) == ([] if note is None else [note])
    assert outcome.text == WORDS


def test_files_inside_the_file_are_ignored_and_filled_fields_are_read(tmp_path: Path) -> None:
    assert outcome_of(CASES["embedded"](), tmp_path).text == WORDS
    filled = outcome_of(CASES["form"](), tmp_path, "form.pdf").text
    assert "Ada Lovelace" in filled
    assert WORDS in filled


def test_a_document_without_a_readable_page_fails_with_the_reason(tmp_path: Path) -> None:
    assert outcome_of(CASES["too_many_pages"](), tmp_path).reason == (
        "is broken: Invalid number of pages"
    )
    many = CASES["claimed_pages"]().replace(b"/Count 3/", b"/Count 3000000/")
    assert outcome_of(many, tmp_path, "many.pdf").pages in (0, 1)
    bomb = outcome_of(CASES["image_bomb"](), tmp_path, "bomb.pdf")
    assert bomb.reason.startswith("none of its pages could be read: ")


def test_hundreds_of_thousands_of_objects_are_passed_over(tmp_path: Path) -> None:
    assert outcome_of(many_objects(300_000), tmp_path).text == WORDS


def test_scripts_cannot_run(tmp_path: Path) -> None:
    path = tmp_path / "script.pdf"
    path.write_bytes(script())
    with pymupdf.open(path) as document:
        assert not pymupdf.mupdf.pdf_js_supported(
            pymupdf.mupdf.pdf_document_from_fz_document(document.this)
        )


@pytest.mark.parametrize("seed", range(18))
def test_damaged_documents_of_every_format_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    documents = small_documents()
    name, whole = documents[seed % len(documents)]
    outcome_of(mutate(whole, seed)[1], tmp_path, name)


def test_pages_that_could_not_be_read_are_summed_up() -> None:
    assert lost_notes({}) == []
    assert lost_notes({17: "no end after 20 s"}) == ["page 17 could not be read: no end after 20 s"]
    lost = dict.fromkeys([*range(5, 10), 3], "no end after 20 s") | {12: "cycle"}
    assert lost_notes(lost) == [
        "pages 3, 5-9 could not be read: no end after 20 s",
        "page 12 could not be read: cycle",
    ]
    assert lost_notes(dict.fromkeys(range(1, 101, 2), "x")) == [
        "50 pages (1, 3, 5, 7, 9, 11, 13, 15, ...) could not be read: x"
    ]
    assert lost_notes({number: f"reason {number}" for number in range(1, 9)})[-1] == (
        "3 more pages could not be read"
    )


def test_a_lost_page_is_tried_again_under_other_limits(tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(CASES["nested_bomb"]())
    tight = replace(SETTINGS, page_limit_s=0.3)
    assert "0.3 s" in read_document(path, tmp_path, tight).notes[0]
    assert "1 s" in read_document(path, tmp_path, SETTINGS).notes[0]
