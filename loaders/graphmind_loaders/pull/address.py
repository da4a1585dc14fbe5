"""Where a source is and how to enter: its URL taken apart, secrets kept out of every message."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import httpx

from graphmind.errors import SettingsError
from graphmind.sources import SourceConfig

_SECRET_CHARS_MIN: Final = 4  # chosen: blotting out shorter values would blot out words


@dataclass(frozen=True, kw_only=True)
class Address:
    """A server's URL without credentials, and the credentials: basic, bearer or none."""

    url: httpx.URL
    user: str = ""
    password: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What may not be shown, longest first, so that no part of one stays."""

    def blotted(self, text: str) -> str:
        """Return the text without the secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def address_of(
    config: SourceConfig, schemes: Collection[str] = frozenset({"http", "https"})
) -> Address:
    """Take a source's URL and token apart; the token wins over credentials in the URL.

    Raises SettingsError for a URL of another scheme, without a host, or with ``?`` or ``#``. The
    URL is not shown then: what is wrong with it may be a secret.
    """
    try:
        url = httpx.URL(config.url)
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL("")
    if url.scheme not in schemes or not url.host or url.query or url.fragment:
        raise SettingsError(
            f"source {config.name!r}: expected `url` as {'|'.join(sorted(schemes))}"
            "://host[:port][/path] without ? and #; "
            "set credentials as `token`, `token_env` or `token_file`"
        )
    user, colon, password = config.token.partition(":")
    bearer = "" if colon else config.token
    if not config.token:
        user, password = url.username, url.password
    elif bearer:
        user = ""
    shown = {config.token, password, url.password, url.userinfo.decode(), *config.headers.values()}
    long = (text for text in shown if len(text) >= _SECRET_CHARS_MIN)
    return Address(
        url=url.copy_with(userinfo=b""),
        user=user,
        password=password,
        bearer=bearer,
        secrets=tuple(sorted(long, key=lambda text: (-len(text), text))),
    )
