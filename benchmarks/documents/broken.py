"""`python -m benchmarks.documents.broken`: hostile and damaged documents through the reader.

The hostile ones are made (tests/media/broken_pdfs). The damaged ones are one of several small
documents, altered in one to three ways (tests/media/mutations); a case that takes too long or
leaves something wrong is told with the seed that makes it again. Each is opened, read and composed
as an ingest run does it, without embedding.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from index.errors import SourceError
from index.records import MomentKind
from index.settings import IndexSettings
from ingest.composition import Composition
from ingest.document import PAGES_PER_TASK, compose_document, probe, read_range
from ingest.job import Job
from ingest.settings import DocumentSettings, IngestSettings
from tests.media.broken_pdfs import cases
from tests.media.mutations import mutate
from tests.media.small_documents import small_documents

SLOW_S = 90.0
"""Three pages without an end, and what comes with them, are done by then."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file."""

    reason: str
    """Why it could not be read; "" when it could."""
    notes: tuple[str, ...]
    pages: int
    text: str
    """Its passages, one a line."""
    wrong: str
    """What must not be; "" as a rule."""
    took_s: float


def read_document(path: Path, folder: Path, settings: DocumentSettings) -> Outcome:
    """Open, read and compose a document; `folder` holds the stage cache.

    Raises whatever is no SourceError: that ends a run.
    """
    job = Job(
        path=str(path),
        source_id=path.name,
        size_bytes=path.stat().st_size,
        library=str(folder),
        staging=str(folder),
        settings=IngestSettings(documents=settings),
        index=IndexSettings(),
    )
    started = time.monotonic()
    try:
        info = probe(job)
        ranges = [
            read_range(job, info, first, min(first + PAGES_PER_TASK - 1, info.pages))
            for first in range(1, info.pages + 1, PAGES_PER_TASK)
        ]
        composition = compose_document(job, info, *ranges)
    except SourceError as error:
        wrong = "" if error.reason.strip() and "\n" not in error.reason else "no reason"
        return Outcome(error.reason, (), 0, "", wrong, time.monotonic() - started)
    took_s = time.monotonic() - started
    texts = [each.text for each in composition.moments if each.kind is MomentKind.PASSAGE]
    source = composition.source
    return Outcome(
        "", source.notes, source.pages or 0, "\n".join(texts), _wrong(composition), took_s
    )


def _wrong(composition: Composition) -> str:
    """What is wrong with the entry of a document."""
    pages = composition.source.pages or 0
    numbers = [moment.area.page for moment in composition.moments]
    if numbers != sorted(numbers):
        return "pages go backwards"
    if not all(1 <= number <= pages for number in numbers):
        return "a moment is on no page"
    shown = [each for each in composition.moments if each.kind is MomentKind.PAGE]
    if len({each.area.page for each in shown}) != len(shown):
        return "a page is there twice"
    if any(each.picture is None or not each.read_picture() for each in shown):
        return "a page has no picture"
    lost = pages - len(shown)
    if lost and not any("could not be read" in note for note in composition.source.notes):
        return f"{lost} pages are left out without a note"
    return ""


def hostile_table(settings: DocumentSettings) -> Iterator[str]:
    """A line of Markdown for each hostile file."""
    yield "| hostile file | size | outcome | took |"
    yield "|---|---|---|---|"
    for name, content in cases():
        outcome = _tried(content, ".pdf", settings)
        told = outcome.reason or "read" + "".join(f"; {note}" for note in outcome.notes)
        wrong = f"WRONG: {outcome.wrong}; " if outcome.wrong else ""
        size = f"{len(content) / 1000:,.0f} kB"
        yield f"| {name.replace('_', ' ')} | {size} | {wrong}{told} | {outcome.took_s:.1f} s |"


def damaged_table(
    settings: DocumentSettings, seeds: range, minutes: float, said: Callable[[str], None]
) -> Iterator[str]:
    """Markdown about damaged files."""
    documents = small_documents()
    ends = time.monotonic() + minutes * 60
    reasons: Counter[str] = Counter()
    wrong: list[str] = []
    read = noted = done = 0
    slowest = (0.0, "")
    for seed in seeds:
        if time.monotonic() > ends:
            break
        name, whole = documents[seed % len(documents)]
        how, content = mutate(whole, seed)
        outcome = _tried(content, Path(name).suffix, settings)
        done += 1
        read += not outcome.reason
        noted += bool(outcome.notes)
        reasons.update([outcome.reason] if outcome.reason else [])
        slowest = max(slowest, (outcome.took_s, f"seed {seed}, {name}, {how}"))
        bad = outcome.wrong or (f"{outcome.took_s:.0f} s" if outcome.took_s > SLOW_S else "")
        wrong += [f"seed {seed}, {name}, {how}: {bad}"] if bad else []
        if done % 100 == 0:
            said(f"{done} damaged files, {len(wrong)} wrong")
    yield "| damaged files | read | of them with a note | failed with a reason | slowest | wrong |"
    yield "|---|---|---|---|---|---|"
    yield (
        f"| {done} | {read} | {noted} | {done - read} | {slowest[0]:.1f} s ({slowest[1]}) "
        f"| {len(wrong)} |"
    )
    yield ""
    yield from (f"{count:6d}  {reason[:120]}" for reason, count in reasons.most_common(20))
    yield from (f"WRONG {what}" for what in wrong)


def _tried(content: bytes, suffix: str, settings: DocumentSettings) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="secondsight-broken-") as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(content)
        return read_document(path, Path(folder), settings)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1000, help="damaged files")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=20.0, help="begin no damaged file after")
    parser.add_argument("--limit", type=float, help="seconds for a page; else the default")
    options = parser.parse_args()
    settings = DocumentSettings()
    if options.limit is not None:
        settings = replace(settings, page_limit_s=options.limit)
    for line in hostile_table(settings):
        print(line, flush=True)
    print()
    seeds = range(options.first_seed, options.first_seed + options.cases)
    for line in damaged_table(settings, seeds, options.minutes, lambda text: None):
        print(line, flush=True)


if __name__ == "__main__":
    main()
