"""A stand-in for MLflow: its registry's REST API as far as models, versions and aliases go."""

import asyncio
import time
from typing import Any, Final

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

API: Final = "/api/2.0/mlflow"


class _Answer(Exception):  # noqa: N818 - an answer that ends the work on a request
    """Says what went wrong as MLflow does."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Registry:
    """Models, in memory."""

    def __init__(self) -> None:
        self._models: dict[str, dict[str, Any]] = {}

    def app(self) -> Starlette:
        """Return what it answers to."""
        return Starlette(
            routes=[
                Route("/health", _health),
                Route(f"{API}/registered-models/create", self._create, methods=["POST"]),
                Route(f"{API}/registered-models/get", self._get),
                Route(f"{API}/registered-models/search", self._search),
                Route(
                    f"{API}/registered-models/alias",
                    self._alias,
                    methods=["GET", "POST", "DELETE"],
                ),
                Route(f"{API}/model-versions/create", self._create_version, methods=["POST"]),
                Route(f"{API}/model-versions/get", self._get_version),
                Route(f"{API}/model-versions/search", self._search_versions),
            ],
            exception_handlers={_Answer: _told},
        )

    async def _create(self, request: Request) -> Response:
        asked = orjson.loads(await request.body())
        name = asked["name"]
        if name in self._models:
            raise _Answer("RESOURCE_ALREADY_EXISTS", f"Registered Model {name} already exists")
        now = int(time.time() * 1000)
        self._models[name] = {
            "name": name,
            "creation_timestamp": now,
            "last_updated_timestamp": now,
            "aliases": {},
            "versions": {},
        }
        return _reply({"registered_model": self._shown(name)})

    async def _get(self, request: Request) -> Response:
        return _reply({"registered_model": self._shown(request.query_params.get("name", ""))})

    async def _search(self, _request: Request) -> Response:
        return _reply({"registered_models": [self._shown(name) for name in self._models]})

    async def _search_versions(self, _request: Request) -> Response:
        found = [
            self._version(name, version)
            for name, model in self._models.items()
            for version in model["versions"]
        ]
        return _reply({"model_versions": found})

    async def _create_version(self, request: Request) -> Response:
        asked = orjson.loads(await request.body())
        model = self._model(asked["name"])
        version = str(len(model["versions"]) + 1)
        model["versions"][version] = {
            "name": asked["name"],
            "version": version,
            "source": asked.get("source", ""),
            "creation_timestamp": int(time.time() * 1000),
            "current_stage": "None",
            "status": "READY",
        }
        return _reply({"model_version": self._version(asked["name"], version)})

    async def _get_version(self, request: Request) -> Response:
        asked = request.query_params
        found = self._version(asked.get("name", ""), asked.get("version", ""))
        return _reply({"model_version": found})

    async def _alias(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if request.method != "GET":
            body = await request.body()
            asked |= orjson.loads(body) if body else {}
        model, alias = self._model(asked.get("name", "")), asked.get("alias", "")
        if request.method == "POST":
            self._version(model["name"], asked["version"])
            model["aliases"][alias] = asked["version"]
            model["last_updated_timestamp"] = int(time.time() * 1000)
            return _reply({})
        if request.method == "DELETE":
            model["aliases"].pop(alias, None)
            return _reply({})
        if alias not in model["aliases"]:
            said = f"Registered model alias {alias} not found."
            raise _Answer("RESOURCE_DOES_NOT_EXIST", said)
        return _reply({"model_version": self._version(model["name"], model["aliases"][alias])})

    def _model(self, name: str) -> dict[str, Any]:
        if name not in self._models:
            said = f"Registered Model with name={name} not found"
            raise _Answer("RESOURCE_DOES_NOT_EXIST", said)
        return self._models[name]

    def _version(self, name: str, version: str) -> dict[str, Any]:
        model = self._model(name)
        if version not in model["versions"]:
            said = f"Model Version (name={name}, version={version}) not found"
            raise _Answer("RESOURCE_DOES_NOT_EXIST", said)
        named = [alias for alias, at in model["aliases"].items() if at == version]
        return {**model["versions"][version], "aliases": named}

    def _shown(self, name: str) -> dict[str, Any]:
        model = self._model(name)
        shown = {key: value for key, value in model.items() if key != "versions"}
        aliases = [{"alias": alias, "version": at} for alias, at in model["aliases"].items()]
        latest = [self._version(name, version) for version in list(model["versions"])[-1:]]
        return {**shown, "aliases": aliases, "latest_versions": latest}


async def _health(_request: Request) -> Response:
    return Response("OK")


async def _told(_request: Request, error: Exception) -> Response:
    assert isinstance(error, _Answer), "registered for it alone"
    status = 404 if error.code == "RESOURCE_DOES_NOT_EXIST" else 400
    return _reply({"error_code": error.code, "message": str(error)}, status)


def _reply(document: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


async def serve(port: int) -> None:
    """Serve until told to end."""
    config = uvicorn.Config(Registry().app(), port=port, log_level="warning", lifespan="off")
    await asyncio.shield(uvicorn.Server(config).serve())
