"""A dance that is still being made: the same however it comes in pieces, within the stage, on the beat, its BVH that of the whole."""

import io
import os
from types import SimpleNamespace

import numpy as np
import pytest

from choreia.cli import main
from choreia.errors import ChoreiaError
from choreia.models.choreia.config import Sampling
from choreia.motion import cleanup, pieces, staging
from choreia.motion.beats import kinetic_beats
from choreia.motion.io import bvh
from choreia.motion.kinematics import positions
from choreia.motion.stagewalk import walk_on_stage
from choreia.motion.timing import BeatClock, beat_map
from choreia.music.analyze import analyze
from choreia.pipelines import stream as streaming
from choreia.pipelines.choreograph import flow
from choreia.pipelines.dancers import Guidance, TextDancer
from choreia.synth.choreographer import choreograph
from choreia.synth.composer import compose
from choreia.types import Motion, Music, Script


@pytest.fixture(scope="module")
def music() -> Music:
    made = compose(5, 30.0, genre="pop")
    return analyze(made.audio, beats_s=made.beats_s, downbeats_s=made.downbeats_s)


@pytest.fixture(scope="module")
def dance(music) -> Motion:
    return choreograph(music.beats_s, music.downbeats_s, music.sections, "hip-hop", 3, fps=30.0, duration_s=music.duration_s).motion


def cuts(motion: Motion, *lengths: int):
    """The take in pieces of these lengths, over and over."""
    first, k = 0, 0
    while first < len(motion):
        yield motion.slice(first, first + lengths[k % len(lengths)])
        first, k = first + lengths[k % len(lengths)], k + 1


def same(one: Motion, other: Motion, within: float = 0.0) -> bool:
    turned = np.abs((one.rotations * other.rotations).sum(-1))
    return len(one) == len(other) and np.abs(one.root - other.root).max() <= within and (1 - turned).max() <= max(within, 1e-6)


def roughest(motion: Motion) -> float:
    return float(np.linalg.norm(np.diff(positions(motion), 3, axis=0), axis=-1).mean(1).max()) * motion.fps**3


class TestPieces:
    @pytest.mark.parametrize("lengths", [(1,), (7, 200), (10_000,)])
    def test_what_is_held_back_comes_once(self, dance, lengths):
        dealt = [seen.slice(0, ready) for seen, ready in pieces.held_back(cuts(dance, *lengths), 1.5)]
        assert same(pieces.joined(dealt), dance)

    def test_what_is_held_back_is_seen(self, dance):
        seen = [(len(held) - ready) / dance.fps for held, ready in pieces.held_back(cuts(dance, 40), 1.5)]
        assert set(seen[:-1]) == {1.5} and seen[-1] == 0

    def test_cutting_asks_for_no_more_than_is_needed(self, dance):
        asked = []
        came = pieces.cut((asked.append(1) or piece for piece in cuts(dance, 50)), 120)
        assert same(pieces.joined(came), dance.slice(0, 120)) and len(asked) == 3

    def test_windows_of_nothing_change_nothing(self, dance):
        assert same(pieces.joined(pieces.windowed(cuts(dance, 33, 120), lambda motion: motion)), dance, within=1e-6)

    def test_windows_of_local_work_give_what_the_whole_gives(self, dance):
        late = pieces.joined(pieces.windowed(cuts(dance, 90), _shaken))
        assert same(late, _shaken(dance), within=1e-6)

    def test_windows_that_disagree_meet_without_a_jump(self, dance):
        def elsewhere(motion: Motion) -> Motion:
            return Motion(motion.skeleton, motion.root + np.float32(0.02 * (len(motion) % 2)), motion.rotations, motion.fps)

        path = pieces.joined(pieces.windowed(cuts(dance, 91, 90), elsewhere)).root - dance.root
        assert path.max() > 0.01 and np.abs(np.diff(path, axis=0)).max() < 0.004

    def test_settling_in_pieces_is_settling(self, dance):
        weight = staging.entering(dance.times(), 4.0)
        assert same(pieces.joined(pieces.settled(cuts(dance, 17), weight)), staging.settle(dance, weight), within=1e-6)

    def test_resting_in_pieces_is_resting(self, dance):
        energy = np.where((dance.times() > 8) & (dance.times() < 14), 0.0, 0.5)
        weight = staging.at_ease(energy, dance.fps)
        came = pieces.joined(pieces.settled(pieces.slowed_over_ground(cuts(dance, 45, 8), weight), weight))
        assert same(came, staging.rest(dance, energy), within=2e-4)


