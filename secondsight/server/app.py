"""The routes of the HTTP API, version 1."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from index.records import MomentKind, Source, Span
from index.snapshot import Snapshot
from index.word_query import Phrases, Typos
from retrieve.pictures import PICTURE_TYPES
from retrieve.where import MAX_CHARS
from secondsight import present
from secondsight.conversations import MAX_QUESTION_CHARS
from secondsight.library import Library
from secondsight.link_command import links_json
from secondsight.server import problems
from secondsight.server.guard import OPEN_PATH, Guard
from secondsight.server.history import EarlierTurn, History
from secondsight.server.links import hit_links, media_link
from secondsight.server.media import media_response
from secondsight.server.problems import ProblemError

MAX_HITS = 100
MAX_FILTERS = 100
MAX_NAME_CHARS = 4096
_API = "/v1"
_DESCRIPTION = """\
Ask an archive of videos and documents; get the second or page that proves it.

Times are seconds on a source's own clock, the one a player shows; spans are half-open. Pages count
from 1; boxes are PDF points with the origin at the top left. Errors are problems (RFC 9457).
"""


class Filters(BaseModel):
    """Where to look; filters act before ranking."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: list[Annotated[str, Field(max_length=MAX_NAME_CHARS)]] | None = Field(
        None,
        max_length=MAX_FILTERS,
        description="Only these sources (id, file name or path); may be repeated.",
    )
    kind: list[MomentKind] | None = Field(
        None,
        max_length=MAX_FILTERS,
        description="Only moments of these kinds; may be repeated.",
    )
    within: str | None = Field(
        None,
        max_length=100,
        description="Only this stretch of time: START-END, each SS, MM:SS or HH:MM:SS.",
        examples=["01:00:00-02:00:00"],
    )

    where: str | None = Field(
        None,
        max_length=MAX_CHARS,
        description="Only sources whose metadata fulfil this condition.",
        examples=["course = 'cs101' and year > 2020"],
    )

    literal: bool = Field(
        False, description="Search for all words: no times, names or kinds are read from them."
    )

    def span(self) -> Span | None:
        """`within` as a span. Raises QuestionError."""
        return present.parse_within(self.within)


class SearchQuery(Filters):
    """What to find."""

    q: str = Field(
        "",
        max_length=MAX_QUESTION_CHARS,
        description="What you remember of it; phrases in double quotes.",
    )
    k: int = Field(10, ge=1, le=MAX_HITS, description="Hits wanted.")
    explain: bool = Field(
        False, description="Also tell how an expression was read and what its parts found."
    )
    like: str | None = Field(
        None,
        max_length=MAX_NAME_CHARS,
        description="More like the moment SOURCE/ORDINAL (`moment` of a hit), or like what is at "
        "SOURCE@TIME or SOURCE@pPAGE; itself is left out. `q` may go with it.",
        examples=["talk.mp4@12:30"],
    )
    phrases: Phrases = Field(
        "require", description="Whether phrases must occur, or only weigh more where they do."
    )
    typos: Typos = Field(
        "unmatched", description="Words that are taken for mistyped: those that match nothing."
    )
    tighten: bool = Field(
        False, description="Look at the videos again for the borders of what is seen (slow)."
    )


class Question(Filters):
    """What to answer."""

    question: str = Field(
        min_length=1, max_length=MAX_QUESTION_CHARS, description="A question about the archive."
    )


class PostedQuestion(Question):
    """What to answer, after earlier answers."""

    history: History = []


async def _library(request: Request) -> Library:
    library: Library = request.app.state.library
    return library


async def _permissions(request: Request) -> frozenset[str]:
    """What the server was started with; clients cannot ask for more."""
    permissions: frozenset[str] = request.app.state.permissions
    return permissions


SharedLibrary = Annotated[Library, Depends(_library)]
GrantedPermissions = Annotated[frozenset[str], Depends(_permissions)]
SourceId = Annotated[str, Path(description="Id of the source.")]
router = APIRouter(prefix=_API, responses=problems.RESPONSES)


