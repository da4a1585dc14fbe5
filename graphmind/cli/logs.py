"""How a server writes its log: a line an event, names with values, time first."""

import logging
import sys
import time
from typing import Final

FORMAT: Final = "%(asctime)s.%(msecs)03dZ level=%(levelname)s logger=%(name)s %(message)s"
QUIET: Final = ("httpx", "httpcore", "drain3", "grpc")
"""Libraries that tell of every request or step at the level of information."""


def log_to_stderr() -> None:
    """Write what is worth knowing to standard error, in UTC."""
    formatter = logging.Formatter(FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
