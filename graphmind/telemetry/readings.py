"""How the text of an attribute becomes a value: small total functions, named in attributes.yaml.

Each takes the text and returns text, or None to refuse it so that the next name is tried.
"""

import hashlib
import json
import math
import re
import shlex
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

_UUID: Final = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_FRAMEWORKS: Final = frozenset({"langgraph", "langchain", "crewai", "llamaindex", "autogen"})
_WRONG: Final = frozenset(
    "wrong fail failed failure incorrect bad false no negative invalid mismatch thumbs_down "
    "thumbs-down down dislike poor unsatisfactory hallucinated rejected".split()
)
_RIGHT: Final = frozenset(
    "ok right pass passed correct good true yes positive valid match thumbs_up thumbs-up up like "
    "relevant satisfactory accepted success excellent".split()
)
# https://redis.io/commands, those whose first argument is a key.
_READS: Final = frozenset(
    "GET MGET GETRANGE STRLEN EXISTS TTL PTTL TYPE HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS "
    "LRANGE LINDEX LLEN SMEMBERS SISMEMBER SCARD ZRANGE ZSCORE ZRANK ZCARD XRANGE XREVRANGE XLEN "
    "GETBIT BITCOUNT JSON.GET DUMP".split()
)
_WRITES: Final = frozenset(
    "SET SETEX SETNX PSETEX MSET MSETNX APPEND DEL UNLINK EXPIRE PEXPIRE EXPIREAT PERSIST RENAME "
    "INCR INCRBY INCRBYFLOAT DECR DECRBY HSET HMSET HSETNX HDEL HINCRBY HINCRBYFLOAT LPUSH RPUSH "
    "LPUSHX RPUSHX LSET LREM LTRIM LINSERT SADD SREM ZADD ZREM ZINCRBY XADD XDEL XTRIM JSON.SET "
    "SETRANGE SETBIT PFADD GEOADD".split()
)
_BOTH: Final = frozenset("GETDEL GETSET GETEX LPOP RPOP SPOP ZPOPMIN ZPOPMAX".split())
# A script says how many keys follow: `EVAL script 1 key`.
_SCRIPTS: Final = frozenset("EVAL EVALSHA FCALL".split())
# What other stores call their operations.
_READ_VERBS: Final = frozenset(
    "READ SELECT SEARCH FETCH QUERY SCAN FIND XREAD LOAD RETRIEVE RECALL LOOKUP".split()
)
_WRITE_VERBS: Final = frozenset("WRITE PUT INSERT UPDATE UPSERT DELETE CREATE STORE SAVE".split())
_FAILURES: Final = frozenset("error failed failure exception timeout timed_out crashed".split())


def uuid(text: str) -> str | None:
    """Accept only a UUID."""
    return text if _UUID.fullmatch(text) else None


def not_uuid(text: str) -> str | None:
    """Refuse a UUID: it names a run, not an agent."""
    return None if _UUID.fullmatch(text) else text


def provider(text: str) -> str | None:
    """Refuse the names of frameworks, which some instrumentations report as provider."""
    return None if text.lower() in _FRAMEWORKS else text


def tool_method(text: str) -> str | None:
    """Accept an MCP method only if it calls a tool."""
    return text if text.startswith("tools/") else None


def zone_region(text: str) -> str | None:
    """Cut the zone's suffix off: `eu-west-1a` and `europe-west4-b` lie in a region."""
    return None if text.isdigit() else re.sub(r"(?<=\d)-?[a-z]$", "", text)


def url(text: str) -> str | None:
    """Keep host and path; the query may hold secrets and makes every value unique."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return (parts.netloc.rpartition("@")[2] + parts.path) or None


def key(text: str) -> str | None:
    """Refuse masked keys such as `?`."""
    return None if not text or "?" in text or text.strip("*") == "" else text


def first_argument(text: str) -> str | None:
    """Return the first key of a Redis command such as `GET user:1`; other queries have none."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    command = words[0].upper() if words else ""
    if command in _SCRIPTS:
        words = words[2:] if words[2:3] != ["0"] else []
    elif command not in _READS | _WRITES | _BOTH:
        return None
    return key(words[1]) if len(words) > 1 else None