def _shaken(motion: Motion) -> Motion:
    """Each root place the mean of the frames around it, none beyond half a second away."""
    padded = np.pad(np.asarray(motion.root, np.float64), ((15, 15), (0, 0)), mode="edge")
    mean = np.stack([np.convolve(column, np.ones(31) / 31, "valid") for column in padded.T], axis=1)
    return Motion(motion.skeleton, mean.astype(np.float32), motion.rotations, motion.fps)


class TestBeatClock:
    def hear(self, beats_s: np.ndarray, music_s: np.ndarray, length_s: float, every_s: float = 6.0) -> tuple[np.ndarray, list[float]]:
        clock_of, read, settled = BeatClock(music_s), [], [0.0]
        for made_s in [*np.arange(2.0, length_s, every_s), length_s]:
            over = made_s == length_s
            clock_of.extend(beats_s[beats_s < (made_s if over else made_s - 0.3)], made_s, over)
            now = np.arange(np.ceil(settled[-1] * 30), np.ceil(clock_of.settled_s * 30) + (1 if over else 0)) / 30
            read.append(clock_of(now))
            settled.append(clock_of.settled_s)
        return np.concatenate(read), settled

    @pytest.mark.parametrize("seed", range(6))
    def test_keeps_the_pace_and_both_ends(self, seed):
        rng = np.random.default_rng(seed)
        read, settled = self.hear(np.sort(rng.uniform(0, 60, 120)), np.arange(0.3, 60, 0.5), 60.0)
        pace = np.diff(read) * 30
        assert len(read) == 1801 and read[0] == 0 and read[-1] == pytest.approx(60)
        assert pace.min() > 0.79 and pace.max() < 1.26 and np.abs(np.diff(pace)).max() < 0.12
        assert all(np.diff(settled) >= 0)

    @pytest.mark.parametrize("seed", range(3))
    def test_brings_nearly_as_many_beats_home_as_one_who_knows_the_whole(self, seed):
        rng = np.random.default_rng(seed)
        music_s = np.arange(0.2, 60, 0.55)
        beats_s = music_s[3:-3] + rng.normal(0, 0.08, len(music_s) - 6)
        times = np.arange(1801) / 30

        def home(read: np.ndarray) -> float:
            return float(np.mean([np.abs(np.interp(beat, read, times) - music_s).min() < 0.02 for beat in beats_s]))

        assert home(self.hear(beats_s, music_s, 60.0)[0]) > home(beat_map(times, beats_s, music_s)) - 0.05 > 0.5

    def test_a_dance_without_beats_keeps_its_own_time(self):
        read, settled = self.hear(np.zeros(0), np.arange(0, 40, 0.5), 40.0)
        assert np.allclose(read, np.arange(1201) / 30) and settled[-2] >= 30

    def test_locks_a_dance_in_pieces(self, dance):
        late = cleanup.warp(dance, dance.times() + 0.05 * np.sin(dance.times()))
        beats_s = np.arange(0.1, dance.duration_s, 0.5)
        made = pieces.joined(pieces.on_the_beat(cuts(late, 64, 40), BeatClock(beats_s), dance.duration_s - 1))
        whole = staging.end(cleanup.beat_lock(late, kinetic_beats(late), beats_s), dance.duration_s - 1)
        assert len(made) == len(late)
        assert _off_beat(made, beats_s) < 1.1 * _off_beat(whole, beats_s) < 0.8 * _off_beat(late, beats_s)


