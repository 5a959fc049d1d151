"""What differs between two steps that belong together, in sentences with their costs. No torch."""

from __future__ import annotations

from inception_edu.describe import Shape
from inception_edu.teach.diagnose.steps import WINDOWS, Step, number, output, size_words, whole


def step_faults(a: Step, e: Step, shape: Shape | None) -> list[tuple[str, float]]:
    """Sentences, with their costs, on two steps that belong together."""
    found: list[tuple[str, float]] = []
    if a.kind != e.kind:
        names = {"max": "a max pool", "avg": "an average pool"}
        found.append((f"should be {names.get(e.kind, whole(e))}.", 4))
        if not {a.kind, e.kind} <= {"max", "avg"}:
            return found
    if a.kind == "times":
        return found + (
            [(f"the factor should be {e.factor:g}.", 1)] if abs(a.factor - e.factor) > 1e-6 else []
        )
    if a.kind not in WINDOWS:
        return found
    if a.out != e.out and a.kind == e.kind:
        filters = "1 filter" if a.out == 1 else f"{a.out} filters"
        found.append((f"has {filters}, the figure has {e.out}.", 2))
    if a.kernel != e.kernel:
        turned = " Height comes first: (height, width)." if a.kernel == e.kernel[::-1] else ""
        found.append(
            (
                f"should have the kernel {size_words(e.kernel)}, not "
                f"{size_words(a.kernel)}.{turned}",
                2,
            )
        )
    if a.stride != e.stride:
        found.append(
            (
                f"the stride {number(e.stride)} is forgotten."
                if a.stride == (1, 1)
                else f"has stride {number(a.stride)}, the figure has {number(e.stride)}.",
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
                f"{'counts' if a.count else 'does not count'} the padded zeros in the average, "
                "the released block's pool "
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
        found.append((f"has dilation {number(a.dilation)}, the figure has none.", 2))
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
                f'padding is missing{shrinks}. No V in the figure means "same" padding.',
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
            f"has padding {number(a.padding)}; a {size_words(a.kernel)} kernel keeps the map "
            "with padding "
            f"{number(half)}.{turned}",
            2,
        )
    ]


def scale_faults(identity: float, residual: float, scale: float) -> list[str]:
    """Sentences on identity · x + residual · body(x) where 1 · x + scale · body(x) is wanted."""

    def near(x, y):
        return abs(x - y) <= 1e-3 * max(1, abs(y))

    if near(identity, 1) and near(residual, scale):
        return []
    if near(identity, scale) and near(residual, 1):
        return [
            f"you scaled the identity: the factor {scale:g} belongs to the residual branch, x "
            "itself passes "
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
            f"this blends, (1 − {scale:g})·x + {scale:g}·body(x); the identity should pass "
            "unchanged."
        ]
    if near(identity, -1) and near(residual, scale):
        return ["the identity is subtracted; it should be added."]
    if near(residual, scale):
        return [f"the identity is multiplied by {identity:.3g}; it should pass unchanged."]
    return [
        f"the sum is {identity:.3g}·x + {residual:.3g}·body(x); wanted is x + {scale:g}·body(x)."
    ]
