"""Mutation testing of the descriptions and of `build`: does a test notice when the code is wrong?

    python tools/mutants.py --sample 264 --seed 0           a sample, spread evenly over the files
    python tools/mutants.py --files figures measure         every mutant of these files
    python tools/mutants.py --write                         ... and docs/mutants.md from the result

cosmic-ray makes the mutants: one number, operator, comparison, True or False, decorator of the code
is another one. The tests that concern the file run on each, the quick ones first, in a copy (a
fork) of one process that has torch imported already. No file on disk is changed. A mutant is killed
when a test fails, or when the tests take far longer than without it. Killed ones are remembered in
build/mutants.json and not tried again while their file is the same, unless --again is given.

Left out are type annotations, `@overload` and `if TYPE_CHECKING`, which do nothing when they run.
A mutant that does the same as the code stands, with the reason, in tests/mutants_equivalent.toml.
"""

from __future__ import annotations

import argparse
import ast
import gc
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = ROOT / "tests" / "mutants_equivalent.toml"
PAGE = ROOT / "docs" / "mutants.md"
KILLED = ROOT / "build" / "mutants.json"
SECONDS = 120  # of one processor for one mutant; without a mutant no file's tests need a third

DESCRIBE = (
    *("spec", "parts", "flow", "figures", "baselines", "blocks"),
    *("networks", "small", "measure", "edits"),
)
# The test files of each file of the code, the one that knows it best first: a mutant that this one
# kills costs a second. Tests of the whole networks are left out where a quick one says the same.
WORDS = "tests/test_by_hand_words.py"
TRANSCRIPTION = "tests/test_transcription.py"
NODES, SHAPES = "tests/test_by_hand_nodes.py", "tests/test_by_hand_shapes.py"
MEASURE, SMALL = "tests/test_by_hand_measure.py", "tests/test_by_hand_small.py"
EDITS, FIGURES = "tests/test_by_hand_edits.py", "tests/test_figures.py"
BUILT, SPEC = "tests/test_edits.py", "tests/test_spec.py"
HEADS = "tests/test_heads.py"
WRONG = "tests/test_networks.py::test_wrong_requests_end_with_a_sentence"
TESTS = {
    "spec": (NODES, SHAPES, EDITS, WORDS, SPEC),
    "parts": (EDITS, SHAPES, SMALL, WORDS, BUILT),
    "flow": (SHAPES, NODES, MEASURE, FIGURES, WORDS, SPEC),
    "figures": (TRANSCRIPTION, FIGURES, WORDS),
    "baselines": (TRANSCRIPTION, FIGURES, WORDS),
    "blocks": (NODES, MEASURE, TRANSCRIPTION, WORDS, HEADS),
    "networks": (TRANSCRIPTION, FIGURES, WORDS, WRONG),
    "small": (SMALL, EDITS, WORDS, WRONG, HEADS),
    "measure": (MEASURE, SHAPES, FIGURES, WORDS, WRONG),
    "edits": (EDITS, BUILT),
    "build": (BUILT, "tests/test_build_module.py", SPEC, WRONG),
}
FILES = {
    **{name: f"inception_edu/describe/{name}.py" for name in DESCRIBE},
    "build": "inception_edu/nets/build.py",
}


@dataclass(frozen=True)
class Mutant:
    """One change: the line as it `was` and as it is `now`, and the whole file with the change."""

    name: str  # of the file: "spec"
    line: int
    was: str
    now: str
    code: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.code.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{FILES[self.name]}:{self.line}\n    - {self.was}\n    + {self.now}"


# --- The mutants ----------------------------------------------------------------------------------


