"""Pictures in notebooks: small enough to commit, and read from the bytes rather than believed."""

import base64
import io

MAX_BYTES = 120_000
PALETTE_SIZES = (192, 128, 96, 64, 48, 32, 24, 16)


class PictureTooLarge(ValueError):
    """A picture that no palette brings under the limit."""


def shrink_png(encoded: str) -> str:
    """Returns a PNG with a palette, of at most ``MAX_BYTES`` bytes, on white.

    The largest palette that fits is taken; how many pixels stand for an inch stays written in it. A picture that has a
    palette and fits is returned as it is, so that shrinking twice changes nothing.

    Args:
        encoded: A PNG in base64.

    Returns:
        A PNG in base64 without line breaks.

    Raises:
        PictureTooLarge: If even the smallest palette leaves it too large.
    """
    from PIL import Image  # only those who write notebooks need it

    raw = base64.b64decode(encoded)
    image = Image.open(io.BytesIO(raw))
    if image.mode == "P" and len(raw) <= MAX_BYTES:
        return base64.b64encode(raw).decode()
    rgba = image.convert("RGBA")
    on_white = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    density = {"dpi": image.info["dpi"]} if "dpi" in image.info else {}
    for colours in PALETTE_SIZES:
        buffer = io.BytesIO()
        quantised = on_white.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        quantised.save(buffer, "PNG", optimize=True, **density)
        if buffer.tell() <= MAX_BYTES:
            return base64.b64encode(buffer.getvalue()).decode()
    raise PictureTooLarge(
        f"a figure takes {buffer.tell() // 1000} KB with {PALETTE_SIZES[-1]} colours; it should fit in "
        f"{MAX_BYTES // 1000} KB: draw it smaller, or fewer points"
    )


def png_facts(encoded: str) -> tuple[int, bool]:
    """Returns a PNG's size in bytes and whether it has a palette, from its header alone.

    Args:
        encoded: A PNG in base64.

    Returns:
        The pair (bytes, has a palette).
    """
    raw = base64.b64decode(encoded)
    return len(raw), raw[:8] == b"\x89PNG\r\n\x1a\n" and raw[25] == 3  # byte 25: colour type, 3 is "indexed"
