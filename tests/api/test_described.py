"""Whatever the description allows is answered as it says, and never by a fault of the server."""

import pytest
import schemathesis
from graphmind_api.app import create_app
from graphmind_api.context import API
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks

from graphmind.settings import Settings
from graphmind.wiring import open_stores
from tests.api.conftest import serving
from tests.api.repairing import desk_over

pytestmark = pytest.mark.slow

EXAMPLES = 3
"""A route (chosen: all routes within half a minute on a machine at rest)."""
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    given = Settings(data_dir=tmp_path_factory.mktemp("described"))
    with open_stores(given) as stores:
        app = create_app(stores, given, None, desk_over(stores, given, None))
        with serving(app) as client:
            yield client, schemathesis.openapi.from_dict(app.openapi())


def failure_of(operation, client):
    """Return what was answered otherwise than described, or an empty text."""
    known = {"Authorization": client.headers["Authorization"]}

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case):
        answer = case.call(base_url=str(client.base_url), headers=known)
        assert answer.status_code != 500, answer.text
        if answer.status_code != 204:  # Nothing is in it that could be described.
            case.validate_response(answer, checks=CHECKS, headers=known)

    try:
        ask()
    except (AssertionError, FailureGroup, Failure) as failure:
        return str(failure)
    return ""


def test_every_request_is_answered_as_described(served):
    client, schema = served
    every = [found.ok() for found in schema.get_all_operations()]
    # Pages for people answer mistakes by pages: tests/api/test_access_routes.py.
    operations = [each for each in every if each.path.startswith(API)]
    failures = {each.label: failure_of(each, client) for each in operations}
    told = [f"{label}: {failure}" for label, failure in failures.items() if failure]

    assert operations
    assert not told, "\n".join(told)
