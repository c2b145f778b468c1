"""Trading pairs in the notations of Backpack, Hummingbot, ccxt and Cryptofeed.

| kind         | Backpack              | Hummingbot              | ccxt                    | Cryptofeed              |
|--------------|-----------------------|-------------------------|-------------------------|-------------------------|
| spot         | `SOL_USDC`            | `SOL-USDC`              | `SOL/USDC`              | `SOL-USDC`              |
| perpetual    | `SOL_USDC_PERP`       | `SOL-USDC-PERP` (1)     | `SOL/USDC:USDC`         | `SOL-USDC-PERP`         |
| dated future | `BTC_USDC_260327` (2) | `BTC-USDC-260327` (3)   | `BTC/USDC:USDC-260327`  | `BTC-USDC-26H27`        |
| IPERP        | `BTC_USDC_IPERP` (2)  | `BTC-USDC-IPERP` (3)    | `BTC/USDC-IPERP` (3)    | `BTC-USDC-IPERP` (3)    |
| prediction   | `X_USDC_PREDICTION`   | `X-USDC-PREDICTION` (3) | `X/USDC-PREDICTION` (3) | `X-USDC-PREDICTION` (3) |
| RFQ          | `SOL_USDC_RFQ`        | `SOL-USDC-RFQ` (3)      | `SOL/USDC-RFQ` (3)      | `SOL-USDC-RFQ` (3)      |

1. Hummingbot itself writes `SOL-USDC` on its spot connector and on its perpetual connector alike. Here the suffix keeps
   the two apart; drop it (`f"{pair.base}-{pair.quote}"`) when you hand a perpetual to Hummingbot.
2. Assumed: the exchange documents the market type, but no such market has been seen.
3. Ours: that project has no spelling for the kind, so this one exists only to be read back without loss.

How a text is read:

- A `/` makes it ccxt's, else a `-` makes it Hummingbot's or Cryptofeed's, else it is the exchange's own. Other
  separators may not be mixed in, with one exception: the base of a prediction market may hold `_`.
- Letter case matters and is never changed: `kPEPE_USDC_PERP` is a market, `KPEPE_USDC_PERP` is not. ccxt itself
  upper-cases currency codes, so its own `KPEPE/USDC:USDC` cannot be mapped back; write `kPEPE/USDC:USDC`.
- `SOL-USDC` alone is ambiguous (note 1). It is spot unless `kind` says otherwise.
- In three or more parts the last one is the suffix and the one before it the quote. Assets hold letters, digits and
  dots. A quote that reads as a suffix (`SOL-PERP`) means that the quote was forgotten, and is refused.
- ccxt's settlement asset must be the quote. `SOL/USDC:SOL`, settled in the base, is refused: it is ccxt's inverse
  contract, and whether the exchange's IPERP is one has not been shown.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache, total_ordering

__all__ = ["Pair", "PairError", "PairKind", "to_backpack"]


class PairKind(StrEnum):
    """What kind of market a symbol names. The values are the exchange's `marketType` values."""

    SPOT = "SPOT"
    """Delivery of the base asset against the quote asset."""
    PERP = "PERP"
    """Linear perpetual future, settled in the quote asset."""
    IPERP = "IPERP"
    """A type the exchange documents without explaining it. No such market has been seen."""
    DATED = "DATED"
    """Future with an expiry date. No such market has been seen."""
    PREDICTION = "PREDICTION"
    """Prediction market. The base names the outcome, and may hold underscores."""
    RFQ = "RFQ"
    """Request for quote. Such symbols need not be in the list of markets."""


