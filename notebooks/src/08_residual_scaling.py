# %% [markdown]
# # Residual scaling
#
# The paper multiplies each residual by a small constant before it is added. We move this constant
# from 0 to 1.5, put it in the wrong place, and let it be learned. We see what it changes in a fresh
# network, and what it changes in training.
#
# **After this chapter you can**
#
# 1. write the scaled block in one line, and say what in it is scaled and what is not;
# 2. predict how the signal grows from block to block, and check it on a real network;
# 3. judge from five seeds what the scale does to stability and to accuracy, and say which weights
#    and rates do the same without a scale.

# %% tags=["hide-input"]
# @title Imports
from dataclasses import replace

import torch
from IPython.display import display
from scipy.stats import truncnorm
from torch import nn

from inception_edu import study
from inception_edu.describe import Chain, Conv, Linear, Residual, draw, networks
from inception_edu.labs.scaling import scaling_lab
from inception_edu.nets import ScaledResidual, build, named_blocks
from inception_edu.study import difference, experiments, fates_of, holm, load_results, summarise
from inception_edu.study import rows as rows_of
from inception_edu.teach import (
    against,
    begin,
    check,
    claim,
    contrasts,
    fates,
    five_lines,
    opening_figure,
    outcome,
    plots,
    predict,
    provenance,
    run_dots,
    say,
    settings,
    table,
    verdicts,
)

begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("08.wide", "08.full-width")

# %%
opening_figure("08")

# %% [markdown]
# ## Lab: the scale slider
#
# A tower of ten Inception-ResNet-C blocks (Fig. 13) learns clothes from scratch. The optimizer is
# the paper's, RMSProp with ε = 1. The rate is several times the paper's, so that the fate shows in
# seconds. Move the *scale*: bands and towers show what five recorded seeds did. Press *Retrain*.
# Set the scale to 0.1, and press it again. Then look for the smallest scale at which the tower
# still dies. *Five seeds* gives a verdict.

# %%
lab = scaling_lab()

# %% [markdown]
# Watch three things: the loss, the standard deviation by block, and the *dead* channels. A channel
# is dead in a batch when it is 0 on every pixel of every image. The dark part of a bar is the share
# of dead channels. The verdict looks at more images than one batch, so its share is a little
# smaller.
# The line *off* is the network with its blocks switched off. The blocks have to beat it.
#
# ## The claim
#
# Section 3.3 says: "scaling down the residuals before adding them to the previous layer activation
# seemed to stabilize the training". The factors were "between 0.1 and 0.3". Where scaling was not
# strictly needed, it "never seemed to harm the final accuracy". Fig. 20 draws the block. Its inner
# network may be any:

# %% tags=["picture"]
inner = Chain(Conv(64, 1), Conv(64, 3), Linear(256))
draw(Residual(inner, scale=0.1, name="a scaled residual block", figure="Fig. 20"), (256, 8, 8))

# %%
predict(
    "08.distance",
    "The constant is 0.1. How much of x does the block change, before any training?",
    ["nine tenths", "half", "one tenth"],
)

# %% [markdown]
# ## The block in one line


# %%
class Scaled(nn.Module):
    """N×C×H×W → N×C×H×W: the block of Fig. 20 around the inner network f."""

    def __init__(self, f, scale):
        super().__init__()
        self.f, self.scale = f, scale

    def forward(self, x):
        return torch.relu(x + self.scale * self.f(x))


# %% [markdown]
# The package's block is the same line. With the same inner network both give the same numbers.


# %%
def size(tensor):
    """Root of the mean square."""
    return tensor.pow(2).mean().sqrt().item()


f = build(inner, in_channels=256, seed=0)
x = torch.rand(16, 256, 8, 8, generator=torch.Generator().manual_seed(0))
mine, theirs = Scaled(f, 0.1)(x), ScaledResidual(f, 0.1)(x)
assert torch.equal(mine, theirs) and mine.shape == x.shape
changed = size(mine - x) / size(x)

