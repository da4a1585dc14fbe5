"""What connectors check of a call before they ask anything of a system."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from graphmind.repair.connector import Action, ConnectorError, Description
from graphmind.repair.connectors.config import Section
from graphmind.repair.model import Call, Json

SECRET_CHARS_MIN: Final = 4
"""Blotting out shorter values would blot out words (chosen)."""


class Calls:
    """The actions of one connector, and whether it may make changes."""

    def __init__(self, section: Section, actions: Iterable[Action]) -> None:
        # Imported late: jsonschema takes a tenth of a second, which only a repair needs.
        from jsonschema import Draft202012Validator  # noqa: PLC0415

        self.actions = tuple(actions)
        self._section = section
        self._schemas = {action.name: action.params_schema for action in self.actions}
        self._validators = {
            name: Draft202012Validator(schema) for name, schema in self._schemas.items()
        }

    def describe(self, address: str) -> Description:
        """Say what the connector at an address is and can do."""
        return Description(
            kind=self._section.kind,
            address=address,
            live=self._section.live,
            actions=self.actions,
        )

    def check(self, call: Call) -> None:
        """Raise ConnectorError for an unknown action, or parameters that do not fit it."""
        validator = self._validators.get(call.action)
        if validator is None:
            raise ConnectorError(
                f"connector {self._section.name} ({self._section.kind}): no action "
                f"{call.action!r}. Known: {', '.join(self._validators)}"
            )
        wrong = sorted(error.message for error in validator.iter_errors(dict(call.params)))
        if wrong:
            known = ", ".join(self._schemas[call.action].get("properties", ())) or "none"
            raise ConnectorError(
                f"parameters of {call.action} {call.target}: {wrong[0]}. Known: {known}"
            )

    def refuse_unless_live(self) -> None:
        """Raise ConnectorError where changes are not switched on."""
        if not self._section.live:
            raise ConnectorError(
                f"connector {self._section.name} ({self._section.kind}) only plans; to let it make "
                f"changes set `live: true` at {self._section.where}"
            )


def params_schema(required: Sequence[str] = (), **properties: Any) -> Json:
    """Return the JSON schema of parameters: those named and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def blotted(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the secrets, longest first so that no part of one stays."""
    long = sorted({one for one in secrets if len(one) >= SECRET_CHARS_MIN}, key=lambda s: -len(s))
    for secret in long:
        text = text.replace(secret, "***")
    return text


def one_of(known: Mapping[str, object] | Iterable[str], *, at_most: int = 20) -> str:
    """Name what is known, for a message: the first few, in order."""
    names = sorted(known)
    rest = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return (", ".join(names[:at_most]) + rest) or "none"
