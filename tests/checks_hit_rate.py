"""How often the checks catch, and name, faults that nobody wrote them for.

    python tests/checks_hit_rate.py 300

Right answers are damaged at random in three ways: descriptions of the figures (one change
anywhere), the source of a hand-written Inception-A (one argument or one word of `forward`), and the
formula of a residual block (every change of one operator, name or call). Caught: the verdict is not
right. Named: the message says what was changed, and where.
"""

import ast
import copy
import random
import re
import sys
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn

from inception_edu.describe import (
    FIGURES,
    Chain,
    Concat,
    Conv,
    InceptionA,
    Pool,
    Residual,
    children,
)
from inception_edu.teach import checks


@dataclass
class Mutant:
    """A wrong answer: what was done to it, a pattern for the fault, one for the place (empty: none
    is asked for)."""

    kind: str
    fault: str
    place: str
    verdict: checks.Verdict | None = None

    @property
    def caught(self) -> bool:
        return not self.verdict.ok

    @property
    def named(self) -> bool:
        text = self.verdict.message
        return (
            self.caught
            and bool(re.search(self.fault, text))
            and bool(re.search(self.place, text, re.I))
        )


# --- Descriptions ---------------------------------------------------------------------------------


def leaves(node, path=()):
    """(path of words, node) of everything below, the node itself included."""
    yield path, node
    for word, part in children(node):
        yield from leaves(part, (*path, word))


def put(node, path, new):
    """A copy of `node` with what stands at `path` replaced; new=None takes it out, a tuple puts
    several there."""
    if not path:
        return new
    words = [word for word, _ in children(node)]
    parts = [part for _, part in children(node)]
    at = words.index(path[0])
    inner = put(parts[at], path[1:], new)
    parts[at : at + 1] = [] if inner is None else inner if isinstance(inner, tuple) else [inner]
    if isinstance(node, Residual):
        return replace(node, body=parts[0])
    return type(node)(*parts)


def damage_description(rng, number):
    """One random change to a figure, as (wrong node, Mutant); None where this change makes nothing
    different."""
    node = FIGURES[number].node
    spots = list(leaves(node))
    path, spot = rng.choice(spots)
    place = path_pattern(node, path)
    if isinstance(spot, Conv):
        kinds = (
            "filters",
            "kernel",
            "stride",
            "padding",
            "norm",
            "relu",
            "remove",
            "double",
            "pool",
        )
        kind = rng.choice(kinds)
        if kind == "filters":
            new = replace(
                spot,
                out=rng.choice(
                    [n for n in (16, 32, 48, 64, 96, 128, 192, 256, 384) if n != spot.out]
                ),
            )
            fault = f"has {new.out} filters|swapped"
        elif kind == "kernel":
            kernels = [(1, 1), (3, 3), (5, 5), (1, 3), (3, 1), (1, 7), (7, 1)]
            new = replace(spot, kernel=rng.choice([k for k in kernels if k != spot.kernel]))
            fault = "kernel|order|swapped"
        elif kind == "stride":
            new, fault = replace(spot, stride=3 - spot.stride), "stride"
        elif kind == "padding":
            if spot.kernel == (1, 1):
                return None
            new = replace(spot, padding="valid" if spot.padding == "same" else "same")
            fault = "padding|padded"
        elif kind == "norm":
            new, fault = replace(spot, norm=not spot.norm), "batch norm|bias"
        elif kind == "relu":
            new, fault = replace(spot, relu=not spot.relu), "ReLU"
        elif kind == "pool":
            new, fault = Pool(rng.choice(("max", "avg")), 3), "should be|missing"
        elif kind == "remove":
            new, fault, place = None, "missing", path_pattern(node, path[:-1])
        else:
            new, fault, place = (
                (spot, spot),
                "too many|does not have",
                path_pattern(node, path[:-1]),
            )
    elif isinstance(spot, Pool):
        kind = rng.choice(("max or avg", "pool size", "count", "remove", "stride"))
        other = "avg" if spot.kind == "max" else "max"
        if kind == "count" and spot.kind == "max":
            return None
        new, fault = {
            "max or avg": (
                replace(spot, kind=other, count_padding=False),
                "should be an? (max|average) pool",
            ),
            "pool size": (replace(spot, kernel=(5, 5)), "kernel"),
            "remove": (None, "missing"),
            "count": (replace(spot, count_padding=spot.kind == "avg"), "padded zeros"),
            "stride": (replace(spot, stride=3 - spot.stride), "stride"),
        }[kind]
        place = path_pattern(node, path[:-1]) if kind == "remove" else place
    elif isinstance(spot, Concat):
        kind = rng.choice(("branch away", "branch doubled", "chained", "added"))
        which = rng.randrange(len(spot.branches))
        rest = spot.branches[:which] + spot.branches[which + 1 :]
        if kind == "added" and len(spot.branches) != 2:
            return None
        new, fault, place = {
            "branch away": (Concat(*rest), "is missing", ""),
            "branch doubled": (
                Concat(*spot.branches, spot.branches[which]),
                "branch that the figure does not",
                "",
            ),
            "chained": (Chain(*spot.branches), "side by side|follow one another|concatenation", ""),
            "added": (
                Residual(spot.branches[0], relu=False, shortcut=spot.branches[1]),
                "added",
                "",
            ),
        }[kind]
    elif isinstance(spot, Chain):
        kind = rng.choice(("steps swapped", "side by side"))
        if len(spot.parts) < 2:
            return None
        at = rng.randrange(len(spot.parts) - 1)
        parts = list(spot.parts)
        parts[at], parts[at + 1] = parts[at + 1], parts[at]
        if parts == list(spot.parts):
            return None
        new, fault = (
            (Chain(*parts), "swapped|order|turned")
            if kind == "steps swapped"
            else (Concat(*spot.parts), "concatenat|does not have|missing")
        )
    else:
        kind = rng.choice(("scale", "no ReLU", "no identity"))
        new, fault = {
            "scale": (replace(spot, scale=0.3), "multiplied by 0.3|scale"),
            "no ReLU": (replace(spot, relu=not spot.relu), "ReLU"),
            "no identity": (spot.body, "addition|identity"),
        }[kind]
        place = ""
    if new is None and not path:
        return None
    try:
        wrong = put(node, path, new)
        if any(not part for _, n in leaves(wrong) for part in (children(n) or ((0, 1),))):
            return None
    except (ValueError, StopIteration):  # nothing is left of a concatenation
        return None
    if isinstance(wrong, tuple):
        return None
    return wrong, Mutant(f"description: {kind}", fault, place)


