"""What several trained networks said of the same test images: ensembles of them, and how two
ensembles compare image by image (C9).

    answers = Answers.of(load_results("race"))
    outcome(answers, [0, 5, 6, 7], "12 crops").error
    compare(answers, ([0, 5, 6, 7], "12 crops"), ([0], "12 crops")).sentence("the mixture", "one")
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from inception_edu.describe import NETWORKS, network
from inception_edu.learn import error_correlation, interval, right
from inception_edu.study.crops import crop_logits
from inception_edu.study.results import Result

Z = 1.959964  # of a 95 % interval
POWERED = 0.841621  # the normal quantile of 80 %: four of five


@dataclass(frozen=True, eq=False)
class Answers:
    """What M trained networks said of the same N test images, by kind of crop.

    labels   N
    kinds    the network of each member, a key of `networks.NETWORKS`
    seeds    its seed
    rows     by kind of crop ("1 crop", "12 crops", …), M×N×classes: logits, or logarithms of mean
             probabilities
    """

    labels: Tensor
    kinds: tuple[str, ...]
    seeds: tuple[int, ...]
    rows: dict[str, Tensor]

    @classmethod
    def of(cls, results: Iterable[Result]) -> Answers:
        """The answers of those runs that kept any. Raises ValueError where there are none, or where
        they are answers to different images."""
        kept = [result for result in results if "labels" in result.extras]
        if not kept:
            raise ValueError(
                "None of these runs kept answers: run an experiment whose configurations have "
                'after="crops", such as "race".'
            )
        said = [crop_logits(result) for result in kept]
        labels = said[0][0]
        if not all(torch.equal(labels, other) for other, _ in said):
            raise ValueError(
                "These runs answered about different test images, so they cannot be averaged."
            )
        return cls(
            labels,
            tuple(r.config.network for r in kept),
            tuple(r.seed for r in kept),
            {crops: torch.stack([rows[crops] for _, rows in said]) for crops in said[0][1]},
        )

    def __len__(self) -> int:
        return len(self.kinds)

    @cached_property
    def shares(self) -> dict[str, Tensor]:
        """Probabilities, M×N×classes, by kind of crop."""
        return {crops: rows.softmax(2) for crops, rows in self.rows.items()}

    @cached_property
    def networks(self) -> tuple[str, ...]:
        """The kinds of networks there are, in the order of `NETWORKS`."""
        return tuple(kind for kind in NETWORKS if kind in self.kinds)

    def of_kind(self, kind: str) -> list[int]:
        """The places of a network's members, by seed."""
        return sorted(
            (i for i, k in enumerate(self.kinds) if k == kind), key=lambda i: self.seeds[i]
        )

    def wrong(self, chosen: Sequence[int], crops: str) -> Tensor:
        """For each test image, whether the average of the chosen members' probabilities misses it:
        N booleans."""
        return ~right(self.shares[crops][list(chosen)].mean(0), self.labels)

    def error(self, chosen: Sequence[int], crops: str) -> float:
        """Error of the chosen members' average, 0 to 1."""
        return self.wrong(chosen, crops).double().mean().item()


@dataclass(frozen=True)
class Outcome:
    """An ensemble's error (0 to 1) with its 95 % interval, its members' errors, and how they agree
    (None for one)."""

    error: float
    interval: tuple[float, float]
    members: tuple[float, ...]
    disagreement: float | None = None
    q: float | None = None

    @property
    def gain_on_best(self) -> float:
        """By how much the ensemble's error is below its best member's; a share."""
        return min(self.members) - self.error

    @property
    def gain_on_mean(self) -> float:
        """By how much it is below the members' mean error; a share."""
        return sum(self.members) / len(self.members) - self.error


def outcome(answers: Answers, chosen: Sequence[int], crops: str) -> Outcome:
    """What averaging the chosen members reaches. The interval is Wilson's: what another draw
    of test images could change. Raises ValueError where no member is chosen."""
    if not chosen:
        raise ValueError("Choose at least one member.")
    wrong = answers.wrong(chosen, crops)
    together = (
        error_correlation(list(answers.rows[crops][list(chosen)]), answers.labels)
        if len(chosen) > 1
        else {}
    )
    return Outcome(
        wrong.double().mean().item(),
        interval(int(wrong.sum()), len(wrong)),
        tuple(answers.error([i], crops) for i in chosen),
        together.get("disagreement"),
        together.get("q"),
    )


