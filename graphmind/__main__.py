"""Runs the command line and turns errors into exit codes."""

import sys
from typing import Final

from graphmind.cli.app import app, broken_pipe
from graphmind.errors import (
    GraphmindError,
    NameTaken,
    QueryRefused,
    SettingsError,
    SourceError,
    StoreError,
    UnknownName,
)

EXIT_CODES: Final[dict[type[GraphmindError], int]] = {
    SettingsError: 2,
    SourceError: 3,
    StoreError: 4,
    UnknownName: 5,
    NameTaken: 5,
    QueryRefused: 5,
}
OTHER: Final = 1
"""The code of an error that no command should let out."""


def main() -> None:
    """Run ``graphmind`` and exit; an error becomes one line and a code."""
    try:
        app()
    except GraphmindError as error:
        sys.stderr.write(f"graphmind: {error}\n")
        sys.exit(_code(error))
    except BrokenPipeError:
        broken_pipe()


def _code(error: GraphmindError) -> int:
    codes = EXIT_CODES | _repair_codes()
    return next((code for kind, code in codes.items() if isinstance(error, kind)), OTHER)


def _repair_codes() -> dict[type[GraphmindError], int]:
    """Return the codes of repair, imported only once something failed: ``--help`` need not wait."""
    from graphmind.repair.connector import ConnectorError
    from graphmind.repair.journal import Outdated, TargetBusy
    from graphmind.repair.planner import PlanRefused
    from graphmind.repair.states import NotAllowed
    from graphmind.repair.strategies.revisions import ApprovalRefused

    refused = (NotAllowed, Outdated, TargetBusy, PlanRefused, ApprovalRefused)
    return dict.fromkeys(refused, 6) | {ConnectorError: 7}


if __name__ == "__main__":
    main()
