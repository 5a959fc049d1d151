"""The checks say what is wrong: each likely mistake is made once, and its message must name it."""

from dataclasses import replace
from types import MethodType

import pytest
import torch
import torch.nn.functional as F
from checks_hit_rate import descriptions, modules, residuals
from torch import nn

from inception_edu.describe import (
    FIGURES,
    AvgPool,
    Chain,
    Concat,
    Conv,
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionResNetA_v1,
    Linear,
    MaxPool,
    ReductionA,
    Residual,
)
from inception_edu.nets.build import Concat as ConcatModule
from inception_edu.nets.build import ConvBNReLU, ScaledResidual, build
from inception_edu.teach import checks
from inception_edu.teach.diagnose import sequence
from inception_edu.teach.verdict import Verdict
from inception_edu.teach.watch import watch

SHAPE = (384, 35, 35)


def says(verdict: Verdict, *words: str) -> None:
    assert not verdict.ok and verdict.state == "wrong", verdict
    for word in words:
        assert word in verdict.message, f"{word!r} is not in: {verdict.message}"
    assert verdict._repr_html_()


def unsolved(verdict: Verdict) -> None:
    assert verdict.state == "unsolved" and not verdict.ok, verdict
    html = verdict._repr_html_()
    assert "Not solved yet" in html and "`" not in html


def a(**changes) -> Concat:
    """Inception-A (Fig. 4) with one of its branches replaced: a(b3=Chain(…))."""
    branches = dict(
        b1=Chain(AvgPool(3), Conv(96, 1)),
        b2=Conv(96, 1),
        b3=Chain(Conv(64, 1), Conv(96, 3)),
        b4=Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3)),
    )
    return Concat(*{**branches, **changes}.values())


# --- Verdicts and values --------------------------------------------------------------------------


@pytest.mark.parametrize("stub", [None, ..., (384, ..., 35), [None, 1]])
@pytest.mark.parametrize(
    "check",
    [
        lambda v: checks.number(v, 35),
        lambda v: checks.shape(v, SHAPE),
        lambda v: checks.equal(v, "b"),
        lambda v: checks.function(v, len, [(1,)]),
        lambda v: checks.description(v, InceptionA()),
        lambda v: checks.module(v, InceptionA(), SHAPE),
        lambda v: checks.residual(v),
        lambda v: checks.training_step(v),
        lambda v: checks.raises(v),
    ],
)
def test_a_stub_is_unsolved(stub, check):
    unsolved(check(stub))


@pytest.mark.parametrize(
    "garbage",
    [
        3,
        "x",
        [],
        {},
        object(),
        int,
        len,
        lambda: 1 / 0,
        lambda *a: None,
        nn.Linear,
        torch.zeros(3),
        Conv,
        Conv(3, 1),
        float("nan"),
        nn.ReLU(),
        NotImplemented,
    ],
)
def test_no_answer_raises(garbage):
    for verdict in (
        checks.number(garbage, 35),
        checks.shape(garbage, SHAPE),
        checks.equal(garbage, {"a": 1}),
        checks.function(garbage, [1.0], [(2,)]),
        checks.description(garbage, InceptionA(), SHAPE),
        checks.module(garbage, InceptionA(), SHAPE),
        checks.residual(garbage),
        checks.training_step(garbage),
        checks.raises(garbage, ZeroDivisionError),
    ):
        assert isinstance(verdict, Verdict) and verdict.message
        assert verdict._repr_html_() and repr(verdict)


def test_a_verdict_is_shown_and_named():
    verdict = checks.number(147, 147, name="side <b>")
    assert (
        verdict.ok
        and verdict
        and "side &lt;b&gt;" in verdict._repr_html_()
        and "✓" in repr(verdict)
    )


def test_numbers():
    assert checks.number(147, 147)
    assert checks.number(torch.tensor(147), 147)
    assert checks.number(1.004, 1.0, tolerance=0.01)
    says(checks.number(149, 147, wrong={149: "That is what goes in."}), "That is what goes in.")
    says(checks.number(148, 147), "off by one")
    says(checks.number(200, 100), "factor of 2")
    says(checks.number(1.5e6, 1.5), "million")
    says(checks.number(37, 0.37), "percentage")
    says(checks.number("147", 147), "quotation marks")
    says(checks.number(lambda: 147, 147), "call it")
    says(checks.number(True, 1), "number")


