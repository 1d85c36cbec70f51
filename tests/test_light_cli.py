"""Lighting from the command line: whole shows or nothing, one line for every mistake, and cue times that agree in every output."""

import csv
import json
import re
import socket
import struct
import sys
import threading
import wave
from dataclasses import replace
from xml.etree import ElementTree

import mido
import numpy as np
import pytest

from choreia import cli
from choreia.errors import ChoreiaError
from choreia.export import show as shows
from choreia.export.take import load, save
from choreia.motion import io
from choreia.motion.kinematics import positions
from choreia.music import files
from choreia.pipelines import lighters, lighting
from choreia.pipelines.light import light
from choreia.pipelines.sending import Sending
from choreia.stage import cues, looks, safety
from choreia.types import ZONES, Audio, Cue, Performance, Stage
from test_take import members, same
from test_take_broken import write_zip

SECONDS = 6.0
SNAPS_S = (0.0, 1.01, 2.025, 3.04, 4.49)
"""Cue times, most of them between two rows of 30 a second; levels of the top light go 0.2, 0.6, 0.2, ..."""
LEVELS = (0.2, 0.6)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Six seconds of clicks, 120 a minute."""
    rate = 22050
    samples = np.zeros(round(SECONDS * rate), np.float32)
    burst = np.random.default_rng(0).normal(size=800).astype(np.float32) * np.exp(-np.arange(800) / 150).astype(np.float32)
    for beat in range(int(2 * SECONDS)):
        samples[beat * rate // 2 : beat * rate // 2 + 800] += 0.3 * burst
    path = tmp_path_factory.mktemp("song") / "click.wav"
    files.write(path, Audio(samples[None], rate))
    return path


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; returns (exit code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["choreia", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return call


def refused(result, *words):
    code, out, err = result
    assert (code, out) == (2, "") and len(err.strip().splitlines()) == 1 and err.startswith("choreia: "), err
    assert all(word in err for word in words), err


def state(**levels):
    row = cues.dark(looks.look("warm_wash").full)
    light = row.light.copy()
    for zone, level in levels.items():
        light[0, ZONES.index(zone)] = level
    return replace(row, light=light, saturation=np.zeros(1))


def snapping():
    """White light from above that snaps between two levels, as a designer would hand it over."""
    played = tuple(Cue(at, 0.0, 0.0, state(top=LEVELS[number % 2]), "warm_wash") for number, at in enumerate(SNAPS_S))
    return Stage(cues.to_track(played, SECONDS), np.zeros(1), ("warm_wash",), played[0].state, played)


class Snapper:
    name, weights_sha256 = "snapper", None

    def light(self, music, dance, *, seed, wish, progress):
        return snapping()


@pytest.fixture
def snapper(monkeypatch):
    monkeypatch.setitem(lighters.LIGHTERS, "rules", Snapper)


# --------------------------------------------------------------------------------------------------------------- whole shows


def test_a_song_becomes_a_show(run, song, tmp_path):
    out = tmp_path / "out"
    code, printed, err = run("light", song, "-o", out, "--json", "--formats", "qxw,csv,html,mid,osc,mvr,json,npz,take")
    assert code == 0, err
    report = json.loads(printed)
    named = {"show.qxw", "cues.csv", "cues.html", "cues.mid", "cues.osc", "rig.mvr", "stage.json", "stage.npz", "show.take", "safety.txt"}
    found = {path.name for path in out.iterdir()}
    assert found == {path.rpartition("/")[2] for path in report["files"]} and named < found
    assert {name.rpartition(".")[2] for name in found - named} == {"qxf"}
    told = json.loads((out / "stage.json").read_text())
    assert told["designer"] == "rules" and len(told["cues"]) == report["cues"] > 0 and told["song"]["file"] == "click.wav"
    with np.load(out / "stage.npz", allow_pickle=False) as arrays:
        assert arrays["track.light"].shape == (180, len(ZONES)) and len(arrays["cue_times_s"]) == report["cues"]
    stage = load(out / "show.take").performance.stage
    assert [round(cue.time_s, 4) for cue in stage.cues] == [cue["time_s"] for cue in told["cues"]]


def test_the_same_seed_gives_the_same_bytes(run, song, tmp_path):
    for name in ("a", "b"):
        assert run("light", song, "-o", tmp_path / name, "--seed", 5, "--formats", "qxw,npz,json")[0] == 0
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_part_of_a_song_lies_beside_its_show(run, song, tmp_path):
    """QLC+ can only play files from their start: what is cut out is written, and the show names it by its name alone."""
    assert run("light", song, "-o", tmp_path / "out", "--start", 1, "--seconds", 3, "--formats", "qxw")[0] == 0
    with wave.open(str(tmp_path / "out" / "song.wav")) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(3.0, abs=0.001)
    assert "<Source>song.wav</Source>" in (tmp_path / "out" / "show.qxw").read_text()
    assert run("light", song, "-o", tmp_path / "whole", "--formats", "qxw")[0] == 0
    assert f"<Source>{song}</Source>" in (tmp_path / "whole" / "show.qxw").read_text()


def test_a_dance_and_a_light_in_one(run, song, tmp_path):
    out = tmp_path / "out"
    code, _, err = run("perform", song, "-o", out, "--model", "choreographer", "--formats", "bvh,npz,take,json,csv")
    assert code == 0, err
    expected = {"dance.bvh", "dance.npz", "dance.take", "dance.json", "stage.npz", "stage.json", "cues.csv", "safety.txt"}
    assert {path.name for path in out.iterdir()} == expected
    performance = load(out / "dance.take").performance
    assert len(performance.stage.track) == len(performance.motion) == 180
    told = json.loads((out / "dance.json").read_text())
    assert told["model"] == "choreographer" and told["light"]["designer"] == "rules"
    # The light of the project file can be had again, and its dancer with it.
    assert run("light", song, "--stage", out / "dance.take", "-o", tmp_path / "again", "--formats", "csv")[0] == 0
    assert (tmp_path / "again" / "cues.csv").read_text() == (out / "cues.csv").read_text()


# --------------------------------------------------------------------------------------------------------------------- times


def chaser_times_s(path):
    """When the first step of every cue begins: the steps before it, added up."""
    now_ms, found = 0, {}
    root = ElementTree.parse(path).getroot()
    for step in root.findall(".//{*}Function[@Type='Chaser']/{*}Step"):
        found.setdefault(step.get("Note"), now_ms / 1000)
        now_ms += int(step.get("FadeIn")) + int(step.get("Hold"))
    return [time_s for note, time_s in found.items() if re.match(r"\d+ ", note)]


def midi_times_s(path):
    file = mido.MidiFile(path)
    return [
        now for track in file.tracks for now, event in zip(np.cumsum([one.time for one in track]) / 1000, track, strict=True)
        if event.type == "cue_marker"
    ]  # fmt: skip


def csv_times_s(path):
    rows = list(csv.reader(path.open()))
    return [60 * int(row[1].partition(":")[0]) + float(row[1].partition(":")[2]) for row in rows[1:]]


def osc_times_s(path):
    content, found = path.read_bytes(), []
    while content:
        (size,) = struct.unpack(">i", content[:4])
        assert content[4:12] == b"#bundle\0"
        found.append(struct.unpack(">Q", content[12:20])[0] / 2**32)
        content = content[4 + size :]
    return found[:-2]  # darkness and the end


class Desk:
    """Tells a clock over OSC and hears Art-Net: what a lamp's channel shows when the song is at a time."""

    def __init__(self):
        self.ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ears.bind(("127.0.0.1", 0))
        self.ears.settimeout(20)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.clock_port = free.getsockname()[1]

    def tell(self, time_s):
        """Twice the same: the song stands there."""
        packet = b"/choreia/time\0\0\0,d\0\0" + struct.pack(">d", time_s)
        for _ in range(2):
            self.ears.sendto(packet, ("127.0.0.1", self.clock_port))

    def level(self, offset):
        """The channel of the newest packet."""
        packet = self.ears.recv(2048)
        assert packet[:10] == b"Art-Net\0\x00\x50" and len(packet) == 530
        return packet[18 + offset]

    def shows(self, time_s, offset, wanted, tries=400):
        """Whether the channel comes to a level while the song stands at a time, and stays there."""
        for _ in range(tries):
            self.tell(time_s)
            if self.level(offset) == wanted and all(self.level(offset) == wanted for _ in range(3)):
                return True
        return False


