"""Everything the project does with itself. `nox -l` lists the sessions; the README's two are `demo` and `tests`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests", "lint", "types", "check"]

PYPROJECT = nox.project.load_toml("pyproject.toml")


def _group(name: str) -> list[str]:
    return list(nox.project.dependency_groups(PYPROJECT, name))


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite with coverage."""
    session.install("-e", ".", *_group("test"))
    part = ["--cov-fail-under=0"] if session.posargs else []
    session.run("pytest", "-n", "auto", "--cov", "--cov-report=term:skip-covered", *part, *session.posargs)


@nox.session
def contract(session: nox.Session) -> None:
    """Run the contract tests with many new cases and say how many each operation had: nox -s contract -- -k order.

    Without words for pytest, the embedded exchange is held to the document as well; build/contract.html tells how.
    """
    session.install("-e", ".", *_group("test"))
    cases = {"CONTRACT_EXAMPLES": os.environ.get("CONTRACT_EXAMPLES", "60")}
    session.run("pytest", "-n", "auto", "tests/contract", *session.posargs, env=cases)


@nox.session
def mutants(session: nox.Session) -> None:
    """Put faults into a copy of the project and show that the tests catch each: nox -s mutants -- PART-OF-A-NAME."""
    session.install("-e", ".", *_group("test"))
    session.run("python", "tests/mutants/run.py", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz what parses bytes, guided by coverage: nox -s fuzz -- SECONDS."""
    session.install("-e", ".", *_group("codegen"), *_group("fuzz"))
    session.run("python", "tests/contract/fuzz.py", *session.posargs)


@nox.session
def clients(session: nox.Session) -> None:
    """Let ccxt, ccxt.pro and bpx-py trade on the embedded exchange: nox -s clients -- -k positions."""
    session.install("-e", ".", *_group("clients"))
    session.install("--no-deps", "-r", "benchmarks/requirements-no-deps.txt")
    session.run("pytest", "tests/clients", "-o", "norecursedirs=", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Trade with ten clients in 91 markets while everything goes wrong, and audit all of it: nox -s soak -- SECONDS."""
    session.install("-e", ".")
    session.run("python", "-m", "tests.soak", *session.posargs)


@nox.session
def storm(session: nox.Session) -> None:
    """Keep 91 books through an hour's worth of frames, with faults, in some minutes."""
    session.install("-e", ".", *_group("test"))
    hour = {"STORM_ROUNDS": "119000", "LONGEST_TEST": "3600"}
    session.run("pytest", "-q", "--show-capture=no", "tests/streams/test_order_books_storm.py", env=hour)


@nox.session
def demo(session: nox.Session) -> None:
    """Trade on an embedded exchange over a loopback socket: no account, no network."""
    session.install(".[demo]")
    session.run("python", "examples/demo.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install(*_group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Type-check hand-written and generated code with mypy and pyright, both strict."""
    session.install("-e", ".", *_group("types"), "nox")
    session.run("mypy")
    session.run("pyright")


@nox.session
def regen(session: nox.Session) -> None:
    """Regenerate the code from the committed document; with a source, import that first: nox -s regen -- SOURCE."""
    session.install(*_group("codegen"), "httpx>=0.28,<0.29")
    if session.posargs:
        session.run("python", "-m", "codegen", "import", *session.posargs)
    session.run("python", "-m", "codegen", "build")
    session.run("python", "-m", "codegen", "check")


@nox.session
def drift(session: nox.Session) -> None:
    """Say what a newer document means for the project, tried in a scratch folder: nox -s drift -- SOURCE."""
    session.install("-e", ".", *_group("test"))
    session.run("python", "-m", "codegen", "drift", *session.posargs, success_codes=[0, 1])


@nox.session
def check(session: nox.Session) -> None:
    """Fail when document, overlays and generated code do not fit together."""
    session.install(*_group("codegen"))
    session.run("python", "-m", "codegen", "check")


@nox.session
def build(session: nox.Session) -> None:
    """Build wheel and sdist, and install each in a clean environment that has nothing else of the project."""
    session.install("build>=1.2,<2")
    with tempfile.TemporaryDirectory() as folder:
        session.run("python", "-m", "build", "--outdir", folder, ".", silent=True)
        for artefact in sorted(Path(folder).iterdir()):
            environment = Path(folder) / f"env-{artefact.suffix.strip('.')}"
            python = str(environment / "bin" / "python")
            session.run("python", "-m", "venv", str(environment))
            session.run(python, "-m", "pip", "install", "--quiet", str(artefact), external=True)
            session.run(python, "-I", str(Path("tests/installed.py").resolve()), external=True)
            session.log(f"{artefact.name} installs and works on its own")
        target = Path("dist")
        target.mkdir(exist_ok=True)
        for artefact in sorted(Path(folder).glob("*.*")):
            if artefact.is_file():
                (target / artefact.name).write_bytes(artefact.read_bytes())


@nox.session
def bench(session: nox.Session) -> None:
    """Compare with other clients against local servers, and time the embedded exchange: nox -s bench -- --quick."""
    session.install(".", "-r", "benchmarks/requirements.txt")
    session.install("--no-deps", "-r", "benchmarks/requirements-no-deps.txt")
    for script in ("benchmarks/rest.py", "benchmarks/streams.py", "benchmarks/paper.py"):
        session.run("python", script, *session.posargs, success_codes=[0, 1])
