"""The paper's claims with their verdicts, the predictor, the lengths, and what is made again."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from scipy import stats

from inception_edu.data import load
from inception_edu.describe import networks
from inception_edu.nets.build import build
from inception_edu.study import (
    CLAIMS,
    PAIRS,
    Config,
    ExperimentError,
    Recipe,
    all_images,
    claims_dying,
    claims_race,
    configurations,
    load_results,
    predictor,
    reproduction,
    results,
    seeds,
)
from inception_edu.study.claims import table
from inception_edu.study.experiments_race import ALL_FILTERS, raced
from inception_edu.study.lengths import committed_lengths, squared_lengths
from inception_edu.study.predictor import apart, judge, transfer
from inception_edu.study.sized import on_a_card
from inception_edu.study.statistics import StatisticsError
from inception_edu.study.tuning import best_rate
from inception_edu.study.verdicts import WORDS
from inception_edu.teach import verdicts
from inception_edu.teach.claims.ch09_full import WAITING, lacking

# --- Claims ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_has_a_word_its_evidence_and_what_a_replication_needs(name):
    claim = CLAIMS[name]
    found = claim.verdict()
    assert found.word in WORDS and found.scope in ("full", "reduced")
    assert found.evidence and all(any(c.isdigit() for c in e.sentence) for e in found.evidence)
    assert claim.needs and claim.margin and claim.where
    runs = [r for experiment in claim.rests_on for r in load_results(experiment)]
    assert str(len(runs) or "Counted") in claim.made and (name == "C8") == (not runs)
    assert ("H200" in claim.made) == any("card" in r.versions for r in runs)
    assert found.runs <= len(runs)
    plain = json.loads(json.dumps(claim.to_dict()))
    assert plain["verdict"]["word"] == found.word and name in table()


def test_a_word_follows_its_evidence():
    for claim in CLAIMS.values():
        found = claim.verdict()
        shows = {evidence.shows for evidence in found.evidence}
        if found.word == "contradicted":
            assert "against" in shows
        if found.word in ("supported", "seen at reduced scale only"):
            assert "for" in shows <= {"for", "told"}
        if found.word == "supported":
            assert found.scope == "full"


def test_what_is_told_stands_in_one_row_with_its_reasons():
    text = str(verdicts("C1"))
    assert text.count("told, decides nothing") == 1 and text.count("for: mean error") == 2
    assert "Inception-v4 minus Inception-ResNet-v2: -1.3 points" in text
    assert "why: 4 to 7 blocks, fewer than the paper's" in text
    # Two questions, one difference.
    assert str(verdicts("C2")).count("Inception-ResNet-v2 minus Inception-v4, deep") == 1


def test_a_run_that_two_findings_share_is_counted_once():
    # Both pairs and both sizes are compared in the same 60 races, crops and ensembles in the
    # answers of 20; seven differences of C7 share three cells.
    runs = {name: CLAIMS[name].verdict().runs for name in ("C1", "C2", "C9")}
    assert runs == {"C1": 60 + 40, "C2": 60 + 40 + 20, "C9": 20}
    seeds = [(r.label, r.seed) for r in raced()]
    assert len(set(seeds)) == len(seeds) == 60 == 4 * 15, "no seed twice"
    found = CLAIMS["C7"].verdict()
    assert sum(e.runs for e in found.evidence) == 70
    assert found.runs == 70 - 5, "scale 1 at 72 channels stands in two of the differences"


def test_a_run_and_its_continuation_are_counted_once():
    def starts(*names, labels):
        runs = [r for name in names for r in load_results(name) if r.label in labels]
        arguments = {(r.config.arguments, r.config.recipe.lr, r.seed) for r in runs}
        return len(runs), len(arguments)

    # C10: nothing and rate / 10, for 60 and for 3000 steps; two settings of other experiments.
    labels = ("nothing", "rate / 10")
    assert starts("remedies", "long", labels=labels) == (20, 10)
    more = [e for e in claims_dying.scaling_is_necessary().evidence[2:]]
    assert claims_dying.scaling_is_necessary().runs == 10 + sum(e.runs for e in more)
    # C3: three widths at step 60, one of them followed to step 600 and to step 2000; the network
    # with all filters; 2304 channels, to step 60 and to step 2000; the two narrow ones, to step
    # 2000; the first of them, to step 6000. Those that went on to step 600 were made with an older
    # torch, from other weights.
    shares = [e.runs for e in claims_dying.wide_networks_die().evidence]
    assert shares == [15, 5, 5, 5, 5, 5, 10, 5]
    assert claims_dying.wide_networks_die().runs == 30


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_names_the_experiments_that_its_judge_reads(name, monkeypatch):
    read, find = set(), results.results_file

    def noted(experiment, folder=None):
        read.add(experiment)
        return find(experiment, folder)

    monkeypatch.setattr(results, "results_file", noted)
    for kept in (claims_dying._runs, claims_race._race):
        kept.cache_clear()
    CLAIMS[name].judge()
    # What waits for a GPU is asked for, and is not there.
    assert {experiment for experiment in read if find(experiment).exists()} == set(
        CLAIMS[name].rests_on
    )


def test_what_a_claim_asks_is_corrected_together(monkeypatch):
    asked = []
    original = claims_race.holm

    def counted(table):
        asked.append(len(table))
        return original(table)

    monkeypatch.setattr(claims_race, "holm", counted)
    # Final accuracy: a pair's one difference is asked from both sides.
    for decide, questions, findings in (
        (claims_race.speed, 4, 4),
        (claims_race.final_accuracy, 8, 12),
        (claims_race.crops_and_ensembles, 2, 2),
    ):
        asked.clear()
        assert len(decide().evidence) == findings and asked == [questions]


@pytest.mark.parametrize(
    "better, shows", [(0.05, "against"), (0.011, "against"), (0.0095, ""), (0.005, "for")]
)
def test_a_better_end_is_a_thin_margin_below_one_point_alone(better, shows, monkeypatch):
    deep, small = load_results("deep_race"), ("inception_v3, deep", "inception_resnet_v1, deep")

    def ended(run, gained=0.0, note=""):
        """The larger networks end 3 points better, the residual ones by `better`, and all by
        `gained` with twice the steps."""
        seed = run.seed % 5 - 2
        right = 0.5 + seed / 100
        if run.label not in small:
            right += 0.03 + seed / 3000
        if "resnet" in run.label:
            right += better + seed / 1000
        if note:
            right += gained + seed / 2000
        config = replace(run.config, label=f"{run.label}{note}")
        return replace(run, config=config, test_accuracy=right)

    monkeypatch.setattr(claims_race, "_deep_race", lambda: tuple(map(ended, deep)))
    for gained, thin, no_worse in ((0.005, shows, "for"), (0.0095, "told", "told")):
        longer = tuple(ended(r, gained, ", twice as long") for r in deep if r.seed < 5)
        monkeypatch.setattr(claims_race, "_longer_race", lambda longer=longer: longer)
        found = claims_race.final_accuracy()
        of_pairs = [e for e in found.evidence if ", deep" in e.sentence]
        assert [e.shows for e in of_pairs if "thin margin" in e.sentence] == [thin] * 2
        assert [e.shows for e in of_pairs if "no worse" in e.sentence] == [no_worse] * 2
        words = {"against": "contradicted", "for": "seen at reduced scale only"}
        assert found.word == words.get(thin, "undecided")
        assert found.why.startswith("not every race") == (thin == "told")
    # One pair has come to its end, and one of the sizes; the other pair has not.
    longer = tuple(
        ended(r, 0.05 if r.label == small[1] else 0.005, ", twice as long")
        for r in deep
        if r.seed < 5
    )
    monkeypatch.setattr(claims_race, "_longer_race", lambda: longer)
    found = claims_race.final_accuracy()
    assert found.word == ("contradicted" if shows == "against" else "undecided")


@pytest.mark.parametrize(
    "faster, shows, word",
    [
        ((0.1, 0.1), ["for", "for"], "seen at reduced scale only"),
        ((0.1, 0.01), ["for", ""], "undecided"),
        ((0.1, 0.0), ["for", "against"], "contradicted"),
    ],
)
def test_the_pairs_as_deep_as_the_papers_decide_on_speed(faster, shows, word, monkeypatch):
    deep, runs = load_results("deep_race"), []
    for pair, gain in zip(PAIRS, faster):
        plain, residual = (f"{name}, deep" for name in pair)
        at = {r.seed: r.extras["evaluations"] for r in deep if r.label == plain}
        for r in (r for r in deep if r.label in (plain, residual)):
            more = gain + (r.seed % 5 - 2) / 1000 if r.label == residual else 0
            tests = [[step, right + more] for step, right in at[r.seed]]
            runs.append(replace(r, extras=r.extras | {"evaluations": tests}))
    monkeypatch.setattr(claims_race, "_deep_race", lambda: tuple(runs))
    *shallow, first, second = claims_race.speed().evidence
    assert [first.shows, second.shows] == shows and claims_race.speed().word == word
    assert [e.shows for e in shallow] == ["told"] * 2 and "4 to 7 blocks" in shallow[0].why[0]


def test_rates_that_test_images_chose_allow_no_verdict(monkeypatch):
    tuning = load_results("race_tuning")
    monkeypatch.setattr(claims_race, "_wide_race", tuple)
    on_test = [replace(r, config=replace(r.config, judge="test")) for r in tuning]
    monkeypatch.setattr(claims_race, "load_results", lambda name: on_test)
    assert "test images" in claims_race.untuned()
    assert claims_race.speed().word == "undecided"
    held_out = [replace(r, config=replace(r.config, judge="validation")) for r in tuning]
    monkeypatch.setattr(claims_race, "load_results", lambda name: held_out)
    assert "test images" not in claims_race.untuned()


@pytest.mark.parametrize("more", [False, True])
def test_unequal_budgets_are_noticed(more, monkeypatch):
    tuning = [
        replace(r, config=replace(r.config, judge="validation"))
        for r in load_results("race_tuning")
    ]
    odd = [r for r in tuning if r.config.network == "inception_v3" and r.config.recipe.lr == 0.3]
    if more:  # one network was tried at a rate more than the others
        tuning += [
            replace(r, config=replace(r.config, recipe=replace(r.config.recipe, lr=0.9)))
            for r in odd
        ]
    else:
        tuning = [r for r in tuning if r not in odd]
    monkeypatch.setattr(claims_race, "load_results", lambda name: tuning)
    monkeypatch.setattr(claims_race, "best_rate", lambda *_: 0.1)
    for name in ("_wide_race", "_deep_race", "_longer_race"):
        monkeypatch.setattr(claims_race, name, tuple)
    races = [r for r in claims_race._race() if r.config.recipe.lr == 0.1]
    monkeypatch.setattr(claims_race, "_race", lambda: tuple(races))
    assert "equal budgets" in claims_race.untuned()


def test_the_mean_error_of_a_race_against_numbers_done_by_hand():
    run = SimpleNamespace(
        status="finished", extras={"evaluations": [(0, 0.2), (100, 0.6), (400, 0.6)]}
    )
    # Errors 0.8, 0.4, 0.4: 100 steps at 0.6 in the mean, 300 at 0.4.
    assert claims_race.mean_error(run) == pytest.approx((100 * 0.6 + 300 * 0.4) / 400)
    assert claims_race.mean_error(SimpleNamespace(status="stopped")) is None


def test_what_is_dead_at_a_step_is_told_by_the_first_record_from_it_on():
    run = SimpleNamespace(
        curves={"step": [1, 50, 100]},
        maps={"dead": {"block 1": [0.0, 0.2, 0.4], "block 2": [0.1, 0.3, 0.5]}},
    )
    assert claims_dying.dead_at(run, 50) == {"block 1": 0.2, "block 2": 0.3}
    assert claims_dying.dead_at(run, 51) == {"block 1": 0.4, "block 2": 0.5}


def test_a_late_death_is_sought_in_the_longest_run_of_each_start():
    followed = claims_dying.followed()
    short = [r for r in load_results("long") if r.label == "norm after last sum"]
    long = [r for r in load_results("long_norm") if r.label == "norm after last sum"]
    assert len(short) == len(long) == 5
    assert not any(r in followed for r in short) and all(r in followed for r in long)
    whole = sum(len(load_results(name)) for name in claims_dying.FOLLOWED)
    # Ten go on from `long` (half of them without blocks) and ten from `wide`.
    assert len(followed) == whole - 20


def test_a_late_death_is_found_where_there_is_one(monkeypatch):
    assert not claims_dying.late_deaths()
    long = load_results("long")
    alive = next(r for r in long if r.label == "rate / 10")
    killed = replace(alive, dead={name: 0.9 for name in alive.dead})
    monkeypatch.setattr(claims_dying, "_runs", lambda name: (killed,) if name == "long" else ())
    assert claims_dying.late_deaths() == [killed]
    overshoot = next(r for r in long if r.label == "nothing")
    monkeypatch.setattr(claims_dying, "_runs", lambda name: (overshoot,) if name == "long" else ())
    assert not claims_dying.late_deaths(), "it was dead early"
    wide = next(r for r in load_results("paper_width") if r.label == "scale 1, rate 0.0045")
    wide = replace(wide, dead={name: 0.9 for name in wide.dead})
    monkeypatch.setattr(
        claims_dying, "_runs", lambda name: (wide,) if name == "paper_width" else ()
    )
    assert claims_dying.late_deaths() == [wide]


def without(monkeypatch, name, replacement=()):
    original = claims_dying._runs
    monkeypatch.setattr(claims_dying, "_runs", lambda n: replacement if n == name else original(n))


@pytest.mark.parametrize(
    "judge, word, shows",
    [
        # It dies, but its share still falls: this does not show that it stays dead.
        (claims_dying.wide_networks_die, "undecided", [""]),
        (claims_dying.not_prevented, "contradicted", ["against"]),
        # Scale 0.1 lives; 0.2 suffers, which is neither.
        (claims_dying.scaling_stabilises, "undecided", ["for", ""]),
        (claims_dying.scaling_is_necessary, "contradicted", ["against"]),
    ],
)
def test_what_the_network_with_all_filters_says(judge, word, shows):
    found = judge()
    full = [e for e in found.evidence if claims_dying.WIDE_NOTE in e.sentence]
    assert found.word == word and [e.shows for e in full] == shows
    assert all(e.runs >= 5 for e in full)


@pytest.mark.parametrize(
    "dead, before, shows, word",
    [
        (0.9, 0.9, "for", "undecided"),
        (0.9, 1.0, "", "undecided"),  # it still falls
        (0.3, 0.3, "", "undecided"),
        (0, 0, "against", "contradicted"),
    ],
)
def test_a_network_that_does_not_stay_dead_decides_c3(dead, before, shows, word, monkeypatch):
    label = "width 1152, scale 1, rate 0.045"

    def ends(run):
        course = [before] * 30 + [dead] * 10
        maps = run.maps | {"dead": dict.fromkeys(run.dead, course)}
        return replace(run, dead=dict.fromkeys(run.dead, dead), maps=maps)

    runs = [ends(r) if r.label == label else r for r in load_results("wide")]
    assert sum(r.label == label for r in runs) == 5
    without(monkeypatch, "wide", tuple(runs))
    found = claims_dying.wide_networks_die()
    last = next(e for e in found.evidence if f"{label} for 2000 steps" in e.sentence)
    assert (last.shows, found.word) == (shows, word)


def test_no_remedy_is_judged_where_nothing_dies_without_it(monkeypatch):
    for name, unscaled in (("remedies", "nothing"), ("paper_width", claims_dying.UNSCALED)):
        alive = [
            replace(r, dead=dict.fromkeys(r.dead, 0.0)) if r.label == unscaled else r
            for r in load_results(name)
        ]
        with monkeypatch.context() as patch:
            without(patch, name, tuple(alive))
            for judge in (
                claims_dying.not_prevented,
                claims_dying.scaling_stabilises,
                claims_dying.scaling_is_necessary,
            ):
                idle = [e for e in judge().evidence if "presupposes was not seen" in e.sentence]
                # The tower that is followed for 2000 steps does not stay dead.
                idle = [e for e in idle if claims_dying.LONG_NOTE not in e.sentence]
                assert len(idle) == 1 and idle[0].shows == "" and unscaled in idle[0].sentence
            if name == "remedies":
                assert claims_dying.warm_up_is_not_enough().word == "undecided"


@pytest.mark.parametrize("judge", [claims_dying.wide_networks_die, claims_dying.scaling_stabilises])
def test_without_the_runs_at_full_width_there_is_no_verdict(judge, monkeypatch):
    without(monkeypatch, "paper_width")
    found = judge()
    assert found.word == "undecided" and "missing" in found.why


def test_runs_on_a_gpu_count_once_they_are_there(monkeypatch):
    asked = (
        claims_dying.not_prevented,
        claims_dying.scaling_stabilises,
        claims_dying.warm_up_is_not_enough,
        claims_dying.scaling_is_necessary,
    )
    before, races = [len(ask().evidence) for ask in asked], claims_race._race()
    assert {r.config for r in load_results("remedies")}.isdisjoint(configurations("wide_remedies"))
    without(monkeypatch, "wide_remedies", tuple(load_results("remedies")))
    for count, ask in zip(before, asked):
        *_, new = evidence = ask().evidence
        assert len(evidence) == count + 1 and claims_dying.TOWER_NOTE in new.sentence
    wide = tuple(replace(r, config=replace(r.config, label=r.label + ALL_FILTERS)) for r in races)
    monkeypatch.setattr(claims_race, "_wide_race", lambda: wide)
    monkeypatch.setattr(
        claims_race, "load_results", lambda name: load_results(name.removeprefix("wide_"))
    )
    monkeypatch.setattr(
        claims_race, "best_rate", lambda name, tuning: best_rate(name, tuning.removeprefix("wide_"))
    )
    for ask, count, wide_ones, shown in (
        (claims_race.speed, 6, 2, {"against", "open"}),
        # Told: no longer race is prepared beside it.
        (claims_race.final_accuracy, 18, 6, {"told"}),
    ):
        found = ask()
        assert len(found.evidence) == count and not found.why.startswith("the rates")
        of_wide = [e.word for e in found.evidence if ALL_FILTERS in e.sentence]
        assert len(of_wide) == wide_ones and set(of_wide) <= shown
        assert found.runs == 2 * 60 + len(load_results("deep_race")) + 20 * (count == 18)


def test_the_residual_networks_of_the_wide_race_cost_no_more():
    macs = {c.network: c.macs() for c in configurations("wide_race", "standard")}
    assert all(0.9 < macs[residual] / macs[plain] < 1 for plain, residual in PAIRS)


def test_an_hour_of_a_card_is_enough_for_what_waits_for_one():
    found = [on_a_card(lacking(name)) for name in WAITING]
    assert all(0 < each.least < each.most and "H200" in str(each) for each in found)
    assert sum(each.most for each in found) < 3600
    # By hand: 55 runs of 2000 steps, and no step was faster than 6 ms or slower than 17 ms.
    wide = configurations("wide", "standard")
    whole = on_a_card(wide)
    assert 55 * 2000 * 0.006 < whole.least < whole.most < 55 * 2000 * 0.0175
    assert on_a_card(2 * wide).most == pytest.approx(2 * whole.most)


def test_one_harm_of_seven_differences_is_corrected_for_seven(monkeypatch):
    *others, full = claims_dying.scaling_does_no_harm().evidence
    assert len(others) == 6 and claims_dying.WIDE_NOTE in full.sentence
    runs = {r.label: [] for r in load_results("paper_width")}
    for r in load_results("paper_width"):
        runs[r.label].append(r.accuracy)
    gaps = [a - b for a, b in zip(runs["scale 0.2, rate 0.0045"], runs["scale 1, rate 0.0045"])]
    mean = sum(gaps) / 5
    assert f"{100 * mean:+.1f} points" in full.sentence and mean < -0.01
    alone = stats.ttest_1samp(gaps, 0).pvalue
    assert alone < 0.05 < 6 * alone and full.shows == "", "seen alone, not among seven"
    # Ten points worse in every seed is harm whatever else was asked.
    worse = [
        replace(r, test_accuracy=0.5 if "scale 1," in r.label else 0.4 - r.seed / 1000)
        for r in load_results("paper_width")
    ]
    without(monkeypatch, "paper_width", tuple(worse))
    assert claims_dying.scaling_does_no_harm().word == "contradicted"


# --- The predictor --------------------------------------------------------------------------------


def outcome(width, dead, lr=0.1, **config):
    config = SimpleNamespace(
        **{"arguments": (("scale", 1.0), ("width", width)), "change": ""} | config,
        recipe=SimpleNamespace(lr=lr),
    )
    return SimpleNamespace(
        config=config,
        curves={"length": [float(width)]},
        maps={"dead": {"b": [dead]}},
        dead={"b": dead},
        status="finished",
    )


def test_pairs_are_ordered_as_by_hand():
    runs = [outcome(10, 0.9), outcome(30, 0.9), outcome(20, 0.0), outcome(10, 0.0, lr=0.05)]
    found = judge(runs)
    # Dead 1.0 and 3.0, living 2.0 and 0.5: three of four pairs.
    assert found["rate × ‖a‖²"].share == 0.75
    # Dead 10 and 30, living 20 and 10: two pairs, one tie.
    assert found["width"].share == (2 + 0.5) / 4
    assert found["width"].low <= found["width"].share <= found["width"].high
    with pytest.raises(StatisticsError, match="some runs have to die"):
        judge([outcome(10, 0.9), outcome(30, 0.9)])


def test_two_scores_are_set_apart_on_the_same_draws():
    # The width orders all pairs, the rate none: it is told apart in every draw of settings.
    wide = [outcome(w, 0.9, lr=0.1) for w in (40, 50, 60, 70)]
    narrow = [outcome(w, 0.0, lr=0.2) for w in (10, 15, 20, 25)]
    assert apart(wide + narrow, "width", "rate") == (1, 1, 1)
    mean, low, high = apart(wide + narrow, "width", "width")
    assert (mean, low, high) == (0, 0, 0)
    with pytest.raises(StatisticsError, match="some runs have to die"):
        apart(wide, "width", "rate")


def test_runs_that_differ_in_more_than_their_seed_are_two_settings():
    """The interval draws settings: first weights drawn by another rule make another one."""
    same = [outcome(10, 0.9, seed=0, label="a"), outcome(10, 0.0, seed=1, label="b")]
    (pair,) = predictor._settings(same)
    assert [dies for _, dies in pair] == [True, False]
    for other in ({"init": "torch"}, {"network": "tower"}, {"data": "fashion"}):
        runs = [outcome(10, 0.9), outcome(10, 0.0, **other)]
        assert len(predictor._settings(runs)) == 2
    assert len(predictor._settings(load_results("causes"))) == 11


def test_a_threshold_is_fitted_here_and_judged_there():
    here = [outcome(w, 0.9 if w > 25 else 0.0) for w in (10, 20, 30, 40)]
    there = [outcome(w, 0.9 if w > 35 else 0.0) for w in (10, 20, 30, 40)]
    found = transfer(here, there)["width"]
    assert 20 < found.threshold < 30 and found.fitted == 1
    assert found.judged == pytest.approx((1 + 2 / 3) / 2)  # one living run is called dead


# --- Lengths --------------------------------------------------------------------------------------


def test_the_squared_length_is_the_classifiers_inputs():
    network = networks.tower(24, 3)
    model = build(network, seed=0)
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    a, before = squared_lengths(model, images)
    assert a == pytest.approx(model.train()[:-2](images).square().sum(1).mean().item(), rel=1e-5)
    shorter = build(networks.tower(24, 2), seed=0)
    assert 0 < before < a and shorter is not model


def test_committed_lengths_have_five_seeds_and_all_networks():
    found = committed_lengths()
    assert len(found) == 6 and all(len(x.values) == len(x.before) == 5 for x in found.values())
    scaled, full = (found[f"Inception-ResNet-v2, scale {s}"].cell.mean for s in ("0.1", "1"))
    assert scaled < full / 3


# --- All images ---------------------------------------------------------------------------------


def test_dead_channels_are_counted_on_all_images_and_a_count_goes_on(monkeypatch, tmp_path):
    recipe = Recipe(steps=2, batch_size=8, lr=0.01)
    arguments = dict(width=16, depth=1, scale=1.0)
    config = Config("tiny", "tower", arguments, recipe, data="fashion", test_images=20)
    committed = [SimpleNamespace(config=c, label="tiny", seed=c.seed) for c in seeds(config, 2)]
    monkeypatch.setattr(all_images, "load_results", lambda _: committed[:1])
    monkeypatch.setattr(all_images, "asked", lambda: [("experiment", "tiny")])
    path = tmp_path / "all.json"
    (first,) = all_images.counted_on_all(all_images.measure_all_images(path=path))
    assert first.images == len(load("fashion").train) and first.worst[2] <= first.worst[0]
    monkeypatch.setattr(all_images, "load_results", lambda _: committed)
    made = []
    count = all_images.count
    monkeypatch.setattr(all_images, "count", lambda e, c, s: made.append(c) or count(e, c, s))
    found = all_images.counted_on_all(all_images.measure_all_images(path=path))
    assert made == [committed[1].config] and found[0] == first and len(found) == 2


def test_settings_whose_word_may_change_are_counted_first():
    found, first = claims_dying.fates_of("remedies"), all_images.may_change()
    assert {found[label].word for label in first} == {"dies", "suffers"}
    assert {found[label].word for label in set(found) - set(first)} == {"lives"}
    asked = [label for name, label in all_images.asked() if name == "remedies"]
    assert set(asked) == set(found) and asked[: len(first)] == first
    judged = [label in all_images.JUDGED for label in first]
    assert judged == sorted(judged, reverse=True) and sum(judged) == 4


def test_committed_counts_are_of_committed_runs_and_fall_with_more_images():
    found = all_images.counted_on_all()
    counted = list(dict.fromkeys((row.experiment, row.label) for row in found))
    assert set(counted) <= set(all_images.asked()) and set(all_images.UNSCALED) <= set(counted)
    for experiment, label in counted:
        runs = {r.seed: r for r in load_results(experiment) if r.label == label}
        rows = [row for row in found if (row.experiment, row.label) == (experiment, label)]
        assert [row.seed for row in rows] == list(all_images.SEEDS), label
        assert all(runs[row.seed].data["train"] == row.images for row in rows)
    for row in found:
        few, many, every = row.worst
        # Each batch has its own statistics, so a share can rise by a channel or two.
        assert every <= many + 0.02 and many <= few + 0.02, row


# --- Made again -----------------------------------------------------------------------------------


def test_the_small_sample_comes_out_again():
    checked = list(reproduction.reproduce_sample(small=True))
    assert len(checked) == 6 and {c.seed for c in checked} == {0, reproduction.UNSEEN[0]}
    assert all(c.holds for c in checked), [c for c in checked if not c.holds]


def test_a_run_that_does_not_come_out_again_is_noticed(monkeypatch):
    original = reproduction.run

    def other(config, **kw):
        result = original(replace(config, recipe=replace(config.recipe, steps=2)), **kw)
        loss = [1.5 * result.curves["loss"][0], *result.curves["loss"][1:]]
        return replace(result, curves={**result.curves, "loss": loss})

    monkeypatch.setattr(reproduction, "run", other)
    monkeypatch.setattr(reproduction, "SMALL", (("embedded", "nothing"),))
    old, unseen = reproduction.reproduce_sample(small=True)
    assert not old.holds
    assert not unseen.holds and "outside: dead_last" in unseen.sentence


def test_a_fate_that_no_committed_run_has_is_noticed():
    committed = [r for r in load_results("embedded") if r.label == "nothing"]
    fine = replace(committed[0], config=committed[0].config.with_seed(1001))
    assert reproduction._unseen("nothing", fine, committed).holds
    # The last block as before, another one less dead: only the fate says that something is wrong.
    healed = replace(fine, dead={**dict.fromkeys(fine.dead, 0.0), list(fine.dead)[-1]: 0.05})
    assert "outside: dead_last, fate" in reproduction._unseen("nothing", healed, committed).sentence
    lost = replace(fine, status="diverged", test_accuracy=None, dead={})
    found = reproduction._unseen("nothing", lost, committed)
    assert not found.holds and "unseen seed: diverges" in found.sentence


def test_photographs_that_are_not_at_hand_are_left_out_once_and_not_called_reproduced(
    monkeypatch, capsys
):
    looked = []

    def no_photographs(*_):
        looked.append(1)
        raise OSError("no photographs here")

    monkeypatch.setattr(
        reproduction, "SAMPLE", (("remedies", "nothing"), ("remedies", "rate / 10"))
    )
    monkeypatch.setattr(reproduction, "fingerprint", no_photographs)
    assert reproduction.report()
    printed = capsys.readouterr().out
    assert len(looked) == 1 and printed.count("no photographs here") == 1
    assert "ok" not in printed
    assert "0 of 0 runs" in printed and "2 settings were left out." in printed


def test_other_photographs_are_named(monkeypatch):
    monkeypatch.setattr(reproduction, "SAMPLE", (("remedies", "nothing"),))
    monkeypatch.setattr(reproduction, "fingerprint", lambda *_: "0" * 16)
    (left_out,) = reproduction.reproduce_sample()
    assert left_out.holds is None and "other images" in left_out.sentence


def test_an_unseen_seed_is_really_unseen():
    config = load_results("embedded")[0].config
    with pytest.raises(ExperimentError, match="no new evidence"):
        reproduction._fresh(config, 3, {3})
