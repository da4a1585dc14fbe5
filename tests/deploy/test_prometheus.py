"""Rules and metrics, checked by Prometheus' own tool; and that each name exists."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from graphmind_api.metrics import Metrics
from prometheus_client.parser import text_string_to_metric_families

from graphmind.jobs.deliveries import Deliveries
from graphmind.repair.states import State
from graphmind.serving.service import Service
from graphmind.telemetry.facts import ACCESSES, ITEMS, SYMPTOMS, TRACES, Facts
from graphmind.telemetry.resolver_table import default_table
from tests.contracts.tallies import trace
from tests.deploy.conftest import DASHBOARDS, DEPLOY, Shown
from tests.jobs.repairs.planet import Planet
from tests.repair.repairs import draft, repair

PROMETHEUS = DEPLOY / "prometheus"
RULES = PROMETHEUS / "rules" / "graphmind.yml"
TESTS = PROMETHEUS / "tests" / "graphmind.yml"
WANTED = {
    *("trace_anomaly_rate", "root_cause_distribution", "auto_repair_success_rate"),
    *("fallback_usage_rate", "repair_latency_p95", "false_positive_rate", "trace_recovery_trend"),
}
"""Metrics that S29 names."""
SPECIFIED = WANTED | {"agent_trace_latency_p95", "trace_complete_ratio", "auto_fix_success_rate"}
"""Names that promtool may find fault with: the specification gives them."""
NOT_OURS = {"up"}
"""Written by Prometheus itself."""
FUNCTIONS = {
    *("rate", "increase", "sum", "topk", "by", "on", "and", "or", "le", "kind", "reason"),
    *("__rate_interval", "__range"),
}


def promtool(*arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt install prometheus")
    command = ["promtool", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, input=stdin)


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def text(planted: Shown) -> str:
    """What /metrics says of the planted platform while a service works on it."""
    planet = planted.planet
    _live_now(planet)
    planet.archive.replace_documents("case", {"inc-none": {"label": "false_positive"}})
    service = Service(
        planet.stores,
        planet.settings,
        table=default_table(),
        deliveries=Deliveries(planet.archive, alertmanager=None, webhook=None),
        read_alerts=lambda body, rejected: pytest.fail("no alerts are sent here"),
        desk=planet.new_desk(),
        now_ns=lambda: planet.ns,
    )
    metrics = Metrics(planet.archive, service)
    metrics.requests.labels("GET", "/metrics", "200").inc()
    return metrics.text().decode()


def _live_now(planet: Planet) -> None:
    """Let a trace end and a repair by the policy work at this moment, which gauges look at."""
    now_ns = time.time_ns()
    row = trace("now", now_ns, "ok", recovered=True, fallback_applied=True)
    planet.archive.store_facts(
        Facts(
            traces=pa.Table.from_pylist([row], schema=TRACES),
            symptoms=SYMPTOMS.empty_table(),
            items=ITEMS.empty_table(),
            accesses=ACCESSES.empty_table(),
        )
    )
    now_ms = now_ns // 1_000_000
    times = {"requested_ms": now_ms, "started_ms": now_ms, "executed_ms": now_ms + 5}
    worked = repair("by-policy", state=State.SUCCEEDED, verdict="effective", **times)
    planet.desk.journal.create(worked, draft(worked, "effective", now_ms))


def names_of(text: str) -> set[str]:
    """Names of all series, of histograms and summaries those of their parts too."""
    families = list(text_string_to_metric_families(text))
    parts = {f"{family.name}{end}" for family in families for end in ("", "_total")}
    parts |= {f"{f.name}{end}" for f in families for end in ("_sum", "_count", "_bucket")}
    return parts | {sample.name for family in families for sample in family.samples}


def test_every_alert_has_a_test_of_when_it_fires_and_when_not():
    tested = yaml.safe_load(TESTS.read_text("utf-8"))["tests"]
    cases = {
        (case["alertname"], bool(case["exp_alerts"]))
        for test in tested
        for case in test["alert_rule_test"]
    }

    assert cases == {(rule["alert"], fires) for rule in alerts() for fires in (True, False)}


def test_every_alert_says_what_it_means_and_where_to_look():
    known = {path.stem for path in DASHBOARDS}
    for rule in alerts():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description", "dashboard"} <= set(rule["annotations"])
        assert rule["annotations"]["dashboard"] in known


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", RULES),
        ("check", "config", PROMETHEUS / "prometheus.yml"),
        ("test", "rules", TESTS),
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:2])),
)
def test_promtool_finds_nothing_wrong(arguments: tuple[object, ...]):
    done = promtool(*arguments)

    assert done.returncode == 0, done.stdout + done.stderr


def expressions() -> list[str]:
    found = [rule["expr"] for rule in alerts()]
    for path in DASHBOARDS:
        board = json.loads(path.read_text("utf-8"))
        found += [q["expr"] for p in board["panels"] for q in p["targets"] if "expr" in q]
    return found


def test_promtool_reads_every_expression_of_a_dashboard(tmp_path: Path):
    rules = [
        {"record": f"panel:number:{n}", "expr": re.sub(r"\$__\w+", "5m", expression)}
        for n, expression in enumerate(expressions())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))

    done = promtool("check", "rules", file)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_that_is_asked_for_exists(text: str):
    there = names_of(text) | NOT_OURS | FUNCTIONS
    asked = {
        name
        for expression in expressions()
        for name in re.findall(r"[a-z_]\w{2,}", re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", expression))
    }

    assert asked - there == set()


def test_the_metrics_that_are_specified_are_there_with_values(text: str):
    sampled = {
        sample.name for family in text_string_to_metric_families(text) for sample in family.samples
    }

    assert sampled >= WANTED


def test_promtool_finds_nothing_but_names_that_are_specified_in_the_metrics(text: str):
    done = promtool("check", "metrics", stdin=text)

    told = (done.stdout + done.stderr).splitlines()
    # 3: it would name some otherwise. Anything else is a mistake of the format.
    assert done.returncode in (0, 3), told
    assert [line for line in told if line.partition(" ")[0] not in SPECIFIED] == []