def never_run(code: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations, `@overload` and `if TYPE_CHECKING` of a file begin and end."""
    parts: list[ast.AST] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation:
            parts.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            overloads = [d for d in node.decorator_list if ast.unparse(d) == "overload"]
            parts += [*overloads, node] if overloads else filter(None, [node.returns])
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            parts.append(node)
    # An @ stands one column before its decorator.
    return [((p.lineno, p.col_offset - 1), (p.end_lineno, p.end_col_offset)) for p in parts]


def places(name: str) -> list[tuple[str, int]]:
    """Every mutant of a file, as cosmic-ray counts them: (operator, number)."""
    from cosmic_ray import plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    code = (ROOT / FILES[name]).read_text(encoding="utf-8")
    left_out, tree, found = never_run(code), list(ast_nodes(get_ast(code))), []
    for operator in plugins.operator_names():
        kind = plugins.get_operator(operator)
        if kind.arguments():
            continue
        starts = [start for node in tree for start, _ in kind().mutation_positions(node)]
        for number, place in enumerate(starts):
            if not any(start <= place < end for start, end in left_out):
                found.append((operator, number))
    return found


def mutant(name: str, operator: str, number: int) -> Mutant:
    from cosmic_ray import plugins
    from cosmic_ray.mutating import mutate_code

    code = (ROOT / FILES[name]).read_text(encoding="utf-8")
    mutated = mutate_code(code, plugins.get_operator(operator)(), number)
    return Mutant(name, *_changed_line(code, mutated), mutated)


def _changed_line(code: str, mutated: str) -> tuple[int, str, str]:
    before, after = code.splitlines(), mutated.splitlines()
    pairs = zip(before, after)
    i = next((i for i, (was, now) in enumerate(pairs) if was != now), len(after) - 1)
    if len(before) != len(after):
        return i + 1, before[i].strip(), ""
    return i + 1, before[i].strip(), after[i].strip()


def sample(names: list[str], size: int, seed: int) -> tuple[list[Mutant], dict[str, int]]:
    """`size` mutants, as evenly over the files as they have them, and how many each file has.
    `size` 0: all."""
    everything = {name: places(name) for name in names}
    counts = {name: len(found) for name, found in everything.items()}
    chosen: list[Mutant] = []
    for i, name in enumerate(sorted(names, key=counts.__getitem__)):
        found = everything[name]
        share = min(round((size - len(chosen)) / (len(names) - i)), len(found))
        if size:
            found = random.Random(f"{seed} {name}").sample(found, share)
        chosen += [mutant(name, *place) for place in found]
    return sorted(chosen, key=lambda m: names.index(m.name)), counts


# --- A mutant's tests -----------------------------------------------------------------------------


class _Finder(importlib.abc.MetaPathFinder):
    """Gives the mutant in the place of its file, to whoever imports it."""

    def __init__(self, mutant: Mutant):
        self.module = FILES[mutant.name][:-3].replace("/", ".")
        self.mutant = mutant

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.module:
            return None
        file = str(ROOT / FILES[self.mutant.name])
        code = self.mutant.code

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname):
                return compile(code, file, "exec", dont_inherit=True)

        return importlib.util.spec_from_file_location(fullname, file, loader=Loader(fullname, file))


def warm() -> None:
    """What the tests import besides the package, once for all mutants."""
    import hypothesis
    import numpy  # noqa: F401
    import pytest
    import scipy.stats  # noqa: F401
    import torch  # noqa: F401
    import torchinfo  # noqa: F401

    # A failure is enough: it need not be made small and explained.
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile(
        "mutants", phases=phases, database=None, deadline=None, derandomize=True, max_examples=40
    )
    hypothesis.settings.load_profile("mutants")
    pytest.main(["--version"])  # loads the plugins
    gc.freeze()  # or each fork would copy what the collector walks through
    assert not any(m.startswith("inception_edu") for m in sys.modules)


def outcome(name: str, changed: Mutant | None = None) -> tuple[str, float]:
    """ "killed", "survived" or "too long", and the processor's seconds, of a file's tests in a
    process of their own."""
    child = os.fork()
    if not child:
        os._exit(_tests_fail(name, changed))
    _, status, used = os.wait4(child, 0)
    seconds = used.ru_utime + used.ru_stime
    if os.WIFSIGNALED(status):
        return "too long" if seconds > SECONDS * 0.9 else "killed", seconds
    return "killed" if os.WEXITSTATUS(status) else "survived", seconds


def _tests_fail(name: str, changed: Mutant | None) -> int:
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (6 << 30, 6 << 30))
    if changed:
        sys.meta_path.insert(0, _Finder(changed))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
    options = ["-x", "-q", "--tb=short" if not changed else "--tb=no", "-o", "addopts="]
    for plugin in ("cacheprovider", "xdist", "rerunfailures", "timeout", "warnings"):
        options += ["-p", f"no:{plugin}"]
    first, *others = TESTS[name]
    return int(pytest.main([*options, first]) or pytest.main([*options, *others]))


# --- The result -----------------------------------------------------------------------------------


def equivalent() -> dict[tuple[str, str, str], str]:
    entries = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    return {(e["file"], e["was"], e["now"]): e["why"] for e in entries}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--sample", type=int, default=0, help="so many mutants; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="also those that were killed before")
    parser.add_argument("--write", action="store_true", help="write docs/mutants.md")
    options = parser.parse_args()

    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT)]
    known, tally, alive = equivalent(), Counter(), []
    chosen, counts = sample(options.files, options.sample, options.seed)
    print(f"{len(chosen)} of {sum(counts.values())} mutants", flush=True)
    dead = set(json.loads(KILLED.read_text())) if KILLED.exists() and not options.again else set()
    KILLED.parent.mkdir(exist_ok=True)

    warm()
    for name in dict.fromkeys(one.name for one in chosen if one.digest not in dead):
        found, seconds = outcome(name)
        if found != "survived":
            sys.exit(f"The tests of {name} fail without any mutant.")
        print(f"{name}: its tests pass, {seconds:.0f} s", flush=True)

    for i, one in enumerate(chosen, 1):
        if (one.name, one.was, one.now) in known:
            found, seconds = "equivalent", 0.0
        elif one.digest in dead:
            found, seconds = "killed", 0.0
        else:
            found, seconds = outcome(one.name, one)
            if found == "killed":
                dead.add(one.digest)
                KILLED.write_text(json.dumps(sorted(dead)))
        tally[one.name, found] += 1
        print(f"{i:4} {found:10} {seconds:5.1f} s  {one.name}:{one.line}", flush=True)
        if found == "survived":
            alive.append(one)
            print(one, flush=True)
    text = report(options, counts, tally, alive)
    print(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    share, _ = killed_share(tally, options.files)
    sys.exit(share < 0.95)


def killed_share(tally: Counter, names: list[str]) -> tuple[float, int]:
    """The share of the mutants that are not equivalent which were killed, and their number."""
    killed = sum(tally[name, found] for name in names for found in ("killed", "too long"))
    counted = killed + sum(tally[name, "survived"] for name in names)
    return (killed / counted if counted else 1.0), counted


def report(options, counts: dict[str, int], tally: Counter, alive: list[Mutant]) -> str:
    tried = sum(tally.values())
    share, counted = killed_share(tally, options.files)
    how = f"a sample of {tried}, spread evenly over the files, seed {options.seed}"
    rows = []
    for name in options.files:
        killed = tally[name, "killed"] + tally[name, "too long"]
        numbers = [killed + tally[name, "survived"] + tally[name, "equivalent"]]
        numbers += [killed, tally[name, "survived"], tally[name, "equivalent"]]
        rows.append(f"| `{FILES[name]}` | {counts[name]} | " + " | ".join(map(str, numbers)) + " |")
    lines = [
        "# Mutants",
        "",
        "Does a test notice when the code is wrong? `make mutants` changes the descriptions and",
        "`build` at one place, runs the tests that concern the file, and does so again and again.",
        "`tools/mutants.py` says how; written by it, not by hand.",
        "",
        f"**{share:.1%} of {counted} mutants were killed**, of {sum(counts.values())} that there",
        f"are: {how if options.sample else 'all of them'}. Mutants that do the same as the code,",
        "each with its reason, stand in `tests/mutants_equivalent.toml` and are not counted.",
        "",
        "What survives a run gets a test, so a seed that was run before flatters the tests:",
        "another one is the fairer trial, `make mutants ARGS='--sample 44 --seed 1'`.",
        "",
        f"    python tools/mutants.py --sample {options.sample} --seed {options.seed} --write",
        "",
        "| file | mutants | tried | killed | survived | equivalent |",
        "|---|---:|---:|---:|---:|---:|",
        *rows,
    ]
    if alive:
        lines += ["", "What survived:", ""]
        lines += ["```", *(str(m) for m in alive), "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
