"""One receiver for all tests of a file that only ask what is answered: over HTTP, unless the file
makes ``shared`` of another transport."""

import pytest

from tests.loaders.push.posting import listening
from tests.loaders.push.sinks import Keeping


@pytest.fixture(scope="module")
def shared():
    """One receiver for all tests that only ask what is answered."""
    sink = Keeping()
    with listening(sink) as receiver:
        yield receiver, sink


@pytest.fixture
def receiver(shared):
    shared[1].batches.clear()
    return shared[0]


@pytest.fixture
def sink(shared):
    return shared[1]