def test_shapes():
    assert checks.shape([384, 35, 35], SHAPE) and checks.shape(torch.Size(SHAPE), SHAPE)
    says(checks.shape((35, 35, 384), SHAPE), "another order")
    says(checks.shape((2, 384, 35, 35), SHAPE), "batch")
    says(checks.shape((384, 36, 36), SHAPE), "off by one")
    says(checks.shape((96, 35, 35), SHAPE), "channels", "96")
    says(checks.shape(torch.zeros(1), SHAPE), "tensor")
    says(
        checks.shape((96, 35, 35), SHAPE, wrong={(96, 35, 35): "One branch only."}),
        "One branch only.",
    )


def test_equal():
    assert checks.equal({"a": [1, 2.0]}, {"a": (1, 2)}) and checks.equal(
        torch.ones(2), torch.ones(2)
    )
    says(checks.equal("a", "b", wrong={"a": "Not a."}), "Not a.")
    says(checks.equal({"a": 1}, {"a": 1, "b": 2}), "no entry for 'b'")
    says(checks.equal([1, 2, 4], [1, 2, 3]), "number 3")
    says(checks.equal(torch.ones(2), torch.ones(3)), "shape")


def test_functions_and_their_faulty_twins():
    right = lambda n, k, s: (n - k) // s + 1  # noqa: E731
    cases = [(299, 3, 2), (149, 3, 1)]
    assert checks.function(right, right, cases)
    assert checks.function(right, [149, 147], cases)
    twins = {"Stride!": lambda n, k, s: n - k + 1}
    says(checks.function(lambda n, k, s: 1 + n - k, right, cases, wrong=twins), "Stride!")
    says(checks.function(lambda n, k, s: (n - k) / s, right, cases), "off by one")
    shown = checks.function(lambda n, k, s: 140 + s, right, cases)
    says(shown, "(299, 3, 2)", "149 would be right")
    assert not shown.diagnosed
    says(checks.function(lambda n: n, right, cases), "3 arguments")
    says(checks.function(lambda n, k, s: 1 / 0, right, cases), "ZeroDivisionError")
    says(
        checks.function(lambda n, k, s: 149 if n == 299 else None, right, cases), "returns nothing"
    )
    says(checks.function(lambda n, k, s: None, right, cases), "`return`")
    unsolved(checks.function(lambda n, k, s: ..., right, cases))


def test_a_function_cannot_change_the_cases():
    def spoil(x):
        return x.add_(1)

    cases = [torch.zeros(3), torch.ones(3)]
    says(checks.function(spoil, lambda x: x + 1, cases), "changes the tensor")
    assert not cases[0].any()


def test_an_error_of_the_author_is_not_the_students_mistake():
    def broken(x):
        raise NameError("a slip in the reference")

    with pytest.raises(NameError, match="a slip"):
        checks.function(lambda x: x, broken, [1, 2])
    with pytest.raises(NameError, match="a slip"):
        checks.function(lambda x: -x, lambda x: x + 3, [1, 2], wrong={"never": broken})
    says(checks.function(broken, lambda x: x, [1, 2]), "your function stopped", "NameError")


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda p: 100 * p / 7, "percentage"),
        (lambda p: 1 - p / 7, "rest"),
        (lambda p: 7 / p, "upside down"),
        (lambda p: -p / 7, "sign"),
        (lambda p: round(p / 7, 2), "rounded"),
        (lambda p: 1 / 7, "whatever it is given"),
        (lambda p: (p / 7) ** 2, "square"),
    ],
)
def test_what_all_cases_have_in_common(answer, words):
    says(checks.function(answer, lambda p: p / 7, [1, 2, 3]), words)


def test_a_rounded_number():
    says(checks.number(0.14, 1 / 7), "rounded")
    says(checks.number(14.285714285714286, 1 / 7), "percentage")


# --- Descriptions ---------------------------------------------------------------------------------


def test_right_descriptions():
    verdict = checks.description(a(), InceptionA(), SHAPE)
    assert verdict.ok and "35×35×384" in verdict.message
    assert checks.description(lambda: InceptionA(), InceptionA(), SHAPE)
    assert checks.description(Concat(Concat(*a().branches[:2]), *a().branches[2:]), InceptionA())


