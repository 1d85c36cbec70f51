"""Laws of the stage in pictures: light adds up, dark is black, left is left, shadows fall away from lamps, films hold what was drawn."""

import struct
from dataclasses import replace

import av
import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.render import stage_air, stage_body, stage_figure, stage_house, stage_light, stage_show
from choreia.render.stage_thumbs import stage_thumbnails
from choreia.stage import looks, style
from choreia.types import BEAM, ZONES, Audio, Motion, Stage

SMALL = (320, 180)
JOINTS = np.zeros((1, 1, 3))


def stand(frames=4, x_m=0.0, fps=30.0):
    """Somebody in T-pose, x_m to the left of the middle."""
    rotations = np.zeros((frames, 24, 4), np.float32)
    rotations[..., 0] = 1
    root = np.tile(np.array([x_m, STANDING_HEIGHT_M, 0], np.float32), (frames, 1))
    return Motion(choreia24(), root, rotations, fps)


def stage(frames=4, look="warm_wash", **changes):
    """A look at full energy that holds, with other levels or columns."""
    track = replace(looks.rest(looks.look(look), np.ones(frames)), **changes)
    return Stage(track, np.array([0.0]), (look,), track.rows(slice(0, 1)))


def no_rows():
    return Stage(looks.rest(looks.look("warm_wash"), np.ones(0)), np.array([0.0]), ("warm_wash",), stage(1).track)


def levels(frames=4, **zones):
    light = np.zeros((frames, len(ZONES)))
    for zone, level in zones.items():
        light[:, ZONES.index(zone)] = level
    return light


@pytest.fixture(scope="module")
def house():
    return stage_house.house(stage_house.seat(JOINTS, SMALL))


def zone_rgb(zone, rgb=(1.0, 1.0, 1.0)):
    found = np.zeros((len(ZONES), 3), np.float32)
    found[ZONES.index(zone)] = rgb
    return found


def test_light_of_two_lamps_is_the_sum_of_the_light_of_each(house):
    passed = np.random.default_rng(0).random(house.plane.shape[0]).astype(np.float32)
    red, blue = zone_rgb("back_left", (0.9, 0.1, 0.0)), zone_rgb("front_right", (0.0, 0.3, 1.0))
    one, two, both = (stage_light.light_of(house, rgb, passed) for rgb in (red, blue, red + blue))
    assert both.ground.max() > 0.01 and both.air.max() > 0.0005
    np.testing.assert_allclose(both.ground, one.ground + two.ground, atol=1e-6)
    np.testing.assert_allclose(both.air, one.air + two.air, atol=1e-6)


@pytest.mark.parametrize("place", ["front", "side", "back"])
def test_left_and_right_lamps_are_mirror_images_and_light_their_own_side(house, place):
    left, right = (stage_light.light_of(house, zone_rgb(f"{place}_{side}")) for side in ("left", "right"))
    np.testing.assert_allclose(left.ground, right.ground[:, ::-1], atol=1e-5)
    np.testing.assert_allclose(left.air, right.air[:, ::-1], atol=1e-5)
    floor = left.ground[..., 0] * house.floor
    across = (floor.sum(axis=0) * (np.arange(house.shape[1]) + 0.5)).sum() / floor.sum()
    # The dancer's left, +X, is on the right of the picture; lamps in the wings are focused on the middle from 6 m away.
    assert across > house.shape[1] / 2 + 2 or place == "side"


def test_no_light_is_black_and_so_is_the_dark_half_of_a_strobe():
    dark = stage(light=levels())
    assert all(not picture.any() for picture in stage_show.stage_frames(stand(), dark, SMALL))
    # 7.5 flashes a second at 30 frames: phases 1/4, 1/2, 3/4, 1, dark from the half to the next whole.
    flashing = stage(strobe_hz=np.full(4, 7.5))
    assert [bool(picture.any()) for picture in stage_show.stage_frames(stand(), flashing, SMALL)] == [True, False, False, True]


def test_the_dancer_is_seen_where_the_projection_of_the_joints_says():
    show = stage_light.set_up(stand(x_m=0.8), stage(), SMALL)
    camera, posed = show.house.camera, stage_figure.pose(stage_figure.whole(), show.moves[0])
    body = stage_body.cut_out(posed, np.ones_like(posed.vertices), camera)
    cover = np.zeros(SMALL[::-1])
    cover[body.box.top : body.box.bottom, body.box.left : body.box.right] = body.cover[..., 0]
    # By hand: a point at (x, y, z) is seen focal / (camera z - z) times its distance from the axis.
    for point in (show.chest[0], [0.8, STANDING_HEIGHT_M, 0.0], [0.8 + 0.6, show.chest[0, 1] + 0.135, -0.03]):
        scale = camera.focal / (camera.z - point[2])
        column, row = camera.cx + point[0] * scale, camera.cy - (point[1] - camera.y) * scale
        assert cover[int(row), int(column)] > 0.9
    rows, columns = np.nonzero(cover)
    scale = camera.focal / camera.z
    assert abs((columns.max() - columns.min()) / scale - 1.65) < 0.25  # arms' reach
    assert abs((rows.max() - rows.min()) / scale - 1.72) < 0.2  # height


