# %% [markdown]
# # Residual scaling
#
# Multiply each residual by a small constant before it is added, and wide residual networks stay
# trainable: we move the constant from 0 to 1.5, put it in the wrong place, let it be learned, and
# see what it changes.
#
# | | laptop, two cores |
# |---|---|
# | reading and computing | 40 min |
# | of which you wait | 1 min |
#
# **After this chapter you can**
#
# 1. write the scaled block in one line, and say what in it is scaled and what is not;
# 2. predict how the signal grows from block to block, and check it on a real network;
# 3. judge from five seeds what the scale does to stability and to accuracy, and what it is a short
#    way of writing.

# %%
import torch
from dataclasses import replace
from IPython.display import display
from scipy.stats import truncnorm
from torch import nn

from inception_edu.describe import Chain, Conv, Linear, Residual, draw, networks
from inception_edu import study
from inception_edu.study import difference, experiments, holm
from inception_edu.study import load_results, summarise
from inception_edu.teach.claims import claim
from inception_edu.teach import check, contrasts, fates, plots, provenance, say, settings, table
from inception_edu.teach import verdicts
from inception_edu.nets.build import ScaledResidual, build, named_blocks
from inception_edu.labs.scaling import scaling_lab

print("mode:", experiments.mode())

# %% [markdown]
# ## The claim
#
# Section 3.3: "scaling down the residuals before adding them to the previous layer activation
# seemed to stabilize the training", with factors "between 0.1 and 0.3"; and where scaling was not
# strictly needed, it "never seemed to harm the final accuracy". Fig. 20 draws the block, whatever
# its inner network:

# %%
inner = Chain(Conv(64, 1), Conv(64, 3), Linear(256))
draw(Residual(inner, scale=0.1, name="a scaled residual block", figure="Fig. 20"), (256, 8, 8))

# %% [markdown]
# **Predict.** The constant is 0.1. At the start of training, how far is the block's output from its
# input: nine tenths, half, or one tenth?
#
# <details><summary>Answer</summary>
#
# About one tenth, *if* branch and input are about equally large, as here. Only the branch is
# multiplied; the identity passes unchanged. So a scaled block begins as *nearly the identity*, and
# the network learns how far to move away from it. The next cells measure it. (The branch does not
# grow with x, as the section after them shows: try `10 * x`.)
#
# </details>

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
# The package's block is the same line; with the same inner network both give the same numbers.

# %%
f = build(inner, in_channels=256, seed=0)
x = torch.rand(16, 256, 8, 8, generator=torch.Generator().manual_seed(0))
mine, theirs = Scaled(f, 0.1)(x), ScaledResidual(f, 0.1)(x)
assert torch.equal(mine, theirs) and mine.shape == x.shape
size = lambda tensor: tensor.pow(2).mean().sqrt().item()
say(
    f"The size of x is {size(x):.2f}, that of f(x) {size(f(x)):.2f}: the block changes its input",
    f"by {size(mine - x) / size(x):.1%}.",
)

# %% [markdown]
# ## How does the signal grow?
#
# **Predict.** Ten unscaled blocks in a row, fresh from initialisation. By what factor is the spread
# (standard deviation) behind the last block larger than before the first: 1, 2, or 32?
#
# <details><summary>A tempting answer</summary>
#
# "If a branch keeps the variance of its input, then
# $\mathrm{Var}[x + s f(x)] = (1 + s^2)\,\mathrm{Var}[x]$. Ten blocks at $s = 1$ multiply the
# variance by $2^{10}$ and the spread by $2^5 = 32$." It is in many textbooks. Measure before you
# believe it.
#
# </details>


# %%
@torch.no_grad()
def spreads(network, images, seed=0, **options):
    """Standard deviation of the activations behind the stem and behind each block, before any
    training."""
    model, found = build(network, seed=seed, **options).train(), {}
    for name, block in named_blocks(model):
        block.register_forward_hook(
            lambda m, i, out, name=name: found.update({name: out.std().item()})
        )
    model(images)
    return list(found.values())


data = study.open_data("fashion").to("cpu")
print(data.describe())
images = data.normalise(data.train.images[:64])
print("a batch:", tuple(images.shape))

# %%
SCALES = (0.1, 0.3, 1.0)
measured = {
    s: [spreads(networks.tower(288, 10, s), images, seed) for seed in range(5)] for s in SCALES
}
growths = {s: [run[-1] / run[0] for run in runs] for s, runs in measured.items()}
table(
    {s: (sum(found) / 5, min(found), max(found)) for s, found in growths.items()},
    ["scale", "growth over ten blocks, mean of 5 seeds", "smallest", "largest"],
)

# %% [markdown]
# Nowhere near 32. The branch does *not* keep the variance of its input: its last layer reads
# channels that batch norm has just brought to variance 1, however large $x$ was. Behind the ReLU
# such a channel has $\mathbb{E}[z^2] = \tfrac12$, and weights of variance $v/\text{fan-in}$ turn
# that into a branch of variance $b^2 = v/2$, the same in every block. Our weights are a normal
# distribution that is cut at two deviations, so $v$ is less than 1:

