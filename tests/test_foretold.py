"""What is foretold of a tower before its first step, against towers that are built and measured."""

import pytest
import torch

from inception_edu.learn import Recipe, train
from inception_edu.nets import initial
from inception_edu.study import Config, foretold, open_data
from inception_edu.study.recorded import recorded_grid


def test_the_cut_is_that_of_the_first_weights():
    assert foretold.CUT == initial.CUT


@pytest.mark.parametrize("width, depth, scale", [(144, 10, 1.0), (144, 10, 0.3), (72, 20, 0.1)])
def test_the_spread_of_a_fresh_tower(width, depth, scale):
    arguments = dict(width=width, depth=depth, scale=scale)
    config = Config("", "tower", arguments, Recipe(steps=1, batch_size=32), data="fashion")
    data = open_data("fashion", None, 1)
    (record,) = train(config.model(), data, config.recipe).records
    told = foretold.before(scale, depth).spread
    assert list(record.spread.values()) == pytest.approx(told, rel=0.1)


def test_the_length_is_that_of_the_recorded_towers():
    for cell in recorded_grid().cells:
        if len(cell.runs) == 5:  # two seeds differ by a tenth
            told = foretold.before(cell.scale, 10).length
            assert told == pytest.approx(cell.danger / cell.rate / cell.width, rel=0.15)


def test_no_blocks_and_too_many():
    stem = foretold.before(0.5, 0)
    # ReLU of a standard normal number: variance 1/2 − 1/(2π).
    assert stem.spread == pytest.approx(((0.5 - 0.5 / torch.pi) ** 0.5,), rel=0.02)
    with pytest.raises(ValueError, match="0 to 20 blocks; got 21"):
        foretold.before(0.5, 21)