def path_pattern(node, path) -> str:
    """The words that say where, without those that a message may leave out ("step 1" of a block
    with one step)."""
    words = [word for word in path if word.startswith(("branch", "residual"))]
    return ".*".join(words[-1:])


def descriptions(count, seed=0):
    rng = random.Random(seed)
    numbers = [n for n in FIGURES if n not in (1, 2, 9, 15, 20)]
    found = []
    while len(found) < count:
        number = rng.choice(numbers)
        made = damage_description(rng, number)
        if made:
            wrong, mutant = made
            mutant.verdict = checks.description(wrong, FIGURES[number].node, FIGURES[number].input)
            found.append(mutant)
    return found


# --- Modules --------------------------------------------------------------------------------------

SOURCE = """
class Answer(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.AvgPool2d(kernel_size=3, stride=1, padding=1, count_include_pad=False)
        self.b1 = conv(inputs=48, out=12, kernel=1, padding=0)
        self.b2 = conv(inputs=48, out=12, kernel=1, padding=0)
        self.b3a = conv(inputs=48, out=8, kernel=1, padding=0)
        self.b3b = conv(inputs=8, out=12, kernel=3, padding=1)
        self.b4a = conv(inputs=48, out=8, kernel=1, padding=0)
        self.b4b = conv(inputs=8, out=12, kernel=3, padding=1)
        self.b4c = conv(inputs=12, out=12, kernel=3, padding=1)

    def forward(self, x):
        p = self.pool(x)
        one = self.b1(p)
        two = self.b2(x)
        t = self.b3a(x)
        three = self.b3b(t)
        u = self.b4a(x)
        v = self.b4b(u)
        four = self.b4c(v)
        return torch.cat([one, two, three, four], dim=1)
"""
SMALL_A = Concat(
    Chain(Pool("avg", 3), Conv(12, 1)),
    Conv(12, 1),
    Chain(Conv(8, 1), Conv(12, 3)),
    Chain(Conv(8, 1), Conv(12, 3), Conv(12, 3)),
)
BRANCH = {
    "pool": "pool|branch 1",
    "b1": "b1|branch 1",
    "b2": "b2|branch 2",
    "b3a": "b3|branch 3",
    "b3b": "b3|branch 3",
    "b4a": "b4|branch 4",
    "b4b": "b4|branch 4",
    "b4c": "b4|branch 4",
}
OTHER_LAYER = "in-channels|used 2 times|too many|missing|filters|kernel|does not|should be"
OTHER_INPUT = "in-channels|missing|too many|does not|share|side"
OTHER_MAP = "missing|does not|used|should be|filters|too many"
FAULT = {
    "inputs": "in-channels|channels",
    "out": "filters|in-channels",
    "kernel": "kernel|padding",
    "padding": "padding|padded",
    "stride": "stride",
    "kernel_size": "kernel|padding",
    "count_include_pad": "padded zeros",
}


