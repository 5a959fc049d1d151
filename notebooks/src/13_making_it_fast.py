# %% [markdown]
# # Making it fast
#
# The same outputs in less time: where a step spends it, what folds away once a network is trained,
# what can be merged, and what layout, precision and compiler add on the machine in front of you.
#
# | | laptop, two cores |
# |---|---|
# | reading and computing | 40 min |
# | of which you wait | 1 min |
#
# **After this chapter you can**
#
# 1. profile a training step, and say from shares what a faster part would gain at most;
# 2. fold batch norm and residual scale into weights, merge sibling 1×1 convolutions, and prove that
#    nothing changed;
# 3. measure a trick so that you would notice if it did not work.

# %%
import os
import time
from copy import deepcopy
from statistics import median

import torch
import torch.nn.functional as F
from torch import nn
from torch.profiler import ProfilerActivity, profile

from inception_edu.describe import draw, figure, figures, networks
from inception_edu.study import experiments
from inception_edu.teach import check, plots, say, table
from inception_edu.nets.build import build
from inception_edu.nets.fast import Siblings, fold, merge_siblings
from inception_edu.learn import autocast, clock, default_device, set_threads

QUICK = experiments.mode() == "quick"
os.environ.setdefault(
    "KINETO_LOG_LEVEL", "99"
)  # the profiler's own log would stand between the outputs
set_threads()
device = default_device()
print("mode:", experiments.mode(), "  threads:", torch.get_num_threads(), "  device:", device)

# %% [markdown]
# ## Where the time goes
#
# A convolution does nearly all multiply-adds; batch norm and ReLU do almost none.
#
# **Predict.** In a training step of a mini Inception-ResNet-v1, which share of the time is *not*
# convolution?
#
# <details><summary>Answer</summary>
#
# A large one, often two fifths or more. Batch norm, ReLU and pooling read and write whole maps for
# little arithmetic, and moving a map takes its time. The next cells measure it.
#
# </details>

# %%
KINDS = {
    "convolution": ("convolution",),
    "batch norm": ("batch_norm",),
    "ReLU": ("threshold", "clamp_min", "relu"),
    "pooling": ("pool",),
    "joining and adding": ("cat", "add"),
    "optimizer": ("Optimizer", "_foreach"),
}


def shares(step, repeats=3):
    """Share of the processor's time by kind of operation, of `repeats` calls."""
    step()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(repeats):
            step()
    found = dict.fromkeys([*KINDS, "everything else"], 0.0)
    for row in seen.key_averages():
        kind = next(
            (k for k, words in KINDS.items() if any(w in row.key for w in words)), "everything else"
        )
        found[kind] += row.self_cpu_time_total
    return {kind: 100 * used / sum(found.values()) for kind, used in found.items()}


# %%
def training_step(name, side=32, batch=64):
    model = build(networks.mini(networks.network(name)), seed=0)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    images, labels = torch.randn(batch, 3, side, side), torch.randint(10, (batch,))

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


parts = {name: shares(training_step(name)) for name in ("inception_v4", "inception_resnet_v1")}
table(
    [
        {"network": name, **{f"{kind}, %": share for kind, share in found.items()}}
        for name, found in parts.items()
    ]
)

# %% tags=["hide-input"]
fig = plots.figure(8.4, 2.2)
axis, left = fig.add_subplot(), [0.0, 0.0]
for kind, colour in zip(parts["inception_v4"], [*plots.COLOURS, "#999999"]):
    widths = [found[kind] for found in parts.values()]
    axis.barh(list(parts), widths, 0.6, left, color=colour, label=kind)
    left = [a + b for a, b in zip(left, widths)]
axis.set(xlim=(0, 100), xlabel="% of the processor's time in a training step")
axis.legend(ncols=4, frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1))
plots.show(
    fig,
    "Share of a training step's processor time by kind of operation, for two mini networks: "
    + "; ".join(
        f"{name}: " + ", ".join(f"{k} {v:.0f} %" for k, v in found.items())
        for name, found in parts.items()
    ),
)

# %% [markdown]
# A share limits what can be won. If a part takes the share $p$ of the time and becomes $k$ times
# faster, the whole becomes $1 / (1 - p + p/k)$ times faster. This is Amdahl's law. If batch norm
# cost nothing at all:

