"""Pages become moments: running heads dropped, hyphens mended, headings found, passages cut."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from index.records import Moment, MomentKind, PageArea
from ingest.footnotes import footnotes_last
from ingest.headings import (
    all_lines,
    body_size_pt,
    descended,
    heading_starts,
    running_lines,
    spelled,
    without_running_lines,
)
from ingest.hyperlinks import with_hyperlinks
from ingest.pages import (
    DocumentInfo,
    FigureBlock,
    PageContent,
    PageItem,
    PageLine,
    TableBlock,
    TextBlock,
    union_box,
)
from ingest.placement import displayed_moment
from ingest.printed_words import WORD_BYTES
from ingest.settings import DocumentSettings
from ingest.text_pages import with_own_lines
from ingest.tokens import (
    Token,
    Vocabulary,
    joined,
    sentence_borders,
    tokens_of,
    vocabulary_of,
    word_boxes_of,
)

HEADING_SEPARATOR = " > "

_ORNAMENT_REPEATS = 3
_OPENING_WORDS = 40
"""Words of its page that a page moment carries."""

_Headed = tuple[str, int, PageItem]
"""Path of headings above an item, its position on the page, the item."""


def document_moments(
    info: DocumentInfo, pages: Sequence[PageContent], settings: DocumentSettings
) -> tuple[Moment, ...]:
    """Moments of a document: by page, the page itself first, then in reading order.

    `pages` are all pages of the document, in order. Passages never cross a page, a heading or
    leave out a word but running heads, feet, page numbers and leader dots; paragraphs are parted
    by line breaks and a heading is the first paragraph of its passage. Tables are passages of
    Markdown. A table's caption stands before its Markdown. A heading at the foot of a page whose
    text follows on the next page is no passage: it is in that text's `heading`. Footnotes come
    last on their page; a paragraph that goes on in the next column is one. A figure's text is its
    caption and, on the next line, the words printed inside it; it is "" for a picture without
    either. Ornaments repeated at one place are no figures. Links stay with the words they are on.
    """
    running = running_lines(info, pages)
    pages = [without_running_lines(page, running[page.number]) for page in pages]
    body = body_size_pt(pages)
    pages = [footnotes_last(page, body) for page in pages]
    vocabulary = vocabulary_of(pages)
    ornaments = _ornaments(pages)
    starts = heading_starts(info, pages)
    path: list[tuple[int, str]] = []
    read: list[tuple[PageContent, str, list[_Headed]]] = []
    for page in pages:
        headed: list[_Headed] = []
        for level, title in starts.get((page.number, -1), ()):
            path = descended(path, level, title)
        for position, item in enumerate(page.items):
            for level, title in starts.get((page.number, position), ()):
                path = descended(path, level, title)
            headed.append((_written(path), position, item))
        read.append((page, headed[0][0] if headed else _written(path), headed))
    moments: list[Moment] = []
    following = [heading if headed else None for _, heading, headed in read[1:]]
    for (page, heading, headed), carried in zip(read, [*following, None], strict=True):
        here = [
            _page_moment(page, headed, heading, vocabulary),
            *_item_moments(page, headed, carried, ornaments, vocabulary, settings),
        ]
        lies = page.placement
        here = [displayed_moment(one, lies) for one in here] if lies else here
        here = [with_own_lines(one, page.text_lines) for one in here] if page.text_lines else here
        moments += with_hyperlinks(here, page.links, info.labels) if page.links else here
    return tuple(moments)


def _written(path: Sequence[tuple[int, str]]) -> str:
    return HEADING_SEPARATOR.join(title for _, title in path)


def cut_passages(
    weights: Sequence[float], borders: Sequence[int], target: float
) -> list[tuple[int, int]]:
    """Cut words into consecutive pieces of about `target` weight.

    `weights` is the weight of each word, `borders` the ascending indexes before which a sentence
    starts. Returns half-open index ranges that cover every word once. A piece ends at the border
    nearest to its share; where no border lies between half and twice of the target (program
    listings, endless sentences) it ends at the word nearest to its share.
    """
    total = [0.0]
    for weight in weights:
        total.append(total[-1] + weight)
    pieces: list[tuple[int, int]] = []
    start = 0
    while start < len(weights):
        left = total[-1] - total[start]
        count = min(max(1, round(left / target)), len(weights) - start)
        end = len(weights)
        if count > 1:
            ideal = total[start] + left / count
            low, high = total[start] + target / 2, total[start] + target * 2
            inside = [each for each in borders if each > start and low <= total[each] <= high]
            candidates = inside or range(start + 1, len(weights))
            end = min(candidates, key=lambda each: abs(total[each] - ideal))
        pieces.append((start, end))
        start = end
    return pieces


def _item_moments(
    page: PageContent,
    headed: Sequence[_Headed],
    carried: str | None,
    ornaments: frozenset[tuple[int, ...]],
    vocabulary: Vocabulary,
    settings: DocumentSettings,
) -> list[Moment]:
    placed: list[tuple[int, Moment]] = []
    section: list[TextBlock] = []
    section_heading, section_start = "", 0

    def close_section() -> None:
        for moment in _passages(page, section_heading, section, vocabulary, settings):
            placed.append((section_start, moment))
        section.clear()

    for heading, position, item in headed:
        if isinstance(item, TextBlock):
            if section and _is_bare_heading(section, section_heading, heading):
                section_heading = heading
            elif section and heading != section_heading:
                close_section()
            if not section:
                section_heading, section_start = heading, position
            section.append(item)
        elif isinstance(item, TableBlock):
            for moment in _table_moments(page, heading, item, vocabulary, settings):
                placed.append((position, moment))
        elif item.caption is not None or _place(item) not in ornaments:
            placed.append((position, _figure_moment(page, heading, item, vocabulary)))
    if not (section and section_heading == carried and _is_heading(section, carried)):
        close_section()
    return [moment for _, moment in sorted(placed, key=lambda each: each[0])]


def _is_bare_heading(section: Sequence[TextBlock], above: str, below: str) -> bool:
    """True when a section is only its heading, printed right above that of a subsection."""
    title = spelled(above.rsplit(HEADING_SEPARATOR, maxsplit=1)[-1])
    return (
        below.startswith(above + HEADING_SEPARATOR)
        and bool(title)
        and spelled(section[-1].text).endswith(title)
    )


def _is_heading(section: Sequence[TextBlock], path: str) -> bool:
    """True when a section is nothing but the last heading of its path."""
    title = spelled(path.rsplit(HEADING_SEPARATOR, maxsplit=1)[-1])
    return len(section) == 1 and bool(title) and spelled(section[0].text).endswith(title)


def _passages(
    page: PageContent,
    heading: str,
    blocks: Sequence[TextBlock],
    vocabulary: Vocabulary,
    settings: DocumentSettings,
) -> Iterator[Moment]:
    tokens = tokens_of(blocks, vocabulary)
    weights = [token.weight for token in tokens]
    for start, end in cut_passages(weights, sentence_borders(tokens), settings.passage_words):
        piece = tokens[start:end]
        paragraphs: dict[int, list[PageLine]] = defaultdict(list)
        for token in piece:
            paragraphs[token.paragraph].extend(token.lines)
        lines = [line for each in paragraphs.values() for line in each]
        boxes = tuple(union_box(line.box for line in each) for each in paragraphs.values())
        yield Moment(
            kind=MomentKind.PASSAGE,
            place=PageArea(page.number, page.label, boxes),
            text=joined(piece),
            word_boxes=word_boxes_of(piece),
            heading=heading,
            confidence=_confidence(lines),
        )


def _table_moments(
    page: PageContent,
    heading: str,
    table: TableBlock,
    vocabulary: Vocabulary,
    settings: DocumentSettings,
) -> Iterator[Moment]:
    """A table as Markdown; a long one in pieces, each under the table's caption and header row."""
    above = tokens_of([table.caption], vocabulary) if table.caption else []
    weights = [float(len(" ".join(row).split()) or 1) for row in table.rows[1:]]
    pieces = [(0, len(weights))]
    if sum(weights) > 2 * settings.passage_words:
        pieces = cut_passages(weights, range(len(weights)), settings.passage_words)
    for start, end in pieces:
        tokens, rest = _written_rows(table, [0, *range(start + 1, end + 1)])
        tokens = [*above, *tokens]
        whole = len(pieces) == 1
        box = table.box if whole else union_box(table.row_boxes[start + 1 : end + 1])
        boxes = (box, table.caption.box) if table.caption else (box,)
        yield Moment(
            kind=MomentKind.PASSAGE,
            place=PageArea(page.number, page.label, boxes),
            text=(joined(tokens) + rest).strip(),
            word_boxes=word_boxes_of(tokens),
            heading=heading,
        )


