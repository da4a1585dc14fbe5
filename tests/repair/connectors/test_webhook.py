"""The webhook's connector keeps the contract, against a receiver that checks signatures."""

import base64
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
import standardwebhooks

from graphmind.errors import SettingsError
from graphmind.repair.connector import ConnectorError, Effect, OutcomeUnknown
from graphmind.repair.connectors.config import Section
from graphmind.repair.connectors.webhook import open_connector
from graphmind.repair.model import Call
from tests.contracts.connector import SECRET, ConnectorContract, Example, Rig
from tests.repair.connectors.http_serving import Answer, Asked, serving

KEY = base64.b64encode(bytes(range(32))).decode()
TOKEN = "the-token-of-the-receiver"
PAGE = Call(action="page_team", target="analyst-eu-1", params={"urgent": True})


@dataclass
class Receiver:
    """Does what events say, once for each id, and states what came of it."""

    done: list[tuple[str, str, str]] = field(default_factory=list)
    status: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def state(self) -> object:
        return list(self.done)

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"error": f"who is {asked.headers}?"}
        if asked.method == "GET":
            known = self.status.get(asked.parts[-1])
            return (200, known) if known else (404, {"error": "no such event"})
        standardwebhooks.Webhook(KEY).verify(asked.body, asked.headers)
        event = asked.document
        with self.lock:
            if event["id"] not in self.status:
                self.events.append(event)
                self._obey(event)
        return 202, {}

    def _obey(self, event: dict[str, Any]) -> None:
        wanted = event["data"]["action"], event["data"]["target"]
        self.status[event["id"]] = {"state": "done"}
        if event["type"].endswith(".undo.v1"):
            self.done.remove(("did", *wanted))
            for known in self.status.values():
                known["state"] = "undone"
        else:
            self.done.append(("did", *wanted))


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def rig(receiver):
    with serving(receiver.answer) as port:
        yield Rig(
            opener=open_connector,
            options={"secret": f"whsec_{KEY}", "token": TOKEN, "undoes": True},
            port=port,
            at=lambda port: {
                "url": f"http://127.0.0.1:{port}/hook",
                "status_url": f"http://127.0.0.1:{port}/status/{{key}}",
            },
            state=receiver.state,
            disturb=lambda _call: None,
            writes=[b"POST "],
            credentials={"token": SECRET},
            checks_credentials=True,
            timeout_s=0.5,
        )


class TestWebhook(ConnectorContract):
    examples = (Example(call=PAGE, guarded=False),)
    any_action = True

    def test_an_unknown_target_is_told_with_those_known(self, connector):
        pytest.skip("only the receiver knows its targets")


def test_an_event_says_what_is_wanted_and_its_id_is_the_key(rig, receiver):
    with rig.opened() as connector:
        connector.apply(PAGE, before={"target": "analyst-eu-1"}, key="r1-1")
    (event,) = receiver.events

    assert (event["specversion"], event["id"], event["source"]) == ("1.0", "r1-1", "/graphmind")
    assert (event["type"], event["subject"]) == ("io.graphmind.repair.command.v1", "analyst-eu-1")
    assert event["data"] == {
        "action": "page_team",
        "target": "analyst-eu-1",
        "params": {"urgent": True},
        "before": {"target": "analyst-eu-1"},
    }


def test_without_a_status_url_nobody_knows_and_it_says_so(rig, receiver):
    with rig.opened(status_url="") as connector:
        before = connector.plan(PAGE).before
        connector.apply(PAGE, before=before, key="k")
        connector.apply(PAGE, before=before, key="k")
        seen = connector.verify(PAGE, before=before, key="k")

    assert seen.effect is Effect.OTHER
    assert "cannot be known" in seen.detail
    assert receiver.done == [("did", "page_team", "analyst-eu-1")]


@pytest.mark.parametrize(
    ("state", "effect"),
    [("failed", Effect.NOT_APPLIED), ("undone", Effect.NOT_APPLIED), ("lost", Effect.OTHER)],
)
def test_what_the_receiver_states_counts(rig, receiver, state, effect):
    receiver.status["k"] = {"state": state, "detail": "as I said"}
    with rig.opened() as connector:
        seen = connector.verify(PAGE, before={}, key="k")

    assert (seen.effect, seen.detail) == (effect, "as I said")


def test_what_the_receiver_is_at_is_asked_for_again(rig, receiver):
    receiver.status["k"] = {"state": "running"}
    with rig.opened() as connector, pytest.raises(OutcomeUnknown) as refused:
        connector.verify(PAGE, before={}, key="k")

    assert refused.value.retry_after_s == 1.0


def test_a_receiver_that_does_not_undo_gives_no_inverse(rig):
    with rig.opened(undoes=False) as connector:
        planned = connector.plan(PAGE)
        with pytest.raises(ConnectorError, match="undoes: true"):
            connector.undo(PAGE, before=planned.before, key="k")

    assert planned.undo is None
    assert "undoes: true" in planned.undoes_with


def test_actions_that_are_named_are_all_it_takes(rig):
    with rig.opened(actions={"page_team": "agent"}) as connector:
        connector.plan(PAGE)
        with pytest.raises(ConnectorError, match=r"no action 'levitate'\. Known: page_team"):
            connector.plan(Call(action="levitate", target="x"))

        assert [(one.name, one.level) for one in connector.describe().actions] == [
            ("page_team", "agent")
        ]


@pytest.mark.parametrize("secret", ["whsec_c2hvcnQ=", "not base64 at all!"])
def test_a_secret_that_signs_nothing_is_refused_and_not_shown(secret):
    section = Section(name="hook", kind="webhook", options={"url": "http://hook", "secret": secret})
    with pytest.raises(SettingsError, match="`secret` should be") as refused:
        open_connector(section)

    assert secret not in str(refused.value)
