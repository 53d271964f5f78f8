"""Training curves of PyTorch, which packages/lab/src/training/pytorch.test.ts holds Sedge's to.

    python3 docs/lab/pytorch-training.py > packages/lab/src/fixtures/pytorch-training.json

PyTorch 2.13, CPU. Every number that a run starts from comes from one linear congruential generator, which the test has too:
first the inputs, then the minibatch indices, then the parameters in the model's order. Models are written out on the names and
layouts of Sedge (dense weights [in, out], images channels last), with PyTorch's own layers, losses and optimisers. Each run is
made in float64, the truth, and in float32: how far PyTorch's own float32 strays is what the test's tolerance is made of.
"""
import json
import math

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
STEPS, EXAMPLES, BATCH, CLASSES = 200, 32, 4, 3


def generator(seed):
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield (state >> 8) / 2**24 - 0.5


def take(stream, shape, scale=1.0, offset=0.0):
    count = math.prod(shape)
    # Rounded to float32, as the test's arrays are.
    return torch.tensor([offset + scale * next(stream) for _ in range(count)], dtype=torch.float32).reshape(shape)


class Net:
    """Declares parameters in the order in which they are used first, with values from the stream."""

    def __init__(self, stream, dtype):
        self.stream, self.dtype, self.params, self.running = stream, dtype, {}, {}

    def param(self, name, shape):
        if name not in self.params:
            if name.endswith(".scale"):
                value = take(self.stream, shape, 0.4, 1.0)
            elif len(shape) == 1:
                value = take(self.stream, shape, 0.2)
            elif len(shape) == 3:
                value = take(self.stream, shape, 0.1)
            else:
                fan_in = shape[0] if len(shape) == 2 else math.prod(shape[1:])
                value = take(self.stream, shape, 4 / math.sqrt(fan_in))
            self.params[name] = value.to(self.dtype).requires_grad_()
        return self.params[name]

    def dense(self, name, x, width, names=None):
        weight, bias = names or (f"{name}.weight", f"{name}.bias")
        return x @ self.param(weight, (x.shape[-1], width)) + self.param(bias, (width,))

    def conv(self, name, x, width, kernel=3, stride=1, bias=False):
        w = self.param(f"{name}.weight", (width, x.shape[1], kernel, kernel))
        c = self.param(f"{name}.bias", (width,)) if bias else None
        return F.conv2d(x, w, c, stride=stride, padding=kernel // 2)

    def affine(self, name, width):
        return self.param(f"{name}.scale", (width,)), self.param(f"{name}.shift", (width,))

    def norm(self, name, x, kind, groups):
        width = x.shape[1]
        scale, shift = self.affine(name, width)
        if kind == "group":
            return F.group_norm(x, groups, scale, shift)
        mean = self.running.setdefault(f"{name}.mean", torch.zeros(width, dtype=self.dtype))
        variance = self.running.setdefault(f"{name}.variance", torch.ones(width, dtype=self.dtype))
        return F.batch_norm(x, mean, variance, scale, shift, training=True, momentum=0.1)

    def layer_norm(self, name, x):
        scale, shift = self.affine(name, x.shape[-1])
        return F.layer_norm(x, (x.shape[-1],), scale, shift)


def mlp(net, x):
    h = x.flatten(1)
    for layer, width in enumerate((6, 5), 1):
        h = torch.tanh(net.dense("", h, width, (f"W{layer}", f"b{layer}")))
    return net.dense("", h, CLASSES, ("W3", "b3"))


def cnn(net, x):
    h = x.permute(0, 3, 1, 2)
    for i, width in enumerate((4, 6)):
        h = F.gelu(net.conv(f"conv{i + 1}", h, width, stride=1 + i % 2, bias=True))
    return net.dense("head", h.mean((2, 3)), CLASSES)


def resnet(depth, kind, stem="cifar", width=4, groups=2):
    counts = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}[depth]

    def conv_norm(net, name, x, w, **options):
        h = net.conv(name, x, w, bias=kind == "none", **options)
        return h if kind == "none" else net.norm(f"{name}.norm", h, kind, groups)

    def block(net, name, x, w, stride):
        if depth == 50:
            out = 4 * w
            h = F.relu(conv_norm(net, f"{name}.conv1", x, w, kernel=1))
            h = F.relu(conv_norm(net, f"{name}.conv2", h, w, stride=stride))
            h = conv_norm(net, f"{name}.conv3", h, out, kernel=1)
        else:
            out = w
            h = F.relu(conv_norm(net, f"{name}.conv1", x, w, stride=stride))
            h = conv_norm(net, f"{name}.conv2", h, w)
        same = stride == 1 and x.shape[1] == out
        shortcut = x if same else conv_norm(net, f"{name}.shortcut", x, out, kernel=1, stride=stride)
        return F.relu(shortcut + (h / math.sqrt(sum(counts)) if kind == "none" else h))

    def model(net, x):
        large = stem == "imagenet"
        h = x.permute(0, 3, 1, 2)
        h = F.relu(conv_norm(net, "stem", h, width, kernel=7 if large else 3, stride=2 if large else 1))
        if large:
            h = F.max_pool2d(h, 3, 2, 1)
        for stage, count in enumerate(counts):
            for i in range(count):
                h = block(net, f"stage{stage + 1}.block{i + 1}", h, width * 2**stage, 2 if stage and not i else 1)
        return net.dense("head", h.mean((2, 3)), CLASSES)

    return model


