"""From operations that were recorded on tensors to a sequence of steps. No torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from inception_edu.teach.diagnose import Join, Sequence, Step


@dataclass(eq=False)
class Made:
    """A tensor that was made from the input: by which step, from which others."""

    step: Step | Join | None
    sources: list[Made] = field(default_factory=list)
    shape: tuple = ()


def _before(made: Made, memory: dict) -> list[Made]:
    """The maps that every path from the input to `made` passes, from `made` back to the input."""
    if id(made) not in memory:
        memory[id(made)] = [made]
        if made.sources:
            common = _before(made.sources[0], memory)
            for other in made.sources[1:]:
                seen = {id(m) for m in _before(other, memory)}
                common = [m for m in common if id(m) in seen]
            memory[id(made)] = [made, *common]
    return memory[id(made)]


def trace(end: Made, start: Made, memory: dict | None = None) -> Sequence:
    """The steps from `start` to `end`; every operation is listed with the record it came from."""
    memory = {} if memory is None else memory
    points = _before(end, memory)
    stop = next((i for i, m in enumerate(points) if m is start), None)
    if stop is None:
        return ((None, Step("something that does not begin at the input")),)
    items = []
    for point, origin in zip(points[:stop], points[1 : stop + 1]):
        if len(point.sources) < 2:
            items.append((point, point.step))
            continue
        paths = [trace(source, origin, memory) for source in point.sources]
        assert point.step is not None  # only the input itself has none
        join = point.step if isinstance(point.step, Join) else Join(point.step.kind, ())
        items.append((point, replace(join, branches=_grouped(paths, join))))
    return tuple(reversed(items))


def _grouped(paths, join) -> tuple[Sequence, ...]:
    """Neighbouring paths that begin with the same operation share it: 1×1 → {1×3, 3×1}."""
    groups: list[list] = []
    for path in paths:
        first = path[0][0] if path else None
        if groups and first is not None and groups[-1][0] and groups[-1][0][0][0] is first:
            groups[-1].append(path)
        else:
            groups.append([path])
    branches = []
    for group in groups:
        if len(group) == 1:
            branches.append(group[0])
            continue
        shared = 0
        while all(len(p) > shared for p in group) and len({id(p[shared][0]) for p in group}) == 1:
            shared += 1
        rest = Join(join.kind, _grouped([p[shared:] for p in group], join), join.dim)
        branches.append((*group[0][:shared], (None, rest)))
    return tuple(branches)


def fuse(items) -> Sequence:
    """Convolution, batch norm and ReLU in a row become one step; the records are dropped."""
    found: list = []
    for _, item in items:
        if isinstance(item, Join):
            found.append(replace(item, branches=tuple(fuse(branch) for branch in item.branches)))
            continue
        last = (
            found[-1]
            if found and isinstance(found[-1], Step) and found[-1].kind == "conv"
            else None
        )
        if last and item.kind == "norm" and not last.norm:
            found[-1] = replace(
                last, norm=True, eps=item.eps, norm_name=item.name, relu_first=last.relu
            )
        elif last and item.kind == "relu" and not last.relu:
            found[-1] = replace(last, relu=True)
        elif not (item.kind == "relu" and last and last.relu) and not (
            item.kind == "times" and item.factor == 1
        ):
            found.append(item)
    return tuple(found)
