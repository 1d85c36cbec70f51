"""Readers of real light shows and their statistics, on tiny files worked out by hand."""

import json

import numpy as np
import pytest

from choreia.data import lights
from choreia.errors import ChoreiaError
from choreia.pipelines import light_priors
from choreia.synth.lighting_plan import priors

WORKSPACE = """<?xml version="1.0" encoding="UTF-8"?>
<Workspace xmlns="http://www.qlcplus.org/Workspace"><Engine>
 <Fixture><ID>0</ID><Channels>6</Channels></Fixture><Fixture><ID>7</ID><Channels>1</Channels></Fixture>
 <Function ID="1" Type="Scene" Name="RED"><FixtureVal ID="0">0,255,1,0,2,0</FixtureVal><FixtureVal ID="7"/></Function>
 <Function ID="2" Type="Scene" Name="BLUE"><FixtureVal ID="0">2,255</FixtureVal></Function>
 <Function ID="3" Type="Scene" Name="WHITE"><FixtureVal ID="7">0,51</FixtureVal></Function>
 <Function ID="4" Type="Scene" Name="BLACKOUT"><FixtureVal ID="0">0,0</FixtureVal></Function>
 <Function ID="5" Type="Chaser" Name="PULSE"><Step Number="0">2</Step><Step Number="1">7:0,102</Step></Function>
</Engine><VirtualConsole><Function ID="1" Name="RED"/></VirtualConsole></Workspace>"""
LIST = "\ufeff,FADE IN,FUNCTION 1 TYPE,FUNCTION 1 NAME,FUNCTION 2 TYPE,FUNCTION 2 NAME,FUNCTION 3 TYPE,FUNCTION 3 NAME\n" + "\n".join(
    [
        "1,SLOW,SCENE,RED,SCENE,WHITE,,",
        "2,QUICK,CHASER,PULSE,,,,",
        "3,MEDIUM,SCENE,BLACKOUT,,,,",
        "4,QUICK,SHOW,Song,,,,",
    ]
)
TIMED = "\ufeffTIMECODE,FADEIN,FADEOUT,FUNCTION,NAME,DURATION\n" + "\n".join(
    ["00:01.000,NONE,NONE,Scene,RED,00:02.000", "01:03.400,NONE,NONE,Scene,BLUE,00:01.000", "01:03.400,NONE,NONE,Chaser,PULSE,00:01.000"]
)
RED_HUE, BLUE_HUE = 0.510, 4.608
"""Angles of OKLab of linear sRGB red and blue, from its published matrices."""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "desk.qxw").write_text(WORKSPACE, encoding="utf-8")
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    (tmp_path / "timed.csv").write_text(TIMED, encoding="utf-8")
    return tmp_path


def dance(folder):
    """Two dancers of a fibre and a strip each, three keyframes: red and dark, fading; blue and blue; all dark."""
    parts = [{"name": "Arm", "type": "FIBER"}, {"name": "Shoe", "type": "LED"}]
    frames = [
        {"start": 2000, "fade": False, "status": [[["blue", 15], ["film", 10]], [["blue", 5], ["", 0]]]},
        {"start": 1500, "fade": True, "status": [[["red", 15], ["film", 10]], [["red", 0], ["", 0]]]},
        {"start": 4000, "fade": False, "status": [[["", 0], ["film", 10]], [["blue", 0], ["", 0]]]},
    ]
    data = {
        "control": dict(enumerate(frames)),
        "dancer": [{"parts": parts}, {"parts": parts}],
        "color": {"red": "#ff0000", "blue": "#0000ff"},
    }
    (folder / "dance.json").write_text(json.dumps(data), encoding="utf-8")
    return lights.read_lightdance(folder / "dance.json")


def test_states_of_a_cue_list(folder):
    """Cue 1 is red with the white lamp at 51 / 255; the chaser is blue and 102 / 255; the cue that starts a show is no state."""
    show = lights.read_cue_list(folder / "list.csv", lights.read_desk(folder / "desk.qxw"))
    assert show.fades_s.tolist() == [3.0, 0.5, 1.75] and show.times_s is None
    assert show.rgb.tolist() == [[[1, 0, 0], [0.2] * 3], [[0, 0, 1], [0.4] * 3], [[0] * 3] * 2]


def test_timed_cues_of_one_time_are_one_state(folder):
    show = lights.read_timed_cues(folder / "timed.csv", lights.read_desk(folder / "desk.qxw"))
    assert show.times_s.tolist() == [1.0, 63.4] and not show.fades_s.any()
    assert show.rgb[1].tolist() == [[0, 0, 1], [0.4] * 3]


def test_keyframes_of_a_light_dance(folder):
    """They are sorted; the fade that leaves 1.5 s lasts until 2 s; strips are left out; alpha 5 of 15 is a third."""
    show = dance(folder)
    assert show.times_s.tolist() == [1.5, 2.0, 4.0] and show.fades_s.tolist() == [0.0, 0.5, 0.0]
    assert show.dancer.tolist() == [0, 1]
    assert np.allclose(show.rgb, [[[1, 0, 0], [0, 0, 0]], [[0, 0, 1], [0, 0, 1 / 3]], [[0, 0, 0], [0, 0, 0]]])


