"""The record of a repair as JSON and back, field by field as it is declared."""

from typing import Any, Final

import msgspec

from graphmind.errors import StoreError
from graphmind.repair.record import Repair

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder(Repair)


def to_json(repair: Repair) -> str:
    """Return the record as one line of JSON, names sorted."""
    return _ENCODER.encode(repair).decode()


def from_json(text: str) -> Repair:
    """Return the record. Raises StoreError where the text is not one, saying where it differs."""
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"The journal should hold the record of a repair: {error}. "
            "Restore it from a backup, or ask for the repair again."
        ) from error


def as_document(repair: Repair) -> dict[str, Any]:
    """Return the record as plain JSON values, for the API, the CLI and the export."""
    document: dict[str, Any] = msgspec.to_builtins(repair)
    return document
