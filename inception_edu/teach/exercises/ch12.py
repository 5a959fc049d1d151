"""Exercises of chapter 12: looking inside."""

from __future__ import annotations

from typing import Any

from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict, student_code, wrong


def exercise_1(listening: Any) -> Verdict:
    """Which branch a 1×1 convolution reads loudly."""
    import torch

    def loud(w: Any, c: Any, power: float = 0.5) -> list[float]:
        parts = [part.square().mean() ** power for part in w.split(c, dim=1)]
        return [float(x) for x in parts]

    def shares(values: list[float]) -> list[float]:
        return [value / sum(values) for value in values]

    def summed(w: Any, c: Any) -> list[float]:
        return [float(part.square().sum() ** 0.5) for part in w.split(c, dim=1)]

    def outputs(w: Any, c: Any) -> list[float]:
        parts = w.split([len(w) // len(c)] * len(c), dim=0)
        return [float(part.square().mean().sqrt()) for part in parts]

    kernel = torch.randn(6, 10, 1, 1, generator=torch.Generator().manual_seed(0))
    kernel = kernel * torch.linspace(0.5, 2, 10).reshape(1, -1, 1, 1)
    return checks.function(
        listening,
        lambda w, c: shares(loud(w, c)),
        [(kernel, [2, 3, 5]), (kernel, [5, 5]), (kernel, [1, 9])],
        name="listening",
        wrong={
            "The square root is missing: those are shares of the mean square.": (
                lambda w, c: shares(loud(w, c, 1.0))
            ),
            "Those are not yet shares: divide by their sum, so that they add up to 1.": loud,
            "Those are mean squares: take the root, then divide by the sum.": (
                lambda w, c: loud(w, c, 1.0)
            ),
            "A mean over the weights, not a sum: a wide branch is not louder for being wide.": (
                lambda w, c: shares(summed(w, c))
            ),
            "A mean over the weights, not a sum of squares: a wide branch is not louder for being "
            "wide.": lambda w, c: shares([x * x for x in summed(w, c)]),
            "Positive and negative weights cancel in a mean: square them first.": (
                lambda w, c: shares([float(p.mean()) for p in w.split(c, dim=1)])
            ),
            "Positive and negative weights cancel in a mean: square them first, then take the "
            "root.": lambda w, c: shares([float(p.mean().abs()) for p in w.split(c, dim=1)]),
            "That is the mean size; the root mean square is asked for.": (
                lambda w, c: shares([float(p.abs().mean()) for p in w.split(c, dim=1)])
            ),
            "That is the standard deviation; the root mean square keeps the mean.": (
                lambda w, c: shares([float(p.std()) for p in w.split(c, dim=1)])
            ),
            "That is the standard deviation; the root mean square keeps the mean in it.": (
                lambda w, c: shares([float(p.std(correction=0)) for p in w.split(c, dim=1)])
            ),
            "That is the loudest single weight; take the root mean square of all.": (
                lambda w, c: shares([float(p.abs().max()) for p in w.split(c, dim=1)])
            ),
            "That cuts along the outputs; inputs are axis 1.": (lambda w, c: shares(outputs(w, c))),
            "Divide by the sum, not by the largest.": (
                lambda w, c: [x / max(loud(w, c)) for x in loud(w, c)]
            ),
            "Divide by the sum; a softmax makes other numbers of them.": (
                lambda w, c: torch.tensor(loud(w, c)).softmax(0).tolist()
            ),
            "Those are the branches' widths; the weights decide.": (
                lambda w, c: shares([float(n) for n in c])
            ),
            "Shares from 0 to 1 are asked for, not per cent.": (
                lambda w, c: [100 * x for x in shares(loud(w, c))]
            ),
        },
    )


def exercise_2(field_of_three: Any) -> Verdict:
    """The effective receptive field of three 3×3 convolutions."""
    ways = [1, 3, 6, 7, 6, 3, 1]

    def made(*values: float) -> Any:
        return lambda: list(values)

    return checks.function(
        field_of_three,
        [[way / 7 for way in ways]],
        [()],
        name="field_of_three",
        wrong={
            "Those are the numbers of ways; divide them by the largest, 7.": made(*ways),
            "Divide by the largest, so that the middle is 1, not by the sum.": made(
                *(way / 27 for way in ways)
            ),
            "That is two layers: a third spreads each value over three once more.": made(
                1 / 3, 2 / 3, 1, 2 / 3, 1 / 3
            ),
            "Those are the ways of two layers; a third follows, and the largest becomes 1.": made(
                1, 2, 3, 2, 1
            ),
            "Every pixel of the field has ways, but not equally many.": made(*[1.0] * 7),
            "The middle pixel has more ways than the edge, but not in equal steps: add up three "
            "neighbours of 1, 2, 3, 2, 1.": made(0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25),
            "The ways are no triangle 1, 2, 3, 4: add up three neighbours of 1, 2, 3, 2, 1.": made(
                1, 2, 3, 4, 3, 2, 1
            ),
            "Those are binomial numbers, from kernels of two; a 3×3 has three weights a row.": made(
                1 / 20, 6 / 20, 15 / 20, 1, 15 / 20, 6 / 20, 1 / 20
            ),
            "The sums of neighbours are 1, 3, 6, 7, 6, 3, 1: check the second one.": made(
                1 / 7, 2 / 7, 6 / 7, 1, 6 / 7, 2 / 7, 1 / 7
            ),
            "The third sum is 1 + 2 + 3 = 6.": made(1 / 7, 3 / 7, 5 / 7, 1, 5 / 7, 3 / 7, 1 / 7),
            "That is the whole map of ways in per cent; the middle one is 1.": made(
                *(100 * way / 7 for way in ways)
            ),
        },
    )


def exercise_3(without: Any) -> Verdict:
    """Logits when one branch gives zeros."""
    import copy

    import torch

    from inception_edu.describe import networks
    from inception_edu.nets import features
    from inception_edu.nets.build import build

    if not callable(without):
        return checks.function(without, [], [])
    network = networks.mini(networks.inception_resnet_v2(), width=1 / 16, image=32, classes=10)
    model = build(network, seed=3).eval()
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after training: no bias is 0
            module.bias.data.uniform_(0.1, 0.5, generator=generator)
    images = torch.randn(4, *network.input, generator=torch.Generator().manual_seed(0))
    places = [("inception_resnet_b.1", 1), ("inception_resnet_b.1", 2), ("reduction_a", 3)]

    def off(name: str, branch: int) -> Any:
        with features.switched_off(model, name, branch), torch.no_grad():
            return model(images)

    def nothing(name: str, branch: int) -> Any:
        with torch.no_grad():
            return model(images)

    def whole_block(name: str, branch: int) -> Any:
        handle = features.block(model, name).register_forward_hook(
            lambda module, inputs, out: torch.zeros_like(out)
        )
        try:
            return nothing(name, branch)
        finally:
            handle.remove()

    def all_branches(name: str, branch: int) -> Any:
        join = features.concatenation(features.block(model, name))
        assert join is not None
        handle = join.register_forward_hook(lambda module, inputs, out: torch.zeros_like(out))
        try:
            return nothing(name, branch)
        finally:
            handle.remove()

    def hooked(name: str, branch: int, hook: Any, before: bool = False) -> Any:
        join = features.concatenation(features.block(model, name))
        assert join is not None
        child = list(join.children())[branch - 1]
        put = child.register_forward_pre_hook if before else child.register_forward_hook
        handle = put(hook)
        try:
            return nothing(name, branch)
        finally:
            handle.remove()

    def ones(name: str, branch: int) -> Any:
        return hooked(name, branch, lambda module, inputs, out: torch.ones_like(out))

    def no_input(name: str, branch: int) -> Any:
        return hooked(name, branch, lambda module, inputs: (0 * inputs[0],), before=True)

    def counted_from_zero(name: str, branch: int) -> Any:
        join = features.concatenation(features.block(model, name))
        branches = len(list(join.children())) if join is not None else 0
        return off(name, branch % branches + 1)

    def others(name: str, branch: int) -> Any:
        join = features.concatenation(features.block(model, name))
        children = list(join.children()) if join is not None else []
        handles = [
            child.register_forward_hook(lambda module, inputs, out: torch.zeros_like(out))
            for place, child in enumerate(children, 1)
            if place != branch
        ]
        try:
            return nothing(name, branch)
        finally:
            for handle in handles:
                handle.remove()

    own = copy.deepcopy(model)
    given = images.clone()
    verdict = checks.function(
        lambda name, branch: without(own, given, name, branch),
        off,
        places,
        name="without",
        wrong={
            "The branch gives ones; zeros are asked for.": ones,
            "The branch gets zeros; its biases act on. Replace its *output*.": no_input,
            "That is always the first branch: use `branch`.": lambda n, b: off(n, 1),
            "Nothing is switched off: these are the network's usual logits. A hook must *return* "
            "the zeros, and be registered before the network runs.": nothing,
            "The whole block gives zeros, and with it the identity; switch off one branch.": (
                whole_block
            ),
            "All branches give zeros; switch off one of them.": all_branches,
            "Branches are counted from 1: the first is `children[branch - 1]`.": counted_from_zero,
            "All branches but the wanted one give zeros.": others,
            "Logits are asked for, not probabilities.": lambda n, b: off(n, b).softmax(1),
            "Logits are asked for, not classes.": lambda n, b: off(n, b).argmax(1),
            "Logits are asked for, not the change of them.": lambda n, b: off(n, b) - nothing(n, b),
            "Logits are asked for, not the change of them.  Take them as they come.": (
                lambda n, b: nothing(n, b) - off(n, b)
            ),
        },
    )
    if any(module._forward_hooks for module in own.modules()):
        return wrong(
            "A hook is still on the network, so it stays changed: call `handle.remove()` when you "
            "are done."
        )
    with torch.no_grad(), student_code():
        changed = not torch.equal(own(images), model(images))
    if own.training:
        return wrong("The network is in training mode now: leave it in evaluation mode, as it was.")
    if changed:
        return wrong(
            "The network is not what it was before: its weights or running averages were changed. "
            "Use a hook, in evaluation mode."
        )
    return verdict


def exercise_4(smooth: Any) -> Verdict:
    """Smoothed labels."""
    import torch
    import torch.nn.functional as F

    def hot(y: Any, c: int) -> Any:
        return F.one_hot(y, c)

    def every_row(y: Any, c: int, a: float) -> Any:
        targets = torch.full((len(y), c), a / c)
        targets[:, y] += 1 - a
        return targets

    return checks.function(
        smooth,
        lambda y, c, a: (1 - a) * hot(y, c) + a / c,
        [(torch.tensor([0, 2, 1]), 4, 0.1), (torch.tensor([1]), 10, 0.3)],
        name="smooth",
        wrong={
            "Divide by the number of classes, not of labels.": (
                lambda y, c, a: (1 - a) * hot(y, c) + a / len(y)
            ),
            "That holds for an `amount` of 0.1 only.": lambda y, c, a: (
                (1 - a) * hot(y, c) + 0.1 / c
            ),
            "`[:, labels]` means those columns of every row; each has one right class.": every_row,
            "You spread it over the wrong classes only; v3 spreads it over all.": (
                lambda y, c, a: (1 - a) * hot(y, c) + (1 - hot(y, c)) * a / (c - 1)
            ),
            "The right class gets its share of `amount` too: `1 - amount` comes on top of it.": (
                lambda y, c, a: (1 - a) * hot(y, c) + (1 - hot(y, c)) * a / c
            ),
            "Every class should get `amount / classes`: you divided by one class too few.": (
                lambda y, c, a: (1 - a) * hot(y, c) + a / (c - 1)
            ),
            "The rows add up to more than 1: the right class must give something up.": (
                lambda y, c, a: hot(y, c) + a / c
            ),
            "The right class gives something up, too: it keeps `1 - amount`, and its share of what "
            "is spread.": lambda y, c, a: hot(y, c) + (1 - hot(y, c)) * a / c,
            "Nothing is given to the other classes yet.": lambda y, c, a: (1 - a) * hot(y, c),
            "Divide what is spread by the number of classes.": (
                lambda y, c, a: (1 - a) * hot(y, c) + a
            ),
            "This is the target without smoothing.": lambda y, c, a: hot(y, c),
            "`amount` is what is taken away, not what is left: the right class keeps "
            "`1 - amount`.": lambda y, c, a: a * hot(y, c) + (1 - a) / c,
            "The right class keeps `1 - amount`; you gave it `amount`.": (
                lambda y, c, a: a * hot(y, c) + a / c
            ),
            "Divide by the number of classes; `amount` is multiplied.": (
                lambda y, c, a: (1 - a) * hot(y, c) + 1 / c
            ),
        },
    )
