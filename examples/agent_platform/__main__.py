"""Command line of the reference platform."""

import argparse
import asyncio
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from examples.agent_platform.faults import FAULTS, described
from examples.agent_platform.launch import Wish, run, say

RATE, SMALL_RATE = 20.0, 4.0
"""Tasks a second, in full and in small."""
FOLDER: Final = ".agent_platform"


def main() -> int:
    """Run the command; return the exit status."""
    if len(sys.argv) > 1 and sys.argv[1].startswith("_"):
        return _part(sys.argv[1][1:], sys.argv[2:])
    options = _parser().parse_args()
    if options.command == "start":
        return asyncio.run(run(_wish(options)))
    path = {"status": "status", "inject": "inject/{}", "clear": "clear/{}"}[options.command]
    return _control(options.folder, path.format(getattr(options, "name", "")))


def _parser() -> argparse.ArgumentParser:
    faults = "\n".join(f"  {name:22} {text}" for name, text in described().items())
    parser = argparse.ArgumentParser(
        prog="python -m examples.agent_platform",
        description="A platform of 17 agents in two regions that runs, breaks and is healed.",
        epilog=f"faults:\n{faults}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="start it, load included, until interrupted")
    start.add_argument(
        "--otlp", default="", help="where spans go, OTLP over HTTP; default: nowhere"
    )
    start.add_argument(
        "--rate", type=float, help=f"tasks a second, {RATE:g}; small: {SMALL_RATE:g}"
    )
    start.add_argument("--small", action="store_true", help="few tasks a second, for a laptop")
    start.add_argument("--seed", type=int, default=0, help="chooses what faults hit, and the load")
    start.add_argument("--fault", choices=sorted(FAULTS), help="injected by itself")
    start.add_argument("--fault-after", type=float, default=60.0, help="seconds until then")
    start.add_argument("--stand-ins", action="store_true", help="use no real server")
    start.add_argument("--token", default="", help="that the controller asks for; default: none")
    said: list[tuple[str, str]] = [
        ("status", "addresses, processes, faults in force"),
        ("inject", "bring a fault about"),
        ("clear", "put the world right"),
    ]
    for name, text in said:
        one = commands.add_parser(name, help=text)
        if name != "status":
            one.add_argument("name", choices=sorted(FAULTS))
    for one in commands.choices.values():
        one.add_argument("--folder", type=Path, default=Path(FOLDER), help=f"default {FOLDER}")
    return parser


def _wish(options: argparse.Namespace) -> Wish:
    return Wish(
        folder=options.folder,
        otlp=options.otlp,
        rate=options.rate or (SMALL_RATE if options.small else RATE),
        seed=options.seed,
        stand_ins=options.stand_ins,
        fault=options.fault,
        fault_after_s=options.fault_after,
        token=options.token,
    )


def _control(folder: Path, path: str) -> int:
    """Ask the platform that runs in a folder."""
    try:
        document: dict[str, Any] = orjson.loads((folder / "platform.json").read_bytes())
        url = f"{document['control']}/{path}"
        with httpx.Client(trust_env=False, timeout=90) as client:
            reply = client.get(url) if path == "status" else client.post(url)
    except (FileNotFoundError, httpx.TransportError) as error:
        sys.stderr.write(f"expected a platform that runs in {folder}: {error}\n")
        return 1
    say(orjson.dumps(reply.json(), option=orjson.OPT_INDENT_2).decode())
    return 0 if reply.is_success else 1


PARTS: Final = {
    "host": "examples.agent_platform.host:main",
    "gateway": "examples.agent_platform.gateway:main",
    "controller": "examples.agent_platform.controller.app:main",
    "customers": "examples.agent_platform.customers:main",
    "guard": "examples.agent_platform.servers:guard",
    "stand_in": "examples.agent_platform.standins.run:main",
}
"""What the launcher starts, each in a process that loads only what it needs."""


def _part(name: str, arguments: list[str]) -> int:
    module, _, function = PARTS[name].partition(":")
    getattr(import_module(module), function)(*arguments)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