def conv(inputs, out, kernel, padding):
    return nn.Sequential(
        nn.Conv2d(inputs, out, kernel, padding=padding, bias=False),
        nn.BatchNorm2d(out, eps=1e-3),
        nn.ReLU(inplace=True),
    )


def module_mutants():
    """Every change of one argument or of one word of `forward`."""
    tree = ast.parse(SOURCE)
    for at, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.keyword) and node.arg in FAULT:
            owner = next(
                a.targets[0].attr
                for a in ast.walk(tree)
                if isinstance(a, ast.Assign)
                and isinstance(a.targets[0], ast.Attribute)
                and node in getattr(a.value, "keywords", ())
            )
            for value in (
                (True,) if node.value.value is False else (0, 1, 2, 3, 5, 8, 12, 24, 48, 96)
            ):
                if value == node.value.value:
                    continue
                if node.arg not in ("padding",) and value == 0 and node.arg != "count_include_pad":
                    continue
                yield (
                    (at, "value", value),
                    Mutant(f"module: {node.arg}", FAULT[node.arg], BRANCH[owner]),
                )
        elif isinstance(node, ast.keyword) and node.arg == "dim":
            for value in (0, 2, 3, -1):
                yield (at, "value", value), Mutant("module: dim", "dimension", "")
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in BRANCH
        ):
            for other in BRANCH:
                if other != node.func.attr:
                    yield (
                        (at, "attr", other),
                        Mutant(
                            "module: another layer",
                            OTHER_LAYER,
                            f"{BRANCH[node.func.attr]}|{BRANCH[other]}",
                        ),
                    )
            for other in ("x", "p", "one", "two", "t", "three", "u", "v"):
                if other != node.args[0].id:
                    yield (
                        (at, "arg", other),
                        Mutant(
                            "module: another input",
                            f"{OTHER_INPUT}|variable '{other}'",
                            f"{BRANCH[node.func.attr]}|variable '{other}'",
                        ),
                    )
        elif isinstance(node, ast.List):
            for gone in range(4):
                yield (
                    (at, "less", gone),
                    Mutant("module: branch left out", "missing|does not use", ""),
                )
                for other in ("x", "p", "one", "two", "t", "three", "u", "v", "four"):
                    if other != node.elts[gone].id:
                        yield (
                            (at, f"elt{gone}", other),
                            Mutant("module: another map joined", OTHER_MAP, ""),
                        )


def damaged(where):
    at, what, value = where
    tree = ast.parse(SOURCE)
    node = list(ast.walk(tree))[at]
    if what == "value":
        node.value = ast.Constant(value)
    elif what == "attr":
        node.func.attr = value
    elif what == "arg":
        node.args[0] = ast.Name(value, ast.Load())
    elif what == "less":
        del node.elts[value]
    else:
        node.elts[int(what[3:])] = ast.Name(value, ast.Load())
    space = {"nn": nn, "torch": torch, "conv": conv}
    exec(compile(ast.fix_missing_locations(tree), "answer", "exec"), space)
    return space["Answer"]


def same_function(answer) -> bool:
    """Whether a mutant is in truth the right block: with copied weights, it does what the unharmed
    source does."""
    try:
        torch.manual_seed(0)
        right, wrong = _right()(), answer()
        wrong.load_state_dict(right.state_dict())
        x = torch.randn(1, 48, 9, 9)
        return torch.allclose(right.eval()(x), wrong.eval()(x))
    except Exception:
        return False


def _right():
    space = {"nn": nn, "torch": torch, "conv": conv}
    exec(SOURCE, space)
    return space["Answer"]


