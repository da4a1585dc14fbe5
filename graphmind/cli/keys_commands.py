"""What the commands of ``keys.py`` do."""

import time
from typing import Any

from rich.markup import escape

from graphmind.access.keys import Key, Keys
from graphmind.access.roles import as_role
from graphmind.cli.commands import print_json
from graphmind.cli.options import Context
from graphmind.cli.tables import moment, print_rows


def create_key(run: Context, name: str, role: str, *, days: float | None) -> None:
    """Make a key; its token alone goes to standard output, for ``$(...)``."""
    keys = Keys(run.settings.data_dir)
    token = keys.create(name, as_role(role), now_ms=_now_ms(), days=days)
    if run.json:
        print_json({"name": name, "role": role, "token": token})
        return
    run.err.print(
        f"{escape(name)} is {role}. Keep this token: it is not shown again", soft_wrap=True
    )
    run.out.print(token, markup=False, soft_wrap=True)


def list_keys(run: Context) -> None:
    """List the keys."""
    found = Keys(run.settings.data_dir).all()
    if run.json:
        print_json({"keys": [_described(key) for key in found]})
    elif not found:
        run.out.print("No keys.")
    else:
        print_rows(run.out, [_shown(key) for key in found])


def revoke_key(run: Context, name: str) -> None:
    """Forget a key."""
    revoked = Keys(run.settings.data_dir).revoke(name)
    if run.json:
        print_json(_described(revoked))
    else:
        run.out.print(f"{escape(name)} opens nothing any more")


def _described(key: Key) -> dict[str, Any]:
    """Return a key without its hash."""
    return {
        "name": key.name,
        "role": key.role,
        "created_ms": key.created_ms,
        "expires_ms": key.expires_ms,
    }


def _shown(key: Key) -> dict[str, Any]:
    expires = "never" if key.expires_ms is None else f"{moment(key.expires_ms)} UTC"
    return {
        "name": key.name,
        "role": key.role,
        "made": f"{moment(key.created_ms)} UTC",
        "expires": expires if key.holds(_now_ms()) else f"{expires} (expired)",
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
