# %% [markdown]
# # Crops and ensembles
#
# Ask a network twelve times about one image, or ask several networks: we retell Tables 2 to 5,
# measure what each kind of averaging brings and costs, and try whether a better network also makes
# a better ensemble.
#
# | | laptop, two cores |
# |---|---|
# | reading and computing | 40 min |
# | of which you wait | 1 min |
#
# **After this chapter you can**
#
# 1. average predictions over crops and over networks, and say which of the paper's tables may be
#    compared;
# 2. judge a gain on the same images by its paired interval, and set it against the forward passes
#    it costs;
# 3. say from a table of right and wrong answers whether networks err together, and what that leaves
#    for an ensemble.

# %%
import math
import random
from dataclasses import replace
from functools import partial
from itertools import combinations

import torch

from inception_edu.describe import (
    AAAI,
    BLACKLISTED,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_5,
    TEST_TOP5,
    VALIDATION_IMAGES,
    networks,
)
from inception_edu.teach import check, claim, plots
from inception_edu.nets import build
from inception_edu.data import load
from inception_edu.learn import (
    agreement,
    bootstrap,
    clock,
    default_device,
    device_of,
    error_rate,
    interval,
    logits,
    right,
    train,
)
from inception_edu.study import (
    CROPS,
    RACERS,
    Answers,
    Cell,
    Recipe,
    experiments,
    jackknife,
    load_results,
)
from inception_edu.labs.ensembles import ensembles_lab

print("mode:", experiments.mode())

# %% [markdown]
# ## The claim
#
# The paper's best numbers are averages: over 144 crops of an image, and over four networks.
# Averaging helps, says the introduction, but with a surprise: "gains on the single-frame
# performance do not translate into similarly large gains on ensembled performance".
#
# **Predict.** Network B makes 2 points fewer errors than network A. Now average four copies of A,
# and four of B, each trained from its own seed. Will the ensembles lie 2 points apart, less, or
# more?
#
# <details><summary>Answer</summary>
#
# It depends on *which* errors B avoids. Averaging removes errors that change from seed to seed. If
# B avoids those, the ensemble of A catches up and the gap shrinks; if B avoids errors that all
# copies of A share, the gap stays. So the question is whether the members err on the same images,
# and that can be measured.
#
# </details>
#
# ## What a crop is
#
# A network trained on windows of an image can be shown any window. Below are the twelve of one
# embedded image: four corners and the middle, then the whole image made smaller, each also
# mirrored. (The paper does not say which twelve it took. Its 144 are presumably GoogLeNet's: four
# sizes, three squares, six views, two sides.)

# %%
data = load("fashion")
print(data.describe())
image = data.test.images[:1].float()
views = list(CROPS["12 crops"](28)(image))
sides = [
    f"{place}{side}"
    for place in ("top left", "top right", "low left", "low right", "middle", "whole")
    for side in ("", " ⇄")
]
print("image", "×".join(map(str, image.shape)), "   a crop", "×".join(map(str, views[0].shape)))
plots.show(
    plots.image_grid(
        torch.cat([image[..., 2:30, 2:30], *views]).round().byte(), ["one crop", *sides], 7, 1.0
    ),
    "One image as a network sees it: one crop, then twelve, from the corners, the middle and the "
    "whole image, "
    "each also mirrored.",
)

# %% [markdown]
# How often does a network run for one image?

# %%
PASSES = {name: sum(1 for _ in make(28)(torch.zeros(1, 3, 32, 32))) for name, make in CROPS.items()}
oblong = sum(1 for _ in CROPS["144 crops"](28)(torch.zeros(1, 3, 32, 48)))
print("forward passes for a square image:", PASSES, "   for an oblong one:", oblong)

# %% [markdown]
# On square images GoogLeNet's three squares are one and the same, so a third of the 144 gives the
# same average.
#
# ## The code: average the softmax
#
# Crops and members are averaged alike: as probabilities, not as logits.


# %%
def average(rows):
    """K×N×classes logits of K views or members → N×classes probabilities."""
    return rows.softmax(2).mean(0)