# %%
bounds = {name: 1 / (1 - found["batch norm"] / 100) for name, found in parts.items()}
table(bounds, ["network", "without any time for batch norm at most … times as fast"])

# %% [markdown]
# ## Folding batch norm
#
# In training, batch norm looks at the batch. Afterwards its four numbers a channel are constants,
# and
#
# $$\gamma\,\frac{(w * x) - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta \;=\; (a\,w) * x + (\beta -
# a\,\mu)$$
#
# with $a = \gamma / \sqrt{\sigma^2 + \varepsilon}$, so it becomes part of the convolution before
# it. By hand, for one unit of our network:


# %%
def shake(model, seed=0):
    """Give every batch norm other numbers than 0 and 1, as training would."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.copy_(0.5 + torch.rand(len(tensor), generator=generator))
            for tensor in (module.bias.data, module.running_mean):
                tensor.copy_(torch.randn(len(tensor), generator=generator))
    return model.eval()


unit = shake(build(figures.Conv(64, 3), 32, seed=0))
conv, norm = unit.conv, unit.norm
a = norm.weight / (norm.running_var + norm.eps).sqrt()
x = torch.randn(2, 32, 17, 17)
folded = F.conv2d(
    x, a[:, None, None, None] * conv.weight, norm.bias - a * norm.running_mean, padding=1
)
print("largest difference:", f"{(folded.relu() - unit(x)).abs().max():.1e}")

# %% [markdown]
# `fold` does this everywhere. It also folds the scale of Fig. 20: a scale behind a *linear* 1×1 is
# the same as smaller weights in that 1×1.

# %%
figure(20)

# %%
network = networks.inception_resnet_v2()
model = shake(build(network, init="torch", seed=0))
quick = fold(model)
norms = [sum(isinstance(m, nn.BatchNorm2d) for m in net.modules()) for net in (model, quick)]
scales = [
    sorted({b.scale for b in net.modules() if hasattr(b, "shortcut")}) for net in (model, quick)
]
print("batch norms", norms, "  scales", scales)

# %%
images = torch.randn(1, 3, 139, 139, generator=torch.Generator().manual_seed(0))
with torch.inference_mode():
    before, after = model(images), quick(images)
say(
    f"The logits differ by at most {(before - after).abs().max():.1e}; their spread is "
    f"{before.std():.2f}."
)

# %% [markdown]
# **Predict.** Why does `fold` refuse a network in training mode?
#
# <details><summary>Answer</summary>
#
# There σ and µ are those of the batch: they depend on all images in it, and no fixed weight can
# stand for them.
#
# </details>
#
# ## Merging siblings
#
# Most branches of a block begin with a 1×1 convolution of the *same* map. One convolution with all
# their filters reads that map once; its result is cut into slices.

# %%
draw(figures.InceptionA(), (384, 35, 35))

# %%
block = fold(shake(build(figures.InceptionA(), 384, seed=0)))
one = merge_siblings(block)
x = torch.randn(1, 384, 35, 35)
with torch.inference_mode():
    print("largest difference:", f"{(block(x) - one(x)).abs().max():.1e}")
print(one.first[0])
print("slices of", one.sizes, "for branches", [i + 1 for i in one.merged])

# %%
merged = merge_siblings(quick)
count = lambda net: sum(isinstance(m, nn.Conv2d) for m in net.modules())
groups = sum(isinstance(m, Siblings) for m in merged.modules())
print(f"{count(quick)} convolutions become {count(merged)}, in {groups} blocks")
with torch.inference_mode():
    print(f"logits differ by at most {(before - merged(images)).abs().max():.1e}")

# %% [markdown]
# The arithmetic is the same as before. Two things are saved: the map is read once instead of
# several times, and fewer convolutions have to be started.
#
# ## Lab: clock it
#
# **Your task.** Choose what to change and press *Measure*. The lab says beforehand about how long
# that takes, and *Stop* ends it. Each dot is a round in which both networks ran, one after the
# other. A dot at 1 means no gain. The bar is the 95 % interval of the middle round: only where it
# lies on one side of 1 is there a verdict. Then try a mini network, and 16 images at once.

# %%
from inception_edu.labs.speed import speed_lab

lab = speed_lab("inception_resnet_v2", image=139)

# %% [markdown]
# ## Experiment: which change pays here?
#
# All changes are tried on one network, in turns. So whatever else the machine does meets all of
# them. Each dot is a round.

# %%
TRICKS = {"plain": model, "folded": quick, "folded, merged": merged}
last = deepcopy(merged).to(memory_format=torch.channels_last)
TRICKS["folded, merged, channels last"] = lambda x: last(
    x.contiguous(memory_format=torch.channels_last)
)
half = deepcopy(last).bfloat16()
TRICKS["… and bfloat16 weights"] = lambda x: half(
    x.contiguous(memory_format=torch.channels_last).bfloat16()
).float()
rounds = 5 if QUICK else 15
seconds = clock(TRICKS, images, rounds=rounds, budget=30)
rounds = len(seconds["plain"])  # fewer where the machine is busy
gains = {
    name: [a / b for a, b in zip(seconds["plain"], found)]
    for name, found in seconds.items()
    if name != "plain"
}
columns = ["", "times as fast as plain", "slowest round", "fastest round"]
table(
    {name: (median(found), min(found), max(found)) for name, found in gains.items()},
    columns,
    formats=dict.fromkeys(columns[1:], ".2f"),
)

# %% tags=["hide-input"]
axis = plots.dots(gains, xlabel=f"times as fast as plain ({rounds} rounds)")
axis.axvline(1, color="#555555", lw=1)
plots.show(
    axis.figure,
    "How many times as fast as the plain network, one dot a round. "
    + "; ".join(f"{name}: {median(found):.2f}" for name, found in gains.items()),
)

# %%
with torch.inference_mode():
    off = {
        name: ((trick(images) - before).abs().max() / before.std()).item()
        for name, trick in TRICKS.items()
    }
column = "outputs differ by at most, of their spread"
table(off, ["", column], formats={column: ".0e"})


# %% tags=["hide-input"]
def verdict(found):
    """A gain counts where nine rounds in ten have it."""
    wins = sum(r > 1 for r in found) / len(found)
    return (
        "pays here" if wins >= 0.9 else "costs time here" if wins <= 0.1 else "no clear gain here"
    )


table(
    {name: verdict(found) for name, found in gains.items()},
    ["", "verdict"],
    caption=f"{network.name}, one image of 139×139, {rounds} rounds, {device}, "
    f"{torch.get_num_threads()} threads",
)

# %% [markdown]
# Whether layout and precision pay depends on the processor. bfloat16 needs instructions of its own.
# Where they are missing it is emulated, which is several times slower. So `train` asks the device
# before it chooses:

# %%
print("a training run on this device computes in", autocast(device)[1])

# %% [markdown]
# ## A compiler
#
# `torch.compile` reads the network once and writes code in which several small operations become
# one pass over the map. The first call takes long. It takes less time if a cache on the disk knows
# the network already. On a CPU it needs a C++ compiler. We compile a small tower.


# %%
def compiled(block, x):
    """The compiled block and the seconds of its first call, or the reason why there is none."""
    start = time.perf_counter()
    try:
        with torch.inference_mode():
            made = torch.compile(block)
            made(x)
        return made, time.perf_counter() - start
    except Exception as error:  # no compiler, or a Python that torch does not support yet
        return None, f"{type(error).__name__}: {str(error).strip().splitlines()[0][:90]}"


tower = shake(build(networks.tower(64, 2, 0.1), seed=0))
tower = nn.Sequential(
    *tower
).eval()  # without our check of the input's shape: a compiler would read that too
x = torch.randn(32, 3, 32, 32)
made, found = (None, "left out in quick mode") if QUICK else compiled(tower, x)
if made is None:
    print("not compiled:", found)
else:
    seconds = clock({"plain": tower, "folded": fold(tower), "compiled": made}, x, rounds=15)
    plain = median(seconds["plain"])
    print(
        f"first call {found:.0f} s; then",
        "; ".join(
            f"{name} {1000 * median(s):.1f} ms ({plain / median(s):.2f} ×)"
            for name, s in seconds.items()
        ),
    )

# %% [markdown]
# ## On a GPU
#
# A GPU works behind the program. A clock that does not wait for the GPU measures only how fast work
# is *ordered*. `clock` waits (`torch.cuda.synchronize`). Between thousands of small orders a small
# network leaves a GPU idle. So merging, compiling and larger batches help there more than on a CPU.
# The cells above run on a GPU without a change. This one says how busy the device is at each batch
# size, on the device that you have.

# %%
small = fold(shake(build(networks.mini(networks.inception_resnet_v2()), seed=0))).to(device)
rows = []
for batch in (1, 8, 64) if QUICK else (1, 8, 64, 256):
    x = torch.randn(batch, 3, 32, 32).to(device)
    took = clock({"folded": small}, x, rounds=5)["folded"].median
    rows.append((batch, 1000 * took, batch / took))
table(
    rows,
    ["images at once", "ms", "images a second"],
    formats={"ms": ".2f", "images a second": ",.0f"},
)

# %% [markdown]
# ## Exercises


# %%
# exercise: Fold one | ●○○ | 6 min
# task: Write `fold_norm(weight, gamma, beta, mean, var, eps)`: the weight (out×in×kh×kw) and the
# bias (out) of the
#   convolution that does what a convolution without bias and a batch norm did.
# hint: One factor an output channel: `gamma / (var + eps).sqrt()`.
# hint: `factor[:, None, None, None] * weight` multiplies every filter by its own factor.
def fold_norm(weight, gamma, beta, mean, var, eps):
    # begin solution
    factor = gamma / (var + eps).sqrt()
    return factor[:, None, None, None] * weight, beta - factor * mean
    # end solution
    # stub: return ...


# check:
check("13.1", fold_norm)


# %%
# exercise: What can be won? | ●○○ | 4 min
# task: Write `speedup(share, factor)`: how many times as fast the whole becomes when the part that
# takes `share` of its
#   time (0 to 1) becomes `factor` times as fast.
# hint: Take the whole as 1 second: how long do the two parts take afterwards?
def speedup(share, factor):
    # begin solution
    return 1 / (1 - share + share / factor)
    # end solution
    # stub: return ...


# check:
check("13.2", speedup)

# %%
# exercise: How many siblings? | ●●○ | 5 min
# task: How many convolutions of Inception-v4 (the paper's, with its 4, 7 and 3 repeats) disappear
# when every block's
#   sibling 1×1 convolutions are merged? Set `saved`; do not count the stem. In Inception-B's first
#   branch the 1×1 comes after the pool, so it is no sibling.
# hint: Look at Figs. 4, 5 and 6: how many branches begin with a 1×1? n of them become 1.
# hint: The reductions: Fig. 7 has one branch that begins with a 1×1, Fig. 8 has two.
# begin solution
saved = 4 * 2 + 7 * 2 + 3 * 2 + 1


# end solution
# stub: saved = ...
# check:
check("13.3", saved)

# %%
# exercise: A clock that lies | ●●○ | 5 min
# task: Somebody times a network with
# `start = time.perf_counter(); model(x); print(time.perf_counter() - start)`, once,
#   right after building it, on a GPU. Put into the set `faults` which of these make the number
#   useless: "first call" (memory is fetched and code chosen then), "no waiting" (the GPU is still
#   at work), "eval mode" (batch norm uses running averages), "one round" (nobody knows how much it
#   scatters).
# hint: Three of them. What does `clock` do that this line does not?
# begin solution
faults = {"first call", "no waiting", "one round"}
# end solution
# stub: faults = ...
# check:
check("13.4", faults)

# %% [markdown]
# ## In five lines
#
# - Convolutions do the multiply-adds. Time is also spent where maps are read and written: batch
#   norm, ReLU, joins.
# - After training, batch norm and scale are constants. Constants fold into weights: the outputs
#   stay, the passes become fewer.
# - Several 1×1 convolutions of one map can become one. That the outputs are equal is proved.
#   Whether it is faster must be measured.
# - Layout, precision and compiler depend on the machine. Measure on yours, in turns, and count the
#   rounds.
# - A share limits a gain. So look for the largest share first.
#
# **What would change our mind.** A machine on which the folded network is slower in nine rounds of
# ten. Run the experiment there, and keep the dots.
#
# **Next.** Back to chapter 08 with a faster network, or to chapter 12 to see what it computes.
