"""The commands of what an exchange offers besides trading."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from .credit import BORROW_LIMIT
from .dust import DUST_PRICE_ASSET, DustConversion
from .enums import Side
from .errors import ErrorCode, Refused
from .lending import BorrowLendMovement
from .lending_pool import BorrowLendSide, BorrowLendSource
from .numbers import ZERO, is_multiple
from .outcome import Outcome
from .rfq_events import Quote, Rfq, RfqMode
from .rfq_terms import spot_symbol
from .services import Services
from .settings import MAX_LEVERAGE, AccountSettings
from .shares import share_down
from .spec import check_amount
from .transfers import Withdrawal, WithdrawalDelay, account_of
from .vaults import VaultRedeem

_RECEIVED_UNIT = Decimal("0.000001")


class ServiceCommands(Services):
    """The commands of the services. As all commands, they raise `Refused` and change nothing, or are carried out."""

    def fund_dust_desk(self, quantity: Decimal, *, now_us: int) -> Outcome[Decimal]:
        """Give the desk that buys dust so much more USDC, and return what it has."""
        quantity = check_amount(quantity, "quantity")

        def fund(_now_us: int) -> Decimal:
            self.dust.fund(quantity)
            return self.dust.funds

        return self._carry_out(now_us, fund)

    def advance(self, *, now_us: int) -> Outcome[None]:
        """Let time pass: interest, withdrawals, requests for quotes and redemptions that are due."""
        return self._carry_out(now_us, lambda _now_us: None)

    def update_settings(
        self,
        account: str,
        *,
        auto_borrow_settlements: bool | None = None,
        auto_lend: bool | None = None,
        auto_repay_borrows: bool | None = None,
        leverage_limit: Decimal | None = None,
        now_us: int,
    ) -> Outcome[AccountSettings]:
        """Change the settings that are given.

        Raises:
            Refused: `INVALID_CLIENT_REQUEST` for a leverage limit outside 1 to 50.
        """
        old = self.settings(account)
        if leverage_limit is not None and not 1 <= leverage_limit <= MAX_LEVERAGE:
            raise Refused(
                ErrorCode.INVALID_CLIENT_REQUEST, f"leverage limit {leverage_limit} must lie in 1 to {MAX_LEVERAGE}"
            )
        given = {
            "auto_borrow_settlements": auto_borrow_settlements,
            "auto_lend": auto_lend,
            "auto_repay_borrows": auto_repay_borrows,
            "leverage_limit": leverage_limit,
        }
        new = replace(old, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]

        def update(now_us: int) -> AccountSettings:
            self._settings[account] = new
            self._sweep(account, now_us)
            return new

        return self._carry_out(now_us, update)

    def borrow_lend(
        self, account: str, asset: str, side: BorrowLendSide, quantity: Decimal, *, now_us: int
    ) -> Outcome[BorrowLendMovement]:
        """Borrow an asset from its pool or lend to it; see `Lending.execute`.

        Raises:
            Refused: as `Lending.execute` tells; also `BORROW_LIMIT` for more debts than an account may have.
        """
        self._account(account)
        quantity = check_amount(quantity, "quantity")

        def execute(now_us: int) -> BorrowLendMovement:
            if side is BorrowLendSide.BORROW and self.lending.lent(account, asset) == ZERO:
                owed = self.credit.worth(account).liabilities + quantity * self.asset_price(asset)
                if owed > BORROW_LIMIT:
                    raise Refused(
                        ErrorCode.BORROW_LIMIT, f"an account may owe {BORROW_LIMIT} USDC, and this would come to {owed}"
                    )
            return self.lending.execute(account, side, asset, quantity, now_us)

        return self._carry_out(now_us, execute)

    def draw(
        self,
        account: str,
        asset: str,
        quantity: Decimal,
        *,
        auto_borrow: bool = False,
        auto_lend_redeem: bool = False,
        now_us: int,
    ) -> Outcome[Decimal]:
        """Make so much more of an asset available for a trade and return what is: redeem what is lent, or borrow.

        Raises:
            Refused: `INSUFFICIENT_FUNDS` when neither is allowed or enough, and what redeeming and borrowing may raise.
        """
        self._account(account)
        quantity = check_amount(quantity, "quantity")

        def take(now_us: int) -> Decimal:
            wanted = self._ledger.available(account, asset) + quantity
            source = BorrowLendSource.SPOT_MARGIN
            self._gather(
                account, asset, wanted, now_us, source, borrow=auto_borrow, redeem=auto_lend_redeem, leaves=False
            )
            return self._ledger.available(account, asset)

        return self._carry_out(now_us, take)

    def trust_address(self, account: str, address: str) -> None:
        """Put an address into the address book: withdrawals to it need no second factor and are not delayed."""
        self._account(account)
        self.transfers.trust(account, address)

    def withdraw(
        self,
        account: str,
        asset: str,
        quantity: Decimal,
        *,
        blockchain: str,
        address: str,
        client_id: str | None = None,
        second_factor: bool = False,
        auto_borrow: bool = False,
        auto_lend_redeem: bool = False,
        now_us: int,
    ) -> Outcome[Withdrawal]:
        """Send funds out. The fee is taken out of `quantity`; the deposit address of an account here costs none.

        Raises:
            Refused: `INVALID_ASSET`, `INVALID_QUANTITY`, `INVALID_CLIENT_REQUEST`, `INVALID_TWO_FACTOR_CODE` for an
                unlisted address without a second factor, `INSUFFICIENT_FUNDS`, `INSUFFICIENT_MARGIN`, and what
                borrowing and redeeming may raise.
        """
        self._account(account)
        quantity = check_amount(quantity, "quantity")
        token = self.asset(asset).token(blockchain)
        if not token.withdrawals_enabled:
            raise Refused(ErrorCode.INVALID_ASSET, f"{asset} can't be withdrawn over {blockchain} at present")
        if not address.strip():
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, "the address is empty")
        if quantity < token.minimum_withdrawal:
            raise Refused(
                ErrorCode.INVALID_QUANTITY, f"{quantity} {asset} is below the minimum {token.minimum_withdrawal}"
            )
        if token.maximum_withdrawal is not None and quantity > token.maximum_withdrawal:
            raise Refused(
                ErrorCode.INVALID_QUANTITY, f"{quantity} {asset} is above the maximum {token.maximum_withdrawal}"
            )
        if not is_multiple(quantity, Decimal(1).scaleb(-token.decimals)):
            raise Refused(
                ErrorCode.INVALID_QUANTITY, f"{asset} has {token.decimals} decimals on {blockchain}, not as {quantity}"
            )
        if not second_factor and not self.transfers.trusts(account, address):
            raise Refused(
                ErrorCode.INVALID_TWO_FACTOR_CODE,
                "a withdrawal to an address outside of the address book needs a two-factor token",
            )
        recipient = account_of(address)
        if recipient == account or (recipient is not None and not self.has_account(recipient)):
            raise Refused(ErrorCode.INVALID_CLIENT_REQUEST, f"{address} is no address that funds can be sent to")

        def withdraw(now_us: int) -> Withdrawal:
            self._gather(
                account,
                asset,
                quantity,
                now_us,
                BorrowLendSource.WITHDRAWAL,
                borrow=auto_borrow,
                redeem=auto_lend_redeem,
            )
            return self.transfers.withdraw(
                account, asset, token, quantity, address, now_us, client_id=client_id, recipient=recipient
            )

        return self._carry_out(now_us, withdraw)

    def create_withdrawal_delay(self, account: str, hours: int, *, now_us: int) -> Outcome[WithdrawalDelay]:
        """Set a delay for withdrawals to unlisted addresses; see `Transfers.create_delay`."""
        self._account(account)
        return self._carry_out(now_us, lambda _now_us: self.transfers.create_delay(account, hours))

    def update_withdrawal_delay(self, account: str, hours: int, *, now_us: int) -> Outcome[WithdrawalDelay]:
        """Change that delay; see `Transfers.update_delay`."""
        self._account(account)
        return self._carry_out(now_us, lambda now_us: self.transfers.update_delay(account, hours, now_us))

    def convert_dust(
        self, account: str, asset: str | None = None, *, now_us: int
    ) -> Outcome[tuple[DustConversion, ...]]:
        """Sell dust for USDC at the asset's price: of one asset, or of all that have some.

        Dust is a balance, lent funds included, below the smallest quantity of the asset's USDC spot market.

        Raises:
            Refused: `INVALID_ASSET` for an asset without such a market, `INVALID_QUANTITY` when it is no dust,
                `INSUFFICIENT_SUPPLY` when the desk can't pay; the latter two also when there is nothing to convert.
        """
        self._account(account)

        def convert(now_us: int) -> tuple[DustConversion, ...]:
            assets = [asset] if asset is not None else list(self._ledger.balances(account))
            found = [
                (each, worth) for each in assets for worth in [self._dust_value(account, each)] if worth is not None
            ]
            if not found:
                what = "dust" if asset is None else f"dust of {asset}"
                raise Refused(ErrorCode.INVALID_QUANTITY, f"the account has no {what} that could be sold")
            if sum((worth for _, worth in found), ZERO) > self.dust.funds:
                raise Refused(ErrorCode.INSUFFICIENT_SUPPLY, "the desk that buys dust has too little USDC")
            return tuple(self._sell_dust(account, each, worth, now_us) for each, worth in found)

        if asset is not None and f"{asset}_{DUST_PRICE_ASSET}" not in self._markets:
            raise Refused(ErrorCode.INVALID_ASSET, f"{asset} is not traded against {DUST_PRICE_ASSET}")
        return self._carry_out(now_us, convert)

    def submit_rfq(
        self,
        account: str,
        symbol: str,
        side: Side,
        *,
        quantity: Decimal | None = None,
        quote_quantity: Decimal | None = None,
        price: Decimal | None = None,
        mode: RfqMode = RfqMode.AWAIT_ACCEPT,
        client_id: int | None = None,
        now_us: int,
    ) -> Outcome[Rfq]:
        """Ask for quotes; see `Rfqs.submit`. `symbol` is an RFQ market such as `SOL_USDC_RFQ`."""
        owner, market = self._account(account), self._market(spot_symbol(symbol, self._markets)).spec
        return self._carry_out(
            now_us,
            lambda now_us: self.rfqs.submit(
                owner,
                market,
                side,
                now_us,
                quantity=quantity,
                quote_quantity=quote_quantity,
                price=price,
                mode=mode,
                client_id=client_id,
            ),
        )

    def submit_quote(
        self, account: str, rfq_id: int, *, bid: Decimal, ask: Decimal, client_id: int | None = None, now_us: int
    ) -> Outcome[Quote]:
        """Answer a request for quotes; see `Rfqs.quote`."""
        maker, all_accounts = self._account(account), self._accounts
        return self._carry_out(
            now_us,
            lambda now_us: self.rfqs.quote(maker, all_accounts, rfq_id, bid, ask, now_us, client_id=client_id),
        )

    def accept_quote(
        self, account: str, quote_id: int, *, rfq_id: int | None = None, client_id: int | None = None, now_us: int
    ) -> Outcome[Rfq]:
        """Trade against a quote; see `Rfqs.accept`."""
        taker, all_accounts = self._account(account), self._accounts
        return self._carry_out(
            now_us,
            lambda now_us: self.rfqs.accept(taker, all_accounts, quote_id, now_us, rfq_id=rfq_id, client_id=client_id),
        )

    def refresh_rfq(self, account: str, rfq_id: int, *, now_us: int) -> Outcome[Rfq]:
        """Give makers more time; see `Rfqs.refresh`."""
        self._account(account)
        return self._carry_out(now_us, lambda now_us: self.rfqs.refresh(account, rfq_id, now_us))

    def cancel_rfq(
        self, account: str, *, rfq_id: int | None = None, client_id: int | None = None, now_us: int
    ) -> Outcome[Rfq]:
        """Withdraw a request for quotes; see `Rfqs.cancel`."""
        self._account(account)
        return self._carry_out(
            now_us, lambda now_us: self.rfqs.cancel(account, now_us, rfq_id=rfq_id, client_id=client_id)
        )

    def mint_vault(
        self,
        account: str,
        vault_id: int,
        asset: str,
        quantity: Decimal,
        *,
        auto_borrow: bool = False,
        auto_lend_redeem: bool = False,
        now_us: int,
    ) -> Outcome[Decimal]:
        """Pay into a vault and return the number of tokens; see `Vaults.mint`."""
        self._account(account)
        quantity = check_amount(quantity, "quantity")

        def mint(now_us: int) -> Decimal:
            tokens = self.vaults.check_mint(account, vault_id, asset, quantity, now_us)
            self._gather(
                account, asset, quantity, now_us, BorrowLendSource.MANUAL, borrow=auto_borrow, redeem=auto_lend_redeem
            )
            self.vaults.mint(account, vault_id, quantity, tokens)
            return tokens

        return self._carry_out(now_us, mint)

    def redeem_vault(
        self, account: str, vault_id: int, tokens: Decimal | None = None, *, now_us: int
    ) -> Outcome[VaultRedeem]:
        """Queue the redemption of vault tokens; see `Vaults.redeem`."""
        self._account(account)
        tokens = check_amount(tokens, "vault token quantity") if tokens is not None else None
        return self._carry_out(now_us, lambda now_us: self.vaults.redeem(account, vault_id, tokens, now_us))

    def cancel_vault_redeems(self, account: str, vault_id: int, *, now_us: int) -> Outcome[tuple[VaultRedeem, ...]]:
        """Take back the account's waiting redemptions; see `Vaults.cancel`."""
        self._account(account)
        return self._carry_out(now_us, lambda now_us: self.vaults.cancel(account, vault_id, now_us))

    # Inside

    def _dust_value(self, account: str, asset: str) -> Decimal | None:
        """Return what the account's dust of an asset is worth in USDC, None when it has none."""
        market = self._markets.get(f"{asset}_{DUST_PRICE_ASSET}")
        price = self.asset_price(asset)
        if market is None or price == ZERO or self.lending.owed(account, asset) > ZERO:
            return None
        balance, lent = self._ledger.balance(account, asset), self.lending.lent(account, asset)
        quantity = balance.available + lent
        if balance.locked != ZERO or not ZERO < quantity < market.spec.min_quantity:
            return None
        return share_down(quantity, price, Decimal(1), _RECEIVED_UNIT) if self._redeems(account, asset, lent) else None

    def _redeems(self, account: str, asset: str, lent: Decimal) -> bool:
        return lent == ZERO or self.lending.redeemable(account, asset) == lent

    def _sell_dust(self, account: str, asset: str, worth: Decimal, now_us: int) -> DustConversion:
        lent = self.lending.lent(account, asset)
        if lent > ZERO:
            self.lending.execute(account, BorrowLendSide.BORROW, asset, lent, now_us, BorrowLendSource.DUST_CONVERSION)
        return self.dust.buy(account, asset, self._ledger.available(account, asset), worth, now_us)
