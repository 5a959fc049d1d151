# %% [markdown]
# # From GoogLeNet to Inception-v3
#
# An Inception block has branches. Most of them begin with a 1×1 convolution, and a 5×5 became two
# 3×3. This chapter says why. It counts what each step saves, and measures what the clock says. Then
# comes the identity path, which this paper adds to Inception.
#
# **After this chapter you can**
#
# 1. count the multiply-adds of a convolution, and reduce them with a 1×1 or with smaller kernels;
# 2. tell when fewer multiply-adds are *not* faster, because you measured it;
# 3. say what batch norm and the identity path each do, in one line of code.

# %% tags=["hide-input"]
# @title Imports
import torch
import torch.nn.functional as F

from inception_edu.describe import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    InceptionA_v3,
    Residual,
    draw,
    figure,
    measure,
    mini,
    network,
    out_shape,
    size_words,
)
from inception_edu.study import (
    REDUCED,
    Cell,
    difference,
    experiments,
    heads_verdict,
    kernel_sizes,
    load_results,
    summarise,
)
from inception_edu.teach import begin, check, claim, costs, five_lines, milliseconds
from inception_edu.teach import opening_figure
from inception_edu.teach import outcome, plots, predict, refusal, say, table

QUICK = experiments.mode() == "quick"
begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("01.bottleneck", "01.factorised", "01.equal-cost")

# %%
opening_figure("01")

# %% [markdown]
# ## The language of this collection
#
# Every figure is written down once, as a *description*. The pictures, the counts and the networks
# are all made from it. Three ways to say the same convolution:
#
# | in the paper's figures | in this collection | in torch |
# |---|---|---|
# | 3×3 Conv (96) | `Conv(96, 3)` | `Conv2d(…, 96, 3, padding=1)`, batch norm, ReLU |
# | 3×3 Conv (96 stride 2 V) | `Conv(96, 3, 2, "valid")` | the same, `stride=2, padding=0` |
# | 1×7 Conv (64) | `Conv(64, (1, 7))` | kernel 1 high and 7 wide, `padding=(0, 3)` |
#
# A `Conv` contains batch norm and ReLU, because nearly every convolution of the paper has both. The
# number of channels that *enter* is not written: it follows from what stands before. `Chain` puts
# parts one after the other. `Concat` puts them side by side and joins their channels.
#
# ## Which kernel?
#
# A small kernel seems right for a small object, a large kernel for a large one. Which one should a
# layer have? GoogLeNet (2014) answers: **several, side by side**. The next layer then chooses.

# %% tags=["picture"]
naive = Concat(Conv(64, 1), Conv(128, 3), Conv(32, 5), name="a naive block")
draw(naive, (192, 28, 28))

# %% [markdown]
# All branches read the same map. Their results are joined along the channels: 64 + 128 + 32 = 224.

# %%
predict("01.branch", "Which of the three branches costs most?", ["1×1, 64", "3×3, 128", "5×5, 32"])

# %% [markdown]
# A convolution does one multiply-add for each weight, at every place of its output. It has height ×
# width × channels in × filters weights. Batch norm adds two numbers for each filter. In the table,
# *sees* is the receptive field: the window of input pixels on which one output depends.

# %%
costs({repr(branch): branch for branch in naive.branches}, (192, 28, 28))

# %% tags=["hide-input"]
kinds = ["1×1, 64", "3×3, 128", "5×5, 32"]
macs = [measure(branch, (192, 28, 28)).macs for branch in naive.branches]
outcome(
    "01.branch",
    kinds[macs.index(max(macs))],
    "The 3×3 has 9 · 128 = 1152 weights for each input channel, the 5×5 has 25 · 32 = 800. But "
    f"one filter of the 5×5 costs {macs[2] / 32 / (macs[1] / 128):.1f} times as much as one of the "
    "3×3.",
)

