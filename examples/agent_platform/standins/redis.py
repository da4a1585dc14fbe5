"""A stand-in for Redis: the commands that the platform and graphmind use, in memory.

No persistence, no scripts, no transactions: MULTI runs what is queued in one go, which a server
with one thread does anyway. Who needs more installs Redis.
"""

import asyncio
import fnmatch
import time
from collections.abc import Callable
from typing import Any, Final

Words = list[bytes]
Reply = None | int | bytes | str | list[Any]
"""A ``str`` is a word of the server's own (``OK``), bytes are what a client had kept."""


class Wrong(str):
    """An error, as the server words it."""

    __slots__ = ()


OK: Final = "OK"
_WRONG_TYPE: Final = Wrong("WRONGTYPE Operation against a key holding the wrong kind of value")


class Store:
    """Keys with their values; expired ones are gone."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._values: dict[bytes, bytes | list[bytes]] = {}
        self._ends: dict[bytes, float] = {}

    def execute(self, words: Words) -> Reply:
        """Run a command; whatever it is given, it has an answer."""
        name = words[0].upper().decode("latin-1")
        command = self._COMMANDS.get(name)
        if command is None:
            return Wrong(f"ERR unknown command {name!r}, this is a stand-in")
        try:
            return command(self, words[1:])
        except (IndexError, ValueError):
            return Wrong(f"ERR wrong arguments for {name.lower()!r}")

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

    def _set(self, words: Words) -> Reply:
        key, value, options = words[0], words[1], [word.upper() for word in words[2:]]
        before = self._get(key)
        if (b"NX" in options and before is not None) or (b"XX" in options and before is None):
            return None
        ends = self._ends.get(key) if b"KEEPTTL" in options else None
        for unit, factor in ((b"EX", 1.0), (b"PX", 0.001)):
            if unit in options:
                ends = self._now() + factor * int(options[options.index(unit) + 1])
        self._put(key, value, ends)
        if b"GET" in options:
            return before if isinstance(before, bytes) else None
        return OK

    def _get_text(self, words: Words) -> Reply:
        value = self._get(words[0])
        return _WRONG_TYPE if isinstance(value, list) else value

    def _mget(self, words: Words) -> Reply:
        values = (self._get(key) for key in words)
        return [value if isinstance(value, bytes) else None for value in values]

    def _delete(self, words: Words) -> Reply:
        return int(sum(self._drop(key) for key in words))

    def _exists(self, words: Words) -> Reply:
        return int(sum(self._get(key) is not None for key in words))

    def _rename(self, words: Words) -> Reply:
        value, ends = self._get(words[0]), self._ends.get(words[0])
        if value is None:
            return Wrong("ERR no such key")
        self._drop(words[0])
        self._put(words[1], value, ends)
        return OK

    def _rename_new(self, words: Words) -> Reply:
        if self._get(words[1]) is not None:
            return 0
        answer = self._rename(words)
        return 1 if answer == OK else answer

    def _copy(self, words: Words) -> Reply:
        value, ends = self._get(words[0]), self._ends.get(words[0])
        replace = b"REPLACE" in (word.upper() for word in words[2:])
        if value is None or (self._get(words[1]) is not None and not replace):
            return 0
        self._put(words[1], value, ends)
        return 1

    def _expire(self, words: Words) -> Reply:
        if self._get(words[0]) is None:
            return 0
        self._ends[words[0]] = self._now() + int(words[1])
        return 1

    def _persist(self, words: Words) -> Reply:
        self._get(words[0])
        return int(self._ends.pop(words[0], None) is not None)

    def _ttl(self, words: Words) -> Reply:
        if self._get(words[0]) is None:
            return -2
        ends = self._ends.get(words[0])
        return int(-1 if ends is None else round(ends - self._now()))

    def _pttl(self, words: Words) -> Reply:
        if self._get(words[0]) is None:
            return -2
        ends = self._ends.get(words[0])
        return int(-1 if ends is None else round(1000 * (ends - self._now())))

    def _type(self, words: Words) -> Reply:
        value = self._get(words[0])
        return "none" if value is None else "list" if isinstance(value, list) else "string"

    def _rpush(self, words: Words) -> Reply:
        value = self._get(words[0])
        if isinstance(value, bytes):
            return _WRONG_TYPE
        if value is None:
            value = []
            self._put(words[0], value, None)
        value.extend(words[1:])
        return len(value)

    def _lrange(self, words: Words) -> Reply:
        value = self._get(words[0]) or []
        if isinstance(value, bytes):
            return _WRONG_TYPE
        first, last = int(words[1]), int(words[2])
        end = len(value) + last + 1 if last < 0 else last + 1
        return list(value[first if first >= 0 else max(0, len(value) + first) : end])

    def _scan(self, words: Words) -> Reply:
        options = [word.upper() for word in words[1:]]
        pattern = "*"
        if b"MATCH" in options:
            pattern = words[2 + options.index(b"MATCH")].decode("utf-8", "replace")
        names = [key for key in list(self._values) if self._get(key) is not None]
        found = [k for k in names if fnmatch.fnmatchcase(k.decode("utf-8", "replace"), pattern)]
        return [b"0", found]

    def _keys(self, words: Words) -> Reply:
        pattern = words[0].decode("utf-8", "replace")
        found = [k for k in list(self._values) if self._get(k) is not None]
        names = (k for k in found if fnmatch.fnmatchcase(k.decode("utf-8", "replace"), pattern))
        return list(names)

    def _size(self, _words: Words) -> Reply:
        return int(sum(self._get(key) is not None for key in list(self._values)))

    def _flush(self, _words: Words) -> Reply:
        self._values.clear()
        self._ends.clear()
        return OK

    _COMMANDS: Final[dict[str, Callable[["Store", Words], Reply]]] = {
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
        "PING": lambda _store, words: words[0] if words else "PONG",
        "ECHO": lambda _store, words: words[0],
        "SELECT": lambda _store, _words: OK,
        "CLIENT": lambda _store, _words: OK,
        "WATCH": lambda _store, _words: OK,
        "UNWATCH": lambda _store, _words: OK,
        "INFO": lambda _store, _words: b"# Server\r\nredis_version:7.0.0\r\n",
    }


def encode(reply: Reply, *, resp3: bool = False) -> bytes:
    """Return a reply as it goes over the wire."""
    if reply is None:
        return b"_\r\n" if resp3 else b"$-1\r\n"
    if isinstance(reply, Wrong):
        return f"-{reply}\r\n".encode()
    if isinstance(reply, str):
        return f"+{reply}\r\n".encode()
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    parts = [encode(each, resp3=resp3) for each in reply]
    return b"*%d\r\n" % len(parts) + b"".join(parts)


class Connection:
    """One client: its queue between MULTI and EXEC."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: list[Words] | None = None
        self._resp3 = False

    def answer(self, words: Words) -> bytes:
        """Return the answer to a command, as it goes over the wire."""
        name = words[0].upper()
        if name == b"HELLO":
            self._resp3 = words[1:2] == [b"3"]
            return self._hello()
        return encode(self._reply(name, words), resp3=self._resp3)

    def _reply(self, name: bytes, words: Words) -> Reply:
        if name == b"MULTI":
            self._queue = []
            return OK
        if name in (b"EXEC", b"DISCARD"):
            queue, self._queue = self._queue, None
            if queue is None:
                return Wrong(f"ERR {name.decode()} without MULTI")
            return OK if name == b"DISCARD" else [self._store.execute(each) for each in queue]
        if self._queue is not None:
            self._queue.append(words)
            return "QUEUED"
        return self._store.execute(words)

    def _hello(self) -> bytes:
        said: dict[bytes, Reply] = {b"server": b"redis", b"version": b"7.0.0"}
        said[b"proto"] = 3 if self._resp3 else 2
        body = b"".join(encode(name) + encode(value) for name, value in said.items())
        sign = b"%%%d" % len(said) if self._resp3 else b"*%d" % (2 * len(said))
        return sign + b"\r\n" + body


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