_SUFFIXES = {kind.value: kind for kind in PairKind if kind not in (PairKind.SPOT, PairKind.DATED)}
_NOT_SUFFIXES = {
    "": "its suffix is empty",
    "SPOT": "a spot pair has no suffix",
    "DATED": "a dated future ends in its expiry, as YYMMDD",
}
_MONTH_CODES = "FGHJKMNQUVXZ"
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class PairError(ValueError):
    """A text cannot be read as a trading pair.

    `text` is what was given and `reason` says what is wrong with it. The message holds both, and what is accepted.
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text = text
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"cannot read {_show(self.text)} as a trading pair: {self.reason}. "
            "Accepted: SOL_USDC or SOL_USDC_PERP (Backpack), SOL-USDC or SOL-USDC-PERP (Hummingbot, Cryptofeed), "
            f"SOL/USDC or SOL/USDC:USDC (ccxt); suffixes are {', '.join(_SUFFIXES)} or an expiry as YYMMDD"
        )


@total_ordering
class Pair:
    """A trading pair: base, quote, kind and, for a dated future, the expiry.

    Immutable and hashable. Equality, hash and order are those of the exchange symbol, which is unique to the pair.

    `expiry` is six digits, YYMMDD (the years 2000 to 2099), and given exactly when `kind` is `PairKind.DATED`.

    Raises `PairError` when the parts make no valid pair.
    """

    __slots__ = ("_base", "_expiry", "_kind", "_quote", "_symbol")
    _base: str
    _quote: str
    _kind: PairKind
    _expiry: str | None
    _symbol: str

    def __init__(
        self, base: str, quote: str, kind: PairKind | str = PairKind.SPOT, *, expiry: str | None = None
    ) -> None:
        kind = _as_kind(f"{base}_{quote}", kind)
        suffix = expiry if kind is PairKind.DATED else None if kind is PairKind.SPOT else kind.value
        symbol = f"{base}_{quote}" if suffix is None else f"{base}_{quote}_{suffix}"
        reason = _fault(base, quote, kind, expiry)
        if reason is not None:
            raise PairError(symbol, reason)
        put = object.__setattr__
        put(self, "_base", base)
        put(self, "_quote", quote)
        put(self, "_kind", kind)
        put(self, "_expiry", expiry)
        put(self, "_symbol", symbol)

    @classmethod
    def parse(cls, text: str, *, kind: PairKind | str | None = None) -> Pair:
        """Read a pair in any notation; the module's docstring has the rules.

        `kind` settles the one ambiguous form, two parts joined by a dash: `Pair.parse("SOL-USDC", kind=PairKind.PERP)`
        is the perpetual, as on Hummingbot's perpetual connector. For every other form it is a check.

        Raises `PairError` when the text is not a pair, or names another kind than `kind`.
        """
        asked = None if kind is None else _as_kind(text, kind)
        base, quote, found, expiry = _read(text, asked)
        if asked is not None and found is not asked:
            raise PairError(text, f"it names a {found} market, and {asked} was asked for")
        try:
            return cls(base, quote, found, expiry=expiry)
        except PairError as error:
            raise PairError(text, error.reason) from None

    @classmethod
    def from_market(cls, base_symbol: str, quote_symbol: str, market_type: str, symbol: str) -> Pair:
        """Make the pair of one row of the exchange's market list, and prove that the symbol agrees with the row.

        Raises `PairError` when the row and its symbol disagree, the market type is not a `PairKind`, or the symbol
        cannot be read. Such a market can still be traded: requests take its symbol as it stands.
        """
        kind = _as_kind(symbol, market_type)
        pair = cls.parse(symbol)
        if pair.backpack != symbol:
            raise PairError(symbol, f"a market row holds the exchange's own symbol, which would be {pair.backpack!r}")
        if (pair.base, pair.quote, pair.kind) != (base_symbol, quote_symbol, kind):
            raise PairError(
                symbol,
                f"it reads as base {pair.base!r}, quote {pair.quote!r}, type {pair.kind}, but its market row says "
                f"base {base_symbol!r}, quote {quote_symbol!r}, type {kind}",
            )
        return pair

    @property
    def base(self) -> str:
        """The asset, or the outcome, that is traded; its letter case is the exchange's."""
        return self._base

    @property
    def quote(self) -> str:
        """The asset in which prices are given."""
        return self._quote

    @property
    def kind(self) -> PairKind:
        """The kind of market, as far as the symbol tells it."""
        return self._kind

    @property
    def expiry(self) -> str | None:
        """Expiry of a dated future as YYMMDD; None for every other kind."""
        return self._expiry

    @property
    def backpack(self) -> str:
        """The exchange's symbol, such as `SOL_USDC_PERP`."""
        return self._symbol

    @property
    def hummingbot(self) -> str:
        """Dashed: `SOL-USDC`, `SOL-USDC-PERP`. Hummingbot's perpetual connector itself leaves the `-PERP` out."""
        return self._dashed(self._expiry)

    @property
    def ccxt(self) -> str:
        """ccxt's unified symbol: `SOL/USDC`, `SOL/USDC:USDC`, `BTC/USDC:USDC-260327`; ours: `SOL/USDC-RFQ`."""
        pair = f"{self._base}/{self._quote}"
        if self._kind is PairKind.SPOT:
            return pair
        if self._kind is PairKind.PERP:
            return f"{pair}:{self._quote}"
        if self._expiry is not None:
            return f"{pair}:{self._quote}-{self._expiry}"
        return f"{pair}-{self._kind.value}"

    @property
    def cryptofeed(self) -> str:
        """Dashed: `SOL-USDC`, `SOL-USDC-PERP`; an expiry is year, futures month code and day: `BTC-USDC-26H27`."""
        expiry = self._expiry
        return self._dashed(expiry and f"{expiry[:2]}{_MONTH_CODES[int(expiry[2:4]) - 1]}{expiry[4:]}")

    def _dashed(self, expiry: str | None) -> str:
        if self._kind is PairKind.SPOT:
            return f"{self._base}-{self._quote}"
        return f"{self._base}-{self._quote}-{self._kind.value if expiry is None else expiry}"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Pair cannot be changed (setting {name!r}); make a new one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Pair cannot be changed (deleting {name!r}); make a new one")

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Pair.parse, (self._symbol,)

    def __str__(self) -> str:
        return self._symbol

    def __repr__(self) -> str:
        return f"Pair.parse({self._symbol!r})"

    def __hash__(self) -> int:
        return hash(self._symbol)

    def __eq__(self, other: object) -> bool:
        return self._symbol == other._symbol if isinstance(other, Pair) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self._symbol < other._symbol if isinstance(other, Pair) else NotImplemented


