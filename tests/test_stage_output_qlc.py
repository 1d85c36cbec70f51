"""QLC+ workspaces: read by an XML parser, and opened and played by QLC+ itself where it is installed."""

import os
import re
import shutil
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.stage import rig
from choreia.stage.output import qlc, qlc_fixture
from choreia.types import Cue
from test_stage_output_files import CUES, HOUSE, show, state

SHOWS = "{http://www.qlcplus.org/Workspace}"
DEFINITIONS = "{http://www.qlcplus.org/FixtureDefinition}"
OPENED = "[ShowManager] updateMultiTrackView..."
COMPLAINT = re.compile(r"unknown|unable|failed|cannot|no such|invalid|not found(?!\. Fallback)|overlap|error", re.IGNORECASE)


def written(folder, played):
    return [ElementTree.parse(path).getroot() for path in qlc.write(folder / "show.qxw", played)]


def functions(root):
    return {int(node.get("ID")): node for node in root.iter(f"{SHOWS}Function")}


def of_kind(root, kind):
    return next(node for node in functions(root).values() if node.get("Type") == kind)


def timing(step):
    return tuple(int(step.get(name)) for name in ("FadeIn", "Hold", "FadeOut"))


def test_the_patch_counts_from_0(tmp_path):
    root = written(tmp_path, show())[0]
    found = [
        [node.find(f"{SHOWS}{tag}").text for tag in ("Name", "Universe", "Address", "Channels")] for node in root.iter(f"{SHOWS}Fixture")
    ]
    assert found[0] == ["Front left", "0", "0", "6"] and found[12] == ["Spot", "0", "100", "13"] and len(found) == 16


def test_steps_fade_and_hold_as_the_cues_say(tmp_path):
    """Cue 1 at 0.5 s fades 1 s, cue 2 at 2.04 s snaps up and falls for 2 s but has only 0.96 s, cue 3 at 3 s snaps and falls in 0.5 s."""
    root = written(tmp_path, show())[0]
    steps = list(of_kind(root, "Chaser").iter(f"{SHOWS}Step"))
    assert [timing(step) for step in steps] == [
        (0, 500, 0), (1000, 540, 0), (0, 20, 0), (940, 0, 0), (0, 20, 0), (480, 500, 0)
    ]  # fmt: skip
    assert sum(sum(timing(step)) for step in steps) == 4000
    assert [step.get("Note") for step in steps] == ["Dark", "1 warm wash", "2 =1+1 <b>", "2 =1+1 <b>", "3 blackout", "3 blackout"]


def levels(root, step, lamp):
    """The values of one lamp in the scene of a step: {offset: value}."""
    scene = functions(root)[int(step.text)]
    node = next(one for one in scene.iter(f"{SHOWS}FixtureVal") if int(one.get("ID")) == lamp)
    numbers = [int(part) for part in node.text.split(",")]
    return dict(zip(numbers[::2], numbers[1::2], strict=True))


def test_a_cue_cut_short_fades_as_far_as_it_would_have_come(tmp_path):
    """The top falls from 1 for 2 s: it is at 1 - 0.96 / 2 = 0.52 of 255 when the blackout comes, which snaps up nothing."""
    root = written(tmp_path, show())[0]
    steps = list(of_kind(root, "Chaser").iter(f"{SHOWS}Step"))
    top = next(number for number, lamp in enumerate(HOUSE.fixtures) if lamp.name == "Top left")
    assert [levels(root, step, top)[0] for step in steps] == [0, 255, pytest.approx(255, abs=1), pytest.approx(133, abs=1), 133, 0]


def test_lamps_go_dark_in_the_colour_they_had(tmp_path):
    """From red to a blackout and on to blue: red while it falls, blue before it rises."""
    red = state(top=1.0, saturation=1.0, hue=0.5)
    blue = state(top=1.0, saturation=1.0, hue=4.6)
    played = (Cue(0.0, 0.5, 0.5, red), Cue(1.0, 0.5, 0.5, state()), Cue(2.0, 0.2, 0.2, state()), Cue(3.0, 0.5, 0.5, blue))
    root = written(tmp_path, show(played))[0]
    found = [levels(root, step, 8) for step in of_kind(root, "Chaser").iter(f"{SHOWS}Step")][-4:]
    assert [one[0] for one in found] == [255, 0, 0, 255]
    colours = [[one[offset] for offset in (1, 2, 3, 4)] for one in found]
    assert colours[0] == colours[1] != colours[2] == colours[3]


