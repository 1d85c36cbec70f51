"""Laws of `--like`: a picture's colours are the palette, turning its hues turns them, and what is no picture is refused in one line."""

import struct
import wave
import zlib
from dataclasses import replace

import av
import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.pipelines import like as likes
from choreia.pipelines import stage_pictures
from choreia.render.still import write_png
from choreia.stage import looks, palettes
from choreia.types import ZONES, Motion

MAGENTA, CYAN = "#ff1fd0", "#12e5ff"


def code(rgb):
    return np.round(255 * palettes.linear_to_srgb(np.clip(rgb, 0, 1))).astype(np.uint8)


def painted(*patches, shape=(108, 192)):
    """A black picture with patches (colour, share of the width)."""
    picture, left = np.zeros((*shape, 3), np.uint8), 0
    for colour, share in patches:
        picture[20:-20, left : left + int(share * shape[1])] = code(palettes.hex_rgb(colour))
        left += int(share * shape[1])
    return picture


def true_hue(colour):
    return float(palettes.hue_saturation(palettes.hex_rgb(colour))[0])


def apart_deg(one, other):
    return np.rad2deg(np.abs((np.asarray(one) - other + np.pi) % (2 * np.pi) - np.pi))


def rendered(hue, contrast, saturation=0.9, look="colour_contrast", **levels):
    rotations = np.zeros((1, 24, 4), np.float32)
    rotations[..., 0] = 1
    row = looks.rest(looks.look(look), np.array([1.0]))
    if levels:
        row = replace(row, light=np.array([[levels.get(zone, 0.0) for zone in ZONES]]))
    row = replace(row, hue=np.array([hue]), contrast=np.array([contrast]), saturation=np.array([saturation]))
    return stage_pictures.photographed(Motion(choreia24(), np.array([[0, STANDING_HEIGHT_M, 0]], np.float32), rotations, 30.0), row)


def film(path, pictures, codec="libx264", fps=10):
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=fps)
        track.width, track.height = pictures[0].shape[1], pictures[0].shape[0]
        track.pix_fmt = "yuv420p" if codec == "libx264" else "yuvj420p"
        for picture in pictures:
            container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(track.encode(None))


# --------------------------------------------------------------------------------------------------------------- the palette


def test_the_colours_of_a_picture_in_the_order_of_how_much_of_each_glows():
    colours = likes.main_colours(painted((MAGENTA, 0.5), (CYAN, 0.2))[None])
    assert len(colours.hues) == 2
    np.testing.assert_allclose(apart_deg(colours.hues, [true_hue(MAGENTA), true_hue(CYAN)]), 0, atol=2)
    expected = [float(palettes.hue_saturation(palettes.hex_rgb(colour))[1]) for colour in (MAGENTA, CYAN)]
    np.testing.assert_allclose(colours.saturations, expected, atol=0.03)


def test_more_of_the_other_colour_makes_it_the_key():
    colours = likes.main_colours(painted((MAGENTA, 0.15), (CYAN, 0.6))[None])
    assert apart_deg(colours.hues[0], true_hue(CYAN)) < 2


def test_a_trace_of_a_colour_is_none_of_the_palette():
    assert len(likes.main_colours(painted((MAGENTA, 0.7), (CYAN, 0.02))[None]).hues) == 1


@pytest.mark.parametrize("turn", [0.4, 1.9, 3.3])
def test_turning_all_hues_turns_the_palette_and_leaves_its_saturation_in_order(turn):
    rng = np.random.default_rng(0)
    hue = np.concatenate([rng.normal(1.0, 0.1, 4000), rng.normal(3.0, 0.1, 2500)])
    light, chroma = rng.uniform(0.4, 0.6, 6500), rng.uniform(0.05, 0.07, 6500)

    def picture(angle):
        lab = np.stack([light, chroma * np.cos(hue + angle), chroma * np.sin(hue + angle)], axis=1)
        return code(palettes.linear_rgb(lab)).reshape(1, 65, 100, 3)

    before, after = likes.main_colours(picture(0.0)), likes.main_colours(picture(turn))
    assert len(before.hues) == len(after.hues) == 2
    np.testing.assert_allclose(apart_deg(after.hues, np.array(before.hues) + turn), 0, atol=2)
    np.testing.assert_allclose(before.hues, [1.0, 3.0], atol=0.05)