# %% [markdown]
# Watch a convolution work. Press **Play**, then point at an output: the orange window shows what it
# read. Choose 5×5: how many products does each sum have now? Choose *edges down*, then change a
# weight by clicking it.

# %%
from inception_edu.labs.convolution import convolution_lab

moving = convolution_lab(size=12, kernel=(3, 3), padding="same")

# %% [markdown]
# ## 1×1: fewer channels first
#
# Most of the 5×5's cost comes from its 192 input channels. A 1×1 convolution can mix them down to
# fewer. It sees one place, but all channels there. Here it subtracts green from red, pixel by
# pixel, and the white middle becomes 0. Click the weights: which other three weights make it 0,
# too?

# %%
mixing = convolution_lab(kernel=(1, 1), channels=3, mix="opposed")

# %% [markdown]
# This is GoogLeNet's block "3a", with a pool branch. Its 1×1 leaves 16 channels for the 5×5:

# %%
googlenet = Concat(
    Conv(64, 1),
    Chain(Conv(96, 1), Conv(128, 3)),
    Chain(Conv(16, 1), Conv(32, 5)),
    Chain(AvgPool(3), Conv(32, 1)),  # GoogLeNet has a max pool here; this paper's blocks average
    name="with 1×1 first",
)
draw(googlenet, (192, 28, 28))

# %%
costs({"naive": naive, "with 1×1 first": googlenet}, (192, 28, 28))

# %%
say("01.bottleneck")

# %% [markdown]
# Such a narrow place is called a *bottleneck*. It has a price: what does not fit into 16 channels
# is lost before the 5×5 can see it.
#
# ## 5×5 as two 3×3, and n×n as 1×n and n×1
#
# Two 3×3 in a row also see 5×5 pixels. They have 18 weights in place of 25, and a ReLU between
# them. Inception-v3 goes further: 1×7 and then 7×1 see 7×7 with 14 weights in place of 49. Watch
# the field grow:

# %%
from inception_edu.labs.field import field_lab

field = field_lab("3×3 ∘ 3×3")

# %%
MAP = (96, 17, 17)
PAIRS = {
    "5×5": Conv(96, 5),
    "3×3, 3×3": Chain(Conv(96, 3), Conv(96, 3)),
    "7×7": Conv(96, 7),
    "1×7, 7×1": Chain(Conv(96, (1, 7)), Conv(96, (7, 1))),
    "3×3": Conv(96, 3),
    "1×3, 3×1": Chain(Conv(96, (1, 3)), Conv(96, (3, 1))),
}
costs(PAIRS, MAP)

# %%
predict(
    "01.clock",
    "Rows 2, 4 and 6 have fewer multiply-adds than the row above each. Are they faster by as much?",
    ["as much", "less", "more"],
)

# %%
budget = 0.2 if QUICK else 1.5
times = {name: milliseconds(node, MAP, budget=budget) for name, node in PAIRS.items()}

# %% tags=["hide-input"]
names = list(PAIRS)
fewer, faster = {}, {}
for whole, split in zip(names[::2], names[1::2]):
    pair = f"{whole} → {split}"
    fewer[pair] = measure(PAIRS[whole], MAP).macs / measure(PAIRS[split], MAP).macs
    faster[pair] = times[whole] / times[split]
axis = plots.paired_bars(
    {"times fewer multiply-adds": fewer, "times faster on this machine": faster}, text="{:.2f}"
)
plots.show(
    axis.figure,
    "Gain by count and by clock: "
    + "; ".join(
        f"{pair} {fewer[pair]:.2f} by count, {faster[pair]:.2f} by clock" for pair in fewer
    ),
)

# %% tags=["hide-input"]
less = [pair for pair in fewer if faster[pair] < 0.85 * fewer[pair]]
outcome(
    "01.clock",
    "less" if less else "as much",
    f"On this machine the clock gains over 15 % less than the count for {'; '.join(less)}."
    if less
    else "On this machine the clock gains as much as the count, within 15 %.",
)

