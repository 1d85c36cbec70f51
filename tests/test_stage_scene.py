"""Laws of lit scenes in other programs' files, read back by hand: lamps shine as the stage says, the spot looks at the dancer."""

import json
import re
import struct
from dataclasses import replace

import numpy as np
import pygltflib
import pytest

from choreia.errors import ChoreiaError
from choreia.export.scene import FOCUS_LUX, head_turn, lamps_of, write_stage_glb, write_stage_usd
from choreia.motion.io import glb, usd
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.stage import cues, looks, rig, rig_aim, style
from choreia.stage.output.show import Show
from choreia.types import ZONES, Cue, Motion, Stage

FPS, FRAMES, CUE_S = 30.0, 60, 1.0
CHEST_OVER_ROOT_M = np.array([0, 0.25, 0])


def walk():
    """Somebody who drifts two metres to the left, turning one arm."""
    turns = np.zeros((FRAMES, 24, 4), np.float32)
    turns[..., 0] = 1
    angle = np.linspace(0, 1, FRAMES)
    turns[:, choreia24().index("left_shoulder")] = np.stack([np.cos(angle / 2), 0 * angle, 0 * angle, np.sin(angle / 2)], axis=1)
    root = np.stack([np.linspace(-1, 1, FRAMES), np.full(FRAMES, STANDING_HEIGHT_M), np.zeros(FRAMES)], axis=1)
    return Motion(choreia24(), root.astype(np.float32), turns, FPS)


def show():
    """Dark until a cue at 1 s that snaps to a spot and two coloured zones at known levels."""
    row = looks.rest(looks.look("colour_contrast"), np.ones(1))
    light = np.zeros((1, len(ZONES)))
    light[0, [ZONES.index(zone) for zone in ("spot", "side_left", "backdrop")]] = [0.9, 0.6, 0.25]
    after, before = replace(row, light=light, strobe_hz=np.zeros(1)), replace(row, light=np.zeros((1, len(ZONES))))
    played = (Cue(0.0, 0.0, 0.0, before), Cue(CUE_S, 0.0, 0.0, after))
    stage = Stage(cues.to_track(played, FRAMES / FPS, FPS), np.array([0.0, CUE_S]), ("", ""), style.join([before, after]), played, FPS)
    return Show("scene", stage, rig.load(), dancer_m=walk().root + CHEST_OVER_ROOT_M)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    write_stage_glb(folder / "stage.glb", walk(), show())
    write_stage_usd(folder / "stage.usda", walk(), show())
    return folder


def parsed(path):
    """JSON and binary of a GLB, by the layout of the specification."""
    data = path.read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def values(document, binary, number, width):
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    return np.frombuffer(binary, "<f4", accessor["count"] * width, view["byteOffset"]).reshape(-1, width)


def channel(document, binary, wanted, width):
    """Times (n,) and values (n, width) of the only channel whose target `wanted` accepts."""
    animation = document["animations"][0]
    (found,) = [one for one in animation["channels"] if wanted(one["target"])]
    sampler = animation["samplers"][found["sampler"]]
    return values(document, binary, sampler["input"], 1)[:, 0], values(document, binary, sampler["output"], width)


def pointed(pointer):
    return lambda target: target.get("extensions", {}).get("KHR_animation_pointer", {}).get("pointer") == pointer


def turned(xyzw, vector):
    """A vector by a quaternion: v + 2 w (q x v) + 2 q x (q x v)."""
    q, w = np.asarray(xyzw[:3], float), float(xyzw[3])
    return vector + 2 * w * np.cross(q, vector) + 2 * np.cross(q, np.cross(q, vector))


def off_deg(direction, place, target):
    way = np.asarray(target) - place
    return np.rad2deg(np.arccos(np.clip(direction @ way / np.linalg.norm(way), -1, 1)))