# %% tags=["hide-input"]
tenths = {"nine tenths": 0.9, "half": 0.5, "one tenth": 0.1}
outcome(
    "08.distance",
    min(tenths, key=lambda word: abs(tenths[word] - changed)),
    f"The size of x is {size(x):.2f}, that of f(x) {size(f(x)):.2f}. The block changes its input "
    f"by {changed:.1%}.",
)

# %% [markdown]
# Only the branch is multiplied. So a scaled block begins as *nearly the identity*, and the network
# learns how far to move away from it. This holds where branch and input have about the same size,
# as here. The branch does not grow with x: try `10 * x`.
#
# ## How does the signal grow?
#
# Many textbooks say: "A branch keeps the variance of its input. Then
# $\mathrm{Var}[x + s f(x)] = (1 + s^2)\,\mathrm{Var}[x]$. Ten blocks at $s = 1$ multiply the
# variance by $2^{10}$ and the standard deviation by $2^5 = 32$." Here are two of ten such blocks:

# %%
draw(networks.tower(288, 2, 1.0)["inception_resnet_c"].node, (288, 4, 4))

# %%
predict(
    "08.growth",
    "Ten unscaled blocks in a row, untrained. By what factor does the standard deviation grow?",
    ["1", "2", "32"],
)


# %%
@torch.no_grad()
def spreads(network, images, seed=0, **options):
    """Standard deviation of the activations behind the stem and behind each block, untrained."""
    model, found = build(network, seed=seed, **options).train(), {}
    for name, block in named_blocks(model):
        block.register_forward_hook(
            lambda m, i, out, name=name: found.update({name: out.std().item()})
        )
    model(images)
    return list(found.values())


# %%
data = study.open_data("fashion").to("cpu")
images = data.normalise(data.train.images[:64])
SCALES = (0.1, 0.3, 1.0)
measured = {
    s: [spreads(networks.tower(288, 10, s), images, seed) for seed in range(5)] for s in SCALES
}
say(data.describe())

# %%
growths = {s: [run[-1] / run[0] for run in runs] for s, runs in measured.items()}
table(
    {s: (sum(found) / 5, min(found), max(found)) for s, found in growths.items()},
    ["scale", "growth over ten blocks, mean of 5 seeds", "smallest", "largest"],
)

# %% tags=["hide-input"]
grown = sum(growths[1.0]) / 5
outcome(
    "08.growth",
    min(("1", "2", "32"), key=lambda factor: abs(float(factor) - grown)),
    f"Unscaled it grows by a factor of {grown:.2f} (mean of 5 seeds). 32 is far away.",
)

# %% [markdown]
# Why so little? The branch does *not* keep the variance of its input. Its last layer reads channels
# that batch norm has just brought to variance 1, however large $x$ was. Behind the ReLU such a
# channel has $\mathbb{E}[z^2] = \tfrac12$. Weights of variance $v/\text{fan-in}$ make a branch of
# variance $b^2 = v/2$ from it. That is the same in every block. Our weights come from a normal
# distribution that is cut at two deviations, so $v$ is less than 1:

# %%
VARIANCE = truncnorm(-2, 2).var()
say(f"v = {VARIANCE:.3f}")

# %% [markdown]
# So a block does not multiply, it **adds**: $x \leftarrow \max(0,\; x + s\,b\,\xi)$, where
# $\xi$ has variance 1. That is a random walk that cannot go below 0. Nothing in it is fitted:


