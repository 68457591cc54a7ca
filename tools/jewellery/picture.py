"""From rays to pictures: samples where they are needed, tones like film, a little glare."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .studio import film
from .trace import Scene, Tracer
from .vectors import Array, Ints

BLOCK = 40_000
THREADS = 2
CLAMP = 9.0
FINE = 2
QUALITY = 82


def tones(light: Array) -> Array:
    """Linear light to sRGB, 0 to 1."""
    tone = film(light)
    out: Array = np.where(tone <= 0.0031308, tone * 12.92, 1.055 * tone ** (1 / 2.4) - 0.055)
    return out


def glare(light: Array) -> Array:
    """Adds what bright spots spill over the lens, in proportion to the picture's size."""
    size = light.shape[0]
    bright = np.minimum(np.maximum(light - 3.6, 0), 6)
    near = cv2.GaussianBlur(bright, (0, 0), max(size / 420, 0.6))
    wide = cv2.GaussianBlur(bright, (0, 0), max(size / 60, 1.0))
    out: Array = light + 0.10 * near + 0.035 * wide
    return out


class Render:
    """Pictures of one scene, one for each of its metals."""

    def __init__(self, scene: Scene, width: int, tall: int, seed: int = 7) -> None:
        self.scene, self.width, self.tall = scene, width, tall
        self.tracer = Tracer(scene, seed, small=max(width, tall) < 128)
        self.draw = np.random.default_rng(seed)

    def _see(self, x: Array, y: Array) -> Array:
        blocks = []
        for i in range(0, len(x), BLOCK):
            span = slice(i, i + BLOCK)
            lens = np.zeros((2, len(x[span])), np.float32)
            if self.scene.camera.aperture:
                turn = self.draw.uniform(0, 2 * np.pi, lens.shape[1])
                far = np.sqrt(self.draw.uniform(0, 1, lens.shape[1]))
                lens = far * np.stack([np.cos(turn), np.sin(turn)])
            blocks.append(self.scene.camera.rays(x[span], y[span], self.width, self.tall, lens))
        with ThreadPoolExecutor(THREADS) as pool:
            parts = list(pool.map(lambda rays: self.tracer.trace(*rays)[0], blocks))
        return np.minimum(np.concatenate(parts), CLAMP)

    def light(self, fine: int = FINE) -> Array:
        """Linear light of every metal's picture, (metals, tall, width, 3).

        Half the resolution first; where neighbours differ, every pixel; where these differ,
        `fine` squared rays for each.
        """
        y, x = np.mgrid[: self.tall, : self.width].astype(np.float32) + 0.5
        x, y = x.ravel(), y.ravel()
        every = np.arange(len(x))
        if self.scene.camera.aperture or self.tall % 2 or self.width % 2:
            image = self._see(x, y).reshape(self.tall, self.width, -1, 3)
        else:
            image, every = self._coarse()
            image.reshape(len(x), -1, 3)[every] = self._see(x[every], y[every])
        busy = self._busy(image, 0.045).ravel()
        some = every[busy[every]]
        total = np.zeros((len(some), *image.shape[2:]), np.float32)
        for i in range(fine):
            for j in range(fine):
                shift = self.draw.uniform(0, 1, (2, len(some)))
                u = x[some] - 0.5 + (i + shift[0]) / fine
                v = y[some] - 0.5 + (j + shift[1]) / fine
                total += self._see(u.astype(np.float32), v.astype(np.float32))
        image.reshape(len(x), -1, 3)[some] = total / fine**2
        return image.transpose(2, 0, 1, 3)

    def _coarse(self) -> tuple[Array, Ints]:
        """A picture traced at half its resolution, and which of its pixels need more."""
        tall, width = self.tall // 2, self.width // 2
        y, x = np.mgrid[:tall, :width].astype(np.float32) * 2 + 1
        small = self._see(x.ravel(), y.ravel()).reshape(tall, width, -1, 3)
        busy = self._busy(small, 0.03)
        size = (self.width, self.tall)
        layers = [
            cv2.resize(np.ascontiguousarray(small[:, :, i]), size, interpolation=cv2.INTER_CUBIC)
            for i in range(small.shape[2])
        ]
        image = np.maximum(np.stack(layers, axis=2), 0)
        wide = cv2.resize(busy.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        return image, np.flatnonzero(wide.ravel())

    def _busy(self, image: Array, threshold: float) -> NDArray[np.bool_]:
        """Pixels that differ from their neighbours, in any metal."""
        tall, width = image.shape[:2]
        if self.scene.camera.aperture:
            return np.ones((tall, width), bool)
        shown = tones(image).reshape(tall, width, -1).astype(np.float32)
        spread = np.zeros((tall, width), np.float32)
        kernel = np.ones((3, 3), np.uint8)
        for i in range(shown.shape[2]):
            one = np.ascontiguousarray(shown[..., i])
            spread = np.maximum(spread, cv2.dilate(one, kernel) - cv2.erode(one, kernel))
        out: NDArray[np.bool_] = spread > threshold
        return out

    def pictures(self, fine: int = FINE) -> list[Image.Image]:
        out = []
        for light in self.light(fine):
            shown = tones(glare(light))
            out.append(Image.fromarray((shown * 255 + 0.5).astype(np.uint8)))
        return out


def save(picture: Image.Image, path: Path) -> int:
    """Writes a WebP and returns its bytes."""
    picture.save(path, "WEBP", quality=QUALITY, method=6)
    return path.stat().st_size
