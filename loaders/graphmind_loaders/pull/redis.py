"""Keys of a Redis or Valkey: their names, types, times to live and sizes. Values are never read.

Commands used are SCAN, TYPE, PTTL and MEMORY USAGE: none counts as a use of a key, none blocks the
server, and how many are sent in a second is bounded. Where a prefix has many keys they are one
node, such as ``cart:*``: its type is what all keys looked at have in common, its size that of the
largest, its time to live the longest (absent if one never expires). A cluster is asked node by
node: one source for each.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, NoReturn
from urllib.parse import urlsplit

import msgspec
import redis
import redis.backoff
import redis.retry

from graphmind.errors import SettingsError, SourceError
from graphmind.graph.schema import Node
from graphmind.graph.schema.nodes import KvKey
from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.pull.options import Count, Options, Seconds, read_options

KEY_CHARS_MAX: Final = 512
"""Longer keys are counted as rejected: nobody reads them (chosen)."""
LOOKED_AT: Final = 16
"""Keys of a pattern that are asked for (chosen)."""
BATCH: Final = 100
"""Keys asked for in one pipeline (chosen: about a millisecond of the server's time)."""
GONE: Final = -2
"""PTTL of a key that is not there."""
GRANT: Final = "+scan +type +pttl +memory|usage"
_EXACT: Final = ("utf-8", "surrogateescape")
"""How keys are kept as text, so that any bytes are the same bytes again."""
LONG_KEY: Final = f"redis key of more than {KEY_CHARS_MAX} characters"


class RedisOptions(Options, frozen=True, kw_only=True):
    """Options of kind redis."""

    match: str = "*"
    """Only keys of this pattern of Redis."""
    keys_max: Count = 10_000  # chosen: some 5 minutes at the default rate, if none can be folded
    """Keys read in one pull; the next goes on from there."""
    commands_per_s: Count = 100  # measured: 1.6 % of a Redis' time while 200,000 keys are read
    scan_count: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200
    """Slots that one SCAN looks at."""
    fold_over: Count = 50
    """A prefix with more keys is one node."""
    separator: Annotated[str, msgspec.Meta(min_length=1)] = ":"
    refresh_s: Seconds = 300.0
    """Pause between two pulls that ask at all."""
    sizes: bool = True
    """False where MEMORY USAGE is not allowed."""
    store: str = ""
    """Name of the store; empty: as spans name it, ``redis/DATABASE``."""
    ca_file: str = ""
    """Certificates to trust with rediss://, instead of the system's."""
    qualified: bool = False
    """Write ``STORE/KEY``, as traces do where two stores have keys of one name."""


@dataclass(frozen=True, kw_only=True)
class _Key:
    """What was asked of a key."""

    type: str
    ttl_ms: int | None
    size_bytes: int | None


class RedisKeys:
    """One Redis, looked through a part at a time."""

    def __init__(
        self,
        config: SourceConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raise SettingsError for a URL or options that cannot be used."""
        self.config = config
        self._options = read_options(config, RedisOptions)
        self._client, place, database = _connect(config, self._options.ca_file)
        self._where = f"source {config.name} ({config.kind}, {place})"
        self._store = self._options.store or f"redis/{database}"
        self._clock, self._sleep = clock, sleep
        self._cursor = 0
        self._free_at_s = self._due_s = 0.0

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[Node]:  # noqa: ARG002 - an inventory is of now
        """Yield the keys that are there now, or the next part of them."""
        if self._cursor == 0 and self._clock() < self._due_s:
            return
        try:
            cursor, names = self._scanned(rejected)
            for pattern, keys in folded(
                names, over=self._options.fold_over, separator=self._options.separator
            ):
                yield from self._nodes(pattern, keys)
        except redis.RedisError as error:
            self._refuse(error)
        self._cursor = cursor
        self._due_s = self._clock() + self._options.refresh_s

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _scanned(self, rejected: Rejections) -> tuple[int, list[str]]:
        """Return where to go on and the names of keys, sorted; the same key may come twice."""
        names: dict[str, None] = {}
        cursor, options = self._cursor, self._options
        while True:
            self._wait_for(1)
            cursor, found = self._client.scan(cursor, match=options.match, count=options.scan_count)
            for raw in found:
                name = _bytes(raw).decode(*_EXACT)
                if len(name) > KEY_CHARS_MAX:
                    rejected.add(LONG_KEY, _readable(name[:KEY_CHARS_MAX]))
                else:
                    names[name] = None
            if cursor == 0 or len(names) >= options.keys_max:
                return int(cursor), sorted(names)

    def _nodes(self, pattern: str | None, names: Sequence[str]) -> Iterator[KvKey]:
        """Yield a node a key, or one of a pattern for all of them; keys that are gone give none."""
        if pattern is None:
            for start in range(0, len(names), BATCH):
                part = names[start : start + BATCH]
                for name, key in self._asked(part).items():
                    yield self._node(name, [key], None)
            return
        step = max(len(names) // LOOKED_AT, 1)
        keys = self._asked(names[::step][:LOOKED_AT])
        if keys:
            yield self._node(pattern, list(keys.values()), pattern)

    def _node(self, name: str, keys: Sequence[_Key], pattern: str | None) -> KvKey:
        name, pattern = _readable(name), pattern and _readable(pattern)
        times = [key.ttl_ms for key in keys]
        sizes = [key.size_bytes for key in keys if key.size_bytes is not None]
        kinds = {key.type for key in keys}
        return KvKey(
            key=f"{self._store}/{name}" if self._options.qualified else name,
            pattern=pattern,
            store=self._store,
            ttl_ms=None if None in times else max(filter(None, times), default=0),
            size_bytes=max(sizes, default=None),
            type=kinds.pop() if len(kinds) == 1 else None,
        )

    def _asked(self, names: Sequence[str]) -> dict[str, _Key]:
        """Ask for some keys at once; those that have gone meanwhile are left out."""
        sizes = self._options.sizes
        commands = 3 if sizes else 2
        self._wait_for(commands * len(names))
        with self._client.pipeline(transaction=False) as asking:
            for name in names:
                raw = name.encode(*_EXACT)
                asking.type(raw)
                asking.pttl(raw)
                if sizes:
                    asking.memory_usage(raw)
            answers: list[Any] = asking.execute()
        rows = zip(*(iter(answers),) * commands, strict=True)
        return {
            name: _Key(
                type=row[0].decode(),
                ttl_ms=row[1] if row[1] >= 0 else None,
                size_bytes=row[2] if sizes else None,
            )
            for name, row in zip(names, rows, strict=True)
            if row[0] != b"none" and row[1] != GONE
        }

    def _wait_for(self, commands: int) -> None:
        """Wait until so many commands may be sent: the rate holds from pull to pull."""
        now_s = self._clock()
        if self._free_at_s > now_s:
            self._sleep(self._free_at_s - now_s)
        self._free_at_s = max(self._free_at_s, now_s) + commands / self._options.commands_per_s

    def _refuse(self, error: redis.RedisError) -> NoReturn:
        raise SourceError(f"{self._where}: {_in_words(error, self.config)}") from error


def open_source(config: SourceConfig) -> PullSource:
    """Open a Redis; nothing is asked of it yet."""
    return RedisKeys(config)


@dataclass
class _Branch:
    """Keys and further branches below a prefix."""

    keys: list[str] = field(default_factory=list)
    below: dict[str, "_Branch"] = field(default_factory=lambda: defaultdict(_Branch))


def folded(
    names: Sequence[str], *, over: int, separator: str = ":"
) -> Iterator[tuple[str | None, list[str]]]:
    """Yield (pattern, keys) for each prefix with many keys, then (None, keys) for all that remain.

    Many is more than ``over``; a key belongs to the longest such prefix of it.

    >>> list(folded(["a:1", "a:2", "a:b:1", "c"], over=1))
    [('a:*', ['a:1', 'a:2', 'a:b:1']), (None, ['c'])]
    """
    root = _Branch()
    for name in names:
        at = root
        for part in name.split(separator)[:-1]:
            at = at.below[part]
        at.keys.append(name)
    patterns: dict[str, list[str]] = {}
    rest = _fold(root, over, separator, patterns)
    yield from sorted(patterns.items())
    if rest:
        yield None, sorted(rest)


def _fold(root: _Branch, over: int, separator: str, patterns: dict[str, list[str]]) -> list[str]:
    """Fold from the leaves up, without recursion: a key may have hundreds of parts."""
    order: list[tuple[str, _Branch, list[str] | None]] = [("", root, None)]
    for prefix, branch, _ in order:
        order.extend(
            (f"{prefix}{part}{separator}", below, branch.keys)
            for part, below in branch.below.items()
        )
    for prefix, branch, parent in reversed(order):
        if len(branch.keys) > over:
            patterns[f"{prefix}*"] = sorted(branch.keys)
        elif parent is None:
            return branch.keys
        else:
            parent.extend(branch.keys)
    return []


def _connect(config: SourceConfig, ca_file: str) -> "tuple[redis.Redis, str, int]":
    """Return a client, and the address and database for messages and names."""
    url = urlsplit(config.url)
    trust = {"ssl_ca_certs": ca_file} if ca_file and url.scheme == "rediss" else {}
    try:
        client = redis.Redis.from_url(
            config.url,
            **_credentials(config),
            **trust,
            socket_timeout=config.timeout_s,
            socket_connect_timeout=config.timeout_s,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
            # Spoken by servers of all ages.
            protocol=2,
        )
        place = f"{url.scheme}://{url.hostname or ''}:{url.port or 6379}"
    except ValueError as error:
        raise SettingsError(
            f"source {config.name} ({config.kind}): `url` should be redis://HOST:PORT/DATABASE or "
            "rediss:// for TLS; it is not that"
        ) from error
    database = int(client.get_connection_kwargs().get("db") or 0)
    return client, f"{place}/{database}", database


def _credentials(config: SourceConfig) -> Mapping[str, Any]:
    if not config.token:
        return {}
    user, colon, password = config.token.partition(":")
    return {"username": user, "password": password} if colon else {"password": config.token}


def _bytes(raw: bytes | str) -> bytes:
    """Return a key as the server sent it: the client decodes none, whatever its type says."""
    assert isinstance(raw, bytes)
    return raw


def _readable(name: str) -> str:
    r"""Return a key as text, with ``\xff`` for what is none."""
    return name.encode(*_EXACT).decode("utf-8", "backslashreplace")


def _in_words(error: redis.RedisError, config: SourceConfig) -> str:
    """Say what is wrong and what to do; a server's own words only where they hold no secret."""
    match error:
        case redis.AuthenticationError():
            return "asks for a password, or refuses this one: set `token`"
        case redis.exceptions.NoPermissionError():
            return (
                f"may not run a command that it needs: {error}; grant {GRANT} on all keys, "
                "or set `sizes: false` if only MEMORY is refused"
            )
        case redis.exceptions.BusyLoadingError():
            return "is still loading its data"
        case redis.TimeoutError():
            return f"does not answer within {config.timeout_s:g} s"
        case redis.ConnectionError():
            return "does not answer; is it running, `url` right, and is it a Redis?"
        case _:
            return f"refuses: {str(error)[:200]}"
