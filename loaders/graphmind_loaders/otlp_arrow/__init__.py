"""OTLP requests as protobuf, decoded straight into Arrow: the way of the receivers, made for speed.

Files are read by ``otlp_proto``, which salvages what a broken one still holds; both make the same
table of the same bytes.
"""

from graphmind_loaders.otlp_arrow.logs import decode_logs
from graphmind_loaders.otlp_arrow.spans import decode_spans

__all__ = ["decode_logs", "decode_spans"]
