"""The process that makes one picture: order and photo on stdin, answer and picture on stdout.

Both ways: four bytes of length, that much JSON, then the picture. Ends with ``UNUSABLE`` when
no picture can be made of the photo, however often one tries.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import traceback

import cv2
from PIL import Image

from markethall.content.imaging.encoding import encode
from markethall.content.imaging.plush import render_plush

UNUSABLE = 3  # the exit status that ``local`` knows


def main() -> None:
    cv2.setNumThreads(1)
    (length,) = struct.unpack("!L", sys.stdin.buffer.read(4))
    order = json.loads(sys.stdin.buffer.read(length))
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read())) as photo:
            picture = render_plush(
                photo, style=order["style"], longer_side=order["longerSide"], seed=order["seed"]
            )
    except Exception:
        traceback.print_exc()
        sys.exit(UNUSABLE)
    content, content_type = encode(picture)
    told = {"contentType": content_type, "width": picture.width, "height": picture.height}
    head = json.dumps(told).encode()
    sys.stdout.buffer.write(struct.pack("!L", len(head)) + head + content)


if __name__ == "__main__":
    main()