def to_backpack(text: str) -> str:
    """Return the exchange's symbol for a pair in any notation.

    A text with `_` and without `-`, `/` and `:` is taken for the exchange's own symbol and returned as it is. It is not
    checked, so that a new kind of market works on its first day. Anything else goes through `Pair.parse`.

    Raises `PairError` when the text is neither.
    """
    if "_" in text and "-" not in text and "/" not in text and ":" not in text:
        return text
    return _convert(text)


@lru_cache(maxsize=1024)
def _convert(text: str) -> str:
    return Pair.parse(text).backpack


_Parts = tuple[str, str, PairKind, str | None]


def _as_kind(text: str, kind: PairKind | str) -> PairKind:
    if isinstance(kind, PairKind):
        return kind
    try:
        return PairKind(kind)
    except ValueError:
        raise PairError(text, f"the market type {kind!r} is none of {', '.join(PairKind)}") from None


def _read(text: str, asked: PairKind | None) -> _Parts:
    if text.split() != [text]:
        raise PairError(text, "it holds white space" if text.strip() else "it is empty")
    if "/" in text:
        return _read_ccxt(text)
    if "-" in text:
        return _read_dashed(text, asked)
    return _read_exchange(text)


def _read_exchange(text: str) -> _Parts:
    parts = _split(text, "_")
    if len(parts) == 2:
        return parts[0], parts[1], PairKind.SPOT, None
    kind, expiry = _read_suffix(text, parts[-1])
    return "_".join(parts[:-2]), parts[-2], kind, expiry


def _read_dashed(text: str, asked: PairKind | None) -> _Parts:
    parts = _split(text, "-")
    if len(parts) == 2:
        return parts[0], parts[1], PairKind.SPOT if asked is None else asked, None
    if len(parts) > 3:
        raise PairError(text, "it has more than base, quote and suffix")
    kind, expiry = _read_suffix(text, _expiry_from_code(parts[2]) or parts[2])
    return parts[0], parts[1], kind, expiry


