"""What users rely on: public names, lazy imports, and every method's signature and documentation."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import types as python_types
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

import backpack_sdk
from backpack_sdk import OPERATIONS, AsyncBackpack, Backpack, Credentials, OpenEnum, Operation, operations, types
from backpack_sdk._core.arguments import DecimalLike, SymbolLike, TimeLike
from backpack_sdk._core.model import Model
from backpack_sdk._core.resource import AsyncResource, Resource
from backpack_sdk._generated.names import HOMES, TAGS

SRC = Path(backpack_sdk.__file__).resolve().parents[1]
ROOT = Path(__file__).resolve().parents[1]
NAMESPACES = (
    "account", "assets", "borrow_lend", "borrow_lend_markets", "capital", "markets", "order", "position", "rfq",
    "strategy", "system", "trades", "vaults", "withdrawal_delays",
)  # fmt: skip
BY_NAME = {str(operation): operation for operation in OPERATIONS}


def loaded_after(code: str) -> set[str]:
    """Modules that a fresh interpreter holds after some code."""
    script = f"import sys; sys.path.insert(0, {str(SRC)!r})\n{code}\nimport json; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True, text=True)
    return set(json.loads(done.stdout))


def resources(client: type[Any], tag: str) -> type[Any]:
    """The class behind `client.<tag>`."""
    module = __import__(f"backpack_sdk._generated.{tag}.resource", fromlist=["x"])
    base = Resource if client is Backpack else AsyncResource
    found = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, base) and value is not base
    ]
    assert len(found) == 1
    assert isinstance(getattr(client, tag), property)
    return found[0]


def methods(cls: type[Any]) -> dict[str, Any]:
    return {name: value for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("_")}


def builder(operation: Operation) -> Any:
    return getattr(getattr(operations, operation.tag), operation.name)


# Importing


def test_importing_the_package_loads_next_to_nothing() -> None:
    before = loaded_after("")
    loaded = loaded_after("import backpack_sdk") - before
    assert {name for name in loaded if name.startswith("backpack_sdk")} == {"backpack_sdk", "backpack_sdk._version"}
    for heavy in ("aiohttp", "asyncio", "httpx", "nacl", "pydantic", "pydantic_core", "typing", "websockets"):
        assert heavy not in loaded or heavy in before
    assert len(loaded) <= 3


def test_models_are_loaded_when_they_are_used() -> None:
    def models(code: str) -> set[str]:
        return {
            name.removeprefix("backpack_sdk._generated.")
            for name in loaded_after(code)
            if name.startswith("backpack_sdk._generated.") and name.endswith((".models", ".shared", ".operations"))
        }

    assert (
        models("from backpack_sdk import Backpack, AsyncBackpack, Credentials, OPERATIONS, types, operations") == set()
    )
    assert models("from backpack_sdk import types; types.Side") == {"shared"}
    assert models("from backpack_sdk import types; types.Token") == {"assets.models", "shared"}
    assert models("import backpack_sdk as b; bp = b.Backpack(); bp.assets; bp.close()") == {
        "assets.models", "assets.operations", "shared",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(backpack_sdk.__all__))
def test_every_public_name_is_found(name: str) -> None:
    assert getattr(backpack_sdk, name) is not None
    assert name in dir(backpack_sdk)


def test_the_list_of_public_names_is_in_order() -> None:
    assert len(set(backpack_sdk.__all__)) == len(backpack_sdk.__all__)
    assert dir(backpack_sdk) == sorted(backpack_sdk.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Bakcpack'"):
        _ = backpack_sdk.Bakcpack  # type: ignore[attr-defined]
    for module, name in (
        (types, "Sidee"),
        (types, "DepthLike"),
        (operations, "makrets"),
        (operations, "import_modules"),
    ):
        with pytest.raises(AttributeError, match=name):
            getattr(module, name)


def test_the_package_knows_its_version() -> None:
    assert backpack_sdk.__version__.count(".") == 2
    assert (SRC / "backpack_sdk" / "py.typed").is_file()


def test_the_names_users_were_promised() -> None:
    assert {"base_url", "ws_url", "timeout", "max_retries", "http_client"} <= set(
        inspect.signature(Backpack).parameters
    )
    assert list(inspect.signature(Credentials).parameters) == ["secret", "api_key"]
    assert list(inspect.signature(backpack_sdk.auth.signing_message).parameters) == [
        "instruction", "params", "timestamp", "window",
    ]  # fmt: skip
    pair = backpack_sdk.pairs.Pair.parse("SOL-USDC")
    assert (pair.base, pair.quote, pair.backpack) == ("SOL", "USDC", "SOL_USDC")
    assert all(hasattr(pair, name) for name in ("kind", "hummingbot", "ccxt", "cryptofeed"))
    for name in ("send", "send_raw", "paginate", "close"):
        assert callable(getattr(Backpack, name))
    for name in ("send", "send_raw", "paginate", "aclose"):
        assert callable(getattr(AsyncBackpack, name))
    assert {"request", "status_code", "headers", "content"} <= set(backpack_sdk.RawResponse.__dataclass_fields__)
    assert callable(backpack_sdk.RawResponse.parse)
    assert operations.markets.get_depth(symbol="SOL_USDC").query == {"symbol": "SOL_USDC"}


def test_both_clients_take_the_same_settings() -> None:
    sync, async_ = (inspect.signature(client) for client in (Backpack, AsyncBackpack))
    assert list(sync.parameters) == list(async_.parameters)
    for name, parameter in sync.parameters.items():
        if name != "http_client":
            assert parameter == async_.parameters[name]


# Types


@pytest.mark.parametrize("name", sorted(HOMES))
def test_every_component_is_a_type_with_documentation(name: str) -> None:
    cls = getattr(types, name)
    assert cls.__name__ == name
    assert issubclass(cls, Model | OpenEnum)
    assert cls.__doc__
    assert cls.__doc__ not in (Model.__doc__, OpenEnum.__doc__)
    assert name in dir(types)
    assert cls.__module__ == "backpack_sdk._generated." + (
        "shared" if HOMES[name] == "shared" else f"{HOMES[name]}.models"
    )


def test_names_are_good() -> None:
    for name in HOMES:
        assert name.isidentifier()
        assert not name[-1].isdigit()
    for name in ("DecimalLike", "SymbolLike", "TimeLike", "Model", "OpenEnum", "Accepted", "Acknowledged", "NoContent"):
        assert getattr(types, name) is not None


def test_the_typing_twins_name_what_exists() -> None:
    """Type checkers see `types` and `operations` through generated modules; those must name the same things."""
    from backpack_sdk._generated import builders
    from backpack_sdk._generated import types as twin

    likes = {f"{name}Like" for name in HOMES if issubclass(getattr(types, name), OpenEnum)}
    public = {name for name in vars(twin) if name[0].isupper()}
    assert public == set(HOMES) | likes
    for name in public:
        assert getattr(twin, name) is getattr(types, name)
    assert set(builders.__all__) == set(TAGS) == set(dir(operations))
    for tag in TAGS:
        assert getattr(builders, tag) is getattr(operations, tag)


# Operations


def test_the_operations_are_those_of_the_document() -> None:
    assert len(OPERATIONS) == 81
    assert len(BY_NAME) == 81
    assert TAGS == NAMESPACES
    assert Counter(operation.tag for operation in OPERATIONS).keys() == set(TAGS)
    document = json.loads((ROOT / "spec" / "backpack.json").read_text(encoding="utf-8"))
    documented = {
        (method.upper(), path, found.get("x-instruction"))
        for path, item in document["paths"].items()
        for method, found in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    }
    assert {(operation.method, operation.path) for operation in OPERATIONS} == {(m, path) for m, path, _ in documented}
    assert {operation.path for operation in OPERATIONS if operation.instruction} >= {
        path for _, path, instruction in documented if instruction
    }
    assert sum(operation.assumed for operation in OPERATIONS) == 4
    assert sum(operation.instruction is not None for operation in OPERATIONS) == 55


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_sync_and_async_methods_are_equal(name: str) -> None:
    operation = BY_NAME[name]
    sync = methods(resources(Backpack, operation.tag))[operation.name]
    async_ = methods(resources(AsyncBackpack, operation.tag))[operation.name]
    assert inspect.iscoroutinefunction(async_)
    assert not inspect.iscoroutinefunction(sync)
    assert inspect.signature(sync) == inspect.signature(async_)
    assert sync.__annotations__ == async_.__annotations__
    assert sync.__doc__ == async_.__doc__
    assert "return" in sync.__annotations__
    assert sync.__annotations__["return"] not in ("Any", "None", "dict[str, Any]")


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_method_takes_what_its_builder_takes(name: str) -> None:
    operation = BY_NAME[name]
    method = inspect.signature(methods(resources(Backpack, operation.tag))[operation.name])
    built = inspect.signature(builder(operation))
    own = [parameter for key, parameter in method.parameters.items() if key not in ("self", "timeout")]
    assert own == list(built.parameters.values())
    assert built.return_annotation == f"Request[{method.return_annotation}]"
    timeout = method.parameters["timeout"]
    assert (timeout.kind, timeout.default) == (inspect.Parameter.KEYWORD_ONLY, None)
    for parameter in own:
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            assert parameter.default is inspect.Parameter.empty
        else:
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
            assert parameter.default is None


def test_namespaces_hold_operations_and_nothing_else() -> None:
    for client in (Backpack, AsyncBackpack):
        found = {f"{tag}.{name}" for tag in TAGS for name in methods(resources(client, tag))}
        assert found == set(BY_NAME)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_method_is_documented(name: str) -> None:
    operation = BY_NAME[name]
    method = methods(resources(Backpack, operation.tag))[operation.name]
    doc = inspect.getdoc(method) or ""
    summary, _, rest = doc.partition("\n")
    assert summary.endswith(".")
    assert len(summary) > 15
    assert f"`{operation.method} {operation.path}`" in rest
    if operation.instruction is None:
        assert "instruction" not in rest.lower()
    else:
        assert f"`{operation.instruction}`" in rest
        assert ("assumed" in rest) == operation.assumed
    parameters = [key for key in inspect.signature(method).parameters if key not in ("self", "timeout")]
    described = rest.partition("Args:\n")[2].partition("\n\n")[0]
    for parameter in parameters:
        assert f"\n    {parameter}: " in f"\n{described}"
    assert ("Args:" in rest) == bool(parameters)
    assert " ".join(builder(operation).__doc__.split()) == f"Build the request of `{operation}`: {summary}"


# Arguments


def _options(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, python_types.UnionType) else (hint,)


def _enum(hint: Any) -> type[OpenEnum] | None:
    """The enumeration an argument takes, alone or several of."""
    for option in _options(hint):
        if inspect.isclass(option) and issubclass(option, OpenEnum):
            return option
    return None


def _example(hint: Any) -> Any:
    """Something a required argument of this type takes."""
    if hint == SymbolLike:
        return "SOL_USDC"
    if hint == DecimalLike:
        return Decimal("1.50")
    if hint == TimeLike:
        return 1752930540
    enum = _enum(hint)
    if enum is not None:
        return next(iter(enum))
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if hint in (str, int, bool):
        return {str: "1", int: 1, bool: True}[hint]
    return [{"symbol": "SOL_USDC", "side": "Bid", "orderType": "Limit"}]


def _hints(operation: Operation) -> dict[str, Any]:
    build = builder(operation)
    hints = get_type_hints(build)
    return {key: hints[key] for key in inspect.signature(build).parameters}


def _required(operation: Operation) -> dict[str, Any]:
    parameters = inspect.signature(builder(operation)).parameters
    return {
        key: _example(hint)
        for key, hint in _hints(operation).items()
        if parameters[key].default is inspect.Parameter.empty
    }


ENUM_ARGUMENTS = [
    (name, key, enum)
    for name, operation in sorted(BY_NAME.items())
    for key, hint in _hints(operation).items()
    if (enum := _enum(hint)) is not None
]


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_request_can_be_built_from_its_required_arguments(name: str) -> None:
    operation = BY_NAME[name]
    given = _required(operation)
    request = builder(operation)(**given)
    assert request.operation is operation
    assert builder(operation)(*given.values()) == request
    rows = request.body if isinstance(request.body, list) else [request.body or {}]
    for row in (request.query, request.headers, *rows):
        assert isinstance(row, Mapping)
        assert None not in row.values()
    assert len(request.query) + sum(map(len, rows)) >= len(given)
    assert (operation.method == "GET") == (request.body is None)
    json.dumps([request.query, request.body], allow_nan=False)
    assert 200 in request.reply.statuses() or 202 in request.reply.statuses()


def test_there_are_enum_arguments() -> None:
    assert len(ENUM_ARGUMENTS) > 40
    assert ("order.execute_order", "side", types.Side) in ENUM_ARGUMENTS


@pytest.mark.parametrize(("name", "argument", "enum"), ENUM_ARGUMENTS)
def test_every_enum_argument_takes_its_texts(name: str, argument: str, enum: type[OpenEnum]) -> None:
    operation = BY_NAME[name]
    hint = _hints(operation)[argument]
    literal = {text for option in _options(hint) if get_origin(option) is Literal for text in get_args(option)}
    assert literal == {member.value for member in enum}
    for member in enum:
        by_member = builder(operation)(**_required(operation) | {argument: member})
        by_text = builder(operation)(**_required(operation) | {argument: member.value})
        assert by_member == by_text
        wire = {**by_text.query, **(by_text.body if isinstance(by_text.body, dict) else {})}
        assert member.value in wire.values() or [member.value] in wire.values()
    for wrong in ("no such member", 5, object()):
        with pytest.raises(backpack_sdk.InvalidArgument) as caught:
            builder(operation)(**_required(operation) | {argument: wrong})
        assert caught.value.argument == argument


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_wrong_argument_is_refused_by_its_name(name: str) -> None:
    operation = BY_NAME[name]
    for argument in _hints(operation):
        with pytest.raises(backpack_sdk.InvalidArgument) as caught:
            builder(operation)(**_required(operation) | {argument: object()})
        assert caught.value.argument == argument
