"""A live server: the load it takes, and how soon it names a fault.

python -m benchmarks live load [--seconds 60] [--rate 40000] [--sustained-seconds 600]
python -m benchmarks live detection [--seeds 20] [--minutes 2] [--quiet-minutes 30]
"""

from benchmarks.live import detection, load

PARTS = {"load": load.main, "detection": detection.main}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in PARTS:
        print(__doc__)
        return 2
    PARTS[arguments[0]](arguments[1:])
    return 0
