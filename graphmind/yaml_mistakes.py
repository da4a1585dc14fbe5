"""What is wrong with a YAML file that may hold secrets, in words that show none of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from graphmind.errors import SettingsError


@contextmanager
def yaml_mistakes(path: Path) -> Iterator[None]:
    """Turn what the YAML reader raises about a file into SettingsError with the line."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        # Not all of the error's text: it quotes the file, and there may be secrets in it.
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = (error.problem or "").partition("'")[0].strip()
        raise SettingsError(f"{path}:{line}: this is no YAML: {problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise SettingsError(
            f"{path}: this is no YAML: a character it forbids, a date that is none, or lists in "
            "lists without end"
        ) from None
