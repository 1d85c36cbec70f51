"""Takes as peers leave them: every layout read to the same joints, hostile files refused, songs found by name."""

import io
import json
import pickle

import numpy as np
import pytest
import torch

from choreia.data import peers
from choreia.errors import ChoreiaError
from choreia.motion import io as motion_io
from choreia.motion.io import joints as joint_files
from choreia.motion.kinematics import matrices, positions
from choreia.motion.representation import Hml263
from choreia.music import files
from choreia.synth.choreographer import choreograph
from choreia.synth.composer import compose

BEATS = np.arange(0.2, 6, 0.5)


@pytest.fixture(scope="module")
def motion():
    return choreograph(BEATS, BEATS[::4], (), "hip-hop", 1, duration_s=6).motion


@pytest.fixture(scope="module")
def places(motion):
    return positions(motion).astype(np.float64)


def test_edge_pickles_are_turned_upright_at_their_rate(tmp_path, places):
    z_up = np.stack([places[..., 0], -places[..., 2], places[..., 1]], axis=-1)
    path = tmp_path / "test_song.pkl"
    path.write_bytes(pickle.dumps({"smpl_poses": np.zeros((len(places), 72)), "smpl_trans": np.zeros((len(places), 3)), "full_pose": z_up}))
    clip, _ = peers.read_clip(path, "x")
    assert clip.fps == 30 and np.allclose(clip.joints, places, atol=1e-5)


def test_bailando_dictionaries_inside_npy_are_read_without_pickle(tmp_path, places):
    path = tmp_path / "gBR_sBM_cAll_d04_mBR0_ch01.pkl.npy"
    np.save(path, {"pred_position": places.reshape(len(places), 72)}, allow_pickle=True)
    clip, _ = peers.read_clip(path, "x")
    assert clip.fps == 60 and np.allclose(clip.joints, places, atol=1e-5)
    assert list(peers.look_into(tmp_path).motions) == ["gBR_sBM_cAll_d04_mBR0_ch01"]


def test_lodge_rows_pose_our_body(tmp_path, motion, places):
    rows = matrices(motion)[:, :22, :2].reshape(len(motion), 132).numpy()
    values = np.concatenate([np.zeros((len(motion), 4)), motion.root, rows], axis=1)
    np.save(tmp_path / "063.npy", values)
    clip, notes = peers.read_clip(tmp_path / "063.npy", "x")
    assert clip.fps == 30 and np.abs(clip.joints[:, :22] - places[:, :22]).max() < 1e-4
    assert any("our own body" in note for note in notes)


def test_humanml_rows_and_22_joints_get_hands(tmp_path, motion, places):
    np.save(tmp_path / "a.npy", Hml263.encode(motion))
    np.save(tmp_path / "b.npy", places[:, :22])
    hml, _ = peers.read_clip(tmp_path / "a.npy", "a")
    bare, notes = peers.read_clip(tmp_path / "b.npy", "b", fps=30)
    level = places - places[:1, :1] * [1, 0, 1]
    assert hml.fps == 20 and np.allclose(np.linalg.norm(hml.joints[0, 16] - hml.joints[0, 18]), 0.27, atol=1e-3)
    assert np.allclose(hml.joints[:, 0, 1], level[:, 0, 1], atol=1e-4)
    assert bare.joints.shape == (len(places), 24, 3) and any("hands" in note for note in notes)


def test_centimetres_and_z_up_are_noticed_and_said(tmp_path, places):
    z_up = 100 * np.stack([places[..., 0], -places[..., 2], places[..., 1]], axis=-1)
    np.savez(tmp_path / "a.npz", joints=z_up, fps=60)
    clip, notes = peers.read_clip(tmp_path / "a.npz", "a")
    assert np.allclose(clip.joints, places, atol=1e-4) and clip.fps == 60 and len(notes) == 2


def test_a_take_without_a_rate_asks_for_it(tmp_path, places):
    np.save(tmp_path / "a.npy", places)
    with pytest.raises(ChoreiaError, match="--fps"):
        peers.read_clip(tmp_path / "a.npy", "a")


UNUSABLE = [
    np.float64(1), np.array(["a"]), np.full((5, 24, 3), 1e30), np.ones((5, 24, 3), complex), np.zeros((5, 7)), np.full((5, 24, 3), np.nan),
    np.zeros((0, 24, 3)),
]  # fmt: skip


@pytest.mark.parametrize("values", UNUSABLE)
def test_unusable_arrays_are_one_line(tmp_path, values):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(ChoreiaError) as failure:
        peers.read_clip(tmp_path / "a.npy", "a", fps=30)
    assert "\n" not in str(failure.value) and "a.npy" in str(failure.value)


class Evil:
    def __reduce__(self):
        return (print, ("hello",))


def test_npy_that_would_run_code_is_refused(tmp_path, capsys):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": ()})
    (tmp_path / "evil.npy").write_bytes(stream.getvalue() + pickle.dumps(np.array({"pred_position": Evil()}, dtype=object)))
    with pytest.raises(ChoreiaError, match="refused"):
        peers.read_clip(tmp_path / "evil.npy", "evil")
    assert "hello" not in capsys.readouterr().out