def modules(count, seed=0):
    mutants = list(module_mutants())
    random.Random(seed).shuffle(mutants)
    found = []
    for where, mutant in mutants:
        if len(found) == count:
            break
        answer = damaged(where)
        if same_function(answer):
            continue
        mutant.verdict = checks.module(answer, SMALL_A, (48, 9, 9))
        found.append(mutant)
    return found


# --- Residual blocks ------------------------------------------------------------------------------

FORMULA = "F.relu(x + scale * body(x))"


def residual_mutants():
    """Every formula that differs from FORMULA by one operator, one name, one number or one call."""
    tree = ast.parse(FORMULA, mode="eval")
    nodes = list(ast.walk(tree))
    changes = []
    for at, node in enumerate(nodes):
        if isinstance(node, ast.BinOp):
            for op in (ast.Add, ast.Sub, ast.Mult, ast.Div):
                if not isinstance(node.op, op):
                    changes.append((at, "op", op()))
            changes += [(at, "left", None), (at, "right", None), (at, "swap", None)]
        elif isinstance(node, ast.Call):
            changes += [(at, "uncall", None), (at, "twice", None)]
        elif isinstance(node, ast.Name) and node.id in ("x", "scale"):
            others = ("x", "scale", "1", "0", "0.5", "2 * x", "body(x)", "-x", "x * x")
            changes += [(at, "name", other) for other in others if other != node.id]
        if isinstance(node, (ast.BinOp, ast.Call)) or (
            isinstance(node, ast.Name) and node.id == "x"
        ):
            changes += [
                (at, "wrap", f) for f in ("F.relu", "normed", "torch.tanh", "torch.abs", "half")
            ]
    for change in changes:
        yield ast.unparse(_edited(change))


def _edited(change):
    at, what, value = change
    tree = ast.parse(FORMULA, mode="eval")
    target = list(ast.walk(tree))[at]

    class Edit(ast.NodeTransformer):
        def visit(self, node):
            if node is not target:
                return self.generic_visit(node)
            if what == "op":
                node.op = value
                return node
            if what == "swap":
                node.left, node.right = node.right, node.left
                return node
            if what in ("left", "right"):
                return getattr(node, what)
            if what == "uncall":
                return node.args[0]
            if what == "twice":
                again = copy.deepcopy(node)
                again.args = [node]
                return again
            if what == "wrap":
                return ast.Call(ast.parse(value, mode="eval").body, [node], [])
            return ast.parse(value, mode="eval").body

    return ast.fix_missing_locations(Edit().visit(tree))


def normed(x):
    return F.batch_norm(x, None, None, training=True, eps=1e-3)


def half(x):
    return x / 2


def residuals():
    space = {"F": F, "torch": torch, "normed": normed, "half": half}
    x = torch.randn(2, 3, 4, 4)
    for formula in dict.fromkeys(residual_mutants()):
        answer = eval(f"lambda x, body, scale: {formula}", space)
        try:
            right = [F.relu(x + s * x.tanh()) for s in (0.1, 0.5)]
            if all(
                torch.allclose(answer(x, nn.Tanh(), s), y, atol=1e-6)
                for s, y in zip((0.1, 0.5), right)
            ):
                continue  # the same function, written in another way
        except Exception:
            pass
        mutant = Mutant("residual: " + formula, r"^(?!Wanted is)", "")
        mutant.verdict = checks.residual(answer, kind="function")
        yield mutant


def report(name, mutants, verbose=False):
    caught, named = sum(m.caught for m in mutants), sum(m.named for m in mutants)
    print(
        f"{name:<14} {len(mutants):>5} wrong answers, caught {caught / len(mutants):6.1%}, "
        f"fault named {named / len(mutants):6.1%}"
    )
    kinds = dict.fromkeys(m.kind for m in mutants)
    if verbose:
        for kind in kinds:
            group = [m for m in mutants if m.kind == kind]
            print(
                f"    {kind:<60} {sum(m.named for m in group)}/{len(group)}"
                + (f"   {group[0].verdict.message[:110]}" if len(group) == 1 else "")
            )
            for m in group:
                if not m.named and len(group) > 1:
                    print(f"        not named ({m.fault} | {m.place}): {m.verdict.message[:200]}")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    verbose = "-v" in sys.argv
    torch.set_num_threads(1)
    assert checks.description(InceptionA(), InceptionA()) and checks.module(
        _right(), SMALL_A, (48, 9, 9)
    )
    report("descriptions", descriptions(count), verbose)
    report("modules", modules(count), verbose)
    report("residuals", list(residuals()), verbose)
