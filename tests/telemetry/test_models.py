"""Which model and version a call went to, where it does not say."""

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import Row, assembled, by_span, span

REQUESTED, ANSWERED = "gen_ai.request.model", "gen_ai.response.model"


def call(number: int, requested: str, answered: str | None = None) -> Row:
    """Return a call at this second, failed if nothing answered."""
    attributes = {REQUESTED: requested} | ({ANSWERED: answered} if answered else {})
    name = f"call-{number}"
    return span(
        name,
        number * 1000,
        number * 1000 + 10,
        trace=name,
        failed=answered is None,
        attributes=attributes,
    )


def rollout(silent: list[int]) -> list[Row]:
    """Return a call a second; from the 20th on a new version answers, some do not answer."""
    versions = ["m-1"] * 20 + ["m-2"] * 20
    return [
        call(second, "m", None if second in silent else version)
        for second, version in enumerate(versions)
    ]


def test_a_silent_call_went_to_the_version_that_answered_around_it():
    versions = by_span(assembled(rollout([5, 33])), "model_version")

    assert (versions["call-5"], versions["call-33"]) == ("m-1", "m-2")


def test_a_silent_call_beside_a_rollout_went_to_an_unknown_version():
    assert by_span(assembled(rollout([20])), "model_version")["call-20"] is None


def test_a_name_that_nothing_answers_to_is_a_version_itself():
    rows = [
        span(f"call-{n}", n, n + 1, trace=f"t{n}", attributes={REQUESTED: "m"}) for n in range(3)
    ]

    assert set(by_span(assembled(rows), "model_version").values()) == {"m"}


def overwritten(number: int, name: str, *, failed: bool = False) -> Row:
    """Return a call of an instrumentation that replaces the name requested by the answering one."""
    attributes = {"llm.model_name": name}
    return span(
        f"call-{number}",
        number,
        number + 1,
        trace=f"t{number}",
        failed=failed,
        attributes=attributes,
    )


def test_a_bare_name_that_only_failed_calls_carry_is_the_model_of_its_builds():
    rows = [overwritten(n, f"m-2026-01-0{1 + n % 2}") for n in range(8)]
    table = assembled([*rows, overwritten(9, "m", failed=True)])

    assert by_span(table, "model_version")["call-9"] is None
    assert set(by_span(table, "model_requested").values()) == {"m"}


def test_a_name_that_fails_and_is_no_part_of_a_build_is_a_version():
    rows = [overwritten(n, "m-2026-01-01") for n in range(8)]
    table = assembled([*rows, overwritten(9, "other", failed=True)])

    assert by_span(table, "model_version")["call-9"] == "other"


@given(st.lists(st.tuples(st.sampled_from("mn"), st.sampled_from(["1", "2", None])), max_size=30))
def test_a_version_that_is_stated_stays_and_an_inferred_one_answers_for_the_name(calls):
    rows = [
        call(second, name, version and f"{name}-{version}")
        for second, (name, version) in enumerate(calls)
    ]
    found = by_span(assembled(rows), "model_version")

    stated = {name: {f"{name}-{v}" for n, v in calls if n == name and v} for name in "mn"}
    for second, (name, version) in enumerate(calls):
        got = found[f"call-{second}"]
        if version:
            assert got == f"{name}-{version}"
        else:
            assert got is None or got in (stated[name] or {name})
