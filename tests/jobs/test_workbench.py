"""The calls of the workbench as they go over HTTP."""

import inspect

import msgspec
import pytest
from graphmind_api.problems import KNOWN

from graphmind.errors import SourceError
from graphmind.jobs.workbench.local import LocalWorkbench
from graphmind.jobs.workbench.port import Workbench, calls
from graphmind.jobs.workbench.remote import ERRORS


def test_every_call_of_the_port_is_answered_with_the_same_arguments():
    for name in calls():
        port, local = getattr(Workbench, name), getattr(LocalWorkbench, name)

        assert inspect.signature(local) == inspect.signature(port), name


def test_arguments_go_there_and_answers_come_back():
    call = calls()["lineage"]
    given = {"incident_id": "", "key": "k", "at_ms": None, "trace_id": ""}

    assert call.read_arguments(msgspec.json.encode(given)) == given
    assert call.read_answer(b'{"a": [1, null]}') == {"a": [1, None]}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"limit": "3"}', b'{"limit": 3, "more": 1}'])
def test_arguments_that_are_not_those_of_the_call_are_refused(body):
    with pytest.raises(msgspec.MsgspecError):
        calls()["anomalies"].read_arguments(body)


def test_every_error_that_the_api_tells_comes_back_as_itself():
    told = {kind: error for error, (kind, _title, _status) in KNOWN.items()}

    # Told by the route of commands alone: it names files of the server's machine.
    assert told | {"urn:graphmind:input-unreadable": SourceError} == ERRORS
