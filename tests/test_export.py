"""Networks leave the laboratory: TorchScript, torch.export, torch.compile and ONNX give the same
answers."""

import pytest
import torch

from inception_edu.describe import mini, network
from inception_edu.nets import build, evaluating

NAMES = ("inception_v4", "inception_resnet_v2", "bn_inception", "resnext50")


@pytest.fixture(scope="module", params=NAMES)
def one(request):
    """A small network of each kind, a batch, and what the network says of it."""
    described = network(request.param)
    stages = len({block.stage for block in described.blocks if block.stage})
    model = build(mini(described, repeats=(1,) * stages), seed=0).eval()
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with evaluating(model), torch.no_grad():
        return model, images, model(images)


def test_torchscript(one):
    model, images, expected = one
    with torch.no_grad():
        assert torch.allclose(torch.jit.script(model)(images), expected, atol=1e-5)


def test_export(one):
    model, images, expected = one
    program = torch.export.export(model, (images,))
    with torch.no_grad():
        assert torch.allclose(program.module()(images), expected, atol=1e-5)


def test_compile_without_a_break(one):
    model, images, expected = one
    with torch.no_grad():
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        assert torch.allclose(compiled(images), expected, atol=1e-5)


@pytest.mark.slow
def test_onnx(one):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    model, images, expected = one
    program = torch.onnx.export(model, (images,), dynamo=True, verbose=False)
    session = runtime.InferenceSession(program.model_proto.SerializeToString())
    (found,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    assert torch.allclose(torch.from_numpy(found), expected, atol=1e-5)