def words_for(answers: Answers, chosen: Sequence[int]) -> str:
    """For example "Inception-v4 (seed 0) + Inception-ResNet-v2 (seeds 0, 1, 2)"."""
    parts = []
    for kind in answers.networks:
        seeds = [answers.seeds[i] for i in answers.of_kind(kind) if i in chosen]
        if seeds:
            parts.append(
                f"{network(kind).name} (seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))})"
            )
    if len(chosen) == len(answers) and len(answers.networks) > 1:
        return f"all {len(answers)} members"
    return " + ".join(parts) or "nobody"


def mixtures(a: Answers) -> dict[str, tuple[int, ...]]:
    """Choices worth a look: a member, a network with all its seeds or four of them, the paper's
    mixture, all."""
    found = {}
    for kind in a.networks:
        places = tuple(a.of_kind(kind))
        for count in sorted({1, min(4, len(places)), len(places)}):
            found[f"{count} × {network(kind).name}"] = places[:count]
    if {"inception_v4", "inception_resnet_v2"} <= set(a.networks):
        mixed = a.of_kind("inception_v4")[:1] + a.of_kind("inception_resnet_v2")[:3]
        if len(mixed) == 4:
            found["the paper's: 1 × Inception-v4 + 3 × Inception-ResNet-v2"] = tuple(sorted(mixed))
    if len(a.networks) > 1:
        found["one of each network"] = tuple(a.of_kind(kind)[0] for kind in a.networks)
        found[f"all {len(a)} members"] = tuple(range(len(a)))
    return found


# --- Two ensembles, image by image ----------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """One ensemble against another on the same images: `saved`, the places of the images that only
    the first names rightly, `spoiled`, those that only the second does; `images` in all."""

    saved: tuple[int, ...]
    spoiled: tuple[int, ...]
    images: int

    @property
    def gain(self) -> float:
        """How much smaller the first one's error is, as a share of the images."""
        return (len(self.saved) - len(self.spoiled)) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """95 % of the gain, for another draw of test images: paired, so that only the images count
        on which the two differ (Agresti and Min, Statistics in Medicine 24, 2005)."""
        saved, spoiled, n = len(self.saved) + 0.5, len(self.spoiled) + 0.5, self.images + 2
        middle = (saved - spoiled) / n
        half = Z * math.sqrt(saved + spoiled - (saved - spoiled) ** 2 / n) / n
        return middle - half, middle + half

    @property
    def seen(self) -> str:
        """ "better", "worse", or "" where these images show no difference."""
        low, high = self.interval
        if low > 0:
            return "better"
        return "worse" if high < 0 else ""

    @property
    def could_have_seen(self) -> float:
        """The smallest gain that four of five such draws of images would have shown."""
        low, high = self.interval
        return (high - low) / 2 * (1 + POWERED / Z)

    def sentence(self, first: str, second: str) -> str:
        """The comparison in words; where no difference is seen, with what could have been."""
        low, high = (100 * x for x in self.interval)
        verdict = {
            "better": f"{first} is better than {second}",
            "worse": f"{first} is worse than {second}",
            "": f"these {self.images:,} images show no difference between {first} and {second} "
            f"({100 * self.could_have_seen:.1f} points would show)",
        }[self.seen]
        verdict = verdict[0].upper() + verdict[1:]
        images = "image" if len(self.saved) == 1 else "images"
        counts = f"it saves {len(self.saved)} {images} and spoils {len(self.spoiled)}"
        points = (
            f"{100 * self.gain:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})"
        ).replace("-", "−")
        return f"{verdict}: {counts}, which is {points}."


Row = tuple[Sequence[int], str]  # members by their places, and a kind of crop


def compare(answers: Answers, first: Row, second: Row) -> Comparison:
    """Two ensembles image by image. Raises ValueError where one has no members."""
    if not first[0] or not second[0]:
        raise ValueError("Choose at least one member for each of the two.")
    wrong, other = answers.wrong(*first), answers.wrong(*second)
    return Comparison(
        tuple((other & ~wrong).nonzero().flatten().tolist()),
        tuple((wrong & ~other).nonzero().flatten().tolist()),
        len(answers.labels),
    )


def best_member(answers: Answers, chosen: Sequence[int], crops: str) -> int:
    """The place of the chosen member with the smallest error."""
    return min(chosen, key=lambda i: answers.error([i], crops))
