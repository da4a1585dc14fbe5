"""The files of the console: served with care, vendored as committed, typed."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from graphmind_console import STATIC

from tests.api.conftest import empty  # noqa: F401 - a fixture

TYPESCRIPT = "7.0.2"
CACHE = Path.home() / ".cache" / "graphmind" / f"typescript-{TYPESCRIPT}"
OPTIONS = {
    "strict": True,
    "checkJs": True,
    "allowJs": True,
    "noEmit": True,
    "skipLibCheck": True,
    "target": "es2022",
    "module": "es2022",
    "moduleResolution": "bundler",
    "lib": ["es2023", "dom", "dom.iterable"],
    "types": [],
}


@pytest.mark.parametrize("path", ["/", "/incidents/inc-1", "/explore/a/b", "/review/2026-W47"])
def test_each_address_of_a_screen_is_the_page(empty: httpx.Client, path):  # noqa: F811
    answer = empty.get(path, headers={"Authorization": ""})

    assert answer.status_code == 200
    assert answer.text == (STATIC / "index.html").read_text()
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-cache"


def test_what_is_no_screen_is_not_found(empty: httpx.Client):  # noqa: F811
    assert empty.get("/nowhere").status_code == 404
    assert empty.get("/api/v1/nowhere").status_code == 404


def test_files_are_served_with_their_type_and_asked_for_again(empty: httpx.Client):  # noqa: F811
    first = empty.get("/assets/main.js")
    again = empty.get("/assets/main.js", headers={"If-None-Match": first.headers["etag"]})

    assert "javascript" in first.headers["content-type"]
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["%2e%2e/__init__.py", "..%2f__init__.py", "/etc/passwd"])
def test_no_file_outside_the_folder_is_served(empty: httpx.Client, path):  # noqa: F811
    assert empty.get(f"/assets/{path}").status_code == 404


def test_vendored_files_are_what_was_committed():
    lines = (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines()
    stated = {name: digest for digest, name in map(str.split, lines)}
    there = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (STATIC / "vendor").iterdir()
        if path.name != "SHA256SUMS"
    }

    assert there == stated


def test_no_module_reads_markup_or_keeps_style_in_attributes():
    banned = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|style:")
    found = {
        path.name: banned.findall(path.read_text())
        for path in modules()
        if banned.search(path.read_text())
    }

    assert found == {}


def test_modules_are_short_enough_to_read():
    assert {path.name for path in modules() if len(path.read_text().splitlines()) > 300} == set()


@pytest.mark.slow
def test_the_types_that_modules_state_hold(tmp_path: Path):
    compiler = typescript()
    config = {
        "compilerOptions": OPTIONS,
        "include": [f"{STATIC}/**/*.js"],
        "exclude": [f"{STATIC}/vendor"],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    run = subprocess.run(
        [compiler, "-p", tmp_path], capture_output=True, text=True, check=False, timeout=300
    )
    # The minified bundle is read for its names only.
    wrong = [
        line for line in run.stdout.splitlines() if ": error " in line and "/vendor/" not in line
    ]

    assert wrong == []


def modules() -> list[Path]:
    return [path for path in STATIC.rglob("*.js") if path.parent.name != "vendor"]


def typescript() -> Path:
    """Return the compiler, installed once; skips where node is not there."""
    compiler = CACHE / "node_modules" / ".bin" / "tsc"
    if compiler.exists():
        return compiler
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: types of the console's modules are not checked")
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "package.json").write_text("{}")
    line = [npm, "install", "--silent", "--no-audit", "--no-fund", f"typescript@{TYPESCRIPT}"]
    if subprocess.run(line, cwd=CACHE, check=False, timeout=300).returncode:
        pytest.skip(f"npm could not install typescript {TYPESCRIPT}")
    return compiler