def test_another_order_is_right_with_a_remark():
    turned = Concat(*reversed(a().branches))
    verdict = checks.description(turned, InceptionA(), SHAPE)
    assert verdict.ok and "another order" in verdict.message
    says(checks.description(turned, InceptionA(), SHAPE, ordered=True), "another order")


@pytest.mark.parametrize(
    "answer, words",
    [
        (
            a(b3=Chain(Conv(64, 1), Conv(96, 3, padding="valid"))),
            ("ranch 3", "33×33", "the others give 35×35", "padding is missing"),
        ),
        (
            a(b4=Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3, 2, "valid"))),
            ("ranch 4", "17×17", "stride 2"),
        ),
        (a(b3=Chain(Conv(64, 1), Conv(64, 3))), ("Branch 3", "step 2", "has 64 filters", "has 96")),
        (
            a(b3=Chain(Conv(96, 3), Conv(64, 1))),
            ("Branch 3", "swapped", "1×1 convolution comes first"),
        ),
        (a(b1=Conv(96, 1)), ("Branch 1", "average pool is missing")),
        (a(b1=Chain(MaxPool(3), Conv(96, 1))), ("Branch 1", "step 1", "should be an average pool")),
        (
            a(b1=Chain(AvgPool(3, count_padding=True), Conv(96, 1))),
            ("Branch 1", "counts the padded zeros"),
        ),
        (
            a(b4=Chain(Conv(64, 1), Conv(96, 3))),
            ("Branch 4", "3×3 convolution with 96 filters is missing"),
        ),
        (a(b2=Conv(96, 1, relu=False)), ("Branch 2", "ReLU is missing")),
        (a(b2=Conv(96, 1, norm=False)), ("Branch 2", "batch norm is missing")),
        (a(b4=Chain(Conv(64, 1), Conv(96, 5))), ("Branch 4",)),
        (Concat(*a().branches[:3]), ("1×1 → 3×3 → 3×3 is missing",)),
        (Concat(*a().branches, Conv(96, 1)), ("Branch 5", "does not have")),
        (
            Chain(
                *(
                    part
                    for b in a().branches
                    for part in (b.parts if isinstance(b, Chain) else (b,))
                )
            ),
            ("side by side",),
        ),
        (Residual(a()), ("figure",)),
        (list(a().branches), ("list of 4 parts", "Concat")),
        (Conv, ("type Conv",)),
        (InceptionA, ()),
    ],
)
def test_descriptions_that_differ(answer, words):
    if answer is InceptionA:
        assert checks.description(answer, InceptionA(), SHAPE)
    else:
        says(checks.description(answer, InceptionA(), SHAPE), *words)


def test_filters_swapped_between_branches():
    right = Concat(Conv(128, 1), Conv(384, 1), Chain(Conv(64, 1), Conv(96, 3)))
    says(checks.description(Concat(Conv(384, 1), Conv(128, 3), right.branches[2]), right), "ranch")
    wrong = Concat(Conv(128, 1), Conv(384, 1), Chain(Conv(96, 1), Conv(64, 3)))
    says(
        checks.description(wrong, right),
        "branch 3, step 1 and branch 3, step 2 are swapped",
        "96 and 64",
    )


def test_kernels_turned_where_it_matters():
    says(
        checks.description(InceptionB("released"), InceptionB(), (1024, 17, 17)),
        "step 3",
        "1×7, not 7×1",
    )
    says(
        checks.description(
            InceptionB("released"), InceptionB(), wrong={InceptionB("released"): "As released."}
        ),
        "As released.",
    )
    turned = Concat(Conv(8, 1), Chain(Conv(8, (7, 1)), Conv(8, 3)))
    says(
        checks.description(turned, Concat(Conv(8, 1), Chain(Conv(8, (1, 7)), Conv(8, 3)))),
        "Every 1×n",
        "turned",
    )


def test_a_fan_out_that_is_not_shared():
    wrong = list(InceptionC().branches)
    wrong[2:3] = [Chain(Conv(384, 1), Conv(256, (1, 3))), Chain(Conv(384, 1), Conv(256, (3, 1)))]
    last = wrong.pop()
    wrong += [Chain(*last.parts[:-1], way) for way in last.parts[-1].branches]
    says(checks.description(Concat(*wrong), InceptionC(), (1536, 8, 8)), "share")


