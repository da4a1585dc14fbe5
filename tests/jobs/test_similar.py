import orjson
import pytest

from graphmind.archive.duck import DuckArchive
from graphmind.errors import UnknownName
from graphmind.jobs.library import open_library
from graphmind.jobs.similar import similar
from graphmind.matching.library import Library
from graphmind.matching.verdict import NEW, SEEN
from tests.jobs.test_library import analyzed, window


@pytest.fixture(scope="module")
def archive():
    """An incident, and the same again in another hour."""
    with DuckArchive(None) as archive:
        analyzed(archive, window("a", "broken@v1"))
        analyzed(archive, window("b", "broken@v2", hour=30))
        yield archive


@pytest.fixture
def ids(archive):
    """Ids of both, the earlier first."""
    return [
        own["incident_id"] for own in sorted(archive.incidents(), key=lambda own: own["onset_ms"])
    ]


def test_an_incident_is_compared_with_earlier_ones_and_says_why(archive, ids):
    answer = similar(archive, ids[1])
    [match] = answer.verdict.matches

    assert (answer.verdict.verdict, match.incident_id) == (SEEN, ids[0])
    assert match.explanation.error_codes.shared == ("timeout",)
    assert match.explanation.cause == "the same: agent broken"
    assert "(root) > route (fails) > work (fails)" in match.explanation.paths.shared
    assert similar(archive, ids[0]).verdict.verdict == NEW


def test_the_answer_is_json(archive, ids):
    document = orjson.loads(orjson.dumps(similar(archive, ids[1]).document()))

    assert document["incident_id"] == ids[1]
    assert document["verdict"]["matches"][0]["case"]["root_cause"] == "agent broken@v1"


def test_a_library_at_hand_is_not_read_again(archive, ids):
    library = open_library(archive)

    assert similar(archive, ids[1], library=library) == similar(archive, ids[1])
    assert similar(archive, ids[1], library=Library.of([])).verdict.cases == 0


def test_an_unknown_incident_is_refused(archive):
    with pytest.raises(UnknownName, match="no incident inc-0"):
        similar(archive, "inc-0")


def test_an_incident_whose_traces_are_gone_is_refused():
    with DuckArchive(None) as empty:
        empty.save_incidents(
            "run", [{"incident_id": "inc-1", "trace_ids": ["gone"], "survivors": []}]
        )

        with pytest.raises(UnknownName, match="no trace of incident inc-1 is left"):
            similar(empty, "inc-1")
