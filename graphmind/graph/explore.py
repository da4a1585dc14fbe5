"""What an analyst's own Cypher may not say, whatever the engine would let through. Pure.

Both engines run LOAD CSV and procedures in read mode, so both are refused by their words; that a
statement does not write is then left to the engine, which parses it.
"""

import re
from typing import Final

from graphmind.errors import QueryRefused

# Strings, names in back quotes and comments, in the order in which a scanner meets them.
QUOTED: Final = re.compile(
    r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `(?:[^`]|``)*` | //[^\n]* | /\*.*?\*/""",
    re.VERBOSE | re.DOTALL,
)
_LOAD_CSV: Final = re.compile(r"\bLOAD\s+CSV\b", re.IGNORECASE)
# CALL { ... } and CALL (x) { ... } are subqueries, n.call is a property; a name is a procedure.
_PROCEDURE: Final = re.compile(r"(?<![A-Za-z_]\.)\bCALL\s+\w", re.IGNORECASE)
_STEERING: Final = re.compile(
    r"^\s*(EXPLAIN|PROFILE|SHOW|TERMINATE|USE|CYPHER)\b|\bIN\s+(?:\w+\s+)*TRANSACTIONS\b",
    re.IGNORECASE,
)


def refuse_unsafe(text: str) -> None:
    r"""Raise QueryRefused if a statement loads files, calls procedures or steers the server.

    A ``\u`` escape is refused too: Neo4j resolves it before it reads quotes.
    """
    if "\\u" in text:
        raise QueryRefused(r"Write characters as they are: \u escapes are refused.")
    bare = QUOTED.sub(_blank, text)
    if _LOAD_CSV.search(bare):
        raise QueryRefused("LOAD CSV reads files and addresses of the server: it is refused.")
    if _PROCEDURE.search(bare):
        raise QueryRefused("Procedures are refused; a subquery is written CALL { ... }.")
    if found := _STEERING.search(bare):
        raise QueryRefused(f"{found[0].strip().upper()} is refused: only reading is allowed.")


def _blank(quoted: re.Match[str]) -> str:
    """Blank out a comment; keep a quoted name as a word, so that it cannot hide a procedure."""
    return " " if quoted[0].startswith("/") else " q "
