"""Files that only the owner of the data folder may read, replaced whole."""

import os
import tempfile
from pathlib import Path

from graphmind.errors import StoreError


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600; a reader sees the former or the new one. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes it 0600, so it is never readable by others, not even for a moment.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}. Check the rights of the data folder"
        ) from error
