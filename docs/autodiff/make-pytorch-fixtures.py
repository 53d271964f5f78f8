"""Makes packages/autodiff/src/fixtures/pytorch: small models exported by PyTorch, with PyTorch's own float64 derivatives.

    python3 docs/autodiff/make-pytorch-fixtures.py [NAME ...]      needs torch, onnx, onnxscript (versions: README there)

For each model there are several ONNX files (both exporters, opsets 13 to 23, external data) and one JSON. The weights are
float32 numbers; the truth is computed by the same module converted to float64, so the two differ only by float32 rounding.

In the JSON, N examples and a network f(θ):

    loss                          L(θ) = (1/N) Σ_i ℓ(f_i, y_i)
                                  squared: ℓ = ½‖f_i − y_i‖²;  cross-entropy: softmax, for token models the mean over the tokens
    params[].gradient             ∂L/∂θ
    params[].hessianProduct       H v,  H = ∂²L/∂θ²
    params[].gaussNewtonProduct   Jᵀ (∂²L/∂f²) J v
    ntkTrace                      tr(J Jᵀ)/N over all outputs;  ntk: the matrix, example-major [N·C, N·C], where small
    v                             v[k] = sin(1 + 0.37 k), k counting over all parameters, in the order of params

A file's `params` says which initializers hold a parameter. An exporter may transpose one, store it in another shape, or store a
tied one twice: the parameter's derivative is then the sum over its initializers, each brought back to the parameter's layout.
"""

import json
import os
import shutil
import sys
import warnings

import onnx
import onnx.external_data_helper
import torch
import torch.nn.functional as F
from torch import nn
from torch.export import Dim

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "..", "packages", "autodiff", "src", "fixtures", "pytorch")


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 6), nn.GELU(), nn.Linear(6, 3))

    def forward(self, x):
        return self.layers(x)


