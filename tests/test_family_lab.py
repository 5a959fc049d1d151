"""The family's history and the lab that shows it."""

import re
from html import unescape

import pytest

from inception_edu.describe import SpecError
from inception_edu.describe.history import AXES, HISTORY
from inception_edu.describe.paper_tables import TABLE_2
from inception_edu.labs.core import Press, Session, Set, Tell
from inception_edu.labs.family import FACTS, make, story


def test_published_errors_are_those_of_their_source():
    models = pytest.importorskip("torchvision.models")
    names = {"resnet50": "ResNet50", "resnet152": "ResNet152", "resnext50": "ResNeXt50_32X4D"}
    for key, name in names.items():
        found = getattr(models, f"{name}_Weights").IMAGENET1K_V1.meta["_metrics"]["ImageNet-1K"]
        fact = FACTS[key]
        assert fact.top1 == pytest.approx(100 - found["acc@1"], abs=1e-6)
        assert fact.top5 == pytest.approx(100 - found["acc@5"], abs=1e-6)
    own = {fact.key for fact in HISTORY if "Table 2" in fact.source}
    assert own == set(TABLE_2)
    assert all((FACTS[k].top1, FACTS[k].top5) == (r["top1"], r["top5"]) for k, r in TABLE_2.items())


def test_a_date_is_that_of_the_papers_number_and_every_number_has_a_source():
    for fact in HISTORY:
        number = re.search(r"arXiv (\d\d)(\d\d)\.", fact.by)
        assert (
            fact.came == f"20{number[1]}-{number[2]}" if number else not fact.by.startswith("arX")
        )
        assert "(" in fact.brought or not re.search(r"\d %|\d points|\d times", fact.brought)
        assert bool(fact.source) == (fact.top1 is not None or fact.top5 is not None)
        assert fact.by in unescape(story(fact))


def test_depth_is_the_networks_own_name():
    assert [FACTS[key].depth for key in ("googlenet", "resnet50", "resnet152")] == [22, 50, 152]


def test_every_pair_of_axes_is_a_picture_with_all_its_points():
    for x in AXES:
        for y in AXES:
            session = Session(make(x, y))
            plot = session.view.part("plot").value
            points = session.state.points
            assert all(f'data-path="{key}"' in plot["svg"] for key in points)
            assert set(plot["pictures"]) == set(points) and "nan" not in plot["svg"]
            assert set(FACTS) - set(points) <= {
                fact.key for fact in HISTORY if None in (fact.top1, fact.top5)
            }


def test_choosing_and_resetting():
    session = Session(make())
    session.send(Tell("plot", {"choose": "googlenet"}))
    assert "AlexNet" in session.view.part("story").value
    session.send(Set("x", "year"))
    assert "2014" in session.view.part("plot").value["facts"]["googlenet"]
    session.send(Set("y", "top1"))
    assert "Without a number: GoogLeNet" in session.view.status
    assert "no published number" in session.view.part("plot").value["facts"]["googlenet"]
    session.send(Press("reset"))
    assert (session.state.x, session.state.y) == ("macs", "top5")
    with pytest.raises(SpecError, match="no axis 'weight'; choose one of year"):
        make("weight")
