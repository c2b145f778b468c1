"""Building a package from a document and importing all of it."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import TYPE_CHECKING

from codegen.build import files, understand
from codegen.output import write_folder

from .documents import Json, overlays

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from codegen.ir import Api
    from codegen.overlay import Overlays


def build(document: Json, folder: Path, added: Overlays | None = None) -> Api:
    """Generate a package into a folder."""
    built = understand(document, added or overlays())
    write_folder(folder, files(built))
    return built.api


class Package:
    """An imported package: `package["order.models"]` is a module of it."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        sys.path.insert(0, str(folder.parent))
        try:
            self.top = importlib.import_module(self.name)
            found = pkgutil.walk_packages(self.top.__path__, f"{self.name}.")
            self.modules = {self.name: self.top} | {one.name: importlib.import_module(one.name) for one in found}
        finally:
            sys.path.remove(str(folder.parent))

    def __getitem__(self, module: str) -> ModuleType:
        return self.modules[f"{self.name}.{module}"]

    def classes(self) -> Iterator[type]:
        """Every class that the package defines."""
        for module in self.modules.values():
            for value in vars(module).values():
                if isinstance(value, type) and value.__module__ == module.__name__:
                    yield value

    def forget(self) -> None:
        """Let another package have the name."""
        for name in self.modules:
            sys.modules.pop(name, None)
