"""Names of a package that are imported when they are first used (PEP 562)."""

# Like typing's, which takes 2 ms to import; type checkers know the name wherever it comes from.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any


def lazy(
    package: str, names: "Mapping[str, Sequence[str]]"
) -> "tuple[Callable[[str], Any], Callable[[], list[str]]]":
    """`__getattr__` and `__dir__` for a package. `names` maps a module to what comes from it; a
    module whose name begins with a dot stands in the package."""
    home = {name: module for module, found in names.items() for name in found}

    def getattribute(name: str) -> "Any":
        import importlib
        import sys

        if name not in home:
            raise AttributeError(f"{package} has no {name!r}; it has {', '.join(sorted(home))}.")
        value = getattr(importlib.import_module(home[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    return getattribute, lambda: sorted(home)