class Pickled:
    """Pickles as an array with a state of our choice."""

    def __init__(self, state):
        self.state = state

    def __reduce__(self):
        return (np.zeros(1).__reduce__()[0], (np.ndarray, (0,), b"b"), self.state)


class Flagged:
    """Pickles as the type of objects whose flags say that it holds none."""

    def __reduce__(self):
        return (np.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 0))


@pytest.mark.parametrize("state", [(1, (10**6,), np.dtype("O"), False, [1]), (1, (4,), Flagged(), False, b"A" * 32)])
def test_pickles_that_would_read_past_their_memory_are_refused(tmp_path, state):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"full_pose": Pickled(state)}))
    with pytest.raises(ChoreiaError, match="does not fill its shape"):
        peers.read_clip(tmp_path / "a.pkl", "a")


@pytest.mark.parametrize("fps", [[], ["x"], 0.0, np.nan, 1e-4, 99999.0, -30.0])
def test_frame_rates_that_make_no_sense_are_one_line(tmp_path, places, fps):
    np.savez(tmp_path / "a.npz", joints=places, fps=np.array(fps))
    with pytest.raises(ChoreiaError, match=r"a\.npz"):
        peers.read_clip(tmp_path / "a.npz", "a")


def test_smpl_takes_without_a_rate_are_read_at_the_one_given_and_say_so(tmp_path, motion):
    vectors = {"smpl_poses": np.zeros((len(motion), 72)), "smpl_trans": motion.root}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(vectors))
    motion_io.write(tmp_path / "b.pkl", motion)
    for name, fps, rate, said in (("a.pkl", None, 60, True), ("a.pkl", 24.0, 24, True), ("b.pkl", 24.0, 30, False)):
        clip, notes = peers.read_clip(tmp_path / name, "a", fps)
        assert clip.fps == rate and any("which the files do not say" in note for note in notes) == said
        assert any("our own body" in note for note in notes)


def test_rotations_come_through_their_own_readers(tmp_path, motion, places):
    for name in ("a.bvh", "b.npz", "c.pkl", "d.glb"):
        motion_io.write(tmp_path / name, motion)
        clip, _ = peers.read_clip(tmp_path / name, name)
        assert np.abs(clip.joints - places).max() < 2e-3 and clip.fps == pytest.approx(30)
    assert joint_files.read(tmp_path / "b.npz") is None


def test_copies_in_other_formats_are_passed_over_and_said(tmp_path, motion):
    for name in ("a.bvh", "a.npz", "b.bvh"):
        motion_io.write(tmp_path / name, motion)
    found = peers.look_into(tmp_path)
    assert found.motions == {"a": tmp_path / "a.npz", "b": tmp_path / "b.bvh"} and "1 files" in found.notes[0]


@pytest.mark.parametrize(("take", "song"), [
    ("Vibe Ace", "Vibe Ace"), ("gBR_sBM_cAll_d04_mBR0_ch01", "mBR0"), ("test_long_song_2", "long_song"), ("063", "063"), ("0634", None),
    ("deep/063", "063"),
])  # fmt: skip
def test_songs_are_found_by_name(take, song):
    assert peers.song_of(take, ["Vibe Ace", "mBR0", "mBR1", "song", "long_song", "063"]) == song


def test_labels_beside_a_song_are_its_beats(tmp_path):
    files.write(tmp_path / "a.wav", compose(1, 8, genre="pop").audio)
    (tmp_path / "a.json").write_text(json.dumps({"beats_s": [1.0, 0.5, 1.5], "downbeats_s": [0.5]}))
    song = peers.hear(tmp_path / "a.wav", "a")
    assert song.grids["beats"].tolist() == [0.5, 1.0, 1.5] and song.grids["strong"].tolist() == [0.5]
    (tmp_path / "a.json").write_text("[1, 2]")
    with pytest.raises(ChoreiaError, match="beats_s"):
        peers.hear(tmp_path / "a.wav", "a")


def test_empty_and_missing_folders_are_one_line(tmp_path):
    with pytest.raises(ChoreiaError, match="nothing to measure"):
        peers.look_into(tmp_path)
    with pytest.raises(ChoreiaError, match="not a folder"):
        peers.look_into(tmp_path / "none")


def test_captions_need_references(tmp_path):
    path = tmp_path / "captions.json"
    path.write_text(json.dumps({"b": {"caption": "two", "references": ["deux"]}, "a": {"caption": "one", "references": ["un", "une"]}}))
    assert peers.read_captions(path) == (["one", "two"], [["un", "une"], ["deux"]])
    path.write_text(json.dumps({"a": {"caption": "one", "references": []}}))
    with pytest.raises(ChoreiaError, match="reference"):
        peers.read_captions(path)


def test_tracks_of_another_rate_keep_their_time(places):
    from choreia.motion.timing import resample_track

    there = resample_track(places, 30, 60)
    assert len(there) == 2 * len(places) and np.allclose(there[::2], places) and torch.isfinite(torch.from_numpy(there)).all()
