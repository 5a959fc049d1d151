"""What chapter 09 says about dead channels when more images are looked at."""

from __future__ import annotations

from inception_edu.study import fate, fate_of_cell, load_results
from inception_edu.study.all_images import RESTS_ON, Counted, counted_on_all, may_change
from inception_edu.study.claims_dying import fates_of
from inception_edu.study.fates import DIES_FROM, LIVES_BELOW, MAJORITY, word_of
from inception_edu.study.runs import FEW, MANY
from inception_edu.teach.claims import registered
from inception_edu.teach.results import same_runs


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


@registered("09.more-images")
def more_images() -> tuple[bool, str]:
    runs = [r for name in ("mechanism", "recovery") for r in load_results(name)]
    counted = [r for r in runs if "dead_training" in r.extras]
    fewer = [r.dead_most - max(r.extras["dead_training"].values()) for r in counted]
    changed = [
        r for r in counted if word_of(max(r.extras["dead_training"].values())) != fate(r).word
    ]
    return len(changed) <= len(counted) / 5, (
        "A channel that is 0 on 64 images may be alive on 500. So all was counted once more, on "
        f"500 training images, in {len(counted)} runs: at most {percent(max(fewer))} of the worst "
        f"block less is dead, and {len(changed)} runs would have another word."
    )


TOWERS = {  # the settings of `all_images.UNSCALED`
    ("embedded", "nothing"): "72 channels at rate 0.45",
    ("elsewhere", "batches of 8, width 72, rate 0.15"): (
        "72 channels in batches of 8 at rate 0.15"
    ),
    ("remedies", "nothing"): "144 channels at rate 0.3",
}


def _groups() -> dict[tuple[str, str], list[Counted]]:
    """The runs that were counted on all training images, by experiment and label."""
    groups: dict[tuple[str, str], list[Counted]] = {}
    for run in counted_on_all():
        groups.setdefault((run.experiment, run.label), []).append(run)
    return groups


def _words(run: Counted) -> tuple[str, str]:
    """The run's word on 64 images and on all."""
    return word_of(run.worst[0]), word_of(run.worst[2])


@registered("09.all-images")
def all_images() -> tuple[bool, str]:
    groups, told = _groups(), []
    for setting, tower in TOWERS.items():
        group = groups[setting]
        shares = zip(*(run.worst for run in group))
        few, many, every = (percent(sum(each) / len(each)) for each in shares)
        told.append(f"{tower} {few}, {many}, {every} of {group[0].images:,}")
    runs = [run for setting in TOWERS for run in groups[setting]]
    fallen = max(run.worst[1] - run.worst[2] for run in runs)
    words = [_words(run) for run in runs]
    other = sum(few != every for few, every in words)
    return ("dies", "lives") not in words and fallen < 0.2, (
        f"And {MANY} images are not all, either. {len(runs)} runs of unscaled towers were made "
        f"once more, and all training images were looked at. Dead in the worst block, on {FEW} "
        f"images, on {MANY} and on all (means): {'; '.join(told)}. From {MANY} to all a run loses "
        f"at most {100 * fallen:.0f} points, and {other or 'none'} of them would have another "
        f"word on all than on {FEW}."
    )


def _word_on_all(runs: list[Counted]) -> str:
    """The word of a setting on all images."""
    return fate_of_cell({"worst": run.worst[2]} for run in runs).word


def _of_all(some: int, all_: int) -> str:
    """How many of the other settings: "All 11 others", "Of the 11 others 9"."""
    return f"All {all_} others" if some == all_ else f"Of the {all_} others {some}"


@registered("09.all-remedies")
def all_remedies() -> tuple[bool, str]:
    """The settings of Experiment 4 on all training images: which words would change?"""
    groups = {label: runs for (name, label), runs in _groups().items() if name == "remedies"}
    every, others = fates_of("remedies"), may_change()
    counted = [label for label in others if label in groups]
    left = [label for label in others if label not in groups]
    few = {label: every[label].word for label in counted}
    all_ = {label: _word_on_all(groups[label]) for label in counted}
    told = [
        f"{label} {all_[label]}, as on {FEW}"
        if few[label] == all_[label]
        else f"**{label} {all_[label]}, where on {FEW} it {few[label]}**"
        for label in counted
    ]
    runs = [run for label in counted for run in groups[label]]
    rest = f" Not counted: {', '.join(left)}." if left else ""
    also = [label for label in groups if label not in others]
    kept = all(_word_on_all(groups[label]) == "lives" for label in also)
    opened = [
        f"{claim} (*{label}*)"
        for claim, labels in RESTS_ON.items()
        for label in labels
        if label in counted and few[label] != all_[label]
    ]
    verdicts = f"The verdicts go by {FEW} images, as was written down before the runs. " + (
        f"On all images what is found here would be open for {', '.join(opened)}."
        if opened
        else "On all images they would be the same."
    )
    turned = [label for label in counted if (few[label], all_[label]) == ("dies", "lives")]
    return bool(counted) and kept and not turned, (
        "And the words of Experiment 4? More images can only lower a share (but for a channel or "
        "two, since each batch has its own statistics). So the "
        f"{len(every) - len(others)} of {len(every)} settings that live on {FEW} images live on "
        f"all; {len(also)} of them were counted, and do. {_of_all(len(counted), len(others))} were "
        f"made once more and counted on all {runs[0].images:,}, in {len(runs)} "
        f"runs: {'; '.join(told)}.{rest} {verdicts}"
    )


NEAR = 0.03  # of the channels of a block: "1 to 3 points of one seed"


def _slack(dead: tuple[float, ...], word: str) -> float:
    """By how much the run that makes the majority of a setting may move before the setting loses
    its word; for settings that live or die."""
    needed = round(MAJORITY * len(dead))
    if word == "dies":
        return sorted(dead, reverse=True)[needed - 1] - DIES_FROM
    return LIVES_BELOW - sorted(dead)[needed - 1]


@registered("09.near-a-limit")
def near_a_limit() -> tuple[bool, str]:
    """Settings of Experiment 4 whose word, and with it a finding, hangs on a few points of one
    run."""
    found, told = fates_of("remedies"), []
    for claim, labels in RESTS_ON.items():
        for label in labels:
            cell = found[label]
            if cell.word not in ("lives", "dies"):
                continue
            slack = _slack(cell.dead, cell.word)
            if slack < NEAR:
                needed = round(MAJORITY * len(cell.dead))
                told.append(
                    f"{claim} rests on *{label}*, which {cell.sentence}. Run {needed} of the "
                    f"{len(cell.dead)}, in this order, is {100 * slack:.1f} points from the limit. "
                    f"Beyond it the setting would differ by seed, and this finding would be open"
                )
    return len(told) == 1, (
        "A word has limits, and one finding hangs on a run that lies at one: "
        f"{'; '.join(told)}. The other settings that C4, C5 and C6 name here keep their word where "
        f"any one run moves by {100 * NEAR:.0f} points."
    )


# Experiments that have runs in common, and where they are shown.
SHOWN_IN = {
    "dying": "Experiment 1",
    "causes": "Experiment 2",
    "mechanism": "Experiment 3",
    "remedies": "Experiment 4",
    "which_term": "chapter 08, Experiment 2",
    "scaling": "chapter 08, Experiment 1",
}


@registered("09.shared-runs")
def shared_runs() -> tuple[bool, str]:
    count = len(same_runs(SHOWN_IN))
    return count > 0, (
        f"Some tables show the same runs: {count} runs stand in two experiments or more, of this "
        "chapter and of chapter 08. What they show there and here is one piece of evidence, and a "
        "verdict counts a run once."
    )
