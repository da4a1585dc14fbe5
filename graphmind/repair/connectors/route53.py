"""Route 53: weighted records of a name, one set identifier for each place of a region."""

import re
from collections.abc import Callable, Collection
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import Field, SecretStr

from graphmind.errors import SettingsError
from graphmind.repair.connector import Applied, Connector, ConnectorError, OutcomeUnknown
from graphmind.repair.connectors.calls import blotted
from graphmind.repair.connectors.config import Options, Section
from graphmind.repair.connectors.regional import (
    Layout,
    Member,
    Members,
    Reading,
    RegionConnector,
    Regions,
    members_of,
)

WEIGHT_MAX: Final = 255
SERVER_FAILS: Final = 500
_PAGES_MAX: Final = 100  # a page has 300 records
_TEXT_CHARS_MAX: Final = 300  # chosen: a server's own words, in a line of log
_REFUSED: Final = frozenset({401, 403})
_NOT_TAKEN: Final = frozenset({"ServiceUnavailable", "Throttling", "ThrottlingException"})
"""Codes of status 5xx that mean that the request was not begun."""
_SET_IDENTIFIER: Final = re.compile(r".{1,128}")


class Route53Options(Options):
    """Options of kind route53; without keys boto3 finds the credentials of the machine."""

    zone_id: str = Field(pattern=r"^[A-Z0-9]+$")
    record: str = Field(pattern=r"^\S+\.$")
    """With its final dot."""
    type: Literal["A", "AAAA", "CNAME"] = "A"
    regions: Annotated[Regions, Field(min_length=1)]
    """Set identifiers of each region."""
    full: int = Field(default=100, ge=1, le=WEIGHT_MAX)
    """Weight of a record that takes its whole share."""
    access_key_id: str = ""
    secret_access_key: SecretStr | None = None
    aws_region: str = "us-east-1"
    endpoint_url: str = ""
    """Another server than Amazon's."""


class Client(Protocol):
    """What is used of boto3's client."""

    def list_resource_record_sets(self, **asked: Any) -> dict[str, Any]:
        """List records, from a name and type on."""

    def change_resource_record_sets(self, **asked: Any) -> dict[str, Any]:
        """Change records, all or none."""

    def close(self) -> None:
        """Release connections."""