def _off_beat(motion: Motion, beats_s: np.ndarray) -> float:
    own = kinetic_beats(motion)
    return float(np.mean([np.abs(beats_s - beat).min() for beat in own]))


class TestStage:
    def walk(self, speed_m_s: float, heading_rad: float = 0.0, dance: Motion | None = None, lengths=(45,)) -> Motion:
        assert dance is not None
        root = np.array(dance.root)
        root[:, 2] = speed_m_s * dance.times()
        turn = np.array([np.cos(heading_rad / 2), 0, np.sin(heading_rad / 2), 0])
        rotations = np.tile(np.array([1, 0, 0, 0], np.float32), (len(dance), 24, 1))
        rotations[:, 0] = turn
        return pieces.joined(walk_on_stage(cuts(Motion(dance.skeleton, root, rotations, 30.0), *lengths)))

    def test_the_same_however_it_comes(self, dance):
        assert same(pieces.joined(walk_on_stage(cuts(dance, 200))), pieces.joined(walk_on_stage(cuts(dance, 13, 60))))

    def test_someone_who_walks_off_stays(self, dance):
        walked = self.walk(0.6, dance=dance)
        assert np.abs(walked.root[:, 2]).max() < 2.6 and np.abs(walked.root[:, 0]).max() < 3.6

    def test_someone_small_is_left_alone(self, dance):
        walked = self.walk(0.02, dance=dance)
        assert np.abs(np.diff(walked.root - walked.root[0], axis=0)[:, 2] - 0.02 / 30).max() < 1e-4

    def test_a_turned_back_is_turned_towards_the_audience(self, dance):
        turned = self.walk(0.0, heading_rad=np.pi, dance=dance)
        yaw = 2 * np.arctan2(turned.rotations[-1, 0, 2], turned.rotations[-1, 0, 0])
        assert abs(np.angle(np.exp(1j * yaw))) < 0.7

    def test_only_place_and_heading_change(self, dance):
        walked = pieces.joined(walk_on_stage(cuts(dance, 50)))
        assert np.array_equal(walked.rotations[:, 1:], dance.rotations[:, 1:]) and np.array_equal(walked.root[:, 1], dance.root[:, 1])
        assert roughest(walked) < 1.1 * roughest(dance)


def _table(lines: list[str]) -> np.ndarray:
    return np.array([line.split() for line in lines], float)


@pytest.mark.parametrize("lengths", [(1,), (100, 3), (10_000,)])
def test_lines_are_the_file(dance, lengths, tmp_path):
    bvh.write(tmp_path / "whole.bvh", dance)
    whole, came = (tmp_path / "whole.bvh").read_text().splitlines(), "".join(bvh.lines(cuts(dance, *lengths), len(dance))).splitlines()
    assert came[: -len(dance)] == whole[: -len(dance)]
    assert np.abs(_table(came[-len(dance) :]) - _table(whole[-len(dance) :])).max() < 2e-6


