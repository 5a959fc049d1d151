# %% [markdown]
# # Reductions
#
# Between two stages the grid is halved and the width grows. Figs. 7, 8, 12 and 18 do this with a
# pool and strided convolutions side by side, so that not everything has to pass through one small
# map.
#
# **After this chapter you can**
#
# 1. halve a grid in four ways, and say what each costs in multiply-adds, in parameters and in
#    milliseconds;
# 2. read k, l, m, n in Table 1 and predict what leaves Reduction-A in each of the three networks;
# 3. write every reduction of the paper, and see from its channels to which network it belongs.

# %% tags=["hide-input"]
# @title Imports
import torch
from IPython.display import display
from torch import nn

from inception_edu import data
from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    FIGURES,
    MaxPool,
    draw,
    figure,
    figures,
    measure,
    narrowest,
    networks,
    out_shape,
    with_reductions,
)
from inception_edu.learn import Recipe, default_device, train
from inception_edu.nets import build
from inception_edu.study import experiments, load_results, summarise
from inception_edu.teach import against, begin, branches, check, claim, costs, count_and_time
from inception_edu.teach import five_lines, milliseconds, opening_figure, outcome, plots, predict
from inception_edu.teach import provenance, run_dots, say, table

QUICK = experiments.mode() == "quick"
begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("04.parallel", "04.one-by-one", "04.reductions")

# %%
opening_figure("04")

# %% [markdown]
# ## The task
#
# The last Inception-A block gives a map of 35×35 with 384 channels. The first Inception-B block
# takes 17×17 with 1024. Two ways come to mind: *pool, then widen* with a 3×3 convolution, or
# *widen, then pool*.

# %% tags=["picture"]
ENTERS = (384, 35, 35)
pool_first = Chain(MaxPool(3, 2, "valid"), Conv(1024, 3))
widen_first = Chain(Conv(1024, 3), MaxPool(3, 2, "valid"))
display(draw(pool_first, ENTERS, title="Pool, then widen"))
draw(widen_first, ENTERS, title="Widen, then pool")

# %%
predict(
    "04.times",
    "Both ways have the same convolution. How many times as many multiply-adds does it do when it "
    "comes first?",
    ["2", "4", "8"],
)

# %%
costs({"pool, then widen": pool_first, "widen, then pool": widen_first}, ENTERS)

# %% tags=["hide-input"]
times = measure(widen_first, ENTERS).macs / measure(pool_first, ENTERS).macs
outcome(
    "04.times",
    str(round(times)),
    f"Exactly {times:.2f}. A convolution costs the same at every place, and before the pooling "
    f"there are 35² / 17² = {35**2 / 17**2:.2f} times as many places.",
)

# %% [markdown]
# Pooling first is cheaper. But then everything that the network knows about the image must pass
# through the small pooled map. `narrowest` counts the numbers at the narrowest place of each way:

# %%
table(
    {
        "what enters": 384 * 35 * 35,
        "pool, then widen": narrowest(pool_first, ENTERS),
        "widen, then pool": narrowest(widen_first, ENTERS),
    },
    ["", "numbers at the narrowest place"],
)

# %% [markdown]
# The v3 paper (arXiv 1512.00567, Section 5) calls this a *representational bottleneck*. It proposes
# a third way: pool and convolve **in parallel**, both with stride 2, and join the results.
# Reduction-A of this paper does that:

# %%
figure(7)

# %% [markdown]
# In code, with the four numbers that Table 1 gives for each network:


# %%
def reduction_a(k, l, m, n):
    return Concat(
        MaxPool(3, 2, "valid"),
        Conv(n, 3, 2, "valid"),
        Chain(Conv(k, 1), Conv(l, 3), Conv(m, 3, 2, "valid")),
    )


# %% [markdown]
# There is a fourth way: one strided convolution and nothing else. All four ways end in the same
# shape.

# %%
WAYS = {
    "pool, then widen": pool_first,
    "widen, then pool": widen_first,
    "one strided 3×3": Conv(1024, 3, 2, "valid"),
    "parallel (Fig. 7)": reduction_a(k=192, l=224, m=256, n=384),
}
costs(WAYS, ENTERS)

