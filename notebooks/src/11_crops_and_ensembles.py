# %% [markdown]
# # Crops and ensembles
#
# Ask a network twelve times about one image, or ask several networks. We retell Tables 2 to 5 of
# the paper. Then we measure what each kind of averaging brings, what it costs, and whether a better
# network also makes a better ensemble.
#
# **After this chapter you can**
#
# 1. average predictions over crops and over networks, and say which of the paper's tables may be
#    compared;
# 2. judge a gain by its interval, and set it against the forward passes it costs;
# 3. say whether networks err together, and what that leaves for an ensemble.

# %% tags=["hide-input"]
# @title Imports
import math
from dataclasses import replace
from functools import partial
from itertools import combinations

import torch

from inception_edu.data import load
from inception_edu.describe import AAAI, BLACKLISTED, TABLE_2, TABLE_3, TABLE_4, TABLE_5, TEST_TOP5
from inception_edu.describe import VALIDATION_IMAGES, networks
from inception_edu.labs.ensembles import ensembles_lab
from inception_edu.learn import clock, default_device, device_of, error_rate, interval
from inception_edu.learn import logits, train
from inception_edu.nets import build
from inception_edu.study import CROPS, RACERS, Answers, Recipe
from inception_edu.study import experiments, gains, holm, load_results
from inception_edu.teach import begin, check, contrasts, five_lines, opening_figure, outcome, plots
from inception_edu.teach import predict, provenance, say, table, verdicts

QUICK = experiments.mode() == "quick"
begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("11.members", "11.shared")

# %%
opening_figure("11")

# %% [markdown]
# ## The claim
#
# The paper's best numbers are averages: over 144 crops of an image, and over four networks. The
# introduction says that averaging helps, but with a surprise: "gains on the single-frame
# performance do not translate into similarly large gains on ensembled performance".
#
# ## What a crop is
#
# A network trained on windows of an image can be shown any window. Here are twelve windows of one
# image: four corners and the middle, then the whole image made smaller. Each is also mirrored. (The
# paper does not say which twelve it took. Its 144 are presumably GoogLeNet's: four sizes, three
# squares, six views, two sides.)

# %%
data = load("fashion")
image = data.test.images[:1].float()
views = list(CROPS["12 crops"](28)(image))

# %% tags=["hide-input", "picture"]
places = ("top left", "top right", "low left", "low right", "middle", "whole")
sides = [f"{place}{side}" for place in places for side in ("", " ⇄")]
shown = torch.cat([image[..., 2:30, 2:30], *views]).round().byte()
plots.show(
    plots.image_grid(shown, ["one crop", *sides], 7, 1.0),
    "One image of 32×32 pixels as a network for 28×28 sees it: one crop, then twelve, from the "
    "corners, the middle and the whole image, each also mirrored.",
)

# %% [markdown]
# How often does a network run for one image?

# %%
square, oblong = torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 48)
PASSES = {name: sum(1 for _ in make(28)(square)) for name, make in CROPS.items()}
wide = {name: sum(1 for _ in make(28)(oblong)) for name, make in CROPS.items()}
table(
    [(name, PASSES[name], wide[name]) for name in CROPS],
    ["", "passes, square image", "passes, oblong image"],
)

# %% [markdown]
# On a square image GoogLeNet's three squares are one and the same. So a third of the 144 gives the
# same average.
#
# ## The code: average the softmax
#
# The networks of an ensemble are its *members*. Crops and members are averaged in the same way: as
# probabilities, not as logits. Here one view is very sure of class 0, and two say class 1. Who
# wins?


# %%
def average(rows):
    """K×N×classes logits of K views or members → N×classes probabilities."""
    return rows.softmax(2).mean(0)


rows = torch.tensor([[[6.0, 0.0, 0.0]], [[0.0, 2.0, 0.0]], [[0.0, 2.0, 0.0]]])  # K = 3, N = 1
ways = {"mean probabilities": average(rows)[0], "mean logits": rows.mean(0)[0]}
table(
    [(name, *values.tolist()) for name, values in ways.items()],
    ["", "class 0", "class 1", "class 2"],
    formats=dict.fromkeys(["class 0", "class 1", "class 2"], ".2f"),
)

