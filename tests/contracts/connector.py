"""What every connector must do. Subclass ``ConnectorContract``: its calls, and a fixture ``rig``.

Each test runs against the real system; where that has to misbehave, a real server on loopback does.
"""

import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any, ClassVar

import orjson
import pytest
from jsonschema import Draft202012Validator

from graphmind.repair.connector import (
    Connector,
    ConnectorError,
    Effect,
    OutcomeUnknown,
    Planned,
    StateChanged,
)
from graphmind.repair.connectors.config import Opener, Section
from graphmind.repair.model import Call, Json
from tests.contracts.misbehaving import Losing, answering, closed_port, losing, silent

SECRET = "open-sesame-0815"
"""What ``Rig.credentials`` hold, wrong as they are."""
_BODIES = (b"<html>hello</html>", b"[]", b"null", b'"yes"', b'{"x": 1}', b'{"cut": "off', b"")
HTTP_GARBAGE = (
    *(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body)
        for body in _BODIES
    ),
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"",
)
_keys = (f"repair-{number}" for number in count())


@dataclass(frozen=True, kw_only=True)
class Example:
    """A call that the real system can take."""

    call: Call
    exact: bool = True
    """Undoing brings everything back; else the plan must say what it does not bring back."""
    guarded: bool = True
    """Its target can be in a state that is neither that before the call nor that after."""
    atomic: bool = True
    """One request does all of it; else half may be done, which ``verify`` calls not applied."""

    def __str__(self) -> str:
        return f"{self.call.action}-{self.call.target}"


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A connector's real system, as a test finds it."""

    opener: Opener
    options: Mapping[str, Any]
    """Options of the connector, the address apart."""
    port: int
    """Where the real system listens on this machine."""
    at: Callable[[int], Mapping[str, Any]]
    """Return the options that give the address, for a port of this machine."""
    state: Callable[[], object]
    """Read all that calls may change, not by the connector; without keys of idempotency."""
    disturb: Callable[[Call], None]
    """Change what a call acts on, as somebody else would, to neither before nor after."""
    writes: Sequence[bytes]
    """Bytes that stand in a request to change something, and in no other."""
    credentials: Mapping[str, Any]
    """Options with wrong credentials, SECRET among them; empty where the system knows none."""
    checks_credentials: bool = False
    """The real system refuses them; else a server does that repeats all it is told."""
    garbage: Sequence[bytes] = HTTP_GARBAGE
    timeout_s: float = 1.0
    """After which an answer is given up where one is lost: the system must be faster."""

    @contextmanager
    def opened(
        self, *, port: int | None = None, live: bool = True, **options: Any
    ) -> Iterator[Connector]:
        """Open the connector, as its section of the connectors file would."""
        where = self.at(self.port if port is None else port)
        section = Section(
            name="under-test",
            kind="tested",
            live=live,
            options={**self.options, **where, **options},
            where="connectors.yaml:7",
        )
        with closing(self.opener(section)) as connector:
            yield connector


def planned_by(connector: Connector, call: Call) -> Planned:
    """Plan, and bring what the plan holds through JSON, as the journal does."""
    planned = connector.plan(call)
    before = orjson.loads(orjson.dumps(planned.before))
    undo = planned.undo and Call(**orjson.loads(orjson.dumps(asdict(planned.undo))))
    return replace(planned, before=before, undo=undo)


def shown(error: BaseException) -> str:
    """Return all that a log would show of an error."""
    return "".join(traceback.format_exception(error)) + repr(error)


