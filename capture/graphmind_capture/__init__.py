"""Sets up OpenTelemetry in one call so that graphmind sees agents, keys and hangs."""

from graphmind_capture.capture import Capture
from graphmind_capture.inflight import InFlight
from graphmind_capture.scopes import Scope
from graphmind_capture.setup import CaptureError, setup

__all__ = ["Capture", "CaptureError", "InFlight", "Scope", "setup"]