# %% [markdown]
# ## The paper's tables
#
# Errors in percent on ImageNet's validation images, top-1 and top-5. IR stands for
# Inception-ResNet. *Dense* means that the network read the whole image at once, without crops.

# %%
TABLES = {"1 crop": TABLE_2, "12 crops": TABLE_3, "144 crops": TABLE_4}
NAMES = {kind: networks.network(kind).name for kind in RACERS}

# %% tags=["hide-input"]
SHORT = {
    kind: name.replace("Inception-ResNet", "IR").replace("Inception-", "")
    for kind, name in NAMES.items()
}


ROW_NAMES = {"resnet_151": "ResNet-151", "mixed": "1 × v4 + 3 × IR-v2"}


def both(cell):
    return f"{cell['top1'] or '–'} / {cell['top5']}" if cell else ""


def who(row):
    return " + ".join(f"{n} × {SHORT.get(k, 'ResNet-151')}" for k, n in row["networks"].items())


kept = {"bn_inception": "BN-Inception", "resnet_151": 'ResNet-"151" (10 crops; dense)', **NAMES}
lines = [
    (name, *(both(printed.get(kind)) for printed in TABLES.values()), "")
    for kind, name in kept.items()
]
lines += [(who(row), "", "", "", both(row)) for row in TABLE_5.values()]
table(
    lines,
    ["", *TABLES, "ensemble"],
    caption="Top-1 / top-5 error in percent. Ensembles with 144 crops, that of ResNet-151 dense. "
    f"The last one on the test images: top-5 {TEST_TOP5}",
)

# %% [markdown]
# Two warnings before you subtract. Table 2 leaves out the "blacklisted" images, Tables 3 to 5 do
# not. And the two printed versions of the paper differ (arXiv and AAAI). The AAAI text prints the
# BN-Inception row of Table 2 again where arXiv has ResNet-151:

# %%
arxiv = {"TABLE_3": TABLE_3, "TABLE_5": TABLE_5}
table(
    [
        (which.replace("_", " ").title(), ROW_NAMES[row], both(arxiv[which][row]), both(numbers))
        for (which, row), numbers in AAAI.items()
    ],
    ["table of arXiv", "row", "arXiv", "AAAI"],
)

# %%
say(
    f"Table 2 leaves out {BLACKLISTED['images']:,} of {VALIDATION_IMAGES:,} images. The paper says "
    f"that this makes it better by about {BLACKLISTED['top1']} points (top-1) and "
    f"{BLACKLISTED['top5']} points (top-5)."
)

# %% [markdown]
# "ResNet-151" is a slip, too: He et al.'s network has 152 layers. In the figure, filled marks put
# Table 2 on the same images as the others. Hollow marks are the printed numbers.

# %% tags=["hide-input"]
MARK = dict(zip(RACERS, zip(plots.COLOURS, plots.MARKERS)))
fig = plots.figure(9, 3.8)
for k, top in enumerate(("top1", "top5")):
    axis = fig.add_subplot(1, 2, k + 1)
    for kind, (colour, mark) in MARK.items():
        printed = [printed_table[kind][top] for printed_table in TABLES.values()]
        axis.plot([0], printed[:1], mark, color=colour, mfc="none", ms=7)
        axis.plot(
            [printed[0] + BLACKLISTED[top], *printed[1:]],
            mark + "-",
            color=colour,
            label=NAMES[kind],
        )
    for key, colour, mark, label in (
        ("inception_v3", *MARK["inception_v3"], None),
        ("mixed", "#222222", "D", "1 × v4 + 3 × IR-v2"),
    ):
        axis.plot([3], [TABLE_5[key][top]], mark, color=colour, label=label, ms=7)
    axis.set_xticks(range(4), ["1 crop", "12 crops", "144 crops", "144 crops,\n4 networks"])
    axis.set(title=f"{top[:3]}-{top[3]} error", ylabel="%" if k == 0 else "")
    axis.grid(axis="y")
axis.legend(fontsize=8)
plots.show(
    fig,
    "The paper's top-1 and top-5 errors of four networks with 1, 12 and 144 crops and as "
    "ensembles. Every step lowers them. Two pairs of networks lie close together all the way.",
)