rows = torch.tensor(
    [[[4.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0]]]
)  # K = 3 say something of one image
print("shapes", tuple(rows.shape), "→", tuple(average(rows).shape))
print(
    "probabilities", average(rows).numpy().round(2), "   mean logits", rows.mean(0).numpy().round(2)
)

# %% [markdown]
# ## The paper's tables
#
# Errors in percent on ImageNet's validation images, top-1 and top-5.

# %%
TABLES = {"1 crop": TABLE_2, "12 crops": TABLE_3, "144 crops": TABLE_4}
NAMES = {kind: networks.network(kind).name for kind in RACERS}
SHORT = {
    kind: name.replace("Inception-ResNet", "IR").replace("Inception-", "")
    for kind, name in NAMES.items()
}

print(f"{'':19}", *(f"{crops:>11}" for crops in TABLES))
for kind, name in {"bn_inception": "BN-Inception", "resnet_151": 'ResNet-"151"', **NAMES}.items():
    cells = [table.get(kind) for table in TABLES.values()]
    print(
        f"{name:19}",
        *(f"{c['top1']:5} / {c['top5']}" if c else f"{'':11}" for c in cells),
        "(10, dense)" if kind == "resnet_151" else "",
    )
for row in TABLE_5.values():
    who = " + ".join(
        f"{n} × {SHORT.get(kind, 'ResNet-151')}" for kind, n in row["networks"].items()
    )
    print(f"ensemble, {row['crops']:9}: {who:19} {row['top1'] or '-':>5} / {row['top5']}")
print(f"the last one on the test images: top-5 {TEST_TOP5}")

# %% [markdown]
# Two warnings before you subtract. Table 2 leaves out the "blacklisted" images, Tables 3 to 5 do
# not, and Section 5 says by how much that flatters Table 2. And the two printed versions of the
# paper differ:

# %%
print(
    f"Table 2 without {BLACKLISTED['images']:,} of {VALIDATION_IMAGES:,} images: better by about "
    f"{BLACKLISTED['top1']} (top-1) and {BLACKLISTED['top5']} points (top-5)"
)
for (table, row), numbers in AAAI.items():
    printed = {"TABLE_3": TABLE_3, "TABLE_5": TABLE_5}[table][row]
    print(
        f"{table.replace('_', ' ').title()} (there Table {int(table[-1]) - 1}), row {row}: arXiv "
        f"{printed['top1']} / "
        f"{printed['top5']}, AAAI "
        f"{numbers['top1']} / {numbers['top5']}",
        "(its BN-Inception row again)"
        if numbers["top1"] == TABLE_2["bn_inception"]["top1"]
        else "",
    )

# %% [markdown]
# "ResNet-151" is a slip too: He et al.'s network has 152 layers. Below, filled marks put Table 2 on
# the footing of the others; hollow ones are the printed numbers.

# %% tags=["hide-input"]
MARK = dict(zip(RACERS, zip(plots.COLOURS, plots.MARKERS)))
fig = plots.figure(9, 3.8)
for k, top in enumerate(("top1", "top5")):
    axis = fig.add_subplot(1, 2, k + 1)
    for kind, (colour, mark) in MARK.items():
        printed = [table[kind][top] for table in TABLES.values()]
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
    "ensembles: every "
    "step lowers them; two pairs of networks lie close together all the way.",
)

# %% [markdown]
# What does each step bring? The mean over the four networks, in points (the last number is v3's
# alone):


# %%
def mean_gain(before, after, top, add=0.0):
    return sum(before[kind][top] + add - after[kind][top] for kind in RACERS) / len(RACERS)


for top in ("top1", "top5"):
    print(
        f"{top}: 12 crops for 1: {mean_gain(TABLE_2, TABLE_3, top):.2f} as printed, "
        f"{mean_gain(TABLE_2, TABLE_3, top, BLACKLISTED[top]):.2f} on the same images;  144 for "
        "12: "
        f"{mean_gain(TABLE_3, TABLE_4, top):.2f};  4 × v3 for 1: "
        f"{TABLE_4['inception_v3'][top] - TABLE_5['inception_v3'][top]:.2f}"
    )

# %% [markdown]
# ### Do single gains carry over in the paper?
#
# From Inception-v3 to the two new networks: the gain of one network, and of the ensemble. The
# numbers are printed to
# 0.1, so the difference of two gains can be off by up to 0.2 from rounding alone.