def _written_rows(table: TableBlock, rows: Sequence[int]) -> tuple[list[Token], str]:
    """Words of rows of a table with the Markdown between them, and that after the last word."""
    tokens: list[Token] = []
    between = ""
    for count, row in enumerate(rows):
        if count == 1:
            between += "\n| " + " | ".join(["---"] * len(table.rows[0])) + " |"
        between += "\n|"
        for cell, packed in zip(table.rows[row], table.word_boxes[row], strict=True):
            between += " "
            for number, word in enumerate(cell.split()):
                box = packed[number * WORD_BYTES : (number + 1) * WORD_BYTES]
                tokens.append(Token(word.replace("|", "\\|"), between, 1.0, (), 0, box))
                between = " "
            between = (between if not cell else "") + " |"
    return tokens, between


def _figure_moment(
    page: PageContent, heading: str, figure: FigureBlock, vocabulary: Vocabulary
) -> Moment:
    printed = [figure.caption] if figure.caption else []
    tokens = tokens_of([*printed, TextBlock(figure.labels)], vocabulary)
    boxes = (figure.box, figure.caption.box) if figure.caption else (figure.box,)
    return Moment(
        kind=MomentKind.FIGURE,
        place=PageArea(page.number, page.label, boxes),
        text=joined(tokens),
        word_boxes=word_boxes_of(tokens),
        heading=heading,
        picture=figure.picture,
    )