def test_heads_carry_pan_and_tilt_and_scenes_do_not(tmp_path):
    played = show(dancer_m=np.stack([np.linspace(-2, 2, 120), np.full(120, 1.2), np.zeros(120)], axis=1))
    root = written(tmp_path, played)[0]
    assert set(levels(root, next(of_kind(root, "Chaser").iter(f"{SHOWS}Step")), 12)) == set(range(4, 13))
    sequence = of_kind(root, "Sequence")
    bound = functions(root)[int(sequence.get("BoundScene"))]
    assert [node.get("ID") for node in bound.iter(f"{SHOWS}FixtureVal")] == ["12", "13", "14", "15"]
    now, rows = 0, []
    for step in sequence.iter(f"{SHOWS}Step"):
        spot = step.text.split(":")[1].split(",")
        row = round(now / 1000 * 30)
        assert [int(part) for part in spot[1::2]] == played.dmx.values[row, 0, 100:104].tolist()
        assert int(step.get("Values")) == 16
        now += sum(timing(step))
        rows.append(row)
    assert now == 4000 and len(rows) > 50


def test_the_show_plays_song_cues_and_heads(tmp_path):
    root = written(tmp_path, show(song=Path("a song & more.wav")))[0]
    numbers = functions(root)
    assert len(numbers) == len(list(root.iter(f"{SHOWS}Function")))
    played = [numbers[int(node.get("ID"))] for node in of_kind(root, "Show").iter(f"{SHOWS}ShowFunction")]
    assert [node.get("Type") for node in played] == ["Audio", "Chaser", "Sequence"]
    assert played[0].find(f"{SHOWS}Source").text == "a song & more.wav"
    assert all(int(step.text) in numbers for step in played[1].iter(f"{SHOWS}Step"))
    assert {(node.get("StartTime"), node.get("Duration")) for node in root.iter(f"{SHOWS}ShowFunction")} == {("0", "4000")}


def test_a_definition_says_what_every_channel_does(tmp_path):
    definitions = {root.find(f"{DEFINITIONS}Model").text: root for root in written(tmp_path, show())[1:]}
    head = next(root for model, root in definitions.items() if "Moving" in model)
    presets = [node.get("Preset") for node in head.findall(f"{DEFINITIONS}Channel")]
    assert presets[:4] == ["PositionPan", "PositionPanFine", "PositionTilt", "PositionTiltFine"]
    assert presets[5:10] == ["IntensityDimmer", "IntensityDimmerFine", "IntensityCyan", "IntensityMagenta", "IntensityYellow"]
    shutter = head.findall(f"{DEFINITIONS}Channel")[4]
    ranges = [(node.get("Min"), node.get("Max"), node.get("Preset")) for node in shutter.findall(f"{DEFINITIONS}Capability")]
    assert ranges == [("0", "31", "ShutterClose"), ("32", "63", "ShutterOpen"), ("64", "255", "StrobeSlowToFast")]
    focus = head.find(f"{DEFINITIONS}Physical/{DEFINITIONS}Focus")
    assert (focus.get("PanMax"), focus.get("TiltMax")) == ("540", "270")


def test_two_profiles_never_share_a_file():
    """Names that differ only in what a file name cannot hold get numbers."""
    profile = HOUSE.fixtures[0].profile
    lamps = [replace(HOUSE.fixtures[0], name=f"{number}", address=1 + 10 * number, profile=replace(profile, name=name))
             for number, name in enumerate(("A/B", "A B", "../a b", "é\n"))]  # fmt: skip
    names = [qlc_fixture.file_name(model).lower() for model in qlc_fixture.models(rig.Rig("x", tuple(lamps))).values()]
    assert len(set(names)) == 4 and all(re.fullmatch(r"[a-z0-9-]+\.qxf", name) for name in names)


