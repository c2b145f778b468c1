"""`backpack paper serve`: the embedded exchange as a server of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..paper import Flow, PaperExchange, PaperMarket

HELP = "run an exchange for paper trading on this machine"
PORT = 8787


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what may be given."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    serve = actions.add_parser(
        "serve",
        help="serve until interrupted",
        description="Serve REST and WebSocket at one address until interrupted. Every signature is verified.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    serve.add_argument("--port", type=int, default=PORT, help="port, 0 for any free one (default: %(default)s)")
    serve.add_argument("--seed", type=int, default=0, help="decides the books it starts with, and the flow")
    serve.add_argument("--markets", nargs="+", metavar="SYMBOL", help="markets to list (default: all there are)")
    serve.add_argument(
        "--speed", type=float, default=1.0, help="seconds that pass for timers and replays in each real one"
    )
    serve.add_argument("--flow", type=float, metavar="RATE", help="let synthetic traders act so often per second")
    serve.add_argument("--state", type=Path, metavar="FILE", help="keep the state in this file, and go on from there")
    serve.add_argument("--live", action="store_true", help="mirror the books of the real exchange; needs --markets")
    serve.add_argument("--replay", type=Path, metavar="FILE", help="play a recording of `backpack record`")
    serve.add_argument("--source-url", metavar="URL", help="REST address to mirror instead of the real exchange's")
    serve.add_argument("--source-ws-url", metavar="URL", help="WebSocket address to mirror")
    serve.add_argument(
        "--account", action="append", default=[], metavar="API_KEY", help="open a funded account; may be repeated"
    )
    serve.add_argument(
        "--new-account", type=Path, metavar="FILE", help="open one for the secret in FILE, which is made if need be"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve."""
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_serve(arguments))
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C cancels this task instead
            loop.add_signal_handler(number, stopped.set)
    exchange = await asyncio.to_thread(_exchange, arguments)
    keys = _open_accounts(exchange, arguments)
    async with exchange:
        print(f"REST       {exchange.base_url}")
        print(f"WebSocket  {exchange.ws_url}")
        print(f"markets    {' '.join(spec.symbol for spec in exchange.engine.markets())}")
        for key in keys:
            print(f"account    {key}")
        if not keys:
            print("no account is open: give --account API_KEY, or --new-account FILE")
        print("serving; Ctrl-C ends it", flush=True)
        await stopped.wait()


def _exchange(arguments: argparse.Namespace) -> PaperExchange:
    from ..paper import PaperExchange, SocketOptions

    return PaperExchange(
        markets=_markets(arguments),
        port=arguments.port,
        host=arguments.host,
        seed=arguments.seed,
        sockets=SocketOptions(speed=arguments.speed),
        flow=_flow(arguments),
        state=arguments.state,
        **_source(arguments),
    )


def _markets(arguments: argparse.Namespace) -> list[PaperMarket] | None:
    """Return the usual markets that are asked for; None for all of them, and where they come from elsewhere."""
    from ..paper.defaults import default_markets

    wanted = arguments.markets
    if wanted is None or arguments.live or arguments.replay is not None:
        return None
    from ..pairs import Pair

    known = {market.spec.symbol: market for market in default_markets(arguments.seed)}
    symbols = [Pair.parse(symbol).backpack for symbol in wanted]
    unknown = [symbol for symbol in symbols if symbol not in known]
    if unknown:
        raise ValueError(f"there is no market {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[symbol] for symbol in dict.fromkeys(symbols)]


def _flow(arguments: argparse.Namespace) -> Flow | None:
    from ..paper import Flow

    return None if arguments.flow is None else Flow(rate=arguments.flow, seed=arguments.seed)


def _source(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of the exchange that say what it follows."""
    from ..paper.live import Live

    following: dict[str, Any] = {"replay": arguments.replay, "speed": arguments.speed}
    if arguments.live:
        if not arguments.markets:
            raise ValueError("--live needs --markets: name the ones to mirror, such as SOL_USDC BTC_USDC_PERP")
        options = {"base_url": arguments.source_url, "ws_url": arguments.source_ws_url}
        following["live"] = Live(arguments.markets, **{name: url for name, url in options.items() if url is not None})
    return following


def _open_accounts(exchange: PaperExchange, arguments: argparse.Namespace) -> list[str]:
    """Open the accounts that are asked for, and return the keys of all that exist."""
    from ..auth import KEY_VARIABLE, SECRET_VARIABLE, Credentials
    from .secret_file import write_secret

    keys: list[str] = list(arguments.account)
    if arguments.new_account is not None:
        if not arguments.new_account.exists():
            write_secret(arguments.new_account, Credentials.generate().export_secret())
        keys.append(Credentials.from_file(arguments.new_account).api_key)
    if os.environ.get(SECRET_VARIABLE) or os.environ.get(KEY_VARIABLE):
        keys.append(Credentials.from_env().api_key)
    for key in dict.fromkeys(keys):
        if not exchange.has_account(key):
            exchange.add_account(key)
    return list(exchange.api_keys)
