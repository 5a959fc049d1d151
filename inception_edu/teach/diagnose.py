"""Two blocks as sequences of steps, and what differs between them, in sentences. No torch.

Descriptions (`spec`) and modules that were watched at work (`watch`) both become tuples of `Step`
and `Join`, so that an answer of either kind is compared with a figure in the same way: branches are
matched to branches and steps to steps at the least cost, and each remaining difference becomes a
sentence that says where it is and what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache

from inception_edu.describe.spec import Chain, Concat, Conv, Node, Pool, Residual, Shape

WINDOWS = ("conv", "max", "avg")


@dataclass(frozen=True)
class Step:
    """One operation. `kind`: conv (with its batch norm and ReLU), max, avg, norm, relu, times, or
    another word.

    `name` and `norm_name` are what the answer calls its layers ("b3.1"); they are not compared.
    """

    kind: str
    out: int = 0
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    norm: bool = False
    relu: bool = False
    bias: bool = False
    count: bool = False  # an average that counts padded zeros
    ceil: bool = False
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    factor: float = 1.0
    relu_first: bool = False  # ReLU, then batch norm
    eps: float | None = field(default=None, compare=False)
    name: str = field(default="", compare=False)
    norm_name: str = field(default="", compare=False)


@dataclass(frozen=True)
class Join:
    """Branches that start from the same map and are put together: kind "cat" (along `dim`) or
    "add"."""

    kind: str
    branches: tuple[Sequence, ...]
    dim: int = 1


Sequence = tuple  # of Step and Join


def sequence(node: Node) -> Sequence:
    """The steps of a description."""
    if isinstance(node, Conv):
        return (
            Step(
                "conv",
                node.out,
                node.kernel,
                _two(node.stride),
                _pad(node),
                node.norm,
                node.relu,
                bias=not node.norm,
            ),
        )
    if isinstance(node, Pool):
        count = node.count_padding and any(_pad(node))
        return (Step(node.kind, 0, node.kernel, _two(node.stride), _pad(node), count=count),)
    if isinstance(node, Chain):
        return tuple(item for part in node.parts for item in sequence(part))
    if isinstance(node, Concat):
        return tidy((Join("cat", tuple(sequence(branch) for branch in node.branches)),))
    if isinstance(node, Residual):
        body = sequence(node.body) + (
            (Step("times", factor=float(node.scale)),) if node.scale != 1 else ()
        )
        identity = () if node.shortcut is None else sequence(node.shortcut)
        return tidy((Join("add", (identity, body)), *((Step("relu"),) if node.relu else ())))
    raise TypeError(f"not a description: {node!r}")


def tidy(items: Sequence) -> Sequence:
    """The same computation written in one way: a join directly inside a join of its kind is spliced
    into it."""
    found = []
    for item in items:
        if isinstance(item, Join):
            branches = []
            for branch in map(tidy, item.branches):
                inner = branch[0] if len(branch) == 1 and isinstance(branch[0], Join) else None
                same = inner and inner.kind == item.kind and inner.dim == item.dim
                branches += inner.branches if same else [branch]
            if len(branches) == 1:
                found += branches[0]
                continue
            item = replace(item, branches=tuple(branches))
        found.append(item)
    return tuple(found)


def _two(n) -> tuple[int, int]:
    return (n, n) if isinstance(n, int) else tuple(n)


def _pad(node) -> tuple[int, int]:
    return tuple(k // 2 for k in node.kernel) if node.padding == "same" else (0, 0)


# --- Words ----------------------------------------------------------------------------------------


def size_words(pair) -> str:
    return f"{pair[0]}×{pair[1]}"


def what(item: Step | Join) -> str:
    """A step in a few words: "3×3 convolution", "average pool", …"""
    if isinstance(item, Join):
        return {"cat": "concatenation", "add": "addition"}.get(item.kind, item.kind)
    if item.kind == "conv":
        plain = not item.norm and not item.relu
        return f"{'linear ' if plain else ''}{size_words(item.kernel)} convolution"
    names = {
        "max": f"{size_words(item.kernel)} max pool",
        "avg": f"{size_words(item.kernel)} average pool",
        "norm": "batch norm",
        "relu": "ReLU",
        "times": f"multiplication by {item.factor:g}",
    }
    return names.get(item.kind, item.kind)


def _whole(item: Step | Join) -> str:
    extra = f" with {item.out} filters" if isinstance(item, Step) and item.kind == "conv" else ""
    return _a(what(item) + extra)


def _a(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def branch_words(items: Sequence) -> str:
    """A branch in short: "1×1 → 3×3"."""
    short = {"max": "max pool", "avg": "average pool"}
    words = []
    for item in items:
        if isinstance(item, Join):
            words.append("{" + ", ".join(branch_words(b) for b in item.branches) + "}")
        else:
            words.append(
                size_words(item.kernel) if item.kind == "conv" else short.get(item.kind, what(item))
            )
    return " → ".join(words) or "identity"


def _number(pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"({pair[0]}, {pair[1]})"


# --- Shapes ---------------------------------------------------------------------------------------


def output(items: Sequence, shape: Shape | None) -> Shape | None:
    """The shape (C, H, W) that leaves a sequence, or None where it does not work out."""
    for item in items:
        if shape is None:
            return None
        if isinstance(item, Join):
            outs = [output(branch, shape) for branch in item.branches]
            if not outs or None in outs or len({o[1:] for o in outs}) > 1:
                return None
            shape = (sum(o[0] for o in outs) if item.kind == "cat" else outs[0][0], *outs[0][1:])
        elif item.kind in WINDOWS:
            size = []
            for n, k, s, p, d in zip(
                shape[1:], item.kernel, item.stride, item.padding, item.dilation
            ):
                span = n + 2 * p - d * (k - 1) - 1
                size.append(-(-span // s) + 1 if item.ceil else span // s + 1)
            shape = (item.out or shape[0], *size) if min(size) >= 1 else None
    return shape


def misfit(join: Join, shape: Shape | None) -> str:
    """A sentence on branches whose maps differ in size; empty where they agree or cannot be
    known."""
    outs = [output(branch, shape) for branch in join.branches]
    if shape is None or None in outs:
        return ""
    sizes = [out[1:] for out in outs]
    common = max(set(sizes), key=lambda s: (sizes.count(s), -sizes.index(s)))
    odd = [i for i, size in enumerate(sizes) if size != common]
    if not odd:
        return ""
    parts = [
        f"branch {i + 1} ({branch_words(join.branches[i])}) gives {size_words(sizes[i])}"
        for i in odd
    ]
    rest = "the others give" if len(sizes) - len(odd) > 1 else "the other gives"
    return f"{', '.join(parts)}, {rest} {size_words(common)}."


# --- Differences ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """One fault: its sentence, and where it is (words such as "branch 3", "step 2 (3×3
    convolution)")."""

    text: str
    where: tuple[str, ...]

    def __str__(self):
        place = ", ".join(self.where)
        return f"{_capital(place)}: {self.text}" if place else _capital(self.text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def differences(
    answer: Sequence,
    expected: Sequence,
    shape: Shape | None = None,
    ordered: bool = False,
    where: tuple[str, ...] = (),
) -> list[Difference]:
    """What must change in `answer` to become `expected`, in the order of the answer; empty where
    nothing must.

    shape: (C, H, W) of what enters. Without `ordered`, branches may stand in another order (see
    `reordered`).
    """
    if (sentence := _steps_swapped(answer, expected) or _arranged(answer, expected)) is not None:
        return [Difference(sentence, where)]
    found, arriving, last = [], shape, 0
    numbered = sum(not _is_relu(item) for item in answer) > 1
    for i, j in _align(answer, expected):
        if i is None:
            place = f"after step {last} " if last and numbered else ""
            found.append(Difference(_missing(expected[j], place), where))
            continue
        a, step = answer[i], (*where, f"step {i + 1}") if numbered else where
        if j is None:
            found.append(Difference(_surplus(a), _named(step, a)))
        elif isinstance(a, Join) and isinstance(expected[j], Join):
            found += _joins(a, expected[j], arriving, ordered, step)
        elif isinstance(a, Join) or isinstance(expected[j], Join):
            found.append(Difference(f"should be {_whole(expected[j])}.", _named(step, a)))
        else:
            found += [
                Difference(text, _named(step, a)) for text, _ in _steps(a, expected[j], arriving)
            ]
        last = i + 1
        arriving = output((a,), arriving)
    return found


def _is_relu(item) -> bool:
    return isinstance(item, Step) and item.kind == "relu"


def _named(where: tuple[str, ...], item) -> tuple[str, ...]:
    """The place with what stands there: ("branch 3", "step 2 (3×3 convolution)")."""
    called = f", called {item.name}" if isinstance(item, Step) and item.name else ""
    return (*where[:-1], f"{where[-1]} ({what(item)}{called})") if where else (f"the {what(item)}",)


def _missing(item, place: str) -> str:
    if isinstance(item, Step) and item.kind == "times":
        return f"{place}the multiplication by the scale {item.factor:g} is missing."
    if _is_relu(item):
        return f"{place}the ReLU is missing."
    return f"{place}{_whole(item)} is missing."


def _surplus(item) -> str:
    if isinstance(item, Step) and item.kind in ("relu", "norm"):
        return f"there is a {what(item)} that the figure does not have."
    return f"{_whole(item)} is too many; the figure has none there."


def _steps(a: Step, e: Step, shape: Shape | None) -> list[tuple[str, float]]:
    """Sentences, with their costs, on two steps that belong together."""
    found = []
    if a.kind != e.kind:
        names = {"max": "a max pool", "avg": "an average pool"}
        found.append((f"should be {names.get(e.kind, _whole(e))}.", 4))
        if not {a.kind, e.kind} <= {"max", "avg"}:
            return found
    if a.kind == "times":
        return found + (
            [(f"the factor should be {e.factor:g}.", 1)] if abs(a.factor - e.factor) > 1e-6 else []
        )
    if a.kind not in WINDOWS:
        return found
    if a.out != e.out and a.kind == e.kind:
        found.append((f"has {a.out} filters, the figure has {e.out}.", 2))
    if a.kernel != e.kernel:
        turned = " Height comes first: (height, width)." if a.kernel == e.kernel[::-1] else ""
        found.append(
            (
                f"should have the kernel {size_words(e.kernel)}, not {size_words(a.kernel)}.{turned}",
                2,
            )
        )
    if a.stride != e.stride:
        found.append(
            (
                f"the stride {_number(e.stride)} is forgotten."
                if a.stride == (1, 1)
                else f"has stride {_number(a.stride)}, the figure has {_number(e.stride)}.",
                2,
            )
        )
    found += _paddings(a, e, shape)
    if a.relu_first:
        found.append(
            ("the ReLU comes before the batch norm; the order is convolution, batch norm, ReLU.", 1)
        )
    elif a.norm != e.norm:
        found.append(
            (
                "the batch norm is missing."
                if e.norm
                else 'has a batch norm; the figures\' "Linear" convolution has none.',
                1,
            )
        )
    if a.relu != e.relu:
        found.append(
            ("the ReLU is missing." if e.relu else "has a ReLU that the figure does not have.", 1)
        )
    if a.kind == "conv" and e.bias and not a.bias and not a.norm:
        found.append(("the bias is missing; a convolution without batch norm needs one.", 0.5))
    if a.count != e.count and a.kind == "avg":
        found.append(
            (
                f"{'counts' if a.count else 'does not count'} the padded zeros in the average, the figure's pool "
                f"{'does' if e.count else 'does not'} (count_include_pad={e.count}).",
                0.5,
            )
        )
    if a.ceil != e.ceil:
        found.append(("rounds the size up (ceil_mode=True), the figure's rounds down.", 1))
    if a.groups != e.groups:
        found.append(
            (f"has groups={a.groups}; every filter should see all channels (groups=1).", 2)
        )
    if a.dilation != e.dilation:
        found.append((f"has dilation {_number(a.dilation)}, the figure has none.", 2))
    return found


def _mode(step: Step) -> str | None:
    """same, valid, both (nothing to pad), or None for anything else."""
    half = tuple(k // 2 for k in step.kernel)
    if half == (0, 0) and step.padding == (0, 0):
        return "both"
    if step.padding == half and all(k % 2 for k in step.kernel):
        return "same"
    return "valid" if step.padding == (0, 0) else None


def _paddings(a: Step, e: Step, shape: Shape | None) -> list[tuple[str, float]]:
    mode, wanted = _mode(a), _mode(e)
    if (
        mode == wanted
        or "both" in (mode, wanted)
        and None not in (mode, wanted)
        and a.kernel != e.kernel
    ):
        return []
    half = tuple(k // 2 for k in a.kernel)
    if wanted == "valid":
        if mode == "both":
            return []
        return [("is padded; the V in the figure means valid, without padding.", 2)]
    if mode == "valid":
        after = output((a,), shape)
        sizes = (size_words(shape[1:]), size_words(after[1:])) if shape and after else ()
        shrinks = ": the map shrinks from {} to {}".format(*sizes) if sizes else ""
        return [
            (
                f'padding is missing{shrinks}. "Same" needs padding {_number(half)} for a {size_words(a.kernel)} '
                "kernel.",
                2,
            )
        ]
    turned = (
        " Height comes first, as in the kernel."
        if a.padding == half[::-1] and half[0] != half[1]
        else ""
    )
    return [
        (
            f"has padding {_number(a.padding)}; a {size_words(a.kernel)} kernel keeps the map with padding "
            f"{_number(half)}.{turned}",
            2,
        )
    ]


def _joins(
    a: Join, e: Join, shape: Shape | None, ordered: bool, where: tuple[str, ...]
) -> list[Difference]:
    found = []
    if a.kind != e.kind:
        verb = {"cat": "concatenated", "add": "added", "product": "multiplied"}
        found.append(
            Difference(
                f"the branches are {verb.get(a.kind, 'joined by ' + a.kind)}; the figure has them "
                f"{verb[e.kind]}.",
                where,
            )
        )
    elif a.dim != e.dim:
        axis = {0: "the images of the batch", 2: "the height", 3: "the width"}.get(
            a.dim, "another axis"
        )
        found.append(
            Difference(
                f"the branches are joined along dimension {a.dim} ({axis}); channels are dimension 1.",
                where,
            )
        )
    if a.kind == e.kind == "add" and (texts := _scaled(a, e)) is not None:
        return [*found, *(Difference(text, where) for text in texts)]
    pairs_ = _assign(a.branches, e.branches)
    chosen = [j for _, j in pairs_ if j is not None]
    if ordered and e.kind == "cat" and chosen != sorted(chosen):
        order_ = ", ".join(branch_words(b) for b in e.branches)
        found.append(
            Difference(f"the branches stand in another order; the figure has {order_}.", where)
        )
    if (swap := _filters_swapped(a, e)) is not None:
        return [*found, Difference(swap, where)]
    if sentence := misfit(a, shape):
        # The faults that follow explain the sizes.
        found.append(Difference(sentence, where))
    for i, j in pairs_:
        if i is None:
            found.append(Difference(f"the branch {branch_words(e.branches[j])} is missing.", where))
        elif j is None:
            found.append(
                Difference(
                    f"({branch_words(a.branches[i])}) is a branch that the figure does not have.",
                    (*where, f"branch {i + 1}"),
                )
            )
        else:
            found += differences(a.branches[i], e.branches[j], shape, ordered, _place(a, i, where))
    return found


def _place(a: Join, i: int, where: tuple[str, ...]) -> tuple[str, ...]:
    if a.kind == "add" and len(a.branches) == 2:
        residual = max((0, 1), key=lambda n: len(a.branches[n]))
        return (*where, "residual branch" if i == residual else "shortcut")
    return (*where, f"branch {i + 1}")


def _scaled(a: Join, e: Join) -> list[str] | None:
    """Sentences on a residual sum whose factors are wrong and nothing else; None where that is not
    the case."""

    def split(branch):
        product = 1.0
        for step in branch:
            product *= step.factor if isinstance(step, Step) else 1
        return tuple(s for s in branch if not (isinstance(s, Step) and s.kind == "times")), product

    if len(a.branches) != 2 or len(e.branches) != 2:
        return None
    mine, wanted = [split(b) for b in a.branches], [split(b) for b in e.branches]
    if mine[0][0] == wanted[1][0] and mine[1][0] == wanted[0][0]:
        mine.reverse()
    if [b for b, _ in mine] != [b for b, _ in wanted]:
        return None
    return scale_faults(mine[0][1], mine[1][1], wanted[1][1])


def scale_faults(identity: float, residual: float, scale: float) -> list[str]:
    """Sentences on identity · x + residual · body(x) where 1 · x + scale · body(x) is wanted."""

    def near(x, y):
        return abs(x - y) <= 1e-3 * max(1, abs(y))

    if near(identity, 1) and near(residual, scale):
        return []
    if near(identity, scale) and near(residual, 1):
        return [
            f"you scaled the identity: the factor {scale:g} belongs to the residual branch, x itself passes "
            "unchanged."
        ]
    if near(identity, scale) and near(residual, scale):
        return [
            f"you scaled the whole sum: the factor {scale:g} belongs to the residual branch alone."
        ]
    if near(identity, 0):
        return ["the identity is missing: x itself is not added."]
    if near(residual, 0):
        return ["the residual branch does not reach the output."]
    if near(identity, 1):
        if near(residual, 1):
            return [f"the scale {scale:g} is not applied to the residual branch."]
        if near(residual, scale * scale):
            return [f"the scale {scale:g} is applied twice."]
        if near(residual, -scale):
            return ["the residual branch is subtracted; it should be added."]
        if near(residual, 1 / scale):
            return [f"the residual branch is divided by {scale:g}; it should be multiplied by it."]
        return [f"the residual branch is multiplied by {residual:.3g}; the scale is {scale:g}."]
    if near(identity, 1 - scale) and near(residual, scale):
        return [
            f"this blends, (1 − {scale:g})·x + {scale:g}·body(x); the identity should pass unchanged."
        ]
    if near(identity, -1) and near(residual, scale):
        return ["the identity is subtracted; it should be added."]
    if near(residual, scale):
        return [f"the identity is multiplied by {identity:.3g}; it should pass unchanged."]
    return [
        f"the sum is {identity:.3g}·x + {residual:.3g}·body(x); wanted is x + {scale:g}·body(x)."
    ]


def _filters_swapped(a: Join, e: Join) -> str | None:
    """Filters of two convolutions exchanged, in one branch or between two: one sentence in the
    place of two."""
    mine, wanted = list(_places(a)), list(_places(e))
    if [_shapeless(s) for _, s in mine] != [_shapeless(s) for _, s in wanted]:
        return None
    odd = [n for n, ((_, x), (_, y)) in enumerate(zip(mine, wanted)) if x.out != y.out]
    if len(odd) != 2:
        return None
    (p, x), (q, y) = mine[odd[0]], mine[odd[1]]
    if (x.out, y.out) != (wanted[odd[1]][1].out, wanted[odd[0]][1].out):
        return None
    return f"the filters of {p} and {q} are swapped: {x.out} and {y.out}, the figure has {y.out} and {x.out}."


def _shapeless(step: Step) -> Step:
    return replace(step, out=0)


def _places(items, where: str = "") -> Iterator[tuple[str, Step]]:
    """Every step with its place, in the order of the figure."""
    if isinstance(items, Join):
        for i, branch in enumerate(items.branches, 1):
            yield from _places(branch, f"{where}{', ' if where else ''}branch {i}")
        return
    for i, item in enumerate(items, 1):
        if isinstance(item, Join):
            yield from _places(item, f"{where}, step {i}")
        else:
            yield f"{where}, step {i}" if len(items) > 1 else where, item


def _steps_swapped(a: Sequence, e: Sequence) -> str | None:
    """Two neighbouring steps in the wrong order: one sentence."""
    if len(a) != len(e) or a == e:
        return None
    odd = [n for n, (x, y) in enumerate(zip(a, e)) if x != y]
    if len(odd) != 2 or odd[1] != odd[0] + 1 or a[odd[0]] != e[odd[1]] or a[odd[1]] != e[odd[0]]:
        return None
    first, second = e[odd[0]], e[odd[1]]
    same = isinstance(first, Step) and isinstance(second, Step) and what(first) == what(second)
    words = (
        (f"{what(first)} with {first.out}", f"the one with {second.out} filters")
        if same
        else (what(first), f"the {what(second)}")
    )
    return f"steps {odd[0] + 1} and {odd[1] + 1} are swapped: the {words[0]} comes first, then {words[1]}."


def _arranged(a: Sequence, e: Sequence) -> str | None:
    """Branches written one after the other, or steps written side by side: one sentence."""
    for j, item in enumerate(e):
        if isinstance(item, Join) and item.kind == "cat":
            row = tuple(step for branch in item.branches for step in branch)
            if a == (*e[:j], *row, *e[j + 1 :]):
                return (
                    f"the branches {', '.join(map(branch_words, item.branches))} follow one another here; in the "
                    "figure they stand side by side and are concatenated."
                )
            for branch in item.branches:
                if branch and a == (*e[:j], *branch, *e[j + 1 :]):
                    rest = [branch_words(b) for b in item.branches if b is not branch]
                    return (
                        f"only {branch_words(branch)} is there; beside it {', '.join(rest)} is missing, to be "
                        "concatenated with it."
                    )
    for i, item in enumerate(a):
        if isinstance(item, Join) and item.kind == "cat":
            row = tuple(step for branch in item.branches for step in branch)
            if (*a[:i], *row, *a[i + 1 :]) == e:
                return (
                    f"{', '.join(map(branch_words, item.branches))} stand side by side here, as a concatenation; "
                    "in the figure they follow one another."
                )
    return None


def reordered(answer: Sequence, expected: Sequence) -> bool:
    """Whether the branches of two otherwise equal sequences stand in another order."""
    return (
        answer != expected
        and not differences(answer, expected)
        and bool(differences(answer, expected, None, True))
    )


# --- Matching -------------------------------------------------------------------------------------

GAP = 6.0  # a step that has no counterpart


@lru_cache(maxsize=50_000)
def _distance(a, e) -> float:
    """How much two items, or two sequences, differ."""
    if isinstance(a, tuple):
        return sum(
            GAP * _weight(a[i])
            if j is None
            else GAP * _weight(e[j])
            if i is None
            else _distance(a[i], e[j])
            for i, j in _align(a, e)
        )
    if isinstance(a, Join) != isinstance(e, Join):
        return GAP * (_weight(a) + _weight(e))
    if isinstance(a, Join):
        cost = (5 if a.kind != e.kind else 0) + (3 if a.dim != e.dim else 0)
        for i, j in _assign(a.branches, e.branches):
            cost += (
                _alone(e.branches[j])
                if i is None
                else _alone(a.branches[i])
                if j is None
                else _distance(a.branches[i], e.branches[j])
            )
        return cost
    if a.kind != e.kind and not {a.kind, e.kind} <= {"max", "avg"}:
        return 14
    cost = sum(c for _, c in _steps(a, e, None))
    # Filters that are nearly right belong together rather than filters that are far off.
    return cost + (
        abs(a.out - e.out) / (a.out + e.out) if a.out != e.out and a.kind == e.kind == "conv" else 0
    )


def _weight(item) -> float:
    if isinstance(item, Join):
        return 2 + sum(_weight(step) for branch in item.branches for step in branch)
    return 0.3 if item.kind in ("times", "relu") else 1


def _alone(branch: Sequence) -> float:
    return 8 + 2 * len(branch)


@lru_cache(maxsize=50_000)
def _align(a: Sequence, e: Sequence) -> tuple[tuple[int | None, int | None], ...]:
    """Pairs of positions that belong together, in order; None where one side has nothing."""
    table = {(len(a), len(e)): (0.0, ())}
    for i in range(len(a), -1, -1):
        for j in range(len(e), -1, -1):
            ways = []
            if i < len(a) and j < len(e):
                cost, rest = table[i + 1, j + 1]
                ways.append((cost + _distance(a[i], e[j]), ((i, j), *rest)))
            if i < len(a):
                cost, rest = table[i + 1, j]
                ways.append((cost + GAP * _weight(a[i]), ((i, None), *rest)))
            if j < len(e):
                cost, rest = table[i, j + 1]
                ways.append((cost + GAP * _weight(e[j]), ((None, j), *rest)))
            if ways:
                table[i, j] = min(ways, key=lambda way: way[0])
    return table[0, 0][1]


@lru_cache(maxsize=50_000)
def _assign(
    a: tuple[Sequence, ...], e: tuple[Sequence, ...]
) -> tuple[tuple[int | None, int | None], ...]:
    """Each branch of `a` with the branch of `e` that it most resembles, in the order of `a`."""

    @cache
    def best(i: int, free: frozenset[int]):
        if i == len(a):
            return sum(_alone(e[j]) for j in free), tuple((None, j) for j in sorted(free))
        ways = []
        for j in sorted(free):
            cost, rest = best(i + 1, free - {j})
            ways.append((cost + _distance(a[i], e[j]) + 0.01 * abs(i - j), ((i, j), *rest)))
        if len(a) - i > len(free):
            cost, rest = best(i + 1, free)
            ways.append((cost + _alone(a[i]), ((i, None), *rest)))
        return min(ways, key=lambda way: way[0])

    return best(0, frozenset(range(len(e))))[1]


def pairs(answer: Sequence, expected: Sequence) -> Iterator[tuple[Step, Step]]:
    """The steps of two sequences without differences, each with its counterpart."""
    for i, j in _align(answer, expected):
        a, e = answer[i], expected[j]
        if isinstance(a, Join):
            for m, n in _assign(a.branches, e.branches):
                yield from pairs(a.branches[m], e.branches[n])
        else:
            yield a, e


def order(answer: Sequence, expected: Sequence) -> list[int]:
    """For a block that is one join: the position in `expected` of each branch of `answer`; else an
    empty list."""
    if (
        len(answer) == len(expected) == 1
        and isinstance(answer[0], Join)
        and isinstance(expected[0], Join)
    ):
        return [j for _, j in _assign(answer[0].branches, expected[0].branches) if j is not None]
    return []
