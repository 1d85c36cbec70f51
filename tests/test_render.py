"""Laws of the renderer: pixels against a plain z-buffer, a camera that loses nobody, films in sync to the frame."""

from fractions import Fraction

import av
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from choreia.errors import ChoreiaError
from choreia.motion import kinematics
from choreia.motion.skeleton import STANDING_HEIGHT_M, choreia24
from choreia.render import camera, dancer, frame, light, raster, stage, still, video
from choreia.render.take import prepare
from choreia.types import Audio, Motion

SMALL = (320, 180)


def dance(frames=30, fps=30.0, walk_m=0.0, swing_deg=60.0):
    """Arms that swing while the dancer drifts sideways."""
    skeleton, t = choreia24(), np.arange(frames) / fps
    rotations = np.zeros((frames, 24, 4), np.float32)
    rotations[..., 0] = 1
    angles = np.radians(swing_deg * np.sin(2 * np.pi * t))
    for name, sign in (("left_shoulder", 1), ("right_shoulder", -1)):
        rotations[:, skeleton.index(name)] = Rotation.from_euler("z", sign * angles[:, None]).as_quat(scalar_first=True)
    root = np.stack([walk_m * np.sin(t), np.full(frames, STANDING_HEIGHT_M), walk_m * np.cos(0.7 * t)], axis=1)
    return Motion(skeleton, root.astype(np.float32), rotations, fps)


def brute_force(x, y, depth, faces, width, height):
    """Nearest front-facing triangle at every pixel centre, one triangle at a time."""
    owner, nearest = np.full((height, width), -1), np.full((height, width), np.inf)
    px, py = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    for f, (a, b, c) in enumerate(faces.T):
        area = (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a])
        if area >= 0:
            continue
        u = ((x[b] - px) * (y[c] - py) - (y[b] - py) * (x[c] - px)) / area
        v = ((x[c] - px) * (y[a] - py) - (y[c] - py) * (x[a] - px)) / area
        z = depth[[a, b, c]].mean()
        here = (u >= 0) & (v >= 0) & (u + v <= 1) & (z < nearest)
        owner[here], nearest[here] = f, z
    return owner


def scattered_triangles(seed, count=60, width=50, height=40):
    rng = np.random.default_rng(seed)
    x, y = (rng.uniform(-8, limit + 8, 3 * count).astype(np.float32) for limit in (width, height))
    return x, y, np.repeat(rng.uniform(1, 5, count), 3).astype(np.float32), np.arange(3 * count).reshape(-1, 3).T


@pytest.mark.parametrize("seed", range(5))
def test_raster_agrees_with_a_plain_z_buffer(seed):
    x, y, depth, faces = scattered_triangles(seed)
    triangles = raster.visible(x, y, depth, faces)
    buffer = raster.cover(triangles, 50, 40)
    number = {tuple(face): i for i, face in enumerate(faces.T)}
    ours = np.array([number[tuple(face)] for face in triangles.faces.T] + [-1])[buffer]
    assert (ours != brute_force(x, y, depth, faces, 50, 40)).mean() < 0.002, "only pixels on an edge may differ"


def test_shared_edges_leave_no_gap_and_no_overlap():
    rng = np.random.default_rng(3)
    side = 12
    grid = np.stack(np.meshgrid(np.linspace(2, 60, side), np.linspace(3, 61, side)), axis=-1) + rng.uniform(-1.5, 1.5, (side, side, 2))
    index = np.arange(side * side).reshape(side, side)
    a, b, c, d = index[:-1, :-1].ravel(), index[1:, :-1].ravel(), index[1:, 1:].ravel(), index[:-1, 1:].ravel()
    faces = np.concatenate([np.stack([a, b, c]), np.stack([a, c, d])], axis=1)
    x, y = grid.reshape(-1, 2).T.astype(np.float32)
    triangles = raster.visible(x, y, np.ones(len(x), np.float32), faces)
    buffer = raster.cover(triangles, 64, 64)
    counts = sum(
        (raster.cover(raster.Triangles(triangles.faces[:, [f]], triangles.x[:, [f]], triangles.y[:, [f]]), 64, 64) >= 0).astype(int)
        for f in range(triangles.faces.shape[1])
    )
    assert (buffer[8:56, 8:56] >= 0).all()
    assert counts.max() == 1


def test_paint_reproduces_an_affine_field():
    x, y, depth, faces = scattered_triangles(1)
    field = np.stack([0.3 + 0.02 * x - 0.01 * y, 1 - 0.03 * y])
    triangles = raster.visible(x, y, depth, faces)
    buffer = raster.cover(triangles, 50, 40)
    painted = raster.paint(buffer, raster.planes(triangles, field.astype(np.float32)))
    column, row = np.meshgrid(np.arange(50) + 0.5, np.arange(40) + 0.5)
    expected = np.stack([0.3 + 0.02 * column - 0.01 * row, 1 - 0.03 * row]) * (buffer >= 0)
    assert np.abs(painted - expected).max() < 2e-3


