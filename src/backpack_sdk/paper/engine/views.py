"""The read-only side of the exchange: markets, books, trades, and what belongs to one account."""

from __future__ import annotations

from collections.abc import Container, Mapping
from decimal import Decimal, localcontext

from .account import Account, FeeRates
from .book import Depth, PriceLevel
from .enums import BookState, FillType, SortDirection
from .errors import ErrorCode, Refused
from .events import Trade
from .klines import Kline, KlineInterval, build_klines
from .ledger import Balance, Ledger
from .market import Market
from .numbers import EXACT
from .orders import Fill, LiveOrder, Order
from .paging import DEFAULT_LIMIT, page
from .spec import MarketSpec
from .tape import Ticker, TickerInterval


class ExchangeView:
    """The state of an exchange and every question about it. Asking changes nothing.

    Accounts are named by any string. `Refused` with `UNAUTHORIZED` (401) answers for an unknown account, and
    with `INVALID_SYMBOL` for an unknown market. Times are Unix microseconds.
    """

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._accounts: dict[str, Account] = {}
        self._markets: dict[str, Market] = {}
        self._time_us = 0

    # The public side

    def markets(self) -> tuple[MarketSpec, ...]:
        """Return the rules and states of all markets, in the order of listing."""
        return tuple(market.spec for market in self._markets.values())

    def market(self, symbol: str) -> MarketSpec:
        """Return the rules and state of one market."""
        return self._market(symbol).spec

    def depth(self, symbol: str, limit: int | None = None) -> Depth:
        """Return the book aggregated by price: the best `limit` levels of each side, None for all.

        Raises:
            Refused: as the live exchange does, `INVALID_CLIENT_REQUEST` for an unknown symbol and
                `RESOURCE_NOT_FOUND` (404) for a closed market; also the former for a limit below 1.
        """
        if limit is not None and limit < 1:
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, f"limit {limit} must be at least 1")
        book = self._open_market(symbol).book
        return Depth(symbol, book.bids.ascending(limit), book.asks.ascending(limit), book.update_id, self._time_us)

    def best_levels(self, symbol: str) -> tuple[PriceLevel | None, PriceLevel | None]:
        """Return the best bid and the best ask with what rests there, None for an empty side.

        Raises:
            Refused: as for `depth`.
        """
        market = self._open_market(symbol)
        bid, ask = market.book.bids.best(), market.book.asks.best()
        return (
            (bid.price, bid.total) if bid is not None else None,
            (ask.price, ask.total) if ask is not None else None,
        )

    def trades(self, symbol: str, *, limit: int = DEFAULT_LIMIT, offset: int = 0) -> tuple[Trade, ...]:
        """Return public trades of a market, newest first."""
        return page(self._market(symbol).tape.trades, limit, offset, SortDirection.DESC)

    def ticker(self, symbol: str, *, now_us: int, interval: TickerInterval = TickerInterval.DAY) -> Ticker | None:
        """Return the figures of the last day or week, None when nothing traded."""
        with localcontext(EXACT):
            return self._market(symbol).tape.ticker(interval, now_us)

    def klines(self, symbol: str, interval: KlineInterval, *, start_us: int, end_us: int) -> tuple[Kline, ...]:
        """Return the candles that have a moment in [`start_us`, `end_us`], oldest first, empty ones included.

        Raises:
            Refused: `INVALID_RANGE` for an empty range or one of more than 10000 candles.
        """
        with localcontext(EXACT):
            return build_klines(self._market(symbol).tape, interval, start_us, end_us)

    # One account

    def has_account(self, account: str) -> bool:
        """Return whether the account exists."""
        return account in self._accounts

    def fees(self, account: str) -> FeeRates:
        """Return the fee rates of an account."""
        return self._account(account).fees

    def balances(self, account: str) -> dict[str, Balance]:
        """Return the balance of every asset the account has ever held."""
        self._account(account)
        return self._ledger.balances(account)

    def open_order(
        self, account: str, symbol: str, *, order_id: int | None = None, client_id: int | None = None
    ) -> Order:
        """Return one open order by exactly one of its ids.

        Raises:
            Refused: as for `cancel`.
        """
        return self._find_open(account, symbol, order_id, client_id).view()

    def open_orders(self, account: str, symbol: str | None = None) -> tuple[Order, ...]:
        """Return the open orders of one market or of all, oldest first."""
        owner = self._account(account)
        if symbol is not None:
            self._market(symbol)
        return tuple(order.view() for order in owner.open.values() if symbol in (None, order.request.symbol))

    def order_history(
        self,
        account: str,
        *,
        symbol: str | None = None,
        order_id: int | None = None,
        strategy_id: int | None = None,
        kinds: Container[str] | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        direction: SortDirection = SortDirection.DESC,
    ) -> tuple[Order, ...]:
        """Return orders that ever got an id, open ones included, by id. `kinds` narrows it to types of markets."""
        orders = self._account(account).orders
        if order_id is not None:
            orders = {order_id: orders[order_id]} if order_id in orders else {}

        def keep(order: LiveOrder) -> bool:
            return (
                symbol in (None, order.request.symbol)
                and strategy_id in (None, order.cause.strategy_id)
                and self._is_of(order.request.symbol, kinds)
            )

        return tuple(order.view() for order in page(orders.values(), limit, offset, direction, keep))

    def fills(
        self,
        account: str,
        *,
        symbol: str | None = None,
        order_id: int | None = None,
        strategy_id: int | None = None,
        kinds: Container[str] | None = None,
        fill_type: FillType | None = None,
        from_us: int | None = None,
        to_us: int | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
        direction: SortDirection = SortDirection.DESC,
    ) -> tuple[Fill, ...]:
        """Return the account's fills, those at `from_us` and `to_us` included, by time."""

        def keep(fill: Fill) -> bool:
            return (
                symbol in (None, fill.symbol)
                and order_id in (None, fill.order_id)
                and strategy_id in (None, fill.strategy_id)
                and fill_type in (None, fill.fill_type)
                and self._is_of(fill.symbol, kinds)
                and (from_us is None or fill.time_us >= from_us)
                and (to_us is None or fill.time_us <= to_us)
            )

        return page(self._account(account).fills, limit, offset, direction, keep)

    def collected_fees(self) -> Mapping[str, Decimal]:
        """Return the fees taken from all accounts per asset, less rebates paid."""
        return self._ledger.fees

    # Inside

    def _is_of(self, symbol: str, kinds: Container[str] | None) -> bool:
        return kinds is None or self._market(symbol).spec.market_type.value in kinds

    def _account(self, account: str) -> Account:
        try:
            return self._accounts[account]
        except KeyError:
            raise Refused(ErrorCode.UNAUTHORIZED, f"there is no account {account}", 401) from None

    def _market(self, symbol: str) -> Market:
        try:
            return self._markets[symbol]
        except KeyError:
            raise Refused(ErrorCode.INVALID_SYMBOL, f"no market has the symbol {symbol}") from None

    def _open_market(self, symbol: str) -> Market:
        """Return a market that has a book. The live exchange refuses others in words of its own."""
        market = self._markets.get(symbol)
        if market is None:
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, f"no market has the symbol {symbol}")
        if market.spec.state is BookState.CLOSED:
            raise Refused(ErrorCode.RESOURCE_NOT_FOUND, f"{symbol} is closed and has no order book", 404)
        return market

    def _find_open(self, account: str, symbol: str, order_id: int | None, client_id: int | None) -> LiveOrder:
        owner = self._account(account)
        self._market(symbol)
        if order_id is not None and client_id is None:
            order, name = owner.open.get(order_id), f"order id {order_id}"
        elif client_id is not None and order_id is None:
            order, name = owner.open_by_client_id(symbol, client_id), f"client id {client_id}"
        else:
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, "give either the order id or the client id")
        if order is None or order.request.symbol != symbol:
            raise Refused(ErrorCode.RESOURCE_NOT_FOUND, f"no open order of {symbol} has the {name}", 404)
        return order
