"""The house style: words with every picture, colours that can be told apart, values where they
belong."""

import base64
import io
import math
import re

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from inception_edu.describe.canvas import BRANCH_COLOURS, CARD
from inception_edu.learn import History, Record
from inception_edu.teach import count_and_time, plots


def test_a_picture_is_an_img_with_its_words():
    fig = plots.figure(5, 2)
    fig.add_subplot().plot([1, 2], [3, 4])
    picture = plots.show(fig, 'Loss against\n  steps, "falling" & <low>.')
    html = picture._repr_html_()
    assert (
        'alt="Loss against steps, &quot;falling&quot; &amp; &lt;low&gt;."' in html
        and 'width="480"' in html
    )
    png = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG" and image.size == (800, 320)
    # The card is opaque and light in every corner, also in a dark theme.
    assert all(
        image.convert("RGBA").getpixel(p) == (255, 255, 255, 255)
        for p in ((0, 0), (799, 0), (0, 319))
    )


def test_a_picture_without_words_is_refused():
    with pytest.raises(ValueError, match="alt"):
        plots.show(plots.figure(), " ")


def test_the_same_figure_is_the_same_file(tmp_path):
    def draw():
        return plots.bars({"a": 1, "b": 2}).figure

    assert plots.show(draw(), "bars").png == plots.show(draw(), "bars").png
    for ending in ("png", "svg", "pdf"):
        first, second = (
            plots.save(draw(), tmp_path / f"{i}.{ending}").read_bytes() for i in (1, 2)
        )
        assert first == second and len(first) > 1000