# %% [markdown]
# Multiply-adds are not time. Each split writes and reads one map more, and does a second batch norm
# and ReLU. Which kernel a library computes best differs from machine to machine. So counts tell
# which way is far too slow. Where two are close, only the clock of the machine that will run them
# decides.
#
# ## Lab: rebuild an Inception-v3 block
#
# This is a block of v3's first stage, as released. Its second branch still has a 5×5. **Your
# task:** replace it by two 3×3. Then take a 1×1 away, or add a 1×7. See the cost, what each place
# sees, and whether the block still fits.

# %%
from inception_edu.labs.designer import block_designer

lab = block_designer("InceptionA_v3", goal="branch 2 sees 5×5 with 96 % of the parameters")

# %% [markdown]
# Is the block described rightly? torchvision holds Inception-v3 as others wrote it. In all three
# blocks of the first stage, parameters and shapes must agree.

# %%
from torchvision.models.inception import InceptionA as OtherA

rows = []
for channels, pool in ((192, 32), (256, 64), (288, 64)):
    theirs = OtherA(channels, pool_features=pool).eval()
    ours = measure(InceptionA_v3(pool), (channels, 35, 35))
    weights = sum(p.numel() for p in theirs.parameters())
    leaves = tuple(theirs(torch.zeros(1, channels, 35, 35)).shape[1:])
    same = (weights, leaves) == (ours.params, ours.output)
    rows.append((channels, weights, size_words(leaves), same))
table(rows, ["channels that enter", "parameters", "leaves", "as described"])

# %% [markdown]
# ## Experiment: which kernels see which objects?
#
# Back to the first question. The data set `scales` holds objects of 8 to 28 pixels in 32×32
# pictures. All are drawn with twelve dots, and the dots keep their size when the object grows. So
# to tell a circle from a square, a filter must see several dots at once.

# %% tags=["hide-input"]
from inception_edu.data import scales

images = torch.cat([scales.scales(10, 32, seed=1, sizes=(s, s)).images for s in (9, 15, 26)])
titles = [*scales.CLASSES, "medium", *[""] * 9, "large", *[""] * 9]
plots.show(
    plots.image_grid(images, titles, columns=10).figure,
    "Ten kinds of objects, small in the first row, medium in the second, large in the third: "
    + ", ".join(scales.CLASSES),
)

# %% [markdown]
# To look at the kernel alone we train *only the last layer*. The filters are random and all of one
# size. Each filter gives three numbers: mean, maximum and spread of its response. The linear
# classifier on these numbers is found by solving one system of equations, without a learning rate.

# %%
predict(
    "01.small-objects",
    "48 random filters with stride 2: are 3×3 or 9×9 better on *small* objects?",
    ["3×3", "9×9", "equal"],
)

# %%
data = kernel_sizes.pictures(seed=0)
percent = {size: ".0%" for size in ("all", *kernel_sizes.SIZES)} | {"seconds": ".1f"}
rows = [
    {"kernels": str(k), **kernel_sizes.see(k, filters=48, seed=0, data=data)}
    for k in ([(3,), (9,)] if QUICK else [(3,), (9,), (3, 5, 9)])
]
table(rows, formats=percent)

# %% [markdown]
# That was one seed. A seed draws the filters *and* the pictures.

# %%
cells, facts = kernel_sizes.committed()
say(
    f"The committed runs have {len(facts['seeds'])} seeds for each of {len(cells)} choices. On the "
    "left are their means; the bars show the standard deviation over the seeds. On the right each "
    "dot is a run, and each stroke is a mean."
)

