"""Pages of a list: an opaque cursor, and the link to the next page (RFC 8288)."""

import base64
from typing import Annotated

import orjson
from fastapi import Query, Request, Response
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from graphmind.jobs.incidents import Place


def cursor_of(place: Place) -> str:
    """Write a place in a list as a cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """Read a cursor; raises ValueError if it is not one."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        match orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [int(number), str(name)] if -(2**63) <= number < 2**63:
                return number, name
    except ValueError:  # not base64, or not JSON inside
        pass
    raise ValueError("should be the next_cursor of a page before, as it was given")


def _checked(cursor: str) -> str:
    try:
        place_of(cursor)
    except ValueError as error:
        raise PydanticCustomError("cursor", "Input {error}", {"error": str(error)}) from error
    return cursor


Cursor = Annotated[
    str,
    Query(max_length=1000, description="`next_cursor` of the page before"),
    AfterValidator(_checked),
]
Limit = Annotated[int, Query(ge=1, le=500, description="Items a page has at most")]


def link_next(request: Request, response: Response, cursor: str | None) -> None:
    """State the address of the next page in the ``Link`` header, if there is one."""
    if cursor is not None:
        url = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