def test_pyplot_is_not_needed():
    import subprocess
    import sys

    code = (
        "import sys; from inception_edu.teach import plots; plots.show(plots.dots({'a': [1, "
        "2]}).figure, 'dots'); "
        "print([m for m in ('matplotlib.pyplot', 'torch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout.strip() == "[]", out.stderr


def contrast(a, b) -> float:
    high, low = sorted((plots._luminance(to_rgb(a)), plots._luminance(to_rgb(b))), reverse=True)
    return (high + 0.05) / (low + 0.05)


def seen_by_deuteranopes(colour) -> np.ndarray:
    """Machado et al. 2009, severity 1, on linear RGB."""
    linear = np.array(
        [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    )
    matrix = np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    )
    return np.clip(matrix @ linear, 0, 1) ** (1 / 2.2)


def test_colours_stand_out_and_apart():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for colours in (plots.COLOURS, BRANCH_COLOURS):
        assert all(contrast(c, CARD) >= 3 for c in colours)
        for i, a in enumerate(colours):
            for b in colours[:i]:
                assert np.abs(seen_by_deuteranopes(a) - seen_by_deuteranopes(b)).max() > 0.05, (
                    a,
                    b,
                )
    assert plots.BRANCH_COLOURS is BRANCH_COLOURS
    assert matplotlib.rcParams["axes.prop_cycle"].by_key()["color"] == list(plots.COLOURS)


def run(values, start=1) -> History:
    return History(
        records=[
            Record(i, 0.1, v, 0.5, 1.0, 0.1, spread={"stem": 10 * v})
            for i, v in enumerate(values, start)
        ]
    )


def test_curves_draw_every_run_and_their_mean():
    axis = plots.curves({"residual": [run([3, 2, 1]), run([5, 4, 3])], "plain": [([1, 2], [7, 8])]})
    lines = [(list(line.get_xdata()), list(line.get_ydata())) for line in axis.lines]
    assert lines == [
        ([1, 2, 3], [3, 2, 1]),
        ([1, 2, 3], [5, 4, 3]),
        ([1, 2, 3], [4, 3, 2]),
        ([1, 2], [7, 8]),
    ]
    assert [t.get_text() for t in axis.get_legend().get_texts()] == ["residual (2 seeds)", "plain"]
    assert (
        axis.lines[2].get_linewidth() > axis.lines[0].get_linewidth()
        and axis.get_ylabel() == "loss"
    )
    assert axis.lines[2].get_color() != axis.lines[3].get_color()


def test_the_mean_covers_the_steps_that_all_runs_have():
    axis = plots.curves({"a": [run([3, 2, 1]), run([5, 4])]})
    assert list(axis.lines[2].get_xdata()) == [1, 2] and list(axis.lines[2].get_ydata()) == [4, 3]


def test_curves_of_a_block_in_percent():
    axis = plots.curves({"a": [run([0.1, 0.2])]}, "spread", block="stem", percent=True)
    assert (
        list(axis.lines[0].get_ydata()) == pytest.approx([100, 200])
        and axis.get_ylabel() == "spread (%)"
    )


def test_bars_start_at_zero_with_their_numbers():
    axis = plots.bars({"v4": 42.7, "v2": 55.8}, errors={"v4": (40, 46)}, text="{:.1f}")
    assert [(p.get_x(), p.get_width()) for p in axis.patches] == [(0, 42.7), (0, 55.8)]
    assert [t.get_text() for t in axis.texts] == ["42.7", "55.8"]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["v4", "v2"] and axis.yaxis_inverted()
    assert list(axis.lines[0].get_xdata()) == [40, 46]


def test_dots_show_each_seed_and_the_mean_and_beside_an_interval_the_middle_value():
    groups = {"a": [0.1, 0.2, 0.9], "b": [0.2, 0.3, 1.0]}
    axis = plots.dots(groups, percent=True, intervals={"a": (0.0, 0.4)})
    bar, a, middle, b, mean = (list(line.get_xdata()) for line in axis.lines)
    assert bar == [0, 40] and a == pytest.approx([10, 20, 90]) and b[-1] == 100
    assert middle == pytest.approx([20, 20]) and mean == pytest.approx([50, 50])
    assert axis.get_ylim() == (1.5, -0.5)


def test_count_and_time_says_both_of_every_name():
    picture = count_and_time({"a": 0.25, "b": 1}, {"a": 0.5, "b": 1}, "b = 1")
    said = picture._repr_html_()
    assert "Multiply-adds and time, b = 1: " in said and picture.png
    assert "a 0.25 by count, 0.50 by clock; b 1.00 by count, 1.00 by clock." in said


def test_grid_map_writes_readable_numbers():
    axis = plots.grid_map([[0.0, 0.5], [None, math.nan], [1.0, 0.25]], [72, 144, 576], [0.1, 1.0])
    texts = {t.get_text(): t for t in axis.texts}
    assert set(texts) == {"0", "0.5", "1", "0.25"} and texts["0.5"].get_position() == (1, 0)
    for value in np.linspace(0, 1, 21):
        axis = plots.grid_map([[value]], ["a"], ["b"], low=0, high=1)
        assert contrast(axis.texts[0].get_color(), plots.SHADES(value)) >= 4
    with pytest.raises(ValueError, match="2 rows and 1 columns"):
        plots.grid_map([[1, 2]], ["a", "b"], ["c"])
    assert (
        len(plots.grid_map([[2, 2]], ["a"], ["b", "c"]).texts) == 2
    )  # all alike: no division by zero


def test_shades_grow_darker():
    lightness = [plots._luminance(plots.SHADES(v)) for v in np.linspace(0, 1, 50)]
    assert all(a > b for a, b in zip(lightness, lightness[1:]))


@pytest.mark.parametrize(
    "images",
    [torch.zeros(7, 3, 8, 8, dtype=torch.uint8), torch.rand(7, 1, 8, 8), np.random.rand(7, 8, 8)],
)
def test_image_grid(images):
    fig = plots.image_grid(images, titles="abcdefg", columns=4)
    assert len(fig.axes) == 7 and [a.get_title() for a in fig.axes] == list("abcdefg")
    assert fig.axes[0].images[0].get_array().shape[:2] == (8, 8)
    assert plots.show(fig, "seven").png


def test_image_grid_compares_images_on_one_scale():
    images = torch.stack([torch.full((1, 4, 4), v) for v in (-1.0, 0.0, 3.0)])
    titled = plots.image_grid(images, titles="abc")
    shown = [float(a.images[0].get_array()[0, 0]) for a in titled.axes]
    assert shown == pytest.approx([0, 0.25, 1])
    (axis,) = plots.image_grid(images).axes  # without titles one picture, a white pixel between
    row = axis.images[0].get_array()[2, :, 0].tolist()
    assert row == pytest.approx([1, 0, 0, 0, 0, 1, 0.25, 0.25, 0.25, 0.25, 1, 1, 1, 1, 1, 1])
    with pytest.raises(ValueError, match="N×1×H×W"):
        plots.image_grid(torch.zeros(2, 5, 4, 4))