class WeightedRecords:
    """The weighted records of one name; members are their set identifiers."""

    def __init__(
        self,
        client: Client,
        *,
        zone_id: str,
        name: str,
        kind: str,
        timeout_s: float,
        secrets: Collection[str] = (),
    ) -> None:
        self._client = client
        self._zone_id, self._name, self._kind = zone_id, name, kind
        self._timeout_s = timeout_s
        self._secrets = tuple(secrets)
        self._where = f"Route 53 zone {zone_id} {name} {kind}"

    def read(self) -> Reading:
        """Return the weight of each set identifier."""
        return Reading(
            members={name: Member(weight=one["Weight"]) for name, one in self._records().items()}
        )

    def write(self, wanted: Members, now: Members) -> Applied:
        """UPSERT records in one change, which takes effect as a whole; the rest of each stays."""
        _ = now
        over = sorted(name for name, member in wanted.items() if member.weight > WEIGHT_MAX)
        if over:
            raise ConnectorError(f"{self._where}: weights go to {WEIGHT_MAX}, {over[0]} is over it")
        records = self._records()
        changes = [
            {
                "Action": "UPSERT",
                "ResourceRecordSet": {**records[name], "Weight": member.weight},
            }
            for name, member in sorted(wanted.items())
        ]
        batch = {"Comment": "graphmind repair", "Changes": changes}
        reply = self._ask(
            self._client.change_resource_record_sets,
            OutcomeUnknown,
            HostedZoneId=self._zone_id,
            ChangeBatch=batch,
        )
        change = reply.get("ChangeInfo", {})
        if "Id" not in change:
            raise OutcomeUnknown(
                f"{self._where}: expected the id of a change, got none; look again"
            )
        return Applied(
            detail=f"Route 53 took {len(changes)} weights, {change.get('Status')}",
            facts={"changed": str(len(changes)), "change_id": str(change["Id"])},
        )

    def pool(self, member: str) -> str:
        """All records of a name stand in for each other."""
        _ = member
        return ""

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _records(self) -> dict[str, dict[str, Any]]:
        """Return the weighted records of the name, as they are to be written again."""
        found: dict[str, dict[str, Any]] = {}
        start = {"StartRecordName": self._name, "StartRecordType": self._kind}
        for _ in range(_PAGES_MAX):
            page = self._ask(
                self._client.list_resource_record_sets,
                ConnectorError,
                HostedZoneId=self._zone_id,
                **start,
            )
            if "ResourceRecordSets" not in page:
                raise ConnectorError(
                    f"{self._where}: expected a list of records, got none; is `endpoint_url` right?"
                )
            for record in page["ResourceRecordSets"]:
                if (record["Name"], record["Type"]) != (self._name, self._kind):
                    return found
                if "Weight" in record:
                    found[record["SetIdentifier"]] = record
            if not page.get("IsTruncated"):
                return found
            start = {
                f"Start{what}": page[f"Next{what}"]
                for what in ("RecordName", "RecordType", "RecordIdentifier")
                if f"Next{what}" in page
            }
        raise ConnectorError(f"{self._where}: the records go on and on; is `record` right?")

    def _ask(
        self, method: Callable[..., dict[str, Any]], unknown: type[ConnectorError], **asked: Any
    ) -> dict[str, Any]:
        """Call boto3; ``unknown`` is what a failure means after the request went out."""
        from botocore import (  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, as boto3
            exceptions,
            parsers,
        )

        try:
            return method(**asked)
        except exceptions.ClientError as error:
            raise self._refusal(error, unknown) from None
        except exceptions.HTTPClientError as error:
            raise unknown(
                f"{self._where}: no answer within {self._timeout_s:g} s, or the connection broke: "
                f"{type(error).__name__}"
            ) from error
        except parsers.ResponseParserError as error:
            raise unknown(
                f"{self._where}: expected an answer of Route 53, but it is none; is "
                "`endpoint_url` right?"
            ) from error
        except exceptions.BotoCoreError as error:
            raise ConnectorError(
                f"{self._where}: cannot be asked: {type(error).__name__}; are the credentials and "
                "`endpoint_url` right, and is it running?"
            ) from error

    def _refusal(self, error: Any, unknown: type[ConnectorError]) -> ConnectorError:
        """Say what a ClientError of boto3 means; its text repeats what the server said."""
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status in _REFUSED:
            return ConnectorError(f"{self._where}: status {status}: credentials refused: set them")
        text = " ".join(blotted(str(error), self._secrets).split())[:_TEXT_CHARS_MAX]
        lost = status >= SERVER_FAILS and code not in _NOT_TAKEN
        return (unknown if lost else ConnectorError)(f"{self._where}: refuses: {text}")


def open_connector(section: Section) -> Connector:
    """Open a hosted zone, asking nothing of it yet; raises SettingsError where boto3 is absent."""
    options = section.read_as(Route53Options)
    members_of(section, options.regions, like=_SET_IDENTIFIER)
    secret = options.secret_access_key
    records = WeightedRecords(
        _client(section, options),
        zone_id=options.zone_id,
        name=options.record,
        kind=options.type,
        timeout_s=options.timeout_s,
        secrets=(*section.secrets, secret.get_secret_value() if secret else ""),
    )
    layout = Layout(
        section=section,
        address=f"route53 {options.zone_id} {options.record}",
        regions=options.regions,
        full=options.full,
        has_drain=False,
        lag="resolvers keep an answer for its TTL: traffic follows that much later",
    )
    return RegionConnector(layout, records)


def _client(section: Section, options: Route53Options) -> Client:
    try:
        import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
        from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            f"{section.where}: connector {section.name} (route53) needs boto3; install graphmind "
            "with its extra `aws`"
        ) from error
    # The runner tries again, with the journal: boto3's own retries would hide an unknown outcome.
    config = Config(
        connect_timeout=options.timeout_s,
        read_timeout=options.timeout_s,
        retries={"total_max_attempts": 1},
    )
    secret = options.secret_access_key
    client: Client = boto3.client(
        "route53",
        region_name=options.aws_region,
        endpoint_url=options.endpoint_url or None,
        aws_access_key_id=options.access_key_id or None,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=config,
    )
    return client
