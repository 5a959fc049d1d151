"""What plain sentences of chapters state about shapes, counts and defaults, computed from the
descriptions. Each sentence stands in its chapter as it is written here; what a run or a clock says
is a registered claim or computed in its cell, and no sentence of this list."""

import inspect
import re
from pathlib import Path

import build as chapters
import pytest
from torch import nn

from inception_edu.data import load
from inception_edu.data.cifar10 import CIFAR10_SIZE
from inception_edu.describe import (
    TABLE_1,
    Chain,
    Concat,
    Conv,
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionResNetA_v1,
    InceptionResNetB_v2,
    InceptionResNetC_v2,
    Linear,
    ReductionA,
    ReductionB_v2,
    inception_v4,
    measure,
    out_shape,
)
from inception_edu.labs.convolution_picture import MIXES
from inception_edu.study.fates import DIES_FROM, LIVES_BELOW

A, B, C = (384, 35, 35), (1024, 17, 17), (1536, 8, 8)


def sees(*parts):
    return measure(Chain(*parts), (64, 99, 99)).receptive_field


def weights(*parts):
    """Of kernels alone, for one channel in and out."""
    return sum(part.kernel[0] * part.kernel[1] for part in parts)


def real_pixels(row, column, side=35):
    """How many of the 9 pixels under a 3×3 window lie on the map."""
    near = [(row + a, column + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return sum(0 <= i < side and 0 <= j < side for i, j in near)


def counts(block, shape):
    found = measure(block, shape)
    return found.params, found.macs, found.output


def default(module, name):
    return inspect.signature(module).parameters[name].default


def begins_with_1x1(branch):
    first = branch.parts[0] if isinstance(branch, Chain) else branch
    return isinstance(first, Conv) and first.kernel == (1, 1)


def of_v2(width_b=None):
    """The shapes that enter v2's B and C blocks, the latter behind B blocks of another width."""
    enters_b = out_shape(ReductionA(**TABLE_1["inception_resnet_v2"]), A)
    return enters_b, out_shape(ReductionB_v2(), (width_b or enters_b[0], *enters_b[1:]))


def printed_filters(block):
    return block.body.parts[-1].out


PAPER_B, RELEASED_B = InceptionB("paper"), InceptionB("released")
THIRD = InceptionA().branches[3]

SENTENCES = [
    (
        "00",
        "A network *dies* when half of the channels of some block are dead, and it *lives* when "
        "less than a tenth are.",
        lambda: (DIES_FROM, LIVES_BELOW) == (0.5, 0.1),
    ),
    (
        "00",
        "10,000 training and 2,000 test images of clothes",
        lambda: (len(load("fashion").train), len(load("fashion").test)) == (10_000, 2_000),
    ),
    ("00", "FETCH_PHOTOGRAPHS = False  # 163 MiB", lambda: round(CIFAR10_SIZE / 2**20) == 163),
    (
        "01",
        "Their results are joined along the channels: 64 + 128 + 32 = 224.",
        lambda: out_shape(Concat(Conv(64, 1), Conv(128, 3), Conv(32, 5)), (192, 28, 28))[0] == 224,
    ),
    (
        "01",
        "The 3×3 has 9 · 128 = 1152 weights for each input channel, the 5×5 has 25 · 32 = 800.",
        lambda: (128 * weights(Conv(128, 3)), 32 * weights(Conv(32, 5))) == (1152, 800),
    ),
    (
        "01",
        "Two 3×3 in a row also see 5×5 pixels. They have 18 weights in place of 25",
        lambda: (
            (sees(Conv(1, 3), Conv(1, 3)), weights(Conv(1, 3), Conv(1, 3)), weights(Conv(1, 5)))
            == ((5, 5), 18, 25)
        ),
    ),
    (
        "01",
        "Here it subtracts green from red, pixel by pixel, and the white middle becomes 0.",
        lambda: [part * 9 for part in MIXES["opposed"]] == [9, -9, 0],  # red, green, blue
    ),
    (
        "01",
        "1×7 and then 7×1 see 7×7 with 14 weights in place of 49.",
        lambda: (
            (
                sees(Conv(1, (1, 7)), Conv(1, (7, 1))),
                weights(Conv(1, (1, 7)), Conv(1, (7, 1))),
                weights(Conv(1, 7)),
            )
            == ((7, 7), 14, 49)
        ),
    ),
    (
        "03",
        "Each branch gives 96 channels.",
        lambda: {out_shape(branch, A)[0] for branch in InceptionA().branches} == {96},
    ),
    (
        "03",
        "`count_include_pad=False`, while torch's default is `True`.",
        lambda: default(nn.AvgPool2d, "count_include_pad") is True,
    ),
    (
        "03",
        "batch norm's ε is 0.001 in the released networks, while torch's default is 0.00001.",
        lambda: default(nn.BatchNorm2d, "eps") == 0.00001,
    ),
    (
        "03",
        "It has 64·384 + 9·64·96 + 9·96·96 = 162,816 weights, and two numbers of batch norm for "
        "each filter.",
        lambda: (
            64 * 384 + 9 * 64 * 96 + 9 * 96 * 96
            == 162_816
            == measure(THIRD, A).params - 2 * (64 + 96 + 96)
        ),
    ),
    (
        "03",
        "There the average is divided by 9, although only 6 pixels are real (4 at the corners).",
        lambda: (real_pixels(0, 17), real_pixels(0, 0)) == (6, 4),
    ),
    (
        "03",
        "So one output sees a strip, 1 high and 13 wide. Watch it grow. Then choose branch 4, "
        "which sees 13×13",
        lambda: (
            [measure(PAPER_B.branches[k], B).receptive_field for k in (2, 3)] == [(1, 13), (13, 13)]
        ),
    ),
    (
        "03",
        "Shapes, parameters and multiply-adds are equal for both, in branch 4 too.",
        lambda: all(
            counts(one, B) == counts(other, B)
            for one, other in zip(PAPER_B.branches, RELEASED_B.branches)
        ),
    ),
    (
        "03",
        "In branch 4 every kernel is turned.",
        lambda: (
            [part.kernel[::-1] for part in PAPER_B.branches[3].parts]
            == [part.kernel for part in RELEASED_B.branches[3].parts]
        ),
    ),
    (
        "03",
        "For branch 3 this does not work, because only one of its two kernels is turned.",
        lambda: (
            sum(
                a.kernel != b.kernel
                for a, b in zip(PAPER_B.branches[2].parts, RELEASED_B.branches[2].parts)
            )
            == 1
            and sum(max(part.kernel) > 1 for part in PAPER_B.branches[2].parts) == 2
        ),
    ),
    (
        "03",
        "Six times 256 is 1536, so as many channels leave as enter. This holds for all three "
        "blocks. So each can be repeated: 4, 7 and 3 times in Inception-v4.",
        lambda: (
            all(
                out_shape(block, shape) == shape
                for block, shape in ((InceptionA(), A), (InceptionB(), B), (InceptionC(), C))
            )
            and [b.repeat for b in inception_v4().blocks if b.repeat > 1] == [4, 7, 3]
        ),
    ),
    (
        "06",
        "Three narrow branches give 32 + 32 + 32 = 96.",
        lambda: out_shape(InceptionResNetA_v1().body.parts[0], (256, 35, 35))[0] == 96,
    ),
    (
        "06",
        "It has no pooling branch and far fewer filters",
        lambda: (
            "Pool" not in repr(InceptionResNetA_v1())
            and measure(InceptionResNetA_v1(), (256, 35, 35)).params
            < measure(InceptionA(), A).params
        ),
    ),
    (
        "06",
        "the second B block receives 1154 channels already.",
        lambda: printed_filters(InceptionResNetB_v2(printed=True)) == 1154,
    ),
    (
        "06",
        "the first C block has a 1×1 convolution on its shortcut, from 2146 channels to 2048.",
        lambda: (
            (of_v2(1154)[1][0], printed_filters(InceptionResNetC_v2(printed=True))) == (2146, 2048)
            and measure(Linear(2048), of_v2(1154)[1]).params == 2146 * 2048 + 2048
        ),
    ),
    (
        "06",
        "With 1152 and 2144 the two sides of every sum agree",
        lambda: [shape[0] for shape in of_v2()] == [1152, 2144],
    ),
    (
        "13",
        "Most branches of a block begin with a 1×1 convolution of the *same* map.",
        lambda: all(
            sum(map(begins_with_1x1, block.branches)) > len(block.branches) / 2
            for block in (InceptionA(), InceptionB(), InceptionC())
        ),
    ),
]


def text(chapter):
    """A chapter's source as running text: no comment signs, no joints between strings."""
    (path,) = Path(chapters.SOURCES).glob(f"{chapter}_*.py")
    source = re.sub(r"(?m)^# ", "", path.read_text(encoding="utf-8"))
    return " ".join(re.sub(r'"\s*\n\s*f?"', "", source).split())


@pytest.mark.parametrize("chapter, sentence, holds", SENTENCES)
def test_a_plain_sentence_stands_in_its_chapter_and_is_true(chapter, sentence, holds):
    assert " ".join(sentence.split()) in text(chapter), "mend the list with the chapter"
    assert holds()
