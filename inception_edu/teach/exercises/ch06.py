"""Exercises of chapter 06: Inception-ResNet."""

from __future__ import annotations

from typing import Any

from inception_edu.describe import figures
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def exercise_1(residual: Any) -> Verdict:
    """The residual line of Figs. 1 and 20."""
    return checks.residual(residual, kind="function", name="residual")


def exercise_2(fig_16: Any) -> Verdict:
    """Inception-ResNet-A of v2."""
    return checks.description(
        fig_16, figures.InceptionResNetA_v2(), shape=(384, 35, 35), name="Fig. 16"
    )


def exercise_3(width_c: Any) -> Verdict:
    """The width of the released network's stage C."""
    return checks.number(
        width_c,
        2080,
        name="width_c",
        unit="channels",
        wrong={
            2144: "That is the paper's network, which starts with 384.",
            1088: "That is stage B; Reduction-B adds more.",
            1792: "That is v1's stage C.",
            2048: "That is what Fig. 19 prints, and it fits neither network.",
            320 + 384: "Two branches of Reduction-A add 384 each, and Reduction-B adds more.",
            320 + 992: "That skips Reduction-A, which adds 768 channels.",
            320: "That is stage A; both reductions add channels.",
            768 + 992: "The trunk's 320 channels pass through the pools: they stay.",
            1088 + 384: "Reduction-B has three branches of convolutions: 384, 288 and 320.",
            1088 + 384 + 320: "The branch of Reduction-B that ends with 288 is missing.",
            1088 + 384 + 288: "The branch of Reduction-B that ends with 320 is missing.",
            320 * 3 * 384: "A reduction joins its branches: widths add up.",
            320 + 384 * 2 + 288 + 320: "384 comes three times: twice in Reduction-A, once in "
            "Reduction-B.",
            1536: "That is the 1×1 convolution after stage C.",
        },
    )


def exercise_4(Block17: Any) -> Verdict:
    """Fig. 11 as a module."""
    return checks.module(Block17, figures.InceptionResNetB_v1(), (896, 17, 17), name="Block17")


def exercise_5(kept: Any) -> Verdict:
    """What a batch norm after the sum keeps."""
    return checks.number(
        kept,
        384 * 35 * 35 * 4,
        name="kept",
        unit="bytes",
        wrong={
            384 * 35 * 35 * 32: "32 bits are 4 bytes.",
            384 * 35 * 35 * 8: "A 32-bit number has 4 bytes; 8 would be double precision.",
            384 * 35 * 35 * 2: "A 32-bit number has 4 bytes; 2 would be half precision.",
            4 * 384: "A norm keeps its whole input, at each of the 35·35 places.",
            384 * 35 * 35: "That is the count of numbers; each takes four bytes.",
            384 * 35 * 4: "The map has two sides: 35·35 places.",
            35 * 35 * 4: "That is one channel; there are 384.",
            2 * 384: "Those are its parameters; the backward pass needs the whole input map.",
            2 * 384 * 4: "Those are its parameters; the backward pass needs the whole input map.",
            256 * 35 * 35 * 4: "256 channels are v1's; the block of v2 has 384.",
            384 * 17 * 17 * 4: "17×17 is stage B; block A works on 35×35.",
            384 * 35 * 35 * 4 / 1e6: "That is in megabytes; bytes are asked for.",
            384 * 35 * 35 * 4 / 2**20: "That is in mebibytes; bytes are asked for.",
            384 * 35 * 35 * 4 / 1024: "That is in kibibytes; bytes are asked for.",
            384 * 35 * 35 * 4 * 5: "That is for five blocks; one is asked for.",
        },
    )
