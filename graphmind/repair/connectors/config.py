"""The connectors file: which control planes repairs may use; every mistake is told with its line.

A secret is written ``${VARIABLE}`` and read from the environment; it stays out of every message.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from graphmind.errors import SettingsError
from graphmind.repair.connector import Connector
from graphmind.yaml_mistakes import yaml_mistakes

GROUP: Final = "graphmind.connectors"
"""Entry points: kind = function that takes a Section and returns a Connector."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_Path = tuple[str | int, ...]
"""Keys and list places from the top of the file to a value."""


def _one_token(secret: SecretStr) -> SecretStr:
    """Refuse what no header can hold: the refusal of a client would show it."""
    if not re.fullmatch(r"[\x21-\x7e]*", secret.get_secret_value()):
        raise ValueError("expected one token of printable ASCII without blanks")
    return secret


Token = Annotated[SecretStr, AfterValidator(_one_token)]
"""A secret that goes into a header."""


class Options(BaseModel):
    """What every kind takes; a kind adds its own by inheriting. Secrets are ``SecretStr``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    timeout_s: float = Field(default=10.0, gt=0, le=300)
    """A system that is silent for so long does not answer (chosen)."""


class HttpOptions(Options):
    """What every kind takes that speaks HTTP."""

    url: str = Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")
    """Address of the API without credentials, ``?`` and ``#``."""
    ca_file: str = ""
    """Certificates to trust, instead of the system's."""


T = TypeVar("T", bound=Options)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One entry of the connectors file."""

    name: str
    kind: str
    live: bool = False
    """Changes may be made; else it only plans."""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The kind's own settings, secrets filled in."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that came from the environment: no message may show them."""
    where: str = "the connectors file"
    """``FILE:LINE`` of the entry."""
    lines: Mapping[_Path, int] = field(default_factory=dict, repr=False)
    """Line of each option, by its path."""

    def read_as(self, kind: type[T]) -> T:
        """Check the options against the kind's.

        Raises SettingsError with the line of a name that is unknown or a value that does not fit;
        values are never shown.
        """
        try:
            return kind.model_validate(dict(self.options))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            raise SettingsError(self._in_words(first["loc"], first, kind)) from None

    def _in_words(self, at: _Path, wrong: Mapping[str, Any], kind: type[Options]) -> str:
        key = ".".join(map(str, at)) or "options"
        where = self._place(at)
        if wrong["type"] == "extra_forbidden" and len(at) == 1:
            known = ", ".join(["kind", "live", *kind.model_fields])
            return f"{where}: connector {self.name}: no setting `{key}`. Known: {known}"
        if wrong["type"] == "missing":
            return f"{where}: connector {self.name} ({self.kind}) needs `{key}`"
        return f"{where}: connector {self.name}: `{key}`: {wrong['msg']}"

    def _place(self, at: _Path) -> str:
        """Return the place of an option, or of the nearest thing around it that has a line."""
        for length in range(len(at), 0, -1):
            if at[:length] in self.lines:
                return f"{self.where.rpartition(':')[0]}:{self.lines[at[:length]]}"
        return self.where


Opener = Callable[[Section], Connector]
"""What an entry point is. It asks nothing of the system yet."""


def open_connectors(
    path: Path, environ: Mapping[str, str], openers: Mapping[str, Opener] | None = None
) -> dict[str, Connector]:
    """Open the connectors of a file by name; ``openers`` are those installed unless told otherwise.

    Nothing is asked of any system yet. Raises SettingsError with the line of a mistake, and
    leaves nothing open then.
    """
    sections = read_connectors(path, environ, openers)
    opened: dict[str, Connector] = {}
    with ExitStack() as stack:
        for section in sections:
            connector = _opener(section, openers)(section)
            stack.callback(connector.close)
            opened[section.name] = connector
        stack.pop_all()
    return opened


def _opener(section: Section, openers: Mapping[str, Opener] | None) -> Opener:
    if openers is not None:
        return openers[section.kind]
    (found,) = entry_points(group=GROUP, name=section.kind)
    loaded: Opener = found.load()
    return loaded


