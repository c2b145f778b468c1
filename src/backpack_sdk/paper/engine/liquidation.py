"""Liquidation: what happens to an account whose equity no longer covers its maintenance margin.

Its open orders are cancelled first, which may be enough. Then its positions are closed one after the other, the largest
first, until the rest is covered again: into the book by a market order that trades at most 5 % away from the mark
price, and what the book does not take goes to the backstop at the mark price. Every fill costs 1 % of its value, which
the backstop gets. What an account owes once nothing is left to close is taken over by the backstop, and with it all
that the account still has to spend.

The backstop is an account of the exchange itself. It needs no margin, may owe, and is never liquidated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from .account import Account
from .enums import ExpiryReason, OrderStatus, OrderType, Origin, Side, SystemOrderType
from .events import Event, Liquidated, OrderFilled
from .house import ClearingHouse
from .ledger import Ledger
from .margin import Margin
from .market import Market
from .numbers import ZERO
from .orders import Cause, Fill, LiveOrder, NewOrder
from .perp import PerpClearing, Slot
from .spec import SETTLEMENT_ASSET

BACKSTOP = "system:backstop"
MAX_DISTANCE = Decimal("0.05")
_ONE = Decimal(1)
_ON_BOOK = Cause(Origin.LIQUIDATION, SystemOrderType.LIQUIDATE_ON_BOOK)
_ON_BACKSTOP = Cause(Origin.LIQUIDATION, SystemOrderType.LIQUIDATE_ON_BACKSTOP)
_BY_BACKSTOP = Cause(Origin.BACKSTOP, SystemOrderType.LIQUIDATE_ON_BACKSTOP)


class Liquidator:
    """Watches accounts and liquidates them."""

    def __init__(
        self,
        ledger: Ledger,
        house: ClearingHouse,
        margin: Margin,
        markets: Mapping[str, Market],
        backstop: Account,
        order_ids: Iterator[int],
        events: list[Event],
    ) -> None:
        self._ledger = ledger
        self._house = house
        self._margin = margin
        self._markets = markets
        self._backstop = backstop
        self._order_ids = order_ids
        self._events = events

    def check(self, account: Account, now_us: int) -> set[str]:
        """Liquidate an account as far as need be. Return the markets it touched."""
        if self._is_sound(account):
            return set()
        touched: set[str] = set()
        for order in list(account.open.values()):
            symbol = order.request.symbol
            self._markets[symbol].expire(order, ExpiryReason.LIQUIDATION, now_us)
            touched.add(symbol)
        while not self._is_sound(account):
            slot = self._largest(account)
            if slot is None:
                break
            touched.add(slot.clearing.spec.symbol)
            self._close(slot, now_us)
        if self._largest(account) is None and self._margin.equity(account) < ZERO:
            self._take_over(account)
        return touched

    def _is_sound(self, account: Account) -> bool:
        if account.is_system or (self._largest(account) is None and self._house.debt(account.id) == ZERO):
            return True
        return self._margin.equity(account) >= self._margin.maintenance(account)

    def _largest(self, account: Account) -> Slot | None:
        held = [slot for slot in account.slots.values() if slot.position is not None]
        return max(held, key=lambda slot: abs(slot.quantity) * self._margin.mark(slot), default=None)

    def _close(self, slot: Slot, now_us: int) -> None:
        account, market = slot.account, self._markets[slot.clearing.spec.symbol]
        side = Side.ASK if slot.quantity > ZERO else Side.BID
        mark = self._margin.mark(slot)
        worst = mark * (_ONE + MAX_DISTANCE if side is Side.BID else _ONE - MAX_DISTANCE)
        request = NewOrder(
            symbol=market.spec.symbol,
            side=side,
            order_type=OrderType.MARKET,
            quantity=abs(slot.quantity),
            reduce_only=True,
        )
        market.close_out(account, request, now_us, _ON_BOOK, worst)
        if slot.position is not None:
            self._hand_over(slot, side, mark, now_us)

    def _hand_over(self, slot: Slot, side: Side, mark: Decimal, now_us: int) -> None:
        """Let the backstop take the rest of a position at the mark price."""
        clearing, quantity = slot.clearing, abs(slot.quantity)
        other = clearing.slot(self._backstop)
        fee = ZERO
        for each, direction, cause in ((slot, side, _ON_BACKSTOP), (other, side.opposite, _BY_BACKSTOP)):
            had = each.position
            positions = clearing.move(each, direction, quantity, mark, now_us)
            clearing.changed(each, positions, had)
            if each is slot:
                positions[0].liquidated += quantity
                fee = clearing.charge_liquidation(slot.account, positions, quantity * mark)
            self._record(
                each.account, clearing, direction, quantity, mark, fee if each is slot else ZERO, cause, now_us
            )
        self._events.append(
            Liquidated(
                slot.account.id,
                clearing.spec.symbol,
                side,
                quantity,
                mark,
                fee,
                SystemOrderType.LIQUIDATE_ON_BACKSTOP,
                now_us,
            )
        )
        clearing.publish(now_us)

    def _record(
        self,
        account: Account,
        clearing: PerpClearing,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        fee: Decimal,
        cause: Cause,
        now_us: int,
    ) -> None:
        """Write down a filled order of the exchange's own, which never met the book."""
        symbol = clearing.spec.symbol
        request = NewOrder(
            symbol=symbol, side=side, order_type=OrderType.MARKET, quantity=quantity, reduce_only=cause is _ON_BACKSTOP
        )
        order = LiveOrder(next(self._order_ids), account, request, now_us, cause)
        order.fill(quantity, quantity * price, now_us)
        order.close(OrderStatus.FILLED, now_us)
        account.add_order(order)
        account.close_order(order)
        fill = Fill(
            account.id,
            0,
            order.id,
            None,
            symbol,
            side,
            price,
            quantity,
            fee,
            SETTLEMENT_ASSET,
            False,
            now_us,
            None,
            cause.system_order_type,
        )
        account.fills.append(fill)
        self._events.append(OrderFilled(order.view(), fill, now_us))

    def _take_over(self, account: Account) -> None:
        """Let the backstop have what is left of a bankrupt account, debts included."""
        for asset, available, _locked in list(self._ledger.funds(account.id)):
            if available != ZERO:
                self._ledger.transfer(account.id, self._backstop.id, asset, available)
        self._house.assume_debt(account.id, self._backstop.id)
