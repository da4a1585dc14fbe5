"""Which arguments of a Redis command are keys, and whether they are read or written.

A table instead of ``COMMAND GETKEYS``, which would ask the server before each command. Commands
that it does not know have no keys here, so no argument is ever taken for one.
"""

from collections.abc import Sequence
from typing import Any, Final

READ, WRITE, BOTH = "read", "write", "read write"

Keys = list[tuple[Any, str]]
"""Keys as the caller gave them, each with what is done to it."""
Place = tuple[str, int, int, int]
"""What is done, first argument (the command is 0), last (-1: the last), step."""


def _one(op: str, commands: str) -> dict[str, tuple[Place, ...]]:
    return dict.fromkeys(commands.split(), ((op, 1, 1, 1),))


def _each(commands: str, *places: Place) -> dict[str, tuple[Place, ...]]:
    return dict.fromkeys(commands.split(), places)


# https://redis.io/docs/latest/commands/, checked against COMMAND GETKEYS of a real server.
_PLACES: Final[dict[str, tuple[Place, ...]]] = {
    **_one(
        READ,
        "GET GETRANGE SUBSTR STRLEN TTL PTTL EXPIRETIME PEXPIRETIME TYPE DUMP HGET HMGET HGETALL "
        "HKEYS HVALS HLEN HEXISTS HSTRLEN HRANDFIELD HSCAN LRANGE LINDEX LLEN LPOS SMEMBERS "
        "SISMEMBER SMISMEMBER SCARD SRANDMEMBER SSCAN ZRANGE ZRANGEBYSCORE ZRANGEBYLEX ZREVRANGE "
        "ZREVRANGEBYSCORE ZREVRANGEBYLEX ZSCORE ZMSCORE ZRANK ZREVRANK ZCARD ZCOUNT ZLEXCOUNT "
        "ZRANDMEMBER ZSCAN XRANGE XREVRANGE XLEN XPENDING GETBIT BITCOUNT BITPOS BITFIELD_RO "
        "GEOPOS GEODIST GEOHASH GEOSEARCH GEORADIUS_RO GEORADIUSBYMEMBER_RO SORT_RO JSON.GET "
        "JSON.TYPE JSON.STRLEN JSON.ARRLEN JSON.ARRINDEX JSON.OBJKEYS JSON.OBJLEN TS.GET TS.RANGE",
    ),
    **_one(
        WRITE,
        "SET SETEX SETNX PSETEX SETRANGE SETBIT APPEND EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST "
        "RESTORE INCR INCRBY INCRBYFLOAT DECR DECRBY HSET HMSET HSETNX HDEL HINCRBY HINCRBYFLOAT "
        "LPUSH RPUSH LPUSHX RPUSHX LSET LREM LTRIM LINSERT SADD SREM ZADD ZREM ZINCRBY "
        "ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREMRANGEBYLEX XADD XDEL XTRIM XACK XSETID PFADD GEOADD "
        "JSON.SET JSON.DEL JSON.MERGE JSON.NUMINCRBY JSON.STRAPPEND JSON.ARRAPPEND JSON.ARRINSERT "
        "JSON.ARRTRIM JSON.TOGGLE JSON.CLEAR TS.ADD",
    ),
    **_one(
        BOTH,
        "GETDEL GETSET GETEX LPOP RPOP SPOP ZPOPMIN ZPOPMAX BITFIELD XCLAIM XAUTOCLAIM JSON.ARRPOP",
    ),
    **_each("MGET EXISTS SINTER SUNION SDIFF PFCOUNT", (READ, 1, -1, 1)),
    **_each("JSON.MGET", (READ, 1, -2, 1)),
    **_each("DEL UNLINK TOUCH", (WRITE, 1, -1, 1)),
    **_each("MSET MSETNX", (WRITE, 1, -1, 2)),
    **_each("JSON.MSET", (WRITE, 1, -1, 3)),
    **_each("BLPOP BRPOP BZPOPMIN BZPOPMAX", (BOTH, 1, -2, 1)),
    **_each("SINTERSTORE SUNIONSTORE SDIFFSTORE PFMERGE", (WRITE, 1, 1, 1), (READ, 2, -1, 1)),
    **_each("ZRANGESTORE GEOSEARCHSTORE", (WRITE, 1, 1, 1), (READ, 2, 2, 1)),
    **_each("COPY", (READ, 1, 1, 1), (WRITE, 2, 2, 1)),
    **_each(
        "RENAME RENAMENX RPOPLPUSH BRPOPLPUSH LMOVE BLMOVE SMOVE",
        *((BOTH, 1, 1, 1), (WRITE, 2, 2, 1)),
    ),
    **_each("BITOP", (WRITE, 2, 2, 1), (READ, 3, -1, 1)),
    **_each("SORT GEORADIUS GEORADIUSBYMEMBER", (READ, 1, 1, 1)),
    **_each("OBJECT MEMORY XINFO", (READ, 2, 2, 1)),
    **_each("XGROUP", (WRITE, 2, 2, 1)),
    **_each("ZUNIONSTORE ZINTERSTORE ZDIFFSTORE", (WRITE, 1, 1, 1)),
}
_COUNTED: Final[dict[str, tuple[str, int]]] = {
    **dict.fromkeys("EVAL EVALSHA FCALL".split(), (BOTH, 2)),
    **dict.fromkeys("EVAL_RO EVALSHA_RO FCALL_RO".split(), (READ, 2)),
    **dict.fromkeys("ZUNIONSTORE ZINTERSTORE ZDIFFSTORE".split(), (READ, 2)),
    **dict.fromkeys("ZUNION ZINTER ZDIFF SINTERCARD ZINTERCARD".split(), (READ, 1)),
    **dict.fromkeys("LMPOP ZMPOP".split(), (BOTH, 1)),
    **dict.fromkeys("BLMPOP BZMPOP".split(), (BOTH, 2)),
}
"""What is done to the keys whose number stands at that argument, before them."""
_SUBCOMMANDS: Final = {
    "OBJECT": {"ENCODING", "FREQ", "IDLETIME", "REFCOUNT"},
    "MEMORY": {"USAGE"},
    "XINFO": {"STREAM", "GROUPS", "CONSUMERS"},
    "XGROUP": {"CREATE", "CREATECONSUMER", "DELCONSUMER", "DESTROY", "SETID"},
}
_STORING: Final = {"SORT", "GEORADIUS", "GEORADIUSBYMEMBER"}
_KEYWORDS: Final = (str, bytes)


