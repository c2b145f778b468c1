"""Puts one fault at a time into a copy of the project and shows that the tests named as its catcher fail.

    python tests/mutants/run.py [PART-OF-A-NAME ...]

Exit code 1 when a mutant survives, no longer fits the code, or its catcher does not pass without it.
"""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("mutants.toml")
COPIED = ("src", "codegen", "spec", "tests", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "noxfile.py")
WORKERS = max(2, (os.cpu_count() or 2))
PASSED, FAILED = 0, 1
"""Exit codes of pytest; any other means that the tests could not run."""
HUNG = -1
LONGEST = 300
"""Seconds that one catcher may take."""
CAUGHT = "caught by"


@dataclass(frozen=True)
class Mutant:
    """One fault, as a replacement of text."""

    name: str
    file: str
    find: str
    replace: str
    catcher: tuple[str, ...]

    def apply(self, root: Path) -> str:
        """Put the fault in; gives the text that was there. Raises ValueError when it does not fit the code."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.find) != 1:
            raise ValueError(f"stands {text.count(self.find)} times in {self.file}, not once: {self.find!r}")
        path.write_text(text.replace(self.find, self.replace), encoding="utf-8")
        return text


def mutants() -> list[Mutant]:
    """Every mutant, in the order of the list."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(**{**entry, "catcher": tuple(entry["catcher"])}) for entry in entries]


def copy(target: Path) -> Path:
    """A copy of the project in which faults can be put."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target / name)
    # Compiled once for all runs, and used only while the source is what was compiled.
    compiler = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "src", "codegen"]
    subprocess.run(compiler, cwd=target, check=True)
    return target


def run(root: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """pytest's exit code and the test that failed, or its last words. No bytecode is written: see `copy`."""
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("CONTRACT_EXAMPLES", None)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-p", "no:schemathesis", "-rf", "-o", "addopts=--import-mode=importlib", *tests]
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return HUNG, f"took longer than {LONGEST} s"
    lines = (done.stdout + done.stderr).strip().splitlines() or [""]
    failed = [line.removeprefix("FAILED ").partition(" - ")[0] for line in lines if line.startswith("FAILED ")]
    return done.returncode, (failed or lines[-1:])[0]


def judge(mutant: Mutant, root: Path) -> str:
    """What caught the fault, or what is wrong."""
    try:
        before = mutant.apply(root)
    except ValueError as problem:
        return str(problem)
    try:
        code, words = run(root, mutant.catcher)
    finally:
        (root / mutant.file).write_text(before, encoding="utf-8")
    if code == FAILED:
        return f"{CAUGHT} {words}"
    return "SURVIVED" if code == PASSED else f"the catcher could not run: {words}"


def main(parts: list[str]) -> int:
    """Judge every mutant whose name has one of the parts in it; all of them without any."""
    chosen = [mutant for mutant in mutants() if not parts or any(part in mutant.name for part in parts)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        roots: queue.Queue[Path] = queue.Queue()
        for index in range(WORKERS):
            roots.put(copy(Path(folder) / str(index)))
        tests = sorted({test for each in chosen for test in each.catcher})
        shares = [tuple(tests[index::WORKERS]) for index in range(min(WORKERS, len(tests)))]
        with ThreadPoolExecutor(WORKERS) as pool:
            sound = list(pool.map(run, [Path(folder) / str(index) for index in range(WORKERS)], shares))
        print("without a fault: " + "; ".join(words for _, words in sound), flush=True)
        if any(code != PASSED for code, _ in sound):
            return 1

        def work(mutant: Mutant) -> tuple[Mutant, str]:
            root = roots.get()
            try:
                return mutant, judge(mutant, root)
            finally:
                roots.put(root)

        verdicts: list[str] = []
        with ThreadPoolExecutor(WORKERS) as pool:
            for mutant, verdict in pool.map(work, chosen):
                verdicts.append(verdict)
                print(f"| {mutant.name} | `{mutant.file}` | {verdict} |", flush=True)
    caught = sum(verdict.startswith(CAUGHT) for verdict in verdicts)
    print(f"{caught} of {len(verdicts)} caught in {time.monotonic() - started:.0f} s")
    return 0 if caught == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