# %% tags=["hide-input"]
sizes = list(kernel_sizes.SIZES)
fig = plots.figure(8.5, 3.6)
single = [kernels for kernels, _ in kernel_sizes.SAME_FILTERS if len(kernels) == 1]
axis = fig.add_subplot(1, 2, 1)
for size, colour, dash, mark in zip(sizes, plots.COLOURS, plots.DASHES, plots.MARKERS):
    line = [100 * cells[k, 48].mean(size) for k in single]
    spread = [100 * cells[k, 48].spread(size) for k in single]
    axis.errorbar(
        [k[0] for k in single], line, spread, color=colour, ls=dash, marker=mark, label=size
    )
axis.set_title("48 filters of one size", fontweight="bold")
axis.set(xlabel="kernel (pixels)", ylabel="% right", xticks=[k[0] for k in single])
axis.legend()
same_cost = {cells[key].label: cells[key].accuracy["all"] for key in kernel_sizes.SAME_COST}
spent = [kernel_sizes.multiply_adds(*key) / 1e6 for key in kernel_sizes.SAME_COST]
cost = f"{min(spent):.2f} to {max(spent):.2f} M multiply-adds"
words = f"% right, all sizes ({cost})"
axis = plots.dots(same_cost, fig.add_subplot(1, 2, 2), words, True)
axis.set_title("about the same cost", fontweight="bold")
said = ", ".join(f"{name} {sum(v) / len(v):.0%}" for name, v in same_cost.items())
plots.show(
    fig,
    "Left: accuracy against kernel size for small, medium and large objects. "
    f"Right: five choices of equal cost: {said}. {len(facts['seeds'])} seeds each.",
)

# %% tags=["hide-input"]
wide, narrow = (Cell(f"{k}×{k}", tuple(cells[(k,), 48].accuracy["small"])) for k in (9, 3))
gap = difference(wide, narrow)
low, high = kernel_sizes.SIZES["small"]
outcome(
    "01.small-objects",
    {"more": "9×9", "less": "3×3", "": "equal"}[gap.seen],
    f"9×9 minus 3×3 on small objects: {gap.text()}. Even a small object is {low:g} to {high:g} "
    "pixels wide: a 3×3 window sees a small piece of it.",
)

# %%
say("01.large-kernel", "01.equal-cost", "01.known-size", "01.unknown-size")

# %% [markdown]
# So what speaks for a small kernel is its *cost*: a layer can have more of them. And what speaks
# for a mixture is that nobody has to know the right size.
#
# **Run it yourself**: other kernels, other counts, your own seed.

# %%
my_kernels, my_filters, my_seed = (3, 7), 24, 1
table([kernel_sizes.see(my_kernels, my_filters, my_seed)], formats=percent)

# %% [markdown]
# ## Batch norm
#
# Since 2015 nearly every convolution is followed by batch norm. (The linear 1×1 of chapter 06 is
# not.) Batch norm subtracts each channel's mean over the batch and all places. It divides by the
# channel's standard deviation. Then it multiplies by γ and adds β, two learned numbers for each
# channel. Here are ten layers whose weights start 30 % too small, with and without it (γ = 1, β =
# 0):


# %%
def spreads(norm, layers=10, gain=0.7, seed=0):
    """Standard deviation of the signal after each of ten 3×3 convolutions with ReLU."""
    generator = torch.Generator().manual_seed(seed)
    x, found = torch.randn(16, 32, 8, 8, generator=generator), []
    for _ in range(layers):
        weight = torch.randn(32, 32, 3, 3, generator=generator) * (2 / (32 * 9)) ** 0.5
        x = F.conv2d(x, gain * weight, padding=1)
        x = F.batch_norm(x, None, None, training=True) if norm else x
        x = x.relu()
        found.append(x.std().item())
    return found


# %% tags=["hide-input"]
axis = plots.figure(7, 2.6).add_subplot()
ends = {}
for norm, dash, word in ((False, "s--", "without batch norm"), (True, "o-", "with batch norm")):
    found = spreads(norm)
    ends[word] = found[-1]
    axis.plot(range(1, 11), found, dash, color=plots.COLOURS[norm], label=word)