def test_against_a_lit_backdrop_with_nothing_in_front_the_dancer_is_the_dark_part():
    show = stage_light.set_up(stand(), stage(look="silhouette", light=levels(backdrop=1.0)), SMALL)
    picture = stage_show.frame(show, 0).astype(int).sum(axis=2)
    seen = show.house.camera.project(show.chest[:1].astype(np.float32))
    row, column = int(seen.y[0]), int(seen.x[0])
    assert picture[row, column] < 0.5 * picture[row, column - 60] and picture[row, column - 60] > 60


@pytest.mark.parametrize("x_m", [-1.5, 1.5])
def test_the_spot_goes_with_the_dancer(x_m):
    show = stage_light.set_up(stand(x_m=x_m), stage(light=levels(spot=1.0)), SMALL)
    lit = stage_light.light(show, 0, stage_figure.pose(stage_figure.whole(), show.moves[0]))
    across = (lit.ground.sum(axis=(0, 2)) * (np.arange(show.house.shape[1]) + 0.5)).sum() / lit.ground.sum()
    metres = (across * stage_house.COARSE - show.house.camera.cx) / show.house.camera.focal * show.house.camera.z
    assert abs(metres - x_m) < 0.5


def test_shadows_fall_away_from_the_lamp(house):
    posed = stage_figure.pose(stage_figure.whole(), stage_light.set_up(stand(), stage(), SMALL).moves[0])
    left, right, _ = stage_body.shadows(posed, np.array([[5.0, 3.0, 0.0], [-5.0, 3.0, 0.0]]), house)
    columns = np.arange(house.shape[1]) + 0.5
    assert (left.sum(axis=0) @ columns) / left.sum() < house.shape[1] / 2 - 3
    assert (right.sum(axis=0) @ columns) / right.sum() > house.shape[1] / 2 + 3
    assert left.min() >= 0 and left.max() <= 1


def test_a_beam_is_brightest_on_its_axis_and_ends_on_the_floor(house):
    slanted = stage_air.beam(np.array([0.0, 6.0, -3.0]), np.array([0.0, -0.8, 0.6]), 0.05, 10.0)
    np.testing.assert_allclose(slanted.end, [0.0, 0.0, 1.5], atol=1e-9)
    np.testing.assert_allclose(slanted.at(np.array([[0.0, 2.0, 0.0], [0.25, 2.0, 0.0], [0.3, 2.0, 0.0]])), [1, 0.32, 0], atol=0.02)
    air = stage_air.shaft(slanted, house)
    assert (np.abs(air.argmax(axis=1) + 0.5 - house.shape[1] / 2)[air.max(axis=1) > 0] <= 1).all()
    end = house.camera.project(slanted.end)
    assert not air[int(end.y / stage_house.COARSE) + 2 :].any()


def test_beams_turned_to_the_left_wing_light_the_air_there():
    def column(pan_rad):
        look = stage(light=levels(beams=1.0))
        beam = look.track.beam.copy()
        beam[:, [BEAM.index("pan_rad"), BEAM.index("fan_rad")]] = [pan_rad, 0.0]
        show = stage_light.set_up(stand(), replace(look, track=replace(look.track, beam=beam)), SMALL)
        middle = stage_air.beam(stage_air.HEADS_M[2], show.heads[0, 2], stage_air.BEAM_HALF_RAD, 10.0)
        air = stage_air.shaft(middle, show.house)
        return (air.sum(axis=0) @ (np.arange(air.shape[1]) + 0.5)) / air.sum()

    # Pan turns from the audience towards +X, the right of the picture.
    assert column(0.3) > 43 and column(-0.3) == pytest.approx(80 - column(0.3), abs=0.01)


def test_display_keeps_black_and_grey_and_order():
    ramp = np.repeat(np.linspace(0, 4, 50, dtype=np.float32)[:, None], 3, axis=1)
    shown = stage_show.display(ramp)
    assert not shown[0].any() and (np.diff(shown[:20, 0]) > 0).all() and shown.max() <= 1
    np.testing.assert_allclose(shown[:, 0], shown[:, 2], atol=1e-6)


def test_enlarging_keeps_a_ramp_a_ramp():
    y, x = np.mgrid[0:6, 0:8].astype(np.float32)
    large = stage_house.enlarge(np.stack([y, x], axis=2), 4)
    middle = slice(2, -2)
    np.testing.assert_allclose(large[middle, 3, 0], (np.arange(24)[middle] + 0.5) / 4 - 0.5, atol=1e-5)
    np.testing.assert_allclose(large[3, middle, 1], (np.arange(32)[middle] + 0.5) / 4 - 0.5, atol=1e-5)


def test_the_camera_widens_for_a_dance_that_travels():
    for reach in (1.0, 4.5, 7.0):
        camera = stage_house.seat(np.array([[[reach, 1.0, 1.0], [-reach, 1.0, 1.0]]]), SMALL)
        seen = camera.project(np.array([[reach, 1.0, 1.0], [-reach, 1.0, 1.0]]))
        assert seen.x.min() > 0 and seen.x.max() < SMALL[0]


