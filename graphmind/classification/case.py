"""A case: an incident with what is known of it, and the class somebody confirmed, if any."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson


@dataclass(frozen=True, kw_only=True)
class Line:
    """One text, masked, and the share of the incident's sampled traces that carry it."""

    text: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One value by name."""

    name: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Case:
    """An incident as the routes see it. Lines and features are sorted by text and name."""

    case_id: str
    symptom: str
    cause_kinds: tuple[str, ...]
    """Kinds of the items of the first cause; empty where no shared cause was found."""
    codes: tuple[Line, ...]
    """Error codes as they are, with the share of the incident's traces that end with them."""
    lines: tuple[Line, ...]
    structure: tuple[Feature, ...]
    """Tokens of the trees around what failed, with the share of sampled traces that hold them."""
    numbers: tuple[Feature, ...]
    label: str = ""
    """The class of its root cause; empty until somebody confirms one."""

    def document(self) -> dict[str, Any]:
        """Return the case as JSON-ready names and values."""
        return {
            "case_id": self.case_id,
            "symptom": self.symptom,
            "cause_kinds": list(self.cause_kinds),
            "codes": {line.text: line.share for line in self.codes},
            "lines": {line.text: line.share for line in self.lines},
            "structure": {token.name: token.value for token in self.structure},
            "numbers": {number.name: number.value for number in self.numbers},
            "label": self.label,
        }

    @property
    def digest(self) -> str:
        """What the case says, label included, whatever its id."""
        document = self.document() | {"case_id": ""}
        text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(text).hexdigest()[:16]

    def labelled(self, label: str) -> "Case":
        """Return the case as confirmed."""
        return replace(self, label=label)


def case_from(document: Mapping[str, Any]) -> Case:
    """Read what ``Case.document`` wrote; other names in it are left aside."""
    return Case(
        case_id=document["case_id"],
        symptom=document["symptom"],
        cause_kinds=tuple(document["cause_kinds"]),
        codes=lines_of(document["codes"]),
        lines=lines_of(document["lines"]),
        structure=features_of(document["structure"]),
        numbers=features_of(document["numbers"]),
        label=document["label"],
    )


def lines_of(shares: Mapping[str, float]) -> tuple[Line, ...]:
    """Return lines sorted by their text."""
    return tuple(Line(text=text, share=share) for text, share in sorted(shares.items()))


def features_of(values: Mapping[str, float]) -> tuple[Feature, ...]:
    """Return features sorted by their name."""
    return tuple(Feature(name=name, value=value) for name, value in sorted(values.items()))


def in_order(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Sort cases by what they say, so that neither their order nor their ids can matter."""
    return tuple(sorted(cases, key=lambda case: (case.label, case.digest, case.case_id)))