axis.set(xlabel="layer", ylabel="standard deviation", yscale="log")
axis.set_yticks(marks := [0.02, 0.05, 0.1, 0.2, 0.5], marks)
axis.set_yticks([], minor=True)
axis.legend()
plots.show(
    axis.figure,
    "Signal after each layer; at the tenth: " + ", ".join(f"{w} {v:.2g}" for w, v in ends.items()),
)

# %%
without, with_norm = spreads(False), spreads(True)
claim(
    "01.batch-norm",
    without[-1] < 0.05 * without[0] and 0.8 < with_norm[-1] / with_norm[0] < 1.25,
    "Without batch norm a small mistake is multiplied layer after layer: at the tenth the signal "
    f"has {without[-1] / without[0]:.1%} of its size at the first. With batch norm it has "
    f"{with_norm[-1] / with_norm[0]:.0%}: every layer starts again at the same size.",
)

# %% [markdown]
# At test time, running averages replace the batch's mean and deviation. So
# the answer for an image does not depend on the other images of its batch.
#
# ## The identity path
#
# The paper's networks have a second ancestor: ResNet (2015). In Fig. 1 two convolutions compute a
# *correction*, which is added to x itself.

# %%
figure(1)

# %% [markdown]
# Fig. 2 does the same on fewer channels, between two 1×1. This is the bottleneck again.

# %%
figure(2)

# %%
fig_1 = Residual(Chain(Conv(64, 3), Conv(64, 3, relu=False)))  # relu(x + body(x))
fig_2 = Residual(Chain(Conv(64, 1), Conv(64, 3), Conv(256, 1, relu=False)))
wide = Residual(Chain(Conv(256, 3), Conv(256, 3, relu=False)))
costs({"Fig. 2": fig_2, "Fig. 1 with 256 channels": wide}, (256, 56, 56))

# %% tags=["hide-input"]
times_more = measure(wide, (256, 56, 56)).macs / measure(fig_2, (256, 56, 56)).macs
say(f"For 256 channels, Fig. 1 would cost {times_more:.0f} times as much as Fig. 2.")

# %% [markdown]
# Both keep the shape of their input, because only equal shapes can be added. If the channels
# differ, the description says so:

# %%
refusal(out_shape, fig_1, (256, 56, 56))

# %% [markdown]
# What does the identity give us? A way for the gradient. We send a signal through 24 untrained
# blocks of two 3×3 convolutions. Then we measure how long a gradient still is when it arrives at
# the first block. The size of the first weights matters, too. So we try two sizes, and batch norm,
# with five seeds each.


# %%
def arrives(identity, gain=1.0, norm=False, blocks=24, seed=0):
    """Length of a gradient at the input of a stack, over its length at the output."""
    generator = torch.Generator().manual_seed(seed)

    def conv(z):  # standard deviation 1/√fan-in, times gain
        z = F.conv2d(z, gain * torch.randn(16, 16, 3, 3, generator=generator) / 12, padding=1)
        return F.batch_norm(z, None, None, training=True) if norm else z

    x = torch.randn(4, 16, 8, 8, generator=generator).requires_grad_()
    y = x
    for _ in range(blocks):
        body = conv(F.relu(conv(y)))
        y = F.relu(y + body) if identity else F.relu(body)
    there = torch.randn(y.shape, generator=generator)
    (gradient,) = torch.autograd.grad(y, x, there)
    return (gradient.norm() / there.norm()).item()


# %% tags=["hide-input"]
STARTS = {
    "std 1/√fan-in": (1.0, False),
    "√2 larger": (2**0.5, False),
    "with batch norm": (1.0, True),
}
found = {}
for words, (gain, norm) in STARTS.items():
    for identity in (False, True):
        name = f"{words}, {'with' if identity else 'no'} identity"
        found[name] = [arrives(identity, gain, norm, seed=seed) for seed in range(5)]
