"""The embedded exchange as a user runs it: `with PaperExchange() as exchange`, or `async with`."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from decimal import Decimal, InvalidOperation
from typing import Self

from aiohttp import web

from .app import Front
from .auth import check_api_key
from .defaults import DEFAULT_BALANCES, FIRST_ORDER_ID, PaperMarket, default_markets
from .engine import Exchange, FeeRates, MarketSpec, Refused, seed_book
from .engine.spec import check_amount
from .faults import FaultScript
from .gateway import Gateway
from .received import ReceivedRequest

logger = logging.getLogger(__name__)

Amount = Decimal | int | str
_SHUTDOWN_SECONDS = 0.1
_MICROSECOND_NS = 1_000


def system_clock() -> int:
    """Return the time of this machine in Unix microseconds."""
    return time.time_ns() // _MICROSECOND_NS


class PaperExchange:
    """An exchange in this process, over a real socket, that verifies every signature.

    It has a real order book per market, and balances that move. As `with` it serves from a thread of its own, as
    `async with` from the running event loop. Books, accounts and the log outlive the block, so that it can be entered
    again, on another port.

    Args:
        markets: what is traded; None for SOL_USDC, BTC_USDC and ETH_USDC with orders on both sides. A plain
            `MarketSpec` starts with an empty book.
        balances: what every new account starts with, per asset; None for 100000 USDC, 1000 SOL, 2 BTC and 50 ETH,
            as far as the markets trade them. Amounts are Decimal, int or text, never float.
        port: 0 for any free one.
        host: address to listen at. Others than loopback ones are warned of: the exchange is made for tests.
        seed: decides the quantities of the default books. The same seed gives the same books.
        clock: gives Unix microseconds; None for this machine's clock. May be replaced at any time as `clock`.
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
    ) -> None:
        self.clock: Callable[[], int] = clock if clock is not None else system_clock
        self.lock = threading.RLock()
        """Held while a request is carried out. Take it to use `engine` from another thread while serving."""
        self.engine = Exchange(first_order_id=FIRST_ORDER_ID)
        self.faults = FaultScript()
        self._host, self._port = host, port
        for market in default_markets(seed) if markets is None else markets:
            self._list(market if isinstance(market, PaperMarket) else PaperMarket(market))
        self._balances = self._starting_balances(balances)
        self._gateway = Gateway(self.engine, lambda: self.clock())
        self._front = Front(self._gateway, self.faults, self.lock)
        self._base_url: str | None = None
        self._runner: web.AppRunner | None = None
        self._stop: Callable[[], object] | None = None
        self._thread: threading.Thread | None = None

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
    def requests(self) -> list[ReceivedRequest]:
        """The latest 10000 requests, oldest first, without their signatures and secrets."""
        with self.lock:
            return list(self._front.log)

    def clear_requests(self) -> None:
        """Forget the requests received so far."""
        with self.lock:
            self._front.log.clear()

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

    def deposit(self, api_key: str, asset: str, amount: Amount) -> None:
        """Credit an account.

        Raises:
            ValueError, TypeError: as for `add_account`.
            Refused: there is no such account.
        """
        with self.lock:
            for checked in self._checked({asset: amount}).values():
                self.engine.deposit(api_key, asset, checked, now_us=self.clock())

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
        if not _is_loopback(self._host):
            logger.warning(
                "the embedded exchange listens at %s, which other machines may reach: it is made for tests on loopback",
                self._host,
            )
        runner = web.AppRunner(
            self._front.application(), access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        try:
            await runner.setup()
            await web.TCPSite(runner, self._host, self._port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._base_url = _url(*runner.addresses[0][:2])

    async def _cleanup(self) -> None:
        runner, self._runner, self._base_url = self._runner, None, None
        if runner is not None:
            await runner.cleanup()

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
        amounts = {asset: _amount(asset, amount) for asset, amount in balances.items()}
        return {asset: amount for asset, amount in amounts.items() if amount}

    def _traded(self) -> set[str]:
        return {asset for spec in self.engine.markets() for asset in (spec.base, spec.quote)}


def _amount(asset: str, amount: Amount) -> Decimal:
    if isinstance(amount, float):
        raise TypeError(f"the amount of {asset} is a float: give a Decimal, an int or a text")
    try:
        value = Decimal(amount)
        return check_amount(value, f"the amount of {asset}") if value else value
    except InvalidOperation:
        raise ValueError(f"the amount of {asset} is {amount!r}, which is no number") from None
    except Refused as refused:
        raise ValueError(refused.message) from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(host: str, port: int) -> str:
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"