# %%
say("11.footing")

# %% [markdown]
# ### Do single gains carry over in the paper?

# %%
predict(
    "11.carry",
    "Network B makes 2 points fewer errors than network A. Average four copies of each, trained "
    "from their own seeds. How far apart will the ensembles be?",
    ["2 points", "less", "more"],
)

# %% [markdown]
# The paper's own pair goes from Inception-v3 to the two new networks, with 144 crops. The numbers
# are printed to 0.1, so rounding alone can change the difference of two gains by 0.2.

# %%
best = {
    top: min(TABLE_4[kind][top] for kind in ("inception_v4", "inception_resnet_v2"))
    for top in ("top1", "top5")
}
alone = {top: TABLE_4["inception_v3"][top] - best[top] for top in best}
together = {top: TABLE_5["inception_v3"][top] - TABLE_5["mixed"][top] for top in best}
table(
    {f"top-{t[3:]}": (alone[t], together[t], alone[t] - together[t]) for t in best},
    ["error", "points gained, one network", "four networks", "lost"],
    formats=dict.fromkeys(["points gained, one network", "four networks", "lost"], ".1f"),
)

# %% tags=["hide-input"]
outcome(
    "11.carry",
    "less" if alone["top1"] - together["top1"] > 0.2 else "2 points",
    "So it is in the paper for top-1. It depends on *which* errors B avoids. Averaging removes "
    "errors that change from seed to seed. If B avoids those, the ensemble of A catches up. If B "
    "avoids errors that all copies of A share, the gap stays.",
)

# %% [markdown]
# How exact are such numbers? Each error is a share of 50,000 images:

# %%
error = TABLE_4["inception_v4"]["top1"]
low, high = interval(round(error / 100 * VALIDATION_IMAGES), VALIDATION_IMAGES)
say(
    f"Inception-v4 with 144 crops: {error} % top-1 error. The 95 % interval for other images is "
    f"{100 * low:.2f} to {100 * high:.2f} %."
)

# %% [markdown]
# Networks compared on the *same* images have a narrower interval (exercise 4). But the paper keeps
# no answers image by image, and it prints one error for each network. We have the answers, and five
# seeds of each.
#
# ## Our runs
#
# The race of chapter 10 trained small versions of the four networks on windows of colour
# photographs. Each run kept what it said of the same test images, for 1, 12 and 144 crops.

# %%
race = [run for run in load_results("race") if "labels" in run.extras]
members = Answers.of(race)
kinds, everyone = members.networks, list(range(len(members)))
provenance(race)

# %% [markdown]
# ## Lab: put an ensemble together
#
# Choose members and crops. Nothing is trained, so the answer is there at once. *Add as a row* keeps
# a choice. *Against* compares the present choice with a row, or with its own best member, image by
# image: which pictures does the vote save, and which does it spoil?
#
# Start from the paper's mixture. Then: which four are best? Is a weak member ever worth having?
# What do 144 crops bring to *all* members together?
#
# Each button shows what its member is worth alone. Try many choices on the same images, and one of
# them is lucky: on fresh images its error would be larger.

# %%
lab = ensembles_lab()

# %% [markdown]
# ## Experiment 1: what do crops bring?

# %%
predict(
    "11.crops",
    "12 crops in place of 1: for how many of the four networks do five seeds show a gain?",
    ["none", "some", "all four"],
)

# %% [markdown]
# Each dot is a run, the strokes are means.

# %% tags=["hide-input"]
fig = plots.figure(9, 3.6)
for k, kind in enumerate(kinds):
    axis = fig.add_subplot(1, len(kinds), k + 1, sharey=fig.axes[0] if k else None)
    for i in members.of_kind(kind):
        axis.plot(
            [100 * members.error([i], c) for c in CROPS],
            "o-",
            color=MARK[kind][0],
            lw=0.8,
            alpha=0.6,
            ms=4,
        )
    group = members.of_kind(kind)
    means = [100 * sum(members.error([i], c) for i in group) / len(group) for c in CROPS]
    axis.plot(means, "_", color="#222222", ms=16, mew=2.2)
    axis.set_xticks(range(3), [c.split()[0] for c in CROPS])
    axis.set(
        title=NAMES[kind].replace("Inception-ResNet", "I.-ResNet"),
        xlabel="crops",
        xlim=(-0.4, 2.4),
        ylabel="" if k else "test error (%)",
    )
    axis.grid(axis="y")