def test_gaps_are_unsolved():
    unsolved(checks.description(Concat(Conv(96, 1), ...), InceptionA()))
    verdict = checks.description(Concat(Conv(96, 1), Chain(Conv(64, 1), ...)), InceptionA())
    assert verdict.state == "unsolved" and "branch 2, step 2" in verdict.message


def test_a_printed_sum_that_does_not_close():
    says(
        checks.description(
            Concat(Conv(96, 1), Conv(96, 3), out=200), Concat(Conv(96, 1), Conv(96, 3)), SHAPE
        ),
        "192",
    )


# --- Modules --------------------------------------------------------------------------------------


def cbr(inputs, out, kernel, padding=0, **options):
    return nn.Sequential(
        nn.Conv2d(inputs, out, kernel, padding=padding, bias=options.pop("bias", False), **options),
        nn.BatchNorm2d(out, eps=1e-3),
        nn.ReLU(inplace=True),
    )


class ByHand(nn.Module):
    """Inception-A by hand; each test breaks one thing."""

    def __init__(self, b3=None, b4=None, pool=None, eps=1e-3, bias=False):
        super().__init__()
        self.pool = pool or nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.b1 = cbr(384, 96, 1, bias=bias)
        self.b2 = cbr(384, 96, 1)
        self.b3 = b3 or nn.Sequential(cbr(384, 64, 1), cbr(64, 96, 3, 1))
        self.b4 = b4 or nn.Sequential(cbr(384, 64, 1), cbr(64, 96, 3, 1), cbr(96, 96, 3, 1))
        for norm in (m for m in self.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.eps = eps

    def branches(self, x):
        return [self.b1(self.pool(x)), self.b2(x), self.b3(x), self.b4(x)]

    def forward(self, x):
        return torch.cat(self.branches(x), dim=1)


def by_hand(forward=None, **options):
    model = ByHand(**options)
    if forward:
        model.forward = MethodType(forward, model)
    return model


def check(answer, **options):
    return checks.module(answer, InceptionA(), SHAPE, **options)


@pytest.mark.parametrize("number", [n for n in FIGURES if n not in (9, 15)])
def test_watching_a_built_figure_gives_its_description_back(number):
    figure = FIGURES[number]
    channels = figure.input[0]
    x = torch.randn(1, channels, *((75, 75) if channels == 3 else (9, 9)))
    seen = watch(build(figure.node, channels), x)
    assert seen.steps == sequence(figure.node) and not seen.faults and seen.error is None


def test_right_modules():
    for answer in (ByHand, ByHand(), build(InceptionA(), 384), lambda: build(InceptionA(), 384)):
        verdict = check(answer)
        assert verdict.ok and "same weights" in verdict.message, verdict
    assert checks.module(build(InceptionC(), 1536), InceptionC(), (1536, 8, 8))
    assert checks.module(
        build(InceptionResNetA_v1(scale=0.2), 256), InceptionResNetA_v1(scale=0.2), (256, 9, 9)
    )


def test_the_students_module_is_left_alone():
    model = ByHand().train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    check(model)
    assert model.training and all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_functional_style_is_right_too():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.c1, self.n1 = nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16)
            self.c2, self.n2 = nn.Conv2d(8, 16, 3, padding="same", bias=False), nn.BatchNorm2d(16)

        def forward(self, x):
            y = F.relu(self.n1(self.c1(F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))))
            return torch.concat((y, torch.relu(self.n2(self.c2(x)))), 1)

    right = Concat(Chain(AvgPool(3), Conv(16, 1)), Conv(16, 3))
    verdict = checks.module(Functional, right, (8, 9, 9))
    assert verdict.ok and "same weights" in verdict.message, verdict


def test_padding_missing():
    verdict = check(by_hand(b3=nn.Sequential(cbr(384, 64, 1), cbr(64, 96, 3))))
    says(verdict, "ranch 3", "33×33", "the others give 35×35", "b3.1.0", "padding is missing")
    assert "(1, 1)" not in verdict.message and "padding 1" not in verdict.message, "the answer"


def test_in_channels_of_the_second_conv():
    says(
        check(by_hand(b3=nn.Sequential(cbr(384, 64, 1), cbr(384, 96, 3, 1)))),
        "in-channels of b3.1.0 (3×3 convolution with 96 filters) should be 64",
    )


