"""Every dashboard against Grafana's own types: ``@grafana/schema`` and TypeScript's compiler."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.conftest import DASHBOARDS

SCHEMA, TYPESCRIPT = "13.2.3", "5.9.3"
"""Versions that are installed, once, beside the other caches."""
INSTALL_S, CHECK_S = 300, 300
CONFIG = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "skipLibCheck": True,
        "module": "esnext",
        "moduleResolution": "bundler",
        "target": "es2022",
        "types": [],
    },
    "include": ["*.ts"],
}
pytestmark = [pytest.mark.live, pytest.mark.slow]


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder ``node_modules`` with both packages; skips where they cannot be had."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphmind"
    folder = cache / f"grafana-schema-{SCHEMA}"
    if not (folder / ".complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        wanted = [f"@grafana/schema@{SCHEMA}", f"typescript@{TYPESCRIPT}"]
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *wanted]
        done = subprocess.run(
            command, cwd=folder, check=False, capture_output=True, text=True, timeout=INSTALL_S
        )
        if done.returncode:
            pytest.skip(f"npm cannot install them: {done.stderr.strip().splitlines()[-1]}")
        (folder / ".complete").touch()
    return folder / "node_modules"


def checked(folder: Path, modules: Path) -> subprocess.CompletedProcess[str]:
    (folder / "tsconfig.json").write_text(json.dumps(CONFIG))
    (folder / "node_modules").symlink_to(modules)
    tsc = modules / "typescript" / "bin" / "tsc"
    return subprocess.run(
        ["node", str(tsc), "-p", str(folder)],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=CHECK_S,
    )


def typed(text: str) -> str:
    """Return a module that is right only where the JSON is a dashboard.

    Enums are compared by their values, and a query may hold what is its data source's own.
    """
    return (
        "import type { Dashboard } from '@grafana/schema';\n"
        "type Json<T> = T extends string ? T | `${T}` : T extends number ? number : "
        "T extends (infer U)[] ? Json<U>[] : T extends { refId: string } ? "
        "{ [K in keyof T]: Json<T[K]> } & Record<string, unknown> : "
        "T extends object ? { [K in keyof T]: Json<T[K]> } : T;\n"
        f"const built: Json<Dashboard> = {text};\n"
        "export default built;\n"
    )


def test_dashboards_are_dashboards_of_grafana(modules: Path, tmp_path: Path):
    for path in DASHBOARDS:
        (tmp_path / f"{path.stem}.ts").write_text(typed(path.read_text("utf-8")))

    done = checked(tmp_path, modules)

    assert done.returncode == 0, done.stdout[-6000:]


def test_what_is_no_dashboard_is_told(modules: Path, tmp_path: Path):
    board = json.loads(DASHBOARDS[0].read_text("utf-8")) | {"schemaVersion": "new", "tags": 5}
    (tmp_path / "broken.ts").write_text(typed(json.dumps(board)))

    done = checked(tmp_path, modules)

    assert done.returncode != 0
    assert "not assignable to type 'number'" in done.stdout
    assert "not assignable to type 'string[]'" in done.stdout
