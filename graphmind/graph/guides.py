"""The guides that Neo4j Browser plays, one after the other."""

from typing import Final

from graphmind.graph.browser import Guide, Step, ask, choose, draw

_INCIDENT = choose("incident_id", "ID OF THE INCIDENT", "Put an incident_id of the answer there.")
_TRACES_MAX: Final = 60
"""Traces drawn at most: beyond some hundred nodes a picture tells nothing (chosen)."""

FIRST_LOOK: Final = Guide(
    name="first_look",
    title="A first look",
    steps=(
        Step(
            title="What is here",
            text=(
                "graphmind keeps every failing trace and a share of the healthy ones. A healthy "
                "trace stands for several: sum its weight to count. For colours, drop "
                "graphmind.grass onto this window. A click on a statement puts it into the editor."
            ),
            blocks=(
                draw(
                    "How many nodes there are of each label.",
                    "MATCH (n)\nRETURN labels(n)[0] AS label, count(*) AS nodes\n"
                    "ORDER BY nodes DESC, label\nLIMIT 50",
                ),
            ),
        ),
        Step(
            title="One failing trace",
            text=(
                "A trace touches agents, model versions, keys, regions and modules. Whatever many "
                "failing traces touch, and few healthy ones, may be why they fail."
            ),
            blocks=(
                draw(
                    "The latest failing trace, with all it touches.",
                    "MATCH (t:Trace)\n"
                    "WHERE t.outcome IN ['failed', 'slow', 'hung', 'short', 'wrong']\n"
                    "WITH t ORDER BY t.startMs DESC, t.traceId LIMIT 1\n"
                    "MATCH p = (t)-[:RAN_ON|USED|IN_REGION|FAILED_AT|RAISED|READ|WROTE]->()\n"
                    "RETURN p\nLIMIT 50",
                ),
            ),
        ),
        Step(
            title="What fails, and where",
            text="Tasks and regions first: they say how wide it is.",
            blocks=(ask("window_traffic"), ask("region_health"), ask("error_codes_by_module")),
        ),
        Step(
            title="How the platform hangs together",
            text="Which agents hand work to which, and which modules call which.",
            blocks=(
                draw(
                    "Agents and the work they hand on.",
                    "MATCH p = (:Agent)-[:HANDED_OFF_TO]->(:Agent)\nRETURN p\nLIMIT 100",
                ),
                ask("module_calls"),
            ),
        ),
    ),
)

TRIAGE: Final = Guide(
    name="triage",
    title="Triage an incident",
    steps=(
        Step(
            title="Choose an incident",
            text="The open ones, the largest first. Take the id of one for the next slides.",
            blocks=(ask("open_incidents"), _INCIDENT),
        ),
        Step(
            title="What its traces share",
            text=(
                "A root cause explains the failing traces; critical is where they go wrong, impact "
                "what is hit only with the root. Read the confidence beside the risk ratio."
            ),
            blocks=(
                ask("incident_causes", "incident_id"),
                draw(
                    "The causes, and the things they name.",
                    "MATCH p = (:Incident {incidentId: $incident_id})-[:CAUSED_BY]->(:Cause)"
                    "-[:NAMES]->()\nRETURN p\nLIMIT 50",
                ),
            ),
        ),
        Step(
            title="The traces themselves",
            text="Look whether the picture gathers around the cause, or around something else.",
            blocks=(
                ask("incident_traces"),
                draw(
                    "Some of its traces, with what they used and where they failed.",
                    "MATCH (:Incident {incidentId: $incident_id})<-[:PART_OF]-(t:Trace)\n"
                    f"WITH t ORDER BY t.traceId LIMIT {_TRACES_MAX}\n"
                    "MATCH p = (t)-[:RAN_ON|USED|IN_REGION|FAILED_AT|RAISED]->()\n"
                    "RETURN p\nLIMIT 400",
                ),
            ),
        ),
        Step(
            title="What was new",
            text="Ask first about a change just before the onset whose target a cause names.",
            blocks=(ask("changes_before_incident"), ask("versions_before_incident")),
        ),
        Step(
            title="Seen before?",
            text="What it resembles, what worked then, and what is a cause again and again.",
            blocks=(
                ask("similar_incidents", "incident_id"),
                ask("strategies_for_similar"),
                ask("shared_by_incidents"),
            ),
        ),
    ),
)

