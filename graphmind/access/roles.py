"""The four roles; each may do what those before it may."""

from typing import Final, Literal, get_args

Role = Literal["viewer", "responder", "approver", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""Least first: reads; plans, runs and stops repairs; approves them; manages keys."""
RESERVED: Final = frozenset({"local", "policy", "anonymous", "graphmind", "serve"})
"""Names that the audit trail gives to no person."""


def covers(role: Role | None, needed: str) -> bool:
    """Tell whether a role may do what another may; None may do nothing."""
    return role is not None and ROLES.index(role) >= ROLES.index(as_role(needed))


def as_role(text: str) -> Role:
    """Read the name of a role. Raises ValueError."""
    for role in ROLES:
        if role == text:
            return role
    raise ValueError(f"expected one of {', '.join(ROLES)}, got {text!r}")
