"""GoogLeNet in plain torch, a second time and without a description: BVLC's replication in Caffe
(models/bvlc_googlenet), layer after layer. Chainer's `links.GoogLeNet` was held against it."""

import torch
import torch.nn.functional as F
from torch import nn


class Inception(nn.Module):
    def __init__(self, channels, a, b_reduce, b, c_reduce, c, d):
        super().__init__()
        self.a = nn.Conv2d(channels, a, 1)
        self.b_reduce, self.b = nn.Conv2d(channels, b_reduce, 1), nn.Conv2d(b_reduce, b, 3, 1, 1)
        self.c_reduce, self.c = nn.Conv2d(channels, c_reduce, 1), nn.Conv2d(c_reduce, c, 5, 1, 2)
        self.d = nn.Conv2d(channels, d, 1)

    def forward(self, x):
        b = F.relu(self.b(F.relu(self.b_reduce(x))))
        c = F.relu(self.c(F.relu(self.c_reduce(x))))
        d = F.relu(self.d(F.max_pool2d(x, 3, 1, 1)))
        return torch.cat((F.relu(self.a(x)), b, c, d), 1)


class Aside(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.reduce = nn.Conv2d(channels, 128, 1)
        self.fc1, self.fc2 = nn.Linear(128 * 4 * 4, 1024), nn.Linear(1024, 1000)

    def forward(self, x):
        x = F.relu(self.reduce(F.avg_pool2d(x, 5, 3)))
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def local_norm(x):
    """x / (1 + 0.0001 · mean square of five neighbouring channels)^0.75, written out."""
    squares = F.pad(x.square(), (0, 0, 0, 0, 2, 2))
    around = torch.stack([squares[:, i : i + x.shape[1]] for i in range(5)]).sum(0)
    return x / (1 + 0.0001 / 5 * around) ** 0.75


class GoogLeNet(nn.Module):
    """N×3×224×224 → (N×1000, N×1000, N×1000): the answer and both heads'. Without dropout."""

    def __init__(self, local=True):
        super().__init__()
        self.local = local_norm if local else nn.Identity()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3)
        self.conv2_reduce, self.conv2 = nn.Conv2d(64, 64, 1), nn.Conv2d(64, 192, 3, 1, 1)
        self.i3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.i3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.i4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.i4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.i4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.i4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.i4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.i5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.i5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.fc = nn.Linear(1024, 1000)
        self.aside1, self.aside2 = Aside(512), Aside(528)

    def forward(self, x):
        def pool(x):
            return F.max_pool2d(x, 3, 2, ceil_mode=True)

        x = self.local(pool(F.relu(self.conv1(x))))
        x = pool(self.local(F.relu(self.conv2(F.relu(self.conv2_reduce(x))))))
        x = pool(self.i3b(self.i3a(x)))
        x = self.i4a(x)
        first = self.aside1(x)
        x = self.i4d(self.i4c(self.i4b(x)))
        second = self.aside2(x)
        x = self.i5b(self.i5a(pool(self.i4e(x))))
        return self.fc(x.mean((2, 3))), first, second
