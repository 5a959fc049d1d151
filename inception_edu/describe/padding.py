"""A window that slides along one axis of a map: where it stops, and who reads which pixel. No
torch.

Sizes are in pixels; `padding` is the number of zeros on *each* side. `spec.slide` gives the same
count for the figures' words "same" and "valid".
"""

from __future__ import annotations


def outputs(size: int, kernel: int, stride: int, padding: int) -> int:
    """⌊(size + 2·padding − kernel) / stride⌋ + 1, and 0 where the window does not fit at all."""
    room = size + 2 * padding - kernel
    return 0 if room < 0 else room // stride + 1


def readers(size: int, kernel: int, stride: int, padding: int) -> list[int]:
    """For every pixel the number of windows that read it."""
    count = [0] * size
    for place in range(outputs(size, kernel, stride, padding)):
        first = place * stride - padding
        for pixel in range(max(first, 0), min(first + kernel, size)):
            count[pixel] += 1
    return count


def unread(size: int, kernel: int, stride: int, padding: int) -> int:
    """Pixels at the far end that no window reaches."""
    read = readers(size, kernel, stride, padding)
    lost = 0
    while lost < size and read[size - 1 - lost] == 0:
        lost += 1
    return lost