# %% tags=["hide-input"]
fig = plots.figure(8.5, 2.3)
sizes = {name: measure(node, ENTERS) for name, node in WAYS.items()}
counted = {
    "thousand numbers at the\nnarrowest place": lambda name: narrowest(WAYS[name], ENTERS) / 1e3,
    "million parameters": lambda name: sizes[name].params / 1e6,
    "billion multiply-adds": lambda name: sizes[name].macs / 1e9,
}
for column, (words, value) in enumerate(counted.items(), 1):
    axis = fig.add_subplot(1, 3, column)
    form = "{:.2f}" if column > 1 else "{:.0f}"
    plots.bars({name: value(name) for name in WAYS}, axis, words, text=form)
    if column > 1:
        axis.set_yticklabels([])
plots.show(
    fig,
    "Four ways to halve the grid: "
    + "; ".join(
        f"{name} {narrowest(WAYS[name], ENTERS):,} numbers at the narrowest place, "
        f"{m.params / 1e6:.1f} million parameters, {m.macs / 1e9:.2f} billion multiply-adds"
        for name, m in sizes.items()
    ),
)

# %%
say("04.parallel")

# %% [markdown]
# In three of the four ways the narrowest place is the output itself. Only *pool, then widen* has a
# narrower one. Fig. 7 passes 384 channels on through the pool, without arithmetic.
#
# ## Does the count predict the time?

# %%
predict("04.slowest", "Which of the four ways takes longest on this machine?", list(WAYS))

# %%
budget = 0.3 if QUICK else 2
took = {name: milliseconds(node, ENTERS, batch=4, budget=budget) for name, node in WAYS.items()}

# %% tags=["hide-input"]
base = "parallel (Fig. 7)"
by_clock = {name: took[name] / took[base] for name in WAYS}
by_count = {name: sizes[name].macs / sizes[base].macs for name in WAYS}
count_and_time(by_count, by_clock, "Fig. 7 = 1; time of one core")

# %% tags=["hide-input"]
outcome(
    "04.slowest",
    max(took, key=took.get),
    "One image takes "
    + ", ".join(f"{value:.1f} ms ({name})" for name, value in took.items())
    + " on one core.",
)

# %% [markdown]
# As in chapter 01, multiply-adds tell which way is far too slow, and no more. A further branch, a
# small map or a pool takes time that no multiply-add counts.
#
# ## k, l, m, n
#
# Table 1 of the paper gives k, l, m and n for each network. Which channels leave the block? Those
# of the pool, c, and those of the last convolution of each other branch, n and m. k and l are
# widths inside a branch.

# %%
TRUNK = {"inception_v4": 384, "inception_resnet_v1": 256, "inception_resnet_v2": 384}
rows = []
for name, klmn in figures.TABLE_1.items():
    enters = (TRUNK[name], 35, 35)
    gives = out_shape(figures.ReductionA(**klmn), enters)
    rows.append((name, *klmn.values(), f"{enters[0]} + {klmn['n']} + {klmn['m']}", gives))
table(rows, ["network", "k", "l", "m", "n", "c + n + m", "leaves C×H×W"])

# %% [markdown]
# The three sums are the widths of the B stages. Figs. 9 and 15 print 1024 and 896. The third, 1152,
# is not printed anywhere in the paper. Chapter 06 shows what it prints instead.
#
# ## Reduction-B, three times
#
# Every network has a block of its own from 17×17 to 8×8. Inception-v4 has Fig. 8:

# %%
figure(8)

# %%
print(figures.ReductionB())

# %%
branches(figures.ReductionB(), FIGURES[8].input)

# %% [markdown]
# Both branches with convolutions begin with a 1×1. It reduces 1024 channels to 192 or 256. Without
# it the block would cost:

# %%
block = figures.ReductionB()
direct = Concat(
    MaxPool(3, 2, "valid"),
    Conv(192, 3, 2, "valid"),
    Chain(Conv(256, (1, 7)), Conv(320, (7, 1)), Conv(320, 3, 2, "valid")),
)
costs({"Fig. 8": block, "without the 1×1": direct}, (1024, 17, 17))

# %%
say("04.one-by-one")

# %% [markdown]
# Inception-ResNet-v1 has Fig. 12. Its code is an exercise:

# %%
figure(12)

# %%
branches(FIGURES[12].node, FIGURES[12].input)

# %% [markdown]
# Inception-ResNet-v2 has Fig. 18. Its caption in the paper says Inception-ResNet-v1, and the
# caption of Fig. 15 says v2 (see the note below the picture). The channels decide it, in exercise
# 4.

# %%
figure(18)

# %%
branches(figures.ReductionB_v2(), FIGURES[18].input)