@pytest.fixture
def desk():
    found = Desk()
    yield found
    found.ears.close()


def test_every_output_has_a_cue_within_half_a_frame(snapper, song, tmp_path, desk):
    """Files by their own clocks; DMX on the wire while an external clock stands half a frame before and behind each cue."""
    half = 0.5 / 30
    sending = Sending("artnet", f"127.0.0.1:{desk.ears.getsockname()[1]}", clock=f"osc:{desk.clock_port}")
    formats = ("qxw", "csv", "mid", "osc", "json")
    player = threading.Thread(target=light, args=(song, tmp_path / "out"), kwargs={"formats": formats, "sending": sending}, daemon=True)
    player.start()
    while desk.level(0):
        pass
    top = next(lamp for lamp in lighting.rig.load().of_zone("top"))
    dimmer = top.address - 1 + next(channel for channel, one in top.profile.find("intensity")).offsets[0]
    wanted = [round(255 * level) for level in LEVELS]
    for number, at in list(enumerate(SNAPS_S))[1:]:
        assert desk.shows(at - half - 1e-3, dimmer, wanted[(number + 1) % 2]), at
        assert desk.shows(at + half + 1e-3, dimmer, wanted[number % 2]), at
    while player.is_alive():
        desk.tell(SECONDS + 1)
        player.join(0.05)
    desk.ears.settimeout(0.2)
    last = None
    with pytest.raises(TimeoutError):
        while True:
            last = desk.level(dimmer)
    assert last == 0
    for read, name in ((chaser_times_s, "show.qxw"), (csv_times_s, "cues.csv"), (midi_times_s, "cues.mid"), (osc_times_s, "cues.osc")):
        assert np.allclose(read(tmp_path / "out" / name), SNAPS_S, atol=half), name