# %%
for top in ("top1", "top5"):
    best = {
        c: min(table[k][top] for k in ("inception_v4", "inception_resnet_v2"))
        for c, table in TABLES.items()
    }
    gains = {c: table["inception_v3"][top] - best[c] for c, table in TABLES.items()}
    together = TABLE_5["inception_v3"][top] - TABLE_5["mixed"][top]
    lost = gains["144 crops"] - together
    print(
        f"{top}: v3 → the better of v4, IR-v2:",
        *(f"{c} {g:.1f}," for c, g in gains.items()),
        f"ensemble {together:.1f} →",
        "smaller, beyond rounding"
        if lost > 0.2 + 1e-9
        else "larger, beyond rounding"
        if lost < -0.2 - 1e-9
        else "no difference that rounding could not make",
    )
    print(
        "      as a share of v3's own error: "
        f"{gains['144 crops'] / TABLE_4['inception_v3'][top]:.1%} with one "
        f"network, {together / TABLE_5['inception_v3'][top]:.1%} with four"
    )

# %% [markdown]
# So how surprising the surprise is depends on the row and on the unit. And how exact are such
# numbers? Each error is a share of 50,000 images:

# %%
for top in ("top1", "top5"):
    error = TABLE_4["inception_v4"][top]
    low, high = interval(round(error / 100 * VALIDATION_IMAGES), VALIDATION_IMAGES)
    print(f"v4, 144 crops, {top}: {error} %, 95 % interval {100 * low:.2f} to {100 * high:.2f} %")

# %% [markdown]
# That interval is for other *images*. Networks compared on the *same* images deserve a narrower one
# (exercise 4), but the paper keeps no answers image by image, and it trains each network once. We
# can do both.
#
# ## Our runs
#
# The race of chapter 10 trained small versions of the four networks on windows of colour
# photographs. Each run kept what it said of the same test images, for 1, 12 and 144 crops.

# %%
race = load_results("race")
members = Answers.of(race)
kinds = members.networks
print(
    race[0].data["name"],
    "·",
    len(members),
    "runs ·",
    race[0].device,
    "· torch",
    race[0].versions["torch"],
)
print({SHORT[kind]: f"{len(members.of_kind(kind))} seeds" for kind in kinds})
print("members × images × classes:", tuple(members.rows["1 crop"].shape))

# %% [markdown]
# ## Lab: put an ensemble together
#
# Choose members and crops; nothing is trained, so the answer is there at once. *Add as a row* keeps
# a choice. *Against* compares the choice of now with a row, or with its own best member, image by
# image: which pictures does the vote save, and which does it spoil?
#
# Start from the paper's mixture. Then: which four are best? Is a weak member ever worth having?
# What do 144 crops bring to *all* members together?

# %%
lab = ensembles_lab(race)

# %% [markdown]
# ## Experiment 1: what do crops bring?
#
# Each dot is a run.

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
# Now the points saved, image by image: for each image the share of a network's seeds that miss it,
# before and after. Drawing the images again with replacement gives the paired 95 % interval: what
# other *images* could have given. What other *seeds* could have given is the spread of the five
# runs, and a t interval from it. Only what leaves out 0 in both counts.


# %%
def misses(group, crops):
    """For each image the share of these members that miss it: N."""
    return torch.stack([members.wrong([i], crops) for i in group]).double().mean(0)


DRAWS = 300 if experiments.mode() == "quick" else 2000


def gain(before, after):
    """Points of error saved, with their paired 95 % interval."""
    saved = 100 * (before.double() - after.double())
    return saved.mean().item(), *bootstrap(saved, draws=DRAWS)


def word(low, high):
    return "better" if low > 0 else "worse" if high < 0 else "not told apart"


