"""The list of mutants fits the code: what a fault replaces stands there once, and its catcher exists."""

from __future__ import annotations

import pytest

from .run import ROOT, Mutant, mutants

each_mutant = pytest.mark.parametrize("mutant", mutants(), ids=lambda each: each.name)


def test_there_are_enough_and_each_has_its_own_name() -> None:
    names = [mutant.name for mutant in mutants()]
    assert len(names) >= 40
    assert len(set(names)) == len(names)


@each_mutant
def test_a_mutant_fits_the_code(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.find) == 1
    assert mutant.find != mutant.replace


@each_mutant
def test_the_catcher_of_a_mutant_exists(mutant: Mutant) -> None:
    for test in mutant.catcher:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not name or f"def {name.partition('[')[0]}(" in text


def test_the_documentation_lists_every_mutant() -> None:
    told = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    assert [mutant.name for mutant in mutants() if f"| {mutant.name} |" not in told] == []
    assert f"puts {len(mutants())} faults" in told
