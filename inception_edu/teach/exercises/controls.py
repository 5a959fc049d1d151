"""What is wrong with the control of an experiment: the judgement behind exercise 10.5."""

from __future__ import annotations

from typing import Any

from inception_edu.teach.verdict import short


def faults_of_control(blocks: Any, rates: Any, seeds: Any, steps: Any) -> list[str]:
    """Sentences on what makes the control unequal to the towers; none: it is a fair one."""
    faults = []
    if isinstance(blocks, bool) or blocks != 0:
        made = "1 block makes" if blocks == 1 else f"{short(blocks)} blocks make"
        text = f"{made} one more tower; leave the blocks out altogether."
        faults.append(text if isinstance(blocks, int) else "`blocks` is a number of blocks.")
    if isinstance(rates, (int, float)):
        rates = [rates]
    if not isinstance(rates, (list, tuple, set)):
        faults.append("`rates` is a list of learning rates.")
    else:
        lacking = [rate for rate in (0.02, 0.05, 0.1) if rate not in rates]
        if lacking:
            words = ", ".join(map(str, lacking)) + (" is" if len(lacking) == 1 else " are")
            faults.append(
                f"The towers were tuned over three rates, the control was not: {words} missing. "
                "A control that is tuned less loses for that reason."
            )
    if not isinstance(seeds, int) or isinstance(seeds, bool):
        faults.append("`seeds` is a number of seeds.")
    elif seeds < 5:
        few = "1 seed shows no spread" if seeds == 1 else f"{seeds} seeds show less than five"
        faults.append(f"{few}: take five, as the towers have.")
    if steps != 600:
        more = "more" if isinstance(steps, (int, float)) and steps > 600 else "fewer"
        faults.append(f"The towers learned for 600 steps; with {more} it is another race.")
    return faults