class Danced:
    """A generator whose dance is known."""

    def __init__(self, motion: Motion) -> None:
        self.motion, self.tokens_per_s, self.asked, self.told = motion, 7.5, [], []
        self.config = SimpleNamespace(sampling=Sampling(gamma=1.0, delta=4.0, free=3.0))

    def tokens_for(self, frames: int) -> int:
        return -(-frames // 8) * 2

    def stream(self, features, script, *, sampling, **more):
        self.told.append((sampling.gamma, sampling.delta))
        for piece in cuts(self.motion, 72, 224):
            self.asked.append(len(piece))
            yield piece


class TestFlow:
    def test_words_have_strengths_of_their_own_unless_told(self, dance, music):
        for guidance, asked, told in (
            (Guidance(), Script("hip-hop"), (1.0, 4.0)),
            (Guidance(), Script(""), (3.0, 3.0)),
            (Guidance(music=2.0), Script("hip-hop"), (2.0, 4.0)),
            (Guidance(text=0.0), Script(""), (3.0, 0.0)),
        ):
            known = Danced(dance)
            next(TextDancer(known, guidance).flow(music, asked, 0))
            assert known.told == [told]

    def test_a_whole_dance_on_its_stage_and_feet(self, dance, music):
        made = pieces.joined(flow(TextDancer(Danced(dance)), music, asked=Script("hip-hop"), seed=0))
        assert len(made) == round(30 * music.duration_s)
        assert roughest(made) < 1.5 * roughest(dance)
        assert np.abs(made.root[:, 0]).max() < 4 and np.abs(made.root[:, 2]).max() < 3
        assert np.allclose(made.rotations[-1], made.rotations[-8], atol=2e-2)

    def test_the_first_poses_come_before_the_dance_is_made(self, dance, music):
        generator = Danced(dance)
        first = next(flow(TextDancer(generator), music, asked=Script("hip-hop"), seed=0))
        assert len(first) > 0 and sum(generator.asked) < len(dance) / 1.5

    def test_stays_behind_by_seconds_not_by_the_song(self, dance, music):
        generator, lags, given = Danced(dance), [], 0
        for piece in flow(TextDancer(generator), music, asked=Script("hip-hop"), seed=0):
            lags.append(sum(generator.asked) - given)
            given += len(piece)
        assert max(lags) / 30 < 17


class TestCommand:
    def test_says_when_it_was_late(self):
        lead = streaming.Lead(begun_s=0.0)
        lead.first_s, lead.least_s, lead.frames = 0.5, -0.25, 300
        assert lead.late_s == 0.25 and "late by 0.25 s" in str(lead)

    def test_counts_the_lead(self, dance, monkeypatch):
        now = iter([1.0, 1.5, 3.2])
        monkeypatch.setattr(streaming.time, "perf_counter", lambda: next(now, 4.0))
        lead = streaming.Lead(begun_s=0.0)
        list(lead.watch(iter([dance.slice(0, 30), dance.slice(30, 60), dance.slice(60, 90)])))
        assert lead.first_s == 1.0 and lead.least_s == pytest.approx(-0.2) and lead.frames == 90

    @pytest.mark.parametrize("model", ["dancemeld", "choreographer"])
    def test_others_dance_as_a_whole(self, model, tmp_path):
        with pytest.raises(ChoreiaError, match=f"{model} dances a song as a whole: --stream needs --model choreia"):
            streaming.stream(tmp_path / "song.wav", io.StringIO(), model=model)

    def test_no_song(self):
        with pytest.raises(ChoreiaError, match="name a sound file"):
            streaming.stream(None, io.StringIO())

    def test_what_does_not_go_together(self, monkeypatch, capsys):
        for extra in (["--takes", "2"], ["--compose", "pop"]):
            monkeypatch.setattr("sys.argv", ["choreia", "dance", "song.wav", "--stream", *extra])
            with pytest.raises(SystemExit) as left:
                main()
            assert left.value.code == 2 and "leave --compose and --takes out" in capsys.readouterr().err

    @pytest.fixture
    def known(self, dance, music, monkeypatch):
        """The default model and the analysis replaced by a dance and a song that are known."""
        monkeypatch.setattr(streaming, "dancer", lambda model, style, guidance: TextDancer(Danced(dance)))
        monkeypatch.setattr(streaming, "analyze_file", lambda song, start_s, seconds: music)

    def test_writes_a_file_that_reads_back(self, known, music, tmp_path):
        with (tmp_path / "dance.bvh").open("w") as file:
            report = streaming.stream(tmp_path / "song.wav", file)
        read = bvh.read(tmp_path / "dance.bvh")
        assert len(read) == report["frames"] == round(30 * music.duration_s) and "times as fast as the music" in report["notes"][-1]

    def test_a_reader_who_goes_stops_it(self, known, tmp_path):
        there, here = os.pipe()
        os.close(there)
        with os.fdopen(here, "w") as file:
            report = streaming.stream(tmp_path / "song.wav", file)
        assert report["warnings"] == ["whoever read the stream has gone: stopped"]
