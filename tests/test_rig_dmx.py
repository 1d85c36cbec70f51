"""Aim by trigonometry, colours by hand, bytes on the wire."""

from dataclasses import replace

import numpy as np
import pytest

from choreia.stage import cues, looks, rig, rig_aim, rig_colour, rig_dmx, style
from choreia.types import ZONES
from test_rig import DIMMER, RED, definition, lamp

HOUSE = rig.load()
HEAD = next(one for one in HOUSE.fixtures if one.name == "Spot")
HANG = replace(HEAD, position_m=(0.0, 5.0, 0.0))
FPS = 30.0


def degrees(fixture, target):
    return np.rad2deg(rig_aim.pan_tilt(fixture, np.array([target]) - np.array(fixture.position_m))[0])


@pytest.mark.parametrize(
    ("target", "pan", "tilt"),
    [((0, 0, 5), 0, 45), ((5, 0, 0), 90, 45), ((-5, 0, 0), -90, 45), ((0, 5, 3), 0, 90), ((0, 0, np.sqrt(3) * 5), 0, 60)],
)
def test_aim_by_trigonometry(target, pan, tilt):
    """A head 5 m up: 5 m in front of it is 45 degrees down, its own height is 90."""
    assert degrees(HANG, target) == pytest.approx([pan, tilt], abs=1e-6)


def test_a_head_on_the_floor_and_a_turned_one():
    floor = replace(HANG, position_m=(0.0, 0.0, 0.0), rotation_deg=(0.0, 0.0, 180.0))
    assert degrees(floor, (0, 5, 5)) == pytest.approx([0, 45], abs=1e-6)
    assert degrees(floor, (5, 5, 0)) == pytest.approx([-90, 45], abs=1e-6)
    turned = replace(HANG, rotation_deg=(0.0, 90.0, 0.0))
    assert degrees(turned, (5, 0, 0)) == pytest.approx([0, 45], abs=1e-6)


def test_looking_along_an_aim_hits_the_target():
    rng = np.random.default_rng(0)
    tilted = replace(HANG, rotation_deg=(20.0, 130.0, -40.0))
    target = rng.uniform(-4, 4, (50, 3))
    way = target - np.array(tilted.position_m)
    along = rig_aim.looks_along(tilted, rig_aim.pan_tilt(tilted, way))
    assert np.allclose(along, way / np.linalg.norm(way, axis=1, keepdims=True), atol=1e-9)


def test_passing_behind_the_head_needs_no_flip():
    """A circle about the head: 400 degrees of it fit in 540 degrees of pan only when the start is chosen for the end."""
    angle = np.linspace(0, np.deg2rad(400), 600)
    poses = rig_aim.aim(HANG, np.stack([3 * np.sin(angle), np.zeros(600), 3 * np.cos(angle)], axis=1), FPS)
    assert np.allclose(np.diff(poses[:, 0]), np.diff(angle), atol=1e-6)
    assert np.abs(poses[:, 0]).max() <= np.deg2rad(270) + 1e-9


def test_walking_under_the_head_tilts_through_and_pan_stays():
    z = np.linspace(2, -2, 120)
    poses = rig_aim.aim(HANG, np.stack([np.zeros(120), np.zeros(120), z], axis=1), FPS)
    assert np.ptp(poses[:, 0]) < 1e-6
    assert np.rad2deg(poses[[0, -1], 1]) == pytest.approx([21.80, -21.80], abs=0.01)


def test_speed_limits_hold_and_a_reachable_dancer_is_met():
    slow = replace(HANG, pan_deg_s=30.0, tilt_deg_s=20.0)
    jump = np.array([[3, 0, 3.0]] * 15 + [[-3, 0, 3.0]] * 120)
    poses = rig_aim.aim(slow, jump, FPS)
    steps = np.abs(np.diff(poses, axis=0))
    assert steps[:, 0].max() <= np.deg2rad(30) / FPS + 1e-9 and steps[:, 1].max() <= np.deg2rad(20) / FPS + 1e-9
    assert np.allclose(rig_aim.looks_along(slow, poses[-1:]), [np.array([-3, -5, 3]) / np.sqrt(43)], atol=1e-6)
    assert np.rad2deg(poses[15 + 29, 0]) == pytest.approx(45 - 30, abs=1e-6)