def test_batch_norm_of_another_width():
    wrong = cbr(64, 96, 3, 1)
    wrong[1] = nn.BatchNorm2d(64)
    says(
        check(by_hand(b3=nn.Sequential(cbr(384, 64, 1), wrong))),
        "batch norm b3.1.1",
        "64 channels",
        "96 arrive",
    )


@pytest.mark.parametrize(
    "dim, words", [(0, "images of the batch"), (2, "the height"), (3, "the width")]
)
def test_concatenated_along_another_dimension(dim, words):
    says(check(by_hand(lambda m, x: torch.cat(m.branches(x), dim))), f"dimension {dim}", words)


def test_dim_minus_three_is_channels():
    assert check(by_hand(lambda m, x: torch.cat(m.branches(x), dim=-3)))


@pytest.mark.parametrize(
    "forward", [lambda m, x: sum(m.branches(x)), lambda m, x: torch.stack(m.branches(x)).sum(0)]
)
def test_added_instead_of_concatenated(forward):
    verdict = check(by_hand(forward))
    assert not verdict.ok
    if forward.__code__.co_names[0] == "sum":
        says(verdict, "added", "concatenated")


def test_average_pool_counts_padding():
    says(
        check(by_hand(pool=nn.AvgPool2d(3, 1, 1))),
        "Branch 1",
        "counts the padded zeros",
        "count_include_pad",
    )


def test_pool_that_forgets_its_stride():
    says(
        check(by_hand(pool=nn.AvgPool2d(3, padding=1, count_include_pad=False))),
        "ranch 1",
        "stride 3",
    )


def test_stride_forgotten():
    right = ReductionA(32, 32, 48, 64)
    wrong = build(Concat(MaxPool(3, 2, "valid"), Conv(64, 3, 1, "valid"), right.branches[2]), 24)
    says(
        checks.module(wrong, right, (24, 35, 35)),
        "ranch 2",
        "33×33",
        "the others give 17×17",
        "stride 2 is forgot",
    )


def test_kernel_turned_with_its_padding_left():
    right = Concat(Conv(8, 1), Chain(Conv(8, 1), Conv(8, (1, 7)), Conv(8, (7, 1))))
    wrong = ConcatModule(
        build(Conv(8, 1), 16),
        nn.Sequential(cbr(16, 8, 1), cbr(8, 8, (1, 7), (3, 0)), cbr(8, 8, (7, 1), (3, 0))),
    )
    says(
        checks.module(wrong, right, (16, 17, 17)),
        "ranch 2",
        "step 2",
        "padding (3, 0)",
        "(0, 3)",
        "Height comes",
    )


def test_batch_norm_eps():
    assert check(by_hand(eps=1e-5))
    says(check(by_hand(eps=1e-5), strict_eps=1e-3), "eps", "1e-05", "0.001")


def test_relu_before_batch_norm():
    wrong = nn.Sequential(
        nn.Conv2d(64, 96, 3, padding=1, bias=False), nn.ReLU(), nn.BatchNorm2d(96)
    )
    says(
        check(by_hand(b3=nn.Sequential(cbr(384, 64, 1), wrong))),
        "Branch 3",
        "ReLU comes before the batch norm",
    )


def test_one_layer_in_two_places():
    def forward(m, x):
        return torch.cat([m.b1(m.pool(x)), m.b1(x), m.b3(x), m.b4(x)], 1)

    says(check(by_hand(forward)), "b1.0", "used 2 times")


def test_a_layer_that_is_not_used():
    class Extra(ByHand):
        def __init__(self):
            super().__init__()
            self.spare = nn.Conv2d(384, 8, 1)

    says(check(Extra), "spare", "does not use")


def test_biases_before_batch_norm_are_a_remark():
    verdict = check(by_hand(bias=True))
    assert verdict.ok and "bias=False" in verdict.message


def test_forward_that_does_not_join():
    says(check(by_hand(lambda m, x: m.branches(x))), "4 tensors", "torch.cat")
    says(check(by_hand(lambda m, x: None)), "`return`")
    unsolved(check(by_hand(lambda m, x: ...)))
    says(check(by_hand(lambda m, x: torch.zeros(2, *SHAPE))), "input")

    class NoForward(nn.Module):
        pass

    unsolved(check(NoForward))


def test_super_init_forgotten():
    class Forgot(nn.Module):
        def __init__(self):
            self.conv = nn.Conv2d(1, 1, 1)

    says(check(Forgot), "super().__init__()")


