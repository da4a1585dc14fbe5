"""The region watcher: what it proposes, and what it never does, whatever comes."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from graphmind.repair.region_health import Bounds, Health, Naming, Traffic, judge
from graphmind.repair.regions import Policy, Region, after, watch

NAMES = ("ap", "eu", "us")
NOW_MS = 1_000_000_000
TICK_MS = 60_000
POLICY = Policy()

shares = st.sampled_from([0.0, 0.1, 0.5, 0.8, 1.0])
policies = st.builds(Policy, capacity_min=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]))


@st.composite
def region_lists(draw):
    count = draw(st.integers(1, 3))
    return [
        Region(
            name=name,
            share=draw(shares),
            capacity=draw(st.sampled_from([0.5, 1.0, 3.0])),
            standby=draw(st.booleans()),
            changed_ms=draw(st.none() | st.integers(NOW_MS - 1_000_000, NOW_MS)),
            by_watcher=draw(st.booleans()),
            relapses=draw(st.integers(0, 8)),
        )
        for name in NAMES[:count]
    ]


@st.composite
def traffics(draw):
    found = []
    for name in NAMES:
        traces = draw(st.sampled_from([0, 20, 60, 300, 2000, 20_000]))
        share = draw(st.sampled_from([0.0, 0.005, 0.02, 0.05, 0.1, 0.3, 0.9, 1.0]))
        found.append(Traffic(region=name, traces=traces, failing=round(traces * share)))
    return found


namings = st.lists(
    st.builds(
        Naming,
        region=st.sampled_from(NAMES),
        incident_id=st.just("inc-1"),
        label=st.just("region"),
        confidence=st.sampled_from([0.3, 0.95]),
        alone=st.booleans(),
    ),
    max_size=2,
)


def judged(traffic, named=()):
    return judge(NAMES, traffic, named, Bounds())


def proposed(regions, health, policy=POLICY, now_ms=NOW_MS):
    proposals = watch(regions, health, policy, now_ms=now_ms).proposals
    assert len(proposals) <= 1
    return proposals[0] if proposals else None


def carried_out(regions, proposal, now_ms=NOW_MS):
    return [after(region, proposal, now_ms=now_ms) for region in regions]


def takes_down(regions, proposal):
    return proposal.share < next(each.share for each in regions if each.name == proposal.region)


@given(regions=region_lists(), traffic=traffics(), named=namings, policy=policies)
def test_what_takes_a_region_down_leaves_enough_and_somebody_who_is_well(
    regions, traffic, named, policy
):
    health = judged(traffic, named)
    found = proposed(regions, health, policy)
    if found is None or not takes_down(regions, found):
        return
    left = carried_out(regions, found)
    needed = policy.capacity_min * sum(each.capacity for each in regions)
    before, now = (sum(each.serving for each in one) for one in (regions, left))

    well = {each.name for each in left if each.share and health[each.name].health is Health.HEALTHY}
    assert (well - {found.region}) | ({found.into} - {None})
    assert now >= min(before, needed) - 1e-6
    assert found.reasons


@given(regions=region_lists(), traffic=traffics(), named=namings, policy=policies)
def test_a_healthy_region_is_never_taken_down_but_a_standby_that_goes_home(
    regions, traffic, named, policy
):
    health = judged(traffic, named)
    found = proposed(regions, health, policy)
    if found is None or not takes_down(regions, found):
        return
    own = next(each for each in regions if each.name == found.region)

    home = own.standby and own.by_watcher
    assert home or health[found.region].health >= Health.DEGRADED


@given(regions=region_lists(), traffic=traffics(), named=namings, policy=policies)
def test_on_constant_input_it_settles_and_never_goes_to_and_fro(regions, traffic, named, policy):
    health = judged(traffic, named)
    ups: dict[str, list[bool]] = {}
    last = None
    for tick in range(400):
        now_ms = NOW_MS + tick * TICK_MS
        last = proposed(regions, health, policy, now_ms)
        if last is None:
            continue
        changed = carried_out(regions, last, now_ms)
        for old, new in zip(regions, changed, strict=True):
            if old.share != new.share:
                ups.setdefault(old.name, []).append(new.share > old.share)
        regions = changed

    assert last is None
    # What stands in for another comes and goes home, once that one serves again.
    usual = {each.name for each in regions if not each.standby}
    assert all(len(set(moves)) == 1 for name, moves in ups.items() if name in usual)


@given(
    regions=region_lists(),
    traffic=traffics(),
    named=namings,
    policy=policies,
    worsened=st.tuples(st.integers(0, 2), st.floats(0, 1)),
)
@example(
    regions=[
        Region(name="ap", share=0.8),
        Region(name="eu", share=1.0),
        Region(name="us", share=1.0),
    ],
    traffic=[
        Traffic(region="ap", traces=20_000, failing=1000),
        Traffic(region="eu", traces=20_000, failing=400),
        Traffic(region="us", traces=60, failing=0),
    ],
    named=[],
    policy=Policy(capacity_min=0.0),
    worsened=(0, 0.1),
)
def test_a_region_that_fails_more_never_gets_more(regions, traffic, named, policy, worsened):
    place, more = worsened
    own = traffic[place]
    worse = list(traffic)
    worse[place] = replace(own, failing=own.failing + round((own.traces - own.failing) * more))

    def share_after(with_traffic):
        found = proposed(regions, judged(with_traffic, named), policy)
        left = regions if found is None else carried_out(regions, found)
        return next((each.share for each in left if each.name == own.region), 0.0)

    assert judged(worse, named)[own.region].health >= judged(traffic, named)[own.region].health
    # Where all are as bad it still counts as healthy, and a standby goes home by its own rules.
    is_well = judged(worse, named)[own.region].health is Health.HEALTHY
    if not is_well and not any(each.standby for each in regions):
        assert share_after(worse) <= share_after(traffic) + 1e-9


def sick(name="eu", share=0.3):
    return [
        Traffic(region=each, traces=1000, failing=1000 * share if each == name else 8)
        for each in NAMES
    ]


WELL = [Traffic(region=each, traces=2000, failing=16) for each in NAMES]


def test_a_sick_region_is_drained_with_its_reasons():
    regions = [Region(name=each, share=1.0) for each in NAMES]
    found = proposed(regions, judged(sick()))

    assert found is not None
    assert (found.action, found.call.action, found.call.target) == ("drain", "drain", "eu")
    assert found.reasons == ("300 of 1000 traces of eu fail (30.0%), in ap 8 of 1000 (0.8%)",)


def test_a_degraded_region_is_weighed_down_and_stays_so():
    regions = [Region(name=each, share=1.0) for each in NAMES]
    health = judged(sick(share=0.08))
    found = proposed(regions, health)

    assert found is not None
    assert (found.call.action, dict(found.call.params)) == ("set_weight", {"weight": 50})
    outlook = watch(carried_out(regions, found), health, POLICY, now_ms=NOW_MS + POLICY.hold_ms * 9)
    assert outlook.held == {"eu": "it has 50% of its weight already"}


def test_where_too_little_would_be_left_a_standby_takes_over():
    regions = [
        Region(name="eu", share=1.0),
        Region(name="us", share=0.0, standby=True),
    ]
    traffic = [Traffic(region="eu", traces=1000, failing=300)]
    health = judged(traffic, [INCIDENT])
    found = proposed(regions, health)

    assert found is not None
    assert dict(found.call.params) == {"from": "eu", "to": "us", "weight": 100}


INCIDENT = Naming(region="eu", incident_id="inc-1", label="region eu", confidence=0.95, alone=True)


def test_it_comes_back_by_steps_and_waits_longer_after_a_relapse():
    regions = [Region(name=each, share=1.0) for each in NAMES]
    now_ms = NOW_MS
    log = []

    def run(traffic, minutes):
        nonlocal regions, now_ms
        for _ in range(minutes):
            now_ms += TICK_MS
            found = proposed(regions, judged(traffic), now_ms=now_ms)
            if found is not None:
                regions = carried_out(regions, found, now_ms)
                log.append(((now_ms - NOW_MS) // TICK_MS, found.action, found.share))

    gone = [each for each in WELL if each.region != "eu"]
    run(sick(), 1)
    run(gone, 5)
    run(sick(), 4)
    run(gone, 12)
    run(WELL, 40)

    assert log == [
        (1, "drain", 0.0),
        (6, "enable", 0.1),
        (8, "drain", 0.0),
        (18, "enable", 0.1),
        (28, "enable", 0.5),
        (38, "enable", 1.0),
    ]


def test_an_open_incident_keeps_it_out_and_others_changes_are_not_taken_back():
    drained = Region(name="eu", share=0.0, changed_ms=0, by_watcher=True)
    others = [Region(name=each, share=1.0) for each in ("ap", "us")]
    gone = [each for each in WELL if each.region != "eu"]

    kept = watch([drained, *others], judged(gone, [INCIDENT]), POLICY, now_ms=NOW_MS)
    assert (kept.proposals, kept.held) == ((), {"eu": "it is not well"})
    assert proposed([replace(drained, by_watcher=False), *others], judged(gone)) is None


def test_a_standby_goes_home_when_all_is_well():
    regions = [
        Region(name="eu", share=1.0, changed_ms=0, by_watcher=True),
        Region(name="us", share=1.0, changed_ms=0, by_watcher=True, standby=True),
    ]
    found = proposed(regions, judged(WELL))

    assert found is not None
    assert (found.action, found.region) == ("drain", "us")


def test_only_one_region_is_taken_down_at_a_time():
    regions = [Region(name=each, share=1.0) for each in NAMES]
    both = [replace(each, failing=400) if each.region != "us" else each for each in sick()]
    first = proposed(regions, judged(both), Policy(capacity_min=0.3))

    assert first is not None
    regions = carried_out(regions, first)
    soon = watch(regions, judged(both), Policy(capacity_min=0.3), now_ms=NOW_MS + 1000)
    later = proposed(regions, judged(both), Policy(capacity_min=0.3), NOW_MS + 31_000)
    assert (soon.proposals, soon.held["eu"]) == ((), "a region was just changed: 29 s to wait")
    assert later is not None
    assert {first.region, later.region} == {"ap", "eu"}
