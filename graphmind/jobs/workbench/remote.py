"""The workbench of the server that owns the stores, over its API."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import httpx
import msgspec

from graphmind.errors import (
    GraphmindError,
    NameTaken,
    QueryRefused,
    SettingsError,
    SourceError,
    StoreError,
    UnknownName,
)
from graphmind.jobs.workbench.port import Call, Workbench, calls
from graphmind.repair.connector import ConnectorError
from graphmind.repair.journal import Outdated, TargetBusy
from graphmind.repair.planner import PlanRefused
from graphmind.repair.states import NotAllowed
from graphmind.repair.strategies.revisions import ApprovalRefused

PATH: Final = "/api/v1/commands"
CONNECT_S: Final = 5.0
"""The server is on this machine (chosen). An answer may take as long as the job does."""
STDIN: Final = "-"
ERRORS: Final[Mapping[str, Callable[[str], GraphmindError]]] = {
    "urn:graphmind:unknown-name": UnknownName,
    "urn:graphmind:query-refused": QueryRefused,
    "urn:graphmind:input-unreadable": SourceError,
    "urn:graphmind:setting-wrong": SettingsError,
    "urn:graphmind:name-taken": NameTaken,
    "urn:graphmind:store-unavailable": StoreError,
    "urn:graphmind:not-allowed": NotAllowed,
    "urn:graphmind:target-busy": TargetBusy,
    "urn:graphmind:outdated": Outdated,
    "urn:graphmind:plan-refused": PlanRefused,
    "urn:graphmind:approval-refused": ApprovalRefused,
    "urn:graphmind:control-plane": ConnectorError,
}
"""The errors of the jobs by the type of their problem document."""


@contextmanager
def open_remote(url: str, token: str) -> Iterator[Workbench]:
    """Return the workbench of a server, by its address and the local token of its data folder."""
    timeout = httpx.Timeout(None, connect=CONNECT_S)
    known = {"Authorization": f"Bearer {token}"}
    # Never by a proxy of the environment: the server is on this machine.
    with httpx.Client(base_url=url, headers=known, timeout=timeout, trust_env=False) as client:
        yield cast("Workbench", _Remote(client))


class _Remote:
    """Has every call of the port."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            return partial(self._ask, calls()[name])
        except KeyError:
            raise AttributeError(name) from None

    def _ask(self, call: Call, **arguments: Any) -> Any:
        with _standard_input_as_file(arguments):
            try:
                answer = self._client.post(
                    f"{PATH}/{call.name}", content=msgspec.json.encode(arguments)
                )
            except httpx.TransportError as error:
                raise StoreError(
                    f"the server at {self._client.base_url} owns the data folder and does not "
                    f"answer: {error}. Try again, or end it"
                ) from error
        if not answer.is_success:
            raise _error_of(answer)
        return call.read_answer(answer.content)


def _error_of(answer: httpx.Response) -> GraphmindError:
    """Return the error that the job raised over there."""
    try:
        problem = answer.json()
        kind, detail = problem["type"], problem["detail"]
    except (ValueError, KeyError, TypeError):
        kind, detail = "", f"the server answered {answer.status_code}. Its log says more"
    return ERRORS.get(kind, GraphmindError)(detail)


@contextmanager
def _standard_input_as_file(arguments: dict[str, Any]) -> Iterator[None]:
    """The server reads files; what comes by standard input becomes one."""
    if STDIN not in arguments.get("paths", ()):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="graphmind-") as folder:
        path = Path(folder, "stdin")
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        paths = [str(path) if each == STDIN else each for each in arguments["paths"]]
        arguments["paths"] = paths
        yield