def _page_moment(
    page: PageContent,
    headed: Sequence[_Headed],
    heading: str,
    vocabulary: Vocabulary,
) -> Moment:
    opening: list[TextBlock] = []
    missing = _OPENING_WORDS
    for _, _, item in headed:
        if isinstance(item, TextBlock) and missing > 0:
            lines = item.lines[:missing]
            opening.append(TextBlock(lines))
            missing -= sum(len(line.text.split()) for line in lines)
    words = tokens_of(opening, vocabulary)[:_OPENING_WORDS]
    return Moment(
        kind=MomentKind.PAGE,
        place=PageArea(page.number, page.label),
        text=joined(words).replace("\n", " "),
        heading=heading,
        confidence=_confidence(all_lines([page])),
        picture=page.picture,
    )


def _confidence(lines: Iterable[PageLine]) -> float | None:
    """Mean confidence over the words of recognised lines; None for text from the file."""
    known = [line.confidence for line in lines if line.confidence is not None]
    return sum(known) / len(known) if known else None


def _place(figure: FigureBlock) -> tuple[int, ...]:
    box = figure.box
    return tuple(map(round, (box.x0, box.y0, box.x1, box.y1)))


def _ornaments(pages: Sequence[PageContent]) -> frozenset[tuple[int, ...]]:
    """Places of uncaptioned pictures that return on three pages or more: logos, page frames."""
    seen = Counter(
        _place(item)
        for page in pages
        for item in page.items
        if isinstance(item, FigureBlock) and item.caption is None
    )
    return frozenset(place for place, count in seen.items() if count >= _ORNAMENT_REPEATS)
