"""Threads for calls that block, which nobody has to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class DaemonThreads(ThreadPoolExecutor):
    """An executor that is shut down at once, whatever its calls are waiting for.

    The threads of a usual one are joined when the event loop ends and when the interpreter does, so a request that
    hangs would hold up both. asyncio takes nothing but a ThreadPoolExecutor, hence the base class.
    """

    def __init__(self, name: str, most: int = 32) -> None:
        super().__init__(most)
        self._name, self._most = name, most
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._workers: set[threading.Thread] = set()
        self._busy: set[threading.Thread] = set()
        self._unfinished = 0
        self._over = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in one of the threads. Raises RuntimeError after the end."""
        future: Future[T] = Future()
        with self._guard:
            if self._over:
                raise RuntimeError("no calls after the end")
            self._calls.put((future, partial(fn, *args, **kwargs)))
            self._unfinished += 1
            if len(self._workers) < min(self._most, self._unfinished):
                worker = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._workers.add(worker)
                worker.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """End. Calls that run are left to themselves, and those that did not begin never will."""
        with self._guard:
            self._over = True
            idle = self._workers - self._busy
            for _ in self._workers:
                self._calls.put(None)
        if wait:
            for worker in idle:
                worker.join()

    def _work(self) -> None:
        me = threading.current_thread()
        while (found := self._calls.get()) is not None:
            future, call = found
            with self._guard:
                if self._over:
                    future.cancel()
                self._busy.add(me)
            result, error = None, None
            begun = future.set_running_or_notify_cancel()
            if begun:
                try:
                    result = call()
                except BaseException as problem:
                    error = problem
            with self._guard:  # before anybody learns of the outcome, and may want to see this thread end
                self._busy.discard(me)
                self._unfinished -= 1
            if begun and error is not None:
                future.set_exception(error)
            elif begun:
                future.set_result(result)
            del found, future, call, result, error