def test_colour_transform_is_bt709():
    shown = np.random.default_rng(0).uniform(0, 0.9, (100, 3))
    linear = shown**2 / (1 - 0.30 * shown**2)
    luma, cb, cr = light.encode(linear.astype(np.float32)).T
    assert np.allclose(luma, shown @ [0.2126, 0.7152, 0.0722], atol=1e-5)
    assert np.allclose(luma + 1.8556 * cb, shown[:, 2], atol=1e-5)
    assert np.allclose(luma + 1.5748 * cr, shown[:, 0], atol=1e-5)


def test_skin_follows_a_rigid_move():
    motion = dance(1, swing_deg=0)
    turn = Rotation.from_euler("y", 1.1)
    rotations = motion.rotations.copy()
    rotations[0, 0] = turn.as_quat(scalar_first=True)
    turned = Motion(motion.skeleton, motion.root + np.float32([0.5, 0.1, -0.3]), rotations, 30.0)
    figure = dancer.skin()
    posed = dancer.pose(figure, prepare(turned, 30.0, SMALL).moves[0])
    root = figure.mesh.root
    assert np.allclose(posed.vertices, turn.apply(figure.mesh.vertices - root) + root + [0.5, 0.1, -0.3], atol=1e-4)
    assert np.allclose(posed.normals, turn.apply(figure.mesh.normals), atol=1e-4)


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (640, 640)])
@pytest.mark.parametrize("walk_m", [0.0, 1.0, 4.0])
def test_every_vertex_stays_in_the_picture(size, walk_m):
    take = prepare(dance(240, walk_m=walk_m, swing_deg=89), 30.0, size)
    for i in range(0, len(take), 20):
        view = take.path.at(i).project(dancer.pose(dancer.skin(), take.moves[i]).vertices)
        assert view.x.min() >= 0 and view.x.max() <= size[0]
        assert view.y.min() >= 0 and view.y.max() <= size[1]


def test_camera_rests_when_the_dancer_stays_and_glides_when_not():
    still_path = prepare(dance(150, walk_m=0.1), 30.0, (1280, 720)).path
    assert np.ptp(still_path.x) == pytest.approx(0, abs=1e-6)
    moving = prepare(dance(300, walk_m=4.0), 30.0, (1280, 720)).path
    assert np.ptp(moving.x) > 1
    assert np.abs(np.diff(moving.x, 2)).max() * 900 < 6, "m/s²"


def test_dancer_fills_a_good_part_of_the_height():
    take = prepare(dance(30), 30.0, (1280, 720))
    view = take.path.at(0).project(dancer.pose(dancer.skin(), take.moves[0]).vertices)
    assert 0.55 < np.ptp(view.y) / 720 < 0.9


def test_picture_shows_a_dancer_a_floor_and_a_shadow():
    take = prepare(dance(2), 30.0, (640, 360))
    view = take.path.at(0)
    empty, shown = (picture.luma / 219.0 for picture in (stage.empty(view), frame.draw(dancer.skin(), take.moves[0], view)))
    changed = np.abs(shown - empty) > 0.02
    assert 0.02 < changed.mean() < 0.4
    brighter, darker = (shown - empty > 0.1).sum(), (empty - shown > 0.04).sum()
    assert brighter > 2000 and darker > 500
    floor = stage.floor_fraction(view)
    assert floor[0] == 0 and floor[-1] == 1 and (np.diff(floor) >= 0).all()
    assert empty[-20:].mean() > 1.5 * empty[:20].mean(), "a lit floor, a dark top"


def test_drawing_leaves_the_remembered_stage_alone():
    take = prepare(dance(2), 30.0, SMALL)
    before = stage.empty(take.path.at(0)).data.copy()
    frame.draw(dancer.skin(), take.moves[0], take.path.at(0))
    assert np.array_equal(before, stage.empty(take.path.at(0)).data)


def test_still_and_sheet(tmp_path):
    picture = still.still(dance(10), 0.2, SMALL)
    assert picture.shape == (180, 320, 3) and picture.dtype == np.uint8
    still.sheet(dance(10), tmp_path / "a.png", [0, 0.1, 0.2], columns=2, size=SMALL)
    with av.open(str(tmp_path / "a.png")) as file:
        read = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert read.shape == (360, 640, 3)
    assert np.array_equal(read[:180, :320], still.still(dance(10), 0, SMALL))
    assert not read[180:, 320:].any()


