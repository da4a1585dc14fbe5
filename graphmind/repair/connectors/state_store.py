"""A Redis or Valkey that keeps the state of agents: keys are quarantined and reverted.

A key is never deleted and a value never leaves the server: what makes way is renamed to
``graphmind:quarantine:DIGEST:KEY`` and keeps its time to live. One script compares, changes and
remembers (``state_scripts.py``), so nobody comes between. One server, not a cluster: a script's
keys lie in one place.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from itertools import islice
from typing import Any, Final

import msgspec
import redis
import redis.backoff
import redis.retry
from pydantic import Field, SecretStr

from graphmind.errors import SettingsError
from graphmind.repair.connector import (
    Action,
    Applied,
    ConnectorError,
    Description,
    Effect,
    OutcomeUnknown,
    Planned,
    Seen,
    StateChanged,
)
from graphmind.repair.connectors.calls import Calls, params_schema
from graphmind.repair.connectors.config import Options, Section
from graphmind.repair.connectors.state_scripts import BACK, LOOK, MOVE, PUT
from graphmind.repair.model import Call, Json

QUARANTINE: Final = "graphmind:quarantine:"
MADE: Final = "graphmind:made:"
RECORD: Final = "graphmind:applied:"
GRANT: Final = (
    "+eval +scan +type +get +set +exists +rename +copy +restore +dump +pttl +pexpiretime +pexpire "
    "+persist +time +llen +scard +hlen +zcard +lrange +zrange +smembers +hgetall"
)
_NO_TEXT: Final = re.compile(rb"\\x([89a-f][0-9a-f])")
"""A byte of a key that is no text, as the inventory of keys writes it."""
_ASIDE_MAX: Final = 1000  # chosen: quarantined values of one key that are looked through

_TEXT: Final[Json] = {"type": "string", "minLength": 1}
ACTIONS: Final[Mapping[str, Json]] = {
    "quarantine_key": params_schema(),
    "restore_key": params_schema((), **{"from": {"type": ["string", "null"]}}),
    "revert_state": {
        **params_schema(snapshot=_TEXT, task=_TEXT, step=_TEXT, field=_TEXT),
        "oneOf": [{"required": ["snapshot"]}, {"required": ["task", "step"]}],
    },
    "revert_key": {
        **params_schema((), value={"type": "string"}, dump=_TEXT, **{"from": _TEXT}),
        "minProperties": 1,
        "maxProperties": 1,
    },
}
"""``revert_key`` sets a value: a text, what DUMP gave (base64), or that of another key.
``revert_state`` sets a part of a snapshot's JSON, its context unless ``field`` says otherwise."""


class StateStoreOptions(Options):
    """What a section of kind ``state_store`` holds."""

    url: str = Field(pattern=r"^rediss?://[^\s/?#@]+(/[0-9]+)?$")
    """``redis://HOST:PORT/DATABASE``, or ``rediss://`` for TLS; without credentials."""
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: str = ""
    snapshot: str = Field(default="agent_state_snapshot:{task}:{step}", min_length=1)
    """Name of the key with the snapshot of a task before a step."""
    qualifier: str = ""
    """What telemetry puts before the names of this store's keys, such as ``redis/0/``."""
    remember_s: int = Field(default=7 * 86_400, ge=60)
    """How long a step's key is known (chosen: longer than a repair waits for anything)."""


@dataclass(frozen=True, kw_only=True)
class _Key:
    """A key as it is."""

    digest: str
    """Empty: there is none."""
    type: str
    expires_ms: int | None

    def __str__(self) -> str:
        return f"a {self.type}" if self.digest else "not there"


@dataclass(frozen=True, kw_only=True)
class _Put:
    """A value to put in a key's place."""

    how: str
    payload: bytes = b""
    wanted: str = ""
    """Digest of what comes of it, where that is known."""
    source: str = ""
    source_digest: str = ""


