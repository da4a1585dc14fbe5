"""The dashboards about traces: fleet, incident, diagnosis, anomaly map, capture, drift."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.boards import board, choice, options, text
from deploy.grafana.panels import (
    BAD,
    GOOD,
    Panel,
    bars,
    figure,
    gauges,
    graph,
    grid,
    heat,
    lane,
    trend,
)
from deploy.grafana.queries import number, rows

INCIDENT = {"incident": "${incident}"}
GROUP = "name traces failing failing_share p95_ms complete_ratio sampled_share incidents last"


def fleet() -> Dashboard:
    """Return the entry: how the fleet fares, and the incidents that are open."""
    about = "How traces of the fleet fare, which incidents are open, and what they go back to."
    panels = [*_fleet_figures(), *_fleet_course()]
    return board("fleet", "Fleet", about, panels)


def _fleet_figures() -> list[Panel]:
    return [
        figure(
            "Traces that went wrong",
            "Share of all archived traces in which something went wrong.",
            number("trace_anomaly_rate"),
            unit="percentunit",
            warn=0.02,
            bad=0.1,
        ),
        figure(
            "Open incidents",
            "Incidents that are not closed.",
            number("graphmind_open_incidents"),
            unit="short",
            warn=1,
            bad=5,
        ),
        figure(
            "Automatic repairs that worked",
            "Of the repairs that ran without a person and have a verdict, the effective ones.",
            number("auto_repair_success_rate"),
            unit="percentunit",
            warn=0.8,
            bad=0.5,
        ),
        figure(
            "Fallback answers",
            "Share of the last hour's traces in which a fallback answered.",
            number("fallback_usage_rate"),
            unit="percentunit",
            warn=0.02,
            bad=0.1,
        ),
        figure(
            "Repair time, P95",
            "Seconds from the start of a repair to its last step, 95th percentile.",
            number("repair_latency_p95"),
            unit="s",
            warn=37,
            bad=120,
        ),
        figure(
            "False positives",
            "Of the incidents that a person or a measured repair judged, those that were none.",
            number("false_positive_rate"),
            unit="percentunit",
            warn=0.05,
            bad=0.2,
        ),
    ]


def _fleet_course() -> list[Panel]:
    return [
        heat(
            "Module x minute",
            "Share of the traces that ran a module and went wrong there.",
            rows("heat", "time module failing_share", shape="timeseries"),
            unit="percentunit",
            label="${__field.labels.module}",
        ),
        grid(
            "Open incidents",
            "Newest first; the id leads to the incident.",
            rows(
                "incidents",
                "incident_id onset severity state title cause confidence traces repair_state "
                "strategy cluster_id",
                open="true",
            ),
        ),
        trend(
            "Traces by outcome",
            "Traces that began in each step, by how they ended.",
            rows("outcomes", "time outcome traces", shape="timeseries"),
            unit="short",
            label="outcome",
            is_stacked=True,
        ),
        trend(
            "Time per trace",
            "Median and 95th percentile of the traces that began in each step.",
            rows("pace", "time p50_ms p95_ms", shape="timeseries"),
            unit="ms",
        ),
        grid(
            "Agents",
            "Those with most failing traces first.",
            rows("groups", GROUP, kind="agent"),
            span=12,
        ),
        grid(
            "Model versions",
            "Those with most failing traces first.",
            rows("groups", GROUP, kind="model_version"),
            span=12,
        ),
        gauges(
            "Root causes",
            "Incidents by the kind of their first cause.",
            number("sum by (kind) (root_cause_distribution)", "{{kind}}"),
            unit="short",
        ),
        trend(
            "Traces healed by repairs",
            "Share of the last hour's traces that ended well after a repair.",
            number("trace_recovery_trend", "recovered"),
            unit="percentunit",
        ),
    ]


def incident() -> Dashboard:
    """Return one incident: its graph, causes, states, repairs and traces."""
    node = (
        "id title subtitle mainstat secondarystat arc__failing arc__healthy icon noderadius "
        "fixedx fixedy detail__kind detail__mark detail__traces detail__others"
    )
    edge = "id source target mainstat secondarystat thickness detail__kind"
    panels = [
        lane(
            "State",
            "States of the incident as they followed each other.",
            rows("incident/states", "time state", **INCIDENT),
            span=18,
        ),
        figure(
            "Nodes left out of the graph",
            "Things that the fewest of its traces touch are not drawn.",
            rows("incident/hidden", "hidden_nodes", **INCIDENT),
            unit="short",
            warn=200,
            bad=1000,
            span=6,
        ),
        grid(
            "Causes",
            "What its traces share, with what it explains and what not.",
            rows(
                "incident/causes",
                "rank role kind label confidence risk_ratio failed_share passed_share failed_with "
                "unexplained",
                **INCIDENT,
            ),
            height=6,
        ),
        graph(
            "What its traces touch",
            "Ring: share of traces that fail. Size: how many of the incident's traces touch it.",
            rows("incident/nodes", node, shape="node-graph-nodes", ref="nodes", **INCIDENT),
            rows("incident/edges", edge, shape="node-graph-edges", ref="edges", **INCIDENT),
            {"arc__failing": BAD, "arc__healthy": GOOD},
        ),
        bars(
            "Where its traces went wrong",
            "Failing traces by module.",
            rows("diagnosis/distribution", "path failing", **INCIDENT),
            x="path",
            unit="short",
        ),
        trend(
            "Traces by outcome",
            "All traces of the time, for comparison.",
            rows("outcomes", "time outcome traces", shape="timeseries"),
            unit="short",
            label="outcome",
            is_stacked=True,
        ),
        grid(
            "Traces",
            "The newest that are archived; the id leads to the diagnosis.",
            rows(
                "incident/traces",
                "trace_id time task outcome duration_ms root_module error_code path recovered",
                **INCIDENT,
            ),
        ),
    ]
    about = "One incident: what its traces share, where they go wrong, and what was done."
    return board(
        "incident", "Incident", about, panels, [choice("incident", "Incident", "incidents/names")]
    )


def diagnosis() -> Dashboard:
    """Return the diagnosis (S20): timeline, error codes, distribution, metric trend."""
    panels = [
        grid(
            "Timeline of the trace",
            "Spans as they began, log lines between them; choose a trace above.",
            rows(
                "diagnosis/timeline",
                "time source depth text module agent service failed error_code duration_ms",
                trace="${trace}",
            ),
            height=12,
        ),
        bars(
            "Error codes",
            "Failing traces by error code, most frequent first.",
            rows("diagnosis/codes", "code failing", **INCIDENT),
            x="code",
            unit="short",
        ),
        grid(
            "Where traces went wrong",
            "The node at the root of each failure, and the path to it.",
            rows(
                "diagnosis/distribution",
                "root_node path outcome failing share p95_ms",
                **INCIDENT,
            ),
            span=12,
        ),
        trend(
            "Signal",
            "Points of the signal chosen above, one line for each set of labels.",
            rows("diagnosis/metrics", "time series value", shape="timeseries", name="${signal}"),
            unit="short",
            label="series",
        ),
        trend(
            "Failing traces",
            "All traces that began in each step, and those that failed.",
            rows("pace", "time traces failing", shape="timeseries"),
            unit="short",
        ),
    ]
    variables = [
        choice("incident", "Incident", "incidents/names", is_optional=True),
        text("trace", "Trace"),
        choice("signal", "Signal", "diagnosis/metrics/names"),
    ]
    about = "Spans, logs and metrics of one trace side by side, and of the traces like it."
    return board("diagnosis", "Diagnosis", about, panels, variables)


def anomaly_map() -> Dashboard:
    """Return the map of anomalies: time x place x strategy (S40)."""
    place = {"place": "${place}"}
    panels = [
        heat(
            "Failing traces: time x place x strategy",
            "One row a place and the strategy that answered the incident there.",
            rows("anomalies", "time place strategy failing", shape="timeseries", **place),
            unit="short",
            label="${__field.labels.place} / ${__field.labels.strategy}",
        ),
        grid(
            "Places and strategies",
            "Summed up over the time shown, with the worst step of each.",
            rows("anomalies/places", "place strategy failing worst worst_failing", **place),
            span=12,
        ),
        grid(
            "Regions",
            "How the traces of each region fare.",
            rows("groups", GROUP, kind="region"),
            span=12,
        ),
    ]
    kinds = options("place", "Place", "region", "agent", "module", "model_version")
    about = "When and where traces failed, and which strategy answered."
    return board("anomaly-map", "Anomaly map", about, panels, [kinds])


def drift() -> Dashboard:
    """Return the drift monitor (S43): the time shown against as much time before."""
    panels = [
        bars(
            "Drift of agents",
            "0 to 1; 0 where it is not sure, or too small to matter.",
            rows("drift", "group score"),
            x="group",
            unit="percentunit",
        ),
        bars(
            "Mean response",
            "Mean time of an agent's calls in the time shown, and before.",
            rows("drift", "group was_mean_ms mean_ms"),
            x="group",
            unit="ms",
        ),
        grid(
            "Agents",
            "Shifts of the median response and of the modules called, and since when.",
            rows(
                "drift",
                "group score response_shift branch_shift mean_ms was_mean_ms since q_value",
            ),
        ),
        trend(
            "Time per trace",
            "Median and 95th percentile of the traces that began in each step.",
            rows("pace", "time p50_ms p95_ms", shape="timeseries"),
            unit="ms",
            span=24,
        ),
    ]
    about = "Which agents answer more slowly, or go other ways, than in the time before."
    return board("drift", "Drift", about, panels)


def capture() -> Dashboard:
    """Return the quality of what is captured."""
    about = "How complete the telemetry is: what came, what was dropped, what samplers kept."
    panels = [*_capture_figures(), *_capture_course()]
    return board("capture", "Capture quality", about, panels)


def _capture_figures() -> list[Panel]:
    return [
        figure(
            "Complete traces",
            "Share of the archived traces of which all spans came.",
            number("trace_complete_ratio"),
            unit="percentunit",
            warn=0.95,
            bad=0.9,
            span=6,
        ),
        figure(
            "Rows waiting to be stored",
            "Senders are told to wait when the queue is full.",
            number("graphmind_queue_rows"),
            unit="short",
            warn=50_000,
            bad=90_000,
            span=6,
        ),
        figure(
            "Spans received",
            "Spans received and stored, a second.",
            number("rate(otel_span_total[$__rate_interval])"),
            unit="short",
            warn=10_000,
            bad=20_000,
            span=6,
        ),
        figure(
            "Spans dropped",
            "Of all reasons together, a second.",
            number("sum(rate(span_dropped_total[$__rate_interval]))"),
            unit="short",
            warn=0.1,
            bad=10,
            span=6,
        ),
    ]


def _capture_course() -> list[Panel]:
    return [
        trend(
            "Complete and sampled",
            "Share of traces of which all spans came, and that the samplers kept.",
            rows("pace", "time complete_ratio sampled_share", shape="timeseries"),
            unit="percentunit",
        ),
        trend(
            "Dropped, by reason",
            "What was received and not kept, a second.",
            number("sum by (reason) (rate(span_dropped_total[$__rate_interval]))", "{{reason}}"),
            unit="short",
        ),
        grid(
            "Agents",
            "Share of complete traces, and of those that the samplers kept.",
            rows("groups", "name traces complete_ratio sampled_share p95_ms last", kind="agent"),
            span=12,
        ),
        grid(
            "Modules",
            "Share of complete traces, and of those that the samplers kept.",
            rows("groups", "name traces complete_ratio sampled_share p95_ms last", kind="module"),
            span=12,
        ),
        trend(
            "Sources pulled",
            "How far behind each source is read.",
            number("graphmind_pull_lag_seconds", "{{source}}"),
            unit="s",
        ),
        trend(
            "Latency by agent, P95",
            "Seconds within which 95 % of the last hour's traces of an agent ended.",
            number("topk(10, agent_trace_latency_p95)", "{{agent}}"),
            unit="s",
        ),
    ]