def test_a_cue_is_on_the_row_nearest_to_it():
    """1.01 s is 30.3 rows: the track alone has it on row 31, a punctual one on row 30; 4.49 s (134.7) keeps row 135."""
    track = lighting.punctual(snapping()).track.light[:, ZONES.index("top")]
    assert np.flatnonzero(np.diff(track)).tolist() == [29, 60, 90, 134]


# ---------------------------------------------------------------------------------------------------------------- the dancer


def motion(seconds):
    stood = lighting.standing(seconds)
    return replace(stood, root=stood.root + np.linspace(0, 1, len(stood))[:, None] * np.array([1, 0, 0], np.float32))


@pytest.mark.parametrize(("seconds", "words"), [(4.0, "stands in the last pose"), (9.0, "is left out")])
def test_a_dance_of_another_length_is_told(run, song, tmp_path, seconds, words):
    io.write(tmp_path / "dance.npz", motion(seconds))
    code, out, _ = run("light", song, "--dance", tmp_path / "dance.npz", "-o", tmp_path / "out", "--formats", "csv", "--json")
    (note,) = [note for note in json.loads(out)["notes"] if "lasts" in note]
    assert code == 0 and words in note and f"{seconds:.1f} s" in note


def test_a_short_dance_ends_in_its_last_pose():
    long, notes = lighting.fitted(motion(4.0), 6.0)
    assert len(long) == 180 and np.allclose(positions(long)[120:], positions(long)[119]) and len(notes) == 1
    assert lighting.fitted(motion(4.0), 4.3)[1] == ()


def test_a_moving_dancer_is_never_in_the_dark(snapper, song, tmp_path):
    """The stand-in's light from above is enough; in the dark it is not, and what was raised is told in the report and its file."""
    dark = replace(snapping(), track=cues.dark(snapping().track), cues=(Cue(0.0, 0, 0, state()),))
    runner = motion(6.0)
    fast = replace(runner, root=runner.root * np.array([6, 1, 1], np.float32))
    plan = lighting.understand(lighting.Asked())
    stage, changed = lighting._safe(dark, plan, fast)
    assert changed and (safety._seen(stage.track) >= safety.LEAST_LIGHT - 1e-3).all()
    assert not lighting._safe(snapping(), plan, fast)[1]
    assert lighting.told(changed)[0].startswith("safety: side light raised to a minimum (a moving dancer in the dark) at 0.00-")