plots.show(
    fig,
    "Test error of every run with 1, 12 and 144 crops, one panel a network; the means are marked.",
)

# %% [markdown]
# The points saved by each network, paired by seed. Each table is corrected as a whole (Holm).

# %%
first, second = (
    holm({NAMES[kind]: gains.crop_gain(members, kind, before, after) for kind in kinds})
    for before, after in (("1 crop", "12 crops"), ("12 crops", "144 crops"))
)
contrasts(first, "Error saved by 12 crops in place of 1")

# %%
contrasts(second, "Error saved by 144 crops in place of 12")

# %% tags=["hide-input"]
seen = sum(gap.seen == "more" for gap in first.values())
some = "some" if seen else "none"
outcome(
    "11.crops",
    "all four" if seen == len(first) else some,
    f"A gain is seen for {seen} of {len(first)} networks, corrected for {len(first)} comparisons.",
)

# %%
say("11.more-crops")

# %% [markdown]
# Three quarters of the 144 crops come from an image made larger than any that these networks were
# trained on. More crops are also *other* crops.
#
# What does a second buy? One network, the three kinds of crops timed in turns:

# %%
network = build(networks.mini(networks.inception_v4(), 1 / 16, RACERS["inception_v4"], 28), seed=0)
network = network.to(default_device())
some = data.test[: 8 if QUICK else 50]
calls = {c: partial(logits, network, data, some, CROPS[c](28)) for c in CROPS}
timings = clock(calls, rounds=3, budget=20, device=device_of(network))

# %% tags=["hide-input"]
spent = {c: 1000 * timings[c].median / len(some) for c in CROPS}
table(
    [
        (c, PASSES[c], spent[c], spent[c] / spent["1 crop"])
        + (gains.misses(members, everyone, c).mean().item(),)
        for c in CROPS
    ],
    ["", "passes", "ms an image", "times one crop", "mean error"],
    formats={"ms an image": ".2f", "times one crop": ".1f", "mean error": ".1%"},
)

# %% [markdown]
# ## Experiment 2: what do members bring?
#
# Ensembles of every size. Left: seeds of one network, all possible choices. Right: members of any
# kind, 30 random choices of each size.

# %%
by_kind = {
    (kind, k): [members.error(c, "1 crop") for c in gains.choices(members.of_kind(kind), k)]
    for kind in kinds
    for k in range(1, len(members.of_kind(kind)) + 1)
}
mixed = {
    k: [members.error(c, "1 crop") for c in gains.choices(everyone, k)]
    for k in range(1, len(everyone) + 1)
}

# %% tags=["hide-input"]
fig = plots.figure(9, 3.6)
axis = fig.add_subplot(1, 2, 1)
for j, kind in enumerate(kinds):
    sizes = [k for name, k in by_kind if name == kind]
    for k in sizes:
        axis.plot(
            [k + 0.13 * (j - 1.5)] * len(by_kind[kind, k]),
            [100 * e for e in by_kind[kind, k]],
            MARK[kind][1],
            color=MARK[kind][0],
            alpha=0.35,
            ms=3.5,
            mew=0,
        )
    axis.plot(
        [k + 0.13 * (j - 1.5) for k in sizes],
        [100 * sum(v) / len(v) for v in (by_kind[kind, k] for k in sizes)],
        color=MARK[kind][0],
        label=NAMES[kind],
    )
axis.set(title="Seeds of one network", xlabel="members", ylabel="test error (%)")
axis.legend(fontsize=8)
axis = fig.add_subplot(1, 2, 2, sharey=axis)
for k, values in mixed.items():
    axis.plot(
        [k] * len(values), [100 * e for e in values], "o", color="#555555", alpha=0.3, ms=3.5, mew=0
    )
