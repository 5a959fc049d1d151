"""What chapter 09 says about its results, computed from the committed runs."""

from __future__ import annotations

from statistics import mean

from scipy import stats

from inception_edu.study import difference, fate, fate_of_cell, holm, load_results, summarise
from inception_edu.study.claims_dying import dead_at, fates_of
from inception_edu.study.experiments_dying import cell
from inception_edu.study.fates import LIVES_BELOW, between
from inception_edu.study.lengths import committed_lengths
from inception_edu.study.statistics import Difference

# These register the claims in them.
from inception_edu.teach.claims import ch09_full as ch09_full
from inception_edu.teach.claims import ch09_images as ch09_images
from inception_edu.teach.claims import ch09_predictor as ch09_predictor
from inception_edu.teach.claims import ch09_remedies as ch09_remedies
from inception_edu.teach.claims import ch09_replicas as ch09_replicas
from inception_edu.teach.claims import ch09_wide as ch09_wide
from inception_edu.teach.claims import registered

WIDTHS = (72, 144, 288, 576, 1152, 2304)
RATE = 0.045


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def shares(experiment: str, value: str) -> dict[str, tuple[float, ...]]:
    """{label: the value of each seed} of an experiment."""
    cells = summarise(load_results(experiment), value)
    return {label: tuple(cell.values) for label, cell in cells.items()}


@registered("09.wider-is-worse")
def wider_is_worse() -> tuple[bool, str]:
    dead = summarise(load_results("dying"), "dead_last", by=("width", "scale", "lr"))
    means = [dead[width, 1.0, RATE].mean for width in WIDTHS]
    told = ", ".join(f"{width}: {percent(m)}" for width, m in zip(WIDTHS, means))
    runs = [(width, share) for width in WIDTHS for share in dead[width, 1.0, RATE].values]
    ranks = stats.spearmanr(*zip(*runs))
    return means == sorted(means) and means[0] == 0 and bool(ranks.pvalue < 0.05), (
        "At the paper's rate and unscaled, a wider tower has more dead channels in its last block. "
        f"The share grows gradually with the width ({told} after 60 steps; rank correlation "
        f"{ranks.statistic:.2f} over {len(runs)} runs)."
    )


@registered("09.no-blocks")
def no_blocks() -> tuple[bool, str]:
    found = fates_of("no_blocks")
    *others, widest = found  # 2304 channels at three times the rate come last
    runs = sum(len(found[label].dead) for label in others)
    lives = all(found[label].word == "lives" for label in others)
    return lives and min(found[widest].dead) > LIVES_BELOW, (
        f"Is it the blocks that die? Without them (scale 0) the towers of all widths live, at the "
        f"paper's rate and at three times of it ({runs} runs), but for one: *{widest}* "
        f"{found[widest].sentence}. There the stem dies by itself. So a scale of 0.1 could not "
        "save this tower."
    )


@registered("09.scale-and-rate")
def scale_and_rate() -> tuple[bool, str]:
    found = fates_of("dying")
    narrow, wide = (found[cell(width, 0.1, 0.14)] for width in WIDTHS[-2:])
    third = found[cell(WIDTHS[-1], 1, 0.015)]
    return (narrow.word, wide.word) == ("lives", "dies") and max(third.dead) < min(wide.dead), (
        f"Scaling does not save every tower. At a rate of 0.14, three times the paper's, and with "
        f"a scale of 0.1, the tower of {WIDTHS[-2]} channels {narrow.sentence}. The tower of "
        f"{WIDTHS[-1]} channels {wide.sentence}. Unscaled and at a third of the paper's rate, less "
        f"of the same tower is dead: it {third.sentence}."
    )


@registered("09.one-change")
def one_change() -> tuple[bool, str]:
    found = fates_of("causes")
    # Momentum has a sentence of its own: it cannot be separated from the rate.
    alone = [label for label in found if label != "as it is" and "momentum" not in label]
    die = [label for label in alone if found[label].word == "dies"]
    return len(die) == len(alone) - 1 and found["slow classifier"].word == "lives", (
        f"With one of these changes alone the tower still dies: {', '.join(die)}. This does not "
        "show that what was changed plays no part. Where two causes are each enough, taking one "
        f"away changes nothing. With a slow classifier it {found['slow classifier'].sentence}."
    )


@registered("09.patient")
def patient() -> tuple[bool, str]:
    narrow = fates_of("causes")["as it is"]
    wide = fates_of("dying")[cell(1152, 1, RATE)]
    return narrow.word == "dies" and min(narrow.dead) > min(wide.dead), (
        f"The tower of this experiment, 144 channels at rate 0.3, {narrow.sentence}. A tower of "
        f"1152 channels at the paper's rate {wide.sentence}. Both after 60 steps."
    )


