"""``docker-compose.yml`` as Compose reads it: merged, variables filled in."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
VARIABLE: Final = re.compile(r"\$\{(\w+)(?::\?([^}]*))?\}")


class Missing(Exception):  # noqa: N818 - reads as the finding
    """A variable that the file asks for is not set."""


def compose(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the file; ``environment`` fills variables in. Raises Missing, as Compose would end."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    if environment is not None:
        text = VARIABLE.sub(lambda found: _value(found, environment), text).replace("$$", "$")
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if not environment.get(found[1]):
        raise Missing(f"{found[1]}: {found[2]}")
    return environment[found[1]]


def first_start(folder: Path) -> dict[str, str]:
    """Run the script of the first start for a folder; return what it wrote."""
    subprocess.run([ROOT / "deploy" / "first-start.sh", str(folder)], check=True)
    lines = (folder / ".env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)