axis.plot(list(mixed), [100 * sum(v) / len(v) for v in mixed.values()], color="#222222")
axis.set(title="Members of any kind", xlabel="members", xticks=[1, *range(5, len(everyone) + 1, 5)])
means = {k: 100 * sum(mixed[k]) / len(mixed[k]) for k in (1, 2, 4, len(everyone))}
plots.show(
    fig,
    "Test error against the number of members, one crop each: "
    + ", ".join(f"{k} member{'s' * (k > 1)} {mean:.1f} % on average" for k, mean in means.items())
    + ".",
)

# %% [markdown]
# All seeds of a network together, against one of them. An ensemble has one error for all its seeds,
# so the interval comes from leaving out one seed at a time (the jackknife, in the box below).

# %%
together = holm({NAMES[kind]: gains.together_gain(members, kind, "1 crop") for kind in kinds})
contrasts(together, "Error saved by all seeds together, one crop each")

# %%
say("11.members")

# %% [markdown]
# At four members, as in Table 5: of one kind, one of each kind, or the paper's mixture? A mixture
# may be better only because its members are better: compare the last column.

# %%
of = members.of_kind
FOURS = {f"4 × {SHORT[kind]}": list(combinations(of(kind), 4)) for kind in kinds}
FOURS["one of each"] = list(zip(*(of(kind) for kind in kinds)))
FOURS["1 × v4 + 3 × IR-v2"] = [
    (i, *rest) for i in of("inception_v4") for rest in combinations(of("inception_resnet_v2"), 3)
]

# %% tags=["hide-input"]
rows = []
for name, groups in FOURS.items():
    single = sum(gains.misses(members, g, "1 crop").mean().item() for g in groups) / len(groups)
    whole = sum(members.error(g, "1 crop") for g in groups) / len(groups)
    rows.append((name, len(groups), single, whole, 100 * (single - whole)))
table(
    rows,
    ["four members", "choices", "one of them", "together", "points saved"],
    formats={"one of them": ".1%", "together": ".1%", "points saved": ".1f"},
    caption="Mean error over all choices, one crop each",
)

# %% [markdown]
# ## Experiment 3: crops or members?

# %%
predict(
    "11.budget",
    "You may spend five forward passes on an image. What lowers the error most?",
    ["more crops of one network", "more networks, one crop each"],
)

# %% [markdown]
# The mean over the four networks and over all choices of seeds:

# %%
seeds = min(len(of(kind)) for kind in kinds)
budget = {}
for c in CROPS:
    for k in range(1, seeds + 1):
        found = [members.error(choice, c) for kind in kinds for choice in combinations(of(kind), k)]
        budget[c, k] = (k * PASSES[c], 100 * sum(found) / len(found))

# %% tags=["hide-input"]
fig = plots.figure(7, 3.4)
axis = fig.add_subplot()
for c, colour, mark in zip(CROPS, plots.COLOURS, plots.MARKERS):
    points = [budget[c, k] for k in range(1, seeds + 1)]
    axis.plot(*zip(*points), mark + "-", color=colour, label=f"{c}, 1 to {seeds} members")
axis.set(xscale="log", xlabel="forward passes for one image", ylabel="test error (%)")
axis.set_xticks([1, 3, 10, 30, 100, 300], [1, 3, 10, 30, 100, 300])
axis.minorticks_off()
axis.grid(axis="y")
axis.legend()
plots.show(
    fig,
    "Test error against forward passes for one image, for 1, 12 and 144 crops and one to "
    f"{seeds} members.",
)

# %% tags=["hide-input"]
outcome(
    "11.budget",
    "more networks, one crop each"
    if budget["1 crop", seeds][1] < budget["12 crops", 1][1]
    else "more crops of one network",
    f"{seeds} networks with one crop make {budget['1 crop', seeds][1]:.1f} % errors, one network "
    f"with 12 crops {budget['12 crops', 1][1]:.1f} %. But a second network must also be *trained*.",
)

# %% [markdown]
# ## Experiment 4: do they err together?
#
# Averaging can only correct what the members do not share. How many of the members miss the same
# image?

