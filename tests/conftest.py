"""Options and fixtures of all rooms."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes by the parameter's name: packed ones hold the time they were packed at.

    Tests that run side by side need the same ids in every process.
    """
    return argname if isinstance(val, bytes) and not val.isascii() else None


@pytest.fixture
def assert_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file of ``tests/golden/``; ``--update-golden`` writes it."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text, "see the diff, then pytest --update-golden"

    return compare