def vit(net, x, patch=4, width=12, depth=2, heads=2):
    rows = x.shape[1] // patch
    h = x.reshape(-1, rows, patch, rows, patch, 3).permute(0, 1, 3, 2, 4, 5).reshape(-1, rows * rows, patch * patch * 3)
    h = net.dense("embed", h, width) + net.param("position", (1, rows * rows, width))
    for i in range(1, depth + 1):
        q, k, v = (
            net.dense(f"block{i}.qkv", net.layer_norm(f"block{i}.norm1", h), 3 * width)
            .reshape(-1, rows * rows, 3, heads, width // heads)
            .permute(2, 0, 3, 1, 4)
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(-1, rows * rows, width)
        h = h + net.dense(f"block{i}.out", mixed, width)
        wide = F.gelu(net.dense(f"block{i}.up", net.layer_norm(f"block{i}.norm2", h), 4 * width))
        h = h + net.dense(f"block{i}.down", wide, width)
    return net.dense("head", net.layer_norm("norm", h).mean(1), CLASSES)


MODELS = {
    "mlp": mlp,
    "cnn": cnn,
    "resnet18-group": resnet(18, "group"),
    "resnet18-batch": resnet(18, "batch"),
    "resnet34-none": resnet(34, "none"),
    "resnet50-imagenet": resnet(50, "group", "imagenet"),
    "vit": vit,
}
# Small steps: a deep network amplifies rounding until two correct programs disagree.
PACE = {"resnet18-group": 0.1, "resnet18-batch": 0.1, "resnet34-none": 0.1, "resnet50-imagenet": 0.002}
OPTIMIZERS = {
    "sgd": lambda p, k: torch.optim.SGD(p, lr=0.02 * k, weight_decay=0.01),
    "heavy-ball": lambda p, k: torch.optim.SGD(p, lr=0.005 * k, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p, k: torch.optim.SGD(p, lr=0.005 * k, momentum=0.9, nesterov=True),
    "adam": lambda p, k: torch.optim.Adam(p, lr=0.001 * k, weight_decay=0.01, eps=1e-4),
    "adamw": lambda p, k: torch.optim.AdamW(p, lr=0.001 * k, betas=(0.8, 0.95), weight_decay=0.1, eps=1e-4),
    "rmsprop": lambda p, k: torch.optim.RMSprop(p, lr=0.0005 * k, momentum=0.5, eps=1e-2),
}
LOSSES = {
    "squared": lambda f, y: 0.5 * (f - y).square().sum(1).mean(),
    "mean-squared": lambda f, y: F.mse_loss(f, y),
    "cross-entropy": lambda f, y: F.cross_entropy(f, y),
    "smoothed": lambda f, y: F.cross_entropy(f, y.argmax(1), label_smoothing=0.1),
}


def schedule_of(name, optimizer):
    schedulers = torch.optim.lr_scheduler
    if name == "cosine":
        return schedulers.CosineAnnealingLR(optimizer, T_max=STEPS)
    if name == "step":
        return schedulers.StepLR(optimizer, step_size=50, gamma=0.5)
    return None


def train(model, optimizer, loss, dtype, schedule=None, clip=None, accumulate=1):
    stream = generator(7)
    residual = model.startswith("resnet")
    side = 16 if residual else 8
    x = take(stream, (EXAMPLES, side, side, 3), 3.0).to(dtype)
    y = F.one_hot(torch.arange(EXAMPLES) % CLASSES, CLASSES).to(dtype)
    indices = [[int((next(stream) + 0.5) * EXAMPLES) for _ in range(BATCH)] for _ in range(STEPS)]
    net = Net(stream, dtype)
    MODELS[model](net, x[:2])
    for name in net.running:  # only declared so far
        net.running[name].fill_(0.0 if name.endswith(".mean") else 1.0)
    opt = OPTIMIZERS[optimizer](list(net.params.values()), PACE[model] if residual else 1)
    rates = schedule_of(schedule, opt)
    losses = []
    for batch in indices:
        opt.zero_grad()
        size, total = BATCH // accumulate, 0.0
        for part in range(accumulate):
            chosen = batch[part * size : (part + 1) * size]
            value = LOSSES[loss](MODELS[model](net, x[chosen]), y[chosen]) / accumulate
            value.backward()
            total += value.item()
        losses.append(total)
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(net.params.values(), clip)
        opt.step()
        if rates:
            rates.step()
    state = {**net.params, **net.running}
    return losses, {name: value.detach().double().norm().item() for name, value in state.items()}


def relative(a, b):
    return max(abs(p - q) / max(abs(q), 1e-2) for p, q in zip(a, b))


def record(model, optimizer, loss, **options):
    losses, norms = train(model, optimizer, loss, torch.float64, **options)
    single, single_norms = train(model, optimizer, loss, torch.float32, **options)
    return {
        "model": model,
        "optimizer": optimizer,
        "loss": loss,
        **options,
        "losses": [float(f"{value:.9g}") for value in losses[::10] + losses[-1:]],
        "norms": {name: float(f"{value:.8g}") for name, value in norms.items()},
        "strayed": float(f"{max(relative(single, losses), relative(single_norms.values(), norms.values())):.2g}"),
    }


FAMILIES = ("mlp", "cnn", "resnet18-group", "vit")
runs = [record(model, optimizer, "cross-entropy") for model in FAMILIES for optimizer in OPTIMIZERS]
runs += [record("resnet18-batch", optimizer, "cross-entropy") for optimizer in ("sgd", "adam")]
runs += [record(model, "sgd", "cross-entropy") for model in ("resnet34-none", "resnet50-imagenet")]
runs += [record("mlp", "sgd", loss) for loss in ("squared", "mean-squared", "smoothed")]
runs += [record("mlp", "adam", "squared", schedule=schedule) for schedule in ("cosine", "step")]
runs += [record("cnn", "heavy-ball", "cross-entropy", clip=0.5)]
runs += [record("cnn", "adam", "cross-entropy", clip=0.5, accumulate=2)]
runs += [record("resnet18-batch", "sgd", "cross-entropy", accumulate=2)]
print('{"torch": "%s", "runs": [\n%s\n]}' % (torch.__version__, ",\n".join(json.dumps(run) for run in runs)))