@pytest.mark.parametrize(
    ("rgb", "emitters", "levels"),
    [
        ((1, 0.6, 0.2), ["red", "green", "blue"], {"red": 1, "green": 0.6, "blue": 0.2}),
        ((1, 0.6, 0.2), ["red", "green", "blue", "white"], {"white": 0.2, "red": 0.8, "green": 0.4, "blue": 0}),
        ((1, 0.65, 0), ["red", "green", "blue", "amber"], {"amber": 1, "red": 0, "green": 0.2, "blue": 0}),
    ],
)
def test_mixing_by_hand(rgb, emitters, levels):
    got = rig_colour.additive(np.array([rgb]), emitters)
    assert {name: value[0] for name, value in got.items()} == pytest.approx(levels)


def test_what_emitters_make_is_what_was_asked():
    rgb = np.random.default_rng(0).uniform(0, 1, (100, 3))
    levels = rig_colour.additive(rgb, list(rig_colour.EMITTED))
    made = sum(level[:, None] * np.array(rig_colour.EMITTED[name]) for name, level in levels.items())
    assert np.allclose(made, rgb) and all((level >= 0).all() for level in levels.values())


def test_filters_take_away_what_is_not_asked():
    got = rig_colour.subtractive(np.array([[1, 0.25, 0.0]]))
    assert [got[name][0] for name in ("cyan", "magenta", "yellow")] == [0, 0.75, 1]


def still(frames=2, **levels):
    """A white, still style with some zones lit."""
    row = style.repeat(cues.dark(looks.look("warm_wash").full), frames)
    light = row.light.copy()
    for zone, level in levels.items():
        light[:, ZONES.index(zone)] = level
    flat = np.zeros_like(row.texture)
    return replace(row, light=light, saturation=np.zeros(frames), texture=flat)


def bytes_of(dmx, fixture, frame=0):
    row = dmx.values[frame, dmx.universes.index(fixture.universe)]
    return row[fixture.address - 1 : fixture.last_address].tolist()


def test_bytes_of_a_par():
    """Half white on an RGBW lamp with a dimmer: dimmer 128, white full, the colours dark, the strobe's open range in its middle."""
    par = HOUSE.of_zone("front_left")[0]
    dmx = rig_dmx.render(HOUSE, still(front_left=0.5), fps=FPS)
    assert dmx.values.shape == (2, 1, 512) and dmx.values.dtype == np.uint8
    assert bytes_of(dmx, par) == [128, 0, 0, 0, 255, 4]
    assert bytes_of(dmx, HOUSE.of_zone("front_right")[0])[0] == 0


def test_bytes_of_the_spot():
    """Spot at (0, 6.5, 6), dancer's chest at (0, 1.5, 1): 45 degrees to the back. Behind is pan 180 tilt 45 or, nearer, pan 0 tilt -45."""
    dmx = rig_dmx.render(HOUSE, still(spot=1.0), np.array([0.0, 1.5, 1.0]), FPS)
    pan = round(0.5 * 65535)
    tilt = round((0.5 - 45 / 270) * 65535)
    got = bytes_of(dmx, HEAD)
    assert abs(got[0] * 256 + got[1] - pan) <= 1 and abs(got[2] * 256 + got[3] - tilt) <= 1
    assert 32 <= got[4] <= 63 and got[5:7] == [255, 255] and got[7:10] == [0, 0, 0] and got[12] == 0


def test_a_lamp_without_a_dimmer_carries_the_level_in_its_colours():
    plain = rig.Rig("r", (lamp(text=definition({"Red": RED})),))
    assert rig_dmx.render(plain, still(top=0.2)).values[0, 0, 0] == 51


def test_a_strobe_at_its_rate_or_by_levels():
    par = HOUSE.of_zone("top")[0]
    flashing = replace(still(30, top=1.0), strobe_hz=np.full(30, 3.0))
    assert bytes_of(rig_dmx.render(HOUSE, flashing), par)[5] == round(10 + 245 * 2 / 19)
    plain = rig_dmx.render(rig.Rig("r", (lamp(),)), flashing).values[:, 0, 0]
    assert set(plain) == {0, 255} and (np.diff(plain.astype(int)) > 0).sum() in (2, 3)


