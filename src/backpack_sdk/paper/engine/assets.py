"""What is known of an asset: its tokens on blockchains, and how it counts as collateral."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from .errors import ErrorCode, Refused
from .futures import MarginFunction
from .numbers import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralTerms:
    """How an asset counts: `weight` is the share of its value that carries margin, the functions apply to debts."""

    weight: Decimal = Decimal(1)
    initial: MarginFunction = field(default_factory=lambda: MarginFunction(Decimal("0.1")))
    maintenance: MarginFunction = field(default_factory=lambda: MarginFunction(Decimal("0.05")))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSpec:
    """An asset on one blockchain. Amounts are in units of the asset; a maximum of None means no maximum."""

    blockchain: str
    decimals: int
    withdrawal_fee: Decimal
    minimum_withdrawal: Decimal
    minimum_deposit: Decimal = ZERO
    maximum_withdrawal: Decimal | None = None
    deposits_enabled: bool = True
    withdrawals_enabled: bool = True
    contract: str | None = None

    def __post_init__(self) -> None:
        if self.withdrawal_fee < ZERO or self.minimum_withdrawal <= self.withdrawal_fee:
            raise ValueError(
                f"the smallest withdrawal over {self.blockchain} is {self.minimum_withdrawal}: it must exceed the fee"
                f" of {self.withdrawal_fee}, which must not be negative"
            )

    def check_deposit(self, quantity: Decimal) -> None:
        """Check that a quantity can come in.

        Raises:
            Refused: `INVALID_ASSET` while deposits are closed, `INVALID_QUANTITY` below the minimum.
        """
        if not self.deposits_enabled:
            raise Refused(ErrorCode.INVALID_ASSET, f"nothing can be deposited over {self.blockchain} at present")
        if quantity < self.minimum_deposit:
            raise Refused(
                ErrorCode.INVALID_QUANTITY,
                f"{quantity} is below the minimum {self.minimum_deposit} of {self.blockchain}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetSpec:
    """An asset. One without tokens can't be deposited or withdrawn over a blockchain."""

    symbol: str
    name: str
    coingecko_id: str | None = None
    tokens: tuple[TokenSpec, ...] = ()
    collateral: CollateralTerms = field(default_factory=CollateralTerms)

    def token(self, blockchain: str) -> TokenSpec:
        """Return the asset's token on a blockchain.

        Raises:
            Refused: `INVALID_ASSET` when that blockchain does not carry the asset.
        """
        for token in self.tokens:
            if token.blockchain == blockchain:
                return token
        raise Refused(ErrorCode.INVALID_ASSET, f"{self.symbol} does not exist on {blockchain}")
