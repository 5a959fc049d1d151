# %% [markdown]
# # Making it fast
#
# A network can give the same outputs in less time. This chapter measures where a step spends its
# time. It folds away what is fixed after training, and merges convolutions that read the same map.
# Then it tries layout, precision and a compiler on the machine in front of you.
#
# **After this chapter you can**
#
# 1. profile a training step, and say from shares what a faster part would gain at most;
# 2. fold batch norm and residual scale into weights, merge sibling 1×1 convolutions, and check that
#    the outputs stay the same;
# 3. measure a trick so that you would notice if it did not work.

# %% tags=["hide-input"]
# @title Imports
import logging
import time
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import nn

from inception_edu.describe import draw, figure, figures, networks
from inception_edu.learn import Speedup, autocast, clock, default_device
from inception_edu.nets import Siblings, build, fold, merge_siblings
from inception_edu.study import experiments, title
from inception_edu.teach import (
    begin,
    check,
    claim,
    five_lines,
    opening_figure,
    outcome,
    plots,
    predict,
    say,
    share_bars,
    speedups,
    step_times,
    table,
    throughput,
    time_shares,
    training_times,
)

QUICK = experiments.mode() == "quick"
device = default_device()
begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("13.fold", "13.merge")

# %%
opening_figure("13")

# %% [markdown]
# The outputs are equal up to rounding. Whether the changed network is *faster* is another question.
# Only a clock on your machine answers it.
#
# ## Where the time goes
#
# Arithmetic first. A convolution does nearly all multiply-adds, batch norm almost none:

# %%
say("13.little-arithmetic")

# %% [markdown]
# Time is another matter. Here is one training step: forward, backward, and the optimizer.


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


# %%
predict(
    "13.not-convolution",
    "A training step of a mini Inception-ResNet-v1: which share of the time is spent outside "
    "convolutions?",
    unit="%",
)

# %% tags=["picture"]
parts = {
    title(name): time_shares(training_step(name))
    for name in ("inception_v4", "inception_resnet_v1")
}
share_bars(parts, "% of the processor's time in a training step")

# %% tags=["hide-input"]
other = 100 - parts["Inception-ResNet-v1"]["convolution"]
outcome(
    "13.not-convolution",
    round(other),
    "Batch norm, ReLU and pooling do little arithmetic. But each reads and writes whole maps, and "
    "moving a map takes time.",
    unit="%",
)

# %% [markdown]
# A share limits what can be won: however fast a part becomes, the rest takes as long as before.
# This is Amdahl's law, and in exercise 2 you write it down. So much would be won if batch norm took
# no time at all:

# %%
bounds = {name: 1 / (1 - found["batch norm"] / 100) for name, found in parts.items()}
columns = ["network", "times as fast at most, if batch norm took no time"]
table(bounds, columns, formats={columns[1]: ".2f"})

# %% [markdown]
# ## Folding batch norm
#
# In training, batch norm uses the mean and the spread of the batch. After training its four numbers
# for each channel are constants: mean $\mu$, variance $\sigma^2$, factor $\gamma$ and shift
# $\beta$. With the weights $w$ of the convolution before it,
#
# $$\gamma\,\frac{(w * x) - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta \;=\; (a\,w) * x + (\beta -
# a\,\mu)$$
#
# where $a = \gamma / \sqrt{\sigma^2 + \varepsilon}$. So batch norm becomes a part of the
# convolution: other weights, and a bias. By hand, for one unit of our network:


# %% tags=["hide-input"]
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


# %%
unit = shake(build(figures.Conv(64, 3), 32, seed=0))
conv, norm = unit.conv, unit.norm
a = norm.weight / (norm.running_var + norm.eps).sqrt()
x = torch.randn(2, 32, 17, 17)
folded = F.conv2d(
    x, a[:, None, None, None] * conv.weight, norm.bias - a * norm.running_mean, padding=1
)
say(f"Largest difference by hand: {(folded.relu() - unit(x)).abs().max():.1e}.")

# %% [markdown]
# `fold` does this everywhere. It also folds the scale of Fig. 20: a scale behind a *linear* 1×1 is
# the same as smaller weights and a smaller bias in that 1×1.

# %%
figure(20)

# %%
network = networks.inception_resnet_v2()
model = shake(build(network, init="torch", seed=0))
quick = fold(model)
rows = []
for name, net in {"as built": model, "folded": quick}.items():
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in net.modules())
    scales = sorted({b.scale for b in net.modules() if hasattr(b, "shortcut")})
    rows.append((name, norms, ", ".join(f"{scale:g}" for scale in scales)))
table(rows, ["network", "batch norms", "scales"])