def create_app(
    library: Library,
    *,
    token: str | None = None,
    host: str = "127.0.0.1",
    permissions: Collection[str] = (),
) -> FastAPI:
    """The API over one library. `host` is the name under which the server is reached.

    Sources that have tags, none of them in `permissions`, are not there for any client.
    """
    app = FastAPI(
        title="Secondsight",
        version=version("secondsight"),
        description=_DESCRIPTION,
        docs_url=None,  # these pages load scripts from other servers
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.library = library
    app.state.permissions = frozenset(permissions)
    app.include_router(router)
    problems.add_problem_handlers(app)
    app.add_middleware(Guard, token=token, host=host)
    schema = app.openapi()  # the app keeps and serves this very object
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = problems.SCHEMA
    if token is not None:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{"token": []}]
    return app


@router.get("/search", response_description="As `search --json`, and `links` in every hit")
def search(
    library: SharedLibrary,
    permissions: GrantedPermissions,
    query: Annotated[SearchQuery, Query()],
) -> JSONResponse:
    """Find moments: what was said, shown or written, and when or on which page.

    `q` may be an expression: `"gradient descent" BEFORE "live demo"`, with AFTER, DURING,
    WITHIN 30s OF, BETWEEN .. AND, NOT, FIRST, LAST, COUNT, ACROSS.

    `links.picture` is a JPEG that shows the hit, or null; `links.media` is the file with a
    fragment that names the place: `#t=start,end` in seconds, or `#page=n`.
    """
    return _search(library, permissions, query)