POISONED_KEY: Final = Guide(
    name="poisoned_key",
    title="Follow a poisoned key",
    steps=(
        Step(
            title="Is a key involved?",
            text=(
                "A trace that read what descends from a bad write fails far from where the fault "
                "is. These keys carried such values."
            ),
            blocks=(
                ask("contaminating_keys"),
                choose("key", "STORE:KEY", "Put a key of the answer there."),
            ),
        ),
        Step(
            title="Patient zero",
            text="The trace from whose values most failing traces of an incident descend.",
            blocks=(
                ask("open_incidents"),
                _INCIDENT,
                ask("patient_zero"),
                draw(
                    "Who caught it from whom.",
                    "MATCH p = (:Trace)-[:CONTAMINATED_BY]->(:Trace)\nRETURN p\nLIMIT 100",
                ),
            ),
        ),
        Step(
            title="Who wrote, who read",
            text="In order of time: the first failing reader after a write points at that write.",
            blocks=(
                ask("key_readers_and_writers"),
                draw(
                    "Writers and readers of the key.",
                    "MATCH p = (:Trace)-[:WROTE|READ]->(:KvKey {key: $key})\nRETURN p\nLIMIT 100",
                ),
            ),
        ),
        Step(
            title="Who else",
            text=(
                "Traces that read a bad value and are still well, and keys from which a bad value "
                "would go far. Quarantine of a key stops reading, a roll-back restores its value."
            ),
            blocks=(ask("traces_at_risk"), ask("busy_keys")),
        ),
    ),
)

REPAIR: Final = Guide(
    name="repair",
    title="Judge a repair",
    steps=(
        Step(
            title="What was tried",
            text="The repairs of an incident, who asked for them and who approved them.",
            blocks=(
                ask("open_incidents"),
                _INCIDENT,
                ask("repairs_of_incident"),
                draw(
                    "Repairs with their steps, decisions and targets.",
                    "MATCH (:Incident {incidentId: $incident_id})<-[:REPAIRS]-(r:Repair)\n"
                    "MATCH p = (r)-[:REPAIRS|TARGETS|APPLIES|HAS_STEP|HAS_APPROVAL]->()\n"
                    "RETURN p\nLIMIT 100",
                ),
            ),
        ),
        Step(
            title="What it would hit",
            text=(
                "The key of an agent, model version, key or region that a repair acts on, and what "
                "depends on it. Names takes several keys, one a line."
            ),
            blocks=(
                choose("name", "KEY OF THE TARGET", "Put the key of the target there."),
                ask("blast_radius"),
                choose("names", "KEY OF THE TARGET", "Put it there too."),
                ask("repair_scope"),
                ask("repair_users"),
            ),
        ),
        Step(
            title="Did it help?",
            text=(
                "The failing share of each region before and after the moment at which it ran; the "
                "verdict of graphmind compares with what was not repaired as well."
            ),
            blocks=(
                choose("at_ms", 1_700_000_000_000, "Put the moment there, in epoch ms."),
                ask("region_before_and_after"),
            ),
        ),
        Step(
            title="The record of strategies",
            text="What works, what was undone, and what is repaired too often to be repaired.",
            blocks=(
                ask("verdicts_by_strategy"),
                ask("undone_repairs"),
                ask("targets_repaired_often"),
            ),
        ),
    ),
)

WEEKLY_REVIEW: Final = Guide(
    name="weekly_review",
    title="Weekly review",
    steps=(
        Step(
            title="Causes of the week",
            text=(
                "Put the start and the end of the week, in epoch ms, in the place of the first two "
                "numbers of a statement. Earlier = 0 is a new cause; others come back: why?"
            ),
            blocks=(ask("causes_of_week"), ask("shared_by_incidents")),
        ),
        Step(
            title="Paths that fail",
            text="Paths with many failing traces and no incident are worth an owner.",
            blocks=(ask("frequent_failing_paths"), ask("failing_together")),
        ),
        Step(
            title="Versions and regions",
            text="Which combination fails most, and what going back would save.",
            blocks=(
                ask("failing_share_by_model_and_region"),
                ask("rollback_candidates"),
                ask("agents_failing_with_one_version"),
                ask("traces_across_regions"),
            ),
        ),
        Step(
            title="Storms and loops",
            text="Work done twice, agents that go round in circles, endpoints that are stormed.",
            blocks=(ask("storms_by_endpoint"), ask("agent_loops"), ask("forks")),
        ),
        Step(
            title="Quiet risks",
            text=(
                "What nearly everything passes, and keys that many write and read: nothing is "
                "wrong today, and much would be if it were."
            ),
            blocks=(ask("quiet_risks"), ask("busy_keys"), ask("verdicts_by_strategy")),
        ),
    ),
)

GUIDES: Final = (FIRST_LOOK, TRIAGE, POISONED_KEY, REPAIR, WEEKLY_REVIEW)
