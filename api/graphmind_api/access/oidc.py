"""Bearer tokens of an OpenID provider (OpenID Connect Discovery 1.0, RFC 7519)."""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import jwt

from graphmind.access.roles import RESERVED, ROLES, Role
from graphmind.errors import SettingsError, StoreError
from graphmind.settings import Settings
from graphmind_api.access.caller import Caller, Unauthenticated

ALGORITHMS: Final = ("RS256", "ES256")
"""Never ``none``, and no shared secret: with one, who can check a token can also make it."""
REQUIRED: Final = ("exp", "iss", "aud", "sub")
LEEWAY_S: Final = 30
"""Clocks may differ by that much (chosen)."""
TIMEOUT_S: Final = 5
KEYS_S: Final = 600
"""How long the provider's keys are kept (chosen)."""
ASK_AGAIN_S: Final = 10.0
"""Pause between two looks for an unknown key: anyone can make up a key's id (chosen)."""
SUBJECT_MAX: Final = 128


class OpenId:
    """Checks the tokens of one provider; asks it for its keys when the first token comes."""

    def __init__(self, *, issuer: str, audience: str, roles_claim: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._roles_claim = roles_claim
        self._client: jwt.PyJWKClient | None = None
        self._asked_s = -ASK_AGAIN_S
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> "OpenId | None":
        """Return the provider that is set, or None. Raises SettingsError."""
        if not settings.oidc_issuer:
            return None
        if not settings.oidc_audience:
            raise SettingsError(
                "GRAPHMIND_OIDC_ISSUER is set and GRAPHMIND_OIDC_AUDIENCE is not: set it, or "
                "tokens that the provider made for other services would open this one"
            )
        if not _is_safe(settings.oidc_issuer):
            raise SettingsError(
                "GRAPHMIND_OIDC_ISSUER should be an https:// address, got "
                f"{settings.oidc_issuer!r}; http:// is taken for loopback only"
            )
        return cls(
            issuer=settings.oidc_issuer,
            audience=settings.oidc_audience,
            roles_claim=settings.oidc_roles_claim,
        )

    def caller_of(self, token: str) -> Caller:
        """Return whom a token stands for.

        Raises Unauthenticated with why it is refused, StoreError where the provider is silent.
        """
        try:
            claims = jwt.decode(
                token,
                self._key(jwt.get_unverified_header(token)),
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": list(REQUIRED)},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"The token is refused: {error}. Get a new one") from error
        return Caller(
            name=_subject(claims),
            role=_role(claims, self._roles_claim),
            kind="oidc",
            expires_ms=round(claims["exp"] * 1000),
        )

    def _key(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        """Return the key that a token says it is signed with. Raises PyJWTError, StoreError."""
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError(f"its algorithm should be {' or '.join(ALGORITHMS)}")
        with self._lock:  # One thread asks the provider, the others find its answer.
            keys = self._keys()
            if key_id not in keys and time.monotonic() - self._asked_s >= ASK_AGAIN_S:
                keys = self._keys(refresh=True)
        try:
            return keys[key_id]
        except KeyError:
            raise jwt.InvalidKeyError("the provider has no such key") from None

    def _keys(self, *, refresh: bool = False) -> dict[Any, jwt.PyJWK]:
        try:
            if self._client is None:
                self._client = jwt.PyJWKClient(self._jwks_uri(), lifespan=KEYS_S, timeout=TIMEOUT_S)
                refresh = True
            if refresh:
                self._asked_s = time.monotonic()
            found = self._client.get_jwk_set(refresh=refresh).keys
        except (httpx.HTTPError, jwt.PyJWKClientError, jwt.PyJWKSetError) as error:
            raise StoreError(
                f"the OpenID provider {self._issuer} does not answer ({error}). Try again, or use "
                "an API key"
            ) from error
        return {key.key_id: key for key in found if key.public_key_use in (None, "sig")}

    def _jwks_uri(self) -> str:
        address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        answer = httpx.get(address, timeout=TIMEOUT_S).raise_for_status()
        try:
            told = answer.json()
            issuer, uri = told["issuer"], told["jwks_uri"]
        except (ValueError, KeyError, TypeError):
            issuer, uri = None, ""
        if issuer != self._issuer or not _is_safe(uri):
            raise StoreError(
                f"{address} describes issuer {issuer!r} with keys at {uri!r}: expected issuer "
                f"{self._issuer!r} and an https:// address. Check GRAPHMIND_OIDC_ISSUER"
            )
        return str(uri)


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims["sub"]
    if not (isinstance(subject, str) and 0 < len(subject) <= SUBJECT_MAX and subject.isascii()):
        raise Unauthenticated("The token's subject should be 1 to 128 characters of ASCII")
    if not subject.isprintable() or subject.lower() in RESERVED:
        raise Unauthenticated("The token's subject is no name that the audit trail can hold")
    return subject


def _role(claims: Mapping[str, Any], path: str) -> Role | None:
    """Return the highest role that a claim names; dots lead into it: ``realm_access.roles``."""
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    named = found if isinstance(found, list) else [found]
    return next((role for role in reversed(ROLES) if role in named), None)


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return parts.scheme == "https" or (parts.scheme == "http" and local)
