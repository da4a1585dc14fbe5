"""Who asks, and whether a page of another site made them ask: the one place to put a login in."""

from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Header, HTTPException, Request

ANONYMOUS: Final = "anonymous"
ROLE: Final = "responder"
"""Nobody is authenticated yet, so nobody has the right to approve."""
SAME_SITES: Final = frozenset({"same-origin", "none"})


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts, for the audit trail, and what they may."""

    name: str
    role: str
    """viewer, responder, approver or admin."""


def actor_of(
    name: Annotated[
        str,
        Header(
            alias="X-Graphmind-Actor",
            description="Who acts, for the audit trail. Taken at their word: put a login before it",
            min_length=1,
            max_length=128,
            pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
        ),
    ] = ANONYMOUS,
) -> Actor:
    """Return who acts. An app with a login overrides this dependency."""
    return Actor(name=name, role=ROLE)


def same_origin(request: Request) -> None:
    """Refuse what a page of another site makes a browser send: it acts on the reader's behalf.

    Programs send neither header. Raises 403.
    """
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    own = request.headers.get("host", "").lower()
    foreign = origin is not None and urlsplit(origin.lower()).netloc != own
    if foreign or (origin is None and site not in SAME_SITES):
        came = repr(origin) if origin is not None else f"a {site} request"
        raise HTTPException(
            403, f"Changes are taken from pages of {own} and from programs only, got {came}."
        )


CurrentActor = Annotated[Actor, Depends(actor_of)]
FROM_HERE: Final = [Depends(same_origin)]
"""``dependencies=`` of every route that changes something."""