# %%
def walk(scale, depth, variance=VARIANCE, count=200_000):
    """The standard deviation that the random walk predicts, behind the stem and each block."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, generator=generator).relu()
    found = [x.std().item()]
    for _ in range(depth):
        x = (x + scale * (variance / 2) ** 0.5 * torch.randn(count, generator=generator)).relu()
        found.append(x.std().item())
    return found


# %% tags=["hide-input"]
axis = plots.figure(7, 3.2).add_subplot()
told = []
for k, (s, runs) in enumerate(measured.items()):
    mean, predicted = torch.tensor(runs).mean(0).tolist(), walk(s, 10)
    axis.plot(predicted, color=plots.COLOURS[k], ls="--")
    axis.plot(mean, "os^"[k], color=plots.COLOURS[k], label=f"scale {s:g}")
    told.append(f"scale {s:g}: measured {mean[-1]:.2f}, predicted {predicted[-1]:.2f}")
axis.set(xlabel="block (0 = stem)", ylabel="standard deviation", ylim=(0, None))
axis.legend(title="dots: measured, 5 seeds\ndashes: predicted", frameon=False)
plots.show(axis.figure, f"Standard deviation by block. Behind ten blocks: {'; '.join(told)}.")

# %% [markdown]
# After many blocks only half of a normal distribution is left. Its standard deviation is about 0.6
# times what it would be without the floor at 0. Exercise 1 asks for that simpler number. The scale
# sets the pace. The growth is a square root, not an exponential.
#
# Batch norm inside the branches makes it so. Here it is taken away: the folded cell edits the
# description. The weights are He's, which are made for networks without batch norm. Now each block
# multiplies the variance. The factor is not quite $1 + s^2$. The ReLU behind the sum cuts a part
# off. And a branch answers to the mean of its input too, not to its variance alone.


# %% tags=["hide-input"]
def without_norm(node):
    """The same description with every batch norm left out."""
    if isinstance(node, Conv):
        return replace(node, norm=False)
    if isinstance(node, Residual):
        return replace(node, body=without_norm(node.body))
    parts = node.parts if isinstance(node, Chain) else node.branches
    return type(node)(*(without_norm(part) for part in parts))


# %%
rows = []
for s in SCALES:
    tower = networks.tower(288, 10, s)
    stem, blocks = tower.blocks
    bare = replace(tower, blocks=(stem, replace(blocks, node=without_norm(blocks.node))))
    free = [spreads(bare, images, seed, init="he") for seed in range(5)]
    factors = [
        sum((run[-1] / run[5]) ** (2 / 5) for run in runs) / 5 for runs in (measured[s], free)
    ]
    rows.append((s, *factors, 1 + s * s))
table(
    rows,
    ["scale", "with norm", "without", "1 + s²"],
    caption="Growth of the variance from block to block, over the last five blocks",
)

# %% [markdown]
# ## Experiment 1: the scale, from 0 to 1.5
#
# One tower is wide (576 channels), one is narrow (72). Both learn at the paper's rate, 0.045. The
# images are colour photographs, and each setting has five seeds. Scale 0 switches every block off.
# Then stem and classifier work alone, and the blocks have to beat that.

# %%
results = load_results("scaling")
BY = ("width", "scale")
dead, accuracy = (summarise(results, value, by=BY) for value in ("dead_last", "accuracy"))
steps = {row["width"]: row["steps"] for row in rows_of(results)}
many = ", ".join(f"width {width} for {count} steps" for width, count in steps.items())
display(say(provenance(results).markdown, f"Compare within a width only: {many}."))
settings(results, "dead_last", "accuracy")

# %% tags=["hide-input"]
fig = plots.figure(8, 3.2)
for k, (title, cells) in enumerate(
    (("Dead channels in the last block", dead), ("Test accuracy", accuracy))
):
    axis = fig.add_subplot(1, 2, k + 1)
    for width, style in ((576, "o-"), (72, "s--")):
        group = {scale: cell for (w, scale), cell in cells.items() if w == width}
        axis.plot(
            list(group), [100 * c.mean for c in group.values()], style, label=f"width {width}"
        )
        for s, cell in group.items():
            axis.plot(
                [s, s],
                [100 * min(cell.values), 100 * max(cell.values)],
                color="0.6",
                lw=1,
                zorder=0,
            )
    axis.set(title=title, xlabel="scale", ylabel="%", ylim=(-3, None))
    axis.legend(frameon=False)
plots.show(
    fig,
    "Dead channels and test accuracy against the scale for a wide and a narrow tower; "
    "the numbers are in the table above.",
)

# %% [markdown]
# In the figure a thin line reaches from the smallest run of a setting to the largest.
#
# What became of each setting? All chapters use one rule (`docs/verdicts.md`). It looks at the
# *worst* block of a run at the end. With less than a tenth of its channels dead the run *lives*.
# With half or more it *dies*. In between it *suffers*.

# %%
fates(results)

# %% [markdown]
# The differences in accuracy are paired by seed. Several questions are asked at once, so the
# p-values are corrected together (Holm). *These runs can show* names the difference that four of
# five such experiments would have found: a smaller one may be there and not be seen.

# %%
for width in (72, 576):
    gaps = {
        f"scale {one} minus scale {other}": difference(accuracy[width, one], accuracy[width, other])
        for one, other in ((0.1, 1), (0.1, 0), (1, 0))
    }
    display(contrasts(holm(gaps), f"Accuracy, width {width}"))

# %%
claim("08.blocks-add")

# %% [markdown]
# Wider networks follow in Experiment 3, and longer runs in chapter 09.
#
# ## Experiment 2: scale what, exactly?
#
# - *Identity × 0.1* is a common slip: `relu(scale * x + f(x))`.
# - A *learnable* scale is one more parameter for each block.
# - *Last layer from zero* starts each branch at 0, as if the scale were 0. Then the weights grow.
#
# There are two towers. One has 144 channels and a rate of 0.3. The other has 72 channels and the
# paper's rate, and trains twice as long. The row *unscaled* says what becomes of each.

# %%
predict(
    "08.slip",
    "Of 144 channels: does the tower live if the identity, not the residual, is scaled by 0.1?",
    ["lives", "suffers", "dies"],
)

# %%
terms = load_results("which_term")
accuracy_ = summarise(terms, "accuracy")
fates(terms, accuracy=True)

# %% tags=["hide-input"]
outcome(
    "08.slip",
    fates_of("which_term")["width 144: identity × 0.1"].word,
    "The table above says it, run by run.",
)

# %%
for width in (144, 72):
    caption = f"Accuracy against unscaled, width {width}"
    display(against(accuracy_, f"width {width}: unscaled", caption))

# %%
display(claim("08.safe"), claim("08.ways"), claim("08.shared-runs"))

# %% [markdown]
# Others, too, let each block start near the identity:
#
# - Goyal et al. (2017, arXiv 1706.02677): the last batch norm of a branch starts with factor 0.
# - Zhang, Dauphin and Ma (*Fixup*, 2019, arXiv 1901.09321): without batch norm, the last layer of a
#   branch starts at 0.
# - Bachlechner et al. (*ReZero*, 2020, arXiv 2003.04887), De and Smith (*SkipInit*, 2020, arXiv
#   2002.10444): a learnable scale that starts at 0.
#
# ## Experiment 3: at the paper's width
#
# Now Inception-ResNet-v2 itself is trained, with all of its filters: 1152 channels in its B blocks
# and 2144 in its C blocks. Only the number of blocks is smaller (2, 3 and 2). It has the paper's
# optimizer, and five seeds for each setting.

# %%
predict(
    "08.full",
    "At a tenth of the paper's rate nothing dies. What does a scale of 0.2 do to accuracy there?",
    ["better than unscaled", "no difference seen", "worse than unscaled"],
)

# %%
full = load_results("paper_width")
display(provenance(full))
run_dots(full, {"dead_most": "dead, worst block", "accuracy": "test accuracy"})

# %%
fates(full, accuracy=True)

# %% tags=["hide-input"]
*_, low = study.harm_differences().values()  # corrected with the others of its claim
words = {"more": "better than unscaled", "less": "worse than unscaled", "": "no difference seen"}
outcome("08.full", words[low.seen], f"Scale 0.2 minus scale 1: {low.text()}, {low.word()}.")

# %%
display(claim("08.full-width"), claim("08.full-blocks"), claim("08.full-cost"))

# %% [markdown]
# Why may a scaled network learn more slowly at the same rate? Under plain SGD, a scale below 1 does
# the same as a last layer that starts smaller and has a lower rate. Exercise 2 asks how much lower.
# So a scaled network should need a higher rate. It also bears one, as the first sentence above
# says. This explanation fits these runs. They do not prove it.
#
# Now the paper's two claims on scaling, judged by all committed runs that bear on them:

# %%
verdicts("C5", "C7")

# %% [markdown]
# **Run it yourself.** Two of the narrow settings, shortened, on the embedded images. For the whole
# experiment: `python -m inception_edu.study run scaling`.

# %%
quick = experiments.configurations("scaling", "quick", data="fashion")
narrow = [config for config in quick if "width 72" in config.label]
caption = f"After {narrow[0].recipe.steps} steps"
settings(study.sweep(narrow, progress=False), "dead_last", "accuracy", caption=caption)

# %% [markdown]
# ## Exercises


# %%
# exercise: The square-root law | ●●○ | 5 min
# task: A branch adds $s\,\xi\,b$ with $b^2 = v/2$. Forget the ReLU and the stem: write
# `growth(scale, depth, v)`, the standard deviation of the sum of `depth` such independent
# additions. Compare ten blocks at scale 1 with the last dot of the figure above.
# hint: Variances of independent terms add up.
# explain: Without the ReLU the sum has variance $n s^2 v/2$. The clipped walk of the figure is
# narrower: what would go below 0 stays at 0.
def growth(scale, depth, v):
    # begin solution
    return scale * (depth * v / 2) ** 0.5
    # end solution
    # stub: return ...


# check:
check("08.1", growth)


# %%
# exercise: The same without a scale | ●●● | 10 min
# task: Train a scaled layer $y = s\,W z$ by plain SGD at rate $\eta$, or its folded twin $y = W' z$
#   with $W' = sW$ at the start. At which rate must the twin be trained so that both are equal after
#   every step? Write `twin_rate(rate, scale)`.
# hint: Write down both gradients: $\partial L/\partial W = s\,\partial L/\partial W'$.
# hint: $W \leftarrow W - \eta\, s\,g'$. Multiply by $s$ to see what happens to $sW$.
# explain: $sW \leftarrow sW - \eta s^2 g'$. A scale of 0.1 is a last layer that *starts* ten times
#   smaller and *learns* a hundred times more slowly, while all other layers keep their rate. To
#   divide the rate of the whole network is another change.
def twin_rate(rate, scale):
    # begin solution
    return rate * scale**2
    # end solution
    # stub: return ...


# check:
check("08.2", twin_rate)

# %%
# exercise: How many seeds would show it? | ●●○ | 6 min
# task: Two settings are trained with n seeds each. Their accuracies scatter from seed to seed with
# a standard deviation of `spread` points, the same for both. Write `seeds_needed(spread, gap)`: the
# smallest n for which the 95 % interval of the difference of the two means,
# $\pm 1.96\,\sqrt{2\,\text{spread}^2/n}$, is not wider than $\pm$`gap`. How many seeds
# would show half a point where the spread is 2 points?
# hint: Set $1.96\,\sqrt{2\,\text{spread}^2/n} \le \text{gap}$ and solve for n.
# hint: `math.ceil` rounds up.
# explain: Half the gap needs four times the seeds. "No difference" from five seeds means only that
# a *large* difference is ruled out; how large, the same formula tells. With this n, a true
# difference of `gap` shows itself in half of such experiments. For four of five it takes about
# twice as many seeds.
import math


def seeds_needed(spread, gap):
    # begin solution
    return math.ceil(2 * (1.96 * spread / gap) ** 2)
    # end solution
    # stub: return ...


# check:
check("08.3", seeds_needed)

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "The block is `relu(x + scale * f(x))`. The branch is scaled, the identity never is.",
    f"With batch norm in its branches, the signal of a fresh tower grows {grown:.1f} times in ten "
    "unscaled blocks: like the square root of the depth.",
    "08.full-width",
    f"Does a scale harm the accuracy? {claim('08.full-cost').short}",
    "Under SGD, a scale below 1 is a last layer that starts smaller and learns more slowly "
    "(exercise 2 says by how much). After training it can be folded into the weights.",
)

# %% [markdown]
# **What would change our mind.** A network with a scale of 0.1 that dies at the paper's rate when
# one machine trains it. (With 20 simulated replicas one does: chapter 09.) Or a wide one that lives
# unscaled with everything else equal. Or a long training in which the scaled network stays behind,
# with a rate tuned for it alone. Our longest runs here have 1000 steps.
#
# **Next.** Chapter 09: why the channels die, and the other remedies.
