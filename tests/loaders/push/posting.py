"""A receiver of OTLP over HTTP for a test, and requests to it."""

from contextlib import contextmanager

import httpx
from google.rpc.status_pb2 import Status
from graphmind_loaders.push.otlp_http import OtlpHttp
from graphmind_loaders.push.signals import JSON, PROTOBUF

from graphmind.settings import Settings

BODY_MAX = 100_000


@contextmanager
def listening(sink, *, token="", **bounds):
    settings = Settings(otlp_http_port=0, otlp_body_max=BODY_MAX, otlp_token=token)
    receiver = OtlpHttp(sink, settings, host="127.0.0.1", **bounds)
    try:
        yield receiver
    finally:
        receiver.stop()


def post(receiver, body, path="/v1/traces", content_type=PROTOBUF, **headers):
    named = {"content-type": content_type} if content_type else {}
    named |= {key.replace("_", "-"): value for key, value in headers.items()}
    return httpx.post(f"http://{receiver.address}{path}", content=body, headers=named, timeout=30)


def message(response):
    """Return the message of the Status that a refusal is."""
    if response.headers["content-type"] == JSON:
        return response.json()["message"]
    assert response.headers["content-type"] == PROTOBUF
    return Status.FromString(response.content).message