def test_the_same_show_is_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, second = (qlc.write(tmp_path / name / "show.qxw", show()) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_one_clear_line_without_cues_or_a_folder(tmp_path):
    with pytest.raises(ChoreiaError, match="it has no cue"):
        qlc.write(tmp_path / "show.qxw", show(()))
    with pytest.raises(ChoreiaError, match="does not exist"):
        qlc.write(tmp_path / "none" / "show.qxw", show())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def screen():
    """A display of one's own."""
    if not shutil.which("qlcplus") or not shutil.which("Xvfb"):
        pytest.skip("QLC+ or Xvfb is not installed")
    server = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "1024x768x24"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    yield f":{server.stdout.readline().decode().strip()}"
    server.terminate()
    server.wait(10)


def run_qlc(path, display, home, until, limit_s=60):
    """What QLC+ says about a workspace until `until` of its log is true, or the time is up."""
    home.mkdir()
    home.chmod(0o700)
    log = home / "log"
    environment = {**os.environ, "DISPLAY": display, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    with log.open("wb") as sink:
        player = subprocess.Popen(
            ["qlcplus", "-d", "0", "-m", "-p", "-o", str(path)], env=environment, stdout=sink, stderr=subprocess.STDOUT
        )
        end = time.monotonic() + limit_s
        while time.monotonic() < end and not until(log.read_text(errors="replace")):
            time.sleep(0.05)
        player.kill()
        player.wait()
    return log.read_text(errors="replace")


def complaints(log):
    """Complaints after the empty start, in which QLC+ looks for MIDI and DMX hardware."""
    return [line for line in log.partition("Fill tree")[2].splitlines() if COMPLAINT.search(line)]


@pytest.mark.slow
def test_qlcplus_opens_it_without_a_warning(tmp_path, screen):
    import soundfile

    soundfile.write(tmp_path / "song.wav", np.zeros(8000, np.float32), 8000)
    path = qlc.write(tmp_path / "show.qxw", show(song=tmp_path / "song.wav"))[0]
    log = run_qlc(path, screen, tmp_path / "home", lambda log: OPENED in log)
    assert OPENED in log and complaints(log) == []
    # The check can fail: the same workspace without its fixture definitions.
    (tmp_path / "bare").mkdir()
    bare = shutil.copy(path, tmp_path / "bare" / "show.qxw")
    assert complaints(run_qlc(bare, screen, tmp_path / "other", complaints))


@pytest.mark.slow
def test_qlcplus_plays_what_was_meant(tmp_path, screen):
    """Its own Art-Net output, while it plays the Show: every cue at rest is, for all lamps that are lit, what our renderer sends."""
    played = show((CUES[0], Cue(2.0, 0.3, 0.6, state(back_left=0.7, spot=0.5, saturation=0.8))))
    path = qlc.write(tmp_path / "show.qxw", played)[0]
    text = path.read_text()
    number = re.search(r'ID="(\d+)" Type="Show"', text)[1]
    output = '<Output Plugin="ArtNet" UID="127.0.0.1" Line="0"><PluginParameters outputIP="127.0.0.1"/></Output>'
    text = text.replace("<Engine>", f'<Engine Autostart="{number}">')
    path.write_text(text.replace('<Universe Name="Universe 1" ID="0" />', f'<Universe Name="Universe 1" ID="0">{output}</Universe>'))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.bind(("127.0.0.1", 6454))
        receiver.setblocking(False)
        frames = []
        run_qlc(path, screen, tmp_path / "home", lambda log: drained(receiver, frames) or "ShowRunner stopped" in log)
    heads = [offset for lamp in HOUSE.fixtures if lamp.profile.moves for offset in range(lamp.address - 1, lamp.address + 3)]
    places = []
    for time_s in (1.9, 3.9):
        wanted = played.dmx.values[round(time_s * 30), 0].astype(int)
        lit = [offset for lamp in HOUSE.fixtures if wanted[lamp.address - 1 : lamp.address + 6][0 if not lamp.profile.moves else 5]
               for offset in range(lamp.address - 1, lamp.last_address) if offset not in heads]  # fmt: skip
        assert lit
        places += [next(place for place, frame in enumerate(frames) if (frame[lit] == wanted[lit]).all())]
    assert places == sorted(places)


def drained(receiver, frames):
    """Takes every Art-Net frame that has come."""
    while True:
        try:
            packet = receiver.recv(2048)
        except BlockingIOError:
            return False
        if packet[8:10] == b"\x00\x50":
            frames.append(np.frombuffer(packet[18:], np.uint8).astype(int))
