"""Weights passport: files as each package writes them, with random weights, are named and
loaded."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from witnesses import copy_weights, difference, layers, torchvision

from inception_edu.nets import PORTED, WeightsError, from_timm, passport, to_timm
from inception_edu.nets.checkpoints import TABLE_END
from inception_edu.nets.passport import _wanted

SLIM = json.loads(Path(__file__).with_name("slim_variables.json").read_text(encoding="utf-8"))


def random(model):
    """Random weights and statistics in a model, in evaluation mode."""
    names = torch.nn.BatchNorm1d
    found = layers(model) + [m for m in model.modules() if isinstance(m, names)]
    copy_weights(found, found)
    return model.eval()


def timm(name):
    return pytest.importorskip("timm").create_model(name, pretrained=False)


def cadene(module, name, **options):
    return getattr(pytest.importorskip(f"pretrainedmodels.models.{module}"), name)(**options)


def face(**options):
    models = pytest.importorskip("facenet_pytorch.models.inception_resnet_v1")
    return models.InceptionResnetV1(pretrained=None, **options)


# What writes the file; the key, the package, the classes, whether a background row is there.
FILES = {
    "timm v3": (lambda: timm("inception_v3"), "inception_v3", "timm", 1000, False),
    "timm v4": (lambda: timm("inception_v4"), "inception_v4", "timm", 1000, False),
    "timm ir": (lambda: timm("inception_resnet_v2"), "inception_resnet_v2", "timm", 1000, False),
    "timm resnet": (lambda: timm("resnet101"), "resnet101", "timm", 1000, False),
    "tv v3": (
        lambda: torchvision("inception_v3", init_weights=False),
        "inception_v3_aux",
        "torchvision",
        1000,
        False,
    ),
    "tv googlenet": (
        lambda: torchvision("googlenet", init_weights=False),
        "googlenet_torchvision_aux",
        "torchvision",
        1000,
        False,
    ),
    "tv resnet": (
        lambda: torchvision("resnet50", num_classes=7),
        "resnet50",
        "torchvision",
        7,
        False,
    ),
    "tv resnext": (lambda: torchvision("resnext50_32x4d"), "resnext50", "torchvision", 1000, False),
    "cadene v4": (
        lambda: cadene("inceptionv4", "InceptionV4", num_classes=1001),
        "inception_v4",
        "Cadene",
        1000,
        True,
    ),
    "cadene ir": (
        lambda: cadene("inceptionresnetv2", "InceptionResNetV2", num_classes=1001),
        "inception_resnet_v2_cadene",
        "Cadene",
        1000,
        True,
    ),
    "cadene bn": (
        lambda: cadene("bninception", "BNInception"),
        "bn_inception",
        "Cadene",
        1000,
        False,
    ),
    "facenet": (
        lambda: face(classify=True, num_classes=50),
        "inception_resnet_v1_released",
        "facenet-pytorch",
        50,
        False,
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_each_port_is_named_and_computes_the_same(name, tmp_path):
    make, key, package, classes, background = FILES[name]
    model = random(make())
    path = tmp_path / "weights.pth"
    torch.save(model.state_dict(), path)
    found = passport(path)
    assert (found.key, found.classes, found.background) == (key, classes, background)
    assert package in found.package
    assert (found.missing, found.left_over, found.loads) == ((), (), True)
    ours = found.load()
    if not background:  # a plain state dict with the package's names, which it loads
        model.load_state_dict(to_timm(key, ours), strict=True)
    theirs = (lambda x: model(x)[:, 1:]) if background else model
    side = found.description.image
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = theirs(x)
        assert (ours(x) - expected).abs().max() < 2e-5 * max(1, expected.abs().max())


def test_prefixes_containers_formats_and_renamed_heads(tmp_path):
    model = random(torchvision("resnet50", num_classes=5))
    state = model.state_dict()
    wrapped = {f"module.backbone.{n}": t for n, t in state.items()}
    torch.save({"epoch": 3, "model": wrapped}, tmp_path / "a.pth")
    assert passport(tmp_path / "a.pth").key == "resnet50"
    renamed = {n.replace("fc.", "head.last."): t for n, t in state.items()}
    save_file(renamed, tmp_path / "b.weights")
    found = passport(tmp_path / "b.weights")
    assert (found.kind, found.classes, found.missing) == ("safetensors", 5, ())
    assert any("called head.last" in note for note in found.notes)
    assert difference(found.load(), model, 96) < 1e-5
    torch.save(wrapped, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert passport(tmp_path / "old.pth").loads


def test_what_is_missing_or_left_over_is_said(tmp_path):
    state = dict(random(torchvision("resnet50")).state_dict())
    del state["fc.weight"], state["fc.bias"]
    state["extra.weight"] = torch.zeros(2, 3)
    torch.save(state, tmp_path / "a.pth")
    found = passport(tmp_path / "a.pth")
    assert (found.missing, found.left_over) == (("fc.weight", "fc.bias"), ("extra.weight",))
    assert found.loads and found.load(classes=4)(torch.zeros(1, 3, 64, 64)).shape == (1, 4)
    assert "no classifier" in str(found) and "extra.weight" in found._repr_html_()
    del state["layer4.2.conv3.weight"]
    torch.save(state, tmp_path / "b.pth")
    found = passport(tmp_path / "b.pth")
    assert not found.loads and "layer4.2.conv3.weight" in found.missing
    with pytest.raises(WeightsError, match="cannot be loaded: 3 of its tensors are missing"):
        found.load()


def test_a_wrong_shape_is_missing_and_named(tmp_path):
    state = dict(torchvision("resnet50").state_dict())
    state["layer1.0.conv1.weight"] = torch.zeros(64, 64, 3, 3)
    torch.save(state, tmp_path / "a.pth")
    found = passport(tmp_path / "a.pth")
    assert not found.loads and "layer1.0.conv1.weight" in found.missing
    assert any("(64, 64, 3, 3) in the file, (64, 64, 1, 1) expected" in n for n in found.notes)


def test_an_unknown_network_and_code_are_sentences(tmp_path):
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 2)).state_dict(), tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="holds no network that is known here .*first tensors"):
        passport(tmp_path / "a.pth")
    torch.save({"a": Evil(tmp_path / "evil")}, tmp_path / "b.pth")
    with pytest.raises(WeightsError, match="other than tensors"):
        passport(tmp_path / "b.pth")
    np.savez(tmp_path / "c.npz", a=np.array([Evil(tmp_path / "evil")], dtype=object))
    with pytest.raises(WeightsError, match="other than tensors"):
        passport(tmp_path / "c.npz")
    assert not (tmp_path / "evil").exists()


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def slim_arrays(net):
    """A checkpoint of slim or facenet with random weights, as numpy has it from TensorFlow: names
    in the alphabet's order."""
    rng, found = np.random.default_rng(0), {}

    def draw(*shape, scale=1.0):
        return (rng.standard_normal(shape) * scale).astype("float32")

    for layer, (shape, end) in SLIM[net].items():
        fan_in = np.prod(shape[:-1])
        found[f"{layer}/weights"] = draw(*shape, scale=(1.5 / fan_in) ** 0.5)
        if end == "bias":
            found[f"{layer}/biases"] = draw(shape[-1], scale=0.1)
        else:
            found[f"{layer}/BatchNorm/beta"] = draw(shape[-1], scale=0.1)
            found[f"{layer}/BatchNorm/moving_mean"] = draw(shape[-1], scale=0.1)
            found[f"{layer}/BatchNorm/moving_variance"] = 0.8 + rng.random(shape[-1], "float32")
    return dict(sorted(found.items())) | {"global_step": np.array(7)}


