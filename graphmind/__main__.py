"""Runs the command line and turns errors into exit codes."""

import sys
from typing import Final

from graphmind.cli.app import app, broken_pipe
from graphmind.errors import (
    GraphmindError,
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
    QueryRefused: 5,
}


def main() -> None:
    """Run ``graphmind`` and exit; an error becomes one line and a code."""
    try:
        app()
    except GraphmindError as error:
        sys.stderr.write(f"graphmind: {error}\n")
        sys.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))
    except BrokenPipeError:
        broken_pipe()


if __name__ == "__main__":
    main()
