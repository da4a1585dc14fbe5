"""The model registry, as its clients see it: MLflow's REST API."""

from typing import Any, Final

import httpx

from examples.agent_platform.topology import ALIAS, GOOD, MODELS, NEW

_API: Final = "/api/2.0/mlflow"


class Registry:
    """Reads and moves aliases."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=10, trust_env=False)

    async def version(self, model: str) -> str:
        """Return the version that the alias names. Raises httpx.HTTPError."""
        said = {"name": model, "alias": ALIAS}
        reply = await self._client.get(f"{_API}/registered-models/alias", params=said)
        reply.raise_for_status()
        return str(reply.json()["model_version"]["version"])

    async def move(self, model: str, version: int) -> None:
        """Point the alias at a version. Raises httpx.HTTPError."""
        said = {"name": model, "alias": ALIAS, "version": str(version)}
        await self._post("registered-models/alias", said)

    async def fill(self) -> None:
        """Register the models with their versions, and the alias of each."""
        for model in MODELS:
            await self._post("registered-models/create", {"name": model})
            for number in range(1, NEW + 1):
                source = f"s3://models/{model}/build-{number}"
                await self._post("model-versions/create", {"name": model, "source": source})
            await self.move(model, GOOD)

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        reply = await self._client.post(f"{_API}/{path}", json=body)
        reply.raise_for_status()

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()