# %% [markdown]
# ## Which branch costs most
#
# In all four blocks the last, deepest branch does most of the arithmetic.

# %% tags=["hide-input"]
fig = plots.figure(8, 3)
found = {
    n: [measure(b, FIGURES[n].input) for b in FIGURES[n].node.branches] for n in (7, 8, 12, 18)
}
for column, what in enumerate(("params", "macs"), 1):
    axis = fig.add_subplot(1, 2, column)
    for place, sizes_of in enumerate(found.values()):
        start = 0.0
        for branch, size in enumerate(sizes_of):
            length = getattr(size, what) / 1e6
            word = f"branch {branch + 1}" + (", the pool: 0" if branch == 0 else "")
            word = word if len(sizes_of) == 4 and place == 2 else None
            colour = plots.BRANCH_COLOURS[branch]
            axis.barh(place, length, left=start, color=colour, edgecolor="white", label=word)
            start += length
    axis.set_yticks(range(4), [f"Fig. {number}" for number in found])
    axis.set(xlabel="millions of " + {"params": "parameters", "macs": "multiply-adds"}[what])
    axis.invert_yaxis()
axis.legend()
deepest = {n: v[-1].macs / sum(size.macs for size in v) for n, v in found.items()}
plots.show(
    fig,
    "Parameters and multiply-adds of four reductions by branch. The last branch does "
    + ", ".join(f"{share:.0%} of the multiply-adds in Fig. {n}" for n, share in deepest.items()),
)

# %% [markdown]
# ## Lab: design a reduction
#
# **Your task.** Change k, l, m, n, add a branch, or take the V away. What no longer fits? Then
# reach the goal: the same output with half of the multiply-adds. Point at a box for its arithmetic.
# Which branch do you make narrower?

# %%
from inception_edu.labs.designer import block_designer

lab = block_designer("ReductionA", goal="17×17×1024 with half of the multiply-adds")

# %% [markdown]
# ## Experiment: does the bottleneck hurt?
#
# We take a small Inception-v4 and pictures of clothes. Blocks and widths stay, only the two
# reductions are exchanged. Two of the four ways above pool before they widen or after it. Two more
# ways pool first and are fitted to the parallel way. One has as many parameters: a 1×1 makes its
# 3×3 cheaper. The other has nearly as many multiply-adds: a thin 3×3 stands before the last one.
# (The maps of these networks are small. So all ways pad where the paper has a V.)

# %%
SMALL = networks.mini(networks.inception_v4(), width=1 / 16, repeats=(1, 1, 1))
PARALLEL = "parallel (Figs. 7, 8)"
runs = load_results("reductions")
ways = {run.label: run.config for run in runs}
ways = {way: config.description() for way, config in ways.items()}
assert ways[PARALLEL] == SMALL

# %% tags=["hide-input"]
sizes = {way: measure(network) for way, network in ways.items()}
table(
    [(way, size.params, size.macs) for way, size in sizes.items()],
    ["two reductions", "parameters", "multiply-adds"],
    caption=f"{SMALL.name}: the whole network",
)

# %% [markdown]
# Each way has ten runs, at a rate of its own: of four rates the one that did best on held-out
# training images.

# %%
display(provenance(runs))
run_dots(runs, {"accuracy": "test accuracy"})

# %%
against(summarise(runs), PARALLEL, "Each of the others minus the parallel way")

# %%
claim("04.reductions")

# %% [markdown]
# **Run it yourself.** `with_reductions` puts a reduction of your own in both places. It has to give
# as many channels as it is told. Change `mine`, and compare. With 40 steps and one seed a
# difference of some points says nothing. For the whole experiment:
# `python -m inception_edu.study run reductions`.


# %%
def mine(channels):
    """Two cheap paths: the pooled map, and a thin strided 3×3."""
    half = channels // 2
    return Concat(Chain(MaxPool(3, 2), Conv(half, 1)), Conv(channels - half, 3, stride=2))


recipe = Recipe(steps=10 if QUICK else 40, lr=0.1, schedule="one-cycle", seed=0)
clothes, device = data.load("fashion"), default_device()
rows = []
for name, network in {PARALLEL: SMALL, "mine": with_reductions(SMALL, mine)}.items():
    run = train(build(network, seed=0).to(device), clothes, recipe)
    size = measure(network)
    rows.append((name, run.test_accuracy, size.params, size.macs))