# %%
images = torch.randn(1, 3, 139, 139, generator=torch.Generator().manual_seed(0))
with torch.inference_mode():
    before, after = model(images), quick(images)
say(
    f"The logits differ by at most {(before - after).abs().max():.1e}; their spread is "
    f"{before.std():.2f}."
)

# %%
predict(
    "13.training",
    "`fold` refuses a network in training mode. Why?",
    ["σ and µ depend on the batch", "the weights are not final", "it would be slower"],
)

# %% tags=["hide-input"]
outcome(
    "13.training",
    "σ and µ depend on the batch",
    "In training they are those of all images in the batch. No fixed weight can stand for them.",
)

# %% [markdown]
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
    off = (block(x) - one(x)).abs().max()
branches = ", ".join(str(i + 1) for i in one.merged)
say(
    f"`{one.first[0]}` now makes the 1×1 maps of branches {branches} at once. Its result is cut "
    f"into {one.sizes} channels. The outputs differ by at most {off:.2g}."
)

# %%
merged = merge_siblings(quick)
count = lambda net: sum(isinstance(m, nn.Conv2d) for m in net.modules())
groups = sum(isinstance(m, Siblings) for m in merged.modules())
with torch.inference_mode():
    off = (before - merged(images)).abs().max()
say(
    f"{count(quick)} convolutions become {count(merged)}, in {groups} blocks. The logits differ by "
    f"at most {off:.1e}."
)

# %% [markdown]
# The arithmetic is the same as before. Two things are saved: the map is read once instead of
# several times, and fewer convolutions have to be started.
#
# ## Lab: measure it
#
# **Your task.** Choose what to change and press *Measure*. The lab says beforehand about how long
# that takes, and *Stop* ends it. Each dot is a round in which both networks ran, one after the
# other. A dot at 1 means no gain. The bar is the 95 % interval of the middle round. There is a
# verdict only where the bar lies on one side of 1. Then try a mini network, and 16 images at once.

# %%
from inception_edu.labs.speed import speed_lab

lab = speed_lab("inception_resnet_v2", image=139)

# %% [markdown]
# ## Experiment: which change makes it faster here?
#
# All changes are tried on one network, in turns. Each dot is a round.

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

# %%
predict(
    "13.fold-gain",
    "Folding took away every batch norm. Is the network clearly faster without them, on your "
    "machine?",
    ["faster", "no clear gain", "slower"],
)

# %%
seconds = clock(TRICKS, images, rounds=7 if QUICK else 15, budget=30)
gains = {
    name: Speedup.of(seconds["plain"], found) for name, found in seconds.items() if name != "plain"
}

# %% tags=["hide-input"]
rounds = len(seconds["plain"])  # fewer where the machine is busy
ratios = {name: gain.ratios for name, gain in gains.items()}
ranges = {name: gain.interval for name, gain in gains.items() if gain.interval}
axis = plots.dots(ratios, xlabel=f"times as fast as plain ({rounds} rounds)", intervals=ranges)
axis.axvline(1, color="#555555", lw=1)
plots.show(
    axis.figure,
    "How many times as fast as the plain network: one dot a round, a grey bar for the 95 % "
    "interval of the middle round. "
    + "; ".join(f"{name}: {gain.median:.2f}" for name, gain in gains.items()),
)

# %% tags=["hide-input"]
gain = gains["folded"]
outcome("13.fold-gain", gain.verdict, f"The middle round was {gain.median:.2f} times as fast.")

# %% [markdown]
# The last column says how far the outputs move, as a share of their spread.

# %%
with torch.inference_mode():
    off = {
        name: ((trick(images) - before).abs().max() / before.std()).item()
        for name, trick in TRICKS.items()
    }
table(
    [(name, gain.median, gain.verdict, off[name]) for name, gain in gains.items()],
    ["", "times as fast", "verdict here", "outputs move by at most"],
    formats={"times as fast": ".2f", "outputs move by at most": ".0e"},
    caption=f"{network.name}, one image of 139×139, {rounds} rounds, {device}, "
    f"threads: {torch.get_num_threads()}",
)

# %% [markdown]
# Whether layout and precision make it faster depends on the processor. bfloat16 needs instructions
# of its own. Where a processor lacks them, bfloat16 is emulated by other arithmetic. So `train`
# asks the device before it chooses:

# %%
say(f"A training run on this device computes in `{autocast(device)[1]}`.")

# %% [markdown]
# ## A compiler
#
# `torch.compile` reads the network once and writes code in which several small operations become
# one pass over the map. The first call takes long, unless a cache on the disk knows the network. On
# a CPU it needs a C++ compiler. We compile a small tower.


