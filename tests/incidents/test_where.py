from graphmind.analysis.localisation.options import LocalisationOptions
from graphmind.analysis.localisation.period import period_from_spans
from graphmind.analysis.localisation.ranking import Ranking, localise
from graphmind.incidents.where import where_of
from tests.builders import assembled, copies, span


def period(work_ms, *, count=60, prefix="t"):
    """Traces through a gate to a runner that works so long."""
    gate = span("route", 0, 20 + work_ms, service="gate")
    runner = span("work", 10, 10 + work_ms, parent="route", service="runner")
    return period_from_spans(assembled(copies(count, [gate, runner], prefix=prefix, every_ms=100)))


def test_the_service_that_works_longer_is_the_place_with_what_it_takes_now_and_took():
    ranking = localise(period(400), [period(100), period(101)], LocalisationOptions())
    where = where_of(ranking, 2)

    assert where is not None
    (place,) = where.places
    assert (place.service, place.operation) == ("runner", "work")
    assert place.evidence.startswith("work takes 400 ms a call, 101 ms in the reference")
    assert (where.weak, where.reference_periods) == (False, 2)


def test_nothing_that_departs_is_no_place():
    assert where_of(localise(period(100), [period(100), period(100)]), 2) is None
    assert where_of(Ranking(suspects=(), weak=True), 2) is None
