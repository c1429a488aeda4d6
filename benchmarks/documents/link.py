"""How exactly slides are tied to their talk: `python -m benchmarks.documents.link --pdfs FOLDER`.

Talks are made from a real PDF: the upper parts of its pages are slides, shown in order, skipped,
repeated and out of order, with moving pictures between; once filling the picture, once at 75 % of
it beside a moving camera. Two of the slides look the same. An unrelated manual lies beside them.
Precision and recall are of seconds: a second counts when it is linked to the page on the screen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pymupdf

from index.records import PageOnScreen, Span
from index.snapshot import Snapshot
from ingest.linking import link_all
from secondsight import Library
from tests.media.slide_talk import FULL, SMALL, SlideTalk, draw_plan, write_deck, write_talk

DOCUMENT = "c++-annotations/cplusplus.pdf"
UNRELATED = Path(__file__).parents[2] / "tests" / "media" / "halden_manual.pdf"
SLIDES = 40
FIRST_PAGE = 30
"""Behind title and table of contents."""
TWICE = (4, 11)
"""The second of these slides, counted from 1, is the first one again."""
LAYOUTS = {"whole picture": FULL, "75 %, beside a camera": SMALL}
SLIDE_S = (4.0, 16.0)
LEAST_WORDS = 60


@dataclass(frozen=True, slots=True)
class Score:
    """Linked seconds against the truth."""

    linked_s: float
    shown_s: float
    right_s: float

    @property
    def precision(self) -> float:
        """Share of the linked seconds that show the page."""
        return self.right_s / self.linked_s if self.linked_s else 0.0

    @property
    def recall(self) -> float:
        """Share of the seconds that show a page which are linked to it."""
        return self.right_s / self.shown_s


def score(links: Sequence[PageOnScreen], shown: Sequence[tuple[int, Span]]) -> Score:
    """Compare links of one talk and deck with what was on the screen."""
    right = sum(
        (
            min(link.span.end, span.end) - max(link.span.start, span.start)
            for link in links
            for page, span in shown
            if link.page == page and link.span.overlaps(span)
        ),
        Fraction(0),
    )
    return Score(
        linked_s=float(sum(link.span.duration for link in links)),
        shown_s=float(sum(span.duration for _, span in shown)),
        right_s=float(right),
    )


def make_talks(document: Path, folder: Path, minutes: float) -> tuple[Path, dict[str, SlideTalk]]:
    """The deck and a talk for each layout."""
    deck = folder / "deck.pdf"
    write_deck(document, deck, _slide_pages(document))
    talks = {}
    for number, (name, layout) in enumerate(LAYOUTS.items()):
        plan = draw_plan(
            SLIDES, duration_s=60 * minutes, seed=7 + number, slide_s=SLIDE_S, unclear=TWICE
        )
        talks[name] = write_talk(folder / f"talk_{number}.mp4", deck, plan, layout)
    return deck, talks


def _slide_pages(document: Path) -> list[int]:
    """Pages whose upper part says enough to be a slide; one of them twice."""
    pages = []
    with pymupdf.open(document) as opened:
        for page in opened.pages(FIRST_PAGE):
            upper = pymupdf.Rect(0, 0, page.rect.width, page.rect.width * 9 / 16)
            if len(page.get_text("words", clip=upper)) >= LEAST_WORDS:
                pages.append(page.number + 1)
            if len(pages) == SLIDES:
                break
    pages[TWICE[1] - 1] = pages[TWICE[0] - 1]
    return pages


def table(snapshot: Snapshot, deck: Path, talks: dict[str, SlideTalk]) -> Iterable[str]:
    """Link the library and score it, as lines of a Markdown table."""
    ids = {source.name: source_id for source_id, source in snapshot.sources.items()}
    started = time.process_time()
    pairs = {(pair.video_id, pair.document_id): pair.links for pair in link_all(snapshot)}
    took_s = time.process_time() - started
    yield "| slides fill | talk | page spans | linked | precision | recall |"
    yield "|---|---|---|---|---|---|"
    wanted = set()
    for name, talk in talks.items():
        pair = (ids[talk.path.name], ids[deck.name])
        wanted.add(pair)
        links = pairs.get(pair, ())
        found = score(links, talk.shown)
        yield (
            f"| {name} | {float(talk.duration_s) / 60:.1f} min | {len(talk.shown)} | {len(links)} "
            f"| {found.precision:.3f} | {found.recall:.3f} |"
        )
    yield ""
    yield (
        f"Pairs that do not belong together and were linked: {len(set(pairs) - wanted)} of "
        f"{len(talks)}. Linking took {took_s:.1f} s of processor time."
    )


def main() -> None:
    """Make what is missing, ingest, link, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--pdfs",
        type=Path,
        required=True,
        help=f"folder with {DOCUMENT}, or in which the Debian package c++-annotations-pdf is "
        "unpacked (dpkg -x)",
    )
    parser.add_argument("--work", type=Path, required=True, help="empty folder for what is made")
    parser.add_argument("--minutes", type=float, default=12.0, help="length of each talk")
    options = parser.parse_args()
    places = (options.pdfs / DOCUMENT, options.pdfs / "usr/share/doc" / DOCUMENT)
    document = next((place for place in places if place.is_file()), None)
    if document is None:
        parser.error(f"there is no {DOCUMENT} in {options.pdfs}")
    options.work.mkdir(parents=True, exist_ok=True)
    deck, talks = make_talks(document, options.work, options.minutes)
    library = Library.open(options.work / "library")
    report = library.ingest([deck, UNRELATED, *(talk.path for talk in talks.values())])
    if report.with_outcome("failed"):
        raise SystemExit(f"ingest failed: {report.with_outcome('failed')}")
    for line in table(library.snapshot(), deck, talks):
        print(line)


if __name__ == "__main__":
    main()
