"""Plush pictures: repeatable, of the right size, in the subject's colours, from any image."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from markethall.content.imaging.plush import STYLES, render_plush
from markethall.content.imaging.plush.landmarks import find_face
from markethall.content.imaging.plush.render import reduced
from markethall.content.imaging.plush.segment import LEAST_CONFIDENCE, find_subject

PHOTOS = Path(__file__).parent / "photos"
RED, BLUE = (210, 40, 40), (40, 70, 200)
NAMES = sorted(STYLES)


def ball(colour: tuple[int, int, int] = RED) -> Image.Image:
    """A shaded ball on a pale ground with a little noise."""
    noise = np.random.default_rng(1).normal(0, 3, (160, 200, 3))
    picture = Image.new("RGB", (200, 160), (205, 208, 214))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((55, 30, 150, 125), fill=colour)
    pen.ellipse((80, 45, 105, 65), fill=tuple(min(255, c + 40) for c in colour))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


@cache
def ball_toy(style: str, seed: int = 5, colour: tuple[int, int, int] = RED) -> Image.Image:
    """A plush toy of the ball."""
    return render_plush(ball(colour), style=style, longer_side=512, seed=seed)


def middle(picture: Image.Image) -> np.ndarray:
    """Mean RGB of the toy's belly, below the face."""
    width, height = picture.size
    box = (width * 0.4, height * 0.60, width * 0.6, height * 0.72)
    return np.asarray(picture.crop(tuple(round(v) for v in box)), float).mean(axis=(0, 1))


@pytest.mark.parametrize("style", NAMES)
def test_same_arguments_give_the_same_pixels(style: str) -> None:
    first = ball_toy(style)
    second = render_plush(ball(), style=style, longer_side=512, seed=5)
    assert first.mode == "RGB"
    assert first.tobytes() == second.tobytes()


def test_another_seed_gives_another_cloth_but_the_same_toy() -> None:
    first, second = ball_toy("minimalist"), ball_toy("minimalist", seed=2)
    assert first.tobytes() != second.tobytes()
    assert np.abs(middle(first) - middle(second)).max() < 12


@pytest.mark.parametrize(("side", "edge"), [(512, 160), (768, 24), (1024, 500)])
def test_longer_side_is_what_was_asked_for(side: int, edge: int) -> None:
    photo = ball().resize((160, edge))
    result = render_plush(photo, style="minimalist", longer_side=side, seed=0)
    assert max(result.size) == side
    assert min(result.size) >= side * 0.75


def test_styles_are_clearly_distinct() -> None:
    pictures = [np.asarray(ball_toy(name).resize((64, 64)), float) for name in NAMES]
    for index, one in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert np.abs(one - other).mean() > 6


def odd_images() -> dict[str, Image.Image]:
    rng = np.random.default_rng(2)
    holes = ball().convert("RGBA")
    holes.putalpha(Image.new("L", holes.size, 0))
    cut = Image.new("RGBA", (90, 90), (0, 0, 0, 0))
    ImageDraw.Draw(cut).polygon([(45, 5), (85, 80), (5, 80)], fill=(30, 160, 60, 255))
    return {
        "tiny": ball().resize((16, 16)),
        "one pixel": Image.new("RGB", (1, 1), (9, 90, 200)),
        "tall strip": ball().resize((7, 900)),
        "wide strip": ball().resize((1500, 5)),
        "uniform": Image.new("RGB", (80, 60), (120, 120, 120)),
        "black": Image.new("L", (64, 64), 0),
        "noise": Image.fromarray(rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)),
        "grey": ball().convert("L"),
        "sixteen bit": Image.fromarray(rng.integers(0, 65535, (40, 50), dtype=np.uint16)),
        "all transparent": holes,
        "cut out": cut,
    }


@pytest.mark.parametrize("kind", sorted(odd_images()))
def test_any_valid_image_becomes_a_toy(kind: str) -> None:
    result = render_plush(odd_images()[kind], style="minimalist", longer_side=512, seed=1)
    assert max(result.size) == 512
    assert np.asarray(result).std() > 3


@pytest.mark.parametrize("mode", ["1", "P", "LA", "CMYK", "I", "F"])
def test_any_mode_becomes_a_small_photo(mode: str) -> None:
    rgb, alpha = reduced(ball().convert(mode).resize((3000, 2400)))
    assert rgb.shape == (512, 640, 3)
    assert alpha is None


def test_subject_is_found_where_it_is() -> None:
    picture = np.asarray(ball())
    found = find_subject(picture, None, None)
    truth = Image.new("L", (200, 160), 0)
    ImageDraw.Draw(truth).ellipse((55, 30, 150, 125), fill=255)
    wanted = np.asarray(truth) > 0
    both, either = (found.mask & wanted).sum(), (found.mask | wanted).sum()
    assert both / either > 0.9
    assert found.confidence > LEAST_CONFIDENCE
    assert not found.cut


def test_noise_is_no_subject() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    assert find_subject(noise, None, None).confidence < LEAST_CONFIDENCE


@pytest.mark.parametrize("style", ["cartoon-style", "minimalist"])
def test_colours_of_the_subject_survive(style: str) -> None:
    red, blue = middle(ball_toy(style)), middle(ball_toy(style, colour=BLUE))
    assert red[0] > red[1] + 25 and red[0] > red[2] + 25
    assert blue[2] > blue[0] + 25 and blue[2] > blue[1] + 15


def test_cat_is_recognised_and_a_cup_is_not() -> None:
    cat = find_face(np.asarray(Image.open(PHOTOS / "cat.jpg").convert("RGB")))
    assert cat is not None and cat.kind == "cat"
    assert find_face(np.asarray(Image.open(PHOTOS / "coffee.jpg").convert("RGB"))) is None


@pytest.mark.parametrize("name", ["cat", "coffee"])
def test_photos_become_toys_on_a_calm_set(name: str) -> None:
    with Image.open(PHOTOS / f"{name}.jpg") as photo:
        result = np.asarray(render_plush(photo, style="minimalist", longer_side=512, seed=8))
    corner = result[:24, :24].astype(float)
    assert corner.std(axis=(0, 1)).max() < 8
    assert result.astype(float).std() > 20


def test_unknown_style_or_size_is_refused() -> None:
    with pytest.raises(ValueError, match="style"):
        render_plush(ball(), style="marble", longer_side=512, seed=0)
    with pytest.raises(ValueError, match="longer_side"):
        render_plush(ball(), style="minimalist", longer_side=640, seed=0)