crop_words = {}
for kind in kinds:
    for before, after in (("1 crop", "12 crops"), ("12 crops", "144 crops")):
        g, low, high = gain(*(misses(members.of_kind(kind), c) for c in (before, after)))
        runs = [
            100 * (members.error([i], before) - members.error([i], after))
            for i in members.of_kind(kind)
        ]
        least, most = Cell("", tuple(runs)).interval if len(runs) > 1 else (low, high)
        crop_words[kind, after] = word(min(low, least), max(high, most))
        print(
            f"{SHORT[kind]:5} {after:>9} for {before:>8}: {g:+.1f} (images {low:+.1f} to "
            f"{high:+.1f}, seeds "
            f"{least:+.1f} to {most:+.1f}) {crop_words[kind, after]}"
        )

# %% [markdown]
# Before you blame or praise the number of crops: of the 144, three quarters come from an image made
# larger than any that these networks were trained on. More crops are also *other* crops.
#
# What does a second buy? One network, the three kinds of crops timed side by side:

# %%
network = build(networks.mini(networks.inception_v4(), 1 / 16, RACERS["inception_v4"], 28), seed=0)
network = network.to(default_device())
count = 8 if experiments.mode() == "quick" else 50
calls = {c: partial(logits, network, data, data.test[:count], CROPS[c](28)) for c in CROPS}
timings = clock(calls, rounds=3, budget=20, device=device_of(network))
seconds = {name: timing.median for name, timing in timings.items()}
errors = {c: 100 * misses(range(len(members)), c).mean().item() for c in CROPS}
for name in CROPS:
    extra = seconds[name] - seconds["1 crop"]
    rate = (
        f", {(errors['1 crop'] - errors[name]) * count / 1000 / extra:+.2f} points saved a ms"
        if extra > 0
        else ""
    )
    print(
        f"{name:>9}: {1000 * seconds[name] / count:6.2f} ms an image, "
        f"{seconds[name] / seconds['1 crop']:5.1f} × one "
        f"crop (passes: {PASSES[name]}); mean error {errors[name]:.1f} %{rate}"
    )

# %% [markdown]
# ## Experiment 2: what do members bring?
#
# Ensembles of every size. Left: seeds of one network, all possible choices. Right: members drawn
# from all kinds, 30 random choices a size.


# %%
def choices(pool, size, most=30, seed=0):
    """All choices of `size` members where there are at most `most`, else `most` random ones."""
    every = list(combinations(pool, size)) if size < 3 or len(pool) < 8 else []
    rng = random.Random(f"{seed} {size}")
    return every if 0 < len(every) <= most else [tuple(rng.sample(pool, size)) for _ in range(most)]


everyone = list(range(len(members)))
by_kind = {
    (kind, k): [members.error(c, "1 crop") for c in choices(members.of_kind(kind), k)]
    for kind in kinds
    for k in range(1, len(members.of_kind(kind)) + 1)
}
mixed = {
    k: [
        members.error(c, "1 crop")
        for c in (choices(everyone, k) if k < len(everyone) else [everyone])
    ]
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
# All seeds of a network together, against its mean member:

# %%
ensemble_words = {}
for kind in kinds:
    group = members.of_kind(kind)
    for c in CROPS:
        g, low, high = gain(misses(group, c), members.wrong(group, c))
        ensemble_words[kind, c] = word(low, high)
        print(
            f"{SHORT[kind]:5} {len(group)} seeds, {c:>9}: error "
            f"{100 * members.error(group, c):.1f} %, saved "
            f"{g:+.1f} ({low:+.1f} to {high:+.1f}) {ensemble_words[kind, c]}"
        )

# %% [markdown]
# At four members, as in Table 5: alike, one of each kind, or the paper's mixture? A mixture may be
# better merely because its members are, so the last column counts.

# %%
of = members.of_kind
rng = random.Random(0)
FOURS = {f"4 × {SHORT[kind]}": list(combinations(of(kind), 4)) for kind in kinds}
FOURS["one of each"] = [tuple(rng.choice(of(kind)) for kind in kinds) for _ in range(50)]
FOURS["1 × v4 + 3 × IR-v2"] = [
    (i, *rest) for i in of("inception_v4") for rest in combinations(of("inception_resnet_v2"), 3)
]
print(f"{'':19} choices  members   ensemble, % (all)  saved")
for name, groups in FOURS.items():
    single = [100 * sum(members.error([i], "1 crop") for i in g) / 4 for g in groups]
    found = [100 * members.error(g, "1 crop") for g in groups]
    a, b = sum(single) / len(groups), sum(found) / len(groups)
    print(
        f"{name:19} {len(groups):7} {a:8.1f} {b:6.1f} ({min(found):.1f} to {max(found):.1f}) "
        f"{a - b:6.1f}"
    )

# %% [markdown]
# ## Experiment 3: crops or members?
#
# A forward pass is a forward pass. Spend it on another crop, or on another member? Mean over the
# networks and over all choices of seeds:

# %%
seeds = min(len(of(kind)) for kind in kinds)
budget = {}
for c in CROPS:
    for k in range(1, seeds + 1):
        found = [members.error(choice, c) for kind in kinds for choice in combinations(of(kind), k)]
        budget[c, k] = (k * PASSES[c], 100 * sum(found) / len(found))
frontier = [
    key
    for key in budget
    if not any(
        other[0] <= budget[key][0] and other[1] <= budget[key][1]
        for other in budget.values()
        if other != budget[key]
    )
]
for c, k in sorted(frontier, key=budget.get):
    print(f"passes {budget[c, k][0]:4}   members {k}   {c:>9} each   error {budget[c, k][1]:.1f} %")

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
    f"{seeds} members. The cheapest way to each error is listed above.",
)

