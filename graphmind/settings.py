"""Every threshold and address in one table: name, default, unit, meaning.

Read once from the environment by ``Settings.from_environment`` (``GRAPHMIND_`` + the field's name
in capitals); the README's table is generated from here. Importing this module reads nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_type_hints

from graphmind.errors import SettingsError

PREFIX = "GRAPHMIND_"


class Doc(NamedTuple):
    """What a setting means, and its unit."""

    meaning: str
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one process."""

    data_dir: Annotated[Path, Doc("folder of the archive and the embedded graph")] = Path(
        ".graphmind"
    )
    neo4j_uri: Annotated[str, Doc("use this Neo4j instead of the embedded graph")] = ""
    neo4j_user: Annotated[str, Doc("Neo4j user")] = "neo4j"
    neo4j_password: Annotated[str, Doc("Neo4j password; empty means no authentication")] = ""
    neo4j_database: Annotated[str, Doc("Neo4j database")] = "neo4j"
    neo4j_browser: Annotated[str, Doc("address of Neo4j Browser, for links; empty: none")] = ""
    jaeger: Annotated[str, Doc("address of the Jaeger UI, for links; empty: none")] = ""
    resolver: Annotated[str, Doc("YAML file that extends the attribute table")] = ""
    rules: Annotated[str, Doc("YAML file that extends the classification rules")] = ""

    hang_after_s: Annotated[float, Doc("a model-side span that runs longer hangs", "s")] = 10.0
    storm_attempts: Annotated[int, Doc("failed delivery attempts that make a callback storm")] = 3
    slow_mad: Annotated[float, Doc("slow: this many robust deviations above the median")] = 3.5
    slow_ratio: Annotated[float, Doc("slow: and at least this multiple of the median")] = 1.3
    baseline_traces: Annotated[int, Doc("fewer healthy observations give no baseline")] = 20
    future_s: Annotated[float, Doc("a span starting later than now by more is invalid", "s")] = (
        86_400.0
    )

    alpha: Annotated[float, Doc("share of quiet windows that may show an incident")] = 0.01
    min_excess: Annotated[float, Doc("failures beyond expectation a cause needs")] = 5.0
    window_traces: Annotated[
        int, Doc("larger windows are read as all failing traces and a sample of the healthy ones")
    ] = 300_000
    healthy_share: Annotated[
        float, Doc("share of healthy traces copied to the graph; 1 below 50,000 a window")
    ] = 0.1

    otlp_http_port: Annotated[int, Doc("OTLP over HTTP listens here; 0: any, -1: not")] = 4318
    otlp_grpc_port: Annotated[int, Doc("OTLP over gRPC listens here; 0: any, -1: not")] = 4317
    otlp_body_max: Annotated[int, Doc("larger bodies are refused, once unpacked", "bytes")] = (
        67_108_864
    )
    otlp_token: Annotated[str, Doc("bearer token that senders must show; empty: none")] = ""
    queue_spans: Annotated[int, Doc("spans waiting to be stored before senders are told 503")] = (
        100_000
    )
    quiet_s: Annotated[float, Doc("a trace whose root ended settles after such a pause", "s")] = 1.0
    overdue_s: Annotated[float, Doc("a trace without its root settles after such a pause", "s")] = (
        12.0
    )
    live_window_s: Annotated[float, Doc("time that each live analysis looks back over", "s")] = (
        1_800.0
    )
    live_traces: Annotated[int, Doc("as `window_traces`, for a live analysis")] = 8_000
    analyze_every_s: Annotated[float, Doc("pause between two live analyses", "s")] = 1.0
    retention_days: Annotated[float, Doc("older traces are pruned by `serve`; 0: never", "d")] = 7.0
    sources: Annotated[str, Doc("YAML file of servers to pull from")] = ""

    alert_count: Annotated[int, Doc("an alert: more failing traces of one fingerprint")] = 10
    alert_window_s: Annotated[float, Doc("... within this time", "s")] = 300.0
    alertmanager_url: Annotated[str, Doc("Alertmanager to raise alerts at")] = ""
    webhook_url: Annotated[str, Doc("address for signed CloudEvents")] = ""
    webhook_secret: Annotated[str, Doc("`whsec_...`, signs them (Standard Webhooks)")] = ""

    oidc_issuer: Annotated[str, Doc("OpenID provider whose tokens the API takes; empty: none")] = ""
    oidc_audience: Annotated[str, Doc("`aud` that its tokens must have")] = ""
    oidc_roles_claim: Annotated[str, Doc("claim that names roles; dots lead into it")] = "roles"
    hosts: Annotated[str, Doc("names, with blanks between, that the API may be asked by")] = ""
    cors_origins: Annotated[
        str, Doc("origins, with blanks between, whose pages may use the API; empty: its own")
    ] = ""
    requests_a_minute: Annotated[int, Doc("requests of one caller; 0: no limit", "1/min")] = 30_000

    connectors: Annotated[str, Doc("YAML file of control planes that repairs may use")] = ""
    strategies: Annotated[str, Doc("folder of own repair strategies, beside those shipped")] = ""
    auto_repair: Annotated[int, Doc("1: `serve` runs what the policy allows; 0: it proposes")] = 0
    repair_standing: Annotated[
        int, Doc("1: two people who approved a strategy that says so approved its plans")
    ] = 0
    repairs_an_hour: Annotated[int, Doc("repairs that may run by themselves", "1/h")] = 10

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **overrides: Any) -> "Settings":
        """Read ``GRAPHMIND_*``; ``overrides`` that are not None win.

        Raises SettingsError for a variable that names no setting or does not parse.
        """
        kinds = get_type_hints(cls)
        values: dict[str, Any] = {}
        for variable, text in sorted(environ.items()):
            name = variable.removeprefix(PREFIX).lower()
            if not variable.startswith(PREFIX):
                continue
            if name not in kinds:
                known = ", ".join(PREFIX + f.name.upper() for f in fields(cls))
                raise SettingsError(f"{variable} names no setting. Known: {known}")
            try:
                values[name] = kinds[name](text)
            except ValueError as error:
                wanted = kinds[name].__name__
                raise SettingsError(f"{variable} should be a {wanted}, got {text!r}") from error
        values |= {name: value for name, value in overrides.items() if value is not None}
        return cls(**values)


def table() -> list[tuple[str, str, str, str]]:
    """Rows (variable, default, unit, meaning) of every setting, in order."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for field in fields(Settings):
        doc: Doc = hints[field.name].__metadata__[0]
        rows.append((PREFIX + field.name.upper(), str(field.default), doc.unit, doc.meaning))
    return rows