table(
    rows,
    ["two reductions", "right", "parameters", "multiply-adds"],
    formats={"right": ".1%"},
    caption=f"One seed, {recipe.steps} steps; {clothes.describe()}",
)

# %% [markdown]
# This experiment is about a network with a sixteenth of the filters, small pictures and a short
# training. It says nothing about ImageNet. The paper has no experiment on this question.
#
# ## Exercises


# %%
# exercise: What Reduction-A costs | ●●○ | 6 min
# task: Write `cost(c, k, l, m, n)`: the multiply-adds of Fig. 7 when a map of `c`×35×35 enters.
#   Count the four convolutions yourself, without `measure`.
# hint: A convolution works at every place of its **output**. Which of the four make 35×35 places,
#   which 17×17?
# hint: In the third branch each convolution reads what the one before it gives.
# explain: With stride 2 a convolution works at 17² places in place of 35², under a quarter. So the
#   3×3 with `l` filters, which keeps the grid, costs most in all three networks.
def cost(c, k, l, m, n):
    # begin solution
    large, small = 35 * 35, 17 * 17
    return large * (c * k + 9 * k * l) + small * 9 * (c * n + l * m)
    # end solution
    # stub: return ...


# check:
check("04.1", cost)

# %%
# exercise: Write Fig. 12 | ●●○ | 6 min
# task: Describe Reduction-B of Inception-ResNet-v1 (the picture stands above): 17×17×896 →
#   8×8×1792.
# hint: Four branches; `MaxPool(3, 2, "valid")` is the first.
# hint: Only the last operation of each branch has stride 2 and V.
fig_12 = Concat(
    MaxPool(3, 2, "valid"),
    # begin solution
    Chain(Conv(256, 1), Conv(384, 3, 2, "valid")),
    Chain(Conv(256, 1), Conv(256, 3, 2, "valid")),
    Chain(Conv(256, 1), Conv(256, 3), Conv(256, 3, 2, "valid")),
    # end solution
    # stub: ...,
)
# check:
check("04.2", fig_12)


# %%
# exercise: Reduction-A by hand | ●●○ | 8 min
# task: Finish the plain module for Inception-v4's Reduction-A (k 192, l 224, m 256, n 384):
#   N×384×35×35 → N×1024×17×17. `unit` makes convolution, batch norm and ReLU.
# hint: `torch.cat([...], dim=1)` joins along the channels.
# hint: V is `padding=0`; a 3×3 that keeps the grid needs `padding=1`.
def unit(channels, filters, kernel, stride=1, padding=0):
    conv = nn.Conv2d(channels, filters, kernel, stride, padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU())


class ReductionA(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(3, 2)
        # begin solution
        self.conv = unit(384, 384, 3, stride=2)
        self.deep = nn.Sequential(
            unit(384, 192, 1), unit(192, 224, 3, padding=1), unit(224, 256, 3, stride=2)
        )
        # end solution

    def forward(self, x):
        # begin solution
        return torch.cat([self.pool(x), self.conv(x), self.deep(x)], dim=1)
        # end solution
        # stub: return ...


# check:
check("04.3", ReductionA)

# %%
# exercise: Whose block is Fig. 18? | ●●○ | 4 min
# task: Its caption says "the wider Inception-ResNet-v1". Try it: 896 channels enter v1's
#   Reduction-B. Set `leaves_18` to the number of channels that would leave Fig. 18 then, and
#   compare with what Figs. 13 and 15 print for v1: 1792.
# hint: The pooled channels are passed on; each other branch adds the filters of its last
#   convolution.
# explain: 896 + 384 + 288 + 320 = 1888 does not fit v1, whose C stage is 1792 wide; 1152 + 384 +
#   288 + 320 = 2144 is what v2 needs. Fig. 15's own caption assigns the block to v2: the word in
#   Fig. 18's caption is a slip.
# begin solution
leaves_18 = 896 + 384 + 288 + 320
# end solution
# stub: leaves_18 = ...
# check:
check("04.4", leaves_18)

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "04.grid",
    "04.parallel",
    "04.channels",
    "04.one-by-one",
    "04.reductions",
    "Where two ways are close, only seeds and the clock of your machine can decide.",
)

# %% [markdown]
# **What would change our mind.** A longer training at full width in which to pool first, with as
# many parameters or multiply-adds, is not worse than the parallel way.
#
# **Next.** Chapter 05 puts stem, stages and reductions together.
