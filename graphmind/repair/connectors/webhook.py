"""Anything else: a signed CloudEvent to a webhook, for a receiver that does what it says.

The event's id is the step's key, so a receiver that knows it may drop a second one; it is signed as
the Standard Webhooks specification has it. Nothing can be read before, and what came of it only
where the receiver states it at ``status_url``.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
from pydantic import Field, SecretStr

from graphmind.errors import SettingsError
from graphmind.repair.connector import (
    ANY,
    Action,
    Applied,
    ConnectorError,
    Description,
    Effect,
    OutcomeUnknown,
    Planned,
    Seen,
)
from graphmind.repair.connectors.calls import Calls
from graphmind.repair.connectors.config import HttpOptions, Section, Token
from graphmind.repair.connectors.json_api import Bearer, JsonApi, segment
from graphmind.repair.model import Call, Json, Level
from graphmind.signing import SECRET, signed, signer_of

DO: Final = "io.graphmind.repair.command.v1"
UNDO: Final = "io.graphmind.repair.undo.v1"
IN_WORK_S: Final = 1.0
"""When to ask again for what the receiver is at (chosen)."""
_NOT_FOUND: Final = 404
_ANYTHING: Final[Json] = {"type": "object"}


class WebhookOptions(HttpOptions):
    """What a section of kind ``webhook`` holds."""

    secret: SecretStr
    """``whsec_`` and 24 to 64 random bytes in base64, which the receiver knows too."""
    token: Token = SecretStr("")
    """Bearer token, where the receiver wants one besides the signature."""
    actions: Mapping[str, Level] = Field(default_factory=dict)
    """What the receiver can do, each with its level; empty: anything."""
    undoes: bool = False
    """The receiver undoes on an event of type ``io.graphmind.repair.undo.v1``."""
    status_url: str = Field(default="", pattern=r"^(https?://[^\s?#@{}]+/\{key\})?$")
    """Where it states what came of an event, by the step's key: ``{"state", "detail"}`` with state
    done, failed, undone or running; 404 where it knows none."""


class _Status(msgspec.Struct, frozen=True):
    state: str
    detail: str = ""


class Webhook:
    """Speaks the port of a connector."""

    def __init__(self, section: Section, *, clock: Callable[[], float] = time.time) -> None:
        """Raise SettingsError for a section that does not fit."""
        options = self._options = section.read_as(WebhookOptions)
        self._section, self._clock = section, clock
        secret, token = options.secret.get_secret_value(), options.token.get_secret_value()
        try:
            self._signer = signer_of(secret)
        except ValueError:
            raise SettingsError(
                f"{section.where}: connector {section.name}: `secret` should be {SECRET}; it is "
                "not that"
            ) from None
        auth = Bearer(token) if token else None
        secrets = [secret, token]
        self._api = JsonApi(section, options, auth=auth, secrets=secrets)
        self._status = None
        if options.status_url:
            stated = options.model_copy(update={"url": options.status_url.removesuffix("/{key}")})
            self._status = JsonApi(section, stated, auth=auth, secrets=secrets)
        levels: Mapping[str, Level] = options.actions or {ANY: "trace"}
        self._calls = Calls(
            section,
            [
                Action(name=name, level=level, params_schema=_ANYTHING, undoable=options.undoes)
                for name, level in levels.items()
            ],
        )

    def describe(self) -> Description:
        """Say what it is; asks nothing of the receiver."""
        return self._calls.describe(self._options.url)

    def plan(self, call: Call) -> Planned:
        """Say what would be sent: of the target nothing can be read."""
        self._check(call)
        self._stated("plan")  # is it there, and does it let us in
        no_undo = "the receiver is not said to undo: set `undoes: true` if it does"
        return Planned(
            before={"target": call.target, "read": False},
            undo=call if self._options.undoes else None,
            summary=f"{call.action} {call.target}: a signed event to {self._options.url}",
            undoes_with="" if self._options.undoes else no_undo,
        )

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        """Send the event, unless the receiver states that it did it."""
        self._calls.refuse_unless_live()
        self._check(call)
        stated = self._stated(key)
        if stated is not None and stated.state in {"done", "undone"}:
            return Applied(detail=f"the receiver states that it is {stated.state} already")
        return self._send(DO, call, before, key)

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        """Read what the receiver states; where it states nothing, nobody knows."""
        self._check(call)
        if self._status is None:
            return Seen(
                effect=Effect.OTHER,
                state=before,
                detail="whether it took effect cannot be known: the connector has no `status_url`",
            )
        stated = self._stated(key)
        if stated is None:
            return Seen(
                effect=Effect.NOT_APPLIED, state=before, detail="the receiver knows no such event"
            )
        effects = {
            "done": Effect.APPLIED,
            "failed": Effect.NOT_APPLIED,
            "undone": Effect.NOT_APPLIED,
        }
        return Seen(
            effect=effects.get(stated.state, Effect.OTHER),
            state={"target": call.target, "state": stated.state},
            detail=stated.detail,
        )

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        """Send the event that asks to undo."""
        self._calls.refuse_unless_live()
        self._check(call)
        if not self._options.undoes:
            raise ConnectorError(
                f"{self._api.where}: the receiver is not said to undo; set `undoes: true` at "
                f"{self._section.where} if it does"
            )
        self._stated(key)
        return self._send(UNDO, call, before, key)

    def close(self) -> None:
        """Release connections."""
        self._api.close()
        if self._status is not None:
            self._status.close()

    def _check(self, call: Call) -> None:
        if self._options.actions:
            self._calls.check(call)

    def _stated(self, key: str) -> _Status | None:
        """Return what the receiver states of an event, None where it states nothing."""
        if self._status is None:
            return None
        reply = self._status.get(segment(key), tolerated=[_NOT_FOUND])
        if reply.status == _NOT_FOUND:
            return None
        stated = reply.read_as(_Status)
        if stated.state == "running":
            raise OutcomeUnknown(f"{key} is in work", retry_after_s=IN_WORK_S)
        return stated

    def _send(self, kind: str, call: Call, before: Json, key: str) -> Applied:
        sent_s = int(self._clock())
        headers, body = signed(
            self._signer,
            event_id=key,
            kind=kind,
            subject=call.target,
            at=datetime.fromtimestamp(sent_s, UTC),
            told={
                "action": call.action,
                "target": call.target,
                "params": dict(call.params),
                "before": dict(before),
            },
            sent_s=sent_s,
        )
        self._api.change("POST", "", content=body, headers=headers)
        return Applied(detail="the receiver took the event", facts={"event_id": key})


def open_connector(section: Section) -> Webhook:
    """Open a webhook; nothing is sent yet."""
    return Webhook(section)
