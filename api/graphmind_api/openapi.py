"""The description of the API for programs, with errors as they are."""

from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from graphmind_api.context import API
from graphmind_api.problems import MEDIA_TYPE, Problem

PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}

openapi_route = APIRouter()


@openapi_route.get(f"{API}/openapi.json", include_in_schema=False)
def read_document(request: Request) -> JSONResponse:
    """Describe the API for programs."""
    return JSONResponse(request.app.openapi())


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an app; every error in it is a problem document."""
    if app.openapi_schema:  # Made once: it takes a second of a core.
        return app.openapi_schema
    described = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    schemas = described["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    defined = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= defined.pop("$defs") | {"Problem": defined}
    described["components"]["schemas"] = dict(sorted(schemas.items()))
    for path in described["paths"].values():
        for operation in path.values():
            _state_problems(operation["responses"])
    app.openapi_schema = described
    return described


def _state_problems(responses: dict[str, Any]) -> None:
    """Describe as a problem every error that has no body of its own, 422 included."""
    responses.setdefault("default", {"description": "Any other error"})
    for status, response in responses.items():
        if status == "422" or "content" not in response:
            response["content"] = {MEDIA_TYPE: {"schema": PROBLEM}}