@registered("09.momentum")
def momentum() -> tuple[bool, str]:
    found = fates_of("causes")
    without, restored = found["no momentum"], found["no momentum, rate × 10"]
    return (without.word, restored.word) == ("lives", "dies"), (
        f"Without momentum the tower {without.word} ({len(without.dead)} seeds). But then its "
        f"rate is in effect a tenth. With ten times the rate it {restored.word}. So these runs "
        "cannot separate momentum from the rate."
    )


@registered("09.two-mechanisms")
def two_mechanisms() -> tuple[bool, str]:
    found = fates_of("mechanism")
    ways = ("centred classifier input", "classifier rate per width")
    alone = [found[f"width 144: {way}"] for way in ways]
    both = found["width 144: centred input and rate per width"]
    return all(f.word == "lives" for f in (*alone, both)), (
        "Two changes at the classifier save the tower of 144 channels, each by itself. With the "
        f"batch mean taken from the classifier's input it {alone[0].sentence}. With a classifier "
        f"rate in proportion to 1/width it {alone[1].sentence}. With both it {both.sentence}."
    )


@registered("09.wider-centred")
def wider_centred() -> tuple[bool, str]:
    found = fates_of("mechanism")
    centred = found["width 288: centred classifier input"]
    both = found["width 288: centred input and rate per width"]
    held = found["width 144: centred classifier input, mean held"]
    return max(both.dead) < min(centred.dead) and held.word != "lives", (
        "They are not the same remedy. At 288 channels the tower with the centred input alone "
        f"{centred.sentence}. With the lower rate too it {both.sentence}. In one more row no "
        "gradient passes through the mean, so the push on the blocks stays. There the tower of 144 "
        f"channels {held.sentence}."
    )


@registered("09.c4")
def neither_nor() -> tuple[bool, str]:
    found = fates_of("remedies")
    words = {label: found[label].word for label in ("rate / 10", "norm in last branch")}
    return words == {"rate / 10": "lives", "norm in last branch": "dies"}, (
        "The paper says that the network dies at a lower rate too, and with an extra batch norm. "
        f"Here, after 60 steps, the tower {words['rate / 10']} at a tenth of the rate. With batch "
        f"norm inside the last branch it {words['norm in last branch']}; with batch norm after the "
        f"last sum it {found['norm after last sum'].word}."
    )


@registered("09.lasting")
def lasting() -> tuple[bool, str]:
    short, long = fates_of("remedies"), fates_of("long")
    fell = [x for x in long if x in short and (short[x].word, long[x].word) != (long[x].word,) * 2]
    kept = [x for x in long if long[x].word == "lives"]
    told = "; ".join(f"{x} {short[x].word} for 60 steps and {long[x].word} at 3000" for x in fell)
    return {"scale 0.1", "rate / 10"} <= set(kept), (
        f"These towers live for 3000 steps: {'; '.join(kept)}. These have another word after 60 "
        f"steps than after 3000: {told or 'none'}."
    )


@registered("09.earn")
def earn() -> tuple[bool, str]:
    gaps = _earned()
    same, slow, last, _ = gaps.values()
    return all(gap.seen != "less" for gap in gaps.values()), (
        "A tower that lives need not be better than no tower. After 3000 steps, blocks at a scale "
        "of 0.1 against "
        f"none at the same rate: {same.text()}, {same.word()}. Unscaled blocks at a tenth of the "
        f"rate against none: {slow.text()}, {slow.word()}. Unscaled blocks with a slow classifier "
        f"against none with the same: {last.text()}, {last.word()}."
    )


def _earned() -> dict[str, Difference]:
    """What the blocks of towers with a remedy are worth in the long runs, corrected together."""
    cells, longer = (summarise(load_results(name)) for name in ("long", "long_norm"))
    return holm(
        {
            "scale": difference(cells["scale 0.1"], cells["blocks switched off"]),
            "rate": difference(cells["rate / 10"], cells["blocks switched off, rate / 10"]),
            "classifier": difference(
                cells["slow classifier"], cells["blocks switched off, slow classifier"]
            ),
            "norm": difference(longer["norm after last sum"], longer["blocks switched off"]),
        }
    )


