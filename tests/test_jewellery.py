"""The renderer of the demo jewellery: one small ring, looked at as light and shade."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tools.jewellery import rings
from tools.jewellery.camera import Camera
from tools.jewellery.catalogue import COLLECTIONS, PIECES
from tools.jewellery.picture import Render
from tools.jewellery.shots import every
from tools.jewellery.trace import Scene

SIDE = 96
ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "src/markethall/interfaces/cli/demo/elysium/pictures"


def render() -> list[NDArray[np.int64]]:
    """A solitaire in yellow gold and in platinum, (side, side, 3) each."""
    bench = rings.solitaire()
    bench.pose(("x", 22), ("z", -30))
    camera = Camera((0.2, 0, 2.2), 28, height=24)
    scene = Scene(bench.solids, bench.stones, camera, ("yellow-gold", "platinum"))
    return [np.asarray(one).astype(int) for one in Render(scene, SIDE, SIDE).pictures(fine=1)]


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.int64]]:
    return render()


def band(picture: NDArray[np.int64]) -> NDArray[np.int64]:
    """The right half of the shank."""
    return picture[45:72, 66:80]


def test_gold_is_warm_and_platinum_is_not(pictures: list[NDArray[np.int64]]) -> None:
    gold, platinum = (band(one) for one in pictures)
    differ = (pictures[0] != pictures[1]).any(axis=2)[45:72, 66:80]
    assert differ.mean() > 0.3
    warm = (gold[..., 0] - gold[..., 2])[differ]
    assert np.median(warm) > 50
    assert np.abs(platinum[..., 0] - platinum[..., 2])[differ].mean() < 25


def test_polished_metal_shows_light_and_dark(pictures: list[NDArray[np.int64]]) -> None:
    shades = pictures[1][30:80, 16:82].mean(axis=2)
    assert np.percentile(shades, 1) < 70
    assert shades.max() > 230


def test_the_stone_has_facets_of_high_contrast(pictures: list[NDArray[np.int64]]) -> None:
    stone = pictures[1][12:26, 27:47].mean(axis=2)
    assert stone.std() > 25
    steps = np.abs(np.diff(stone, axis=1))
    assert np.percentile(steps, 90) > 40


def test_the_ground_is_ivory_with_a_shadow_below_the_ring(
    pictures: list[NDArray[np.int64]],
) -> None:
    corner = pictures[0][4:12, 80:92].mean(axis=(0, 1))
    below = pictures[0][80:84, 38:60].mean(axis=(0, 1))
    assert corner.min() > 215
    assert corner[0] > corner[2]
    assert below.mean() < corner.mean() - 12


def test_the_same_seed_gives_the_same_bytes(pictures: list[NDArray[np.int64]]) -> None:
    for first, again in zip(pictures, render(), strict=True):
        assert first.tobytes() == again.tobytes()


def test_what_is_written_beside_the_pictures_is_true() -> None:
    told = json.loads((PICTURES / "pictures.json").read_text())
    listed = json.loads((PICTURES / "pieces.json").read_text())
    assert listed["pieces"] == [piece.listed() for piece in PIECES]
    assert {piece.collection for piece in PIECES} <= set(COLLECTIONS)
    assert set(told) == {path.name for path in PICTURES.glob("*.webp")}
    assert set(told) <= {shot.file(metal) for shot in every() for metal in shot.metals}