class Cnn(nn.Module):
    """Convolutions with batch normalisation in evaluation form, max and average pooling."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.bn2 = nn.BatchNorm2d(6)
        self.head = nn.Linear(6 * 4, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2, padding=1)
        x = F.avg_pool2d(torch.tanh(self.bn2(self.conv2(x))), 2, stride=1, padding=1, count_include_pad=False)[:, :, :2, :2]
        return self.head(torch.flatten(x, 1))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        projected = stride != 1 or inputs != outputs
        self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)) if projected else None

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.down is None else self.down(x)))


class ResNet(nn.Module):
    """Two basic blocks, the second of stride 2 with a projection."""

    def __init__(self):
        super().__init__()
        self.block1 = BasicBlock(3, 3, 1)
        self.block2 = BasicBlock(3, 5, 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(5, 3)

    def forward(self, x):
        return self.head(torch.flatten(self.pool(self.block2(self.block1(x))), 1))


class Attention(nn.Module):
    def __init__(self, width, heads, fused, causal=False):
        super().__init__()
        self.heads, self.fused, self.causal = heads, fused, causal
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = (
            part.reshape(batch, tokens, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(x).split(width, dim=2)
        )
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        else:
            scores = (q @ k.transpose(-2, -1)) * (width // self.heads) ** -0.5
            if self.causal:
                mask = torch.ones(tokens, tokens, dtype=torch.bool).tril()
                scores = scores.masked_fill(~mask, float("-inf"))
            y = F.softmax(scores, dim=-1) @ v
        return self.out(y.transpose(1, 2).reshape(batch, tokens, width))


class Block(nn.Module):
    def __init__(self, width, heads, fused, causal=False, gelu="none"):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads, fused, causal)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(approximate=gelu), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    def __init__(self, fused):
        super().__init__()
        self.patch = nn.Conv2d(2, 8, 4, 4)
        self.token = nn.Parameter(torch.empty(1, 1, 8))
        self.position = nn.Parameter(torch.empty(1, 5, 8))
        self.block = Block(8, 2, fused)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.position
        return self.head(self.norm(self.block(x))[:, 0])


class Fresh(nn.Module):
    """A network as it is made: scales one, shifts zero. Exporters store equal parameters as one."""

    def __init__(self):
        super().__init__()
        self.inputs = nn.Linear(5, 8)
        self.norms = nn.ModuleList(nn.LayerNorm(8) for _ in range(3))
        self.batch = nn.BatchNorm1d(8)
        self.output = nn.Linear(8, 3)

    def forward(self, x):
        x = self.norms[0](self.inputs(x))
        x = self.batch(torch.tanh(self.norms[1](x)))
        return self.output(self.norms[2](torch.tanh(x)))


class Gpt(nn.Module):
    """One GPT-2 block; the token embedding is also the output projection. `loss` puts the cross-entropy into the graph."""

    def __init__(self, fused, loss=False):
        super().__init__()
        self.tokens = nn.Embedding(11, 8)
        self.positions = nn.Embedding(6, 8)
        self.block = Block(8, 2, fused, causal=True, gelu="tanh")
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.tokens.weight
        self.loss = loss

    def forward(self, tokens, targets=None):
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        logits = self.head(self.norm(self.block(self.tokens(tokens) + self.positions(positions))))
        if not self.loss:
            return logits
        return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))


class Bert(nn.Module):
    """An encoder written as Hugging Face transformers write it: sizes read from tensors, views, an additive padding mask."""

    def __init__(self):
        super().__init__()
        self.words, self.places, self.kinds = nn.Embedding(9, 8), nn.Embedding(7, 8), nn.Embedding(2, 8)
        self.register_buffer("position_ids", torch.arange(7).unsqueeze(0))
        self.norm0 = nn.LayerNorm(8, eps=1e-12)
        self.query, self.key, self.value, self.dense = (nn.Linear(8, 8) for _ in range(4))
        self.norm1 = nn.LayerNorm(8, eps=1e-12)
        self.up, self.down = nn.Linear(8, 12), nn.Linear(12, 8)
        self.norm2 = nn.LayerNorm(8, eps=1e-12)
        self.pooler, self.classifier = nn.Linear(8, 8), nn.Linear(8, 3)
        self.dropout = nn.Dropout(0.1)

    def split_heads(self, x):
        return x.view(x.size()[:-1] + (2, 4)).permute(0, 2, 1, 3)

    def forward(self, input_ids, attention_mask, token_type_ids):
        length = input_ids.size(1)
        x = self.words(input_ids) + self.kinds(token_type_ids) + self.places(self.position_ids[:, :length])
        x = self.dropout(self.norm0(x))
        mask = attention_mask[:, None, None, :].to(x.dtype)
        mask = (1.0 - mask) * torch.finfo(torch.float32).min
        q, k, v = (self.split_heads(project(x)) for project in (self.query, self.key, self.value))
        scores = torch.matmul(q, k.transpose(-1, -2)) / 2.0 + mask
        y = torch.matmul(self.dropout(F.softmax(scores, dim=-1)), v).permute(0, 2, 1, 3).contiguous()
        y = y.view(y.size()[:-2] + (8,))
        x = self.norm1(self.dropout(self.dense(y)) + x)
        x = self.norm2(self.dropout(self.down(F.gelu(self.up(x)))) + x)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


class Llama(nn.Module):
    """RMS normalisation, rotary positions, grouped key-value heads, SwiGLU."""

    def __init__(self, fused):
        super().__init__()
        self.fused = fused
        self.tokens = nn.Embedding(10, 8)
        self.norm1, self.norm2, self.norm3 = (nn.Parameter(torch.empty(8)) for _ in range(3))
        self.q, self.k, self.v, self.o = (nn.Linear(8, out, bias=False) for out in (8, 4, 4, 8))
        self.gate, self.up = nn.Linear(8, 12, bias=False), nn.Linear(8, 12, bias=False)
        self.down, self.head = nn.Linear(12, 8, bias=False), nn.Linear(8, 10, bias=False)
        self.register_buffer("frequencies", 1.0 / 100.0 ** (torch.arange(0, 4, 2) / 4))

    @staticmethod
    def rms(x, weight):
        return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))

    @staticmethod
    def rotate(x, cos, sin):
        half = x.shape[-1] // 2
        return x * cos + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sin

    def forward(self, tokens):
        batch, length = tokens.shape
        x = self.tokens(tokens)
        angles = torch.arange(length).to(x.dtype)[:, None] * self.frequencies[None, :]
        angles = torch.cat((angles, angles), dim=-1)
        cos, sin = angles.cos()[None, None], angles.sin()[None, None]
        y = self.rms(x, self.norm1)
        q, k, v = (
            project(y).view(batch, length, -1, 4).transpose(1, 2) for project in (self.q, self.k, self.v)
        )
        q, k = self.rotate(q, cos, sin), self.rotate(k, cos, sin)
        k, v = (part[:, :, None].expand(batch, 1, 2, length, 4).reshape(batch, 2, length, 4) for part in (k, v))
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            mask = torch.full((length, length), torch.finfo(torch.float32).min).to(x.dtype).triu(diagonal=1)
            y = F.softmax(q @ k.transpose(2, 3) * 0.5 + mask, dim=-1) @ v
        x = x + self.o(y.transpose(1, 2).reshape(batch, length, 8))
        y = self.rms(x, self.norm2)
        x = x + self.down(F.silu(self.gate(y)) * self.up(y))
        return self.head(self.rms(x, self.norm3))


class Unet(nn.Module):
    """Depthwise, grouped and dilated convolutions, a transposed one, group and instance normalisation, a skip."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=2, dilation=2)
        self.group = nn.GroupNorm(2, 4)
        self.depthwise = nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4)
        self.pointwise = nn.Conv2d(4, 6, 1)
        self.instance = nn.InstanceNorm2d(6, affine=True)
        self.grouped = nn.Conv2d(6, 6, (3, 1), padding=(1, 0), groups=3)
        self.up = nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1)
        self.slope = nn.Parameter(torch.empty(1))
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        skip = F.silu(self.group(self.stem(x)))
        y = F.hardswish(self.instance(self.pointwise(self.depthwise(skip))))
        y = F.leaky_relu(self.up(F.mish(self.grouped(F.elu(y)))), 0.1)
        y = F.softplus(F.pad(torch.cat([y, skip], dim=1), (1, 0, 0, 1), mode="reflect"))[:, :, :-1, 1:]
        return torch.flatten(F.avg_pool2d(self.head(y * self.slope), (6, 2)), 1)


