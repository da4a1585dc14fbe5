"""Runs the command line and turns errors into exit codes."""

import sys
from typing import Final

import click
import typer

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
INTERRUPTED: Final = 130


def main() -> None:
    """Run ``graphmind`` and exit; an error becomes one line and a code."""
    try:
        code = app(standalone_mode=False)
    except GraphmindError as error:
        sys.stderr.write(f"graphmind: {error}\n")
        code = next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort, click.Abort):
        sys.stderr.write("graphmind: interrupted; what was acknowledged is kept\n")
        code = INTERRUPTED
    except BrokenPipeError:
        broken_pipe()
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