# %% [markdown]
# Every row of that list is the cheapest way to its error; what is missing from it is beaten by
# something cheaper. Count only the passes, though: a second member must also be *trained*, a second
# crop is there already.
#
# ## Experiment 4: do they err together?
#
# Averaging can only mend what the members do not share. *Yule's Q* of two columns of right and
# wrong answers is 0 if they are independent, 1 if one misses only what the other misses.

# %%
order = [i for kind in kinds for i in of(kind)]
columns = [right(members.rows["1 crop"][i], members.labels) for i in order]
Q = torch.ones(len(order), len(order))
for i, j in combinations(range(len(order)), 2):
    Q[i, j] = Q[j, i] = agreement(columns[i], columns[j])["q"]
place = {kind: [k for k, i in enumerate(order) if members.kinds[i] == kind] for kind in kinds}
block = [
    [
        torch.tensor([Q[i, j] for i in place[a] for j in place[b] if i != j]).mean().item()
        for b in kinds
    ]
    for a in kinds
]

# %% tags=["hide-input"]
fig = plots.figure(9, 4.0)
short = [SHORT[kind] for kind in kinds]
pairs = Q[~torch.eye(len(order), dtype=torch.bool)]
low, high = pairs.min().item(), pairs.max().item()
shown = Q.masked_fill(torch.eye(len(order), dtype=torch.bool), float("nan"))
axis = plots.grid_map(
    shown.tolist(), order, order, fig.add_subplot(1, 2, 1), text="", low=low, high=high
)
middles = [sum(place[kind]) / len(place[kind]) for kind in kinds]
axis.set_xticks(middles, short)
axis.set_yticks(middles, short)
for kind in kinds[1:]:
    axis.axhline(place[kind][0] - 0.5, color="white", lw=2)
    axis.axvline(place[kind][0] - 0.5, color="white", lw=2)
axis.set_title(f"Every pair of members, {low:.2f} (light) to {high:.2f}")
plots.grid_map(
    block, short, short, fig.add_subplot(1, 2, 2), text="{:.3f}", low=low, high=high
).set_title("Means")
plots.show(
    fig,
    f"Yule's Q of every pair of members, and its mean by kinds of networks; from {low:.2f} to "
    f"{high:.2f}.",
)

# %% [markdown]
# Do two seeds of one network err more alike than two different networks? If the kind does not
# matter, its names can be dealt out at random:

# %%
upper = torch.ones_like(Q, dtype=torch.bool).triu(1)


def contrast(names):
    same = names[:, None] == names[None, :]
    return (Q[upper & same].mean() - Q[upper & ~same].mean()).item()