def test_a_zone_without_lamps_is_taken_over():
    poor = rig.Rig("r", (lamp(zone="front_centre"),))
    dmx = rig_dmx.render(poor, still(front_centre=0.2, side_left=0.6, backdrop=1.0))
    assert dmx.values[0, 0, 0] == round(0.6 * 255)
    assert any("backdrop" in note for note in dmx.notes)


def test_a_wheel_takes_the_nearest_colour():
    slots = [{"type": "Open"}, {"type": "Color", "colors": ["#ff0000"]}, {"type": "Color", "colors": ["#0000ff"]}]
    ranges = [{"dmxRange": [10 * n, 10 * n + 8], "type": "WheelSlot", "slotNumber": n + 1} for n in range(3)]
    text = definition({"W": {"capabilities": ranges}, "D": DIMMER}, wheels={"W": {"slots": slots}})
    wheel = rig.Rig("r", (lamp(text=text, zone="back_left"),))
    blue = replace(still(1, back_left=1.0), hue=np.array([4.6]), saturation=np.ones(1), contrast=np.zeros(1))
    assert rig_dmx.render(wheel, blue).values[0, 0, :2].tolist() == [24, 255]
    assert rig_dmx.render(wheel, still(1, back_left=1.0)).values[0, 0, :2].tolist() == [4, 255]


def test_beams_follow_the_style_and_go_dark_across_the_audience():
    """The middle head hangs 6 m up at z = -3; at 60 degrees down its beam lands at z = 0.46, at 10 it meets the rows."""
    beam = np.zeros((60, 3))
    beam[:, 1] = np.deg2rad(np.where(np.arange(60) < 20, 60, 10))
    dmx = rig_dmx.render(HOUSE, replace(still(60, beams=1.0), beam=beam), fps=FPS)
    middle = next(one for one in HOUSE.fixtures if one.name == "Beam centre")
    first = rig_aim.looks_along(middle, dmx.poses["Beam centre"])[0]
    assert first == pytest.approx([0, -np.sin(np.pi / 3), np.cos(np.pi / 3)], abs=1e-5)
    assert bytes_of(dmx, middle, 0)[5] == 255 and bytes_of(dmx, middle, 59)[5] == 0
    assert any("Beam centre darkened" in str(one) for one in dmx.interventions)


def test_gobos_come_with_texture():
    middle = next(one for one in HOUSE.fixtures if one.name == "Beam centre")
    deep = still(2, beams=1.0)
    deep.texture[1, :] = [0.9, 1, 0, 0, 0.9, 0]
    dmx = rig_dmx.render(HOUSE, deep)
    assert bytes_of(dmx, middle, 0)[10] <= 31 and 96 <= bytes_of(dmx, middle, 1)[10] <= 127


def test_a_dark_style_is_a_dark_house():
    dmx = rig_dmx.render(HOUSE, still())
    for fixture in HOUSE.fixtures:
        level = fixture.profile.best("intensity")[0]
        assert all(bytes_of(dmx, fixture)[offset] == 0 for offset in level.offsets)


def test_a_lamp_goes_dark_and_waits_in_its_own_colour():
    """Dark, red fading out, dark, blue, dark: emitters stay red until the first blue frame, and are red before the first light."""
    par = HOUSE.of_zone("front_left")[0]
    level = np.array([0, 0, 1, 0.5, 0, 0, 1, 0], np.float32)
    red, blue = 0.5, 4.6
    rows = still(8)
    light = rows.light.copy()
    light[:, ZONES.index("front_left")] = level
    hue = np.where(np.arange(8) < 6, red, blue)
    dmx = rig_dmx.render(HOUSE, replace(rows, light=light, hue=hue, saturation=np.ones(8)), fps=FPS)
    heard = [bytes_of(dmx, par, frame) for frame in range(8)]
    assert [row[0] for row in heard] == [0, 0, 255, 128, 0, 0, 255, 0]
    assert [row[1:5] for row in heard[:6]] == [heard[2][1:5]] * 6 and heard[6][1:5] == heard[7][1:5] != heard[2][1:5]
    assert heard[2][1] > heard[2][3] and heard[6][3] > heard[6][1]