# %% tags=["hide-input"]
def compiled(block, x):
    """The compiled block and the seconds of its first call, or the reason why there is none."""
    # Where there is no GPU, torch warns that it finds no GPU.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    start = time.perf_counter()
    try:
        with torch.inference_mode():
            made = torch.compile(block)
            made(x)
        return made, time.perf_counter() - start
    except Exception as error:  # no compiler, or a Python that torch does not support yet
        return None, f"{type(error).__name__}: {str(error).strip().splitlines()[0][:90]}"


# %%
tower = shake(build(networks.tower(64, 2, 0.1), seed=0))
# Without our check of the input's shape: a compiler would read that too.
tower = nn.Sequential(*tower).eval()
x = torch.randn(32, 3, 32, 32)
made, found = (None, "left out in quick mode") if QUICK else compiled(tower, x)

# %%
if made is None:
    shown = say(f"Not compiled: {found}.")
else:
    took = clock({"plain": tower, "folded": fold(tower), "compiled": made}, x, rounds=15)
    first_call = f"32 images at once. The first call of the compiled tower took {found:.0f} s."
    shown = speedups(took, "tower", first_call)
shown

# %% [markdown]
# ## On a GPU
#
# A GPU works behind the program. A clock that does not wait for the GPU measures only how fast work
# is *ordered*. `clock` waits (`torch.cuda.synchronize`). Where an order takes longer to give than
# to carry out, the GPU is idle in between. Merging, compiling and larger batches make fewer orders.
# How busy is your device at each batch size?

# %%
small = fold(shake(build(networks.mini(networks.inception_resnet_v2()), seed=0))).to(device)
throughput(small, (1, 8, 64) if QUICK else (1, 8, 64, 256))

# %% [markdown]
# And a training step? It is many small programs, and Python starts each of them. For a small
# network, starting one may take longer than running it. A *CUDA graph* is a recording of one whole
# step: after a few ordinary steps `train` captures one, and from then on it replays it with new
# images, as a single order. The same programs run in the same order, so only the waiting is gone.
# A step in which dead channels or gradients are measured for a picture cannot be replayed, because
# Python measures them. Such a step stays an ordinary one.

# %%
predict(
    "13.replay",
    "A tower of 72 channels on a fast GPU: how many times as fast is a replayed step?",
    unit="times",
)

# %%
step_times()

# %% tags=["hide-input"]
faster = step_times().rows[0][-1]
outcome("13.replay", round(faster, 1), claim("13.replay").sentence, unit="times")

# %% [markdown]
# How long is a whole training, and when is a network right on 80 or 90 of 100 images? `make gpu`
# trains two small networks of about equal cost. These are the machines on which it was run:

# %%
training_times()

# %% [markdown]
# ## Exercises


# %%
# exercise: Fold one | ●○○ | 6 min
# task: Write `fold_norm(weight, gamma, beta, mean, var, eps)`: the weight (out×in×kh×kw) and the
#   bias (out) of the convolution that does what a convolution without bias and a batch norm did.
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
#   takes `share` of its time (0 to 1) becomes `factor` times as fast.
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
#   when every block's sibling 1×1 convolutions are merged? Set `saved`; do not count the stem. In
#   Inception-B's first branch the 1×1 comes after the pool, so it is no sibling.
# hint: Look at Figs. 4, 5 and 6: how many branches begin with a 1×1? n of them become 1.
# hint: The reductions: Fig. 7 has one branch that begins with a 1×1, Fig. 8 has two.
# begin solution
saved = 4 * 2 + 7 * 2 + 3 * 2 + 1


# end solution
# stub: saved = ...
# check:
check("13.3", saved)

# %%
# exercise: A useless measurement | ●●○ | 5 min
# task: Somebody times a network with `start = time.perf_counter(); model(x);
#   print(time.perf_counter() - start)`, once, right after building it, on a GPU. Put into the set
#   `faults` which of these make the number useless: "first call" (memory is fetched and code chosen
#   then), "no waiting" (the GPU is still at work), "eval mode" (batch norm uses running averages),
#   "one round" (nobody knows how much it scatters).
# hint: Three of them. What does `clock` do that this line does not?
# begin solution
faults = {"first call", "no waiting", "one round"}
# end solution
# stub: faults = ...
# check:
check("13.4", faults)

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "13.little-arithmetic",
    "13.fold",
    "13.merge",
    "Equal outputs follow from the arithmetic. A gain in time must be measured. Here, the "
    f"folded network against the plain one: {gains['folded']}.",
    f"A share limits a gain. Here {other:.0f} % of a training step is not convolution.",
)

# %% [markdown]
# **What would change our mind.** A machine on which the folded network is *slower*, with an
# interval that lies below 1. Run the experiment there, and keep the dots.
#
# **Next.** Back to chapter 08 with a faster network, or to chapter 12 to see what it computes.
