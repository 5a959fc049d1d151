# %% [markdown]
# # Start here
#
# One paper as a laboratory. You see its figures drawn from the code that runs, train small networks
# in seconds, and watch what becomes of each claim.
#
# The paper is *Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning*
# by Szegedy, Ioffe, Vanhoucke and Alemi (arXiv 1602.07261, AAAI 2017). You need to know what a
# convolution is, and to have trained one network before.
#
# **After this chapter you can**
#
# 1. tell which device and which images your chapters use;
# 2. train a small Inception-ResNet and watch it learn;
# 3. use a lab: set, retrain, stop, compare.

# %% tags=["hide-input"]
# @title Imports
import inspect
from dataclasses import replace

from inception_edu import data
from inception_edu.describe import draw, networks
from inception_edu.labs.scaling import scaling_lab
from inception_edu.learn import Recipe, default_device, plain_train, threads, train
from inception_edu.nets import build
from inception_edu.teach import begin, chapter_map, five_lines, opening_figure, outcome
from inception_edu.teach import paper_claims, predict, say

# %% [markdown]
# ## What the paper says, and what is seen here
#
# Six words first. A channel is *dead* when it is 0 everywhere, in every image of a batch. A
# network *dies* when half of the channels of some block are dead, and it *lives* when less than a
# tenth are. In between it *suffers*. A residual block adds its result to its input. With a *scale*
# of 0.1 it multiplies the result by 0.1 before it adds it. The *rate* is the learning rate.

# %%
say("00.verdicts", "09.full-width")

# %%
opening_figure("00")

# %% [markdown]
# In figures like this one each dot is a run, and the stroke beside the dots is their mean.
#
# ## A first lab
#
# Every lab works like this one. Drag a slider, use the arrow keys, or type a number. You see at
# once what recorded runs did with such settings. The strip under the slider says where networks
# live and die. Choose what you expect (*Bet*), press **Retrain**, and watch. **Stop** ends the run,
# **Reset** forgets all runs.
#
# The lab begins with a residual network of ten blocks. It calls dead channels *silent*. The
# optimizer is the paper's (RMSProp with decay 0.9 and ε = 1). The rate is high, so a few dozen
# steps are enough to see what happens. Press *Retrain*. Then set *scale* to 0.1 and press it again.
# What changes, and where first?

# %%
lab = scaling_lab()

# %% [markdown]
# What you have just seen is Section 3.3 of the paper. Chapter 08 looks at it part by part.
#
# ## The verdicts
#
# Each verdict is one of four words, by one written rule (`docs/verdicts.md`):
#
# - *Supported*: the evidence shows it, at the scale of the claim.
# - *Seen at reduced scale only*: the evidence shows it, in much smaller networks.
# - *Contradicted*: the evidence shows the opposite, or no gain that would matter.
# - *Undecided*: neither, or a control is missing.

# %%
paper_claims()

# %% [markdown]
# ## The map
#
# You may read the chapters in another order: each card names those that should come first.

# %% tags=["picture"]
chapter_map()

# %% [markdown]
# The minutes of each chapter: counted from words, lines of code and exercises, with the wait that
# was measured.
#
# <!-- minutes of the chapters -->
#
# ## What runs where
#
# | | needs | what you get |
# |---|---|---|
# | laptop | two cores, no GPU, no internet | everything; small networks, seconds a run |
# | Colab | a browser | the same; while a lab trains, only its *Stop* works |
# | a GPU of your own | CUDA or Apple's MPS | the same; `INCEPTION_EDU_MODE=full` runs longer |
#
# The collection finds the device by itself. `INCEPTION_EDU_DEVICE=cpu` overrules it.

# %%
begin()

# %% [markdown]
# ## Images
#
# 10,000 training and 2,000 test images of clothes come with the project (a part of Fashion-MNIST).
# All chapters run with them, offline.

# %%
clothes = data.load("fashion")
say(clothes.describe())

# %% [markdown]
# Some experiments were made on CIFAR-10, 60,000 small colour photographs. You need them only to
# *repeat* those runs. Set `True` to fetch them, once. A copy that is already there is found.

# %%
FETCH_PHOTOGRAPHS = False  # 163 MiB
photographs = data.load("cifar10").describe() if FETCH_PHOTOGRAPHS else "Nothing is fetched."
say(photographs)

# %% [markdown]
# ## A first run
#
# Here is a small Inception-ResNet. It has one block each of Figs. 10, 11 and 13, with an eighth of
# the filters. This is the first of the three:

# %%
small = networks.mini(networks.inception_resnet_v1(), width=1 / 8, repeats=(1, 1, 1))
draw(small["inception_resnet_a"].node)

# %%
predict(
    "00.first-run",
    "There are ten classes. After 60 batches of 64 images, how often is the network right on new "
    "images?",
    ["20 %", "60 %", "95 %"],
)

# %%
model = build(small, seed=0).to(default_device())
history = train(model, clothes, Recipe(steps=60, batch_size=64, lr=0.05, seed=0))
right = 100 * history.test_accuracy
parameters = sum(p.numel() for p in model.parameters())

# %% tags=["hide-input"]
outcome(
    "00.first-run",
    min(("20 %", "60 %", "95 %"), key=lambda choice: abs(float(choice[:-2]) - right)),
    f"{history.sentence} The network has {parameters:,} parameters.",
)

# %% [markdown]
# ## The loop on one page
#
# `train` records and tests on the way. Without that, the loop fits on a page:

# %%
print(inspect.getsource(plain_train))

# %% [markdown]
# Do both give the same losses, to the last bit? The seed fixes the first weights, the order of the
# images and every other random number of a run. So they should.

# %%
recipe = Recipe(steps=5, batch_size=64, lr=0.05, record_every=1, precision="float32")
few = replace(clothes, test=clothes.test[:100])
with threads(1):
    records = train(build(small, seed=0), few, recipe).records
    losses = plain_train(build(small, seed=0), few, recipe)
same = losses == [record.loss for record in records]
say(
    f"Losses: {', '.join(f'{loss:.4f}' for loss in losses)}.",
    "They are the same to the last bit." if same else "They are **not** the same.",
)

# %% [markdown]
# The number of processor threads must be the same, too. Two threads add up the same numbers in
# another order than one, and the sum of rounded numbers depends on their order. `train` takes one
# thread or all, whichever is faster just now. Where a run must repeat exactly, write
# `with threads(1):`. All recorded runs have one thread.

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "Every figure is drawn from the description that builds the network.",
    "Every number is computed, or read from committed runs that name their seeds and device.",
    "00.verdicts",
    f"Everything runs on a laptop without internet. Here the first run was right on {right:.0f} % "
    "of the test images.",
    "Predict before you run. What surprises you is what you learn.",
)

# %% [markdown]
# **Next.** Chapter 01, or chapter 08 if the lab made you curious.
