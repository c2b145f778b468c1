"""The state of an embedded exchange in an SQLite file: every command it ever took, in order.

What a command does follows from those before it, so that to carry all of them out again restores the exchange exactly.
A command is written, and the disk asked to keep it, before its reply leaves: whoever was answered finds the effect
again, whenever the process dies. A command whose reply did not leave may or may not be there, as with any exchange.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from .engine import Event, Exchange, Refused
from .engine.journal import Command
from .flow.options import Flow
from .flow.runner import MAKER

FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (format INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS keys (api_key TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY, commands BLOB NOT NULL);
"""
_IDLE_COMMANDS = 1_000
"""Commands that may wait while they changed nothing but the time."""
_LATEST_SECONDS = 0.1
"""After which what nobody asked for, such as synthetic flow, is written too."""


class StateFile:
    """A state file. It is open while there is something to write, and belongs to one exchange at a time."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.keys: set[str] = set()
        """API keys that have an account."""
        self._database: sqlite3.Connection | None = None
        self._written: int | None = None
        """Number of the latest batch of commands, None before the file was read."""
        self._waiting: list[Command] = []
        self._due = False
        self._happened = False
        """Whether the command that is being carried out had any effect that somebody can see."""
        self._idle = False
        """Whether the last command that waits let time pass, and nothing else."""
        self._schedules = False
        """Whether there ever was a strategy."""

    def restore(self, engine: Exchange) -> bool:
        """Bring a new engine to where the file left off, and write its commands down from now on.

        Returns whether there was anything in the file.

        Raises:
            ValueError: it is no state file, is in use by another exchange, or can't be carried out again.
        """
        database = self._open()
        try:
            self.keys = {key for (key,) in database.execute("SELECT api_key FROM keys")}
            written = 0
            for number, commands in database.execute("SELECT number, commands FROM journal ORDER BY number"):
                for command in msgspec.json.decode(commands):
                    self._carry_out(engine, command)
                written = number
            self._written = written
        finally:
            self._release()
        engine.record(self._note)
        engine.subscribe(self._notice)
        return written > 0

    def add_key(self, api_key: str) -> None:
        """Remember a key that has an account. Call `commit` afterwards."""
        self.keys.add(api_key)
        self._due = True

    def commit(self) -> None:
        """Write what is due, and return when the disk has it.

        Raises:
            ValueError: the file is in use by another exchange.
            sqlite3.Error: it can't be written.
        """
        if not self._due and len(self._waiting) < _IDLE_COMMANDS:
            return
        database, number = self._open(), (self._written or 0) + 1
        with database:
            database.executemany("INSERT OR IGNORE INTO keys VALUES (?)", [(key,) for key in self.keys])
            database.execute("INSERT INTO journal VALUES (?, ?)", (number, msgspec.json.encode(self._waiting)))
        self._written = number
        self._waiting.clear()
        self._due = self._idle = False

    def close(self) -> None:
        """Write everything and let go of the file. It opens again when there is more to write."""
        self._due = self._due or bool(self._waiting)
        self.commit()
        self._release()

    @asynccontextmanager
    async def kept(self, lock: threading.RLock) -> AsyncGenerator[None]:
        """Write several times a second what nobody waits for, and close at the end."""

        async def keep() -> None:
            while True:
                await asyncio.sleep(_LATEST_SECONDS)
                with lock:
                    self.commit()

        task = asyncio.create_task(keep())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            with lock:
                self.close()

    # Inside

    def _carry_out(self, engine: Exchange, command: Command) -> None:
        self._schedules = self._schedules or command.get("kind") == "create_strategy"
        try:
            engine.apply(command)
        except Refused:
            return  # it was refused the first time, too
        except (KeyError, TypeError, ValueError) as problem:
            raise ValueError(f"{self.path} can't be restored: {command} failed with {problem}") from problem

    def _release(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _note(self, command: Command) -> None:
        """Take a command that was carried out.

        When nothing happened while time passed, to let all of that time pass at once later on comes to the same, so
        that many readers do not make a long file. Only strategies can end without an event.
        """
        passes, happened, self._happened = command["kind"] == "advance", self._happened, False
        if passes and self._idle:
            self._waiting[-1] = command
        else:
            self._waiting.append(command)
        self._schedules = self._schedules or command["kind"] == "create_strategy"
        self._idle = passes and not (happened or self._schedules)
        self._due = self._due or happened or not passes

    def _notice(self, events: tuple[Event, ...]) -> None:
        self._happened = self._happened or bool(events)

    def _open(self) -> sqlite3.Connection:
        if self._database is not None:
            return self._database
        database = sqlite3.connect(self.path, check_same_thread=False, timeout=0.0)
        try:
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
                database.execute(f"PRAGMA {pragma}")
            database.executescript(_SCHEMA)
            self._check(database)
        except sqlite3.DatabaseError as problem:
            database.close()
            if isinstance(problem, sqlite3.OperationalError) and "locked" in str(problem):
                raise ValueError(f"{self.path} is in use by another exchange") from None
            raise ValueError(f"{self.path} can't be used as a state file: {problem}") from problem
        except ValueError:
            database.close()
            raise
        self._database = database
        return database

    def _check(self, database: sqlite3.Connection) -> None:
        found = database.execute("SELECT format FROM about").fetchone()
        if found is None:
            with database:
                database.execute("INSERT INTO about VALUES (?)", (FORMAT,))
        elif found[0] != FORMAT:
            raise ValueError(f"{self.path} has the format {found[0]}, and this version reads {FORMAT}")
        (written,) = database.execute("SELECT coalesce(max(number), 0) FROM journal").fetchone()
        if self._written is not None and written != self._written:
            raise ValueError(f"{self.path} was changed by another exchange meanwhile")


def rewind_flow(engine: Exchange, flow: Flow, *, now_us: int) -> Flow:
    """Take back what the synthetic makers of an earlier process left on the books, and let them go on from there.

    The chance that they act by begins anew: it is no part of the state.
    """
    prices = dict(flow.prices)
    for spec in engine.markets():
        with suppress(Refused):  # a closed market has no book
            book = engine.depth(spec.symbol, 1)
            if book.bids and book.asks:
                prices.setdefault(spec.symbol, (book.bids[0][0] + book.asks[0][0]) / 2)
        if engine.has_account(MAKER):
            engine.cancel_all(MAKER, spec.symbol, now_us=now_us)
    return replace(flow, prices=prices)
