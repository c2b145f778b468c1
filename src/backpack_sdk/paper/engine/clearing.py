"""What a spot order costs, what it locks, and how a spot trade is settled.

A bid pays with the quote asset and an ask with the base asset. Each side's fee is charged in the asset
that side receives, out of what it receives. A fee therefore never needs funds of its own: a resting bid
locks price x remaining quantity, a resting ask its remaining quantity, and no trade can take a balance
below zero. (The exchange names a fee asset with every fill; that it is the received one on spot is this
engine's choice.) Perpetuals have a class of their own, `PerpClearing`, with the same methods.

What an account needs as margin for positions can't be paid with: an account that has some may lock only what its equity
can spare.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from .account import Account
from .enums import OrderType, Side
from .errors import ErrorCode, Refused
from .ledger import Ledger
from .matching import Plan
from .numbers import ZERO, plain
from .orders import LiveOrder, NewOrder
from .spec import MarketSpec

if TYPE_CHECKING:
    from .margin import Margin

Charge = tuple[Decimal, str]
"""A fee and its asset."""


class Clearing(Protocol):
    """What a market needs to know of money. See the two classes for the rules."""

    def require_funds(self, account: Account, order: NewOrder, plan: Plan) -> None:
        """Refuse an order that the account can't pay for."""
        ...

    def lock(self, order: LiveOrder) -> None:
        """Take note of an order that comes to rest."""
        ...

    def release(self, order: LiveOrder) -> None:
        """Take note of a resting order that goes."""
        ...

    def settle(
        self, maker: LiveOrder, taker: LiveOrder, quantity: Decimal, price: Decimal, now_us: int
    ) -> tuple[Charge, Charge]:
        """Settle a trade and return the fees of maker and taker."""
        ...

    def reducible(self, account: Account, side: Side) -> Decimal:
        """Return how much a reduce-only order of this side may trade."""
        ...

    def publish(self, now_us: int) -> list[Account]:
        """Write down what changed since the last call besides balances. Return the accounts that closed a position."""
        ...


class SpotClearing:
    """Moves base and quote asset of one spot market between accounts."""

    __slots__ = ("_base", "_ledger", "_margin", "_quote")

    def __init__(self, spec: MarketSpec, ledger: Ledger, margin: Margin) -> None:
        self._base = spec.base
        self._quote = spec.quote
        self._ledger = ledger
        self._margin = margin

    def require_funds(self, account: Account, order: NewOrder, plan: Plan) -> None:
        """Check that the account can pay for the order.

        A limit order must be covered in full at its own price, a market ask by quantity in full. A market
        bid, and a market order by quote quantity, must be covered for what the book would give it.

        Raises:
            Refused: `INSUFFICIENT_FUNDS` with the shortfall; `INSUFFICIENT_MARGIN` when positions need the money.
        """
        if order.side is Side.ASK:
            asset, needed = self._base, order.quantity if order.quantity is not None else plan.filled
        elif order.order_type is OrderType.LIMIT and order.price is not None and order.quantity is not None:
            asset, needed = self._quote, order.price * order.quantity
        else:
            asset, needed = self._quote, plan.quote
        available = self._ledger.available(account.id, asset)
        if available < needed:
            raise Refused(
                ErrorCode.INSUFFICIENT_FUNDS,
                f"the order needs {plain(needed)} {asset} and {plain(available)} {asset} is available:"
                f" {plain(needed - available)} {asset} short",
                short=(asset, needed - available),
            )
        if account.slots and self._margin.spendable(account, asset) < needed:
            raise Refused(
                ErrorCode.INSUFFICIENT_MARGIN,
                f"the order needs {plain(needed)} {asset}, and positions need some of it as margin",
            )

    def lock(self, order: LiveOrder) -> None:
        """Hold the funds of an order that comes to rest."""
        order.locked = order.price * order.remaining if order.side is Side.BID else order.remaining
        self._ledger.lock(order.account.id, self._asset_paid(order), order.locked)

    def release(self, order: LiveOrder) -> None:
        """Give back what an order still holds."""
        if order.locked != ZERO:
            self._ledger.unlock(order.account.id, self._asset_paid(order), order.locked)
            order.locked = ZERO

    def settle(
        self,
        maker: LiveOrder,
        taker: LiveOrder,
        quantity: Decimal,
        price: Decimal,
        now_us: int,  # noqa: ARG002
    ) -> tuple[Charge, Charge]:
        """Exchange base and quote asset. Return the fees of maker and taker, each with its asset."""
        quote = price * quantity
        maker_pays, taker_pays = (quote, quantity) if maker.side is Side.BID else (quantity, quote)
        taker_fee = self._pay(maker, taker, maker_pays, is_maker=False)
        return self._pay(taker, maker, taker_pays, is_maker=True), taker_fee

    def reducible(self, account: Account, side: Side) -> Decimal:  # noqa: ARG002
        """Return zero: a spot market has no positions."""
        return ZERO

    def publish(self, now_us: int) -> list[Account]:  # noqa: ARG002
        """Do nothing: balances are written down by the exchange."""
        return []

    def _pay(self, order: LiveOrder, other: LiveOrder, paid: Decimal, *, is_maker: bool) -> Charge:
        """Let `order` pay `paid` of its asset to the owner of `other`, who is maker or taker of the trade."""
        asset = self._asset_paid(order)
        fee = paid * other.account.fees.spot(is_maker=is_maker)
        # The maker of a trade pays from its lock, the taker from available funds.
        from_locked = not is_maker
        self._ledger.pay(order.account.id, other.account.id, asset, paid, fee=fee, from_locked=from_locked)
        if from_locked:
            order.locked -= paid
        return fee, asset

    def _asset_paid(self, order: LiveOrder) -> str:
        return self._quote if order.side is Side.BID else self._base
