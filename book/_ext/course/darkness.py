"""Turn a picture drawn for white paper into one for the dark: lightness is turned round, hues stay what they are.

Lightness is that of OKLab (B. Ottosson, 2020; the matrices are those of the colour module of CSS, level 4), where equal
steps look equal. White becomes the page's dark paper, the figures' ink becomes its light ink, and what lies between
keeps its order. So a line that stood out from white stands out from the dark, and a map's scale still says what the map
says, since both are turned.
"""

import io

import numpy as np
from PIL import Image

INK, DARK_PAPER, LIGHT_INK = "#1d2733", "#14181e", "#dbe1e8"
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
FADES = np.linspace(1, 0, 41)  # how much of its colourfulness a colour keeps: the most that a screen can show


def lab(colours: np.ndarray) -> np.ndarray:
    """Colours of a screen, 0 to 1, as lightness and two axes of hue."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ TO_CONES.T) @ TO_LAB.T


def screen(colours: np.ndarray) -> np.ndarray:
    """The way back; what a screen cannot show lies outside 0 to 1."""
    linear = (colours @ np.linalg.inv(TO_LAB).T) ** 3 @ np.linalg.inv(TO_CONES).T
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def from_hex(colour: str) -> np.ndarray:
    """Three numbers from 0 to 1."""
    return np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])


def turned(colours: np.ndarray) -> np.ndarray:
    """Rows of red, green and blue from 0 to 255, for the dark.

    >>> turned(np.array([[255, 255, 255]], dtype=np.uint8)).tolist() == [[0x14, 0x18, 0x1E]]
    True
    """
    ink, paper, light = (lab(from_hex(name)) for name in (INK, DARK_PAPER, LIGHT_INK))
    old = lab(colours / 255)
    depth = np.clip((1 - old[:, :1]) / (1 - ink[0]), 0, 1)  # 0 on white paper, 1 in ink
    lightness = paper[0] + depth * (light[0] - paper[0])
    tint = (1 - depth) * paper[1:]
    tries = np.stack([np.hstack([lightness, tint + fade * old[:, 1:]]) for fade in FADES])
    shown = screen(tries)
    fits = ((shown >= -1e-3) & (shown <= 1 + 1e-3)).all(axis=2)
    best = np.argmax(fits, axis=0)
    return np.rint(np.clip(shown[best, np.arange(len(old))], 0, 1) * 255).astype(np.uint8)


def dark_png(raw: bytes) -> bytes:
    """The dark variant of a PNG; one with a palette keeps it, so that its size stays what it was."""
    image = Image.open(io.BytesIO(raw))
    if image.mode != "P":
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        image = Image.alpha_composite(white, rgba).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    palette = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    image.putpalette(turned(palette).ravel().tolist())
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True, **({"dpi": image.info["dpi"]} if "dpi" in image.info else {}))
    return out.getvalue()
