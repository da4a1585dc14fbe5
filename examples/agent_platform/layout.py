"""Where everything of one running platform is: written once by the launcher, read by all."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import orjson

from examples.agent_platform.conditions import Conditions, Watched, replace_file


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Addresses and settings that stay as they are while the platform runs."""

    folder: str
    seed: int
    rate: float
    """Tasks a second."""
    otlp: str
    """Where spans go, OTLP over HTTP; empty: nowhere."""
    redis_port: int
    balancer_port: int
    balancer_socket: str
    mlflow: str
    gateway: str
    controller: str
    hooks: str
    """Where customers take callbacks."""
    control: str
    """Where faults are injected and cleared."""
    agent_ports: dict[str, int]
    token: str = ""
    """Bearer token of the controller; empty: none."""

    @property
    def entrance(self) -> str:
        """Where tasks come in: the load balancer."""
        return f"http://127.0.0.1:{self.balancer_port}"

    @property
    def redis(self) -> str:
        """Address of the state store."""
        return f"redis://127.0.0.1:{self.redis_port}/0"

    @property
    def conditions(self) -> Conditions:
        """What is wrong with the world."""
        return Conditions(Path(self.folder) / "conditions.json")

    @property
    def directory(self) -> Watched:
        """The controller's word on each agent, by name: ``status`` and ``degraded_to``."""
        return Watched(Path(self.folder) / "directory.json")

    def save(self) -> None:
        """Write it where ``load`` finds it."""
        replace_file(Path(self.folder) / "layout.json", asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read it. Raises FileNotFoundError where no platform was started in the folder."""
        return cls(**orjson.loads((folder / "layout.json").read_bytes()))


def trace_environment(name: str) -> None:
    """Say to OpenTelemetry what is not worth a span, before it is set up."""
    os.environ["OTEL_PYTHON_EXCLUDED_URLS"] = "healthz,/v1/resume,/v1/routes"
    os.environ["OTEL_RESOURCE_ATTRIBUTES"] = f"service.version=1.4.0,process.owner={name}"