def _read_ccxt(text: str) -> _Parts:
    base, _, rest = text.partition("/")
    rest, dash, tail = rest.partition("-")
    quote, colon, settle = rest.partition(":")
    if not colon:
        if not dash:
            return base, quote, PairKind.SPOT, None
        kind, expiry = _read_suffix(text, tail)
        if kind in (PairKind.PERP, PairKind.DATED):
            example = f"{base}/{quote}:{quote}" if expiry is None else f"{base}/{quote}:{quote}-{expiry}"
            raise PairError(text, f"ccxt writes a {kind} market with its settlement asset, as {example}")
        return base, quote, kind, expiry
    if settle != quote:
        contract = "an inverse contract" if settle == base else "a contract"
        settled = f"settled in {_show(settle)}" if settle else "without a settlement asset"
        raise PairError(text, f"it names {contract} {settled}; only settlement in the quote asset is known here")
    if not dash:
        return base, quote, PairKind.PERP, None
    if not _is_expiry(tail):
        raise PairError(
            text, f"a settlement asset is followed by nothing or by an expiry as YYMMDD, not by {_show(tail)}"
        )
    return base, quote, PairKind.DATED, tail


def _split(text: str, separator: str) -> list[str]:
    parts = text.split(separator)
    if len(parts) == 1:
        raise PairError(text, "no '_', '-' or '/' separates the base from the quote")
    if "" in parts:
        raise PairError(text, f"the part before or after a {separator!r} is empty")
    return parts


def _read_suffix(text: str, suffix: str) -> tuple[PairKind, str | None]:
    kind = _SUFFIXES.get(suffix)
    if kind is not None:
        return kind, None
    if _is_expiry(suffix):
        return PairKind.DATED, suffix
    upper = suffix.upper()
    if upper in _SUFFIXES:
        raise PairError(text, f"the suffix {suffix!r} has to be in upper case, {upper!r}")
    raise PairError(text, _NOT_SUFFIXES.get(upper, f"its last part, {_show(suffix)}, is not a known suffix"))


def _fault(base: str, quote: str, kind: PairKind, expiry: str | None) -> str | None:
    """Say what keeps the parts from being a pair, or None when nothing does."""
    if (expiry is not None) is not (kind is PairKind.DATED):
        return "a dated future needs an expiry" if expiry is None else f"a {kind} market has no expiry"
    if expiry is not None and not _is_expiry(expiry):
        return f"the expiry {_show(expiry)} is not a date as YYMMDD"
    reason = _asset_fault("base", base, underscores=kind is PairKind.PREDICTION) or _asset_fault("quote", quote)
    if reason is None and (quote.upper() in PairKind.__members__ or _is_expiry(_expiry_from_code(quote) or quote)):
        return f"the suffix {quote!r} stands where the quote asset belongs"
    return reason


def _asset_fault(role: str, name: str, *, underscores: bool = False) -> str | None:
    pieces = name.replace("_", ".") if underscores else name
    if all(map(str.isalnum, pieces.split("."))):
        return None
    if not name:
        return f"the {role} is empty"
    for char in pieces:
        if char in "_-/:":
            return f"the {role} {_show(name)} holds the separator {char!r}, as if notations were mixed"
        if char != "." and not char.isalnum():
            return f"the {role} {_show(name)} holds {char!r}; only letters, digits and dots may stand there"
    return f"the {role} {_show(name)} starts or ends with a dot, or has two in a row"


def _is_expiry(text: str) -> bool:
    if len(text) != 6 or not (text.isascii() and text.isdecimal()):
        return False
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    if not (1 <= month <= 12 and 1 <= day <= _DAYS_IN_MONTH[month - 1]):
        return False
    return not (month == 2 and day == 29 and year % 4 != 0)


def _expiry_from_code(text: str) -> str | None:
    """Turn Cryptofeed's `26H27` into `260327`; the day may lack its leading zero. None when it is no such date."""
    month = _MONTH_CODES.find(text[2:3]) + 1
    expiry = f"{text[:2]}{month:02}{text[3:]:0>2}"  # an unknown code makes month 00, which is no date
    return expiry if _is_expiry(expiry) else None


def _show(text: str) -> str:
    return repr(text) if len(text) <= 100 else f"{text[:100]!r}..."
