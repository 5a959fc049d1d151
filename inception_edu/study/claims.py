"""The paper's claims C1 to C10, each with the verdict that the committed runs give it.

    for claim in CLAIMS.values():
        print(claim.id, claim.verdict().word)
    python -m inception_edu.study claims          the table, with the evidence

A claim is data: what the paper says and where, which difference would matter, what a full
replication would need. Its `judge` reads committed results and hands evidence to `verdict`: the
rule is in docs/verdicts.md, nothing here chooses a word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from inception_edu.study import claims_dying as dying
from inception_edu.study import claims_race as race
from inception_edu.study.results import load_results
from inception_edu.study.verdicts import Verdict


@dataclass(frozen=True)
class PaperClaim:
    """One claim of the paper.

    says      the claim, where: its place in the paper
    margin    which difference would matter (docs/verdicts.md: which runs existed then)
    needs     what a full replication would take
    rests_on  the experiments whose committed runs it is judged by
    judge     () → Verdict, from committed results alone
    """

    id: str
    says: str
    where: str
    margin: str
    needs: str
    rests_on: tuple[str, ...]
    judge: Callable[[], Verdict]

    def verdict(self) -> Verdict:
        return _verdict(self.id)

    @property
    def made(self) -> str:
        """The runs that the verdict counts, and the hardware and the time of the experiments that
        they are from, in words."""
        return made(self.rests_on, self.verdict().runs)

    def to_dict(self) -> dict:
        """Plain JSON types, the verdict included."""
        names = ("id", "says", "where", "margin", "needs", "made")
        return {name: getattr(self, name) for name in names} | {"verdict": self.verdict().to_dict()}


IMAGENET = "ImageNet at 299×299, the full networks, the paper's schedule, five seeds a network"
WIDE = (
    "the full Inception-ResNets (1152 to 2144 channels) on ImageNet for some 50,000 iterations, "
    "scale 1 and 0.1, at least five seeds"
)

RACES = ("race_tuning", "race", "race_more", "deep_race_tuning", "deep_race", "longer_race")

CLAIMS = {
    claim.id: claim
    for claim in (
        PaperClaim(
            "C1",
            "Residual connections speed up the training of Inception networks significantly.",
            "abstract, Figs 21 to 26",
            "2 points of mean test error on the way, in both deep pairs of equal cost",
            IMAGENET,
            RACES,
            race.speed,
        ),
        PaperClaim(
            "C2",
            "Residual networks end better only by a thin margin; final accuracy follows the size.",
            "abstract, Fig. 25",
            "1 point of final test accuracy, to either side",
            IMAGENET,
            RACES,
            race.final_accuracy,
        ),
        PaperClaim(
            "C3",
            "Above some 1000 filters the unscaled residual network dies, and stays dead.",
            "Section 3.3",
            "the fates of docs/verdicts.md: 1152 channels die and stay dead, 72 and 144 live",
            WIDE,
            ("dying", "recovery", "wide", "narrow", "slow_return", "paper_width"),
            dying.wide_networks_die,
        ),
        PaperClaim(
            "C4",
            "A wide unscaled network dies at a lower rate too, and with one more batch norm.",
            "Section 3.3",
            "the fates of docs/verdicts.md: both die",
            WIDE + ", with a tenth of the rate and with both readings of the extra batch norm",
            ("remedies", "dying", "wide", "paper_width"),
            dying.not_prevented,
        ),
        PaperClaim(
            "C5",
            "Scaling the residuals by 0.1 to 0.3 before the addition stabilises training.",
            "Section 3.3, Fig. 20",
            "the fates of docs/verdicts.md: scaled towers live where the unscaled one dies",
            WIDE,
            ("remedies", "long", "dying", "wide", "paper_width"),
            dying.scaling_stabilises,
        ),
        PaperClaim(
            "C6",
            "Where filters are very many the network dies with a two-phase warm-up too.",
            "Section 3.3",
            "the fates of docs/verdicts.md: warmed-up towers die",
            WIDE + ", with the warm-up of very deep ResNets",
            ("remedies", "warm_ups"),
            dying.warm_up_is_not_enough,
        ),
        PaperClaim(
            "C7",
            "Where scaling is not strictly necessary it never harms the final accuracy.",
            "Section 3.3",
            "not worse by 1 point of final test accuracy or more",
            IMAGENET + ", scaled and unscaled, each at a rate of its own",
            ("scaling", "depth", "paper_width"),
            dying.scaling_does_no_harm,
        ),
        PaperClaim(
            "C8",
            "Inception-ResNet-v2 matches the raw cost of Inception-v4.",
            "Section 3.2",
            "5 % of the multiply-adds",
            "nothing: the multiply-adds follow from the figures (their time does not)",
            (),
            race.raw_cost,
        ),
        PaperClaim(
            "C9",
            "More crops and ensembles improve the result.",
            "Tables 3 to 5",
            "1 point of test error for 12 crops, and for the ensemble",
            IMAGENET + ", ensembles of four",
            ("race",),
            race.crops_and_ensembles,
        ),
        PaperClaim(
            "C10",
            "Where a network dies unscaled, scaling is necessary: it alone keeps it alive.",
            "summary (an open question)",
            "the fates of docs/verdicts.md: every other remedy dies",
            WIDE + ", with every other remedy",
            ("remedies", "long", "recovery", "dying", "wide", "paper_width"),
            dying.scaling_is_necessary,
        ),
    )
}


@cache
def made(experiments: tuple[str, ...], counted: int) -> str:
    """How many runs of these experiments a verdict counts, on which hardware they were made, and in
    how much time."""
    runs = [run for name in experiments for run in load_results(name)]
    if not runs:
        return "Counted, not run."
    times: dict[str, list[float]] = {}
    for run in runs:
        place = run.versions.get("card") or f"one core of a {run.device.upper()}"
        times.setdefault(place, []).append(run.seconds)
    told = " and ".join(
        f"{len(each)} on {'an ' if place.startswith('N') else ''}{place} ({_hours(sum(each))})"
        for place, each in times.items()
    )
    *others, last = experiments
    named = f"{', '.join(others)} and {last}" if others else last
    return f"{counted} of the {len(runs)} runs of {named} are evidence. All of them: {told}."


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds > 5400 else f"{seconds / 60:.0f} minutes"


@cache
def _verdict(name: str) -> Verdict:
    return CLAIMS[name].judge()


def table() -> str:
    """All claims with their verdicts and evidence, as plain text."""
    lines = []
    for claim in CLAIMS.values():
        found = claim.verdict()
        scope = "" if found.scope == "full" else " (tested at reduced scale)"
        lines.append(f"{claim.id:4} {found.word}{scope}: {claim.says}")
        for e in found.evidence:
            lines += [
                f"       {e.word:8} {e.sentence}",
                *(f"                {why}" for why in e.why),
            ]
        if found.why:
            lines.append(f"       because {found.why}")
        lines.append(f"       made     {claim.made}")
    return "\n".join(lines)
