"""Values written into Cypher, for places that cannot set its parameters. Pure.

What is executed here takes parameters; this is for texts that people run elsewhere.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from graphmind.graph.explore import QUOTED

_PARAMETER: Final = re.compile(rf"{QUOTED.pattern} | \$(\w+)", QUOTED.flags)


def written_out(text: str, values: Mapping[str, Any]) -> str:
    """Return a statement with its parameters replaced by values; those without one stay.

    A ``$`` within quotes or comments is no parameter.
    """
    return _PARAMETER.sub(
        lambda found: literal(values[found[1]]) if found[1] in values else found[0], text
    )


def literal(value: Any) -> str:
    """Write a value as Cypher has it; JSON's texts, numbers and lists are the same there."""
    if isinstance(value, dict):
        inside = ", ".join(f"{_quoted(name)}: {literal(each)}" for name, each in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