def test_linear_with_relu_and_residual_modules():
    block = InceptionResNetA_v1(scale=0.2)
    right = (256, 9, 9)

    def residual(body, **options):
        return checks.module(build(Residual(body, 0.2, **options), 256), block, right)

    branches = block.body.parts[0]
    assert residual(block.body)
    says(
        residual(Chain(branches, Conv(256, 1, norm=False))),
        "esidual branch",
        "ReLU that the figure does not have",
    )
    says(
        residual(Chain(branches, Conv(256, 1, relu=False))),
        "esidual branch",
        "batch norm",
        "Linear",
    )
    says(residual(block.body, relu=False), "ReLU is missing")

    class Identity(ScaledResidual):
        def forward(self, x):
            return self.relu(self.scale * x + self.body(x))

    says(checks.module(Identity(build(block.body, 256), 0.2), block, right), "scaled the identity")
    says(
        checks.module(
            ConcatModule(nn.Identity(), build(block.body, 256)), replace(block, relu=False), right
        ),
        "concatenated",
        "added",
    )


# --- Residual blocks ------------------------------------------------------------------------------


def block(formula):
    class Block(nn.Module):
        def __init__(self, body, scale):
            super().__init__()
            self.body, self.scale = body, scale

        def forward(self, x):
            return formula(x, self.body, self.scale)

    return Block


def normed(x):
    return F.batch_norm(x, None, None, training=True)


@pytest.mark.parametrize(
    "formula, words",
    [
        (lambda x, f, s: F.relu(s * x + f(x)), "scaled the identity"),
        (lambda x, f, s: F.relu(s * (x + f(x))), "scaled the whole sum"),
        (lambda x, f, s: F.relu(x + f(x)), "not applied"),
        (lambda x, f, s: F.relu(x + s * s * f(x)), "applied twice"),
        (lambda x, f, s: F.relu(x + f(x) / s), "divided"),
        (lambda x, f, s: F.relu(x + 0.3 * f(x)), "multiplied by 0.3"),
        (lambda x, f, s: F.relu(x + 0.1 * f(x)), "written into the block"),
        (lambda x, f, s: x + s * f(x), "ReLU is missing"),
        (lambda x, f, s: x + F.relu(s * f(x)), "ReLU comes before the addition"),
        (lambda x, f, s: F.relu(x) + F.relu(s * f(x)), "ReLU comes before the addition"),
        (lambda x, f, s: F.relu(x) + s * f(x), "ReLU comes before the addition"),
        (lambda x, f, s: F.relu(s * f(x)), "identity is missing"),
        (lambda x, f, s: F.relu(normed(x + s * f(x))), "batch norm after the sum"),
        (lambda x, f, s: F.relu(x + s * normed(f(x))), "batch norm on the residual"),
        (lambda x, f, s: torch.cat([x, s * f(x)], 1), "concatenated"),
        (lambda x, f, s: F.relu(x - s * f(x)), "subtracted"),
        (lambda x, f, s: F.relu(x * s * f(x)), "multiplied"),
        (lambda x, f, s: F.relu((1 - s) * x + s * f(x)), "blends"),
        (lambda x, f, s: F.relu(x + s * f(F.relu(x))), "given relu(x)"),
        (lambda x, f, s: F.relu(x + f(s * x)), "body's input"),
        (lambda x, f, s: F.relu(x + s * f(f(x))), "called 2 times"),
        (lambda x, f, s: F.relu(x), "never called"),
        (lambda x, f, s: F.relu(x.add_(s * f(x))), "overwrites"),
        (lambda x, f, s: F.relu(x + s * f(x)) + 1, "onstant 1"),
        (lambda x, f, s: F.relu(f(x)), "identity is missing"),
        (lambda x, f, s: torch.tanh(x + s * f(x)), "Wanted is"),
        (lambda x, f, s: F.leaky_relu(x + s * f(x), 0.2), "negative"),
    ],
)
def test_residual_mistakes(formula, words):
    says(checks.residual(block(formula)), words)
    says(checks.residual(formula, kind="function"), words)