axis = plots.dots(found, xlabel="length of the gradient at the first block (1 = as at the last)")
axis.set_xscale("log")
axis.axvline(1, color="#555555", lw=1)
plots.show(
    axis.figure,
    "Gradient that arrives, five seeds: "
    + "; ".join(f"{name} {min(v):.1g} to {max(v):.1g}" for name, v in found.items()),
)

# %% [markdown]
# Behind a ReLU half of the mean square is left, so small first weights make the signal smaller in
# each layer. Weights √2 larger (He's rule) make up for that. But then the *sum* grows from block to
# block, which is the subject of chapter 08.

# %% tags=["hide-input"]
gradients, large, normed = (
    [found[f"{words}, {path} identity"] for path in ("no", "with")] for words in STARTS
)
change = [sum(large[k]) / sum(gradients[k]) for k in (0, 1)]
claim(
    "01.gradient",
    max(gradients[0]) < 1e-3
    and min(*gradients[1], *large[1], *normed[1]) > 1
    and min(normed[0]) > 10 * max(normed[1])
    and change[1] < change[0] / 100,
    f"Small first weights: without the identity at most {max(gradients[0]):.0e} of a gradient's "
    f"length arrives, with it {min(gradients[1]):.0f} to {max(gradients[1]):.0f} times its length. "
    f"√2 larger: {min(large[0]):.2f} to {max(large[0]):.2f} without, {min(large[1]):,.0f} to "
    f"{max(large[1]):,.0f} times with it. So weights √2 larger multiply what arrives by "
    f"{change[0]:.0e} without the identity, and by {change[1]:.0f} with it: with the identity a "
    "deep stack depends less on the size of its first weights. With batch norm the gradient grows "
    f"on its way down: {min(normed[0]):,.0f} to {max(normed[0]):,.0f} times without the identity, "
    f"{min(normed[1]):.0f} to {max(normed[1]):.0f} times with it.",
)

# %% [markdown]
# Whether Inception *needs* the identity is the question of this paper, and of chapter 10.
#
# ## Auxiliary heads
#
# GoogLeNet has two more classifiers on its way, Inception-v3 has one. Each reads the map in the
# middle of the network and answers the same question. In training its loss is added, with a small
# weight. Afterwards the head is taken away. GoogLeNet's authors expected more gradient for the
# lower layers (arXiv 1409.4842, Section 5). Inception-v3's authors saw no faster start, and a
# slightly better end (arXiv 1512.00567, Section 4). A head is a `Chain` like any other, here
# without batch norm, which is younger than GoogLeNet:

# %%
small = mini(network("googlenet_aux"), 1 / 16, (1, 2, 1), heads=True)
for head in small.heads:
    print(f"after {small[head.after].name}, loss × {head.weight}: {head.node}")

# %%
predict(
    "01.heads",
    "Small networks, 300 steps, with and without heads: what do these runs show of the heads?",
    ["a faster start", "a better end", "both", "neither"],
)

# %% [markdown]
# Five seeds each on the embedded images. Each of the four has a learning rate of its own, chosen on
# images that were held out of training. With the same seed both kinds start from the same weights
# and see the same images in the same order, so the differences are paired.

# %% tags=["hide-input"]
head_runs = load_results("heads")
heads_by_label = {r.label: [s for s in head_runs if s.label == r.label] for r in head_runs}
fig = plots.figure(9, 3.1)
for k, name in enumerate(("GoogLeNet", "Inception-v3")):
    courses = {
        label.split(", ")[1]: [list(zip(*run.extras["evaluations"])) for run in runs]
        for label, runs in heads_by_label.items()
        if label.startswith(name)
    }
    groups = {w: [(x, [1 - a for a in y]) for x, y in c] for w, c in courses.items()}
    axis = plots.curves(
        groups, axis=fig.add_subplot(1, 2, k + 1), ylabel="test error (%)", percent=True
    )
    axis.set_title(name)
    axis.set_xlabel("step")
