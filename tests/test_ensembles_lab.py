"""The ensembles lab without a browser: its numbers against sums by hand, and what its controls
do."""

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from inception_edu.labs import WIDGET_VIEW
from inception_edu.labs.ensembles import (
    KEPT,
    Answers,
    EnsemblesLab,
    ensembles_lab,
    evaluate,
    rows_svg,
    words_for,
)
from inception_edu.learn import ensemble, error_correlation, error_rate, interval
from inception_edu.study import Config, load_results

CROPS = ("1 crop", "12 crops", "144 crops")
MEMBERS = [
    (kind, seed)
    for kind in ("inception_v3", "inception_v4", "inception_resnet_v2")
    for seed in range(5)
]


def answers(members=MEMBERS, images=200, seed=0) -> Answers:
    """Made-up answers that are right about half of the time."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(images) % 10
    rows = {crops: torch.randn(len(members), images, 10, generator=generator) for crops in CROPS}
    for table in rows.values():
        table[:, torch.arange(images), labels] += 1.5
    kinds, seeds = zip(*members)
    return Answers(labels, kinds, seeds, rows)


def as_result(labels, rows, kind="inception_v4", seed=0, kept=True):
    """A result whose run kept these answers, encoded here."""

    def text(array):
        return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()

    extras = {
        "labels": text(np.array(labels, dtype=np.uint8)),
        "images": len(labels),
        **{
            crops: {"rows": text(np.array(table, dtype=np.float16)), "seconds": 1.0}
            for crops, table in rows.items()
        },
    }
    config = Config("made up", kind, dict(image=28), seed=seed, after="crops")
    return replace(load_results("embedded")[0], config=config, extras=extras if kept else {})


# --- Answers --------------------------------------------------------------------------------------

# Four images of class 0, two classes. Shares of class 0: the first member's, then the second's.
ONE, TWO = [0.9, 0.6, 0.4, 0.3], [0.2, 0.3, 0.7, 0.6]


def logs(shares):
    return np.log([[p, 1 - p] for p in shares])


def by_hand() -> Answers:
    flat = logs([0.6] * 4)
    results = [
        as_result([0] * 4, {"1 crop": logs(ONE), "12 crops": flat, "144 crops": flat}),
        as_result(
            [0] * 4,
            {"1 crop": logs(TWO), "12 crops": flat, "144 crops": flat},
            "inception_resnet_v2",
            3,
        ),
        as_result([0] * 4, {}, seed=9, kept=False),
    ]
    return Answers.of(results)


def test_answers_are_read_from_results_and_averaged_as_shares():
    """Means 0.55, 0.45, 0.55, 0.45: the second and the last image are missed."""
    a = by_hand()
    assert len(a) == 2 and a.kinds == ("inception_v4", "inception_resnet_v2") and a.seeds == (0, 3)
    assert a.shares["1 crop"].shape == (2, 4, 2)
    assert a.wrong([0, 1], "1 crop").tolist() == [False, True, False, True]
    assert a.error([0], "1 crop") == 0.5 and a.error([0, 1], "12 crops") == 0.0


def test_outcome_by_hand():
    """Each member misses two images, and they never miss the same one."""
    o = evaluate(by_hand(), [0, 1], "1 crop")
    assert (o.error, o.members, o.disagreement, o.q) == (0.5, (0.5, 0.5), 1.0, -1.0)
    assert o.interval == interval(2, 4) and o.gain_on_best == o.gain_on_mean == 0.0
    single = evaluate(by_hand(), [1], "12 crops")
    assert (single.error, single.disagreement, single.q) == (0.0, None, None)
    with pytest.raises(ValueError, match="at least one"):
        evaluate(by_hand(), [], "1 crop")


@pytest.mark.parametrize("chosen", [[3], [0, 7], [0, 5, 6, 7], list(range(15))])
@pytest.mark.parametrize("crops", CROPS)
def test_errors_are_those_of_the_packages_ensemble(chosen, crops):
    a = answers()
    o = evaluate(a, chosen, crops)
    members = [a.rows[crops][i] for i in chosen]
    assert o.error == pytest.approx(error_rate(ensemble(members), a.labels))
    assert o.members == pytest.approx([error_rate(member, a.labels) for member in members])
    assert o.gain_on_best == pytest.approx(min(o.members) - o.error)
    assert o.gain_on_mean == pytest.approx(sum(o.members) / len(chosen) - o.error)
    if len(chosen) > 1:
        together = error_correlation(members, a.labels)
        assert (o.disagreement, o.q) == (together["disagreement"], together["q"])


def test_answers_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match='after="crops"'):
        Answers.of([as_result([0] * 4, {}, kept=False)])
    one = {crops: logs(ONE) for crops in CROPS}
    with pytest.raises(ValueError, match="different test images"):
        Answers.of([as_result([0] * 4, one), as_result([0, 0, 0, 1], one)])


def test_members_are_named():
    a = answers()
    assert words_for(a, [5, 10, 11]) == "Inception-v4 (seed 0) + Inception-ResNet-v2 (seeds 0, 1)"
    assert words_for(a, [2]) == "Inception-v3 (seed 2)"
    assert words_for(a, range(15)) == "all 15 members" and words_for(a, []) == "nobody"


# --- The lab --------------------------------------------------------------------------------------


@pytest.fixture
def lab():
    return EnsemblesLab(answers())


def test_it_starts_with_the_papers_mixture_beside_four_of_a_kind(lab):
    assert lab.chosen == (5, 10, 11, 12) and lab.crops.value == "1 crop"
    assert [row[1] for row in lab.rows] == [(5, 10, 11, 12), (0, 1, 2, 3)]
    assert lab.outcome == evaluate(lab.answers, (5, 10, 11, 12), "1 crop")


def test_a_checkbox_and_the_crops_change_the_outcome_and_earlier_choices_stay(lab):
    lab.boxes[5].value = False
    assert lab.outcome == evaluate(lab.answers, (10, 11, 12), "1 crop")
    lab.crops.value = "144 crops"
    assert lab.outcome == evaluate(lab.answers, (10, 11, 12), "144 crops")
    assert [row[0] for row in lab.rows] == [4, 3, 2, 1]
    shown = re.sub(r"<[^>]+>", " ", lab.picture.value)
    for words in (
        "Inception-ResNet-v2 (0, 1, 2) · 144 crops",
        "Inception-ResNet-v2 (0, 1, 2) · 1 crop",
        "Inception-v4 (0) + Inception-ResNet-v2 (0, 1, 2) · 1 crop",
        "Inception-v3 (0, 1, 2, 3) · 1 crop",
    ):
        assert words in shown
    assert f"error {100 * lab.outcome.error:.1f} %" in lab.sentence.value


def test_the_sentence_tells_less_from_more():
    """A good member is better than its average with a poor but very sure one."""
    a = answers()
    a.rows["1 crop"][0, torch.arange(200), a.labels] += 2
    a.rows["1 crop"][1] *= 3
    lab = EnsemblesLab(a)
    lab.choose([0, 1])
    o = lab.outcome
    assert o.gain_on_best < 0 < o.gain_on_mean
    assert f"{100 * o.gain_on_mean:.1f} points less than its mean member" in lab.words()
    assert f"{-100 * o.gain_on_best:.1f} points more than its best" in lab.words()


def test_a_choice_made_again_comes_to_the_top_with_its_number(lab):
    lab.choose([0])
    lab.choose([0, 1, 2, 3])
    assert [row[0] for row in lab.rows] == [1, 3, 2]


def test_no_more_rows_than_fit(lab):
    for i in range(10):
        lab.choose([i])
    assert [row[0] for row in lab.rows] == list(range(12, 12 - KEPT, -1))
    assert lab.picture.value.count('font-weight="600">' + "12<") == 1


def test_nobody_chosen_is_a_sentence_and_changes_no_row(lab):
    rows = list(lab.rows)
    lab.choose([])
    assert lab.outcome is None and lab.rows == rows
    assert (
        'role="alert"' in lab.sentence.value and "Choose at least one member." in lab.sentence.value
    )
    lab.choose([7])
    assert (
        "One member is no ensemble yet" in lab.sentence.value
        and lab.outcome.error == lab.outcome.members[0]
    )


def test_presets_choose_at_once_and_let_go_when_a_box_changes(lab):
    lab.preset.value = "all 15 members"
    assert lab.chosen == tuple(range(15)) and len(lab.rows) == 3
    lab.boxes[0].value = False
    assert lab.preset.value == "choose …" and lab.chosen == tuple(range(1, 15))
    lab.preset.value = "5 × Inception-v4"
    assert lab.chosen == (5, 6, 7, 8, 9)
    lab.preset.value = "one of each network"
    assert lab.chosen == (0, 5, 10)


def test_reset_forgets_everything(lab):
    first = (lab.chosen, lab.rows, lab.picture.value)
    lab.preset.value = "5 × Inception-v3"
    lab.crops.value = "12 crops"
    lab.reset_button.click()
    assert (lab.chosen, lab.rows, lab.picture.value) == first
    assert (lab.crops.value, lab.preset.value) == ("1 crop", "choose …")


def test_one_kind_or_one_member_is_enough_for_a_lab():
    few = EnsemblesLab(answers([("inception_v3", 0), ("inception_v3", 4)]))
    assert few.chosen == (0, 1) and "all" not in " ".join(few.presets)
    assert EnsemblesLab(answers([("inception_v3", 0)])).outcome.q is None


def test_marks_stand_where_their_errors_are():
    """Three rows with known errors: the picture's diamonds lie on a line with them."""
    a = by_hand()
    outcomes = [evaluate(a, [0, 1], "1 crop"), evaluate(a, [0], "12 crops")]
    picture = rows_svg(a, [(2, (0, 1), "1 crop", outcomes[0]), (1, (0,), "12 crops", outcomes[1])])
    diamonds = [
        float(x) for x in re.findall(r'<path d="M([\d.]+) [\d.]+l7 8l-7 8l-7 -8z" fill', picture)
    ][:2]
    labels = [
        (float(x), float(v))
        for x, v in re.findall(
            r'<text x="([\d.]+)" y="\d+" text-anchor="middle" fill="#5f5f5f">([\d.]+)</text>',
            picture,
        )
    ]
    (x0, v0), (x1, v1) = labels[0], labels[-1]
    for x, outcome in zip(diamonds, outcomes):
        assert x == pytest.approx(x0 + (100 * outcome.error - v0) * (x1 - x0) / (v1 - v0), abs=0.2)
    assert (
        picture.count("<circle") + picture.count('<rect x="') >= 4
    )  # three members and the legend's two
    assert 'role="img"' in picture and "error 50.0 %, members 50.0 to 50.0 %" in picture.said