def test_right_residual_blocks():
    assert checks.residual(ScaledResidual)
    assert checks.residual(block(lambda x, f, s: F.relu(x + s * f(x))), scale=0.2)
    assert checks.residual(lambda x, f, s: torch.relu(torch.add(x, f(x), alpha=s)), kind="function")
    assert checks.residual(lambda x, f, s: x + s * f(x), kind="function", relu=False)
    says(checks.residual(ScaledResidual, relu=False), "this block has none")
    says(checks.residual(block(lambda x, f, s: None)), "`return`")
    unsolved(checks.residual(block(lambda x, f, s: ...)))


@pytest.mark.parametrize(
    "formula, words",
    [
        (lambda x, f, s: F.relu6(x + s * f(x)), "ReLU6"),
        (lambda x, f, s: F.relu(x + s * f(x).detach()), "no gradient passes the body"),
        (lambda x, f, s: F.relu(x.detach() + s * f(x)), "no gradient passes the identity"),
        (torch.no_grad()(lambda x, f, s: F.relu(x + s * f(x))), "no gradient passes the block"),
    ],
)
def test_residual_blocks_that_look_right(formula, words):
    says(checks.residual(block(formula)), words)
    says(checks.residual(formula, kind="function"), words)


# --- Training steps -------------------------------------------------------------------------------


def step(zero=1, backward=1, go=1, loss=F.cross_entropy, value=lambda x: x, between=False):
    def one(model, images, labels, optimizer):
        if zero:
            optimizer.zero_grad()
        cost = loss(model(images), labels)
        if backward:
            cost.backward()
        if between:
            optimizer.zero_grad(set_to_none=False)
        if go:
            optimizer.step()
        return value(cost)

    return one


@pytest.mark.parametrize(
    "answer, words",
    [
        (step(zero=0), "zero_grad"),
        (step(backward=0), "backward"),
        (step(go=0), "optimizer.step()"),
        (step(between=True), "did not move"),
        (step(loss=lambda z, y: F.cross_entropy(z.softmax(1), y)), "softmax"),
        (step(loss=lambda z, y: F.cross_entropy(z, y, reduction="sum")), "summed"),
        (step(loss=lambda z, y: -F.cross_entropy(z, y)), "climbs"),
        (step(value=lambda x: None), "return the loss"),
        (step(loss=lambda z, y: z.pow(2).mean()), "loss of the first step"),
    ],
)
def test_training_steps(answer, words):
    says(checks.training_step(answer), words)


def test_right_training_steps():
    assert checks.training_step(step()) and checks.training_step(step(value=lambda x: x.item()))
    says(checks.training_step(lambda *a: None), "returns nothing")
    unsolved(checks.training_step(lambda *a: ...))


def test_raises():
    assert checks.raises(lambda: build(Residual(Conv(5, 1)), 4))
    says(checks.raises(lambda: build(Conv(5, 1), 4)), "should stop")
    says(checks.raises(lambda: 1 / 0), "ZeroDivisionError")


def test_linear_without_bias():
    class NoBias(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(8, 4, 1, bias=False)

        def forward(self, x):
            return self.conv(x)

    says(checks.module(NoBias, Linear(4), (8, 5, 5)), "bias is missing")
    assert checks.module(ConvBNReLU(8, Conv(4, 1)), Conv(4, 1), (8, 5, 5))


# --- Wrong answers that nobody wrote a check for: `python tests/checks_hit_rate.py` prints the
# rates -----------------


@pytest.mark.parametrize(
    "mutants, least",
    [
        (lambda: descriptions(80, seed=7), 0.9),
        (lambda: modules(60, seed=7), 0.9),
        (lambda: list(residuals()), 0.6),
    ],
)
def test_hit_rate(mutants, least):
    found = mutants()
    assert all(m.caught for m in found), [m for m in found if not m.caught]
    assert sum(m.named for m in found) >= least * len(found), [m for m in found if not m.named]


def test_a_constant_factor_and_a_word_that_never_comes_are_named():
    said = checks.function(lambda x: 0.6 * x, lambda x: x, [1.0, 2.0, 5.0], name="f")
    assert "0.6 times what is asked for" in said.message and said.diagnosed
    assert "times what" not in checks.function(lambda x: x + 3, lambda x: x, [1.0, 2.0]).message
    said = checks.function(
        lambda x: "up" if x else "level",
        lambda x: "up" if x > 0 else "down" if x < 0 else "level",
        [1, -1, 0],
        name="f",
    )
    assert "never gives 'down'" in said.message and said.diagnosed