def decoded(path):
    """Frames' times and lumas, and the sound with the time of its first sample."""
    with av.open(str(path)) as film:
        pictures = [(float(f.pts * f.time_base), f.to_ndarray(format="gray")) for f in film.decode(video=0)]
    with av.open(str(path)) as film:
        if not film.streams.audio:
            return pictures, None, None
        blocks = list(film.decode(audio=0))
    return pictures, np.concatenate([b.to_ndarray() for b in blocks], axis=1), float(blocks[0].pts * blocks[0].time_base)


@pytest.mark.parametrize(("motion_fps", "fps", "rate"), [(30.0, 30, 44100), (60.0, 30, 22050), (24.0, 25, 11000)])
def test_film_has_every_frame_and_all_the_sound(tmp_path, motion_fps, fps, rate):
    motion = dance(int(motion_fps * 1.5), motion_fps)
    audio = Audio(np.random.default_rng(0).normal(scale=0.1, size=(2, rate)).astype(np.float32), rate)
    shares = []
    video.render(motion, audio, tmp_path / "a.mp4", SMALL, fps, progress=lambda stage_name, share: shares.append(share), title="x")
    pictures, _, start = decoded(tmp_path / "a.mp4")
    count = round(1.5 * fps)
    assert [t for t, _ in pictures] == pytest.approx([i / fps for i in range(count)], abs=1e-4)
    assert start == 0
    assert shares[-1] == 1 and len(shares) == count
    with av.open(str(tmp_path / "a.mp4")) as film:
        assert film.streams.video[0].average_rate == Fraction(fps)
        assert film.streams.video[0].codec_context.pix_fmt == "yuv420p"
        lengths = [float(stream.duration * stream.time_base) for stream in film.streams]
        assert film.metadata["title"] == "x"
    assert lengths == pytest.approx([count / fps] * 2, abs=0.03)


def test_click_sounds_where_it_was_put(tmp_path):
    rate, clicks = 44100, (0.0, 0.5, 1.0)
    samples = np.zeros((1, int(1.5 * rate)), np.float32)
    for click in clicks:
        at = int(click * rate)
        samples[0, at : at + 400] = 0.8 * np.sin(np.arange(400) * 0.3)
    video.render(dance(45), Audio(samples, rate), tmp_path / "a.mp4", SMALL)
    _, sound, start = decoded(tmp_path / "a.mp4")
    for click in clicks:
        window = slice(max(0, int((click - 0.1) * rate)), int((click + 0.1) * rate))
        best = np.argmax(np.correlate(sound[0, window], samples[0, int(click * rate) : int(click * rate) + 400], "valid"))
        assert start + (window.start + best) / rate == pytest.approx(click, abs=0.002)


def test_jump_in_the_motion_shows_in_its_very_frame(tmp_path):
    motion = dance(30, swing_deg=0)
    rotations = motion.rotations.copy()
    rotations[17:, choreia24().index("left_shoulder")] = Rotation.from_euler("z", 80, degrees=True).as_quat(scalar_first=True)
    video.render(Motion(motion.skeleton, motion.root, rotations, 30.0), None, tmp_path / "a.mp4", SMALL)
    pictures, sound, _ = decoded(tmp_path / "a.mp4")
    lumas = np.array([luma for _, luma in pictures], float)
    assert np.argmax(np.abs(np.diff(lumas, axis=0)).sum(axis=(1, 2))) + 1 == 17
    assert sound is None


def test_same_dance_same_bytes(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        video.render(dance(12), None, tmp_path / name, SMALL)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_interruption_leaves_nothing(tmp_path):
    def interrupt(_, share):
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        video.render(dance(60), None, tmp_path / "a.mp4", SMALL, progress=interrupt)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("size", "fps"), [((321, 180), 30), ((0, 0), 30), ((99999, 64), 30), (SMALL, 0), (SMALL, 1e9), (SMALL, float("nan"))]
)
def test_impossible_films_are_refused(tmp_path, size, fps):
    with pytest.raises(ChoreiaError):
        video.render(dance(3), None, tmp_path / "a.mp4", size, fps)
    assert not list(tmp_path.iterdir())


def test_no_frames_and_no_folder(tmp_path):
    with pytest.raises(ChoreiaError):
        video.render(dance(3).slice(0, 0), None, tmp_path / "a.mp4", SMALL)
    with pytest.raises(ChoreiaError):
        video.render(dance(3), None, tmp_path / "none" / "a.mp4", SMALL)


def test_joints_that_the_camera_holds_are_those_of_the_motion():
    motion = dance(20, walk_m=1.0)
    take = prepare(motion, 30.0, SMALL)
    rest = np.append(dancer.skin().mesh.root, 1)
    assert np.allclose(take.moves[:, 0] @ rest, kinematics.positions(motion)[:, 0], atol=1e-5)
    assert isinstance(take.path, camera.Path)
