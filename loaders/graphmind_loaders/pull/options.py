"""Options of a source, declared by its kind in one struct: names, types, bounds, defaults."""

from typing import Annotated, Final, TypeVar

import msgspec

from graphmind.errors import SettingsError
from graphmind.sources import SourceConfig

REPLY_BYTES_MAX: Final = 64 * 2**20  # chosen: as large as a body we take in ourselves

Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every kind takes; a kind adds its own by inheriting."""

    since_s: Seconds = 600.0
    """How far back the first pull looks, where there is no cursor yet."""
    lag_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How long before now a pull ends: for servers that show late what they took in."""


class HttpOptions(Options, frozen=True, kw_only=True):
    """What every kind takes that asks over HTTP."""

    ca_file: str = ""
    """Certificates to trust, instead of the system's."""
    reply_bytes_max: Count = REPLY_BYTES_MAX


T = TypeVar("T", bound=Options)


def read_options(config: SourceConfig, kind: type[T]) -> T:
    """Check the options of a source against its kind's.

    Raises SettingsError for an unknown name or a value of another type; values are never shown.
    """
    try:
        return msgspec.convert(dict(config.options), kind)
    except msgspec.ValidationError as error:
        known = ", ".join(field.name for field in msgspec.structs.fields(kind))
        raise SettingsError(
            f"options of source {config.name!r} ({config.kind}): {error}. Known: {known}"
        ) from error
