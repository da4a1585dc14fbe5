"""The dashboards about repairs: their effect, the cluster board, their evolution."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.boards import board, choice
from deploy.grafana.panels import BAD, GOOD, WARN, Panel, bars, figure, graph, grid, points, trend
from deploy.grafana.queries import number, rows

VERDICTS = {"effective": GOOD, "ineffective": WARN, "harmful": BAD, "inconclusive": "text"}


def repairs() -> Dashboard:
    """Return the effect of repairs (S31)."""
    about = "What repairs ran, how long they took, and whether they did good."
    panels = [*_repairs_figures(), *_repairs_course()]
    return board("repairs", "Repair effect", about, panels)


def _repairs_figures() -> list[Panel]:
    return [
        figure(
            "Automatic repairs that worked",
            "Of the repairs that ran without a person and have a verdict, the effective ones.",
            number("auto_repair_success_rate"),
            unit="percentunit",
            warn=0.8,
            bad=0.5,
            span=6,
        ),
        figure(
            "Repairs begun",
            "In the time shown.",
            number("sum(increase(repair_attempt_total[$__range]))"),
            unit="short",
            warn=20,
            bad=100,
            span=6,
        ),
        figure(
            "Repair time, P95",
            "Seconds from the start of a repair to its last step, 95th percentile.",
            number("repair_latency_p95"),
            unit="s",
            warn=37,
            bad=120,
            span=6,
        ),
        figure(
            "Traces healed",
            "Share of the last hour's traces that ended well after a repair.",
            number("trace_recovery_trend"),
            unit="percentunit",
            warn=0.0,
            bad=-1.0,
            span=6,
        ),
    ]


def _repairs_course() -> list[Panel]:
    return [
        bars(
            "Runs by strategy",
            "Repairs that ran, by their verdict.",
            rows("repairs/strategies", "strategy effective ineffective harmful inconclusive"),
            x="strategy",
            unit="short",
            colours=VERDICTS,
        ),
        points(
            "Trace time and repair time",
            "Each repair: P95 of the incident's traces in ms across, the repair's run in s up.",
            rows("repairs", "trace_p95_ms run_s"),
            unit="short",
        ),
        bars(
            "Coverage",
            "Incidents by kind of root cause: all, with a repair planned, with an effective one.",
            rows("repairs/coverage", "root_cause incidents planned effective"),
            x="root_cause",
            unit="short",
        ),
        trend(
            "Rollback latency",
            "Mean seconds of the undos in the time shown.",
            number(
                "increase(rollback_latency_seconds_sum[$__range]) / "
                "increase(rollback_latency_seconds_count[$__range])",
                "rollback",
            ),
            unit="s",
        ),
        grid(
            "Before and after",
            "What was measured when healthy, in the incident, and after the repair.",
            rows("repairs/figures", "repair_id time strategy figure healthy before after back"),
        ),
        grid(
            "Repairs",
            "With the seconds of each stage, from the onset to the verdict.",
            rows(
                "repairs",
                "repair_id time incident_id strategy target state verdict operator traces detect_s "
                "decide_s run_s verify_s loop_s",
            ),
        ),
    ]


def clusters() -> Dashboard:
    """Return the cluster board (S41): root cause, cluster, effect of repairs."""
    panels = [
        grid(
            "Root cause -> cluster -> effect of repairs",
            "Incidents of one cluster look alike; the id leads to what was tried on them.",
            rows(
                "clusters",
                "root_cause cluster_id repair_effect incidents open traces strategy runs "
                "success_share median_s last_onset",
            ),
            height=12,
        ),
        bars(
            "Effect by cluster",
            "Repairs that ran, by their verdict.",
            rows("clusters", "cluster_id effective ineffective harmful inconclusive"),
            x="cluster_id",
            unit="short",
            colours=VERDICTS,
        ),
        bars(
            "Traces by cluster",
            "Failing traces of the incidents of each cluster.",
            rows("clusters", "cluster_id traces"),
            x="cluster_id",
            unit="short",
        ),
    ]
    about = "Which causes come again, in which clusters, and what repairs did to them."
    return board("clusters", "Cluster board", about, panels)


def evolution() -> Dashboard:
    """Return the tree of repairs (S42)."""
    cluster = {"cluster": "${cluster}"}
    node = (
        "id title subtitle mainstat secondarystat arc__effective arc__failed arc__open icon "
        "detail__strategy detail__state"
    )
    panels = [
        graph(
            "What was tried after what",
            "Root causes, their incidents, and each repair below the one tried before it.",
            rows("evolution/nodes", node, shape="node-graph-nodes", ref="nodes", **cluster),
            rows(
                "evolution/edges",
                "id source target mainstat",
                shape="node-graph-edges",
                ref="edges",
                **cluster,
            ),
            {"arc__effective": GOOD, "arc__failed": BAD, "arc__open": "text"},
        ),
        grid(
            "Strategies",
            "How each revision of a strategy did, most runs first.",
            rows(
                "repairs/strategies",
                "strategy runs effective ineffective harmful inconclusive success_share median_s",
            ),
        ),
    ]
    about = "How repairs of one cause evolved: what was tried, what worked, what came next."
    names = choice("cluster", "Cluster", "clusters/names", is_optional=True)
    return board("evolution", "Repair evolution", about, panels, [names])
