"""The console: plain ES modules and CSS that the API serves, as they stand in ``static``."""

from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
"""The folder of files; ``index.html`` is the one page."""
