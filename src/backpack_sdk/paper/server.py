"""The embedded exchange as a user runs it: `with PaperExchange() as exchange`, or `async with`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from .addresses import http_url, is_loopback
from .amounts import Amount, read_amount
from .app import Front
from .auth import check_api_key
from .clock import system_clock
from .default_services import provide_services
from .defaults import DEFAULT_BALANCES, FIRST_ORDER_ID, PaperMarket, default_markets
from .edge import Edge, EdgeGateway
from .engine import Exchange, FeeRates, MarketSpec, seed_book
from .engine.transfers import ADMINISTRATOR
from .faults import FaultScript
from .flow.options import Flow
from .flow.runner import FlowRunner
from .gateway import Gateway
from .live.options import find_source
from .received import ReceivedRequest
from .sockets.context import HubContext, SocketOptions
from .sockets.faults import SocketFaults
from .sockets.shell import SocketServer
from .state import StateFile, rewind_flow

if TYPE_CHECKING:
    from .live import Live, Replay

logger = logging.getLogger(__name__)

_SHUTDOWN_SECONDS = 0.1


class PaperExchange:
    """An exchange in this process, over a real socket, that verifies every signature.

    It has a real order book per market, and balances that move. As `with` it serves from a thread of its own, as
    `async with` from the running event loop. Books, accounts and the log outlive the block, so that it can be entered
    again, on another port.

    Args:
        markets: what is traded; None for SOL_USDC, BTC_USDC, ETH_USDC and their perpetuals, with orders on both sides.
            A plain `MarketSpec` starts with an empty book.
        balances: what every new account starts with, per asset; None for 100000 USDC, 1000 SOL, 2 BTC and 50 ETH,
            as far as the markets trade them. Amounts are Decimal, int or text, never float.
        port: 0 for any free one.
        host: address to listen at. Others than loopback ones are warned of: the exchange is made for tests.
        seed: decides the quantities of the default books. The same seed gives the same books.
        clock: gives Unix microseconds; None for this machine's clock. May be replaced at any time as `clock`.
        sockets: how the WebSocket side behaves; None for the pace of the real exchange.
        flow: synthetic makers and takers that trade while the exchange runs; None for none.
        live: markets of another exchange that are mirrored while this one runs. `markets` then adds others.
        replay: a recording to play instead, `speed` times as fast as it was made.
        state: file that keeps everything that happens, for another process to go on from. `markets` that it has are
            not listed again.
        cdn: keep the market list for 300 seconds and mark prices for one, and say so in the headers.
        taker_delay: seconds that every order waits which is not post-only; 0.1 at the real exchange.
        async_cancel: answer cancels with an empty 202 in place of what they cancelled.
    """

    def __init__(
        self,
        *,
        markets: Iterable[PaperMarket | MarketSpec] | None = None,
        balances: Mapping[str, Amount] | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        seed: int = 0,
        clock: Callable[[], int] | None = None,
        sockets: SocketOptions | None = None,
        flow: Flow | None = None,
        live: Live | None = None,
        replay: Replay | Path | str | None = None,
        speed: float = 1.0,
        state: Path | str | None = None,
        cdn: bool = False,
        taker_delay: float = 0.0,
        async_cancel: bool = False,
    ) -> None:
        self.clock: Callable[[], int] = clock if clock is not None else system_clock
        self.lock = threading.RLock()
        """Held while a request is carried out. Take it to use `engine` from another thread while serving."""
        self.engine = Exchange(first_order_id=FIRST_ORDER_ID)
        self.faults = FaultScript()
        self.socket_faults = SocketFaults()
        self._host, self._port = host, port
        self._state = None if state is None else StateFile(state)
        restored = self._state is not None and self._state.restore(self.engine)
        self._source = find_source(live, replay, speed)
        if markets is None:
            markets = default_markets(seed) if self._source is None else ()
        known = {spec.symbol for spec in self.engine.markets()}
        for found in (*markets, *(() if self._source is None else self._source.specs())):
            market = found if isinstance(found, PaperMarket) else PaperMarket(found)
            if market.spec.symbol not in known:
                self._list(market)
        if not restored:
            provide_services(self.engine, now_us=self.clock())
        self._balances = self._starting_balances(balances)
        self._gateway = Gateway(self.engine, lambda: self.clock(), self._commit)
        if self._state is not None:
            self._gateway.add_keys(self._state.keys)
        self._front = Front(
            EdgeGateway(self._gateway, Edge(cdn=cdn, taker_delay=taker_delay, async_cancel=async_cancel)),
            self.faults,
            self.lock,
        )
        self._socket_options = sockets if sockets is not None else SocketOptions()
        if flow is not None and restored:
            flow = rewind_flow(self.engine, flow, now_us=self.clock())
        self._flow = None if flow is None else FlowRunner(self.engine, flow, self.lock, lambda: self.clock())
        self._flowing: asyncio.Task[None] | None = None
        self._company = contextlib.AsyncExitStack()
        self._sockets: SocketServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._base_url: str | None = None
        self._runner: web.AppRunner | None = None
        self._stop: Callable[[], object] | None = None
        self._thread: threading.Thread | None = None
        self._commit()

    @property
    def is_running(self) -> bool:
        """Whether it serves at present."""
        return self._base_url is not None

    @property
    def base_url(self) -> str:
        """The address of the REST API: `http://127.0.0.1:PORT`.

        Raises:
            RuntimeError: the exchange is not running.
        """
        if self._base_url is None:
            raise RuntimeError("the exchange is not running: enter it with `with` or `async with`")
        return self._base_url

    @property
    def ws_url(self) -> str:
        """The address of the WebSocket API: `ws://127.0.0.1:PORT`.

        Raises:
            RuntimeError: the exchange is not running.
        """
        return self.base_url.replace("http", "ws", 1)

    @property
    def flow(self) -> FlowRunner:
        """The synthetic order flow, which `advance` moves by hand.

        Raises:
            RuntimeError: the exchange was made without one.
        """
        if self._flow is None:
            raise RuntimeError("the exchange has no synthetic flow: make it with PaperExchange(flow=Flow())")
        return self._flow

    def skip(self, seconds: float) -> None:
        """Let time jump ahead for the timers of the sockets: what is due by then is sent, each thing once.

        Returns when it is sent. The clock of the exchange is not moved.

        Raises:
            RuntimeError: the exchange is not running.
        """
        self._on_loop(lambda sockets: sockets.metronome.skip(seconds))

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The latest 10000 requests, oldest first, without their signatures and secrets."""
        with self.lock:
            return list(self._front.log)

    def clear_requests(self) -> None:
        """Forget the requests received so far."""
        with self.lock:
            self._front.log.clear()

    @property
    def api_keys(self) -> tuple[str, ...]:
        """Keys that have an account."""
        with self.lock:
            return self._gateway.api_keys

    def has_account(self, api_key: str) -> bool:
        """Whether the holder of a key has an account."""
        with self.lock:
            return self.engine.has_account(api_key)

    def add_account(
        self, api_key: str, balances: Mapping[str, Amount] | None = None, *, fees: FeeRates | None = None
    ) -> None:
        """Open an account for the holder of a key. In the engine it has the name `api_key`.

        `balances` replaces what new accounts start with; `fees` of None is the base tier.

        Raises:
            ValueError: the key is no base64 text of 32 bytes or has an account already; an asset that no market
                trades; an amount that is no number, negative or finer than 18 decimals.
            TypeError: an amount is a float.
        """
        check_api_key(api_key)
        with self.lock:
            amounts = self._balances if balances is None else self._checked(balances)
            self.engine.open_account(api_key, fees)
            for asset, amount in amounts.items():
                self.engine.deposit(api_key, asset, amount, now_us=self.clock())
            self._gateway.add_key(api_key)
            if self._state is not None:
                self._state.add_key(api_key)
            self._commit()

    def deposit(
        self, api_key: str, asset: str, amount: Amount, *, blockchain: str | None = None, sender: str = ""
    ) -> None:
        """Credit an account, as if funds had come from `sender` over a blockchain; None for the exchange itself.

        Raises:
            ValueError, TypeError: as for `add_account`.
            Refused: there is no such account; the blockchain does not carry the asset, or not so little of it.
        """
        source = ADMINISTRATOR if blockchain is None else blockchain
        with self.lock:
            for checked in self._checked({asset: amount}).values():
                self.engine.deposit(api_key, asset, checked, source=source, sender=sender, now_us=self.clock())
            self._commit()

    def trust_address(self, api_key: str, address: str) -> None:
        """Put an address into the address book of an account: withdrawals to it need no two-factor token.

        Raises:
            Refused: there is no such account.
        """
        with self.lock:
            self.engine.trust_address(api_key, address)
            self._commit()

    # Running

    async def __aenter__(self) -> Self:
        self._require_stopped()
        await self._start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._cleanup()

    def __enter__(self) -> Self:
        self._require_stopped()
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name="paper-exchange", daemon=True
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self._stop_thread()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop_thread()

    async def _serve(self, started: Future[None]) -> None:
        """Serve until `_stop` is called, in a loop of this thread's own."""
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        try:
            await self._start()
        except BaseException as problem:
            started.set_exception(problem)
            return
        started.set_result(None)
        try:
            await stopped.wait()
        finally:
            await self._cleanup()

    async def _start(self) -> None:
        if not is_loopback(self._host):
            logger.warning(
                "the embedded exchange listens at %s, which other machines may reach: it is made for tests on loopback",
                self._host,
            )
        context = HubContext(self.engine, self.lock, lambda: self.clock(), self._gateway.account_of, self.socket_faults)
        sockets = SocketServer(context, self._socket_options)
        runner = web.AppRunner(
            self._front.application(sockets), access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        try:
            await runner.setup()
            await web.TCPSite(runner, self._host, self._port).start()
        except BaseException:
            await sockets.stop()
            await runner.cleanup()
            raise
        self._loop = asyncio.get_running_loop()
        self._sockets, self._runner = sockets, runner
        if self._flow is not None:
            self._flowing = asyncio.create_task(self._flow.run())
        self._base_url = http_url(*runner.addresses[0][:2])
        try:
            await self._gather_company()
        except BaseException:
            await self._cleanup()
            raise

    async def _cleanup(self) -> None:
        runner, self._runner, self._base_url = self._runner, None, None
        sockets, self._sockets = self._sockets, None
        flowing, self._flowing = self._flowing, None
        if flowing is not None:
            flowing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await flowing
        if sockets is not None:
            await sockets.stop()
        if runner is not None:
            await runner.cleanup()
        company, self._company = self._company, contextlib.AsyncExitStack()
        await company.aclose()

    async def _gather_company(self) -> None:
        """Start what goes on beside the server: writing the state, following a source."""
        if self._state is not None:
            await self._company.enter_async_context(self._state.kept(self.lock))
        if self._source is not None:
            await self._company.enter_async_context(self._source.attend(self))

    def _commit(self) -> None:
        """Write what was done, where there is a state file; outside of a run, let go of the file at once."""
        if self._state is not None:
            self._state.commit()
            if not self.is_running:
                self._state.close()

    def _on_loop(self, act: Callable[[SocketServer], None]) -> None:
        """Act on the event loop, from this thread or another, and wait for it."""
        sockets, loop = self._sockets, self._loop
        if sockets is None or loop is None:
            raise RuntimeError("the exchange is not running: enter it with `with` or `async with`")
        if self._thread is None or threading.current_thread() is self._thread:
            act(sockets)
            return

        async def done() -> None:
            act(sockets)

        asyncio.run_coroutine_threadsafe(done(), loop).result()

    def _stop_thread(self) -> None:
        stop, thread, self._stop, self._thread = self._stop, self._thread, None, None
        if stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already when starting failed
                stop()
        if thread is not None:
            thread.join()

    def _require_stopped(self) -> None:
        if self._base_url is not None:
            raise RuntimeError(f"the exchange is running already, at {self._base_url}")

    # Set-up

    def _list(self, market: PaperMarket) -> None:
        self.engine.add_market(market.spec)
        for ladder in market.ladders:
            seed_book(self.engine, market.spec.symbol, ladder, now_us=self.clock())

    def _starting_balances(self, balances: Mapping[str, Amount] | None) -> dict[str, Decimal]:
        if balances is not None:
            return self._checked(balances)
        traded = self._traded()
        return {asset: amount for asset, amount in DEFAULT_BALANCES.items() if asset in traded}

    def _checked(self, balances: Mapping[str, Amount]) -> dict[str, Decimal]:
        """Return the amounts that the engine will take without a refusal; those of zero are left out."""
        unknown = balances.keys() - self._traded()
        if unknown:
            raise ValueError(f"no market trades {', '.join(sorted(unknown))}")
        amounts = {asset: read_amount(asset, amount) for asset, amount in balances.items()}
        return {asset: amount for asset, amount in amounts.items() if amount}

    def _traded(self) -> set[str]:
        return {asset for spec in self.engine.markets() for asset in (spec.base, spec.quote)}
