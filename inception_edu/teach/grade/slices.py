"""Which statements of a notebook an answer needs, so that it can be run without the rest.

An exercise's cell uses names that earlier cells made: imports, a helper, a network. Found are, from
the answer backwards, all statements that bind a name which is needed. Training runs, plots and labs
are left out, because nothing needs what they make.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Statement:
    """Source text, the names that it binds, and those that it needs from elsewhere.

    `always`: it binds them whatever happens, so that nothing before it matters for them. `calls`:
    the names that its functions need, but only when they are called.
    """

    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    always: bool = True
    calls: frozenset[str] = frozenset()


def statements(cell: str) -> list[Statement]:
    """The top-level statements of a cell; none where it is not valid Python. Lines for the notebook
    (`%timeit …`, `!ls`) count as empty."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:
        cell = FOR_NOTEBOOK.sub(r"\1pass", cell)
        try:
            body = ast.parse(cell).body
        except SyntaxError:
            return []
    return [_statement(ast.get_source_segment(cell, node) or "", node) for node in body]


FOR_NOTEBOOK = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
ALWAYS = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.Import,
    ast.ImportFrom,
)


def _statement(text: str, node: ast.stmt) -> Statement:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        text = "".join(f"@{ast.unparse(d)}\n" for d in node.decorator_list) + text
    table = symtable.symtable(text, "cell", "exec")
    symbols = table.get_symbols()
    binds = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    always = isinstance(node, ALWAYS)
    calls = {name for function in _functions(table) for name in _uses(function)}
    return Statement(text, frozenset(binds), frozenset(_uses(table)), always, frozenset(calls))


def _functions(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The functions and lambdas in a piece of code, those of its classes too."""
    for child in table.get_children():
        # A comprehension is a function to `symtable`, but it runs at once.
        if child.get_type() == "function" and not child.get_name().endswith(("comp", "genexpr")):
            yield child
        else:
            yield from _functions(child)


def _uses(table: symtable.SymbolTable) -> set[str]:
    top = table.get_type() == "module"
    found = set()
    for symbol in table.get_symbols():
        outside = symbol.is_global() or (top and not symbol.is_imported())
        if symbol.is_referenced() and outside:
            found.add(symbol.get_name())
    for child in table.get_children():
        found |= _uses(child)
    return found


def uses(code: str) -> set[str]:
    """The names that a piece of code takes from elsewhere."""
    found: set[str] = set()
    made: set[str] = set()
    for statement in statements(code):
        found |= statement.uses - made
        made |= statement.binds
    return found


def needed(before: Sequence[str], answer: str) -> str:
    """What of the cells `before` the cell `answer` needs, as one piece of code, in order."""
    backwards = [s for cell in reversed(before) for s in reversed(statements(cell))]
    called: set[str] = set()
    while True:
        wanted = uses(answer) | called
        chosen: list[Statement] = []
        for statement in backwards:
            if statement.binds & wanted:
                chosen.append(statement)
                if statement.always:
                    wanted -= statement.binds
                wanted |= statement.uses
        # A function looks for its names when it is called: a helper may stand below it.
        more = {name for statement in chosen for name in statement.calls}
        if more <= called:
            return "\n".join(statement.text for statement in reversed(chosen))
        called |= more