class StateStore:
    """Speaks the port of a connector."""

    def __init__(self, section: Section) -> None:
        """Raise SettingsError for a section that does not fit."""
        self._options = section.read_as(StateStoreOptions)
        self._calls = Calls(
            section,
            [
                Action(name=name, level="key", params_schema=schema, undoable=True)
                for name, schema in ACTIONS.items()
            ],
        )
        self._where = f"connector {section.name} ({section.kind}, {self._options.url})"
        self._client = _connect(section, self._options)

    def describe(self) -> Description:
        """Say what it is; asks nothing of the store."""
        return self._calls.describe(self._options.url)

    def plan(self, call: Call) -> Planned:
        """Read the key's type, digest and time to live, never its value."""
        self._calls.check(call)
        name = self._name(call.target)
        if call.action == "restore_key":
            return self._plan_restoring(call, name)
        (key,) = self._look(name)
        if not key.digest and call.action == "quarantine_key":
            raise ConnectorError(
                f"{self._where}: no key {call.target!r}. Known are keys by their full names, "
                "patterns are none"
            )
        before = {"digest": key.digest, "type": key.type, "expires_ms": key.expires_ms}
        aside = _aside(key.digest, name)
        if call.action == "quarantine_key":
            does = f"renames it to {aside}"
        else:
            put = self._put(call)
            does = f"puts {_put_in_words(put)} in its place"
            if put.source:
                before["source_digest"] = put.source_digest
        return Planned(
            before=before,
            undo=Call(
                action="restore_key",
                target=call.target,
                params={"from": aside if key.digest else None},
            ),
            summary=f"{call.action} {call.target} at {self._options.url}: it is {key}; {does}",
            preconditions=("nobody has written the key since",),
        )

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        """Compare, move aside, put and remember, in one script."""
        self._calls.refuse_unless_live()
        self._calls.check(call)
        name = self._name(call.target)
        match call.action:
            case "quarantine_key":
                return self._move(name, _text(before, "digest"), key)
            case "restore_key":
                aside = call.params.get("from") or _text(before, "aside")
                return self._bring_back(name, aside, _text(before, "aside_digest"), key)
            case _:
                return self._replace(call, name, before, key)

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        """Look at the key again, and whether this step is on record."""
        self._calls.check(call)
        name = self._name(call.target)
        old = _text(before, "digest")
        aside = _text(before, "aside") or _aside(old, name)
        now, moved, record = self._look(name, aside, f"{RECORD}{key}")
        state = {"digest": now.digest, "type": now.type, "expires_ms": now.expires_ms}
        if record.digest == _digest(now.digest.encode()):
            return Seen(effect=Effect.APPLIED, state=state)
        if now.digest == old:
            return Seen(effect=Effect.NOT_APPLIED, state=state)
        if record.digest:
            return Seen(effect=Effect.APPLIED, state=state, detail="done, and written again since")
        if self._is_made(call, before, now, moved):
            return Seen(effect=Effect.APPLIED, state=state, detail="done, but not by this step")
        return Seen(effect=Effect.OTHER, state=state, detail=f"{call.target} is {now}")

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        """Bring back what was moved aside, if the key is as the step left it."""
        self._calls.refuse_unless_live()
        self._calls.check(call)
        name, old = self._name(call.target), _text(before, "digest")
        if "aside" in before:
            return self._move(name, _text(before, "aside_digest"), key)
        aside = call.params.get("from") if call.action == "restore_key" else _aside(old, name)
        return self._bring_back(name, aside or "", old, key)

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _plan_restoring(self, call: Call, name: str) -> Planned:
        aside = call.params.get("from") or self._only_aside(call, name)
        key, moved = self._look(name, aside)
        if key.digest:
            raise ConnectorError(
                f"restore_key {call.target}: expected no such key, but it is {key} again; "
                "quarantine it first"
            )
        if not moved.digest:
            raise ConnectorError(f"restore_key {call.target}: nothing is kept at {aside!r}")
        return Planned(
            before={
                "digest": "",
                "aside": aside,
                "aside_digest": moved.digest,
                "expires_ms": moved.expires_ms,
            },
            undo=Call(action="quarantine_key", target=call.target),
            summary=f"restore_key {call.target} at {self._options.url}: renames {aside}, "
            f"{moved}, back to it",
            preconditions=("nobody has written the key since",),
        )

    def _only_aside(self, call: Call, name: str) -> str:
        """Return the name of the only value of a key that is in quarantine."""
        suffix = f":{name}"
        try:
            pattern = _encoded(f"{QUARANTINE}*{_escaped(suffix)}")
            scanned = self._client.scan_iter(match=pattern, count=1000)
            names = map(_decoded, islice(scanned, _ASIDE_MAX))
            found = sorted(
                text for text in names if text.removeprefix(QUARANTINE).partition(":")[2] == name
            )
        except (redis.RedisError, ValueError, OSError) as error:
            raise self._in_words(error, ConnectorError) from None
        if len(found) != 1:
            known = ", ".join(found) or "none"
            raise ConnectorError(
                f"{self._where}: restore_key {call.target}: expected one value in quarantine, or "
                f"`from`. Known: {known}"
            )
        return found[0]

    def _put(self, call: Call) -> _Put:
        """Return what a call puts in place. Raises ConnectorError where that is not there."""
        given = call.params
        if "value" in given:
            payload = given["value"].encode()
            return _Put(how="value", payload=payload, wanted=_digest(payload))
        if "dump" in given:
            try:
                return _Put(how="dump", payload=base64.b64decode(given["dump"], validate=True))
            except binascii.Error:
                raise ConnectorError(
                    "revert_key: expected `dump` to be what DUMP gave, in base64; it is not that"
                ) from None
        source = given.get("from") or given.get("snapshot")
        if source is None:
            source = self._options.snapshot.format(task=given["task"], step=given["step"])
        (found,) = self._look(source)
        if not found.digest:
            raise ConnectorError(f"{call.action} {call.target}: expected a key {source!r}, no such")
        if call.action == "revert_key":
            return _Put(how="copy", source=source, source_digest=found.digest, wanted=found.digest)
        payload = self._part(call, source)
        return _Put(
            how="value",
            payload=payload,
            wanted=_digest(payload),
            source=source,
            source_digest=found.digest,
        )

    def _part(self, call: Call, source: str) -> bytes:
        """Return a part of a snapshot, as it stands there."""
        field = call.params.get("field", "context")
        try:
            text = self._client.get(_encoded(source))
        except (redis.RedisError, ValueError, OSError) as error:
            raise self._in_words(error, ConnectorError) from None
        try:
            parts = msgspec.json.decode(text or b"", type=dict[str, msgspec.Raw])
            return bytes(parts[field])
        except KeyError:
            raise ConnectorError(
                f"revert_state {call.target}: no {field!r} in {source}. "
                f"Known: {', '.join(sorted(parts))}"
            ) from None
        except (msgspec.MsgspecError, ValueError, TypeError):
            raise ConnectorError(
                f"revert_state {call.target}: expected {source} to hold a JSON object"
            ) from None

    def _move(self, name: str, digest: str, key: str) -> Applied:
        if not digest:
            raise StateChanged(f"expected a key {name!r} to move aside, planned against none")
        aside = _aside(digest, name)
        said = self._run(MOVE, [name, aside, f"{MADE}{digest}:{name}", _record(key)], [digest])
        return self._said(said, name, {"moved_to": aside})

    def _replace(self, call: Call, name: str, before: Json, key: str) -> Applied:
        digest, put = _text(before, "digest"), self._put(call)
        if put.source and put.source_digest != _text(before, "source_digest"):
            raise StateChanged(f"{put.source} is not what it was when it was planned; plan anew")
        aside = _aside(digest, name)
        keys = [name, aside, f"{MADE}{digest}:{name}", _record(key)]
        arguments: list[str | bytes] = [digest, put.how, put.payload, put.wanted]
        if put.source:
            keys.append(put.source)
            arguments.append(put.source_digest)
        said = self._run(PUT, keys, arguments)
        return self._said(said, name, {"moved_to": aside} if digest else {})

    def _bring_back(self, name: str, aside: str, digest: str, key: str) -> Applied:
        keys = [name, aside or _aside("", name), f"{MADE}{digest}:{name}", _record(key)]
        said = self._run(BACK, keys, [digest, QUARANTINE, name])
        return self._said(said, name, {"moved_from": aside})

    def _said(self, said: Sequence[str], name: str, facts: Mapping[str, str]) -> Applied:
        """Return what a script did, or raise what it did not do."""
        match said:
            case ["done"]:
                return Applied(detail=f"{name}: done", facts=facts)
            case ["again"]:
                return Applied(detail=f"{name}: nothing to change, it is so already")
            case ["changed", _]:
                raise StateChanged(
                    f"{self._where}: {name} is not what it was when it was planned; plan anew"
                )
            case ["source", source]:
                raise StateChanged(f"{self._where}: {source} has changed meanwhile; plan anew")
            case ["gone", aside]:
                raise StateChanged(
                    f"{self._where}: expected what {name} held at {aside}, but it is not there "
                    "any more: it expired, or somebody moved it"
                )
            case ["failed", why]:
                raise ConnectorError(f"{self._where}: refuses the value: {why[:200]}")
            case _:
                raise OutcomeUnknown(f"{self._where}: expected a script's word, got another")

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes]) -> list[str]:
        """Run a script that changes something."""
        self._look(
            keys[0]
        )  # is it there, and does it let us in: whatever fails now changed nothing
        encoded = [_encoded(one) for one in keys]
        given = [_encoded(one) if isinstance(one, str) else one for one in arguments]
        given.insert(1, str(self._options.remember_s).encode())
        try:
            said: Any = self._client.eval(script, len(keys), *encoded, *given)
        except (redis.RedisError, ValueError, OSError) as error:
            refused = isinstance(error, redis.ResponseError)
            raise self._in_words(error, ConnectorError if refused else OutcomeUnknown) from None
        if not isinstance(said, list) or not all(isinstance(one, bytes) for one in said):
            raise OutcomeUnknown(f"{self._where}: expected a script's word, got another")
        return [_decoded(one) for one in said]

    def _look(self, *names: str) -> tuple[_Key, ...]:
        try:
            keys = [_encoded(name) for name in names]
            said: Any = self._client.eval(LOOK, len(keys), *keys)
            return tuple(
                _Key(
                    digest=digest.decode(),
                    type=kind.decode(),
                    expires_ms=int(expires) if expires else None,
                )
                for digest, kind, expires in said
            )
        except (redis.RedisError, ValueError, OSError, TypeError, AttributeError) as error:
            raise self._in_words(error, ConnectorError) from None

    def _is_made(self, call: Call, before: Json, now: _Key, moved: _Key) -> bool:
        """Whether the key is as the call would make it, though this step did not."""
        if call.action == "quarantine_key":
            return not now.digest and moved.digest == _text(before, "digest")
        if call.action == "restore_key":
            return not moved.digest and now.digest == _text(before, "aside_digest")
        return now.digest == self._put(call).wanted

    def _name(self, target: str) -> str:
        return target.removeprefix(self._options.qualifier)

    def _in_words(self, error: Exception, kind: type[ConnectorError]) -> ConnectorError:
        """Say what is wrong and what to do; the server's own words where they hold no secret."""
        match error:
            case redis.AuthenticationError():
                said = "asks for a password, or refuses this one: set `username` and `password`"
                kind = ConnectorError
            case redis.exceptions.NoPermissionError():
                said = f"may not run a command that it needs: grant {GRANT} on all keys"
            case redis.exceptions.BusyLoadingError():
                said = "is still loading its data"
            case redis.TimeoutError():
                said = f"does not answer within {self._options.timeout_s:g} s"
            case redis.ConnectionError():
                said = "does not answer; is it running, `url` right, and is it a Redis?"
            case redis.ResponseError():
                said = f"refuses: {str(error)[:200]}"
            case _:
                said = "answers what no Redis does; is `url` right?"
        return kind(f"{self._where}: {said}")


