"""What no description holds: how the ports of the networks differ beside their layers. No torch."""

from __future__ import annotations

from inception_edu.describe.table import Table

# Read in the source. Inception-ResNet-v2: tensorflow/models (research/slim),
# keras-team/keras-applications, timm 1.0, Cadene/pretrained-models.pytorch; Inception-ResNet-v1:
# davidsandberg/facenet and timesler/facenet-pytorch. "Keeps a step" is the share of a running mean
# that one training step leaves: PyTorch's momentum is one minus it.
PORTS = Table(
    ("paper", "slim", "Keras", "timm", "Cadene", "facenet", "facenet-pytorch"),
    (
        ("auxiliary classifier", ("in no figure", "yes, at 17×17", "no", "no", "no", "no", "no")),
        ("batch norm learns a scale γ", ("not stated", "no", "no", "yes", "yes", "no", "yes")),
        (
            "running mean keeps a step",
            ("not stated", "0.9997", "0.99", "0.9", "0.9", "0.995", "0.9"),
        ),
        ("batch norm's ε", ("not stated", "0.001", "0.001", "0.001", "0.001", "0.001", "0.001")),
        ("dropout keeps", ("0.8", "0.8", "1", "1", "1", "0.8", "0.4")),
        (
            "padded zeros in averages",
            (
                "not stated",
                "not counted",
                "not counted",
                "not counted",
                "not counted",
                "no average inside",
                "no average inside",
            ),
        ),
        ("classes in the checkpoint", ("1000", "1001", "1000", "1000", "1001", "faces", "faces")),
    ),
    marked=False,
)
