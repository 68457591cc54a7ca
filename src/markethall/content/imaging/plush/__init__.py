"""Pictures of plush toys made from photos, by image processing alone.

A photo is reduced, its subject cut out, a sewing pattern drawn from it and the pattern sewn
in one of four styles and photographed in a small studio. No I/O, no state, no network; the
same photo, style, size and seed give the same pixels.
"""

from markethall.content.imaging.plush.render import render_plush
from markethall.content.imaging.plush.styles import STYLES

__all__ = ["STYLES", "render_plush"]