# %%
VARIANCE = truncnorm(-2, 2).var()
print(f"v = {VARIANCE:.3f}")

# %% [markdown]
# So a block does not multiply, it **adds**: $x \leftarrow \max(0,\; x + s\,b\,\xi)$ with $\xi$ of
# variance 1. That is a random walk that cannot go below 0, and nothing in it is fitted:


# %%
def walk(scale, depth, variance=VARIANCE, count=200_000):
    """The spread that the random walk predicts, behind the stem and behind each block."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, generator=generator).relu()
    found = [x.std().item()]
    for _ in range(depth):
        x = (x + scale * (variance / 2) ** 0.5 * torch.randn(count, generator=generator)).relu()
        found.append(x.std().item())
    return found


table(
    {s: (sum(r[-1] for r in runs) / 5, walk(s, 10)[-1]) for s, runs in measured.items()},
    ["scale", "spread behind ten blocks, measured", "predicted"],
)

# %% tags=["hide-input"]
fig = plots.figure(7, 3.2)
axis = fig.add_subplot()
for k, (s, runs) in enumerate(measured.items()):
    mean = torch.tensor(runs).mean(0).tolist()
    axis.plot(walk(s, 10), color=plots.COLOURS[k], ls="--")
    axis.plot(mean, "os^"[k], color=plots.COLOURS[k], label=f"scale {s:g}")
axis.set(xlabel="block (0 = stem)", ylabel="standard deviation", ylim=(0, None))
axis.legend(title="dots: measured, 5 seeds\ndashes: predicted", frameon=False)
plots.show(
    fig,
    "Spread of the activations by block at scale 0.1, 0.3 and 1: measured dots lie within a few "
    "per cent "
    "of the predicted lines; 0.1 stays flat, 0.3 grows by a tenth, 1 more than doubles.",
)

# %% [markdown]
# After many blocks the walk spreads like $0.6\,s\,b\sqrt{n}$ (half of a normal distribution;
# without the floor at 0 it would be $s\,b\sqrt{n}$): the scale sets the pace, and growth is a
# square root, not an exponential. Batch norm inside the branches is what makes it so. Take it away
# (and start from He's weights, which are made for that), and each block multiplies the variance, if
# not quite by the tempting $1 + s^2$: the ReLU behind the sum cuts a part off.


# %%
def without_norm(node):
    """The same description with every batch norm left out."""
    if isinstance(node, Conv):
        return replace(node, norm=False)
    if isinstance(node, Residual):
        return replace(node, body=without_norm(node.body))
    parts = node.parts if isinstance(node, Chain) else node.branches
    return type(node)(*(without_norm(part) for part in parts))


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
    caption="Growth of the variance a block, over the last five",
)

# %% [markdown]
# ## Lab: the scale slider
#
# A tower of ten Inception-ResNet-C blocks (Fig. 13) learns clothes from scratch with the paper's
# optimizer, RMSProp with ε = 1, at several times the paper's rate, so that its fate shows in
# seconds. Move the *scale*: bands and towers show what five recorded seeds did. Press *Retrain* to
# see it happen, set the scale to 0.1, and press it again. Then look for the smallest scale that
# still dies, change the width, or try SGD. *Five seeds* turns a picture into a verdict.

# %%
lab = scaling_lab()

# %% [markdown]
# Watch three things: the loss, the spread by block, and the share of channels of each block that
# are 0 on every pixel of every image: *dead*, the dark part of a bar. The line *off* is the network
# with its blocks switched off: what the blocks have to beat.
#
# ## Experiment 1: the scale, from 0 to 1.5
#
# One wide tower (576 channels) and one narrow (72), colour photographs, five seeds a setting. Scale
# 0 switches every block off: stem and classifier alone, the mark that the blocks have to beat. The
# runs are committed with their configurations; nothing below is typed.

# %%
results = load_results("scaling")
dead, accuracy = summarise(results, "dead_last"), summarise(results, "accuracy")
steps = {r.label.split(",")[0]: r.config.recipe.steps for r in results}
many = ", ".join(f"{name} for {count} steps" for name, count in steps.items())
display(say(provenance(results).markdown, f"Compare within a width only: {many}."))
settings(results, "dead_last", "accuracy")

# %% tags=["hide-input"]
fig = plots.figure(8, 3.2)
for k, (title, cells) in enumerate(
    (("Dead channels in the last block", dead), ("Test accuracy", accuracy))
):
    axis = fig.add_subplot(1, 2, k + 1)
    for width, style in ((576, "o-"), (72, "s--")):
        group = {
            float(c.split()[-1]): cell
            for c, cell in cells.items()
            if c.startswith(f"width {width},")
        }
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
# What became of each setting, by the one rule of all chapters (`docs/verdicts.md`): a run *lives*
# with less than a tenth of the channels of its *worst* block dead, *dies* with half or more, and
# *suffers* in between. Then the differences in accuracy, paired by seed and corrected together
# (Holm), and the verdicts on C5 and C7 from all committed runs that bear on them.

# %%
fates(results)

# %%
for width in (72, 576):
    gaps = {
        f"scale {one} minus scale {other}": difference(
            accuracy[f"width {width}, scale {one}"], accuracy[f"width {width}, scale {other}"]
        )
        for one, other in (("0.1", "1"), ("0.1", "0"), ("1", "0"))
    }
    display(contrasts(holm(gaps), f"Accuracy, width {width}"))

# %%
verdicts("C5", "C7")

# %%
claim("08.blocks-add")

# %% [markdown]
# So these runs show that scaling does no harm where unscaled blocks do; whether the blocks earn
# their place needs longer runs (chapter 09 has some of 3000 steps).

# %% [markdown]
# ## Experiment 2: scale what, exactly?
#
# *Identity × 0.1* is a common slip: `relu(scale * x + f(x))`. A *learnable* scale is one parameter
# a block. *Last layer from zero* starts each branch at 0, as if the scale were 0, and lets the
# weights grow. Two towers: 144 channels at rate 0.3, which die when unscaled, and 72 at the paper's
# rate, which stay alive unscaled (and train twice as long).

# %%
terms = load_results("which_term")
dead_, accuracy_ = summarise(terms, "dead_last"), summarise(terms, "accuracy")
settings(terms, "dead_last", "accuracy")


# %%
WAYS = (
    "residual × 0.1",
    "identity × 0.1",
    "learnable, from 0.1",
    "learnable, from 1",
    "last layer from zero",
)
for width in (144, 72):
    unscaled = accuracy_[f"width {width}: unscaled"]
    gaps = {what: difference(accuracy_[f"width {width}: {what}"], unscaled) for what in WAYS}
    display(contrasts(holm(gaps), f"Accuracy against unscaled, width {width}"))

# %%
claim("08.safe")

# %%
claim("08.ways")

# %%
claim("08.shared-runs")

# %% [markdown]
# **Run it yourself.** Two of the narrow cells in short, on the embedded images. For the whole
# experiment take `configurations("scaling")` and `local_executor(2)`: it can be interrupted, and
# what is finished is kept.

# %%
quick = [
    c
    for c in experiments.configurations("scaling", "quick", data="fashion")
    if "width 72" in c.label
]
for result in study.sweep(quick, progress=False):
    print(
        f"{result.label}: {result.sentence} Dead in the last block: {100 * result.dead_last:.0f} %"
    )

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
# exercise: What scaling is short for | ●●● | 10 min
# task: Train a scaled layer $y = s\,W z$ by plain SGD at rate $\eta$, or its folded twin $y = W' z$
# with $W' = sW$. At
#   which rate must the twin be trained so that both stay equal for ever? Write
#   `twin_rate(rate, scale)`.
# hint: Write down both gradients: $\partial L/\partial W = s\,\partial L/\partial W'$.
# hint: $W \leftarrow W - \eta\, s\,g'$. Multiply by $s$ to see what happens to $sW$.
# explain: $sW \leftarrow sW - \eta s^2 g'$. A scale of 0.1 is a last layer that *starts* ten times
# smaller and
#   *learns* a hundred times more slowly, while all other layers keep their rate. That is why
#   dividing the rate of the whole network is not the same medicine.
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
# would show half a point, with the scatter that the verdict above reports?
# hint: Set $1.96\,\sqrt{2\,\text{spread}^2/n} \le \text{gap}$ and solve for n.
# hint: `math.ceil` rounds up.
# explain: Half the gap needs four times the seeds. "No difference" from five seeds means only that
# a *large* difference is ruled out; how large, the same formula tells.
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
#
# - The block is `relu(x + scale * f(x))`: the branch is scaled, the identity never is.
# - With batch norm in its branches a fresh tower's signal grows like a square root of the depth, at
#   a pace set by the
#   scale; without it, exponentially.
# - Scaling equals a last layer that starts at `scale` times its size and, under SGD, learns at
#   `scale²` times its rate.
# - What five seeds say about stability and accuracy stands under *Verdict* above, computed from the
#   committed runs.
# - After training the constant can be folded into the last layer: it belongs to the training, not
#   to the function.
#
# **What would change our mind.** Seeds in which a scaled tower dies at this rate, or a wide tower
# that stays alive unscaled with everything else equal; a longer training in which the narrow
# tower's accuracy at 0.1 falls behind for good. Our towers are small and the runs last 60 or 120
# steps; the paper's last days.
#
# **Next:** chapter 09 asks why the channels die, and tries the other remedies: a lower rate, batch
# norm, warm-up.
