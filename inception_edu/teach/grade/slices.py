"""Which statements of a notebook an answer needs, so that it can be run without the rest.

An exercise's cell uses names that earlier cells made: imports, a helper, a network. Found are, from
the answer backwards, all statements that bind a name which is needed. Training runs, plots and labs
are left out, because nothing needs what they make.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Statement:
    """Source text, the names that it binds, and those that it needs from elsewhere.

    `always`: it binds them whatever happens, so that nothing before it matters for them.
    """

    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    always: bool = True


def statements(cell: str) -> list[Statement]:
    """The top-level statements of a cell; none where it is not plain Python."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:
        return []
    return [_statement(ast.get_source_segment(cell, node) or "", node) for node in body]


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
    return Statement(text, frozenset(binds), frozenset(_uses(table)), always)


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
    wanted = uses(answer)
    chosen: list[str] = []
    for cell in reversed(before):
        for statement in reversed(statements(cell)):
            if statement.binds & wanted:
                chosen.append(statement.text)
                if statement.always:
                    wanted -= statement.binds
                wanted |= statement.uses
    return "\n".join(reversed(chosen))