def open_connector(section: Section) -> StateStore:
    """Open a Redis; nothing is asked of it yet."""
    return StateStore(section)


def _connect(section: Section, options: StateStoreOptions) -> "redis.Redis":
    trust = {"ssl_ca_certs": options.ca_file} if options.ca_file else {}
    try:
        return redis.Redis.from_url(
            options.url,
            username=options.username or None,
            password=options.password.get_secret_value() or None,
            **trust if options.url.startswith("rediss:") else {},
            socket_timeout=options.timeout_s,
            socket_connect_timeout=options.timeout_s,
            # A script that is sent twice may act twice: `verify` says what happened.
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
            # Spoken by servers of all ages.
            protocol=2,
        )
    except ValueError:
        raise SettingsError(
            f"{section.where}: connector {section.name}: `url` should be "
            "redis://HOST:PORT/DATABASE or rediss:// for TLS; it is not that"
        ) from None


def _aside(digest: str, name: str) -> str:
    return f"{QUARANTINE}{digest or 'nothing'}:{name}"


def _record(key: str) -> str:
    return f"{RECORD}{key}"


def _digest(payload: bytes) -> str:
    """Return the digest of a text, as the scripts compute it: it tells changes, it is no seal."""
    return sha1(b"string:" + payload, usedforsecurity=False).hexdigest()


def _text(before: Json, name: str) -> str:
    """Return a part of what was planned against."""
    value = before.get(name, "")
    return value if isinstance(value, str) else ""


def _decoded(raw: Any) -> str:
    return bytes(raw).decode("utf-8", "backslashreplace")


def _encoded(name: str) -> bytes:
    r"""Return a key's bytes, ``\xff`` for one that is no text."""
    return _NO_TEXT.sub(lambda match: bytes([int(match[1], 16)]), name.encode())


def _escaped(name: str) -> str:
    """Return a name so that a pattern of Redis means it literally."""
    return "".join(f"\\{char}" if char in "*?[]^\\" else char for char in name)


def _put_in_words(put: _Put) -> str:
    if put.source:
        return f"what {put.source} holds" if put.how == "copy" else f"a part of {put.source}"
    return f"{len(put.payload)} bytes"