names = torch.tensor([kinds.index(members.kinds[i]) for i in order])
generator = torch.Generator().manual_seed(0)
dealt = [contrast(names[torch.randperm(len(names), generator=generator)]) for _ in range(2000)]
observed = contrast(names)
as_large = sum(d >= observed for d in dealt)
disagree = [agreement(a, b)["disagreement"] for a, b in combinations(columns, 2)]
print(
    f"Yule's Q on average {pairs.mean().item():.2f}; two members disagree about "
    f"{sum(disagree) / len(disagree):.1%} "
    "of the images"
)
print(
    f"same kind minus different kinds: {observed:+.3f}; as large in {as_large} of {len(dealt):,} "
    "random deals:",
    "the kind matters"
    if as_large < 0.025 * len(dealt)
    else "seeds of one kind and kinds are not told apart",
)

# %% [markdown]
# And do those gain most from averaging whose seeds agree least?

# %%
within = {kind: block[k][k] for k, kind in enumerate(kinds)}
saved = {
    kind: 100
    * (misses(of(kind), "1 crop") - members.wrong(of(kind), "1 crop").double()).mean().item()
    for kind in kinds
}
for kind in sorted(kinds, key=within.get):
    print(
        f"{SHORT[kind]:5} Yule's Q among its seeds {within[kind]:.3f}, saved by averaging "
        f"{saved[kind]:.1f}"
    )
agrees = sum((within[a] - within[b]) * (saved[a] - saved[b]) < 0 for a, b in combinations(kinds, 2))
print(
    f"Of {len(kinds) * (len(kinds) - 1) // 2} pairs of networks, in {agrees} the one with the "
    "lower Q gains more."
)

# %% [markdown]
# ## Experiment 5: do single gains carry over?
#
# Claim C9, in the paper's own pairs: from Inception-v3 to its two new networks, by the mean single
# network and by all seeds together. *Lost* is what of the gain does not reach the ensemble: above 0
# if the paper's surprise comes again.


# %%
def lost(a, b, crops):
    """For each image the gain from a to b by the single network minus that by the ensemble, in
    points."""
    alone = misses(a, crops) - misses(b, crops)
    return 100 * (alone - (members.wrong(a, crops).double() - members.wrong(b, crops).double()))


v3, carried = of("inception_v3"), {}
for kind in ("inception_v4", "inception_resnet_v2"):
    for c in CROPS:
        d = lost(v3, of(kind), c)
        low, high = bootstrap(d, draws=DRAWS)
        without = [
            lost(v3[:s] + v3[s + 1 :], of(kind)[:s] + of(kind)[s + 1 :], c).mean().item()
            for s in range(seeds)
        ]
        mean, half = d.mean().item(), jackknife(without)
        alone, least, _ = gain(misses(v3, c), misses(of(kind), c))
        clear = low > 0 and mean > half
        carried[kind, c] = (
            "lost"
            if clear and least > 0
            else "lost, without a single gain to carry over"
            if clear
            else "grown"
            if high < 0 and mean < -half
            else "not told apart"
        )
        print(
            f"v3 → {SHORT[kind]:5} {c:>9}: alone {alone:+.1f}, together {alone - mean:+.1f}, lost "
            f"{mean:+.1f}"
        )
        print(
            f"{'':11} (images {low:+.1f} to {high:+.1f}, seeds {mean - half:+.1f} to "
            f"{mean + half:+.1f}) "
            f"{carried[kind, c]}"
        )

# %% [markdown]
# The first interval is for other images, the second (the jackknife: one seed of each network left
# out, in turn) for other seeds.
#
# Now all four networks at once. The slope says what a point gained by the single network is worth
# in the ensemble: 1 if gains carry over whole.


# %%
def single_and_together(groups, crops):
    """N×2K: for each image and group the share of members that miss it, then whether the ensemble
    does."""
    return torch.stack(
        [misses(g, crops) for g in groups] + [members.wrong(g, crops).double() for g in groups], 1
    )


def slope(rows):
    single, together = rows.mean(0).view(2, -1)
    away = single - single.mean()
    return (away @ (together - together.mean()) / (away @ away)).item()


groups = [of(kind) for kind in kinds]
slopes = {}
for c in CROPS:
    rows = single_and_together(groups, c)
    without = [
        slope(single_and_together([g[:s] + g[s + 1 :] for g in groups], c)) for s in range(seeds)
    ]
    slopes[c] = (slope(rows), *bootstrap(rows, slope, draws=DRAWS), without)
    print(
        f"{c:>9}: slope {slopes[c][0]:.2f} ({slopes[c][1]:.2f} to {slopes[c][2]:.2f}; without one "
        "seed "
        f"{min(without):.2f} to {max(without):.2f})"
    )