# A layer of slim and the layer of timm (or facenet-pytorch) that it became, read in both sources.
SAME = {
    "inception_v1": {
        "InceptionV1/Conv2d_2c_3x3": "conv3",
        "InceptionV1/Mixed_4f/Branch_2/Conv2d_0b_3x3": "inception4e.branch3.1",
        "InceptionV1/Mixed_5b/Branch_2/Conv2d_0a_3x3": "inception5a.branch3.1",
        "InceptionV1/Mixed_5c/Branch_3/Conv2d_0b_1x1": "inception5b.branch4.1",
    },
    "inception_v3": {
        "InceptionV3/Mixed_5c/Branch_1/Conv_1_0c_5x5": "Mixed_5c.branch5x5_2",
        "InceptionV3/Mixed_6e/Branch_2/Conv2d_0d_7x1": "Mixed_6e.branch7x7dbl_4",
        "InceptionV3/Mixed_7c/Branch_2/Conv2d_0d_3x1": "Mixed_7c.branch3x3dbl_3b",
    },
    "inception_v4": {
        "InceptionV4/Mixed_4a/Branch_1/Conv2d_0b_1x7": "features.4.branch1.1",
        "InceptionV4/Mixed_6h/Branch_2/Conv2d_0e_1x7": "features.17.branch2.4",
        "InceptionV4/Mixed_7d/Branch_2/Conv2d_0e_3x1": "features.21.branch2_3b",
    },
    "inception_resnet_v2": {
        "InceptionResnetV2/Repeat/block35_10/Branch_2/Conv2d_0c_3x3": "repeat.9.branch2.2",
        "InceptionResnetV2/Repeat_1/block17_2/Branch_1/Conv2d_0b_1x7": "repeat_1.1.branch1.1",
        "InceptionResnetV2/Block8/Branch_1/Conv2d_0c_3x1": "block8.branch1.2",
        "InceptionResnetV2/Conv2d_7b_1x1": "conv2d_7b",
    },
    "inception_resnet_v1": {
        "InceptionResnetV1/Conv2d_4b_3x3": "conv2d_4b",
        "InceptionResnetV1/Repeat_2/block8_5/Branch_0/Conv2d_1x1": "repeat_3.4.branch0",
        "InceptionResnetV1/Mixed_7a/Branch_2/Conv2d_1a_3x3": "mixed_7a.branch2.2",
    },
}