def test_a_grey_photograph_gives_one_pale_colour_and_a_pale_stage():
    rng = np.random.default_rng(1)
    grey = np.repeat(rng.integers(20, 230, (1, 54, 96, 1)), 3, axis=3) + rng.integers(-3, 4, (1, 54, 96, 3))
    colours = likes.main_colours(grey.astype(np.uint8))
    assert len(colours.hues) == 1 and colours.saturations[0] < 0.1
    assert looks.rest(looks.look("neon_pulse"), np.ones(1), colours).saturation[0] < 0.2


@pytest.mark.parametrize("hue", [0.3, 1.5, 2.7, 4.0, 5.2])
def test_a_rendered_stage_in_two_colours_has_both_in_its_palette(hue):
    colours = likes.main_colours(rendered(hue, 2.2, side_left=0.9, top=0.9, backdrop=0.5))
    for true in (hue, hue + 2.2):
        assert apart_deg(np.array(colours.hues), true).min() < 25


# ------------------------------------------------------------------------------------------------------------------ the wish


@pytest.mark.parametrize("suffix", ["png", "jpg", "mp4"])
def test_a_file_becomes_a_wish_that_can_be_lit(tmp_path, suffix):
    path = tmp_path / f"poster.{suffix}"
    picture = painted((MAGENTA, 0.5), (CYAN, 0.3))
    if suffix == "png":
        write_png(path, picture)
    else:
        film(path, [picture] * (20 if suffix == "mp4" else 1), "libx264" if suffix == "mp4" else "mjpeg")
    wish = likes.like(path)
    assert wish.palette.name == "poster" and wish.look.name in looks.LOOKS
    row = looks.rest(wish.look, np.ones(1), wish.palette)
    for colour in (MAGENTA, CYAN):
        assert min(apart_deg(row.hue[0], true_hue(colour)), apart_deg(row.hue[0] + row.contrast[0], true_hue(colour))) < 8


def test_a_video_is_looked_at_from_beginning_to_end(tmp_path):
    one, other = painted((MAGENTA, 0.8)), painted((CYAN, 0.8))
    film(tmp_path / "show.mp4", [one] * 30 + [other] * 30)
    pictures = likes.read_pictures(tmp_path / "show.mp4")
    assert pictures.shape == (likes.MOMENTS, 54, 96, 3)
    hues = np.array([likes.main_colours(picture[None]).hues[0] for picture in pictures])
    assert (apart_deg(hues, true_hue(MAGENTA)) < 8).sum() == (apart_deg(hues, true_hue(CYAN)) < 8).sum() == likes.MOMENTS // 2


def test_dark_moments_of_a_video_do_not_count(tmp_path):
    film(tmp_path / "show.mp4", [np.zeros((108, 192, 3), np.uint8)] * 30 + [painted((CYAN, 0.8))] * 30)
    assert len(likes.read_pictures(tmp_path / "show.mp4")) == likes.MOMENTS // 2


@pytest.mark.parametrize("name", ["silhouette", "gobo_forest", "aerial_beams", "solo_spot"])
def test_a_rendered_look_is_told_in_whatever_colours(name):
    told = [likes.nearest(picture, likes.main_colours(picture), likes.visual.load())[0].name
            for picture in (rendered(hue, 1.5, 0.8, name) for hue in (0.5, 2.6, 4.6))]  # fmt: skip
    assert told.count(name) >= 2


# ------------------------------------------------------------------------------------------------------------------ refusals


def bomb(path):
    """A PNG that says it is 60,000 x 60,000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(10000))
    chunks = [struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in (header, data, b"IEND")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def sound(path):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))


def truncated(path):
    write_png(path, np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:60])


BAD = {
    "missing.png": (lambda path: None, "there is no file"),
    "folder.png": (lambda path: path.mkdir(), "there is no file"),
    "empty.jpg": (lambda path: path.write_bytes(b""), "no picture or video"),
    "words.png": (lambda path: path.write_text("a picture says more"), "no picture or video"),
    "cut.png": (truncated, "no picture or video"),
    "huge.png": (bomb, "megapixels"),
    "song.wav": (sound, "no picture or video"),
    "night.png": (lambda path: write_png(path, np.full((60, 80, 3), 3, np.uint8)), "dark throughout"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_refused_in_one_line(tmp_path, name):
    make, words = BAD[name]
    make(tmp_path / name)
    with pytest.raises(ChoreiaError, match=words) as refusal:
        likes.like(tmp_path / name)
    assert name in str(refusal.value) and "\n" not in str(refusal.value)
