"""Our networks against timm's with copied weights, and what happens to wrong files."""

import json

import pytest
import torch
from torch import nn

from inception_edu.describe import make
from inception_edu.nets import (
    RELEASED,
    WeightsError,
    from_timm,
    load_checkpoint,
    read_tensors,
    save_checkpoint,
    to_timm,
)
from inception_edu.nets.build import build

timm = pytest.importorskip("timm")
IMAGE = torch.randn(1, 3, 299, 299, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module", params=list(RELEASED))
def pair(request):
    """(name, timm's network, ours with its weights): random weights, batch norms calibrated and
    then randomised."""
    torch.manual_seed(0)
    theirs = timm.create_model(request.param, pretrained=False)
    norms = [m for m in theirs.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = (
            1.0  # one batch sets the statistics, so that activations keep a sensible size
        )
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, std=0.1)
    with torch.no_grad():
        theirs.train()(torch.randn(4, 3, 139, 139))
        for norm in norms:
            norm.running_mean += torch.randn_like(norm.running_mean) * 0.1 * norm.running_var.sqrt()
            norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.7, 1.4)
        # Logits of deviation 1, so that an absolute difference of 1e-5 means something.
        classifier = theirs.get_classifier()
        deviation = theirs.eval()(IMAGE).std()
        classifier.weight /= deviation
        classifier.bias /= deviation
    return request.param, theirs, from_timm(request.param, theirs)


@pytest.fixture
def image():
    return IMAGE


def _difference(a, b):
    return (a - b).abs().max().item()


def test_outputs_are_timms_at_299(pair, image):
    _, theirs, ours = pair
    with torch.no_grad():
        expected = theirs(image)
        assert 0.9 < expected.std() < 1.1  # a dead or exploded network would agree with anything
        assert _difference(ours(image), expected) < 1e-5


def test_a_wrong_epsilon_or_pooling_does_not_agree(pair, image):
    name, theirs, ours = pair
    with torch.no_grad():
        expected = theirs(image)
        limit = 1e-5
        norms = [m for m in ours.modules() if isinstance(m, nn.BatchNorm2d)]
        pools = [m for m in ours.modules() if isinstance(m, nn.AvgPool2d)]
        for norm in norms:
            norm.eps = 1e-5
        assert _difference(ours(image), expected) > limit
        for norm in norms:
            norm.eps = 1e-3
        assert pools
        for pool in pools:
            pool.count_include_pad = not pool.count_include_pad
        assert _difference(ours(image), expected) > limit
        for pool in pools:
            pool.count_include_pad = not pool.count_include_pad
        assert _difference(ours(image), expected) < limit


def test_the_round_trip_gives_timms_tensors_back(pair):
    name, theirs, ours = pair
    back, original = to_timm(name, ours), theirs.state_dict()
    assert back.keys() == original.keys()
    assert all(torch.equal(back[key], original[key]) for key in original)


