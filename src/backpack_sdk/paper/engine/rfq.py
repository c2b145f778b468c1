"""Requests for quotes: one account asks, makers answer with two prices, and one of the answers may trade.

The market `SOL_USDC_RFQ` follows the spot market `SOL_USDC`: its assets, its tick and step, its smallest quantity. The
asking account pays a fee in the quote asset on top of the quoted price (or out of it, when it sells), the maker one out
of what it receives; both at their spot rates. A maker's funds are locked while its quote stands, those of the asking
account while an `Immediate` request stands; with `AwaitAccept` its funds are looked at when it accepts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from .account import Account
from .enums import BookState, OrderStatus, Side
from .errors import ErrorCode, Refused
from .events import Event
from .ledger import Ledger
from .numbers import ZERO
from .rfq_events import Quote, Rfq, RfqEventKind, RfqFill, RfqMode, RfqUpdated
from .rfq_terms import SUFFIX, base_quantity, check_client_id, require_funds, taker_fee, taker_price
from .spec import MarketSpec, check_amount

SUBMISSION_US = 60_000_000
LIFETIME_US = 120_000_000


class _LiveQuote:
    __slots__ = ("asset", "base", "locked", "price", "view")

    def __init__(self, view: Quote, price: Decimal, base: Decimal, asset: str, locked: Decimal) -> None:
        self.view = view
        self.price = price
        self.base = base
        self.asset = asset
        self.locked = locked


class _LiveRfq:
    __slots__ = ("asset", "locked", "market", "quotes", "view")

    def __init__(self, view: Rfq, market: MarketSpec, asset: str, locked: Decimal) -> None:
        self.view = view
        self.market = market
        self.asset = asset
        self.locked = locked
        self.quotes: dict[int, _LiveQuote] = {}


class Rfqs:
    """All requests and quotes. Commands must run inside one of the exchange's commands, after `advance`."""

    def __init__(self, ledger: Ledger, ids: Iterator[int], events: list[Event]) -> None:
        self._ledger = ledger
        self._ids = ids
        self._events = events
        self._open: dict[int, _LiveRfq] = {}
        self._quotes: dict[int, int] = {}
        self._past_rfqs: dict[str, list[Rfq]] = {}
        self._past_quotes: dict[str, list[tuple[Quote, Rfq]]] = {}
        self._fills: dict[str, list[RfqFill]] = {}
        self._quote_fills: dict[str, list[RfqFill]] = {}

    # Questions

    def open_rfqs(self, account: str) -> tuple[tuple[Rfq, tuple[Quote, ...]], ...]:
        """Return the open requests of an account with the quotes that stand, oldest first."""
        return tuple(
            (live.view, tuple(quote.view for quote in live.quotes.values()))
            for live in self._open.values()
            if live.view.account == account
        )

    def past_rfqs(self, account: str) -> tuple[Rfq, ...]:
        """Return the requests of an account that are over, in the order of their ending."""
        return tuple(self._past_rfqs.get(account, ()))

    def past_quotes(self, account: str) -> tuple[tuple[Quote, Rfq], ...]:
        """Return the quotes of an account that are over, each with its request."""
        return tuple(self._past_quotes.get(account, ()))

    def fills(self, account: str) -> tuple[RfqFill, ...]:
        """Return the trades of the account's requests, oldest first."""
        return tuple(self._fills.get(account, ()))

    def quote_fills(self, account: str) -> tuple[RfqFill, ...]:
        """Return the trades of the account's quotes, oldest first."""
        return tuple(self._quote_fills.get(account, ()))

    def state(self) -> Iterator[object]:
        """Yield everything there is, for a fingerprint."""
        for live in self._open.values():
            yield (live.view, live.locked, [(quote.view, quote.locked) for quote in live.quotes.values()])
        yield from (self._past_rfqs, self._past_quotes, self._fills)

    def due(self) -> Iterator[int]:
        """Yield the times at which something is due."""
        return (live.view.expiry_us for live in self._open.values())

    # Commands

    def advance(self, now_us: int) -> None:
        """Let the requests lapse whose time is over."""
        if not self._open:
            return
        for live in [live for live in self._open.values() if live.view.expiry_us <= now_us]:
            self._end(live, OrderStatus.EXPIRED, live.view.expiry_us)

    def submit(
        self,
        account: Account,
        market: MarketSpec,
        side: Side,
        now_us: int,
        *,
        quantity: Decimal | None,
        quote_quantity: Decimal | None,
        price: Decimal | None,
        mode: RfqMode,
        client_id: int | None,
    ) -> Rfq:
        """Ask for quotes on a spot market's RFQ twin.

        Raises:
            Refused: `INVALID_ORDER`, `INVALID_PRICE`, `INVALID_QUANTITY`, `INSUFFICIENT_FUNDS` or `TRADING_PAUSED`.
        """
        if market.state is BookState.CLOSED:
            raise Refused(ErrorCode.TRADING_PAUSED, f"{market.symbol}{SUFFIX} is closed")
        check_client_id(client_id)
        if (quantity is None) == (quote_quantity is None):
            raise Refused(ErrorCode.INVALID_ORDER, "a request for quotes needs either a quantity or a quote quantity")
        if (price is None) == (mode is RfqMode.IMMEDIATE):
            raise Refused(ErrorCode.INVALID_ORDER, "a price is needed with Immediate, and has no use with AwaitAccept")
        if client_id is not None and self._by_client_id(account.id, client_id) is not None:
            raise Refused(ErrorCode.INVALID_ORDER, f"client id {client_id} is in use by an open request for quotes")
        quantity = market.check_quantity(quantity) if quantity is not None else None
        quote_quantity = check_amount(quote_quantity, "quote quantity") if quote_quantity is not None else None
        price = market.check_price(price) if price is not None else None
        asset, locked = market.quote if side is Side.BID else market.base, ZERO
        if price is not None:
            base = base_quantity(quantity, quote_quantity, price, market)
            locked = base if side is Side.ASK else quote_quantity if quote_quantity is not None else base * price
        needed = quantity if side is Side.ASK and quantity is not None else locked
        require_funds(self._ledger, account.id, asset, needed)
        rfq = Rfq(
            next(self._ids),
            account.id,
            client_id,
            market.symbol + SUFFIX,
            side,
            quantity,
            quote_quantity,
            price,
            mode,
            OrderStatus.NEW,
            now_us,
            now_us,
            now_us + SUBMISSION_US,
            now_us + LIFETIME_US,
        )
        live = self._open[rfq.id] = _LiveRfq(rfq, market, asset, locked)
        if locked != ZERO:
            self._ledger.lock(account.id, asset, locked)
        self._tell(RfqEventKind.ACTIVE, None, live, now_us)
        return rfq

    def quote(
        self,
        maker: Account,
        takers: dict[str, Account],
        rfq_id: int,
        bid: Decimal,
        ask: Decimal,
        now_us: int,
        *,
        client_id: int | None,
    ) -> Quote:
        """Answer a request. A further quote of the same maker displaces the earlier one.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404), `INVALID_ORDER`, `INVALID_PRICE`, `INVALID_QUANTITY` or
                `INSUFFICIENT_FUNDS`.
        """
        live = self._open.get(rfq_id)
        if live is None:
            raise Refused(ErrorCode.RESOURCE_NOT_FOUND, f"no open request for quotes has the id {rfq_id}", 404)
        if live.view.account == maker.id:
            raise Refused(ErrorCode.INVALID_ORDER, "an account can't answer its own request for quotes")
        check_client_id(client_id)
        bid, ask = live.market.check_price(bid), live.market.check_price(ask)
        if bid > ask:
            raise Refused(ErrorCode.INVALID_PRICE, f"the bid {bid} must not be above the ask {ask}")
        buying = live.view.side is Side.BID
        price = ask if buying else bid
        base = base_quantity(live.view.quantity, live.view.quote_quantity, price, live.market)
        asset, locked = (live.market.base, base) if buying else (live.market.quote, base * price)
        earlier = [each for each in live.quotes.values() if each.view.account == maker.id]
        freed = sum((each.locked for each in earlier), ZERO)
        require_funds(self._ledger, maker.id, asset, locked - freed)
        for each in earlier:
            self._end_quote(live, each, OrderStatus.CANCELLED, now_us)
        view = Quote(next(self._ids), rfq_id, maker.id, client_id, bid, ask, OrderStatus.NEW, now_us)
        quote = live.quotes[view.id] = _LiveQuote(view, price, base, asset, locked)
        self._quotes[view.id] = rfq_id
        self._ledger.lock(maker.id, asset, locked)
        taker = takers[live.view.account]
        at = taker_price(live.view.side, price, taker)
        limit = live.view.price
        if limit is not None and (at <= limit if buying else at >= limit) and self._can_pay(live, quote, taker):
            self._fill(live, quote, taker, maker, now_us)
            return self._quote_fills[maker.id][-1].quote
        others = [taker_price(live.view.side, each.price, taker) for each in live.quotes.values() if each is not quote]
        if all(at < other if buying else at > other for other in others):
            self._tell(RfqEventKind.CANDIDATE, live.view.account, live, now_us, quote.view, at)
        return view

    def accept(
        self,
        taker: Account,
        makers: dict[str, Account],
        quote_id: int,
        now_us: int,
        *,
        rfq_id: int | None,
        client_id: int | None,
    ) -> Rfq:
        """Trade against a quote.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404), `INVALID_ORDER` or `INSUFFICIENT_FUNDS`.
        """
        live = self._open.get(self._quotes.get(quote_id, 0))
        quote = live.quotes.get(quote_id) if live is not None else None
        if live is None or quote is None or live.view.account != taker.id:
            raise Refused(ErrorCode.RESOURCE_NOT_FOUND, f"no open quote for this account has the id {quote_id}", 404)
        if rfq_id not in (None, live.view.id) or client_id not in (None, live.view.client_id):
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, f"quote {quote_id} answers another request for quotes")
        if live.view.mode is RfqMode.IMMEDIATE:
            raise Refused(
                ErrorCode.INVALID_ORDER, "an Immediate request takes quotes by itself: there is none to accept"
            )
        require_funds(self._ledger, taker.id, live.asset, _taker_pays(live, quote, taker))
        self._tell(RfqEventKind.ACCEPTED, taker.id, live, now_us)
        return self._fill(live, quote, taker, makers[quote.view.account], now_us)

    def refresh(self, account: str, rfq_id: int, now_us: int) -> Rfq:
        """Give makers more time. The quotes so far are cancelled.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404).
        """
        live = self._own(account, rfq_id, None)
        self._end_quotes(live, now_us)
        live.view = replace(
            live.view, submitted_us=now_us, submission_us=now_us + SUBMISSION_US, expiry_us=now_us + LIFETIME_US
        )
        self._tell(RfqEventKind.REFRESHED, account, live, now_us)
        self._tell(RfqEventKind.ACTIVE, None, live, now_us)
        return live.view

    def cancel(self, account: str, now_us: int, *, rfq_id: int | None, client_id: int | None) -> Rfq:
        """Withdraw a request, by exactly one of its ids.

        Raises:
            Refused: `RESOURCE_NOT_FOUND` (404) or `INVALID_CLIENT_REQUEST`.
        """
        return self._end(self._own(account, rfq_id, client_id), OrderStatus.CANCELLED, now_us)

    # Inside

    def _by_client_id(self, account: str, client_id: int) -> _LiveRfq | None:
        for live in self._open.values():
            if live.view.account == account and live.view.client_id == client_id:
                return live
        return None

    def _own(self, account: str, rfq_id: int | None, client_id: int | None) -> _LiveRfq:
        if rfq_id is not None and client_id is None:
            live, name = self._open.get(rfq_id), f"id {rfq_id}"
        elif client_id is not None and rfq_id is None:
            live, name = self._by_client_id(account, client_id), f"client id {client_id}"
        else:
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, "give either the RFQ id or the client id")
        if live is None or live.view.account != account:
            raise Refused(
                ErrorCode.RESOURCE_NOT_FOUND, f"the account has no open request for quotes with the {name}", 404
            )
        return live

    def _fill(self, live: _LiveRfq, quote: _LiveQuote, taker: Account, maker: Account, now_us: int) -> Rfq:
        market, base, price, buying = live.market, quote.base, quote.price, live.view.side is Side.BID
        value, fee = base * price, taker_fee(base * price, taker)
        maker_fee = (value if buying else base) * maker.fees.spot(is_maker=True)
        self._release(live.view.account, live)
        self._release(quote.view.account, quote)
        if buying:
            self._ledger.pay(taker.id, maker.id, market.quote, value + fee, fee=fee + maker_fee)
            self._ledger.transfer(maker.id, taker.id, market.base, base)
        else:
            self._ledger.pay(maker.id, taker.id, market.quote, value, fee=fee)
            self._ledger.pay(taker.id, maker.id, market.base, base, fee=maker_fee)
        del live.quotes[quote.view.id], self._quotes[quote.view.id]
        quote.view = replace(quote.view, status=OrderStatus.FILLED)
        filled = replace(live.view, status=OrderStatus.FILLED)
        at = taker_price(live.view.side, price, taker)
        fill = RfqFill(
            filled,
            quote.view,
            base,
            value,
            price,
            at,
            fee,
            maker_fee,
            market.quote if buying else market.base,
            now_us,
        )
        self._fills.setdefault(taker.id, []).append(fill)
        self._quote_fills.setdefault(maker.id, []).append(fill)
        self._past_quotes.setdefault(maker.id, []).append((quote.view, filled))
        self._tell(RfqEventKind.QUOTE_ACCEPTED, maker.id, live, now_us, quote.view, price)
        self._end_quotes(live, now_us)
        live.view = filled
        self._tell(RfqEventKind.FILLED, taker.id, live, now_us, quote.view, at)
        self._tell(RfqEventKind.FILLED, maker.id, live, now_us, quote.view, price)
        del self._open[filled.id]
        self._past_rfqs.setdefault(taker.id, []).append(filled)
        return filled

    def _can_pay(self, live: _LiveRfq, quote: _LiveQuote, taker: Account) -> bool:
        """Return whether the lock and what is free pay for it: the fee comes on top of a quote quantity."""
        return self._ledger.available(taker.id, live.asset) + live.locked >= _taker_pays(live, quote, taker)

    def _end(self, live: _LiveRfq, status: OrderStatus, now_us: int) -> Rfq:
        self._release(live.view.account, live)
        self._end_quotes(live, now_us)
        live.view = replace(live.view, status=status)
        self._tell(RfqEventKind.CANCELLED, live.view.account, live, now_us)
        del self._open[live.view.id]
        self._past_rfqs.setdefault(live.view.account, []).append(live.view)
        return live.view

    def _end_quotes(self, live: _LiveRfq, now_us: int) -> None:
        for quote in tuple(live.quotes.values()):
            self._end_quote(live, quote, OrderStatus.CANCELLED, now_us)

    def _end_quote(self, live: _LiveRfq, quote: _LiveQuote, status: OrderStatus, now_us: int) -> None:
        self._release(quote.view.account, quote)
        del live.quotes[quote.view.id], self._quotes[quote.view.id]
        quote.view = replace(quote.view, status=status)
        self._past_quotes.setdefault(quote.view.account, []).append((quote.view, live.view))
        self._tell(RfqEventKind.QUOTE_CANCELLED, quote.view.account, live, now_us, quote.view)

    def _release(self, account: str, holder: _LiveRfq | _LiveQuote) -> None:
        if holder.locked != ZERO:
            self._ledger.unlock(account, holder.asset, holder.locked)
            holder.locked = ZERO

    def _tell(
        self,
        kind: RfqEventKind,
        account: str | None,
        live: _LiveRfq,
        now_us: int,
        quote: Quote | None = None,
        price: Decimal | None = None,
    ) -> None:
        self._events.append(RfqUpdated(kind, account, live.view, quote, price, now_us))


def _taker_pays(live: _LiveRfq, quote: _LiveQuote, taker: Account) -> Decimal:
    if live.view.side is Side.ASK:
        return quote.base
    return quote.base * taker_price(Side.BID, quote.price, taker)
