"""The dying lab, driven without a browser, and its map of dead channels."""

import base64
import re
from xml.etree import ElementTree

import pytest
import torch

from inception_edu.labs.dying import REMEDIES, DyingLab, dying_lab, map_svg, shade


@pytest.fixture(scope="module")
def lab():
    return DyingLab(mode="foreground", steps=16, width=72, rate=0.45)


def test_an_unscaled_tower_dies_and_a_scaled_one_lives(lab):
    lab.reset()
    assert lab.retrain()
    lab.controls["scale"].value = 0.1
    lab.retrain()
    unscaled, scaled = (list(run.records[-1].dead.values())[-1] for run in lab.runs[-2:])
    assert unscaled > 0.3 > 0.05 > scaled
    assert "of the last block dead" in lab.outcome(lab.runs[-1])
    # The newer run's map comes first; both name their run and settings.
    newer, older = lab.notes()
    assert "Run 2" in newer and "scale 0.1" in newer and "Run 1" in older and "scale 1 " in older
    assert newer in lab.chart.widget.value
    lab.reset()
    assert lab.settings()["scale"] == 1.0 and not lab.notes()


@pytest.mark.parametrize("remedy", REMEDIES)
def test_every_remedy_is_a_configuration_that_trains(lab, remedy):
    config = lab.config({**lab.settings(), "remedy": remedy})
    assert config.recipe.steps == 16 and config.recipe.lr == 0.45
    config.model()(torch.zeros(2, 3, 32, 32))


def test_the_map_shows_the_shares():
    steps, dead = [1, 5, 10], {"stem": [0.0, 0.0, 0.0], "a.1": [0.0, 0.5, 1.0]}
    svg = map_svg(steps, dead, "A map", total=10, words="of a test")
    cells = re.findall(
        r'<rect x="[\d.]+" y="(\d+)" width="([\d.]+)" height="15" fill="(#\w+)"', svg
    )
    assert len(cells) == 6 and {fill for _, _, fill in cells} == {shade(0), shade(0.5), shade(1)}
    assert len({y for y, _, _ in cells}) == 2
    assert (
        'role="img"' in svg
        and "100 % of the last block dead at step 10" in svg
        and "of a test" in svg
    )
    assert 'aria-label="A map. Empty."' in map_svg([], {"stem": []}, "A map")


def test_darker_is_worse():
    light = [sum(int(shade(s)[i : i + 2], 16) for i in (1, 3, 5)) for s in (0, 0.1, 0.3, 0.6, 1)]
    assert light == sorted(light, reverse=True) and len(set(light)) == 5


def test_an_unknown_setting_is_named():
    with pytest.raises(ValueError, match="no setting depth"):
        DyingLab(mode="foreground", depth=3)


def test_the_function_returns_the_lab(capsys):
    assert isinstance(dying_lab(mode="foreground", steps=16, width=72), DyingLab)
    assert "Dying networks" in capsys.readouterr().out


def test_the_first_run_is_recorded_and_dies():
    lab = DyingLab(mode="foreground")
    (run,) = lab.recorded()
    assert run.records[-1].dead["inception_resnet_c.10"] > 0.5 and run.records[-1].step == lab.steps
    assert "recorded earlier" in lab.picture()


def test_a_chapter_shows_a_map_as_a_picture_with_words():
    """JupyterLab strips <svg> elements out of the stored outputs of a notebook that is not trusted
    yet."""
    html = map_svg(
        [1, 3], {"stem": [0.0, 0.0], "block": [0.1, 0.75]}, 'A "map" & more'
    )._repr_html_()
    picture = ElementTree.fromstring(html.replace(">", "/>"))
    assert picture.tag == "img" and picture.get("alt").startswith(
        'A "map" & more. 75 % of the last block dead'
    )
    svg = ElementTree.fromstring(base64.b64decode(picture.get("src").split("base64,")[1]))
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