@pytest.mark.parametrize("net", SAME)
def test_slim_and_facenet_by_way_of_numpy(net, tmp_path):
    arrays = slim_arrays(net)
    np.savez(tmp_path / "a.npz", **arrays)
    found = passport(tmp_path / "a.npz")
    face = net == "inception_resnet_v1"
    assert found.package == ("facenet" if face else "slim")
    assert (found.classes, found.background) == ((0, False) if face else (1000, True))
    assert found.missing == (("logits.weight",) if face else ()) and found.loads
    assert all(n == "global_step" or "/AuxLogits/" in n for n in found.left_over)
    for theirs, port in SAME[net].items():
        kernel = torch.from_numpy(arrays[f"{theirs}/weights"]).permute(3, 2, 0, 1)
        assert torch.equal(found.state[f"{port}.conv.weight"], kernel)
        mean = torch.from_numpy(arrays[f"{theirs}/BatchNorm/moving_mean"])
        assert torch.equal(found.state[f"{port}.bn.running_mean"], mean)
    ours = found.load()
    assert ours(torch.zeros(1, 3, 160, 160)).shape[1] == (8631 if face else 1000)
    if not face and net != "inception_v3":  # timm's v3 counts padded zeros
        first = net == "inception_v1"
        theirs = (
            torchvision("googlenet", init_weights=False, aux_logits=False) if first else timm(net)
        )
        theirs.eval()
        theirs.load_state_dict(
            {
                n: t[1:] if n.startswith(PORTED[found.key].classifier) else t
                for n, t in found.state.items()
            },
            strict=False,
        )
        assert difference(ours, theirs, 139) < 1e-5


