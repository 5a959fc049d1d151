"""The padding calculator against torch, and what it says."""

import pytest
import torch
import torch.nn.functional as F

from inception_edu.labs.padding import PARTNERS, PaddingCalculator, outputs, unread, window_svg


def test_the_formula_is_torchs():
    for size in range(1, 36):
        for kernel in range(1, 8):
            for stride in range(1, 5):
                for padding in range(4):
                    count = outputs(size, kernel, stride, padding)
                    if size + 2 * padding < kernel:
                        assert count == 0
                        continue
                    row, window = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
                    assert count == F.conv1d(row, window, stride=stride, padding=padding).shape[2]


@pytest.mark.parametrize(
    "size, kernel, stride, padding",
    [(15, 3, 2, 0), (16, 3, 2, 0), (8, 3, 3, 0), (7, 5, 4, 1), (3, 7, 1, 0)],
)
def test_pixels_without_influence_are_the_unread_ones(size, kernel, stride, padding):
    row = torch.zeros(1, 1, size, requires_grad=True)
    lost = size
    if size + 2 * padding >= kernel:
        F.conv1d(row, torch.ones(1, 1, kernel), stride=stride, padding=padding).sum().backward()
        touched = row.grad[0, 0].nonzero()
        lost = size - 1 - int(touched.max())
    assert unread(size, kernel, stride, padding) == lost


def test_a_wrong_padding_breaks_the_concatenation():
    lab = PaddingCalculator(35, 3, 1, 1, beside="1×1, stride 1")
    assert (
        lab.joins
        and lab.output == 35
        and "can be concatenated" in lab.verdict()
        and "same" in lab.verdict()
    )
    lab.padding.value = 0
    assert (
        lab.joins is False
        and "breaks" in lab.verdict()
        and "33" in lab.verdict()
        and "V:" in lab.verdict()
    )
    assert 'role="alert"' in lab.sentence.value
    lab.reset()
    assert lab.joins and lab.window == (35, 3, 1, 1) and 'role="alert"' not in lab.sentence.value


def test_it_never_fails_and_always_has_words():
    lab = PaddingCalculator()
    for beside in PARTNERS:
        lab.beside.value = beside
        for size in (1, 2, 14, 35):
            for kernel in (1, 2, 7):
                lab.size.value, lab.kernel.value = size, kernel
                assert lab.verdict() and "<svg" in lab.picture.value
    assert (
        "does not fit"
        in (setattr(lab.size, "value", 1), setattr(lab.kernel, "value", 7), lab.verdict())[2]
    )
    picture = lab.pictures()[0]
    assert (
        'alt="' in picture._repr_html_()
        and lab.words()
        and "pixels" in window_svg(15, 3, 2, 0).said
    )


def test_it_is_shown_as_one_bundle():
    bundle = PaddingCalculator().bundle()
    assert "application/vnd.jupyter.widget-view+json" in bundle and "alt=" in bundle["text/html"]
    assert "7" in bundle["text/plain"]