plots.show(
    fig,
    "Test error on the way with and without auxiliary heads, one thin line a run. At the end: "
    + "; ".join(f"{name} {cell.text()} right" for name, cell in summarise(head_runs).items()),
)

# %% tags=["hide-input"]
faster, better = (heads_verdict(part).word == REDUCED for part in ("speed", "end"))
word = {(1, 1): "both", (1, 0): "a faster start", (0, 1): "a better end"}.get((faster, better))
outcome("01.heads", word or "neither", "The two sentences below say it with intervals.")

# %%
say("01.heads-speed", "01.heads-end", "01.heads-scope")

# %% [markdown]
# *These runs can show* names the difference that four of five such experiments would have found. A
# smaller one may be there and not be seen. The *margin* is the smallest difference that would
# matter. Where a difference as large as the margin could have been missed, the word is *undecided*.
# The margins were written down before these runs: 2 points of error on the way, 1 point at the end.
# These are short runs of small networks on ten classes. A long training may say something else.
#
# ## Lab: the family
#
# Each point is a network that came before the paper, with it or after it. Choose the axes. Point at
# a network: you see its diagram, what it changed, and a published error with its source. **Your
# task.** Has any network a smaller error than Inception-v3 at fewer multiply-adds? Is the order by
# receptive field the order by error?

# %%
from inception_edu.labs.family import family_lab

kin = family_lab()

# %% [markdown]
# These errors are published ones. Our own runs trained small versions of the paper's networks:

# %%
say("01.family-here")

# %% [markdown]
# ## Exercises


# %%
# exercise: Count a convolution | ●○○ | 4 min
# task: Write `multiply_adds(c, filters, h, w, kh, kw)` for a convolution that keeps the size of the
#   map (same padding, stride 1): `c` channels come in on a map of `h`×`w`, `filters` go out, the
#   kernel is `kh`×`kw`. Leave batch norm out.
# hint: Every number of the output is one sum. How many products are in it?
def multiply_adds(c, filters, h, w, kh, kw):
    # begin solution
    return c * filters * h * w * kh * kw
    # end solution
    # stub: return ...


# check:
check("01.1", multiply_adds)

# %%
# exercise: How many filters may the 1×1 have? | ●●○ | 5 min
# task: 256 channels, a 3×3 with 256 filters. You may put a 1×1 with `m` filters in front. Below
# which `m` is the pair
#   cheaper than the 3×3 alone, in weights? Give the largest whole `m` that still saves something.
# hint: The pair has 256·m + 9·m·256 weights, the 3×3 alone 9·256·256.
# hint: 10·m < 9·256.
# begin solution
m = 230
# end solution
# stub: m = ...
# check:
check("01.2", m)

# %%
# exercise: Split the 7×7 | ●○○ | 4 min
# task: Describe a branch that sees 7×7 like `Conv(128, 7)`, as v3 does it: a 1×1 to 64 filters,
# then 1×7 with 64 and
#   7×1 with 128.
# hint: A kernel is `(height, width)`.
split = Chain(
    Conv(64, 1),
    # begin solution
    Conv(64, (1, 7)),
    Conv(128, (7, 1)),
    # end solution
    # stub: ...,
)
# check:
check("01.3", split)

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "Branches let one layer look at several sizes. The next layer chooses.",
    "01.bottleneck",
    "01.factorised",
    "01.equal-cost",
    f"Ten layers with too small weights leave {without[-1] / without[0]:.0%} of the signal, with "
    f"batch norm {with_norm[-1] / with_norm[0]:.0%}. A gradient passes 24 blocks of small weights "
    f"with the identity; without it at most {max(gradients[0]):.0e} of it arrives.",
)

# %% [markdown]
# **What would change our mind.** The filters here are random and there is one layer. Deep layers of
# 3×3 see large objects too. If a trained network of 3×3 alone equalled Inception at equal
# *measured* time, branches would not be needed.
#
# **Next.** Chapter 02: the stem, and the arithmetic of sizes.
