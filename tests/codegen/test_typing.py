"""What is generated passes mypy --strict. One run of mypy for all documents: starting it is most of its time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.build import files
from codegen.output import write_folder
from codegen.overlay import load

from .hostile import hostile
from .packages import build
from .stream_documents import understood
from .test_shapes import SHAPES
from .test_streams_hostile import hostile as hostile_streams
from .vintages import unseen

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]


def test_generated_packages_pass_mypy_strict(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    committed = load(ROOT / "spec" / "overlays")
    build(hostile(), tmp_path / "hostile_api")
    build(SHAPES, tmp_path / "shapes_api")
    build(unseen(), tmp_path / "unseen_api", committed)
    write_folder(tmp_path / "streams_api", files(understood(hostile_streams())))
    cache = pytestconfig.rootpath / ".mypy_cache" / "generated"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-version=3.11", f"--cache-dir={cache}",
         "hostile_api", "shapes_api", "unseen_api", "streams_api"],
        cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT / "src")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("Success: no issues found in "), done.stdout + done.stderr
