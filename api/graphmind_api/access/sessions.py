"""Sessions of the console, and the codes of links that begin one. Kept in memory only."""

import secrets
import threading
from dataclasses import replace
from typing import Final

from graphmind.access.keys import hash_of
from graphmind_api.access.caller import Caller

COOKIE: Final = "graphmind_session"
SESSION_MS: Final = 12 * 3_600_000
"""A shift (chosen)."""
CODE_MS: Final = 3_600_000
"""A link printed at the start may be opened an hour later (chosen)."""
KEPT_MAX: Final = 10_000
"""Of sessions and of codes; the oldest goes first (chosen)."""


class Sessions:
    """Who is logged in, by the SHA-256 of their cookie."""

    def __init__(self) -> None:
        self._sessions: dict[str, Caller] = {}
        self._codes: dict[str, Caller] = {}
        self._lock = threading.Lock()

    def begin(self, caller: Caller, *, now_ms: int) -> str:
        """Begin a session and return its cookie; it ends with the credentials it was begun by."""
        until_ms = min(now_ms + SESSION_MS, caller.expires_ms or now_ms + SESSION_MS)
        return self._keep(
            self._sessions, replace(caller, expires_ms=until_ms, in_session=True), now_ms
        )

    def find(self, cookie: str, *, now_ms: int) -> Caller | None:
        """Return who a cookie stands for, if its session goes on."""
        found = self._sessions.get(hash_of(cookie))
        return found if found and _goes_on(found, now_ms) else None

    def end(self, cookie: str) -> None:
        """Log out."""
        self._sessions.pop(hash_of(cookie), None)

    def issue_code(self, caller: Caller, *, now_ms: int) -> str:
        """Return a code that begins one session of a caller, within an hour."""
        return self._keep(self._codes, replace(caller, expires_ms=now_ms + CODE_MS), now_ms)

    def redeem(self, code: str, *, now_ms: int) -> Caller | None:
        """Return whom a code was issued for, once."""
        with self._lock:
            found = self._codes.pop(hash_of(code), None)
        if found is None or not _goes_on(found, now_ms):
            return None
        return replace(found, expires_ms=None)

    def _keep(self, kept: dict[str, Caller], caller: Caller, now_ms: int) -> str:
        secret = secrets.token_urlsafe(32)
        with self._lock:
            for over in [each for each, of in kept.items() if not _goes_on(of, now_ms)]:
                del kept[over]
            while len(kept) >= KEPT_MAX:
                del kept[next(iter(kept))]
            kept[hash_of(secret)] = caller
        return secret


def _goes_on(caller: Caller, now_ms: int) -> bool:
    return caller.expires_ms is None or now_ms < caller.expires_ms