def test_frames_are_the_same_bytes_again_and_hold_the_last_row_of_a_short_stage():
    show = stage(frames=2, look="neon_pulse")
    first, second = ([picture.tobytes() for picture in stage_show.stage_frames(stand(frames=4), show, SMALL)] for _ in range(2))
    assert first == second and len(first) == 4
    held = stage_light.set_up(stand(frames=4), show, SMALL)
    np.testing.assert_array_equal(held.rgb[3], held.rgb[1])


def test_a_film_holds_the_frames_and_its_sound(tmp_path):
    path, tone = tmp_path / "show.mp4", Audio(np.sin(np.arange(8000) / 5).astype(np.float32)[None] * 0.3, 8000)
    told = []
    stage_show.render_stage(stand(frames=15), stage(frames=15), tone, path, SMALL, progress=lambda name, share: told.append(share))
    with av.open(str(path)) as film:
        pictures = [picture.to_ndarray(format="rgb24") for picture in film.decode(video=0)]
    with av.open(str(path)) as film:
        heard = sum(block.samples for block in film.decode(audio=0)) / 8000
    drawn = next(stage_show.stage_frames(stand(frames=1), stage(frames=1), SMALL))
    assert len(pictures) == 15 and told[-1] == 1.0 and abs(heard - 0.5) < 0.3
    assert np.abs(pictures[0].mean(axis=(0, 1)) - drawn.mean(axis=(0, 1))).max() < 3


def test_a_contact_sheet_is_a_png_of_rows(tmp_path):
    path = tmp_path / "sheet.png"
    stage_show.contact_sheet(stand(), stage(), path, [0.0, 0.1, 9.0], columns=2, size=(128, 72))
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG") and struct.unpack(">II", data[16:24]) == (256, 144)


@pytest.mark.parametrize("look", ["warm_wash", "neon_pulse", "silhouette"])
def test_a_thumbnail_is_the_picture_of_a_film_shrunk(look):
    film = next(stage_show.stage_frames(stand(x_m=0.4), stage(look=look), (960, 540)))
    means = film.reshape(54, 10, 96, 10, 3).mean(axis=(1, 3))
    small = stage_thumbnails(stage(look=look), stand(x_m=0.4), np.zeros(1))[0]
    assert small.shape == (54, 96, 3) and film.std() > 10
    assert np.abs(small - means).mean() < 4 and np.abs((small - means).mean(axis=(0, 1))).max() < 3
    assert np.corrcoef(small.reshape(-1), means.reshape(-1))[0, 1] > 0.98


def test_thumbnails_of_a_style_are_its_rows_and_a_stage_is_seen_at_any_times():
    rows = stage(1, "warm_wash").track, stage(1, "silhouette").track
    both = stage_thumbnails(style.join([rows[0], rows[1]]))
    single = stage_thumbnails(rows[0])
    np.testing.assert_array_equal(both[0], single[0])
    assert np.abs(both[0].astype(int) - both[1]).mean() > 5
    forward = stage_thumbnails(stage(4, "neon_pulse"), stand(), np.array([0.0, 0.1, 9.0]))
    backward = stage_thumbnails(stage(4, "neon_pulse"), stand(), np.array([9.0, 0.1, 0.0]))
    np.testing.assert_array_equal(forward, backward[::-1])
    np.testing.assert_array_equal(stage_thumbnails(replace(rows[0], strobe_hz=np.array([9.0])))[0], single[0])


def test_the_rough_figure_has_the_skin_and_the_size_of_the_whole_one():
    whole, rough = stage_figure.whole(), stage_figure.rough()
    assert len(rough.share) < 0.3 * len(whole.share)
    assert rough.cast_m2.sum() == pytest.approx(whole.skin.area.sum(), rel=1e-4)
    for axis in range(3):
        ends = [(figure.skin.mesh.vertices[:, axis].min(), figure.skin.mesh.vertices[:, axis].max()) for figure in (whole, rough)]
        np.testing.assert_allclose(ends[0], ends[1], atol=0.03)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda path: stage_show.stage_frames(stand(0), stage(), SMALL), "without frames"),
        (lambda path: stage_show.stage_frames(stand(), stage(), (321, 180)), "321x180"),
        (lambda path: stage_show.stage_frames(stand(), stage(), SMALL, fps=0), "0 frames a second"),
        (lambda path: stage_show.stage_frames(stand(), no_rows(), SMALL), "no rows"),
        (lambda path: stage_thumbnails(no_rows(), stand(), np.zeros(1)), "no rows"),
        (lambda path: stage_thumbnails(stage().track, None, np.zeros(3)), "3 times"),
        (lambda path: stage_thumbnails(stage(), None, np.zeros(1), 8, 8), "8x8"),
        (lambda path: stage_show.contact_sheet(stand(), stage(), path / "a.png", []), "no moments"),
        (lambda path: stage_show.render_stage(stand(), stage(), None, path / "none" / "a.mp4", SMALL), "none"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(tmp_path, call, words):
    with pytest.raises(ChoreiaError, match=words) as error:
        call(tmp_path)
    assert "\n" not in str(error.value)