def test_statistics_by_hand(folder):
    """Dancers lit: 1 of 2, 2 of 2, 0 of 2; one fade in three; both changes bring other colours; hues at once 1, 1, 0."""
    rows = {row["statistic"]: row for row in light_priors.of_show(dance(folder))}
    value = {name: row["value"] for name, row in rows.items()}
    assert value["share of dancers lit"] == pytest.approx(0.5) and value["share of blackouts"] == pytest.approx(1 / 3)
    assert value["share of snaps"] == pytest.approx(2 / 3) and value["fade, median (s)"] == 0.5
    assert value["time between changes, median (s)"] == pytest.approx(1.25)
    assert value["share of changes with another colour"] == 1.0 and value["hues at once"] == pytest.approx(2 / 3)
    turn = np.rad2deg(2 * np.pi - (BLUE_HUE - RED_HUE))
    assert value["step of the strongest hue, median (degrees)"] == pytest.approx(turn, abs=0.5)
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows.values() if row["n"])


def test_colours_of_lamps():
    """Two blues and a weak red beside a white lamp: blue first, red second."""
    found = lights.colours_of(np.array([[0, 0, 1.0], [0, 0, 0.5], [0.8, 0, 0], [0.5, 0.5, 0.5], [0, 0, 0]]))
    assert found.hues == pytest.approx((BLUE_HUE, RED_HUE), abs=0.005) and found.white
    assert lights.contrasts([found])[0] == pytest.approx(2 * np.pi - (BLUE_HUE - RED_HUE), abs=0.01)
    dim = lights.colours_of(np.array([[0, 0, 0.3], [0.4, 0, 0], [0.1, 0.1, 0.1]]))
    assert dim.hues[0] == pytest.approx(RED_HUE, abs=0.005) and lights.same_colours(found, dim)
    assert not lights.same_colours(found, lights.colours_of(np.array([[0, 0, 0.3], [0.4, 0, 0]])))
    assert not lights.same_colours(found, lights.colours_of(np.zeros((2, 3))))


def test_a_grid_is_found_and_holds_for_the_other_half():
    """Times on multiples of 0.75 s, shifted by 0.2 s; times at random hold no grid."""
    rng = np.random.default_rng(0)
    times = 0.2 + 0.75 * np.sort(rng.choice(300, 60, replace=False))
    period, near = light_priors.held_out(times)
    assert 0.75 / period == pytest.approx(round(0.75 / period), rel=0.002) and near.all()
    assert light_priors.held_out(np.sort(rng.uniform(0, 225, 60)))[1].mean() < 0.6


def test_share_on_beats():
    """Three of four within 50 ms: 1.02, 2.95, 4.0 but not 3.4."""
    near = lights.near_share(np.array([1.02, 2.96, 3.4, 4.0]), np.arange(10.0), 0.05)
    assert near.tolist() == [True, True, False, True]


def test_beats_of_all_columns(tmp_path):
    (tmp_path / "beat.csv").write_text("1-1,1-2\n0,2.5\n,3.0\n,1.5\n", encoding="utf-8")
    assert lights.read_beats(tmp_path / "beat.csv").tolist() == [0.0, 1.5, 2.5, 3.0]


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda folder: lights.read_desk(folder / "absent.qxw"), "not readable"),
        (lambda folder: lights.read_desk(folder / "list.csv"), "not readable"),
        (lambda folder: lights.read_desk(folder / "empty.xml"), "no engine"),
        (lambda folder: lights.read_desk(folder / "desk.qxw").rgb([("SCENE", "PINK")]), "no scene 'PINK'"),
        (lambda folder: lights.read_timed_cues(folder / "absent.csv", lights.read_desk(folder / "desk.qxw")), "cannot be read"),
        (lambda folder: lights.read_timed_cues(folder / "list.csv", lights.read_desk(folder / "desk.qxw")), "column"),
        (lambda folder: lights.read_timed_cues(folder / "none.csv", lights.read_desk(folder / "desk.qxw")), "no cue"),
        (lambda folder: lights.read_timed_cues(folder / "late.csv", lights.read_desk(folder / "desk.qxw")), "no time"),
        (lambda folder: lights.read_timed_cues(folder / "soon.csv", lights.read_desk(folder / "desk.qxw")), "no fade"),
        (lambda folder: lights.read_lightdance(folder / "empty.xml"), "not a LightDance export"),
        (lambda folder: lights.read_beats(folder / "list.csv"), "not a table"),
        (lambda _: light_priors.table(None), "folder"),
    ],
)
def test_bad_files_get_one_line(folder, call, word):
    (folder / "empty.xml").write_text("<Workspace/>", encoding="utf-8")
    (folder / "none.csv").write_text(TIMED.splitlines()[0], encoding="utf-8")
    (folder / "late.csv").write_text(TIMED.replace("00:01.000,NONE", "soon,NONE"), encoding="utf-8")
    (folder / "soon.csv").write_text(TIMED.replace("NONE,NONE", "SOON,NONE"), encoding="utf-8")
    with pytest.raises(ChoreiaError, match=word) as caught:
        call(folder)
    assert "\n" not in str(caught.value)


def test_the_numbers_that_ship_are_whole():
    known = priors()
    assert len(known["hue_steps"]) == 6 and sum(known["hue_steps"]) == pytest.approx(1, abs=0.01)
    assert 0 < known["snap_share"] < 1 and 0 < known["colour_change_share"] < 1 and len(known["credit"]) == 2
    assert list(known["fade_10_50_90_s"]) == sorted(known["fade_10_50_90_s"])