# %% tags=["hide-input"]
fig = plots.figure(9, 3.4)
for n, c in enumerate(CROPS):
    axis = fig.add_subplot(1, 3, n + 1)
    x, y = (100 * single_and_together(groups, c).mean(0)).view(2, -1)
    for s in range(seeds):
        fewer = 100 * single_and_together([g[:s] + g[s + 1 :] for g in groups], c).mean(0).view(
            2, -1
        )
        for k, kind in enumerate(kinds):
            axis.plot(
                fewer[0, k], fewer[1, k], MARK[kind][1], color=MARK[kind][0], alpha=0.3, ms=4, mew=0
            )
    for k, kind in enumerate(kinds):
        axis.plot(x[k], y[k], MARK[kind][1], color=MARK[kind][0], ms=8, label=NAMES[kind])
    ends = torch.stack([x.min() - 0.5, x.max() + 0.5])
    axis.plot(ends, y.mean() + ends - x.mean(), "--", color="#767676", lw=1.2, label="slope 1")
    axis.plot(
        ends,
        y.mean() + slopes[c][0] * (ends - x.mean()),
        color="#222222",
        lw=1.2,
        label="the points' slope",
    )
    axis.set(
        title=c,
        xlabel="mean member's error (%)",
        ylabel="" if n else f"error of {seeds} together (%)",
    )
axis.legend(fontsize=7)
plots.show(
    fig,
    "Error of each network's ensemble against its mean member's error, for 1, 12 and 144 crops. "
    + " ".join(f"{c}: slope {s[0]:.2f}." for c, s in slopes.items()),
)

# %% [markdown]
# (Faint: one seed of each network left out.) What lies off the line matters as much as its slope: a
# network above it makes a worse ensemble than its single error promises, one below it a better one.

# %% [markdown]
# ## Verdict on C9
#
# "Multi-crop evaluation and ensembling improve results, ensembling less than single-model gains
# suggest", computed from the runs above. *Holds*: for every network or pair, with an interval on
# one side of zero.


# %%
def verdict(words):
    better, worse = words.count("better"), words.count("worse")
    return (
        "holds here"
        if better == len(words)
        else "contradicted here"
        if worse == len(words)
        else f"better for {better}, worse for {worse}, not told apart for "
        f"{len(words) - better - worse} of {len(words)} networks"
    )


# %%
print(f"From {len(members)} runs, {seeds} seeds a network, {len(members.labels):,} test images:")
for c in ("12 crops", "144 crops"):
    fewer = "1 crop" if c == "12 crops" else "12 crops"
    print(
        f"   {c} improve on {fewer}:",
        verdict([crop_words[kind, c] for kind in kinds]),
        ""
        if c == "12 crops"
        else "(most from images larger than any trained on: not the paper's claim)",
    )
print(
    "   an ensemble improves on its mean member:",
    verdict([ensemble_words[kind, "1 crop"] for kind in kinds]),
)
for kind in ("inception_v4", "inception_resnet_v2"):
    found = [carried[kind, c] for c in CROPS]
    print(
        f"   from v3 to {NAMES[kind]} the ensemble gains less than the single network:",
        "holds here"
        if set(found) == {"lost"}
        else "contradicted here"
        if set(found) == {"grown"}
        else "; ".join(f"{c}: {w}" for c, w in zip(CROPS, found)),
    )
for c, (value, low, high, without) in slopes.items():
    print(
        f"   slope over all four networks, {c}: {value:.2f},",
        "below 1"
        if high < 1 and max(without) < 1
        else "above 1"
        if low > 1 and min(without) > 1
        else "not told apart from 1",
    )
if seeds < 5:
    print("   (fewer than five seeds: no verdict, a first look)")

# %% [markdown]
# By the rule of all chapters (`docs/verdicts.md`), with a margin of one point, the four networks
# together: 12 crops against 1, and five networks against one. The scope is reduced, and the words
# above say where single networks differ.

# %%
claim("11.c9")

