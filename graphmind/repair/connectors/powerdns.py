"""PowerDNS by its HTTP API: a name answers with the addresses of regions, by weight.

A ``LUA`` record picks one address by weight for each question (``pickwrandom``). Plain ``A`` and
``AAAA`` records know no weights: an address is in the answer or disabled.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field, SecretStr

from graphmind.repair.connector import Applied, Connector, ConnectorError
from graphmind.repair.connectors.config import HttpOptions, Section
from graphmind.repair.connectors.json_api import Bearer, JsonApi, segment
from graphmind.repair.connectors.regional import (
    Layout,
    Member,
    Members,
    Reading,
    RegionConnector,
    Regions,
    members_of,
)

_PICK: Final = re.compile(
    r"""\s*(?P<kind>A|AAAA)\s+"\s*;?\s*(?:return\s+)?pickwrandom\(\s*\{(?P<pairs>.*)\}\s*\)\s*;?\s*"\s*"""
)
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f.:]+")
_PAIR: Final = re.compile(r"""\s*\{\s*(\d+)\s*,\s*(['"\\]*)([0-9A-Fa-f.:]+)\2\s*\}\s*(?:,|$)""")


class PowerdnsOptions(HttpOptions):
    """Options of kind powerdns."""

    token: SecretStr
    """The API key (``X-API-Key``)."""
    zone: str = Field(pattern=r"^\S+\.$")
    """With its final dot, as ``record``."""
    record: str = Field(pattern=r"^\S+\.$")
    type: Literal["LUA", "A", "AAAA"] = "LUA"
    regions: Annotated[Regions, Field(min_length=1)]
    """Addresses of each region."""
    server: str = "localhost"
    full: int = Field(default=100, ge=1, le=256)
    """Weight of an address that takes its whole share."""


class _Record(msgspec.Struct, frozen=True):
    content: str
    disabled: bool = False


class _RecordSet(msgspec.Struct, frozen=True):
    name: str
    type: str
    ttl: int = 0
    records: list[_Record] = []


class _Zone(msgspec.Struct, frozen=True):
    rrsets: list[_RecordSet] = []


class RecordSet:
    """One name of a zone, whose addresses are the members of regions."""

    def __init__(
        self, api: JsonApi, *, server: str, zone: str, name: str, kind: str, full: int
    ) -> None:
        """``kind`` is LUA, A or AAAA; ``full`` is the weight of an address that is in."""
        self._api = api
        self._path = f"api/v1/servers/{segment(server)}/zones/{segment(zone)}"
        self._name, self._kind, self._full = name, kind, full
        self._where = f"{api.where} {name} {kind}"

    def read(self) -> Reading:
        """Return the addresses of the name, disabled ones with weight 0."""
        return Reading(members=_members(self._set(), self._full))

    def write(self, wanted: Members, now: Members) -> Applied:
        """Replace the record set in one transaction; addresses of no region stay in it."""
        _ = now
        present = self._set()
        weights = {name: each.weight for name, each in _members(present, self._full).items()}
        weights |= {name: member.weight for name, member in wanted.items()}
        changed = {
            "name": self._name,
            "type": self._kind,
            "ttl": present.ttl,
            "changetype": "REPLACE",
            "records": self._records(present, weights),
        }
        self._api.change("PATCH", self._path, {"rrsets": [changed]})
        return Applied(
            detail=f"PowerDNS took the weights of {len(wanted)} addresses; TTL {present.ttl} s",
            facts={"changed": str(len(wanted)), "ttl_s": str(present.ttl)},
        )

    def pool(self, member: str) -> str:
        """All addresses of a name stand in for each other."""
        _ = member
        return ""

    def close(self) -> None:
        """Release connections."""
        self._api.close()

    def _set(self) -> _RecordSet:
        # The whole zone: asked for one name, it leaves out records that are disabled.
        zone = self._api.get(self._path).read_as(_Zone)
        found = [s for s in zone.rrsets if (s.name, s.type) == (self._name, self._kind)]
        if not found:
            raise ConnectorError(
                f"{self._where}: expected such records, but the zone has none; create them, or "
                "mend `record` and `type` in the connectors file"
            )
        return found[0]

    def _records(self, present: _RecordSet, weights: Mapping[str, int]) -> list[dict[str, Any]]:
        if self._kind == "LUA":
            kind, _ = _picked(present)
            return [{"content": lua_content(kind, weights), "disabled": False}]
        odd = {name: weight for name, weight in weights.items() if weight not in {0, self._full}}
        if odd:
            name, weight = min(odd.items())
            raise ConnectorError(
                f"{self._where}: plain records know only weight 0 or {self._full}, but {name} "
                f"should get {weight}; use a LUA record for shares"
            )
        return [
            {"content": name, "disabled": not weight} for name, weight in sorted(weights.items())
        ]


def open_connector(section: Section) -> Connector:
    """Open a PowerDNS; nothing is asked of it yet."""
    options = section.read_as(PowerdnsOptions)
    members_of(section, options.regions, like=_ADDRESS)
    key = options.token.get_secret_value()
    auth = Bearer(key, header="x-api-key", scheme="")
    api = JsonApi(section, options, auth=auth, secrets=(key,))
    records = RecordSet(
        api,
        server=options.server,
        zone=options.zone,
        name=options.record,
        kind=options.type,
        full=options.full,
    )
    layout = Layout(
        section=section,
        address=f"{options.url} {options.record}",
        regions=options.regions,
        full=options.full,
        has_drain=False,
        lag="resolvers keep an answer for its TTL: traffic follows that much later",
    )
    return RegionConnector(layout, records)


def lua_content(kind: str, weights: Mapping[str, int]) -> str:
    """Write a record that picks one address for each answer, by weight; of weight 0 none.

    >>> print(lua_content("A", {"10.0.0.1": 100, "10.1.0.1": 0}))
    A "pickwrandom({{100, '10.0.0.1'}, {0, '10.1.0.1'}})"
    """
    pairs = ", ".join(f"{{{weight}, '{name}'}}" for name, weight in sorted(weights.items()))
    return f'{kind} "pickwrandom({{{pairs}}})"'


def lua_weights(content: str) -> tuple[str, dict[str, int]] | None:
    """Read such a record: its type and the weight of each address; None for any other script."""
    match = _PICK.fullmatch(content)
    if match is None:
        return None
    pairs, weights = match["pairs"], dict[str, int]()
    while pairs.strip():
        pair = _PAIR.match(pairs)
        if pair is None or pair[3] in weights:
            return None
        weights[pair[3]] = int(pair[1])
        pairs = pairs[pair.end() :]
    return match["kind"], weights


def _members(present: _RecordSet, full: int) -> dict[str, Member]:
    if present.type == "LUA":
        return {name: Member(weight=weight) for name, weight in _picked(present)[1].items()}
    return {
        record.content: Member(weight=0 if record.disabled else full) for record in present.records
    }


def _picked(present: _RecordSet) -> tuple[str, dict[str, int]]:
    enabled: Sequence[_Record] = [record for record in present.records if not record.disabled]
    found = lua_weights(enabled[0].content) if len(enabled) == 1 else None
    if found is None:
        raise ConnectorError(
            f"PowerDNS {present.name} LUA: expected one record like "
            f"{lua_content('A', {'10.0.0.1': 100})}, got "
            f"{'; '.join(record.content for record in enabled)[:200]!r}; write it so"
        )
    return found
