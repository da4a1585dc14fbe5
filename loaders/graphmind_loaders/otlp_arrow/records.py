"""The records of a request, out of their groups by resource and scope."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no stubs
from numpy.typing import NDArray
from opentelemetry.proto.resource.v1 import resource_pb2

from graphmind.errors import SourceError
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.spans import ATTRIBUTES
from graphmind_loaders.otlp_arrow.fields import cut, filled, offsets_of
from graphmind_loaders.otlp_arrow.messages import decode
from graphmind_loaders.otlp_proto import attributes_of

_Attributes = tuple[tuple[str, str | None], ...]
_KNOWN_BYTES_MAX = 4096  # chosen: ten times a usual resource; a thousand of them fit any memory


@dataclass(frozen=True, kw_only=True)
class Records:
    """Spans or log records, and for each of them what it stands in; all of one length."""

    records: pa.StructArray
    scope: pa.StringArray
    group: NDArray[np.int64]
    """Which of ``resources`` is the record's."""
    resources: pa.BinaryArray
    """Resource of each group, as protobuf."""

    def where(self, keep: NDArray[np.bool_]) -> "Records":
        """Return those records for which ``keep`` holds."""
        if keep.all():
            return self
        mask = pa.array(keep)
        return Records(
            records=self.records.filter(mask),
            scope=self.scope.filter(mask),
            group=self.group[keep],
            resources=self.resources,
        )


def records_of(message: str, body: bytes) -> Records:
    """Decode a request and flatten its groups. Raises SourceError for broken protobuf."""
    groups = decode(message, body).column("groups").flatten()
    in_group = groups.field("scopes")
    scopes = in_group.flatten()
    in_scope = scopes.field("records")
    counts = np.diff(offsets_of(in_scope))
    group_of_scope = np.repeat(np.arange(len(groups)), np.diff(offsets_of(in_group)))
    names = filled(scopes.field("scope").field("name"))
    return Records(
        records=in_scope.flatten(),
        scope=names.take(pa.array(np.repeat(np.arange(len(scopes)), counts))),
        group=np.repeat(group_of_scope, counts),
        resources=groups.field("resource"),
    )


def resource_column(records: Records, rejected: Rejections) -> pa.DictionaryArray:
    """Encode each resource once: first by its bytes, then by what it says."""
    used, places = np.unique(records.group, return_inverse=True)
    encoded = records.resources.take(pa.array(used)).dictionary_encode()
    seen: dict[_Attributes, int] = {}
    codes = [
        seen.setdefault(_resource(resource), len(seen))
        for resource in encoded.dictionary.to_pylist()
    ]
    per_group = np.array(codes, np.int32)[encoded.indices.to_numpy()]
    values = _maps(list(seen), rejected)
    return pa.DictionaryArray.from_arrays(pa.array(per_group[places]), values)


def _resource(resource: bytes) -> _Attributes:
    return _known(resource) if len(resource) <= _KNOWN_BYTES_MAX else _decoded(resource)


def _decoded(resource: bytes) -> _Attributes:
    message = resource_pb2.Resource()
    try:
        message.ParseFromString(resource)
    except DecodeError as error:
        raise SourceError(
            f"expected the attributes of a resource, got {len(resource)} bytes that do not decode "
            f"({error}): mend the sender"
        ) from error
    return tuple(sorted(attributes_of(message.attributes).items()))


# The processes that send are few, and each sends its resource with every request.
_known = lru_cache(maxsize=1024)(_decoded)


def _maps(resources: list[_Attributes], rejected: Rejections) -> pa.MapArray:
    pairs = list(chain.from_iterable(resources))
    keys = pa.array([key for key, _ in pairs], pa.string())
    values = cut(keys, pa.array([value for _, value in pairs], pa.string()), rejected)
    offsets = pa.array(list(accumulate(map(len, resources), initial=0)), pa.int32())
    return pa.MapArray.from_arrays(offsets, keys, values, ATTRIBUTES)


def struck(
    reason: str, what: str, names: pa.Array, bad: NDArray[np.bool_], rejected: Rejections
) -> None:
    """Count the records for which ``bad`` holds, each by ``what`` it is and its name."""
    for name in names.filter(pa.array(bad)).to_pylist():
        rejected.add(reason, what + name)
