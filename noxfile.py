"""Everything the project does with itself. `nox -l` lists the sessions; the README's two are `demo` and `tests`."""

from __future__ import annotations

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
    session.run("pytest", "-n", "auto", "--cov", "--cov-report=term:skip-covered", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Trade on an embedded exchange over a loopback socket: no account, no network."""
    session.install(".")
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
    """Compare with other clients against one local server: nox -s bench -- --quick."""
    session.install(".", "-r", "benchmarks/requirements.txt")
    session.install("--no-deps", "-r", "benchmarks/requirements-no-deps.txt")
    session.run("python", "benchmarks/rest.py", *session.posargs, success_codes=[0, 1])
