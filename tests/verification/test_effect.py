import orjson

from graphmind.verification.effect import Effect, Seen, figures_of


def seen(n, *, ms=100.0, failed=0, answered=0):
    return [
        Seen(duration_ms=ms + k, failed=k < failed, answered=k < answered or None) for k in range(n)
    ]


def test_figures_sum_up_a_stretch_of_time():
    found = figures_of([*seen(20, failed=5, answered=4), Seen(duration_ms=None, failed=True)])

    assert (found.requests, found.failures, found.unfinished) == (21, 6, 1)
    assert (found.callbacks, found.answered, found.answer_rate) == (4, 4, 1.0)
    assert found.p95_ms == 119.0
    assert found.failure_rate == 6 / 21


def test_a_percentile_among_what_did_not_end_is_unknown():
    found = figures_of([*seen(9), *[Seen(duration_ms=None, failed=True)] * 2])

    assert found.p95_ms is None


def test_nothing_seen_tells_nothing():
    found = figures_of([])

    assert (found.p95_ms, found.failure_rate, found.answer_rate) == (None, None, None)


def test_back_is_within_a_tenth_of_the_healthy_value():
    def answered(n, of):
        return [Seen(duration_ms=1.0, failed=False, answered=k < n) for k in range(of)]

    healthy = figures_of([*seen(1000, failed=10), *answered(98, 100)])
    before = figures_of([*seen(100, ms=9000, failed=40), *answered(60, 100)])
    after = figures_of([*seen(1000, ms=180, failed=12), *answered(90, 100)])

    found = Effect(healthy=healthy, before=before, after=after)

    assert found.back == {"p95_ms": True, "failure_rate": True, "answer_rate": True}
    still = Effect(healthy=healthy, before=before, after=before)
    assert set(still.back.values()) == {False}
    unknown = Effect(healthy=healthy, before=before, after=figures_of([]))
    assert set(unknown.back.values()) == {None}
    assert orjson.loads(orjson.dumps(found.document()))["back"]["p95_ms"] is True
