"""What must change in an answer to become the figure's block, in sentences that say where. No
torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from inception_edu.describe import Shape
from inception_edu.teach.diagnose.faults import scale_faults, step_faults
from inception_edu.teach.diagnose.matching import align, assign
from inception_edu.teach.diagnose.steps import (
    Join,
    Sequence,
    Step,
    branch_words,
    output,
    size_words,
    what,
    whole,
)


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
    for i, j in align(answer, expected):
        if i is None:
            assert j is not None
            place = f"after step {last} " if last and numbered else ""
            found.append(Difference(_missing(expected[j], place), where))
            continue
        a, step = answer[i], (*where, f"step {i + 1}") if numbered else where
        if j is None:
            found.append(Difference(_surplus(a), _named(step, a)))
        elif isinstance(a, Join) and isinstance(expected[j], Join):
            found += _joins(a, expected[j], arriving, ordered, step)
        elif isinstance(a, Join) or isinstance(expected[j], Join):
            found.append(Difference(f"should be {whole(expected[j])}.", _named(step, a)))
        else:
            found += [
                Difference(text, _named(step, a))
                for text, _ in step_faults(a, expected[j], arriving)
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
    return f"{place}{whole(item)} is missing."


def _surplus(item) -> str:
    if isinstance(item, Step) and item.kind in ("relu", "norm"):
        return f"there is a {what(item)} that the figure does not have."
    return f"{whole(item)} is too many; the figure has none there."


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
                f"the branches are joined along dimension {a.dim} ({axis}); channels are "
                "dimension 1.",
                where,
            )
        )
    if a.kind == e.kind == "add" and (texts := _scaled(a, e)) is not None:
        return [*found, *(Difference(text, where) for text in texts)]
    pairs_ = assign(a.branches, e.branches)
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
            assert j is not None
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


def misfit(join: Join, shape: Shape | None) -> str:
    """A sentence on branches whose maps differ in size; empty where they agree or cannot be
    known."""
    ends = [output(branch, shape) for branch in join.branches]
    outs = [end for end in ends if end is not None]
    if shape is None or len(outs) < len(ends):
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
    swapped = f"the filters of {p} and {q} are swapped: {x.out} and {y.out}"
    return f"{swapped}, the figure has {y.out} and {x.out}."


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
    swapped = f"steps {odd[0] + 1} and {odd[1] + 1} are swapped"
    return f"{swapped}: the {words[0]} comes first, then {words[1]}."


def _arranged(a: Sequence, e: Sequence) -> str | None:
    """Branches written one after the other, or steps written side by side: one sentence."""
    for j, item in enumerate(e):
        if isinstance(item, Join) and item.kind == "cat":
            row = tuple(step for branch in item.branches for step in branch)
            if a == (*e[:j], *row, *e[j + 1 :]):
                return (
                    f"the branches {', '.join(map(branch_words, item.branches))} follow one "
                    "another here; in the "
                    "figure they stand side by side and are concatenated."
                )
            for branch in item.branches:
                if branch and a == (*e[:j], *branch, *e[j + 1 :]):
                    rest = [branch_words(b) for b in item.branches if b is not branch]
                    return (
                        f"only {branch_words(branch)} is there; beside it {', '.join(rest)} is "
                        "missing, to be "
                        "concatenated with it."
                    )
    for i, item in enumerate(a):
        if isinstance(item, Join) and item.kind == "cat":
            row = tuple(step for branch in item.branches for step in branch)
            if (*a[:i], *row, *a[i + 1 :]) == e:
                return (
                    f"{', '.join(map(branch_words, item.branches))} stand side by side here, as "
                    "a concatenation; "
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