# %%
found, independent = gains.missed_by(members)
low, high = len(members) // 4, len(members) - len(members) // 4
say(
    f"{low} to {high} of the {len(members)} members miss {sum(found[low : high + 1]):.0%} of the "
    f"images. If they erred independently, it would be {sum(independent[low : high + 1]):.0%}."
)

# %% tags=["hide-input"]
axis = plots.figure(8, 2.8).add_subplot()
axis.bar(range(len(found)), [100 * x for x in found], color=plots.COLOURS[0], label="found")
axis.plot([100 * x for x in independent], "o--", color=plots.COLOURS[1], label="if independent")
axis.set(xlabel=f"members that miss an image, of {len(members)}", ylabel="% of the images")
axis.legend()
plots.show(
    axis.figure,
    f"How many of {len(members)} members miss an image: none for {found[0]:.0%} of the images, all "
    f"for {found[-1]:.0%}. Independent members would form one hill in the middle.",
)

# %%
say(
    "11.shared",
    f"Two members disagree about {gains.disagreement(members):.1%} of the images on average: there "
    "exactly one of them is right.",
)

# %% [markdown]
# <details><summary><b>For the curious: Yule's Q, and the jackknife</b></summary>
#
# *Yule's Q* of two columns of right and wrong answers says how much two members share. It is 0
# where they are independent, and 1 where one of them misses all that the other misses. The first
# folded cell below shows it for every pair of members. The second asks whether two seeds of
# one network are more alike than two different networks: if the kind does not matter, the names can
# be given to the members at random. The kind matters if fewer than 50 of 2,000 such deals give as
# much.
#
# *The jackknife.* An ensemble of five seeds is one number, so there is no spread to see. Leave out
# one seed at a time: this gives five numbers $x_i$ with the mean $\bar{x}$. The standard error is
# $\sqrt{\frac{4}{5} \sum_i (x_i - \bar{x})^2}$. The 95 % interval takes it times Student's t for
# four degrees of freedom, 2.78.
#
# </details>

# %% tags=["hide-input"]
order = [i for kind in kinds for i in of(kind)]
Q = gains.yules_q(members, order)
place = {kind: [k for k, i in enumerate(order) if members.kinds[i] == kind] for kind in kinds}
apart = ~torch.eye(len(order), dtype=torch.bool)
short = [SHORT[kind] for kind in kinds]
means = [
    [Q[place[a]][:, place[b]][apart[place[a]][:, place[b]]].mean().item() for b in kinds]
    for a in kinds
]
low, high = Q[apart].min().item(), Q[apart].max().item()
fig = plots.figure(9, 4.0)
axis = plots.grid_map(
    Q.masked_fill(~apart, float("nan")).tolist(),
    order,
    order,
    fig.add_subplot(1, 2, 1),
    text="",
    low=low,
    high=high,
)
middles = [sum(place[kind]) / len(place[kind]) for kind in kinds]
axis.set_xticks(middles, short)
axis.set_yticks(middles, short)
axis.set_title(f"Every pair of members, {low:.2f} (light) to {high:.2f}")
axis = plots.grid_map(
    means, short, short, fig.add_subplot(1, 2, 2), text="{:.3f}", low=low, high=high
)
axis.set_title("Means")
plots.show(
    fig,
    f"Yule's Q of every pair of members, and its mean by kinds of networks, from {low:.2f} to "
    f"{high:.2f}.",
)

# %% tags=["hide-input"]
observed, as_large, least = gains.dealt_as_large(Q, [members.kinds[i] for i in order])
say(
    f"Yule's Q is {Q[apart].mean().item():.2f} on average. Pairs of one kind have {observed:+.3f} "
    f"more than pairs of two kinds. Random deals give as much in {as_large} of 2,000:",
    "the kind matters."
    if as_large < 50
    else f"no difference between kinds is seen ({least:+.3f} or more would have been).",
)

# %% [markdown]
# ## Experiment 5: do single gains carry over?
#
# The second half of the paper's claim, in its own pairs: from Inception-v3 to its two new networks.
# *Lost* is the part of the single network's gain that does not reach the ensemble of all seeds. It
# is above 0 if the paper's surprise comes again.

