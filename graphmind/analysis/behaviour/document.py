"""A model as a JSON document: plain numbers, checked when read; nothing in it is ever run.

Arrays are base64 of little-endian float32 with their shapes. Unpickling stored bytes would run
whatever somebody put there.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from graphmind.analysis.behaviour.fingerprint import BINS, OPERATIONS, Fingerprint
from graphmind.analysis.behaviour.groups import Groups
from graphmind.analysis.behaviour.model import METHOD, Model
from graphmind.analysis.behaviour.pooling import COLUMNS
from graphmind.errors import StoreError

VERSION: Final = 1
"""Raise it when a column or an array changes its meaning: older models are then trained anew."""
_GROUPS: Final = -1
"""A length that the document itself states: the number of groups."""
_SHAPES: Final[Mapping[str, tuple[int, ...]]] = {
    "fingerprint.traces": (1,),
    "fingerprint.edges": (len(COLUMNS), BINS - 1),
    "fingerprint.shares": (len(COLUMNS), BINS),
    "fingerprint.operations": (OPERATIONS,),
    "learnt.centre": (len(COLUMNS),),
    "learnt.precision": (len(COLUMNS), len(COLUMNS)),
    "centre": (len(COLUMNS),),
    "spread": (len(COLUMNS),),
    "limit": (1,),
    "groups.centre": (_GROUPS, len(COLUMNS)),
    "groups.radius": (_GROUPS,),
    "groups.number": (_GROUPS,),
}


def to_document(model: Model) -> dict[str, Any]:
    """Return the model as JSON-ready names and values, rounded to float32."""
    groups = model.groups
    arrays = {
        **_prefixed("fingerprint", model.fingerprint.arrays()),
        **_prefixed("learnt", model.learnt),
        "centre": model.centre,
        "spread": model.spread,
        "limit": np.array([model.limit]),
        "groups.centre": groups.centre,
        "groups.radius": groups.radius,
        "groups.number": groups.number.astype(np.float64),
    }
    return {
        "version": VERSION,
        "method": METHOD.name,
        "columns": list(COLUMNS),
        "trained_ms": model.trained_ms,
        "arrays": {name: _encode(array) for name, array in sorted(arrays.items())},
    }


def from_document(document: Mapping[str, Any]) -> Model:
    """Read a model. Raises StoreError if it is of another version, damaged or incomplete."""
    for name, wanted in (
        ("version", VERSION),
        ("method", METHOD.name),
        ("columns", list(COLUMNS)),
    ):
        if document.get(name) != wanted:
            raise _unreadable(f"{name} {wanted!r}", repr(document.get(name)))
    trained_ms, stored = document.get("trained_ms"), document.get("arrays")
    if not isinstance(trained_ms, int) or not isinstance(stored, Mapping):
        raise _unreadable("trained_ms and arrays", f"the fields {sorted(document)}")
    arrays = {name: _decode(name, stored.get(name)) for name in _SHAPES}
    number = arrays["groups.number"].astype(np.int64)
    if not len(number) == len(arrays["groups.radius"]) == len(arrays["groups.centre"]):
        raise _unreadable("groups with a centre, a radius and a number each", "fewer of some")
    return Model(
        trained_ms=trained_ms,
        centre=arrays["centre"],
        spread=arrays["spread"],
        learnt=_under("learnt", arrays),
        limit=float(arrays["limit"][0]),
        groups=Groups(
            centre=arrays["groups.centre"], radius=arrays["groups.radius"], number=number
        ),
        fingerprint=Fingerprint.of(_under("fingerprint", arrays)),
    )


def _encode(array: NDArray[np.float64]) -> dict[str, Any]:
    data = base64.b64encode(array.astype("<f4").tobytes()).decode()
    return {"shape": list(array.shape), "data": data}


def _decode(name: str, stored: Any) -> NDArray[np.float64]:
    try:
        shape = tuple(int(length) for length in stored["shape"])
        raw = base64.b64decode(stored["data"], validate=True)
        array = np.frombuffer(raw, "<f4").astype(np.float64).reshape(shape)
    except (TypeError, KeyError, ValueError, binascii.Error) as error:
        raise _unreadable(f"float32 numbers in {name}", str(error)) from error
    if not _fits(shape, _SHAPES[name]):
        raise _unreadable(f"{name} of shape {_SHAPES[name]}", str(shape))
    if not np.isfinite(array).all():
        raise _unreadable(f"finite numbers in {name}", "others")
    return array


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        wanted_length in (own, _GROUPS) for own, wanted_length in zip(shape, wanted, strict=True)
    )


def _prefixed(prefix: str, arrays: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _under(prefix: str, arrays: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    start = f"{prefix}."
    return {name.removeprefix(start): own for name, own in arrays.items() if name.startswith(start)}


def _unreadable(wanted: str, came: str) -> StoreError:
    return StoreError(
        f"the stored behaviour model should hold {wanted}, but holds {came}. "
        "Remove it, or let it be trained anew"
    )
