"""What distinguishes the four plush styles, as numbers.

Lengths are in pattern units: the longer side of the picture measures 384 of them
whatever its size in pixels, so every style scales with the picture.
"""

from dataclasses import dataclass
from typing import Literal

PATTERN_SIDE = 384
"""Longer side of the sewing pattern, in pattern units (one unit = one pattern pixel)."""

Fabric = Literal["fluff", "pile", "felt", "jersey"]


@dataclass(frozen=True)
class PlushStyle:
    """Every choice that one style makes."""

    name: str
    fabric: Fabric
    colours: int
    """Fabric colours taken from the photo at most."""
    photo_share: float
    """0: flat patches only; 1: the smoothed photo itself."""
    saturation: float
    """Factor on the colours' chroma."""
    pastel: float
    """0..1, how far colours move towards a light pastel."""
    soften: float
    """Blur of the silhouette and of the patches, units."""
    plump: float
    """How far the silhouette grows outwards, units."""
    aspect_limit: float
    """Longest allowed ratio of the toy's sides; longer subjects are made stockier."""
    puff: float
    """Thickness of the stuffing relative to a half sphere."""
    groove: float
    """Depth of the seam between two patches, units."""
    fill: float
    """Share of the picture's side that the toy takes."""
    eye: float
    """Radius of an eye, relative to the face's radius."""
    eye_gloss: float
    """0..1 strength of the highlights in an eye."""
    blush: float
    """0..1 strength of the cheeks' blush."""
    mouth_width: float
    """Half width of the mouth, relative to the face's radius."""
    limbs: bool
    """Whether an object without a face is given small arms and feet."""
    strand_length: float
    """Length of one fur strand, units; 0 for fabrics without pile."""
    strand_step: float
    """Distance between neighbouring strand roots, units."""
    strand_width: float
    """Width of one strand, units."""
    droop: float
    """0..1 how much gravity bends the pile downwards."""
    stitches: bool
    """Whether thick thread is visible along the patches and the rim."""
    backdrop: float
    """Chroma of the studio's backdrop (CIELAB)."""


CUTE = PlushStyle(
    name="cute-fluffy", fabric="fluff", colours=6, photo_share=0.15, saturation=0.95, pastel=0.42,
    soften=7.0, plump=9.0, aspect_limit=1.3, puff=1.0, groove=2.0, fill=0.74,
    eye=0.16, eye_gloss=1.0, blush=0.85, mouth_width=0.10, limbs=True,
    strand_length=10.5, strand_step=1.56, strand_width=0.55, droop=0.35,
    stitches=False, backdrop=9.0,
)  # fmt: skip
REALISTIC = PlushStyle(
    name="realistic-plush", fabric="pile", colours=7, photo_share=0.3, saturation=1.0, pastel=0.0,
    soften=3.5, plump=3.5, aspect_limit=1.7, puff=0.85, groove=2.6, fill=0.76,
    eye=0.085, eye_gloss=0.8, blush=0.0, mouth_width=0.07, limbs=False,
    strand_length=4.2, strand_step=1.25, strand_width=0.38, droop=0.55,
    stitches=False, backdrop=2.0,
)  # fmt: skip
CARTOON = PlushStyle(
    name="cartoon-style", fabric="felt", colours=6, photo_share=0.0, saturation=1.35, pastel=0.06,
    soften=5.0, plump=6.0, aspect_limit=1.45, puff=0.6, groove=3.2, fill=0.76,
    eye=0.17, eye_gloss=0.6, blush=0.7, mouth_width=0.16, limbs=True,
    strand_length=0.0, strand_step=0.0, strand_width=0.0, droop=0.0,
    stitches=True, backdrop=20.0,
)  # fmt: skip
MINIMALIST = PlushStyle(
    name="minimalist", fabric="jersey", colours=4, photo_share=0.0, saturation=0.72, pastel=0.15,
    soften=9.0, plump=5.0, aspect_limit=1.6, puff=0.9, groove=2.2, fill=0.56,
    eye=0.05, eye_gloss=0.55, blush=0.0, mouth_width=0.06, limbs=False,
    strand_length=0.0, strand_step=0.0, strand_width=0.0, droop=0.0,
    stitches=False, backdrop=4.0,
)  # fmt: skip

STYLES: dict[str, PlushStyle] = {s.name: s for s in (CUTE, REALISTIC, CARTOON, MINIMALIST)}
