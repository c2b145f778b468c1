"""What a spot order costs, what it locks, and how a spot trade is settled.

A bid pays with the quote asset and an ask with the base asset. Each side's fee is charged in the asset
that side receives, out of what it receives. A fee therefore never needs funds of its own: a resting bid
locks price x remaining quantity, a resting ask its remaining quantity, and no trade can take a balance
below zero. (The exchange names a fee asset with every fill; that it is the received one on spot is this
engine's choice.) A derivatives market would bring its own class with the same methods.
"""

from __future__ import annotations

from decimal import Decimal

from .enums import OrderType, Side
from .errors import ErrorCode, Refused
from .ledger import Ledger
from .matching import Plan
from .numbers import ZERO
from .orders import LiveOrder, NewOrder
from .spec import MarketSpec


class SpotClearing:
    """Moves base and quote asset of one spot market between accounts."""

    __slots__ = ("_base", "_ledger", "_quote")

    def __init__(self, spec: MarketSpec, ledger: Ledger) -> None:
        self._base = spec.base
        self._quote = spec.quote
        self._ledger = ledger

    def require_funds(self, account: str, order: NewOrder, plan: Plan) -> None:
        """Check that the account can pay for the order.

        A limit order must be covered in full at its own price, a market ask by quantity in full. A market
        bid, and a market order by quote quantity, must be covered for what the book would give it.

        Raises:
            Refused: `INSUFFICIENT_FUNDS` with the shortfall.
        """
        if order.side is Side.ASK:
            asset, needed = self._base, order.quantity if order.quantity is not None else plan.filled
        elif order.order_type is OrderType.LIMIT and order.price is not None and order.quantity is not None:
            asset, needed = self._quote, order.price * order.quantity
        else:
            asset, needed = self._quote, plan.quote
        available = self._ledger.available(account, asset)
        if available < needed:
            raise Refused(
                ErrorCode.INSUFFICIENT_FUNDS,
                f"the order needs {needed} {asset} and {available} {asset} is available:"
                f" {needed - available} {asset} short",
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

    def settle(self, order: LiveOrder, other: LiveOrder, paid: Decimal, *, is_maker: bool) -> tuple[Decimal, str]:
        """Let `order` pay `paid` of its asset to the owner of `other`, who is maker or taker of the trade.

        Returns:
            The fee of `other`, and its asset.
        """
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