@registered("09.long-norm")
def long_norm() -> tuple[bool, str]:
    """The remedy whose share of dead channels still rose when `long` ended, for twice as long."""
    runs, found = load_results("long_norm"), fates_of("long_norm")
    label, none = dict.fromkeys(run.label for run in runs)
    gap = _earned()["norm"]
    followed = [run for run in runs if run.label == label]
    end = followed[0].config.recipe.steps
    half, last = (
        between([max(dead_at(run, step).values()) for run in followed]) for step in (end // 2, end)
    )
    rising = sum(fate(run).trend == "rising" for run in followed)
    return found[label].word == "suffers", (
        f"With batch norm after the last sum the tower of 144 channels {found[label].word} after "
        f"{end} steps, in {found[label].counts[found[label].word]} of {len(followed)} runs. In the "
        f"worst block {half} are dead in the batch at step {end // 2}, and {last} at step {end}; "
        f"there the share still rises in {rising} of {len(followed)} runs. The tower without "
        f"blocks {found[none].sentence}. Accuracy against it: {gap.text()}, {gap.word()}."
    )


@registered("09.released")
def released() -> tuple[bool, str]:
    found = committed_lengths()
    last = found["Inception-ResNet-v2 as released"]
    before = sum(last.before) / len(last.before)
    paper = found["Inception-ResNet-v2, scale 0.1"].cell
    plain = found["Inception-v4"].cell
    return last.cell.mean < before / 4 and paper.mean > 4 * plain.mean, (
        f"Rate × ‖a‖² at the paper's rate, before any training, is {RATE * plain.mean:.0f} in "
        f"Inception-v4, {RATE * paper.mean:.0f} in Inception-ResNet-v2 with scale 0.1, and "
        f"{RATE * last.cell.mean:.0f} in the released network. There a last 1×1 convolution with "
        f"batch norm takes ‖a‖² from {before:.0f} to {last.cell.mean:.0f}. We found nowhere "
        "why it was added."
    )


@registered("09.time-of-death")
def time_of_death() -> tuple[bool, str]:
    later, pushes = [], []
    for run in (r for r in load_results("causes") if r.label == "as it is"):
        dead, push = list(run.maps["dead"].values())[-1], run.curves["push"]
        peak = push.index(max(push))
        over = next(i for i, p in enumerate(push) if i > peak and abs(p) < 0.1)
        later.append((dead[over - 1], run.dead_last - dead[over]))
        pushes.append(max(push) / push[0])
    died = all(before < 0.1 and after > 0.2 for before, after in later)
    return died and min(pushes) > 2, (
        f"In the {len(later)} runs of the tower of Experiment 2 the push grows to "
        f"{min(pushes):.2g} to {max(pushes):.2g} times its first value. While it lasts, at most "
        f"{percent(max(b for b, _ in later))} of the last block is dead. When it is over, at least "
        f"{percent(min(a for _, a in later))} more die."
    )


@registered("09.returns")
def returns() -> tuple[bool, str]:
    runs = [r for r in load_results("long") if r.label == "nothing"]
    ends = [fate(r) for r in runs]
    known = [(f.peak, f.dead) for f in ends if f.peak is not None and f.dead is not None]
    back = [peak for peak, dead in known if peak - dead > 0.1]
    return len(back) > 0, (
        f"Dead channels can come back. In {len(back)} of {len(runs)} unscaled runs of 3000 steps "
        "more than a tenth of the worst block's channels did, after the worst moment. "
        f"Even so the tower {fate_of_cell(ends).sentence}."
    )


@registered("09.lower-rate")
def lower_rate() -> tuple[bool, tuple[str, str]]:
    short, long = fates_of("remedies"), fates_of("long")
    words = [(found["nothing"].word, found["rate / 10"].word) for found in (short, long)]
    dies, lives = long["nothing"].counts.get("dies", 0), long["rate / 10"].counts.get("lives", 0)
    runs = [sum(long[label].counts.values()) for label in ("nothing", "rate / 10")]
    return words == [("dies", "lives")] * 2, (
        "Scaling is not the only remedy. An unscaled tower of 144 channels dies at rate 0.3 in "
        f"{dies} of {runs[0]} runs of 3000 steps, and lives at a tenth of the rate in {lives} of "
        f"{runs[1]}. After 60 steps the same seeds say the same.",
        f"{dies} of {runs[0]} towers die; at a tenth of the rate {lives} of {runs[1]} live.",
    )


@registered("09.another-victim")
def another_victim() -> tuple[bool, str]:
    worst, last = shares("causes", "dead_most"), shares("causes", "dead_last")
    label = "slow last layers"
    saved, elsewhere = mean(last[label]), min(worst[label])
    pushed, before = (_push(name) for name in (label, "as it is"))
    return saved < 0.2 and elsewhere > 0.5 and pushed > before / 2, (
        f"Slow last layers save the last block ({saved:.0%} dead in the mean), but the push is "
        f"still there: at its highest it is {pushed:.1f}, and {before:.1f} in the tower as it is "
        f"(means). It reaches other blocks: in every run at least {elsewhere:.0%} of some block is "
        "dead."
    )


def _push(label: str) -> float:
    """The highest push of the runs of `causes` with this label, on average."""
    return mean(max(r.curves["push"]) for r in load_results("causes") if r.label == label)


@registered("09.both-halves")
def both_halves() -> tuple[bool, str]:
    small = min(shares("causes", "dead_most")["small last layers"])
    scaled = max(shares("remedies", "dead_most")["scale 0.1"])
    return small > 0.5 and scaled < 0.1, (
        f"Small last layers alone do not help: at least {small:.0%} of some block is dead. A scale "
        f"of 0.1 makes them small *and* slow, and helps: at most {scaled:.0%}."
    )
