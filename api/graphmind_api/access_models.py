"""Bodies of the routes about who asks, and of the API keys."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from graphmind.access import keys as room
from graphmind.access.roles import RESERVED, Role
from graphmind_api.models import Int64

RoleField = Field(description="`viewer`, `responder`, `approver` or `admin`")


class Me(BaseModel):
    """Who asks."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="As the audit trail has it")
    role: Role | None = RoleField
    kind: Literal["local", "key", "oidc", "sender"] = Field(description="How they are known")
    expires_ms: Int64 | None = Field(description="When that ends; null: it does not")


class Key(BaseModel):
    """An API key, without its token."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Who acts with it, in the audit trail")
    role: Role = RoleField
    created_ms: Int64 = Field(description="Epoch ms")
    expires_ms: Int64 | None = Field(description="Epoch ms; null: never")

    @classmethod
    def of(cls, key: room.Key) -> "Key":
        """Return a key as it may be shown."""
        return cls(
            name=key.name, role=key.role, created_ms=key.created_ms, expires_ms=key.expires_ms
        )


class KeyList(BaseModel):
    """All keys, by name."""

    model_config = ConfigDict(frozen=True)

    items: tuple[Key, ...] = Field(description="By name, expired ones included")


class KeyRequest(BaseModel):
    """A key asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="For who uses it", pattern=f"^{room.NAME.pattern}$")
    role: Role = RoleField
    expires_days: float | None = Field(
        None, gt=0, le=36_500, description="Days until it opens nothing; null: never"
    )

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name.lower() in RESERVED:
            raise ValueError(f"should be none of {', '.join(sorted(RESERVED))}")
        return name


class NewKey(BaseModel):
    """A key just made."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Who acts with it")
    role: Role = RoleField
    token: str = Field(description="For `Authorization: Bearer`; it is shown this once")