def test_every_intervention_is_in_a_file(monkeypatch, song, tmp_path):
    """Ten changes a second become none, and the report says when."""

    class Flasher(Snapper):
        def light(self, music, dance, *, seed, wish, progress):
            played = tuple(Cue(0.1 * n, 0, 0, state(top=n % 2, front_centre=n % 2, back_centre=n % 2)) for n in range(30))
            return Stage(cues.to_track(played, SECONDS), np.zeros(1), ("warm_wash",), played[0].state, played)

    monkeypatch.setitem(lighters.LIGHTERS, "rules", Flasher)
    report = light(song, tmp_path / "out", formats=("json", "csv", "take"))
    text = (tmp_path / "out" / "safety.txt").read_text()
    assert report["interventions"] and all(line in text for line in report["interventions"])
    assert any(note.startswith("safety: flashes smoothed") for note in report["notes"])
    stage = load(tmp_path / "out" / "show.take").performance.stage
    for track in (stage.track, cues.to_track(stage.cues, SECONDS)):
        assert not safety.flashing(track, 30.0)
    allowed = light(song, tmp_path / "loud", formats=("json",), asked=lighting.Asked(allow_flash=True))
    assert not allowed["interventions"] and "warn the audience" in (tmp_path / "loud" / "safety.txt").read_text()


# -------------------------------------------------------------------------------------------------------------- project files


def test_a_stage_comes_back_in_every_bit(tmp_path):
    path = tmp_path / "show.take"
    for stage in (snapping(), replace(snapping(), cues=())):
        save(Performance(stage=stage), path)
        assert same(load(path).performance.stage, stage)
    assert json.loads(members(path)["take.json"])["version"] == 2


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("looks", ["a", "b"], "one each a slice"),
        ("fps", 0, "base/stage/fps is 0, not above 0"),
        ("cues", [], "belongs to nothing"),
        ("cues", [{"time_s": -1, "fade_in_s": 0, "fade_out_s": 0, "look": "", "label": ""}], "shape|negative"),
    ],
)
def test_a_broken_stage_is_one_line(tmp_path, key, value, message):
    path = tmp_path / "show.take"
    save(Performance(stage=snapping()), path)
    inside = members(path)
    page = json.loads(inside["take.json"])
    page["base"]["stage"][key] = value
    write_zip(path, inside | {"take.json": json.dumps(page).encode()})
    with pytest.raises(ChoreiaError, match=f"is damaged: .*({message})") as caught:
        load(path)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------------------ bad input


LAMP = '[[fixture]]\nname = "{name}"\nprofile = "{profile}"\nuniverse = 1\naddress = {address}\nposition_m = [0, 5, 3]\nzone = "top"\n'


def patch(path, *lamps):
    usual = {"name": "A", "profile": "choreia/led-par", "address": 1}
    path.write_text("name = 'Mine'\n" + "".join(LAMP.format(**{**usual, **lamp}) for lamp in lamps))
    return path


NO_LIGHT = {
    "name": "Fogger", "availableChannels": {"Fog": {"capability": {"type": "Fog", "fogType": "Fog"}}},
    "modes": [{"name": "1 channel", "channels": ["Fog"]}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("lamps", "words"),
    [
        ([{"profile": "choreia/no-such"}], ["unknown fixture choreia/no-such"]),
        ([{}, {"name": "B", "address": 3}], ["A and B overlap on channel 3 of universe 1"]),
        ([{"address": 510}], ["fixture A", "512"]),
        ([{"profile": "fogger.json"}], ["fixture A", "has no intensity"]),
        ([], ["no [[fixture]]"]),
    ],
)
def test_a_rig_that_cannot_be(run, song, tmp_path, lamps, words):
    (tmp_path / "fogger.json").write_text(json.dumps(NO_LIGHT))
    refused(run("light", song, "-o", tmp_path / "out", "--rig", patch(tmp_path / "rig.toml", *lamps)), *words)
    assert not (tmp_path / "out").exists()


def test_a_rig_without_colours_degrades_and_says_so(run, song, tmp_path):
    rig = patch(tmp_path / "rig.toml", {"profile": "choreia/dimmer"})
    code, out, _ = run("light", song, "-o", tmp_path / "out", "--rig", rig, "--formats", "qxw,csv", "--json")
    report = json.loads(out)
    assert code == 0 and "no fixture makes a colour: the show plays in white levels only" in report["rig_cannot"]
    assert "no fixture makes a colour" in (tmp_path / "out" / "safety.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--look", "purple"), ["no look 'purple'"]),
        (("--palette", "purple"), ["no palette 'purple'"]),
        (("--palette", "#12"), ["#rrggbb"]),
        (("--designer", "me"), ["unknown designer 'me'", "rules"]),
        (("--rig", "house99"), ["no rig house99"]),
        (("--formats", "doc"), ["unknown format 'doc'", "qxw"]),
        (("--dance", "none.bvh"), ["none.bvh"]),
        (("--stage", "none.take"), ["none.take"]),
        (("--send", "dmx"), ["--send dmx", "sacn"]),
        (("--send", "sacn", "--clock", "sun"), ["--clock sun"]),
        (("--send", "sacn", "--to", "no.such.host.invalid"), ["no host no.such.host.invalid"]),
        (("--send", "osc", "--to", "no.such.host.invalid"), ["no host no.such.host.invalid"]),
        (("--send", "sacn", "--to", "a b"), ["--to 'a b' is no address"]),
        (("--send", "sacn", "--interface", "192.0.2.77"), ["no network interface has the address 192.0.2.77"]),
        (("--send", "sacn", "--clock", "osc:192.0.2.77:9"), ["cannot listen at 192.0.2.77:9"]),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(run, song, tmp_path, arguments, words):
    refused(run("light", song, "-o", tmp_path / "out", *arguments), *words)
    assert not (tmp_path / "out").exists()


