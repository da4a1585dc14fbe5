"""Runs the benchmarks and writes what they print, with what they ran on, as Markdown.

    python -m benchmarks bench [NAME ...] [--long] [--results benchmarks/results]

Without names every benchmark that is not long. A benchmark knows nothing of files: its standard
output is taken as it is.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
LONG = {
    "causes": ("--sizes", "10000", "100000", "1000000", "--large-seeds", "20"),
    "planted": ("--traces", "100000", "--seeds", "5", "--quiet", "5"),
}
"""Further arguments of runs that take an hour or more; their results stand in NAME-long.md."""
PACKAGES = (
    *("graphmind-incidents", "numpy", "scipy", "scikit-learn", "networkx", "python-louvain"),
    *("igraph", "pyarrow", "duckdb"),
)
GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Run:
    """One benchmark with its arguments."""

    name: str
    arguments: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What a reader types."""
        return " ".join(("python -m benchmarks", self.name, *self.arguments))

    @property
    def file_name(self) -> str:
        """The file of its results."""
        return f"{self.name}{'-long' if self.arguments else ''}.md"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--long", action="store_true", help="also the runs of an hour or more")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the tables")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - {*known()}:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    given.results.mkdir(parents=True, exist_ok=True)
    failed = [
        run.command for run in runs(given.names, long=given.long) if write(run, given.results)
    ]
    for command in failed:
        print(f"failed: {command}", file=sys.stderr)
    return int(bool(failed))


def runs(names: Sequence[str], *, long: bool) -> list[Run]:
    """Return what to run: the benchmarks named, or all; the long ones last."""
    chosen = [*names] or known()
    extra = [Run(name=name, arguments=LONG[name]) for name in chosen if long and name in LONG]
    return [Run(name=name) for name in chosen] + extra


def known() -> list[str]:
    """List every benchmark but this one, which runs them."""
    from benchmarks.__main__ import names  # noqa: PLC0415 - that module lists this one

    return [name for name in names() if name != "bench"]


def write(run: Run, results: Path) -> int:
    """Run one benchmark and write its page; return its exit code.

    One that ends with another code than 0 may have measured a limit that is not kept: the page says
    so, as far as there is anything on it.
    """
    print(run.command, file=sys.stderr)
    began, ran_on = time.monotonic(), provenance()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", run.name, *run.arguments],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    minutes = (time.monotonic() - began) / 60
    if not done.stdout:
        return done.returncode
    title = (import_module(f"benchmarks.{run.name}").__doc__ or "").partition("\n")[0]
    page = [
        f"# {run.name}\n\n{title}\n",
        f"`{run.command}`, {minutes:.0f} minutes, exit code {done.returncode}\n",
        *(f"- {line}" for line in ran_on),
        "",
        markdown(done.stdout),
    ]
    (results / run.file_name).write_text("\n".join(page), "utf-8")
    return done.returncode


def provenance() -> list[str]:
    """Say which code ran on what: commit, versions, machine."""
    versions = [f"python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} absent")
    return [f"commit {commit()}", ", ".join(versions), machine()]


def commit() -> str:
    """Name the commit, and whether tracked files differ from it."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True).strip()
        changed = subprocess.check_output([*git, "status", "--porcelain", "-uno"], text=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head} and uncommitted changes" if changed else head


def machine() -> str:
    """Describe processor, cores and memory, and nothing that tells machines apart."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return f"{processor()}, {cores} cores, {memory:.0f} GiB, {platform.system()}"


def processor() -> str:
    """Name the processor's model."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def markdown(printed: str) -> str:
    """Keep Markdown and single sentences as they are; fence everything else, as it is aligned."""
    return "\n\n".join(_block(block) for block in printed.strip("\n").split("\n\n")) + "\n"


def _block(block: str) -> str:
    lines = block.strip("\n").splitlines()
    is_markup = all(line.startswith(("|", "#")) for line in lines)
    is_sentence = len(lines) == 1 and lines[0].endswith(".")
    return "\n".join(lines if is_markup or is_sentence else ["```text", *lines, "```"])


if __name__ == "__main__":
    sys.exit(main())
