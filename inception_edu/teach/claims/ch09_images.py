"""What chapter 09 says about dead channels when more images are looked at."""

from __future__ import annotations

from inception_edu.study import fate, load_results
from inception_edu.study.all_images import counted_on_all
from inception_edu.study.fates import word_of
from inception_edu.study.runs import FEW, MANY
from inception_edu.teach.claims import registered


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


TOWERS = {  # by the experiment of `all_images`
    "embedded": "72 channels at rate 0.45",
    "elsewhere": "72 channels in batches of 8 at rate 0.15",
    "remedies": "144 channels at rate 0.3",
}


@registered("09.all-images")
def all_images() -> tuple[bool, str]:
    runs, told = counted_on_all(), []
    for experiment, tower in TOWERS.items():
        group = [run for run in runs if run.experiment == experiment]
        shares = zip(*(run.worst for run in group))
        few, many, every = (percent(sum(each) / len(each)) for each in shares)
        told.append(f"{tower} {few}, {many}, {every} of {group[0].images:,}")
    fallen = max(run.worst[1] - run.worst[2] for run in runs)
    words = [tuple(word_of(run.worst[place]) for place in (0, 2)) for run in runs]
    other = sum(few != every for few, every in words)
    return ("dies", "lives") not in words and fallen < 0.2, (
        f"500 are not all either. {len(runs)} runs of unscaled towers were made once more, and all "
        f"training images were looked at. Dead in the worst block, on {FEW} images, on {MANY} and "
        f"on all (means): {'; '.join(told)}. From {MANY} to all a run loses at most "
        f"{100 * fallen:.0f} points, and {other or 'none'} of them would have another word on all "
        f"than on {FEW}."
    )