async def _posted_picture(request: Request) -> bytes:
    """The body, when it says that it is a picture; how large it is the guard has seen to."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in PICTURE_TYPES:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the body is a picture to search with: Content-Type {', '.join(PICTURE_TYPES)}; "
            f"got {content_type or 'none'!r}",
        )
    return await request.body()


_PICTURE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in PICTURE_TYPES
        },
    }
}


@router.post(
    "/search", response_description="As `search --image --json`", openapi_extra=_PICTURE_BODY
)
def search_by_picture(
    library: SharedLibrary,
    permissions: GrantedPermissions,
    query: Annotated[SearchQuery, Query()],
    picture: Annotated[bytes, Depends(_posted_picture)],
) -> JSONResponse:
    """Find what looks like the picture in the body, and fits `q` where that is given."""
    return _search(library, permissions, query, picture)


def _search(
    library: Library,
    permissions: frozenset[str],
    query: SearchQuery,
    picture: bytes | None = None,
) -> JSONResponse:
    result = library.search(
        query.q,
        k=query.k,
        picture=picture,
        like=query.like,
        phrases=query.phrases,
        typos=query.typos,
        tighten=query.tighten,
        within=query.span(),
        sources=query.source,
        kinds=query.kind,
        where=query.where,
        permissions=permissions,
        literal=query.literal,
    )
    snapshot = library.snapshot()
    body = present.search_json(result, library, explain=query.explain)
    for shown, hit in zip(body["hits"], result.hits, strict=True):
        shown["links"] = hit_links(hit, snapshot)
    return JSONResponse(body)


@router.get("/ask", response_description="As `ask --json`")
def ask(
    library: SharedLibrary,
    permissions: GrantedPermissions,
    question: Annotated[Question, Query()],
) -> JSONResponse:
    """Answer from the archive, every sentence with the span or page that proves it."""
    return _answer(library, permissions, question)


@router.post("/ask", summary="Ask", response_description="As `ask --json`")
def ask_posted(
    library: SharedLibrary, permissions: GrantedPermissions, question: PostedQuestion
) -> JSONResponse:
    """Answer from the archive, every sentence with the span or page that proves it.

    `history`: the field `turn` of earlier answers of the same conversation.
    """
    return _answer(library, permissions, question, question.history)


def _answer(
    library: Library,
    permissions: frozenset[str],
    question: Question,
    history: Sequence[EarlierTurn] = (),
) -> JSONResponse:
    answer = library.ask(
        question.question,
        within=question.span(),
        sources=question.source,
        kinds=question.kind,
        where=question.where,
        permissions=permissions,
        literal=question.literal,
        history=[one.exchange() for one in history],
    )
    return JSONResponse(present.answer_json(answer))


@router.get("/sources", response_description="As `status --json`, and `links` in every source")
def sources(library: SharedLibrary, permissions: GrantedPermissions) -> JSONResponse:
    """List what the library holds, and the files that failed with their reasons."""
    body = present.status_json(library.status(permissions))
    for source in body["sources"]:
        source["links"] = {"media": media_link(source["id"])}
    return JSONResponse(body)


@router.get("/sources/{source_id}/on_screen", response_description="As `link --show --json`")
def on_screen(
    library: SharedLibrary,
    permissions: GrantedPermissions,
    source_id: SourceId,
    page: Annotated[int | None, Query(ge=1, description="Only this page of the slides.")] = None,
) -> JSONResponse:
    """List when pages of a document were on screen in talks, and what was said then."""
    snapshot = library.snapshot()
    source = _source(snapshot, source_id, permissions)
    pairs = [
        pair
        for pair in snapshot.links.pairs
        if source.id in pair and all(snapshot.metadata.of(one).open_to(permissions) for one in pair)
    ]
    return JSONResponse(links_json(snapshot, pairs, page))


_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture", "content": {"image/jpeg": {}}}
}


@router.get("/moments/{source_id}/{ordinal}/picture", response_class=Response, responses=_PICTURE)
def picture(
    library: SharedLibrary,
    permissions: GrantedPermissions,
    source_id: SourceId,
    ordinal: Annotated[int, Path(ge=0, description="Position of the moment within its source.")],
) -> Response:
    """The picture of a moment: the frame, page or figure as JPEG; 404 when it has none."""
    snapshot = library.snapshot()
    source = _source(snapshot, source_id, permissions)
    moments = snapshot.source_range(source.id)
    if ordinal >= len(moments):
        raise ProblemError(
            HTTPStatus.NOT_FOUND, f"the moments of {source.name} are 0..{len(moments) - 1}"
        )
    jpeg = snapshot.picture(moments[ordinal])
    if jpeg is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, f"moment {ordinal} of {source.name} has no picture of its own"
        )
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})


_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file", "content": {"video/mp4": {}, "application/pdf": {}}},
    206: {"description": "The range asked for", "content": {"video/mp4": {}}},
    304: {"description": "The client has it"},
    410: problems.RESPONSES["default"]
    | {"description": "The file has changed or is gone since it was ingested"},
    416: problems.RESPONSES["default"] | {"description": "The range lies outside the file"},
}


@router.head("/sources/{source_id}/media", include_in_schema=False)
@router.get("/sources/{source_id}/media", response_class=Response, responses=_FILE)
def media(
    request: Request,
    library: SharedLibrary,
    permissions: GrantedPermissions,
    source_id: SourceId,
    range_: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header()] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The file of a source as it was ingested, or a range of its bytes; 410 when it has changed."""
    snapshot = library.snapshot()
    return media_response(
        snapshot,
        _source(snapshot, source_id, permissions),
        range_header=range_,
        if_range=if_range,
        if_none_match=if_none_match,
        head=request.method == "HEAD",
    )


@router.get(OPEN_PATH.removeprefix(_API), openapi_extra={"security": []})
def health(library: SharedLibrary) -> JSONResponse:
    """Say that the server runs and the library opens; needs no token."""
    library.snapshot()
    return JSONResponse({"status": "ok", "version": version("secondsight")})


def _source(snapshot: Snapshot, source_id: str, permissions: frozenset[str]) -> Source:
    source = snapshot.sources.get(source_id)
    if source is None or not snapshot.metadata.of(source_id).open_to(permissions):
        raise ProblemError(
            HTTPStatus.NOT_FOUND, f"no source {source_id!r} in the library; /v1/sources lists them"
        )
    return source
