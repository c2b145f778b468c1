"""What an operation answers, as the annotation of its result and as the decoder that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import types

if TYPE_CHECKING:
    from .ir import Outcome, Type

_EMPTY = {"acknowledged": "Acknowledged", "accepted": "Accepted", "no_content": "NoContent"}
TIME_PARSERS = {"micros": "from_micros", "millis": "from_millis", "seconds": "from_seconds"}
_CLASSES = {"model", "enum", "list", "tuple", "map", "text", "integer", "boolean"}
"""Kinds whose annotation is a class at runtime; a type checker needs to be told what the others are."""


def result(outcomes: tuple[Outcome, ...]) -> str:
    """Annotation of what a method gives."""
    return " | ".join(dict.fromkeys(_annotation(outcome) for outcome in outcomes))


def _annotation(outcome: Outcome) -> str:
    if outcome.type is not None:
        return types.in_reply(outcome.type)
    return "datetime" if outcome.kind in TIME_PARSERS else _EMPTY.get(outcome.kind, "TextReply")


def reply(outcomes: tuple[Outcome, ...]) -> str:
    """The expression that makes the decoder: the reply with a body first, then what else may come."""
    first, *rest = sorted(outcomes, key=lambda outcome: outcome.kind in _EMPTY)
    text = _decoder(first)
    if _own_status(first) != first.status:
        rest = [first, *rest]
    for outcome in rest:
        if outcome.kind in _EMPTY:
            text += f".also({outcome.status}, {_EMPTY[outcome.kind]})"
        else:
            text += f".also({outcome.status}, _partial({_decoder(outcome)}.decode, {_own_status(outcome)}))"
    return text


def _own_status(outcome: Outcome) -> int:
    """The status that the decoder alone accepts: those of texts know only 200."""
    return outcome.status if outcome.type is not None or outcome.kind in _EMPTY else 200


def _decoder(outcome: Outcome) -> str:
    status = "" if outcome.status == 200 else f", {outcome.status}"
    if outcome.type is not None:
        return f"json_reply({_runtime(outcome.type)}{status})"
    if outcome.kind in TIME_PARSERS:
        return f"parsed_text_reply({TIME_PARSERS[outcome.kind]})"
    if outcome.kind in _EMPTY:
        return f"empty_reply({_EMPTY[outcome.kind]}{status})"
    return "text_reply()"


def _runtime(type_: Type) -> str:
    annotation = types.in_reply(type_)
    return annotation if type_.kind in _CLASSES else f'_cast("Any", {annotation})'


def needs_annotation(outcomes: tuple[Outcome, ...]) -> bool:
    """Whether a type checker can't tell the type of the decoder by itself."""
    return any(outcome.type is not None and outcome.type.kind not in _CLASSES for outcome in outcomes)