def test_what_is_no_picture_is_not_liked(run, song, tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture")
    refused(run("light", song, "-o", tmp_path / "out", "--like", tmp_path / "notes.txt"), "notes.txt")


def test_files_that_exist_stay(run, song, tmp_path):
    (tmp_path / "cues.csv").write_text("mine")
    for command in ("light", "perform"):
        refused(run(command, song, "-o", tmp_path, "--formats", "csv"), "cues.csv exists", "--force")
    assert run("light", song, "-o", tmp_path, "--formats", "csv", "--force")[0] == 0
    assert (tmp_path / "cues.csv").read_text() != "mine"


def test_a_failure_half_way_leaves_nothing(song, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(shows.FILES, "npz", ("stage.npz", full))
    with pytest.raises(ChoreiaError, match="No space left"):
        light(song, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_silent_song_is_lit(run, tmp_path):
    """Nobody knows bars or beats of silence: the light stands, the sheet has no bars."""
    files.write(tmp_path / "silence.wav", Audio(np.zeros((1, 4 * 22050), np.float32), 22050))
    code, _, err = run("light", tmp_path / "silence.wav", "-o", tmp_path / "out", "--formats", "csv,qxw")
    assert code == 0, err
    rows = list(csv.reader((tmp_path / "out" / "cues.csv").open()))
    assert len(rows) > 1 and {row[2] for row in rows[1:]} == {""}


def test_light_for_another_song_is_refused(run, song, tmp_path):
    save(Performance(stage=snapping()), tmp_path / "show.take")
    refused(run("light", song, "--stage", tmp_path / "show.take", "--seconds", 3, "-o", tmp_path / "out"), "holds 6.0 s of light")
    save(Performance(), tmp_path / "bare.take")
    refused(run("light", song, "--stage", tmp_path / "bare.take", "-o", tmp_path / "out"), "holds no light")
    refused(run("light", song, "--dance", tmp_path / "bare.take", "-o", tmp_path / "out"), "holds no dance")


def test_the_trained_model_lights_and_dances(run, song, tmp_path):
    """One call of each, with the weights of the package: a show for the song, and a performance by the model alone."""
    code, out, err = run("light", song, "-o", tmp_path / "light", "--designer", "theatre", "--formats", "json,csv", "--json")
    assert code == 0, err
    page = json.loads((tmp_path / "light" / "stage.json").read_text())
    assert json.loads(out)["seconds"] == pytest.approx(SECONDS) and "theatre" in json.dumps(page)
    code, _, err = run("perform", song, "-o", tmp_path / "both", "--model", "theatre", "--designer", "theatre", "--formats", "bvh,csv")
    assert code == 0, err
    assert len(io.read(tmp_path / "both" / "dance.bvh")) == round(SECONDS * 30)
    code, _, err = run("perform", song, "-o", tmp_path / "none", "--model", "theatre", "--style", "salsa", "--formats", "bvh")
    assert code == 2 and "knows no styles" in err and not (tmp_path / "none").exists()