# %%
new = [(kind, c) for kind in ("inception_v4", "inception_resnet_v2") for c in CROPS]
lost = holm(
    {f"{NAMES[kind]}, {c}": gains.lost_gain(members, "inception_v3", kind, c) for kind, c in new}
)
contrasts(lost, "From Inception-v3: gain of one network minus gain of all seeds together")

# %%
say("11.paper-gap", "11.carried")

# %% [markdown]
# Now all four networks at once. The slope says what a point gained by the single network is worth
# in the ensemble. It is 1 if gains carry over in full.

# %%
numbers = sorted({members.seeds[i] for i in of("inception_v3")})
slopes = {c: gains.slope(members, c) for c in CROPS}
without = {
    c: [gains.slope(members, c, [s for s in numbers if s != left]) for left in numbers]
    for c in CROPS
}

# %% tags=["hide-input"]
fig = plots.figure(9, 3.4)
for n, c in enumerate(CROPS):
    axis = fig.add_subplot(1, 3, n + 1)
    x = [100 * gains.misses(members, of(kind), c).mean().item() for kind in kinds]
    y = [100 * members.error(of(kind), c) for kind in kinds]
    for k, kind in enumerate(kinds):
        axis.plot(x[k], y[k], MARK[kind][1], color=MARK[kind][0], ms=8, label=NAMES[kind])
    ends = [min(x) - 0.5, max(x) + 0.5]
    middle = sum(x) / len(x), sum(y) / len(y)
    for value, style, label in ((1, "--", "slope 1"), (slopes[c], "-", "the points' slope")):
        line = [middle[1] + value * (end - middle[0]) for end in ends]
        axis.plot(ends, line, style, color="#555555", lw=1.2, label=label)
    axis.set(title=c, xlabel="mean member's error (%)")
    axis.set_ylabel("" if n else f"error of {seeds} together (%)")
axis.legend(fontsize=7)
plots.show(
    fig,
    "Error of each network's ensemble against its mean member's error. "
    + " ".join(
        f"{c}: slope {slopes[c]:.2f}, with one seed left out {min(without[c]):.2f} to "
        f"{max(without[c]):.2f}."
        for c in CROPS
    ),
)

# %% [markdown]
# A network above the solid line makes a worse ensemble than its single error promises. One below it
# makes a better one.
#
# ## Verdict
#
# The paper says that more crops and more networks improve the result. By the rule of all chapters
# (`docs/verdicts.md`), with a margin of one point, for the four networks together. 144 crops do not
# count, because most of them come from an image made larger than any in training. This was decided
# after their result was seen.

# %%
verdicts("C9")

# %% [markdown]
# ## Run it yourself
#
# Three tiny networks, trained for a few steps: crops, members, both. Chapter 14 does it with your
# own photographs. For the whole experiment: `python -m inception_edu.study run race`.

# %%
own = load("fashion")
small = own.test[: 60 if QUICK else 200]
recipe = Recipe(
    steps=20 if QUICK else 60,
    batch_size=32,
    lr=0.1,
    momentum=0.9,
    schedule="one-cycle",
    augment="window+flip",
)
mine = {"1 crop": [], "12 crops": []}
for seed, kind in enumerate(("inception_v4", "inception_resnet_v2", "inception_resnet_v2")):
    tiny = networks.network(kind)
    tiny = networks.mini(tiny, 1 / 16, (1, 1, 1), 28, classes=len(own.classes))
    tiny = build(tiny, init="truncated", seed=seed).to(default_device())
    train(tiny, replace(own, test=small), recipe)
    for c, said in mine.items():
        said.append(logits(tiny, own, small, CROPS[c](28)))

# %%
columns = ["member 1", "member 2", "member 3", "together"]
table(
    [
        (
            c,
            *(error_rate(rows, small.labels) for rows in said),
            error_rate(average(torch.stack(said)), small.labels),
        )
        for c, said in mine.items()
    ],
    ["error", *columns],
    formats=dict.fromkeys(columns, ".1%"),
    caption=f"{own.name}: {len(small)} test images, {len(own.classes)} classes",
)

# %% [markdown]
# ## Exercises


