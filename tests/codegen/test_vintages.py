"""The generator works on documents it has never seen: older ones, newer ones, and any folder's name."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from codegen.build import files, understand
from codegen.output import write_folder
from codegen.overlay import load
from codegen.render import render

from .hostile import hostile
from .packages import Package, build
from .test_importer import shuffled
from .vintages import committed, unseen

if TYPE_CHECKING:
    from codegen.build import Built

ROOT = Path(__file__).parents[2]
JUNE_2025 = Path(__file__).parent / "fixtures" / "2025-06.json"
OVERLAYS = load(ROOT / "spec" / "overlays")


@pytest.fixture(scope="module")
def built() -> Built:
    return understand(unseen(), OVERLAYS)


def test_what_changed_is_reported_not_refused(built: Built) -> None:
    stale = {problem.place: problem.message for problem in built.stale}
    assert stale["fixes.toml schemas.Kline.trades"] == (
        "no longer applies: type is 'integer', not 'string', format is 'uint64', not 'absent'"
    )
    assert {(problem.place, problem.message) for problem in built.remarks} >= {
        ("operation get_rewards", "is not documented"),
        ("operation get_rewards", "has no pinned namespace; it goes to `rewards`"),
        ("operation getNotices", "has no pinned namespace; it goes to `types_`"),
        ("schemas.NoticeText.at", "is not documented"),
        ("schemas.NoticeText.at", "looks like a time and has no unit: it stays a plain number or text"),
        ("enum Kind", "is not documented"),
    }


def test_pinned_operations_stay_where_they_are_whatever_the_tags(built: Built) -> None:
    tags = {operation.wire_name: operation.tag for operation in built.api.operations}
    assert (tags["get_depth"], tags["execute_order"], tags["get_fills"]) == ("markets", "order", "order")
    assert {"rewards", "types_", "fees"} < set(built.api.tags)


def test_an_unseen_document_works(built: Built, tmp_path: Path) -> None:
    build(unseen(), tmp_path / "unseen_api", OVERLAYS)
    package = Package(tmp_path / "unseen_api")
    try:
        models = [model for model in package.classes() if issubclass(model, BaseModel)]
        assert len(models) == len(built.api.models)
        for model in models:
            model.model_rebuild(force=True)
        claim = package["rewards.operations"].claim_reward({"points": 3})
        assert (claim.operation.method, claim.body) == ("PUT", {"points": 3})
        amend: Any = package["rewards.operations"].amend_reward("1", "a")
        assert amend.body == {"id": "1", "from_": "a"}
        notices = package["types_.operations"].get_notices(ids=["1", "2"])
        assert notices.operation.instruction == "rewardQueryAll"
        row, order, newer = notices.reply.decode(200, json.dumps([
            {"noticeType": "text", "text": "hi", "at": 5}, {"noticeType": "else", "x": 1},
            {"noticeType": "third"},
        ]).encode())  # fmt: skip
        assert (type(row).__name__, row.text) == ("NoticeText", "hi")
        assert (type(order).__name__, type(newer).__name__) == ("Notice", "Notice")
        # A component used in two unions has a class in each.
        homes = package["names"].HOMES
        assert {"LimitOrder", "Notice_Order", "Unused", "RewardPoints"} <= set(homes)
        fees = package["fees.operations"].get_fees().reply.decode(200, b'{"a": "0.10"}')
        assert str(fees["a"]) == "0.10"
    finally:
        package.forget()


def test_classes_that_no_operation_reaches_do_not_drag_a_namespace_into_shared(built: Built) -> None:
    """`Unused` needs orders; were those in a namespace, shared.py would import it, and it imports shared.py."""
    assert ".models import" not in render(built.api)["shared.py"]
    assert built.api.homes["Unused"] == built.api.homes["LimitOrder"] == "shared"


def test_any_folder_name(tmp_path: Path) -> None:
    """Also one that can't be written in an import statement. The document is an older one."""
    content = files(understand(json.loads(JUNE_2025.read_text(encoding="utf-8")), OVERLAYS))
    for name in ("api_v2", "my-api", "2025", "_generated", "with space", "ünï"):
        write_folder(tmp_path / name, content)
        package = Package(tmp_path / name)
        assert len(package["catalog"].OPERATIONS) == 61
        assert package["order.operations"].get_order("SOL_USDC").operation.instruction == "orderQuery"
        package.forget()


@pytest.mark.parametrize("document", [committed, unseen, hostile])
def test_the_order_of_keys_does_not_matter(document: Any) -> None:
    whole = document()
    expected = render(understand(whole, OVERLAYS).api)
    assert render(understand(shuffled(whole, random.Random(4)), OVERLAYS).api) == expected


def test_no_class_of_any_vintage_ends_in_a_digit(built: Built) -> None:
    for api in (built.api, understand(committed(), OVERLAYS).api):
        classes = [one.name for one in api.models] + [one.name for one in api.enums]
        assert [name for name in classes if name[-1].isdigit()] == []


def test_every_component_has_its_own_class(built: Built) -> None:
    for api in (built.api, understand(committed(), OVERLAYS).api):
        components = [one.schema for one in api.models] + [one.schema for one in api.enums]
        classes = [one.name for one in api.models] + [one.name for one in api.enums]
        assert len(set(components)) == len(set(classes)) == len(classes)
