"""Lists and runs the benchmarks by name: ``python -m benchmarks [NAME [OPTIONS]]``."""

import pkgutil
import sys
from importlib import import_module

import benchmarks

PARTS = frozenset({"__main__", "api_server", "mixture", "public", "rivals", "scoring"})
"""Modules that benchmarks are made of."""


def names() -> list[str]:
    return [
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name not in PARTS
    ]


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] in names():
        return int(import_module(f"benchmarks.{arguments[0]}").main(arguments[1:]) or 0)
    if arguments:
        print(f"no benchmark is called {arguments[0]}", file=sys.stderr)
    print("python -m benchmarks NAME [OPTIONS], where NAME is one of\n")
    for name in names():
        first_line = (import_module(f"benchmarks.{name}").__doc__ or "").partition("\n")[0]
        print(f"  {name:16} {first_line}")
    return 2 if arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