# %%
# exercise: Crops and members together | ●○○ | 4 min
# task: `rows` holds the logits of M members for V views of N images: M×V×N×classes. Write
#   `combine(rows)`: N×classes probabilities, averaged over views and members.
# hint: `softmax` wants the axis of the classes, `mean` takes a tuple of axes.
# explain: With as many views from each member, averaging first over views and then over members is
#   the same.
def combine(rows):
    # begin solution
    return rows.softmax(-1).mean((0, 1))
    # end solution
    # stub: return ...


# check:
check("11.1", combine)


# %%
# exercise: On the same footing | ●●○ | 5 min
# task: Write `crops_bring(kind, top)`: how many points of error twelve crops save for a network of
#   the paper, if Table 2 had been measured on the images of Table 3. `top` is "top1" or "top5".
# hint: Is Table 2 too good or too bad?
# hint: Put the missing images back first: add `BLACKLISTED[top]`.
def crops_bring(kind, top):
    # begin solution
    return TABLE_2[kind][top] + BLACKLISTED[top] - TABLE_3[kind][top]
    # end solution
    # stub: return ...


# check:
check("11.2", crops_bring)


# %%
# exercise: What all of them miss | ●●○ | 6 min
# task: `wrong` is M×N, true where a member misses an image. Write `missed_by_all(wrong)`: two
#   shares of the images, those that all M members miss, and those that all would miss if members
#   erred independently.
# hint: `all` over the members, then the mean over the images.
# hint: Independent events happen together with the product of their probabilities: multiply the
#   members' errors.
# explain: Where the first share is far above the second, the members share what is hard. No average
#   of their probabilities can be expected to mend an image on which all of them agree on the same
#   wrong class.
def missed_by_all(wrong):
    # begin solution
    return wrong.all(0).double().mean().item(), wrong.double().mean(1).prod().item()
    # end solution
    # stub: return ...


# check:
check("11.3", missed_by_all)


# %%
# exercise: The same images | ●●○ | 7 min
# task: Two networks are asked about the same N images. Write `standard_error(a, b)` of the
#   difference of their errors: `a` and `b` are N booleans, true where the network is wrong. (Take
#   the variance over the images with 1/N.)
# hint: The difference of the errors is the mean of one number an image: −1, 0 or 1.
# hint: The standard error of a mean is the standard deviation over √N.
# explain: Where both are right or both are wrong the difference is 0. The more the networks agree,
#   the surer we are.
def standard_error(a, b):
    # begin solution
    d = a.double() - b.double()
    return (d.var(correction=0) / len(d)).sqrt().item()
    # end solution
    # stub: return ...


# check:
check("11.4", standard_error)


# %%
# exercise: How many images would show it? | ●●○ | 6 min
# task: Two networks see the same N images. On a share `disagree` of them exactly one of the two is
#   right, and their errors differ by `gap` (a share too). The paired difference has the variance
#   `disagree - gap**2` an image. Write `images_needed(disagree, gap)`: the smallest N whose 95 %
#   interval of the difference, ±1.96 standard errors, is not wider than ±`gap`. How many images
#   would show half a point between two networks that disagree on 6 % of them?
# hint: $1.96\,\sqrt{(\text{disagree} - \text{gap}^2)/N} \le \text{gap}$.
# explain: `images_needed(0.06, 0.005)` is more than our test set has. And that is the chance in the
#   images alone: another seed of the same network moves the error too. As in exercise 08.3, a true
#   difference of `gap` shows itself in half of such comparisons.
def images_needed(disagree, gap):
    # begin solution
    return math.ceil(1.96**2 * (disagree - gap**2) / gap**2)
    # end solution
    # stub: return ...


# check:
check("11.5", images_needed)

# %% [markdown]
# ## In five lines

# %%
five_lines("11.footing", "11.members", "11.crops", "11.cheapest", "11.carried")

# %% [markdown]
# **What would change our mind.** A slope clearly below 1 from networks that differ more than ours.
# Or larger networks, trained to the end, whose members share more of their errors, or less. Ten
# seeds of our small ones: `python -m inception_edu.study run race --mode full`.
#
# **Next:** chapter 12 looks inside a trained network.
