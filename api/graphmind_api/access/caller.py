"""Who sent a request, as far as their credentials say."""

from dataclasses import dataclass
from typing import Literal

from graphmind.access.roles import Role


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, and what they may."""

    name: str
    """For the audit trail: of the key, the subject of the token, or ``local``."""
    role: Role | None
    """None: known, and may nothing."""
    kind: Literal["local", "key", "oidc", "sender"]
    expires_ms: int | None = None
    key_sha256: str = ""
    """Of an API key, so that a session ends when its key is revoked."""
    in_session: bool = False
    """By the console's cookie, which a browser sends by itself."""


class Unauthenticated(Exception):  # noqa: N818 - reads as the state it reports
    """The credentials open nothing; the message says why and what to do, and repeats no secret."""