class Wave(nn.Module):
    """One-dimensional convolutions and pooling over a signal, clamped and normalised."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(2, 4, 5, stride=2, padding=2, padding_mode="zeros")
        self.conv2 = nn.Conv1d(4, 4, 3, padding=2, dilation=2)
        self.up = nn.ConvTranspose1d(4, 2, 2, stride=2)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        y = F.max_pool1d(F.selu(self.conv1(x)), 2)
        y = F.avg_pool1d(self.up(torch.clamp(self.conv2(y), -1.5, 1.5)), 2)
        y = torch.cat([y.mean(dim=2), y.abs().amax(dim=2)], dim=1)
        return self.head(y / torch.linalg.vector_norm(y, dim=1, keepdim=True).clamp_min(1e-6))


def uniform(generator, *shape):
    return torch.rand(*shape, generator=generator) * 2 - 1


def randomise(module, generator):
    """Every parameter and running statistic away from its symmetric start, so that no gradient vanishes by accident."""
    with torch.no_grad():
        for parameter in module.parameters():
            fan_in = max(1, parameter[0].numel()) if parameter.dim() > 1 else 1
            one_dimensional = parameter.dim() == 1
            parameter.copy_(uniform(generator, *parameter.shape) * (0.3 if one_dimensional else 1.5 * fan_in**-0.5))
        for part in module.modules():
            if isinstance(part, (nn.LayerNorm, nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d)):
                part.weight.add_(1)
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.copy_(uniform(generator, *part.running_mean.shape) * 0.2)
                part.running_var.copy_(1 + 0.4 * uniform(generator, *part.running_var.shape))
        for name in ("norm1", "norm2", "norm3", "slope"):
            if isinstance(getattr(module, name, None), nn.Parameter):
                getattr(module, name).add_(1)


def integers(generator, high, *shape):
    return torch.randint(0, high, shape, generator=generator)


BATCH, LENGTH = Dim("batch", min=1, max=1024), Dim("length", min=2, max=6)
torch_script = {"dynamo": False}
keep_form = {"dynamo": False, "do_constant_folding": False}


def cases():
    """name, model(variant) , inputs, targets, loss, dynamic axes, [(file suffix, variant, exporter options)]"""
    g = torch.Generator().manual_seed(20240419)
    images = uniform(g, 4, 2, 8, 8)
    classes = torch.tensor([0, 2, 1, 2])
    yield dict(
        name="mlp", make=lambda **_: Mlp(), inputs={"x": uniform(g, 6, 5)}, targets=uniform(g, 6, 3), loss="squared",
        dynamic={"x": {0: BATCH}},
        files=[
            ("torchscript-13", {}, dict(opset_version=13, **torch_script)),
            ("torchscript-17", {}, dict(opset_version=17, **torch_script)),
            ("dynamo-18", {}, dict(opset_version=18)),
            ("dynamo-21", {}, dict(opset_version=21)),
            ("each-external-13", {"each": True}, dict(opset_version=13, **torch_script)),
            ("double-18", {"dtype": torch.float64}, dict(opset_version=18)),
            ("half-18", {"dtype": torch.float16}, dict(opset_version=18)),
        ],
    )  # fmt: skip
    yield dict(
        name="cnn", make=lambda **_: Cnn(), inputs={"x": images}, targets=classes, loss="cross-entropy",
        dynamic={"x": {0: BATCH}},
        files=[
            ("torchscript-13", {}, dict(opset_version=13, training=torch.onnx.TrainingMode.PRESERVE, **torch_script)),
            ("torchscript-17", {}, dict(opset_version=17, training=torch.onnx.TrainingMode.PRESERVE, **torch_script)),
            ("dynamo-20", {}, dict(opset_version=20, optimize=False)),
            ("training-mode", {"training": True}, dict(opset_version=17, training=torch.onnx.TrainingMode.TRAINING, **torch_script)),
        ],
    )  # fmt: skip
    yield dict(
        name="resnet", make=lambda **_: ResNet(), inputs={"image": uniform(g, 3, 3, 6, 6)}, targets=torch.tensor([1, 0, 2]),
        loss="cross-entropy", dynamic={"image": {0: BATCH}},
        files=[
            ("torchscript-14", {}, dict(opset_version=14, training=torch.onnx.TrainingMode.PRESERVE, **torch_script)),
            ("dynamo-18", {}, dict(opset_version=18, optimize=False)),
        ],
    )  # fmt: skip
    yield dict(
        name="vit", make=lambda fused=False, **_: Vit(fused), inputs={"image": uniform(g, 4, 2, 8, 8)}, targets=classes.flip(0),
        loss="cross-entropy", dynamic={"image": {0: BATCH}},
        files=[
            ("torchscript-13", {}, dict(opset_version=13, **torch_script)),
            ("torchscript-17", {}, dict(opset_version=17, **torch_script)),
            ("torchscript-sdpa-17", {"fused": True}, dict(opset_version=17, **torch_script)),
            ("dynamo-18", {}, dict(opset_version=18)),
            ("dynamo-sdpa-21", {"fused": True}, dict(opset_version=21)),
            ("dynamo-sdpa-23", {"fused": True}, dict(opset_version=23)),
            ("dynamo-external", {}, dict(external_data=True)),
        ],
    )  # fmt: skip
    yield dict(
        name="gpt", make=lambda fused=False, loss=False, **_: Gpt(fused, loss), inputs={"tokens": integers(g, 11, 3, 5)},
        targets=integers(g, 11, 3, 5), loss="cross-entropy", dynamic={"tokens": {0: BATCH, 1: LENGTH}},
        files=[
            ("torchscript-14", {}, dict(opset_version=14, **torch_script)),
            ("torchscript-17", {}, dict(opset_version=17, **keep_form)),
            ("torchscript-loss-17", {"loss": True}, dict(opset_version=17, **torch_script)),
            ("dynamo-20", {}, dict(opset_version=20)),
            ("dynamo-sdpa-18", {"fused": True}, dict(opset_version=18)),
            ("dynamo-loss-20", {"loss": True}, dict(opset_version=20)),
        ],
    )  # fmt: skip
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]])
    yield dict(
        name="bert", make=lambda **_: Bert(),
        inputs={"input_ids": integers(g, 9, 3, 5), "attention_mask": mask, "token_type_ids": integers(g, 2, 3, 5)},
        targets=torch.tensor([2, 0, 1]), loss="cross-entropy",
        dynamic={name: {0: BATCH, 1: LENGTH} for name in ("input_ids", "attention_mask", "token_type_ids")},
        files=[
            ("torchscript-14", {}, dict(opset_version=14, **torch_script)),
            ("torchscript-16", {}, dict(opset_version=16, **keep_form)),
            ("dynamo-18", {}, dict(opset_version=18)),
        ],
    )  # fmt: skip
    yield dict(
        name="llama", make=lambda fused=False, **_: Llama(fused), inputs={"tokens": integers(g, 10, 3, 4)},
        targets=integers(g, 10, 3, 4), loss="cross-entropy", dynamic={"tokens": {0: BATCH, 1: LENGTH}},
        files=[
            ("torchscript-17", {}, dict(opset_version=17, **torch_script)),
            ("dynamo-20", {}, dict(opset_version=20)),
            ("dynamo-sdpa-23", {"fused": True}, dict(opset_version=23)),
        ],
    )  # fmt: skip
    yield dict(
        name="unet", make=lambda **_: Unet(), inputs={"image": uniform(g, 3, 2, 6, 6)}, targets=uniform(g, 3, 6), loss="squared",
        dynamic={"image": {0: BATCH}},
        files=[
            ("torchscript-18", {}, dict(opset_version=18, **torch_script)),
            ("dynamo-18", {}, dict(opset_version=18)),
            ("dynamo-21", {}, dict(opset_version=21)),
        ],
    )  # fmt: skip
    yield dict(
        name="wave", make=lambda **_: Wave(), inputs={"signal": uniform(g, 3, 2, 16)}, targets=uniform(g, 3, 2), loss="squared",
        dynamic={"signal": {0: BATCH}},
        files=[
            ("torchscript-15", {}, dict(opset_version=15, **torch_script)),
            ("dynamo-19", {}, dict(opset_version=19)),
        ],
    )  # fmt: skip
    yield dict(
        name="fresh", make=lambda **_: Fresh(), inputs={"x": uniform(g, 6, 5)}, targets=uniform(g, 6, 3), loss="squared",
        dynamic={"x": {0: BATCH}}, fresh=True,
        files=[
            ("torchscript-17", {}, dict(opset_version=17, training=torch.onnx.TrainingMode.PRESERVE, **torch_script)),
            ("torchscript-14", {}, dict(opset_version=14, training=torch.onnx.TrainingMode.PRESERVE, **torch_script)),
            ("dynamo-18", {}, dict(opset_version=18)),
        ],
    )  # fmt: skip


def objective(kind, output, targets):
    """(1/N) Σ_i ℓ(f_i, y_i)."""
    if kind == "squared":
        return 0.5 * (output - targets).pow(2).sum() / len(targets)
    return F.cross_entropy(output.reshape(-1, output.shape[-1]), targets.reshape(-1))


def truth(case, module):
    """Float64 values of everything that the JSON holds."""
    module = module.double()
    names = [name for name, _ in module.named_parameters()]
    theta = {name: p.detach().clone() for name, p in module.named_parameters()}
    inputs = tuple(x.double() if x.is_floating_point() else x for x in case["inputs"].values())
    targets = case["targets"].double() if case["targets"].is_floating_point() else case["targets"]

    sizes = [theta[name].numel() for name in names]
    flat = torch.cat([theta[name].reshape(-1) for name in names])

    def unflatten(vector):
        return {name: part.reshape(theta[name].shape) for name, part in zip(names, vector.split(sizes))}

    def network(vector):
        return torch.func.functional_call(module, unflatten(vector), inputs)

    def loss(vector):
        return objective(case["loss"], network(vector), targets)

    v = torch.sin(1 + 0.37 * torch.arange(len(flat), dtype=torch.float64))
    gradient = torch.func.grad(loss)
    _, hessian_product = torch.func.jvp(gradient, (flat,), (v,))
    output, pull = torch.func.vjp(network, flat)
    _, tangent = torch.func.jvp(network, (flat,), (v,))
    _, curved = torch.func.jvp(torch.func.grad(lambda f: objective(case["loss"], f, targets)), (output,), (tangent,))
    (gauss_newton_product,) = pull(curved)

    jacobian = torch.func.jacrev(network)(flat).reshape(-1, len(flat))
    hessian = torch.func.jacrev(gradient)(flat)
    examples = output.shape[0]
    # Θ with the loss's curvature inside has the nonzero spectrum of the Gauss–Newton matrix.
    loss_curvature = torch.func.hessian(lambda f: objective(case["loss"], f.reshape(output.shape), targets))(output.reshape(-1))
    gauss_newton = jacobian.T @ loss_curvature @ jacobian
    assert torch.allclose(hessian @ v, hessian_product, rtol=1e-9, atol=1e-12)
    assert torch.allclose(gauss_newton @ v, gauss_newton_product, rtol=1e-9, atol=1e-12)

    result = {
        "loss": {"kind": case["loss"], "value": loss(flat).item(), "targets": array(case["targets"])},
        "output": array(output),
        "ntkTrace": ((jacobian * jacobian).sum() / examples).item(),
        "hessianTrace": hessian.trace().item(),
        "hessianTopEigenvalue": torch.linalg.eigvalsh(hessian)[-1].item(),
        "gaussNewtonTopEigenvalue": torch.linalg.eigvalsh(gauss_newton)[-1].item(),
        "params": [
            {"name": name, "shape": list(theta[name].shape), "gradient": g, "hessianProduct": h, "gaussNewtonProduct": n}
            for name, g, h, n in zip(
                names, *([part.tolist() for part in x.split(sizes)] for x in (gradient(flat), hessian_product, gauss_newton_product))
            )
        ],
    }
    if len(jacobian) <= 20:
        result["ntk"] = (jacobian @ jacobian.T / examples).reshape(-1).tolist()
    return result


def array(tensor):
    return {"type": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape), "data": tensor.reshape(-1).tolist()}


def locate(path, module):
    """Which initializers of the file hold which parameter, found by value. Raises where one was folded into something else."""
    model = onnx.load(path)
    held = {}
    for tensor in model.graph.initializer:
        held[tensor.name] = torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            held[node.output[0]] = torch.from_numpy(onnx.numpy_helper.to_array(node.attribute[0].t).copy())
    found, used = {}, set()
    for name, parameter in module.named_parameters():
        value, places = parameter.detach(), []
        for key, tensor in held.items():
            if tensor.numel() != value.numel() or tensor.dtype != value.dtype or key in used:
                continue
            if torch.equal(tensor.reshape(-1), value.reshape(-1)):
                places.append({"name": key})
            elif value.dim() == 2 and torch.equal(tensor.reshape(-1), value.T.reshape(-1)):
                places.append({"name": key, "transposed": True})
        if not places:
            raise RuntimeError(f"{path}: {name} {list(value.shape)} is not among {[(k, list(t.shape)) for k, t in held.items()]}")
        used.update(place["name"] for place in places)
        found[name] = places
    return found


def export(case, suffix, variant, options, state):
    module = case["make"](**variant)
    module.load_state_dict(state)
    module.train(variant.get("training", False))
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 0.0 if variant.get("training") else part.momentum  # exporting runs the model: statistics stay
    dtype = variant.get("dtype", torch.float32)
    module.to(dtype)
    inputs = {name: x.to(dtype) if x.is_floating_point() else x for name, x in case["inputs"].items()}
    dynamic = dict(case["dynamic"])
    output = "output"
    if variant.get("loss"):
        inputs["targets"], dynamic["targets"], output = case["targets"], dynamic["tokens"], "loss"
    external = options.get("external_data", False) or "each" in variant
    file = f"{case['name']}-{suffix}.onnx"
    folder = os.path.join(OUT, f"{case['name']}-{suffix}") if external else OUT
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, file)
    options = {"external_data": False, **options}
    if options.get("dynamo", True):
        options["dynamic_shapes"] = tuple(dynamic[name] for name in inputs)
    else:
        options["dynamic_axes"] = {k: {axis: d.__name__ for axis, d in dims.items()} for k, dims in dynamic.items()}
        if output == "output":
            options["dynamic_axes"]["output"] = {0: "batch"}
    torch.onnx.export(module, tuple(inputs.values()), path, input_names=list(inputs), output_names=[output], **options)
    strip(path)
    if "each" in variant:  # what PyTorch did for models above 2 GB: a file for every tensor
        onnx.save_model(
            onnx.load(path), path, save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0
        )
    onnx.checker.check_model(path, full_check=True)
    proto = onnx.load(path, load_external_data=False)
    entry = {
        "file": os.path.relpath(path, OUT),
        "exporter": "dynamo" if options.get("dynamo", True) else "torchscript",
        "opset": next(o.version for o in proto.opset_import if o.domain == ""),
        "output": output,
        "elementType": str(dtype).removeprefix("torch."),
    }
    if case.get("fresh"):  # by value they cannot be told apart
        entry["params"] = {name: [{"name": name}] for name, _ in module.named_parameters()}
    elif not variant.get("training"):
        entry["params"] = locate(path, module)
    return entry


def strip(path):
    """Removes the stack traces, which hold the paths of this machine. Everything else stays as exported."""
    model = onnx.load(path, load_external_data=False)
    graphs = [model.graph, *model.functions]
    for graph in graphs:
        for node in graph.node:
            kept = [p for p in node.metadata_props if p.key != "pkg.torch.onnx.stack_trace"]
            del node.metadata_props[:]
            node.metadata_props.extend(kept)
            node.doc_string = ""
    with open(path, "wb") as target:
        target.write(model.SerializeToString(deterministic=True))


def main(wanted):
    warnings.filterwarnings("ignore")
    for case in cases():
        if wanted and case["name"] not in wanted:
            continue
        for entry in os.listdir(OUT):
            if entry.startswith(case["name"] + "-") or entry == case["name"] + ".json":
                path = os.path.join(OUT, entry)
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        module = case["make"]()
        torch.manual_seed(1)
        module = case["make"]() if case.get("fresh") else module
        if not case.get("fresh"):
            randomise(module, torch.Generator().manual_seed(len(case["name"]) * 1000 + ord(case["name"][0])))
        module.eval()
        state = {key: value.clone() for key, value in module.state_dict().items()}
        files = [export(case, *file, state) for file in case["files"]]
        record = {
            "name": case["name"],
            "made": {"torch": torch.__version__, "onnx": onnx.__version__, "script": "docs/autodiff/make-pytorch-fixtures.py"},
            "inputs": {name: array(x) for name, x in case["inputs"].items()},
            "files": files,
            **truth(case, module),
        }
        with open(os.path.join(OUT, case["name"] + ".json"), "w") as target:
            target.write(json.dumps(record, separators=(",", ":")) + "\n")
        print(case["name"], sum(p.numel() for p in module.parameters()), "parameters", record["loss"]["value"])


if __name__ == "__main__":
    main(sys.argv[1:])