def test_ours_into_timms_name_and_back():
    """The other way round: weights of our own, random network give the same answers in timm's."""
    ours = build(RELEASED["inception_v4"][0](), init="he", seed=3).eval()
    theirs = timm.create_model("inception_v4", pretrained=False).eval()
    theirs.load_state_dict(to_timm("inception_v4", ours))
    x = torch.randn(1, 3, 139, 139, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = theirs(x)
        assert _difference(ours(x), expected) < 1e-5 * max(1.0, expected.abs().max().item())


@pytest.mark.parametrize("name", RELEASED)
def test_preprocessing_is_timms(name):
    """The same picture through timm's own transform for that checkpoint."""
    np = pytest.importorskip("numpy")
    from PIL import Image
    from timm.data import create_transform, resolve_data_config

    config = resolve_data_config({}, model=timm.create_model(RELEASED[name][1], pretrained=False))
    transform = create_transform(**config)
    prepare = RELEASED[name][2]
    rng = np.random.default_rng(0)
    for size in ((500, 375), (333, 640), (299, 299), (120, 90)):
        noise = rng.integers(0, 256, (size[1] // 8 + 1, size[0] // 8 + 1, 3), dtype=np.uint8)
        picture = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
        got, expected = prepare(picture)[0], transform(picture)
        assert got.shape == expected.shape == (3, 299, 299)
        assert (got - expected).abs().max() < 1e-6
    assert prepare(Image.new("L", (400, 300))).shape == (1, 3, 299, 299)


def test_1001_classes_lose_their_background_row(pair):
    name, theirs, _ = pair
    state = dict(theirs.state_dict())
    key = {"inception_v3": "fc", "inception_v4": "last_linear", "inception_resnet_v2": "classif"}[
        name
    ]
    weight, bias = state[f"{key}.weight"], state[f"{key}.bias"]
    state[f"{key}.weight"] = torch.cat([torch.full_like(weight[:1], 9.0), weight])
    state[f"{key}.bias"] = torch.cat([torch.full_like(bias[:1], 9.0), bias])
    assert torch.equal(from_timm(name, state).classifier.bias, bias)


def test_wrong_files_end_with_a_sentence(tmp_path, pair):
    from safetensors.torch import save_file

    name, theirs, _ = pair
    with pytest.raises(WeightsError, match="no file"):
        from_timm(name, tmp_path / "absent.safetensors")
    whole = tmp_path / "whole.safetensors"
    save_file({k: v.contiguous() for k, v in list(theirs.state_dict().items())[:40]}, whole)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="truncated, damaged"):
        from_timm(name, cut)
    with pytest.raises(WeightsError, match=f"not timm's {name}: .* is missing"):
        from_timm(name, whole)
    foreign = tmp_path / "foreign.pth"
    torch.save({"weights": [1, 2, 3]}, foreign)
    with pytest.raises(WeightsError, match="no dictionary of tensors"):
        from_timm(name, foreign)
    other = next(n for n in RELEASED if n != name)
    with pytest.raises(WeightsError, match=f"not timm's {other}"):
        from_timm(other, theirs)
    with pytest.raises(WeightsError, match="not for 'vgg'"):
        from_timm("vgg")


class _Evil:
    def __reduce__(self):
        import os

        return os.mkdir, ("evil_was_here",)


def test_a_file_with_code_is_refused_and_the_code_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": _Evil()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match="other than tensors"):
        read_tensors(tmp_path / "evil.pth")
    assert not (tmp_path / "evil_was_here").exists()


def test_no_network_connection_is_a_sentence(monkeypatch):
    def offline(*args, **kwargs):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        WeightsError, match="could not download inception_v4.tf_in1k .*network connection"
    ):
        from_timm("inception_v4")


RECIPE = dict(kind="mini", network="inception_resnet_v2", width=0.1, repeats=[1, 1, 1], scale=0.2)


@pytest.mark.parametrize("half", [True, False])
def test_checkpoint_round_trip(tmp_path, half):
    model = build(make(**RECIPE), seed=0).eval()
    with torch.no_grad():
        next(m for m in model.modules() if isinstance(m, nn.BatchNorm2d)).running_var.fill_(1e6)
    path = tmp_path / "new" / "mini.safetensors"
    save_checkpoint(path, model, RECIPE, half=half, accuracy=0.875, data="made up")
    loaded, facts = load_checkpoint(path)
    assert facts == {"accuracy": 0.875, "data": "made up"}
    x = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            loaded(x), model(x), atol=2e-3 if half else 0, rtol=2e-3 if half else 0
        )
    assert [p.name for p in path.parent.iterdir()] == ["mini.safetensors"]


def test_a_damaged_or_foreign_checkpoint_is_a_sentence(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "mini.safetensors"
    save_checkpoint(path, build(make(**RECIPE), seed=0), RECIPE)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match="truncated, damaged"):
        load_checkpoint(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="not a checkpoint of this project"):
        load_checkpoint(path)
    save_file({"a": torch.zeros(1)}, path, {"network": json.dumps(RECIPE)})
    with pytest.raises(WeightsError, match="do not fit the network"):
        load_checkpoint(path)


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    import safetensors.torch

    path = tmp_path / "mini.safetensors"
    save_checkpoint(path, build(make(**RECIPE), seed=0), RECIPE, note="old")

    def disk_full(tensors, part, metadata):
        part.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", disk_full)
    with pytest.raises(OSError):
        save_checkpoint(path, build(make(**RECIPE), seed=1), RECIPE, note="new")
    assert load_checkpoint(path)[1] == {"note": "old"}
