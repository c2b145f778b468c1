"""One difference between two documents."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, in the SDK's terms."""

    kind: str
    """What and how, such as `operation.added`, `argument.type`, `field.presence`, `member.removed`, `model.base`."""
    method: str
    """Whose: `markets.get_depth` for an operation and its arguments, `book_ticker` for a channel, else `Order.price`,
    `Side.BID`, `Order`."""
    text: str
    """The difference in words, without `method`."""
    breaks: bool
    """Whether correct code written against the old SDK can fail, at run time or in a type checker."""
    why: str
    """Why it breaks such code, or does not."""
    member: str = ""
    """The argument, the field, or the enum member it is about; empty when it is about the whole."""
    affects: tuple[str, ...] = field(default=())
    """Methods that notice, sorted. For a class, those which use it, leaving out the ones that only one side has."""

    @property
    def action(self) -> str:
        """`added`, `removed` or `changed`."""
        action = self.kind.rpartition(".")[2]
        return action if action in ("added", "removed") else "changed"

    @property
    def about_method(self) -> bool:
        """Whether it is about an operation or channel itself and not about a class that these use."""
        return self.kind.startswith(("operation.", "argument.", "channel."))

    @property
    def owner(self) -> str:
        """The operation, model or enum that it belongs to."""
        return self.method if self.about_method or not self.member else self.method.rpartition(".")[0]


def code(value: object) -> str:
    """A value as a Markdown code span on one line, whatever it holds."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return f"`` {text} ``" if "`" in text else f"`{text}`"
