"""Which exercises of a chapter Python in a page can check, found out by doing it: without torch,
numpy and the like, the chapter's solution must be right and its stub must not be.

    exercises(notebook)     {position of the stub's cell: {name, prelude, code, check}}
"""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MISSING = ("torch", "torchvision", "numpy", "scipy", "matplotlib", "ipywidgets", "IPython", "PIL")


def exercises(notebook: dict) -> dict[int, dict]:
    """Those that can be checked, by their place in the notebook. `prelude` is what an answer may
    use of the cells above it."""
    cells = notebook["cells"]
    asked = []
    for i, cell in enumerate(cells):
        if "exercise" not in cell["metadata"].get("tags", []):
            continue
        solution = _solution("".join(cells[i + 2]["source"]))
        before = ["".join(c["source"]) for c in cells[:i] if c["cell_type"] == "code"]
        code, check = "".join(cell["source"]), "".join(cells[i + 1]["source"])
        asked.append(dict(at=i, before=before, code=code, solution=solution, check=check))
    if not asked:
        return {}
    done = subprocess.run(
        [sys.executable, __file__], input=json.dumps(asked), capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"The exercises could not be tried: {done.stderr[-2000:]}")
    return {found.pop("at"): found for found in json.loads(done.stdout)}


def _solution(text: str) -> str:
    """The code of the folded solution."""
    return re.search(r"<summary>Solution</summary>\n\n```python\n(.*?)```", text, re.S)[1]


# --- In a Python of its own -----------------------------------------------------------------------


def imports(cells: list[str]) -> list[str]:
    """What the cells import, a line each, as far as that is there."""
    kept = []
    for statement in _statements(cells):
        if not isinstance(statement, (ast.Import, ast.ImportFrom)):
            continue
        for alias in statement.names:
            one = ast.copy_location(
                ast.ImportFrom(statement.module, [alias], statement.level)
                if isinstance(statement, ast.ImportFrom)
                else ast.Import([alias]),
                statement,
            )
            line = ast.unparse(one)
            try:
                exec(line, {})
            except ImportError:
                continue
            kept.append(line)
    return list(dict.fromkeys(kept))


def _statements(cells: list[str]) -> list[ast.stmt]:
    found = []
    for cell in cells:
        try:
            found += ast.parse(cell).body
        except SyntaxError:  # a line for the shell, say
            continue
    return found


def definition(name: str, cells: list[str]) -> str:
    """The last statement that gives a name its value; "" where there is none."""
    for statement in reversed(_statements(cells)):
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) and statement.name == name:
            return ast.unparse(statement)
        if isinstance(statement, ast.Assign):
            names = [
                n.id for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Name)
            ]
            if name in names:
                return ast.unparse(statement)
    return ""


def tried(asked: dict) -> dict | None:
    """The exercise as the page gets it; None where it cannot be checked without torch."""
    from inception_edu.labs.in_page import checked

    prelude = imports(asked["before"])
    top = len(prelude)
    for _ in range(8):  # a name that is missing may be defined above
        try:
            said = [
                json.loads(checked("\n".join(prelude), asked[what], asked["check"]))["html"]
                for what in ("solution", "code")
            ]
        except NameError as error:
            missing = error.name
        except Exception:  # the check, or what it needs, is not for a page
            return None
        else:
            if "ied-right" in said[0] and "ied-right" not in said[1]:
                name = re.search(r'"(\d\d\.\d+)"', asked["check"])[1]
                given = {key: asked[key] for key in ("at", "code", "check")}
                return {"name": name, "prelude": "\n".join(prelude), **given}
            named = re.search(r"NameError: name &#x27;(\w+)&#x27;", said[0])
            missing = named[1] if named else ""
        found = definition(missing, asked["before"]) if missing else ""
        if not found or found in prelude:
            return None
        prelude.insert(top, found)
    return None


def main() -> None:
    for name in MISSING:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.path.insert(0, str(ROOT))
    found = [tried(asked) for asked in json.load(sys.stdin)]
    print(json.dumps([exercise for exercise in found if exercise]))


if __name__ == "__main__":
    main()
