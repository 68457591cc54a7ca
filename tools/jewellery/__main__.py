"""`python -m tools.jewellery FOLDER [--only aurore,nyx] [--scale 0.25] [--again]`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from PIL import Image

from .catalogue import COLLECTIONS, PIECES
from .picture import Render, save
from .shots import Shot, every


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.jewellery", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="slugs, with commas between")
    parser.add_argument("--view", default="", help="only this view: main, top, hero, collection")
    parser.add_argument("--scale", type=float, default=1.0, help="of the pictures' sides")
    parser.add_argument("--again", action="store_true", help="render what is there already")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    only = set(filter(None, asked.only.split(",")))
    shots = [
        shot
        for shot in every()
        if (not only or shot.piece in only) and asked.view in ("", shot.view)
    ]
    for number, shot in enumerate(shots, 1):
        files = [asked.folder / shot.file(metal) for metal in shot.metals]
        if not asked.again and all(file.exists() for file in files):
            continue
        start, cpu = time.monotonic(), time.process_time()
        written = render(shot, files, asked.scale)
        print(
            f"[{number}/{len(shots)}] {shot.piece} {shot.view}: {len(files)} pictures, "
            f"{written / 1024:.0f} KB, {time.monotonic() - start:.0f} s "
            f"({time.process_time() - cpu:.0f} s of processor)",
            flush=True,
        )
        describe(asked.folder)
    describe(asked.folder)


def render(shot: Shot, files: list[Path], scale: float) -> int:
    """Writes a shot's pictures and returns their bytes."""
    width, tall = (2 * round(side * scale / 2) for side in shot.size)
    pictures = Render(shot.scene(), width, tall).pictures(shot.fine)
    return sum(save(picture, file) for picture, file in zip(pictures, files, strict=True))


def describe(folder: Path) -> None:
    """Writes `pictures.json` for the pictures that are there, and `pieces.json`."""
    pictures: dict[str, Any] = {}
    for shot in every():
        for metal in shot.metals:
            file = folder / shot.file(metal)
            if not file.exists():
                continue
            with Image.open(file) as picture:
                width, tall = picture.size
            pictures[file.name] = {
                "piece": shot.piece if shot.view in ("main", "top") else "",
                "collection": shot.piece if shot.view == "collection" else "",
                "options": {"metal": metal, **shot.options},
                "view": shot.view,
                "alt": shot.told(metal),
                "width": width,
                "height": tall,
            }
    pieces = {
        "collections": [
            {"slug": slug, "name": name, "summary": summary}
            for slug, (name, summary) in COLLECTIONS.items()
        ],
        "pieces": [piece.listed() for piece in PIECES],
    }
    for name, told in (("pictures.json", pictures), ("pieces.json", pieces)):
        text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
