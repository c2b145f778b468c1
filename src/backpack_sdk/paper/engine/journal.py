"""Commands as plain data: written down as they are given, and carried out again.

    commands = []
    exchange.record(commands.append)
    ...
    assert replay(commands).digest() == exchange.digest()

A command is a dict of JSON values with the name of the method as `kind`; decimals are text. Refused commands are
written down too, for time passed when they were given. Commands that an exchange got before `record` are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache, wraps
from inspect import signature
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from .errors import Refused

if TYPE_CHECKING:
    from .exchange import Exchange
    from .spec import MarketSpec

Command = dict[str, Any]
"""A command as JSON values."""
Sink = Callable[[Command], None]

C = TypeVar("C", bound="type[Any]")

COMMANDS = (
    "accept_quote",
    "add_asset",
    "add_market",
    "add_pool",
    "add_vault",
    "advance",
    "borrow_lend",
    "cancel",
    "cancel_all",
    "cancel_rfq",
    "cancel_strategies",
    "cancel_strategy",
    "cancel_vault_redeems",
    "convert_dust",
    "create_strategy",
    "create_withdrawal_delay",
    "deposit",
    "draw",
    "execute",
    "fund_dust_desk",
    "keep_trades",
    "mint_vault",
    "open_account",
    "redeem_vault",
    "refresh_rfq",
    "set_book_state",
    "set_fees",
    "set_mark_price",
    "submit_quote",
    "submit_rfq",
    "trust_address",
    "update_settings",
    "update_withdrawal_delay",
    "withdraw",
)
"""Every method of an exchange that changes it."""


class Journal:
    """Where an exchange writes its commands down."""

    __slots__ = ("busy", "sink")

    def __init__(self) -> None:
        self.sink: Sink | None = None
        self.busy = False
        """Whether a command is being carried out: what it calls in turn is part of it."""


def journaled(cls: C) -> C:
    """Let the commands of a class write themselves down in the `journal` of the object."""
    for name in COMMANDS:
        setattr(cls, name, _recorded(name, getattr(cls, name)))
    return cls


def apply(exchange: Exchange, command: Mapping[str, Any]) -> Any:
    """Carry out a command and return what the method returns.

    Raises:
        Refused: the exchange refuses it.
        ValueError: it is no command.
    """
    kind = command.get("kind")
    if kind not in COMMANDS:
        raise ValueError(f"{kind!r} is no command of an exchange")
    method = getattr(exchange, kind)
    hints = _hints(getattr(type(exchange), kind))
    unknown = command.keys() - hints.keys() - {"kind"}
    if unknown:
        raise ValueError(f"{kind} takes no {', '.join(sorted(unknown))}")
    given = {name: decode(hints[name], value) for name, value in command.items() if name != "kind"}
    return method(**given)


def replay(
    commands: Iterable[Mapping[str, Any]], markets: Iterable[MarketSpec] = (), *, first_order_id: int = 1
) -> Exchange:
    """Carry out commands on a new exchange and return that. What was refused is refused again."""
    from .exchange import Exchange

    exchange = Exchange(markets, first_order_id=first_order_id)
    for command in commands:
        try:
            apply(exchange, command)
        except Refused:
            continue
    return exchange


def encode(value: Any) -> Any:
    """Turn a value into JSON values."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (list, tuple)):
        return [encode(member) for member in cast("Sequence[Any]", value)]
    if isinstance(value, Mapping):
        return {str(key): encode(member) for key, member in value.items()}
    return value


def decode(hint: Any, value: Any) -> Any:
    """Turn JSON values back into a value of an annotated type."""
    if value is None:
        return None
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        (hint,) = (member for member in get_args(hint) if member is not NoneType)
        return decode(hint, value)
    if origin is tuple:
        return tuple(decode(get_args(hint)[0], member) for member in value)
    if hint is Decimal:
        return Decimal(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(**{name: decode(hints[name], member) for name, member in value.items()})
    return value


@cache
def _hints(annotated: Any) -> dict[str, Any]:
    return get_type_hints(annotated)


def _recorded(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    parameters = signature(method)

    @wraps(method)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        journal: Journal = self.journal
        sink = journal.sink
        if sink is None or journal.busy:
            return method(self, *args, **kwargs)
        given = parameters.bind(self, *args, **kwargs).arguments
        command = {"kind": name, **{key: encode(value) for key, value in list(given.items())[1:]}}
        journal.busy = True
        try:
            found = method(self, *args, **kwargs)
        except Refused:
            sink(command)
            raise
        finally:
            journal.busy = False
        sink(command)
        return found

    return run
