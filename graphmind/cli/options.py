"""Options that every command takes, and what a command needs to run."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from graphmind.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Folder of the archive and the embedded graph [default: .graphmind]"
    ),
]
Neo4j = Annotated[
    str | None,
    typer.Option("--neo4j", help="Address of a Neo4j to use instead, e.g. bolt://localhost:7687"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines, nothing else")]


@dataclass(frozen=True, kw_only=True)
class Given:
    """Options given before the command; those after it win."""

    data_dir: Path | None = None
    neo4j: str | None = None
    json: bool = False


@dataclass(frozen=True, kw_only=True)
class Context:
    """Settings and where to print."""

    settings: Settings
    json: bool
    out: Console
    """Answers: tables, or JSON."""
    err: Console
    """Progress and notes, never part of the answer."""


def context(given: Given, data_dir: Path | None, neo4j: str | None, *, json: bool) -> Context:
    """Read the environment once; options given on the command line win."""
    json = json or given.json
    settings = Settings.from_environment(
        os.environ, data_dir=data_dir or given.data_dir, neo4j_uri=neo4j or given.neo4j
    )
    return Context(
        settings=settings,
        json=json,
        out=Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty()),
        err=Console(file=sys.stderr, highlight=False, quiet=json),
    )