def test_the_bundle_stands_alone(lab):
    bundle = lab.bundle()
    assert bundle[WIDGET_VIEW]["model_id"] == lab.widget.model_id
    assert re.search(r'<img [^>]*alt="Inception-v4 \(seed 0\) \+ [^"]*error', bundle["text/html"])
    assert (
        "It is live in JupyterLab and Colab" in bundle["text/plain"]
        and "error" in bundle["text/plain"]
    )


def test_the_function_takes_results_and_shows_one_line_outside_a_notebook(capsys):
    rows = {crops: logs(ONE) for crops in CROPS}
    lab = ensembles_lab([as_result([0] * 4, rows, seed=seed) for seed in (0, 1)])
    assert len(lab.answers) == 2 and "Inception-v4 (seeds 0, 1)" in capsys.readouterr().out


def test_as_on_colab(notebook_on_colab):
    notebook = notebook_on_colab(
        [
            "import torch\nfrom inception_edu.labs.ensembles import Answers, ensembles_lab\n"
            "rows = torch.randn(3, 50, 10, generator=torch.Generator().manual_seed(0))\n"
            "a = Answers(torch.arange(50) % 10, ('inception_v3',) * 3, (0, 1, 2), {'1 crop': rows, "
            "'12 crops': rows})\n"
            "lab = ensembles_lab(a)\nlab",
            "import ipywidgets\nlab.boxes[0].value = False; lab.crops.value = '12 crops'\n"
            "(ipywidgets.__version__, lab.chosen, len(lab.rows))",
        ],
        COLAB_RELEASE_TAG="release",
    )
    shown = [
        o for o in notebook.cells[0].outputs if o.output_type in ("display_data", "execute_result")
    ]
    assert len(shown) == 1, json.dumps(notebook.cells[0].outputs)[:500]
    assert WIDGET_VIEW in shown[0].data and "<img" in shown[0].data["text/html"]
    assert notebook.cells[1].outputs[0].data["text/plain"] == "('7.7.1', (1, 2), 3)"
