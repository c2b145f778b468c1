"""The operations that the exchange offers: method, path, and the instruction that a private request must sign.

Written down here on its own, so that a wrong instruction or path in the client is refused rather than mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `instruction` is None for public ones; `name` is the API's operation id."""

    name: str
    method: str
    path: str
    instruction: str | None = None

    @property
    def has_body(self) -> bool:
        """Whether the parameters stand in a JSON body (and are signed from there) instead of the query."""
        return self.method != "GET"


OPERATIONS = (
    Operation("get_account", "GET", "/api/v1/account", "accountQuery"),
    Operation("update_account_settings", "PATCH", "/api/v1/account", "accountUpdate"),
    Operation("convert_dust", "POST", "/api/v1/account/convertDust", "convertDust"),
    Operation("get_max_borrow_quantity", "GET", "/api/v1/account/limits/borrow", "maxBorrowQuantity"),
    Operation("get_max_order_quantity", "GET", "/api/v1/account/limits/order", "maxOrderQuantity"),
    Operation("get_max_withdrawal_quantity", "GET", "/api/v1/account/limits/withdrawal", "maxWithdrawalQuantity"),
    Operation("get_assets", "GET", "/api/v1/assets"),
    Operation("execute_borrow_lend", "POST", "/api/v1/borrowLend", "borrowLendExecute"),
    Operation("get_apy_rates", "GET", "/api/v1/borrowLend/apy"),
    Operation("get_borrow_lend_markets", "GET", "/api/v1/borrowLend/markets"),
    Operation("get_borrow_lend_markets_history", "GET", "/api/v1/borrowLend/markets/history"),
    Operation(
        "get_borrow_lend_estimated_liquidation_price",
        "GET",
        "/api/v1/borrowLend/position/liquidationPrice",
        "borrowLendPositionLiquidationPrice",
    ),
    Operation("get_borrow_lend_positions", "GET", "/api/v1/borrowLend/positions", "borrowLendPositionQuery"),
    Operation("get_balances", "GET", "/api/v1/capital", "balanceQuery"),
    Operation("get_collateral", "GET", "/api/v1/capital/collateral", "collateralQuery"),
    Operation("get_collateral_parameters", "GET", "/api/v1/collateral"),
    Operation("get_depth", "GET", "/api/v1/depth"),
    Operation("get_funding_interval_rates", "GET", "/api/v1/fundingRates"),
    Operation("get_klines", "GET", "/api/v1/klines"),
    Operation("get_mark_prices", "GET", "/api/v1/markPrices"),
    Operation("get_market", "GET", "/api/v1/market"),
    Operation("get_market_sessions", "GET", "/api/v1/market-sessions"),
    Operation("get_markets", "GET", "/api/v1/markets"),
    Operation("get_open_interest", "GET", "/api/v1/openInterest"),
    Operation("cancel_order", "DELETE", "/api/v1/order", "orderCancel"),
    Operation("get_order", "GET", "/api/v1/order", "orderQuery"),
    Operation("execute_order", "POST", "/api/v1/order", "orderExecute"),
    Operation("cancel_open_orders", "DELETE", "/api/v1/orders", "orderCancelAll"),
    Operation("get_open_orders", "GET", "/api/v1/orders", "orderQueryAll"),
    Operation("execute_order_batch", "POST", "/api/v1/orders", "orderExecute"),
    Operation("ping", "GET", "/api/v1/ping"),
    Operation("get_positions", "GET", "/api/v1/position", "positionQuery"),
    Operation("get_prediction_events", "GET", "/api/v1/prediction"),
    Operation("get_prediction_tags", "GET", "/api/v1/prediction/tags"),
    Operation("submit_rfq", "POST", "/api/v1/rfq", "rfqSubmit"),
    Operation("accept_quote", "POST", "/api/v1/rfq/accept", "quoteAccept"),
    Operation("cancel_rfq", "POST", "/api/v1/rfq/cancel", "rfqCancel"),
    Operation("submit_quote", "POST", "/api/v1/rfq/quote", "quoteSubmit"),
    Operation("refresh_rfq", "POST", "/api/v1/rfq/refresh", "rfqRefresh"),
    Operation("get_open_rfqs", "GET", "/api/v1/rfqs", "rfqQuery"),
    Operation("get_securities", "GET", "/api/v1/securities"),
    Operation("get_status", "GET", "/api/v1/status"),
    Operation("cancel_open_strategies", "DELETE", "/api/v1/strategies", "strategyCancelAll"),
    Operation("get_open_strategies", "GET", "/api/v1/strategies", "strategyQueryAll"),
    Operation("cancel_strategy", "DELETE", "/api/v1/strategy", "strategyCancel"),
    Operation("get_strategy", "GET", "/api/v1/strategy", "strategyQuery"),
    Operation("strategy_create", "POST", "/api/v1/strategy", "strategyCreate"),
    Operation("get_ticker", "GET", "/api/v1/ticker"),
    Operation("get_tickers", "GET", "/api/v1/tickers"),
    Operation("get_time", "GET", "/api/v1/time"),
    Operation("get_recent_trades", "GET", "/api/v1/trades"),
    Operation("get_historical_trades", "GET", "/api/v1/trades/history"),
    Operation("vault_mint", "POST", "/api/v1/vault/mint", "vaultMint"),
    Operation("get_vault_nav", "GET", "/api/v1/vault/nav", "vaultNavQuery"),
    Operation("vault_redeem_cancel", "DELETE", "/api/v1/vault/redeem", "vaultRedeemCancel"),
    Operation("vault_redeem", "POST", "/api/v1/vault/redeem", "vaultRedeemRequest"),
    Operation("get_vault_pending_redeems", "GET", "/api/v1/vault/redeems/pending", "vaultPendingRedeemsQuery"),
    Operation("get_vaults", "GET", "/api/v1/vaults"),
    Operation("get_vault_history", "GET", "/api/v1/vaults/history"),
    Operation("get_wallets", "GET", "/api/v1/wallets"),
    Operation("get_deposit_address", "GET", "/wapi/v1/capital/deposit/address", "depositAddressQuery"),
    Operation("get_deposits", "GET", "/wapi/v1/capital/deposits", "depositQueryAll"),
    Operation("get_withdrawals", "GET", "/wapi/v1/capital/withdrawals", "withdrawalQueryAll"),
    Operation("request_withdrawal", "POST", "/wapi/v1/capital/withdrawals", "withdraw"),
    Operation("get_withdrawal_delay", "GET", "/wapi/v1/capital/withdrawals/delay", "withdrawalDelayQuery"),
    Operation("update_withdrawal_delay", "PATCH", "/wapi/v1/capital/withdrawals/delay", "withdrawalDelayUpdate"),
    Operation("create_withdrawal_delay", "POST", "/wapi/v1/capital/withdrawals/delay", "withdrawalDelayCreate"),
    Operation("get_borrow_lend_history", "GET", "/wapi/v1/history/borrowLend", "borrowHistoryQueryAll"),
    Operation(
        "get_borrow_lend_position_history",
        "GET",
        "/wapi/v1/history/borrowLend/positions",
        "borrowPositionHistoryQueryAll",
    ),
    Operation("get_dust_history", "GET", "/wapi/v1/history/dust", "dustHistoryQueryAll"),
    Operation("get_fills", "GET", "/wapi/v1/history/fills", "fillHistoryQueryAll"),
    Operation("get_funding_payments", "GET", "/wapi/v1/history/funding", "fundingHistoryQueryAll"),
    Operation("get_interest_history", "GET", "/wapi/v1/history/interest", "interestHistoryQueryAll"),
    Operation("get_order_history", "GET", "/wapi/v1/history/orders", "orderHistoryQueryAll"),
    Operation("get_position_history", "GET", "/wapi/v1/history/position", "positionHistoryQueryAll"),
    Operation("get_quote_history", "GET", "/wapi/v1/history/quote", "quoteHistoryQueryAll"),
    Operation("get_quote_fill_history", "GET", "/wapi/v1/history/quote/fill", "quoteFillHistoryQueryAll"),
    Operation("get_rfq_history", "GET", "/wapi/v1/history/rfq", "rfqHistoryQueryAll"),
    Operation("get_rfq_fill_history", "GET", "/wapi/v1/history/rfq/fill", "rfqFillHistoryQueryAll"),
    Operation("get_settlement_history", "GET", "/wapi/v1/history/settlement", "settlementHistoryQueryAll"),
    Operation("get_strategies_history", "GET", "/wapi/v1/history/strategies", "strategyHistoryQueryAll"),
)
BY_NAME = {operation.name: operation for operation in OPERATIONS}
BY_ROUTE = {(operation.method, operation.path): operation for operation in OPERATIONS}
PATHS = frozenset(operation.path for operation in OPERATIONS)
