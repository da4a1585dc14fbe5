from graphmind.demo.watching import Watch, cause_of, has_ended, was_run


def incident(cause=None, **more):
    return {
        "incident_id": "inc-1",
        "cause": cause,
        "confidence": 0.9,
        "trace_count": 7,
        "symptom": "slow",
        **more,
    }


def repair(state, **more):
    step = {"call": {"action": "drain", "target": "eu"}}
    plan = {"steps": [step], "impact": {"traces": 9, "share": 0.25}}
    return {
        "repair_id": "rep-1",
        "plan": plan,
        "state": state,
        "strategy": "region_drain@1",
        "root_cause": "region:eu",
        "level": "region",
        "requested_ms": 1_000,
        "started_ms": None,
        "executed_ms": None,
        "ended_ms": None,
        "verdict": "",
        "reason": "",
        "verification": {},
        **more,
    }


def kinds(found):
    return [each.kind for each in found]


def test_each_thing_is_told_once_and_a_change_of_mind_again():
    watch = Watch()

    assert kinds(watch.look(1, [incident()], [])) == ["incident"]
    assert kinds(watch.look(2, [incident("agent a")], [])) == ["cause"]
    assert watch.look(3, [incident("agent a")], []) == []
    assert kinds(watch.look(4, [incident("model_version m@2 + region eu")], [])) == ["cause"]
    assert [(each.cause, each.at_ms) for each in watch.named] == [
        ("agent:a", 2),
        ("model_version:m@2 + region:eu", 4),
    ]


def test_a_repair_is_told_by_its_own_times():
    watch = Watch()
    ran = {"started_ms": 1_200, "executed_ms": 1_500}
    looks = [
        repair("approved"),
        repair("verifying", **ran),
        repair("verifying", **ran, verification={"recovering": True}),
        repair("succeeded", **ran, ended_ms=9_000, verdict="effective"),
    ]

    told = [watch.look(2_000 * n, [], [each]) for n, each in enumerate(looks, 1)]

    assert [kinds(each) for each in told] == [
        ["plan", "state"],
        ["state"],
        ["recovering"],
        ["verdict", "state"],
    ]
    assert told[1][0].at_ms == 1_500
    assert {each.at_ms for each in told[3]} == {8_000, 9_000}


def test_why_nothing_is_repaired_is_told_once_for_each_incident():
    watch = Watch()
    why = {"incident_id": "inc-1", "summary": "no automatic repair: no strategy"}

    assert [each.text for each in watch.refused(1, [why, why])] == [
        "inc-1: no automatic repair: no strategy"
    ]
    assert watch.refused(2, [why]) == []


def test_a_cause_in_words_is_named_as_repairs_name_it():
    assert cause_of("endpoint 127.0.0.1:80/hooks/a b") == "endpoint:127.0.0.1:80/hooks/a b"


def test_harm_that_is_left_to_people_ends_and_harm_that_is_undone_does_not_yet():
    assert not has_ended(repair("harmful", verification={"remedy": "roll_back"}))
    assert has_ended(repair("harmful", verification={"remedy": "page"}))
    assert not has_ended(repair("verifying"))
    assert not was_run(repair("approved"))