def test_checkpoints_that_only_tensorflow_reads_and_slims_v2_are_named(tmp_path):
    arrays = {"InceptionV2/Conv2d_1a_7x7/depthwise_weights": np.zeros((7, 7, 3, 8), "float32")}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(WeightsError, match="slim's Inception-v2, whose first convolution is cut"):
        passport(tmp_path / "a.npz")
    # LevelDB's mark at the end of a table: a V1 checkpoint, and the index of a V2 one.
    for name, end in (
        ("model.ckpt", TABLE_END),
        ("m.index", TABLE_END),
        ("m.data-00000-of-1", b""),
    ):
        (tmp_path / name).write_bytes(bytes(200) + end)
        with pytest.raises(WeightsError, match="only TensorFlow reads: write its variables with"):
            passport(tmp_path / name)


def test_a_layer_that_slim_lacks_is_missing(tmp_path):
    arrays = slim_arrays("inception_v4")
    del arrays["InceptionV4/Mixed_6b/Branch_0/Conv2d_0a_1x1/weights"]
    np.savez(tmp_path / "a.npz", **arrays)
    found = passport(tmp_path / "a.npz")
    assert not found.loads
    assert found.missing[0].startswith("features.11.branch0 (in its place stands Mixed")


KERAS = """
import sys, keras, numpy as np
keras.applications.ResNet50(weights=None)  # so that the numbers of layers do not begin at 0
model = getattr(keras.applications, sys.argv[1])(weights=None, classifier_activation=None)
rng = np.random.default_rng(0)
for w in model.weights:
    if len(w.shape) > 1:
        w.assign(rng.standard_normal(w.shape) * (1.5 / np.prod(w.shape[:-1])) ** 0.5)
    else:
        small = 0.1 * rng.standard_normal(w.shape)
        w.assign(1 + small if "variance" in w.path else small)
model.save(sys.argv[2] + ".h5")
model.save_weights(sys.argv[2] + ".weights.h5")
model.save(sys.argv[2] + ".keras")
x = rng.standard_normal((1, 299, 299, 3)).astype("float32")
np.savez(sys.argv[2], x=x, y=keras.ops.convert_to_numpy(model(x, training=False)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("net", ["InceptionV3", "InceptionResNetV2"])
def test_keras_writes_and_ours_computes_the_same(net, tmp_path):
    if find_spec("keras") is None:  # importing it here would ask for TensorFlow
        pytest.skip("Keras is not installed")
    pytest.importorskip("h5py")
    stem = str(tmp_path / "keras")
    environment = os.environ | {"KERAS_BACKEND": "torch"}
    subprocess.run([sys.executable, "-c", KERAS, net, stem], check=True, env=environment)
    files = {".h5": "HDF5", ".weights.h5": "HDF5", ".keras": "Keras"}
    first = passport(stem + ".h5")
    for end, kind in files.items():
        found = passport(stem + end)
        assert (found.package, found.kind, found.classes) == ("Keras", kind, 1000)
        assert (found.missing, found.background, found.loads) == ((), False, True)
        assert all(torch.equal(found.state[name], first.state[name]) for name in first.state)
    arrays = np.load(stem + ".npz")
    x, expected = torch.from_numpy(arrays["x"]).permute(0, 3, 1, 2), torch.from_numpy(arrays["y"])
    with torch.no_grad():
        answer = found.load()(x)
    assert (answer - expected).abs().max() < 1e-5 * max(1, expected.abs().max())


def test_every_ports_names_tell_it_from_the_others():
    for a in PORTED:
        for b in PORTED:
            assert a == b or _wanted(a) != _wanted(b), (a, b)


def test_from_timm_takes_the_other_packages_too():
    model = random(torchvision("resnet50"))
    assert difference(from_timm("resnet50", model), model, 96) < 1e-5
    with pytest.raises(WeightsError, match="give resnet50 a model of torchvision, timm or a file"):
        from_timm("resnet50")
