"""The folder of public data sets beside the checkout."""

from pathlib import Path

DATA = Path(__file__).parents[3] / "shared" / "data"


def present(folder: Path) -> bool:
    """Return whether a data set is there; say so where it is not."""
    if not folder.is_dir():
        print(f"skipped: the folder shared/data/{folder.name} is absent")
    return folder.is_dir()
