"""The sources file: which servers are pulled, and how; every mistake is told with its line."""

import re
from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import yaml

from graphmind.errors import SettingsError
from graphmind.sources import SourceConfig
from graphmind.yaml_mistakes import yaml_mistakes

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Name = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")]
_Positive = Annotated[float, msgspec.Meta(gt=0)]
_FIELDS: Final[Mapping[str, Any]] = {
    "kind": _Text,
    "name": _Name,
    "url": _Text,
    "every_s": _Positive,
    "overlap_s": Annotated[float, msgspec.Meta(ge=0)],
    "timeout_s": _Positive,
    "token": str,
    "token_env": _Text,
    "token_file": _Text,
    "headers": dict[str, str],
    "options": dict[str, Any],
}
"""What an entry may hold, and of what type."""
_REQUIRED: Final = ("kind", "name", "url")
_TOKENS: Final = ("token", "token_env", "token_file")

_Lined = dict[str, tuple[int, Any]]
"""Values by key, each with the line on which its key stands."""


def read_sources(
    path: Path, environ: Mapping[str, str], kinds: Collection[str] | None = None
) -> tuple[SourceConfig, ...]:
    """Read the sources file; ``kinds`` are those installed unless told otherwise.

    Secrets come from ``environ`` or a file where ``token_env`` or ``token_file`` names one; a
    path is relative to the sources file. Raises SettingsError with the line of a mistake.
    """
    if kinds is None:
        kinds = entry_points(group="graphmind.pull_sources").names
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} should be the sources file (YAML): {error}") from error
    sources: dict[str, SourceConfig] = {}
    for line, entry in _entries(path, text):
        source = _source(path, line, entry, environ)
        where = f"{path}:{entry['kind'][0]}"
        if source.kind not in kinds:
            raise SettingsError(
                f"{where}: no kind of source {source.kind!r}. Known: {', '.join(sorted(kinds))}"
            )
        if source.name in sources:
            raise SettingsError(
                f"{path}:{entry['name'][0]}: {source.name!r} is the name of another source; "
                "the name keeps the place up to which a source was read, so give each its own"
            )
        sources[source.name] = source
    return tuple(sources.values())


def _entries(path: Path, text: str) -> Iterator[tuple[int, _Lined]]:
    with yaml_mistakes(path):
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return
        top = _lined(path, loader, root, deep=False)
        unknown = sorted(top.keys() - {"sources"})
        listed = top.get("sources", (1, None))[1]
        if unknown or not isinstance(listed, yaml.SequenceNode):
            line = top[unknown[0]][0] if unknown else root.start_mark.line + 1
            raise SettingsError(f"{path}:{line}: expected `sources:` with a list, and nothing else")
        for node in listed.value:
            yield node.start_mark.line + 1, _lined(path, loader, node, deep=True)


def _lined(path: Path, loader: yaml.SafeLoader, node: yaml.Node, *, deep: bool) -> _Lined:
    """Return a mapping with the lines of its keys; values are built if ``deep``, else nodes."""
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(f"{path}:{node.start_mark.line + 1}: expected `key: value` here")
    values: _Lined = {}
    for key_node, value_node in node.value:
        line, key = key_node.start_mark.line + 1, key_node.value
        if not isinstance(key, str):
            raise SettingsError(f"{path}:{line}: expected `key: value` here")
        if key in values:
            raise SettingsError(f"{path}:{line}: `{key}` stands here twice")
        built = loader.construct_object(value_node, deep=True) if deep else value_node
        values[key] = (line, built)
    return values


def _source(path: Path, line: int, entry: _Lined, environ: Mapping[str, str]) -> SourceConfig:
    for required in _REQUIRED:
        if required not in entry:
            raise SettingsError(f"{path}:{line}: a source needs `{required}`")
    values = {key: _value(path, key, *lined) for key, lined in entry.items()}
    given = [key for key in _TOKENS if key in values]
    if len(given) > 1:
        raise SettingsError(
            f"{path}:{entry[given[1]][0]}: set one of {', '.join(_TOKENS)}, not both "
            f"`{given[0]}` and `{given[1]}`"
        )
    where = f"{path}:{entry[given[0]][0]}" if given else ""
    if variable := values.pop("token_env", None):
        values["token"] = _from_environment(where, variable, environ)
    if file := values.pop("token_file", None):
        values["token"] = _from_file(where, path.parent / file)
    return SourceConfig(**values)


def _value(path: Path, key: str, line: int, value: Any) -> Any:
    if key not in _FIELDS:
        raise SettingsError(f"{path}:{line}: no setting `{key}`. Known: {', '.join(_FIELDS)}")
    try:
        return msgspec.convert(value, _FIELDS[key])
    except msgspec.ValidationError as error:
        # It names types, not values: these may be secret.
        raise SettingsError(f"{path}:{line}: `{key}`: {error}") from error


def _from_environment(where: str, variable: str, environ: Mapping[str, str]) -> str:
    token = environ.get(variable, "")
    if not token:
        raise SettingsError(
            f"{where}: `token_env` names {variable}, which is not set in the environment"
        )
    return token


def _from_file(where: str, file: Path) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(f"{where}: `token_file` {file} cannot be read: {reason}") from None
    if not token or re.search(r"\s", token):
        raise SettingsError(f"{where}: `token_file` {file} should hold one token and nothing else")
    return token
