"""Every way in: one place that knows whom a credential stands for."""

import hmac
import time
from dataclasses import replace
from typing import Final

from graphmind.access.keys import Keys
from graphmind.access.running_server import new_token
from graphmind.settings import Settings
from graphmind_api.access.caller import Caller, Unauthenticated
from graphmind_api.access.oidc import OpenId
from graphmind_api.access.sessions import Sessions

LOCAL: Final = Caller(name="local", role="admin", kind="local")
SENDER: Final = Caller(name="sender", role=None, kind="sender")
"""Whoever shows the token of telemetry senders: may hand alerts in, and nothing else."""
JWT_DOTS: Final = 2


class Doors:
    """Keys, the local token, the provider's tokens, and sessions begun by any of them."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError where the provider's settings are wrong."""
        self.keys = Keys(settings.data_dir)
        self.sessions = Sessions()
        self.local_token = new_token()
        self._sender_token = settings.otlp_token
        self._provider = OpenId.of(settings)

    def by_token(self, token: str) -> Caller:
        """Return whom a bearer token stands for.

        May ask the provider, so it may take seconds. Raises Unauthenticated, StoreError.
        """
        given = token.encode("utf-8", "surrogateescape")
        if hmac.compare_digest(given, self.local_token.encode()):
            return LOCAL
        if self._sender_token and hmac.compare_digest(given, self._sender_token.encode()):
            return SENDER
        if self._provider and token.count(".") == JWT_DOTS:
            return self._provider.caller_of(token)
        key = self.keys.find(token)
        if key is None:
            raise Unauthenticated(
                "Nothing is known of this token. Make a key with `graphmind keys create NAME "
                "--role viewer`, or read the local token from the data folder: it is a new one "
                "after each start"
            )
        if not key.holds(now_ms()):
            raise Unauthenticated(
                f"The key {key.name} has expired. Revoke it and make a new one: `graphmind keys`"
            )
        return Caller(
            name=key.name,
            role=key.role,
            kind="key",
            expires_ms=key.expires_ms,
            key_sha256=key.sha256,
        )

    def by_cookie(self, cookie: str) -> Caller:
        """Return who is logged in. Raises Unauthenticated."""
        found = self.sessions.find(cookie, now_ms=now_ms())
        if found is None or not self._still_open(found):
            raise Unauthenticated("The session has ended. Log in again at /login")
        return found

    def by_code(self, code: str) -> Caller:
        """Return whom a link that opens once was made for. Raises Unauthenticated."""
        found = self.sessions.redeem(code, now_ms=now_ms())
        if found is None or not self._still_open(found):
            raise Unauthenticated(
                "This link was opened before, or is too old. Paste a key or the local token, which "
                "is in the file `token` of the data folder"
            )
        return found

    def login_code(self, caller: Caller = LOCAL) -> str:
        """Return a code that logs in once."""
        return self.sessions.issue_code(replace(caller, in_session=False), now_ms=now_ms())

    def _still_open(self, caller: Caller) -> bool:
        """A key that was revoked, or given another role, ends the sessions it began."""
        if caller.kind != "key":
            return True
        return any(
            (key.sha256, key.role) == (caller.key_sha256, caller.role) for key in self.keys.all()
        )


def now_ms() -> int:
    """Return the time as epoch ms."""
    return time.time_ns() // 1_000_000
