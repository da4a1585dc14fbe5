"""Requests that hold for one version of a repair only: ``ETag`` and ``If-Match`` (RFC 9110)."""

from typing import Annotated, Any, Final

from fastapi import Header, HTTPException, Response

from graphmind.repair.record import Repair

IfMatch = Annotated[
    str | None,
    Header(description="`ETag` of the repair as it was read, or `*` for whatever it is now"),
]
CONDITIONAL: Final[dict[int | str, dict[str, Any]]] = {
    412: {"description": "The repair changed since it was read"},
    428: {"description": "`If-Match` is missing"},
}


def state_version(response: Response, repair: Repair) -> None:
    """State the version of a repair in the answer's headers."""
    response.headers["ETag"] = etag_of(repair)


def etag_of(repair: Repair) -> str:
    """Return the strong tag of a repair's version."""
    return f'"{repair.version}"'


def require_match(repair: Repair, if_match: str | None) -> None:
    """Refuse a request that was made for another version. Raises 428 and 412."""
    current = etag_of(repair)
    if if_match is None:
        raise HTTPException(
            428,
            f"Send If-Match with the ETag of the repair that you read; it is {current} now.",
            headers={"ETag": current},
        )
    tags = {tag.strip() for tag in if_match.split(",")}
    if not tags & {current, "*"}:
        raise HTTPException(
            412,
            f"Repair {repair.repair_id} is version {current} now, If-Match says {if_match}: "
            "read it again.",
            headers={"ETag": current},
        )
