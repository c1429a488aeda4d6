"""Errors as the API tells them: `application/problem+json` (RFC 9457).

The type is always `about:blank`: the status says what went wrong, `detail` says it to people.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from index.errors import LibraryError, QuestionError, SecondsightError

MEDIA_TYPE = "application/problem+json"
SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "const": "about:blank"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What was wrong with this request."},
        "errors": {
            "description": "The fields that are wrong (status 422), where they are told apart.",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "message"],
                "properties": {"where": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "What went wrong",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""For routes: every one of them may answer with a problem."""

_METHODS = ("GET", "HEAD", "POST")
"""Those that any route takes."""
_log = logging.getLogger(__name__)


class ProblemError(Exception):
    """A request cannot be served; it becomes the response."""

    def __init__(
        self, status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def problem_response(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> JSONResponse:
    """A problem as a response; `errors` are the fields that are wrong."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Have every error of the app answered with a problem."""
    app.add_exception_handler(ProblemError, _from_problem)
    app.add_exception_handler(HTTPException, _from_http)
    app.add_exception_handler(RequestValidationError, _from_validation)
    app.add_exception_handler(QuestionError, _from_question)
    app.add_exception_handler(SecondsightError, _from_secondsight)
    app.add_exception_handler(Exception, _from_unexpected)


async def _from_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return problem_response(error.status, error.detail, headers=error.headers)


async def _from_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    path = request.url.path
    detail, headers = error.detail, error.headers
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"there is nothing at {path}; see /openapi.json"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # A path may have a route for each method; the router names those of the first only.
        allowed = [method for method in _METHODS if _takes(request, method)]
        detail = f"{path} takes {', '.join(allowed)}, not {request.method}"
        headers = {"Allow": ", ".join(allowed)}
    return problem_response(error.status_code, detail, headers=headers)


def _takes(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


async def _from_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"where": ".".join(str(part) for part in one["loc"]), "message": str(one["msg"])}
        for one in error.errors()
    ]
    detail = "; ".join(f"{one['where']}: {one['message']}" for one in errors)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


async def _from_question(_: Request, error: Exception) -> JSONResponse:
    # The command line's messages name its options.
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, str(error).removeprefix("--"))


async def _from_secondsight(_: Request, error: Exception) -> JSONResponse:
    _log.error("%s", error)
    unavailable = isinstance(error, LibraryError)
    status = HTTPStatus.SERVICE_UNAVAILABLE if unavailable else HTTPStatus.INTERNAL_SERVER_ERROR
    return problem_response(status, str(error))


async def _from_unexpected(_: Request, __: Exception) -> JSONResponse:
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log says where and why"
    )