# %% [markdown]
# **Run it yourself.** Three tiny networks, trained for a few steps on the embedded images: crops,
# members, both. For the whole experiment: `python -m inception_edu.study run race`.

# %%
steps, some = (20, 60) if experiments.mode() == "quick" else (60, 200)
small = data.test[:some]
recipe = Recipe(
    steps=steps, batch_size=32, lr=0.1, momentum=0.9, schedule="one-cycle", augment="window+flip"
)
mine = {"1 crop": [], "12 crops": []}
for seed, kind in enumerate(("inception_v4", "inception_resnet_v2", "inception_resnet_v2")):
    tiny = build(
        networks.mini(networks.network(kind), 1 / 16, (1, 1, 1), 28), init="truncated", seed=seed
    ).to(default_device())
    train(tiny, replace(data, test=small), recipe)
    for c, said in mine.items():
        said.append(logits(tiny, data, small, CROPS[c](28)))
for c, said in mine.items():
    print(
        f"{c:>9}: members",
        *(f"{error_rate(rows, small.labels):.1%}" for rows in said),
        f"  together {error_rate(average(torch.stack(said)), small.labels):.1%}",
    )

# %% [markdown]
# ## Exercises


# %%
# exercise: Crops and members together | ●○○ | 4 min
# task: `rows` holds the logits of M members for V views of N images: M×V×N×classes. Write
# `combine(rows)`: N×classes
#   probabilities, averaged over views and members.
# hint: `softmax` wants the axis of the classes, `mean` takes a tuple of axes.
# explain: With as many views from each member, averaging first over views and then over members is
# the same.
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
# the paper, if
#   Table 2 had been measured on the images of Table 3. `top` is "top1" or "top5".
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
# exercise: What nobody knows | ●●○ | 6 min
# task: `wrong` is M×N, true where a member misses an image. Write `missed_by_all(wrong)`: two
# shares of the images,
#   those that all M members miss, and those that all would miss if members erred independently.
# hint: `all` over the members, then the mean over the images.
# hint: Independent events happen together with the product of their probabilities: multiply the
# members' errors.
# explain: Where the first share is far above the second, the members share what is hard. No average
# of their
#   probabilities can be expected to mend an image on which all of them agree on the same wrong
#   class.
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
# difference of their errors:
#   `a` and `b` are N booleans, true where the network is wrong. (Take the variance over the images
#   with 1/N.)
# hint: The difference of the errors is the mean of one number an image: −1, 0 or 1.
# hint: The standard error of a mean is the standard deviation over √N.
# explain: Where both are right or both are wrong the difference is 0. The more the networks agree,
# the surer we are.
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
# right, and their errors differ by `gap` (a share too). The paired difference has the variance
# `disagree - gap**2` an image. Write `images_needed(disagree, gap)`: the smallest N whose 95 %
# interval of the difference, ±1.96 standard errors, is not wider than ±`gap`. How many images would
# show half a point between two networks that disagree on 6 % of them?
# hint: $1.96\,\sqrt{(\text{disagree} - \text{gap}^2)/N} \le \text{gap}$.
# explain: `images_needed(0.06, 0.005)` is more than our test set has. And that is the chance in
# the images alone: another seed of the same network moves the error too.
def images_needed(disagree, gap):
    # begin solution
    return math.ceil(1.96**2 * (disagree - gap**2) / gap**2)
    # end solution
    # stub: return ...


# check:
check("11.5", images_needed)

# %% [markdown]
# ## In five lines
#
# - Crops and members are averaged in the same way, as probabilities; a forward pass costs the same
#   for both.
# - Table 2 leaves images out; Tables 3 to 5 do not: add what the paper says before you subtract.
# - Compare networks on the same images with a paired interval; say whether it is for other images
#   or other seeds.
# - An ensemble mends what its members do not share; Yule's Q says how much they share.
# - How far C9 holds, in the paper's tables and in our runs, is computed above; the two need not
#   agree.
#
# **What would change our mind.** A slope whose interval lies on the other side of one, from
# networks that differ more than ours; larger networks, trained to the end, whose members might
# share more of their errors or less. Try it with
# `python -m inception_edu.study run race --mode full`.
#
# **Next:** chapter 12 looks inside a trained network.