def access(text: str) -> str | None:
    """Return read, write or both for a command, or for the commands of a pipeline (`GET SET`)."""
    words = re.sub(r"^(PIPELINE|MULTI)\s+", "", text.strip().upper()).split()
    kinds = [_access(word) for word in words]
    if not kinds or len({*kinds}) == 1 or None in kinds:
        return kinds[0] if kinds else None
    return "both"


def query_access(text: str) -> str | None:
    """Return read, write or both for queries, one a line."""
    return access(" ".join(line.split()[0] for line in text.splitlines() if line.strip()))


def _access(command: str) -> str | None:
    if command in _BOTH | _SCRIPTS:
        return "both"
    if command in _WRITES | _WRITE_VERBS:
        return "write"
    return "read" if command in _READS | _READ_VERBS else None


def memory_access(text: str) -> str | None:
    """Return the access of an agent-memory operation (GenAI conventions): search reads."""
    verb, _, noun = text.partition("_")
    if not noun.startswith("memory"):
        return None
    return "read" if verb == "search" else "write"


def failure_code(text: str) -> str | None:
    """Refuse codes that mean success."""
    return None if text.strip().upper() in {"", "0", "OK", "00000", "SUCCESS"} else text


def failure_type(text: str) -> str | None:
    """Return true: OpenTelemetry sets an error's type only where the operation failed."""
    return "true" if failure_code(text) else None


def failure_word(text: str) -> str | None:
    """Return true for a status that says failed."""
    label = text.strip().lower().removeprefix("status_code_")
    return "true" if label in _FAILURES else None


def server_failure(text: str) -> str | None:
    """Return true for an HTTP status from 500 on: below, the caller may have been wrong."""
    return "true" if text.isdigit() and int(text) >= 500 else None


def model(text: str) -> str | None:
    """Turn `version@name` into `name@version`, or the version alone where it names the model."""
    version, _, name = text.partition("@")
    if not version:
        return None
    return version if not name or version.startswith(name) else f"{name}@{version}"


def http_failure(text: str) -> str | None:
    """Accept an HTTP status from 400 on."""
    return text if text.isdigit() and int(text) >= 400 else None


def verdict(text: str) -> str | None:
    """Return ok or wrong for a label that says so, else None."""
    label = text.strip().lower()
    if label in _WRONG:
        return "wrong"
    return "ok" if label in _RIGHT else None


def number(text: str) -> str | None:
    """Accept a finite number; a captured HTTP header is a list of texts, `["2"]`."""
    bare = text.strip('[]" ')
    try:
        return bare if math.isfinite(float(bare)) else None
    except ValueError:
        return None


def probability(text: str) -> str | None:
    """Accept a number above 0 and at most 1."""
    value = number(text)
    return value if value and 0 < float(value) <= 1 else None


def inverse(text: str) -> str | None:
    """Turn a sampling rate (1 of N) into a probability."""
    value = number(text)
    return str(1 / float(value)) if value and float(value) >= 1 else None


def digest(text: str) -> str | None:
    """Return a short digest, for texts that are only compared."""
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else None


def flag(text: str) -> str | None:
    """Return true or false."""
    label = text.strip('[]" ').lower()
    return "false" if label in {"false", "0", "no", "off", ""} else "true"


def json_field(name: str) -> Callable[[str], str | None]:
    """Return a reading that takes one field out of a JSON object."""

    def read(text: str) -> str | None:
        try:
            value = json.loads(text)
        except ValueError:
            return None
        found = value.get(name) if isinstance(value, dict) else None
        return found if isinstance(found, str) and found else None

    return read


def known(name: str) -> bool:
    """Whether there is a reading of that name."""
    return name in READINGS or name.startswith("json ")


def reading(name: str) -> Callable[[str], str | None]:
    """Return the reading of that name. Raises KeyError."""
    if name.startswith("json "):
        return json_field(name.removeprefix("json "))
    return READINGS[name]


READINGS: Final[dict[str, Callable[[str], str | None]]] = {
    function.__name__: function
    for function in (
        *(uuid, not_uuid, provider, tool_method, zone_region, url, key, first_argument, access),
        *(
            query_access,
            memory_access,
            failure_code,
            failure_type,
            failure_word,
            server_failure,
            model,
            http_failure,
            verdict,
            number,
            probability,
            inverse,
            digest,
            flag,
        ),
    )
}
