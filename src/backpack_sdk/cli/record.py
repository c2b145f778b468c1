"""`backpack record`: write down what happens on the exchange, for replay."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from pathlib import Path

HELP = "record books, trades and mark prices of some markets, to be played again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what may be given."""
    parser.add_argument("symbols", nargs="+", metavar="SYMBOL", help="markets, in any notation")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="new file for the recording")
    parser.add_argument("--seconds", type=float, help="how long to record (default: until interrupted)")
    parser.add_argument("--source-url", metavar="URL", help="REST address of another source than the real exchange")
    parser.add_argument("--source-ws-url", metavar="URL", help="its WebSocket address")


def run(arguments: argparse.Namespace) -> int:
    """Record."""
    lines = asyncio.run(_record(arguments))
    print(f"{lines} lines in {arguments.out}")
    return 0


async def _record(arguments: argparse.Namespace) -> int:
    from ..client import AsyncBackpack
    from ..paper.live.recorder import Recorder

    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers, and a thread can't have any: Ctrl-C ends the process then.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stopped.set)
    urls = {"base_url": arguments.source_url, "ws_url": arguments.source_ws_url}
    with arguments.out.open("xb") as file:
        async with AsyncBackpack(**{name: url for name, url in urls.items() if url is not None}) as client:
            async with Recorder(client, arguments.symbols, file) as recorder:
                print(f"recording {' '.join(recorder.symbols)}; Ctrl-C ends it", flush=True)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(arguments.seconds):
                        await stopped.wait()
            return recorder.lines