class ConnectorContract:
    """Say which calls the system takes; the fixture ``rig`` gives a fresh system a test."""

    examples: ClassVar[Sequence[Example]]
    unknown_target: ClassVar[tuple[Call, str]]
    """A call on a target that is not there, and what the error must match."""
    any_action: ClassVar[bool] = False
    """The connector takes any action with any parameters."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "example" in metafunc.fixturenames:
            metafunc.parametrize("example", self.examples, ids=str)

    @pytest.fixture
    def connector(self, rig: Rig) -> Iterator[Connector]:
        with rig.opened() as connector:
            yield connector

    def test_it_says_what_it_is_without_asking_and_without_secrets(self, rig):
        with rig.opened(port=closed_port(), live=False, **rig.credentials) as connector:
            described = connector.describe()

            assert not described.live
            assert SECRET not in f"{described!r} {connector!r} {connector!s} {vars(connector)!r}"
            for action in described.actions:
                Draft202012Validator.check_schema(dict(action.params_schema))
        if not self.any_action:
            known = {action.name for action in described.actions}
            assert {example.call.action for example in self.examples} <= known

    def test_a_plan_changes_nothing_and_says_what_would_happen(self, rig, connector, example):
        state = rig.state()
        planned = planned_by(connector, example.call)

        assert rig.state() == state
        assert planned.before
        assert example.call.target in planned.summary
        assert "\n" not in planned.summary
        assert planned.undo is not None or planned.undoes_with
        assert example.exact or planned.undoes_with
        assert planned_by(connector, example.call).before == planned.before

    def test_it_only_plans_unless_switched_on(self, rig, example):
        with rig.opened(live=False) as connector:
            planned = planned_by(connector, example.call)
            state = rig.state()
            for change in changes(connector, example.call, planned):
                with pytest.raises(ConnectorError, match="live: true"):
                    change()

            assert rig.state() == state

    def test_what_is_applied_once_stays_once(self, rig, connector, example):
        state, key = rig.state(), next(_keys)
        before = planned_by(connector, example.call).before
        applied = connector.apply(example.call, before=before, key=key)
        once = rig.state()
        connector.apply(example.call, before=before, key=key)

        assert once != state
        assert rig.state() == once
        assert applied.detail

    def test_it_tells_whether_a_call_took_effect(self, connector, example):
        before, key = planned_by(connector, example.call).before, next(_keys)
        not_yet = connector.verify(example.call, before=before, key=key)
        connector.apply(example.call, before=before, key=key)
        done = connector.verify(example.call, before=before, key=key)

        assert (not_yet.effect, done.effect) == (Effect.NOT_APPLIED, Effect.APPLIED)

    def test_what_somebody_else_changed_is_left_alone(self, rig, connector, example):
        if not example.guarded:
            pytest.skip("there is only before and after")
        before, key = planned_by(connector, example.call).before, next(_keys)
        rig.disturb(example.call)
        state = rig.state()
        with pytest.raises(StateChanged):
            connector.apply(example.call, before=before, key=key)
        seen = connector.verify(example.call, before=before, key=key)

        assert seen.effect is Effect.OTHER
        assert rig.state() == state

    def test_undoing_brings_back_what_was(self, rig, connector, example):
        planned, key = planned_by(connector, example.call), next(_keys)
        undo = undo_of(planned)
        state = rig.state()
        connector.apply(example.call, before=planned.before, key=key)
        for _ in range(2):
            connector.undo(undo, before=planned.before, key=f"{key}-undo")
            if example.exact:
                assert rig.state() == state

        if example.exact:
            seen = connector.verify(example.call, before=planned.before, key=key)
            assert seen.effect is Effect.NOT_APPLIED

    def test_doing_and_undoing_again_is_the_same(self, rig, connector, example):
        if not example.exact:
            pytest.skip("what it does is not brought back, so it cannot be done on the same again")
        states = []
        for _ in range(2):
            planned, key = planned_by(connector, example.call), next(_keys)
            connector.apply(example.call, before=planned.before, key=key)
            states.append(rig.state())
            connector.undo(undo_of(planned), before=planned.before, key=f"{key}-undo")
            states.append(rig.state())

        assert states[:2] == states[2:]

    def test_what_somebody_else_changed_since_is_not_undone(self, rig, connector, example):
        if not (example.exact and example.guarded):
            pytest.skip("undoing it changes nothing, or there is only before and after")
        planned, key = planned_by(connector, example.call), next(_keys)
        connector.apply(example.call, before=planned.before, key=key)
        rig.disturb(example.call)
        state = rig.state()
        with pytest.raises(StateChanged):
            connector.undo(undo_of(planned), before=planned.before, key=f"{key}-undo")

        assert rig.state() == state

    @pytest.mark.parametrize("cut", [False, True], ids=["silent", "cut"])
    @pytest.mark.parametrize("delivered", [False, True], ids=["lost", "late"])
    def test_an_answer_that_does_not_come_leaves_the_outcome_open(
        self, rig, connector, example, delivered, cut
    ):
        before, key = planned_by(connector, example.call).before, next(_keys)
        how = Losing(writes=rig.writes, delivered=delivered, cut=cut)
        with losing(rig.port, how) as port:
            lose_the_answer(rig, port, example.call, before, key)
        seen = connector.verify(example.call, before=before, key=key)

        if example.atomic:
            assert seen.effect is (Effect.APPLIED if delivered else Effect.NOT_APPLIED)
        connector.apply(example.call, before=before, key=key)
        done = connector.verify(example.call, before=before, key=key)
        assert done.effect is Effect.APPLIED

    def test_a_system_that_is_not_there_is_told_with_what_to_do(self, rig, connector):
        call = self.examples[0].call
        planned = planned_by(connector, call)
        with rig.opened(port=closed_port(), **rig.credentials) as nowhere:
            self._each_fails(nowhere, call, planned, words=r"\brun")

    def test_a_system_that_says_nothing_is_told(self, rig, connector):
        call = self.examples[0].call
        planned = planned_by(connector, call)
        with silent() as port, rig.opened(port=port, timeout_s=0.2, **rig.credentials) as mute:
            self._each_fails(mute, call, planned, words=r"0\.2 s")

    def test_garbage_is_told(self, rig, connector):
        call = self.examples[0].call
        planned = planned_by(connector, call)
        for nonsense in rig.garbage:
            with (
                answering(nonsense) as port,
                rig.opened(port=port, timeout_s=1.0, **rig.credentials) as talking,
            ):
                self._each_fails(talking, call, planned)

    def test_wrong_credentials_are_told_and_not_shown(self, rig, connector):
        if not rig.credentials:
            pytest.skip("the system knows no credentials")
        call = self.examples[0].call
        planned = planned_by(connector, call)
        with echoing_refusal() as refusing:
            port = rig.port if rig.checks_credentials else refusing
            with rig.opened(port=port, **rig.credentials) as stranger:
                self._each_fails(stranger, call, planned, words="credentials|password|token|key")

    def test_an_unknown_action_is_told_with_those_known(self, connector):
        if self.any_action:
            pytest.skip("it takes any action")
        known = connector.describe().actions[0].name
        call = replace(self.examples[0].call, action="levitate")
        with pytest.raises(ConnectorError, match=rf"levitate(.|\n)*{known}|{known}.*levitate"):
            connector.plan(call)

    def test_an_unknown_target_is_told_with_those_known(self, connector):
        call, words = self.unknown_target
        with pytest.raises(ConnectorError, match=words) as refused:
            connector.plan(call)

        assert call.target in str(refused.value)

    def test_unknown_parameters_are_told(self, connector, example):
        if self.any_action:
            pytest.skip("it takes any parameters")
        call = replace(example.call, params={**example.call.params, "surprise": 1})
        with pytest.raises(ConnectorError, match="surprise") as refused:
            connector.plan(call)

        for name in example.call.params:
            assert re.search(rf"\b{name}\b", str(refused.value))

    def _each_fails(
        self, connector: Connector, call: Call, planned: Planned, *, words: str = "."
    ) -> None:
        """Check that each method says what is wrong, and shows no secret."""
        reads: list[Callable[[], object]] = [
            lambda: connector.plan(call),
            lambda: connector.verify(call, before=planned.before, key="k"),
        ]
        for ask in [*reads, *changes(connector, call, planned)]:
            with pytest.raises(ConnectorError, match=words) as refused:
                ask()
            assert not isinstance(refused.value, StateChanged)
            assert SECRET not in shown(refused.value)


def lose_the_answer(rig: Rig, port: int, call: Call, before: Json, key: str) -> None:
    """Apply where the answer is lost; on a busy machine even reading may need more patience."""
    for patience in (1, 8):
        with rig.opened(port=port, timeout_s=patience * rig.timeout_s) as connector:
            try:
                connector.apply(call, before=before, key=key)
            except OutcomeUnknown:
                return
            except ConnectorError:
                assert patience == 1, "it only reads, and that too slowly"
            else:
                pytest.fail("the answer was lost, and it did not notice")


def changes(connector: Connector, call: Call, planned: Planned) -> list[Callable[[], object]]:
    """Return what would make changes: doing it, and undoing it where that can be."""
    undo = planned.undo
    doing: list[Callable[[], object]] = [
        lambda: connector.apply(call, before=planned.before, key="k")
    ]
    if undo is None:
        return doing
    return [*doing, lambda: connector.undo(undo, before=planned.before, key="k-undo")]


def undo_of(planned: Planned) -> Call:
    """Return the inverse; skips where there is none."""
    if planned.undo is None:
        pytest.skip(f"no inverse: {planned.undoes_with}")
    return planned.undo


@contextmanager
def echoing_refusal() -> Iterator[int]:
    """An HTTP server that refuses all, repeating what it was told; gives its port."""

    def refuse(asked: bytes) -> bytes:
        body = orjson.dumps({"error": f"who is this? {asked.decode('utf-8', 'replace')}"})
        head = b"HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\n"
        return head + b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body)

    with answering(refuse) as port:
        yield port
