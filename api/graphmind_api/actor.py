"""Who acts, what they may, and whether a page of another site made them act."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import Depends, Header, HTTPException, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer, SecurityScopes

from graphmind.access.roles import Role, covers
from graphmind_api.access.caller import Caller
from graphmind_api.access.gate import CHALLENGE, HOW
from graphmind_api.access.sessions import COOKIE
from graphmind_api.problems import Refusal

SAME_SITES: Final = frozenset({"same-origin", "none"})
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER: Final = HTTPBearer(
    scheme_name="bearer",
    description="An API key, a token of the OpenID provider, or the local token of the data folder",
    auto_error=False,
)
SESSION: Final = APIKeyCookie(
    name=COOKIE, scheme_name="session", description="The console's, from `/login`", auto_error=False
)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts, for the audit trail, and what they may."""

    name: str
    role: Role


def caller_of(request: Request) -> Caller:
    """Return who sent a request. Raises 401."""
    caller: Caller | None = request.state.caller
    if caller is None:
        raise Refusal(
            401,
            f"Who are you? {HOW}.",
            type_="urn:graphmind:unauthenticated",
            title="Log in first",
            headers={"WWW-Authenticate": CHALLENGE},
        )
    return caller


KnownCaller = Annotated[Caller, Depends(caller_of)]


def _allowed(
    needed: SecurityScopes,
    request: Request,
    caller: KnownCaller,
    _bearer: Annotated[object, Depends(BEARER)],
    _session: Annotated[object, Depends(SESSION)],
) -> None:
    """Refuse who has not all roles needed, and what another site's page asks in their name."""
    if caller.in_session and request.method not in SAFE:
        _from_own_page(request)
    for role in needed.scopes:
        if not covers(caller.role, role):
            raise _missing(caller, role)


def may(role: Role) -> Any:
    """Return the dependency of a route that needs a role: ``dependencies=[may("approver")]``."""
    return Security(_allowed, scopes=[role])


def may_send(
    request: Request, caller: KnownCaller, _bearer: Annotated[object, Depends(BEARER)]
) -> None:
    """Let senders of telemetry in, and whoever may plan repairs."""
    if caller.in_session:
        _from_own_page(request)
    if caller.kind != "sender" and not covers(caller.role, "responder"):
        raise _missing(caller, "responder")


def actor_of(
    caller: KnownCaller,
    name: Annotated[
        str | None,
        Header(
            alias="X-Graphmind-Actor",
            description="Who acts, for the audit trail. Only with the local token: the others say "
            "themselves who uses them",
            min_length=1,
            max_length=128,
            pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
        ),
    ] = None,
) -> Actor:
    """Return who acts. Raises 403 where someone says that they are someone else."""
    assert caller.role is not None  # Nothing that takes an actor is open to who has none.
    if name not in (None, caller.name) and caller.kind != "local":
        raise Refusal(
            403,
            f"You are {caller.name}: X-Graphmind-Actor names another only with the local token. "
            "Leave it out.",
            type_="urn:graphmind:not-you",
            title="Not who you are",
        )
    return Actor(name=name or caller.name, role=caller.role)


def same_origin(request: Request) -> None:
    """Refuse what a page of another site makes a browser send: it acts on the reader's behalf.

    Programs send neither header. Raises 403.
    """
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    if origin in _trusted(request):
        return
    own = request.headers.get("host", "").lower()
    foreign = origin is not None and urlsplit(origin.lower()).netloc != own
    if foreign or (origin is None and site not in SAME_SITES):
        came = repr(origin) if origin is not None else f"a {site} request"
        raise HTTPException(
            403, f"Changes are taken from pages of {own} and from programs only, got {came}."
        )


def _from_own_page(request: Request) -> None:
    """With a cookie it must be shown, not only not denied, that our own page asks: browsers do."""
    same_origin(request)
    if "origin" not in request.headers and request.headers.get("sec-fetch-site") != "same-origin":
        raise HTTPException(
            403,
            "With a session, changes are taken from the console's own pages, whose requests have "
            "an Origin header. Programs send a bearer token instead.",
        )


def _trusted(request: Request) -> Sequence[str]:
    origins: Sequence[str] = request.app.state.settings.cors_origins.split()
    return origins


def _missing(caller: Caller, role: str) -> Refusal:
    has = f"has the role {caller.role}" if caller.role else "has no role"
    return Refusal(
        403,
        f"This needs the role {role}, and {caller.name} {has}. Ask someone who has it, or use a "
        f"key of that role: `graphmind keys create NAME --role {role}`.",
        type_="urn:graphmind:role-missing",
        title="Not with this role",
    )


CurrentActor = Annotated[Actor, Depends(actor_of)]
FROM_HERE: Final = [Depends(same_origin)]
"""``dependencies=`` of every route that changes something, with ``may`` beside it."""
