"""Photos for the demo people to upload, drawn here."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

_SIDE = 720  # pixels


def cat() -> bytes:
    """A ginger cat's face before a wall."""
    picture, draw = _room((214, 224, 232), (176, 148, 120))
    fur, dark, light = (224, 142, 62), (120, 66, 24), (250, 226, 196)
    for x in (210, 510):
        side = -1 if x < 360 else 1
        draw.polygon([(x - 70, 260), (x + 70, 260), (x + side * 40, 90)], fill=fur)
        draw.polygon([(x - 30, 245), (x + 30, 245), (x + side * 28, 140)], fill=(236, 170, 150))
    draw.ellipse((190, 380, 530, 760), fill=fur)
    draw.ellipse((150, 170, 570, 530), fill=fur)
    draw.ellipse((265, 360, 455, 520), fill=light)
    for x in (255, 405):
        draw.ellipse((x, 280, x + 60, 350), fill=(120, 160, 70))
        draw.ellipse((x + 20, 288, x + 40, 344), fill=(20, 20, 20))
    draw.polygon([(340, 395), (380, 395), (360, 420)], fill=(200, 110, 110))
    draw.arc((320, 400, 360, 450), 20, 160, fill=dark, width=5)
    draw.arc((360, 400, 400, 450), 20, 160, fill=dark, width=5)
    for offset in (-60, 0, 60):
        draw.line((360 + offset, 190, 360 + offset, 240), fill=dark, width=12)
    return _jpeg(picture)


def mug() -> bytes:
    """A red mug on a table."""
    picture, draw = _room((232, 226, 214), (150, 110, 80))
    red, shade = (196, 52, 48), (150, 34, 34)
    draw.ellipse((470, 290, 640, 500), fill=red)
    draw.ellipse((505, 330, 605, 460), fill=(232, 226, 214))
    draw.rounded_rectangle((190, 220, 520, 590), 50, fill=red)
    draw.rectangle((190, 240, 250, 560), fill=shade)
    draw.ellipse((190, 180, 520, 280), fill=shade)
    draw.ellipse((215, 195, 495, 265), fill=(70, 40, 24))
    draw.ellipse((300, 360, 410, 460), fill=(250, 240, 230))
    return _jpeg(picture)


def rocket() -> bytes:
    """A toy rocket before an evening sky."""
    picture, draw = _room((34, 44, 92), (26, 30, 60))
    body, fin = (236, 238, 242), (230, 80, 60)
    draw.polygon([(250, 470), (330, 380), (330, 590)], fill=fin)
    draw.polygon([(470, 470), (390, 380), (390, 590)], fill=fin)
    draw.polygon([(320, 580), (400, 580), (360, 690)], fill=(250, 190, 60))
    draw.ellipse((280, 110, 440, 620), fill=body)
    draw.pieslice((280, 110, 440, 620), 225, 315, fill=fin)
    draw.ellipse((315, 260, 405, 350), fill=(60, 130, 190))
    draw.ellipse((330, 275, 360, 305), fill=(190, 226, 246))
    return _jpeg(picture)


PHOTOS: dict[str, Callable[[], bytes]] = {"cat": cat, "mug": mug, "rocket": rocket}


def _room(
    wall: tuple[int, int, int], floor: tuple[int, int, int]
) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", (_SIDE, _SIDE), wall)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 570, _SIDE, _SIDE), fill=floor)
    return picture, draw


def _jpeg(picture: Image.Image) -> bytes:
    content = BytesIO()
    picture.filter(ImageFilter.GaussianBlur(1.2)).save(content, "JPEG", quality=90)
    return content.getvalue()
