"""API keys of a data folder: random tokens of which only the SHA-256 is kept.

They lie in a file beside the archive, not in it: a key can be made and revoked while a server owns
the archive, and holds from the next request on.
"""

import fcntl
import hashlib
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from graphmind.access.private_file import write_private
from graphmind.access.roles import RESERVED, Role
from graphmind.errors import NameTaken, SettingsError, StoreError, UnknownName

FILE: Final = "keys.json"
PREFIX: Final = "gmk_"
"""Secret scanners find a key by it."""
TOKEN_BYTES: Final = 32
"""256 bits: no salt and no slow hash is needed, since nobody can guess one."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
DAY_MS: Final = 86_400_000


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is kept."""

    name: str
    """Who acts with it, in the audit trail."""
    role: Role
    sha256: str
    created_ms: int
    expires_ms: int | None = None

    def holds(self, now_ms: int) -> bool:
        """Tell whether it has not expired."""
        return self.expires_ms is None or now_ms < self.expires_ms


class Keys:
    """The keys of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._read: tuple[object, dict[str, Key]] = (None, {})

    def all(self) -> Sequence[Key]:
        """Return the keys by name, expired ones included."""
        return sorted(self._by_hash().values(), key=lambda key: key.name)

    def find(self, token: str) -> Key | None:
        """Return the key of a token, expired or not."""
        return self._by_hash().get(hash_of(token))

    def create(self, name: str, role: Role, *, now_ms: int, days: float | None = None) -> str:
        """Make a key and return its token, which nothing can show again.

        Raises SettingsError for a name that the trail should not hold, NameTaken for one in use.
        """
        if not NAME.fullmatch(name) or name.lower() in RESERVED:
            raise SettingsError(
                "a key is named for who uses it: a letter or digit, then up to 63 of letters, "
                f"digits and ._@+-, and none of {', '.join(sorted(RESERVED))}; got {name!r}"
            )
        token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        key = Key(
            name=name,
            role=role,
            sha256=hash_of(token),
            created_ms=now_ms,
            expires_ms=None if days is None else now_ms + round(days * DAY_MS),
        )
        with self._changing() as kept:
            if any(each.name == name for each in kept.values()):
                raise NameTaken(
                    f"there is a key {name} already: revoke it first, or choose another name"
                )
            kept[key.sha256] = key
        return token

    def revoke(self, name: str) -> Key:
        """Forget a key: it opens nothing from now on. Raises UnknownName."""
        with self._changing() as kept:
            for key in kept.values():
                if key.name == name:
                    return kept.pop(key.sha256)
        known = ", ".join(sorted(key.name for key in self.all())) or "there are none"
        raise UnknownName(f"no key is named {name}: {known}")

    def _by_hash(self) -> dict[str, Key]:
        """Read the file where it changed since."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return {}
        version = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if self._read[0] != version:
            self._read = (version, self._load())
        return self._read[1]

    def _load(self) -> dict[str, Key]:
        try:
            keys = msgspec.json.decode(self._path.read_bytes(), type=list[Key])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError(
                f"{self._path} cannot be read as a list of keys. Put back a copy, or remove it and "
                "make the keys anew"
            ) from error
        return {key.sha256: key for key in keys}

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        """Let one process at a time change the keys; what it changed is written at the end."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._path.with_suffix(".lock")
        with lock.open("wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            kept = self._load()
            yield kept
            write_private(self._path, msgspec.json.encode(list(kept.values())))


def hash_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