@pytest.mark.parametrize(("zone", "level"), [("spot", 0.9), ("side_left", 0.6), ("backdrop", 0.25)])
def test_a_lamp_of_the_glb_is_dark_before_its_cue_and_at_the_stages_level_on_it(files, zone, level):
    document, binary = parsed(files / "stage.glb")
    lamp = rig.load().of_zone(zone)[0]
    lights = document["extensions"]["KHR_lights_punctual"]["lights"]
    number = next(i for i, one in enumerate(lights) if one["name"] == lamp.name)
    times, candela = channel(document, binary, pointed(f"/extensions/KHR_lights_punctual/lights/{number}/intensity"), 1)
    frame = int(np.argmin(np.abs(times - CUE_S)))
    colour = lights[number]["color"]
    full = FOCUS_LUX * np.sum((np.array(lamp.position_m) - style.TARGETS_M[ZONES.index(zone)]) ** 2)
    emitted = style.zone_light(show().stage.track)[frame, ZONES.index(zone)]
    assert emitted.max() == pytest.approx(level, rel=0.2) and not candela[:frame].any()
    np.testing.assert_allclose(candela[frame, 0] * np.array(colour), full * emitted, rtol=1e-3)
    # Readers that cannot animate it see the mean over time: half of it was dark.
    assert lights[number]["intensity"] == pytest.approx(candela.mean(), rel=1e-4)
    assert document["extensionsUsed"] == ["KHR_lights_punctual", "KHR_animation_pointer"] and "extensionsRequired" not in document


def test_the_spot_of_the_glb_looks_at_the_dancer_within_a_degree(files):
    document, binary = parsed(files / "stage.glb")
    node = next(i for i, one in enumerate(document["nodes"]) if one["name"] == rig.load().of_zone("spot")[0].name)
    times, turns = channel(document, binary, lambda target: target.get("node") == node, 4)
    place = np.array(document["nodes"][node]["translation"])
    for frame in (0, 20, 59):
        assert times[frame] == pytest.approx(frame / FPS)
        target = walk().root[frame] + CHEST_OVER_ROOT_M
        assert off_deg(turned(turns[frame], np.array([0.0, 0.0, -1.0])), place, target) < 1


def test_the_lights_leave_the_dancer_of_the_glb_as_it_was(files, tmp_path):
    glb.write(tmp_path / "plain.glb", walk())
    lit, plain = glb.read(files / "stage.glb"), glb.read(tmp_path / "plain.glb")
    assert lit.skeleton.names == plain.skeleton.names and lit.fps == plain.fps
    np.testing.assert_array_equal(lit.skeleton.offsets, plain.skeleton.offsets)
    np.testing.assert_array_equal(lit.root, plain.root)
    np.testing.assert_array_equal(lit.rotations, plain.rotations)


def test_lights_that_outlast_the_dance_do_not_lengthen_it(tmp_path):
    write_stage_glb(tmp_path / "short.glb", walk().slice(0, 20), show())
    assert len(glb.read(tmp_path / "short.glb")) == 20


def test_libraries_of_others_read_the_glb(files):
    trimesh = pytest.importorskip("trimesh")
    assert len(trimesh.load(files / "stage.glb").geometry) > 3
    nodes = pygltflib.GLTF2().load(str(files / "stage.glb")).nodes
    assert sum("KHR_lights_punctual" in (node.extensions or {}) for node in nodes) == len(rig.load().fixtures)


def prim(text, kind, name):
    """A prim without children: its text up to the next one."""
    return text.split(f'def {kind} "{name}"', 1)[1].split("\ndef ", 1)[0]


def sampled(text, name):
    """Time codes and values of a time-sampled attribute."""
    block = re.search(rf"{re.escape(name)}\.timeSamples = \{{\n(.*?)\n\}}", text, re.S)[1]
    rows = [line.split(": ", 1) for line in block.splitlines()]
    return np.array([float(code) for code, _ in rows]), np.array(
        [[float(part) for part in re.findall(r"[-+.e\d]+", value)] for _, value in rows]
    )