def read_connectors(
    path: Path, environ: Mapping[str, str], openers: Mapping[str, Opener] | None = None
) -> tuple[Section, ...]:
    """Read the connectors file, names in its order; opens nothing."""
    known = entry_points(group=GROUP).names if openers is None else set(openers)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} should be the connectors file (YAML): {error}") from error
    with yaml_mistakes(path):
        return tuple(
            _known_kind(path, known, _section(path, name, line, reading, node))
            for name, line, node, reading in _entries(path, text, environ)
        )


def _known_kind(path: Path, known: Collection[str], section: Section) -> Section:
    if section.kind not in known:
        raise SettingsError(
            f"{path}:{section.lines[('kind',)]}: no kind of connector {section.kind!r}. "
            f"Known: {', '.join(sorted(known))}"
        )
    return section


def _entries(
    path: Path, text: str, environ: Mapping[str, str]
) -> Iterator[tuple[str, int, yaml.Node, "_Reading"]]:
    """Yield name, line and settings of each entry, and what builds them."""
    loader = yaml.SafeLoader(text)
    root = loader.get_single_node()
    if root is None:
        return
    top = dict(_pairs(path, root))
    if set(top) != {"connectors"}:
        raise SettingsError(
            f"{path}:{root.start_mark.line + 1}: expected `connectors:` with a name for each, and "
            "nothing else"
        )
    for name, (line, node) in _pairs(path, top["connectors"][1]):
        yield name, line, node, _Reading(path, loader, environ, {}, [])


def _pairs(path: Path, node: yaml.Node) -> Iterator[tuple[str, tuple[int, yaml.Node]]]:
    """Yield the keys of a mapping with their lines; no key may stand there twice."""
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(f"{path}:{node.start_mark.line + 1}: expected `key: value` here")
    seen = set()
    for key_node, value in node.value:
        line, key = key_node.start_mark.line + 1, key_node.value
        if not isinstance(key, str):
            raise SettingsError(f"{path}:{line}: expected `key: value` here")
        if key in seen:
            raise SettingsError(f"{path}:{line}: `{key}` stands here twice")
        seen.add(key)
        yield key, (line, value)


@dataclass
class _Reading:
    """Builds the values of one entry, and notes their lines and the secrets among them."""

    path: Path
    loader: yaml.SafeLoader
    environ: Mapping[str, str]
    lines: dict[_Path, int]
    secrets: list[str]

    def value(self, at: _Path, node: yaml.Node) -> Any:
        if at:
            self.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            built = {}
            for key, (line, child) in _pairs(self.path, node):
                self.lines[(*at, key)] = line
                built[key] = self.value((*at, key), child)
            return built
        if isinstance(node, yaml.SequenceNode):
            return [self.value((*at, place), child) for place, child in enumerate(node.value)]
        plain = self.loader.construct_object(node)
        return self._filled(node, plain) if isinstance(plain, str) else plain

    def _filled(self, node: yaml.Node, text: str) -> str:
        where = f"{self.path}:{node.start_mark.line + 1}"

        def found(match: re.Match[str]) -> str:
            secret = self.environ.get(match[1], "")
            if not secret:
                raise SettingsError(
                    f"{where}: ${{{match[1]}}} is not set in the environment; set it, or write "
                    "the value here"
                )
            self.secrets.append(secret)
            return secret

        if "${" in _VARIABLE.sub("", text):
            raise SettingsError(f"{where}: expected ${{VARIABLE}}, its name of letters, 0-9 and _")
        return _VARIABLE.sub(found, text)


def _section(path: Path, name: str, line: int, reading: "_Reading", node: yaml.Node) -> Section:
    where = f"{path}:{line}"
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{where}: expected a name of up to 64 letters, digits, `_`, `.` and `-`"
        )
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(f"{where}: connector {name} needs `kind` and what its kind takes")
    options = reading.value((), node)
    kind, live = options.pop("kind", None), options.pop("live", False)
    if not isinstance(kind, str) or not kind:
        raise SettingsError(f"{where}: connector {name} needs `kind`")
    if not isinstance(live, bool):
        raise SettingsError(
            f"{path}:{reading.lines[('live',)]}: `live` of connector {name}: expected true or false"
        )
    return Section(
        name=name,
        kind=kind,
        live=live,
        options=options,
        secrets=tuple(reading.secrets),
        where=where,
        lines=reading.lines,
    )