def command_keys(arguments: Sequence[Any]) -> Keys:
    """Return the keys of a command given as redis-py does: name first, values after.

    Total: whatever it is given, it returns what it is sure of.
    """
    if not arguments or not isinstance(arguments[0], _KEYWORDS):
        return []
    words: list[Any] = [*_word(arguments[0]).split(), *arguments[1:]]
    command = words[0] if words else ""
    if command in _SUBCOMMANDS and _word_at(words, 1) not in _SUBCOMMANDS[command]:
        return []
    keys = [pair for place in _PLACES.get(command, ()) for pair in _placed(words, place)]
    if command in _COUNTED:
        keys += _counted(words, *_COUNTED[command])
    elif command in ("XREAD", "XREADGROUP"):
        keys += _streams(words)
    elif command in _STORING:
        keys += _stored(words)
    elif command == "SET" and any(_word_at(words, at) == "GET" for at in range(3, len(words))):
        keys = [(key, BOTH) for key, _ in keys]
    return keys


def _placed(words: Sequence[Any], place: Place) -> Keys:
    op, first, last, step = place
    end = len(words) + last if last < 0 else last
    return [(words[at], op) for at in range(first, min(end, len(words) - 1) + 1, step)]


def _counted(words: Sequence[Any], op: str, at: int) -> Keys:
    try:
        count = int(words[at])
    except (IndexError, TypeError, ValueError):
        return []
    # A wrong count would make keys of the arguments; the server refuses it too.
    keys = words[at + 1 : at + 1 + max(count, 0)]
    return [(key, op) for key in keys] if len(keys) == count else []


def _streams(words: Sequence[Any]) -> Keys:
    """`XREAD ... STREAMS key key id id`."""
    for at in range(1, len(words)):
        if _word_at(words, at) == "STREAMS":
            rest = words[at + 1 :]
            return [(key, READ) for key in rest[: len(rest) // 2]]
    return []


def _stored(words: Sequence[Any]) -> Keys:
    for at in range(2, len(words) - 1):
        if _word_at(words, at) in ("STORE", "STOREDIST"):
            return [(words[at + 1], WRITE)]
    return []


def _word_at(words: Sequence[Any], at: int) -> str:
    return _word(words[at]) if at < len(words) else ""


def _word(value: Any) -> str:
    """Return a keyword in capitals; a long value is none, and is not copied to see."""
    if not isinstance(value, _KEYWORDS) or len(value) > 32:
        return ""
    return (value.decode("ascii", "replace") if isinstance(value, bytes) else value).upper()
