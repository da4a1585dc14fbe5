"""A stand-in for Redis: the commands that the platform and graphmind use, in memory.

No persistence, no scripts, no transactions: MULTI runs what is queued in one go, which a server
with one thread does anyway. Who needs more installs Redis.
"""

import asyncio
import fnmatch
import time
from collections.abc import Callable, Iterable
from typing import Final

OK: Final = b"+OK\r\n"
NULL: Final = b"$-1\r\n"
_WRONG_TYPE: Final = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"

Words = list[bytes]


class Store:
    """Keys with their values; expired ones are gone."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._values: dict[bytes, bytes | list[bytes]] = {}
        self._ends: dict[bytes, float] = {}

    def execute(self, words: Words) -> bytes:
        """Run a command; return the answer as it goes over the wire."""
        name = words[0].upper().decode("latin-1")
        command = self._COMMANDS.get(name)
        if command is None:
            return f"-ERR unknown command '{name}', this is a stand-in\r\n".encode()
        try:
            return command(self, words[1:])
        except (IndexError, ValueError):
            return f"-ERR wrong arguments for '{name.lower()}'\r\n".encode()

    def _get(self, key: bytes) -> bytes | list[bytes] | None:
        if key in self._ends and self._ends[key] <= self._now():
            del self._values[key], self._ends[key]
        return self._values.get(key)

    def _put(self, key: bytes, value: bytes | list[bytes], ends: float | None) -> None:
        self._values[key] = value
        self._ends.pop(key, None)
        if ends is not None:
            self._ends[key] = ends

    def _drop(self, key: bytes) -> bool:
        was = self._get(key) is not None
        self._values.pop(key, None)
        self._ends.pop(key, None)
        return was

    def _set(self, words: Words) -> bytes:
        key, value, options = words[0], words[1], [word.upper() for word in words[2:]]
        before = self._get(key)
        if (b"NX" in options and before is not None) or (b"XX" in options and before is None):
            return NULL
        ends = self._ends.get(key) if b"KEEPTTL" in options else None
        for unit, factor in ((b"EX", 1.0), (b"PX", 0.001)):
            if unit in options:
                ends = self._now() + factor * int(options[options.index(unit) + 1])
        self._put(key, value, ends)
        if b"GET" in options:
            return bulk(before if isinstance(before, bytes) else None)
        return OK

    def _get_text(self, words: Words) -> bytes:
        value = self._get(words[0])
        return _WRONG_TYPE if isinstance(value, list) else bulk(value)

    def _mget(self, words: Words) -> bytes:
        values = (self._get(key) for key in words)
        return array(bulk(value if isinstance(value, bytes) else None) for value in values)

    def _delete(self, words: Words) -> bytes:
        return number(sum(self._drop(key) for key in words))

    def _exists(self, words: Words) -> bytes:
        return number(sum(self._get(key) is not None for key in words))

    def _rename(self, words: Words) -> bytes:
        value, ends = self._get(words[0]), self._ends.get(words[0])
        if value is None:
            return b"-ERR no such key\r\n"
        self._drop(words[0])
        self._put(words[1], value, ends)
        return OK

    def _rename_new(self, words: Words) -> bytes:
        if self._get(words[1]) is not None:
            return number(0)
        answer = self._rename(words)
        return number(1) if answer == OK else answer

    def _copy(self, words: Words) -> bytes:
        value, ends = self._get(words[0]), self._ends.get(words[0])
        replace = b"REPLACE" in (word.upper() for word in words[2:])
        if value is None or (self._get(words[1]) is not None and not replace):
            return number(0)
        self._put(words[1], value, ends)
        return number(1)

    def _expire(self, words: Words) -> bytes:
        if self._get(words[0]) is None:
            return number(0)
        self._ends[words[0]] = self._now() + int(words[1])
        return number(1)

    def _persist(self, words: Words) -> bytes:
        self._get(words[0])
        return number(self._ends.pop(words[0], None) is not None)

    def _ttl(self, words: Words) -> bytes:
        if self._get(words[0]) is None:
            return number(-2)
        ends = self._ends.get(words[0])
        return number(-1 if ends is None else round(ends - self._now()))

    def _pttl(self, words: Words) -> bytes:
        if self._get(words[0]) is None:
            return number(-2)
        ends = self._ends.get(words[0])
        return number(-1 if ends is None else round(1000 * (ends - self._now())))

    def _type(self, words: Words) -> bytes:
        value = self._get(words[0])
        kind = "none" if value is None else "list" if isinstance(value, list) else "string"
        return f"+{kind}\r\n".encode()

    def _rpush(self, words: Words) -> bytes:
        value = self._get(words[0])
        if isinstance(value, bytes):
            return _WRONG_TYPE
        if value is None:
            value = []
            self._put(words[0], value, None)
        value.extend(words[1:])
        return number(len(value))

    def _lrange(self, words: Words) -> bytes:
        value = self._get(words[0]) or []
        if isinstance(value, bytes):
            return _WRONG_TYPE
        first, last = int(words[1]), int(words[2])
        end = len(value) + last + 1 if last < 0 else last + 1
        return array(map(bulk, value[first if first >= 0 else max(0, len(value) + first) : end]))

    def _scan(self, words: Words) -> bytes:
        options = [word.upper() for word in words[1:]]
        pattern = "*"
        if b"MATCH" in options:
            pattern = words[2 + options.index(b"MATCH")].decode("utf-8", "replace")
        names = [key for key in list(self._values) if self._get(key) is not None]
        found = [k for k in names if fnmatch.fnmatchcase(k.decode("utf-8", "replace"), pattern)]
        return array([bulk(b"0"), array(map(bulk, found))])

    def _keys(self, words: Words) -> bytes:
        pattern = words[0].decode("utf-8", "replace")
        found = [k for k in list(self._values) if self._get(k) is not None]
        names = (k for k in found if fnmatch.fnmatchcase(k.decode("utf-8", "replace"), pattern))
        return array(map(bulk, names))

    def _size(self, _words: Words) -> bytes:
        return number(sum(self._get(key) is not None for key in list(self._values)))

    def _flush(self, _words: Words) -> bytes:
        self._values.clear()
        self._ends.clear()
        return OK

    _COMMANDS: Final[dict[str, Callable[["Store", Words], bytes]]] = {
        "SET": _set,
        "GET": _get_text,
        "MGET": _mget,
        "DEL": _delete,
        "UNLINK": _delete,
        "EXISTS": _exists,
        "RENAME": _rename,
        "RENAMENX": _rename_new,
        "COPY": _copy,
        "EXPIRE": _expire,
        "PERSIST": _persist,
        "TTL": _ttl,
        "PTTL": _pttl,
        "TYPE": _type,
        "RPUSH": _rpush,
        "LRANGE": _lrange,
        "SCAN": _scan,
        "KEYS": _keys,
        "DBSIZE": _size,
        "FLUSHALL": _flush,
        "FLUSHDB": _flush,
        "PING": lambda _store, words: bulk(words[0]) if words else b"+PONG\r\n",
        "ECHO": lambda _store, words: bulk(words[0]),
        "SELECT": lambda _store, _words: OK,
        "CLIENT": lambda _store, _words: OK,
        "WATCH": lambda _store, _words: OK,
        "UNWATCH": lambda _store, _words: OK,
        "INFO": lambda _store, _words: bulk(b"# Server\r\nredis_version:7.0.0\r\n"),
    }


def bulk(value: bytes | None) -> bytes:
    """Return a text as it goes over the wire."""
    return NULL if value is None else b"$%d\r\n%b\r\n" % (len(value), value)


def number(value: int) -> bytes:
    """Return a number as it goes over the wire."""
    return b":%d\r\n" % value


def array(parts: Iterable[bytes]) -> bytes:
    """Return encoded values as one list."""
    listed = list(parts)
    return b"*%d\r\n" % len(listed) + b"".join(listed)


def _hello() -> bytes:
    said = ((b"server", bulk(b"redis")), (b"version", bulk(b"7.0.0")), (b"proto", number(3)))
    body = b"".join(bulk(name) + value for name, value in said)
    return b"%%%d\r\n" % len(said) + body


class Connection:
    """One client: its queue between MULTI and EXEC."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: list[Words] | None = None

    def answer(self, words: Words) -> bytes:
        """Return the answer to a command."""
        name = words[0].upper()
        if name == b"HELLO":
            return _hello()
        if name == b"MULTI":
            self._queue = []
            return OK
        if name in (b"EXEC", b"DISCARD"):
            queue, self._queue = self._queue, None
            if queue is None:
                return b"-ERR %b without MULTI\r\n" % name
            return OK if name == b"DISCARD" else array(map(self._store.execute, queue))
        if self._queue is not None:
            self._queue.append(words)
            return b"+QUEUED\r\n"
        return self._store.execute(words)


async def read_command(reader: asyncio.StreamReader) -> Words | None:
    """Return the next command's words, None at the end."""
    line = await reader.readline()
    if not line.startswith(b"*"):
        return line.split() or None
    words = []
    for _ in range(int(line[1:])):
        length = int((await reader.readline())[1:])
        words.append((await reader.readexactly(length + 2))[:-2])
    return words


async def serve(port: int) -> None:
    """Serve until cancelled."""
    store = Store()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(store)
        try:
            while words := await read_command(reader):
                writer.write(connection.answer(words))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    async with server:
        await server.serve_forever()