def test_a_lamp_of_the_usd_is_at_the_stages_level_on_its_cue_and_its_spot_looks_at_the_dancer(files):
    text = (files / "stage.usda").read_text(encoding="utf-8")
    lamp = rig.load().of_zone("spot")[0]
    light = prim(text, "SphereLight", usd.identifier(lamp.name))
    codes, intensity = sampled(light, "float inputs:intensity")
    assert codes[30] / FPS == CUE_S and not intensity[:30].any()
    # Normalised, radiance is intensity over 4 pi r^2, and luminous intensity radiance times pi r^2: a quarter.
    reach = np.sum((np.array(lamp.position_m) - style.TARGETS_M[ZONES.index("spot")]) ** 2)
    brightest = style.zone_light(show().stage.track)[30, ZONES.index("spot")].max()
    assert intensity[30, 0] / 4 == pytest.approx(FOCUS_LUX * reach * brightest, rel=1e-4)
    _, turns = sampled(light, "quatf xformOp:orient")
    for frame in (0, 20, 59):
        direction = turned(np.roll(turns[frame], -1), np.array([0.0, 0.0, -1.0]))
        assert off_deg(direction, np.array(lamp.position_m), walk().root[frame] + CHEST_OVER_ROOT_M) < 1


def test_the_usd_holds_the_dancers_root_and_is_whole(files):
    text = (files / "stage.usda").read_text(encoding="utf-8")
    codes, places = sampled(prim(text, "SkelAnimation", "Dance"), "float3[] translations")
    np.testing.assert_allclose(places[:, :3], walk().root, atol=1e-5)
    assert len(codes) == FRAMES and text.count("{") == text.count("}") and text.count("(") == text.count(")")


def test_pixars_library_reads_skeleton_and_lights(files):
    pxr = pytest.importorskip("pxr", reason="usd-core is not installed")
    for module in ("Usd", "UsdLux", "UsdSkel"):
        pytest.importorskip(f"pxr.{module}")
    stage = pxr.Usd.Stage.Open(str(files / "stage.usda"))
    lights = [one for one in stage.Traverse() if one.IsA(pxr.UsdLux.SphereLight)]
    assert len(lights) == len(rig.load().fixtures)
    cache, root = pxr.UsdSkel.Cache(), pxr.UsdSkel.Root(stage.GetPrimAtPath("/Stage/Dancer"))
    cache.Populate(root, pxr.Usd.PrimDefaultPredicate)
    query = cache.GetSkelQuery(pxr.UsdSkel.Skeleton(stage.GetPrimAtPath("/Stage/Dancer/Skeleton")))
    np.testing.assert_allclose(query.ComputeJointSkelTransforms(40.0)[0].ExtractTranslation(), walk().root[40], atol=1e-5)


def test_a_heads_turn_takes_minus_z_to_where_it_looks():
    lamp = next(one for one in rig.load().fixtures if one.profile.moves)
    poses = np.random.default_rng(3).uniform([-3, -1.5], [3, 1.5], (20, 2))
    for wxyz, direction in zip(head_turn(lamp, poses), rig_aim.looks_along(lamp, poses), strict=True):
        np.testing.assert_allclose(turned(np.roll(wxyz, -1), np.array([0.0, 0.0, -1.0])), direction, atol=1e-9)


def test_a_strobe_darkens_the_lamps_of_a_scene_in_its_second_half():
    lit = show()
    track = replace(lit.stage.track, strobe_hz=np.full(FRAMES, 7.5))
    flashing = lamps_of(replace(lit, stage=replace(lit.stage, track=track)))
    spot = next(one for one in flashing if one.name == lit.rig.of_zone("spot")[0].name)
    # 7.5 flashes a second at 30 frames: a quarter of a flash a frame, dark from the half to the next whole.
    assert [bool(level) for level in spot.level[31:39]] == [bool(open_) for open_ in (np.cumsum(np.full(39, 0.25)) % 1 < 0.5)[31:39]]


@pytest.mark.parametrize("write", [write_stage_glb, write_stage_usd])
def test_a_scene_without_a_dance_is_refused_and_nothing_is_left(tmp_path, write):
    with pytest.raises(ChoreiaError, match="no frames"):
        write(tmp_path / "none", walk().slice(0, 0), show())
    assert not list(tmp_path.iterdir())
