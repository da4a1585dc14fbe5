#!/usr/bin/env python3
"""Whether the graphmind of this container can answer: exit status 0 or 1."""

import sys
import urllib.error
import urllib.request

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8460/readyz"

try:
    with urllib.request.urlopen(URL, timeout=5):  # noqa: S310 - an address of this container
        sys.exit(0)
except (urllib.error.URLError, OSError) as error:
    sys.exit(f"{URL}: {error}")
