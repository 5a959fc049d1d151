"""What chapter 09 says about dead channels when more images are looked at."""

from __future__ import annotations

from inception_edu.study import fate, load_results
from inception_edu.study.fates import word_of
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
