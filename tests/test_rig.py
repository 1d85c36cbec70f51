"""Rigs, Open Fixture Library files and what they refuse."""

import json
import random
from importlib import resources

import pytest

from choreia.errors import ChoreiaError
from choreia.stage import rig, rig_ofl
from choreia.types import ZONES


def definition(channels, names=None, **extra):
    """A small OFL fixture."""
    modes = [{"name": "normal", "shortName": "n", "channels": names or list(channels)}]
    return json.dumps({"name": "Lamp", "categories": ["Other"], "availableChannels": channels, "modes": modes, **extra})


DIMMER = {"capability": {"type": "Intensity"}}
RED = {"capability": {"type": "ColorIntensity", "color": "Red"}}
PAN = {"fineChannelAliases": ["Pan fine"], "capability": {"type": "Pan", "angleStart": "0deg", "angleEnd": "540deg"}}


def lamp(name="A", address=1, text=None, **fields):
    profile = rig_ofl.parse(text or definition({"Dimmer": DIMMER}))
    return rig.Fixture(name, profile, fields.pop("universe", 1), address, (0.0, 5.0, 0.0), fields.pop("zone", "top"), **fields)


def one_line(caught, *words):
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_the_default_rig():
    house = rig.load()
    assert len(house.fixtures) == 16 and sum(one.profile.moves for one in house.fixtures) == 4
    assert all(one.profile.makes_colour for one in house.fixtures)
    assert rig.shortcomings(house) == () and house.universes == (1,)
    assert {one.zone for one in house.fixtures} == set(ZONES)


def test_fine_channels_and_angles_from_the_middle():
    profile = rig_ofl.parse(definition({"Dimmer": DIMMER, "Pan": PAN}, ["Pan", "Dimmer", "Pan fine"]))
    pan = next(channel for channel in profile.channels if channel.name == "Pan")
    assert profile.width == 3 and pan.offsets == (0, 2)
    assert pan.ranges[0].start == pytest.approx(-3 * 3.14159265 / 2) and pan.ranges[0].end == -pan.ranges[0].start


def test_a_fine_channel_that_the_mode_leaves_out():
    assert rig_ofl.parse(definition({"Pan": PAN}, ["Pan"])).channels[0].offsets == (0,)


@pytest.mark.parametrize(
    ("text", "hz"), [("12Hz", 12), ("120bpm", 2), ("300rpm", 5), ("fast", 20), ("50%", 10), ("slow CW", 0.2), ("stop", 0)]
)
def test_quantities(text, hz):
    assert rig_ofl._hertz(rig_ofl._number(text)) == pytest.approx(hz)


def test_ranges_are_parts_of_full_scale():
    shutter = {"capabilities": [
        {"dmxRange": [0, 50], "type": "ShutterStrobe", "shutterEffect": "Closed"},
        {"dmxRange": [51, 255], "type": "ShutterStrobe", "shutterEffect": "Strobe", "speedStart": "1Hz", "speedEnd": "21Hz"},
    ]}  # fmt: skip
    strobe = rig_ofl.parse(definition({"Shutter": shutter})).best("strobe")[1]
    assert strobe.at(1) * 255 == pytest.approx(51) and strobe.at(11) * 255 == pytest.approx(153) and strobe.at(99) == 1


def test_a_matrix_is_spelt_out_pixel_by_pixel():
    template = {"Red $pixelKey": RED, "Dim $pixelKey": DIMMER}
    entry = {"insert": "matrixChannels", "repeatFor": "eachPixelX", "channelOrder": "perPixel", "templateChannels": list(template)}
    text = definition({}, [entry, None], matrix={"pixelCount": [3, 1, 1]}, templateChannels=template)
    profile = rig_ofl.parse(text.replace("eachPixelX", "eachPixelXYZ"))
    assert profile.width == 7
    assert {channel.name: channel.offsets[0] for channel in profile.channels} == {
        "Red 1": 0, "Dim 1": 1, "Red 2": 2, "Dim 2": 3, "Red 3": 4, "Dim 3": 5,
    }  # fmt: skip


def test_a_switching_channel_is_what_its_default_makes_it():
    trigger = {"defaultValue": 200, "capabilities": [
        {"dmxRange": [0, 127], "type": "NoFunction", "switchChannels": {"X": "Red"}},
        {"dmxRange": [128, 255], "type": "NoFunction", "switchChannels": {"X": "Dimmer"}},
    ]}  # fmt: skip
    profile = rig_ofl.parse(definition({"T": trigger, "Red": RED, "Dimmer": DIMMER}, ["T", "X"]))
    assert profile.best("intensity")[0].offsets == (1,) and not profile.can("red")


def test_wheels_tell_colours_from_gobos():
    slots = [{"type": "Open"}, {"type": "Color", "colors": ["#ff0000"]}, {"type": "Color", "colors": ["#00ff00"]}]
    ranges = [{"dmxRange": [10 * n, 10 * n + 9], "type": "WheelSlot", "slotNumber": n + 1} for n in range(3)]
    ranges.append({"dmxRange": [30, 255], "type": "WheelSlot", "slotNumber": 1.5})
    profile = rig_ofl.parse(definition({"W": {"capabilities": ranges}, "D": DIMMER}, wheels={"W": {"slots": slots}}))
    assert [one.rgb for _, one in profile.find("colour")] == [(1, 1, 1), (1, 0, 0), (0, 1, 0)]
    assert profile.makes_colour and not profile.mixes


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", "{", '{"name": "x"}', "[" * 5000, definition({"D": {"capability": {"type": 3}}}, ["D"] * 600),
        definition({"D": {"capabilities": [{"dmxRange": [9, 5], "type": "Intensity"}]}}),
        definition({"D": {"capabilities": [{"dmxRange": [0, 70000], "type": "Intensity"}]}}),
        definition({"D": {"capabilities": [{"dmxRange": "x", "type": "Intensity"}]}}),
        definition({"D": {"defaultValue": 300, "capability": {"type": "Intensity"}}}),
        definition({"P": {"capability": {"type": "Pan", "angleStart": "0deg", "angleEnd": "999999deg"}}}),
        definition({"P": {"capability": {"type": "Pan", "angleStart": "nan", "angleEnd": "1deg"}}}),
        definition({}, [None], matrix={"pixelCount": [100000, 100000, 9]}, templateChannels={"Red $pixelKey": RED}),
        definition({"D": {"fineChannelAliases": list("abcdefgh"), "capability": {"type": "Intensity"}}}),
    ],
)  # fmt: skip
def test_a_broken_definition_is_one_line(text):
    with pytest.raises(ChoreiaError) as caught:
        rig_ofl.parse(text, where="odd.json")
    one_line(caught, "odd.json")


def test_modes_and_redirects():
    assert rig_ofl.parse(definition({"D": DIMMER}), "n").mode == "normal"
    with pytest.raises(ChoreiaError, match=r"no mode 'x'; choose one of normal"):
        rig_ofl.parse(definition({"D": DIMMER}), "x")
    with pytest.raises(ChoreiaError, match="only points to a/b"):
        rig_ofl.parse('{"redirectTo": "a/b"}')


def test_addresses():
    with pytest.raises(ChoreiaError) as caught:
        rig.Rig("r", (lamp("A", 10), lamp("B", 10)))
    one_line(caught, "A and B overlap", "channel 10 of universe 1")
    assert rig.Rig("r", (lamp("A", 10), lamp("B", 10, universe=2))).universes == (1, 2)
    assert lamp(address=512).last_address == 512
    two = definition({"Dimmer": DIMMER, "Red": RED})
    for address in (0, 512):
        with pytest.raises(ChoreiaError, match="leave 1 to 512"):
            lamp(address=address, text=two)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"zone": "moon"}, "no zone 'moon'"), ({"universe": 0}, "universe 0"), ({"focus_m": (0, 0)}, "three finite numbers"),
        ({"focus_m": (0, 0, float("nan"))}, "finite"), ({"pan_deg_s": 0}, "speeds"),
    ],
)  # fmt: skip
def test_bad_places(fields, word):
    with pytest.raises(ChoreiaError, match=word) as caught:
        lamp(**fields)
    one_line(caught)


def test_a_lamp_without_intensity():
    with pytest.raises(ChoreiaError, match="Lamp in mode normal has no intensity"):
        lamp(text=definition({"Pan": PAN}, ["Pan"]))


def test_a_poor_rig_says_what_it_cannot_do():
    said = rig.shortcomings(rig.Rig("poor", (lamp(zone="front_centre"),)))
    assert said[0].startswith("no fixture makes a colour")
    assert "no fixture lights side_left: front_centre takes its light" in said
    assert "no fixture lights backdrop: its light is left out" in said
    assert any("nothing follows the dancer" in line for line in said)


PATCH = """
name = "mine"
[[fixture]]
name = "A"
profile = "lamp.json"
universe = 1
address = 1
position_m = [0, 5, 0]
zone = "top"
"""


def test_a_patch_in_toml_and_in_json(tmp_path):
    (tmp_path / "lamp.json").write_text(definition({"D": DIMMER}))
    (tmp_path / "mine.toml").write_text(PATCH)
    first = rig.load(tmp_path / "mine.toml")
    entry = {"name": "A", "profile": "lamp.json", "universe": 1, "address": 1, "position_m": [0, 5, 0], "zone": "top"}
    (tmp_path / "mine.json").write_text(json.dumps({"name": "mine", "fixture": [entry]}))
    assert rig.load(tmp_path / "mine.json") == first and first.fixtures[0].position_m == (0, 5, 0)
    (tmp_path / "maker").mkdir()
    (tmp_path / "maker" / "lamp.json").write_text(definition({"D": DIMMER}))
    (tmp_path / "mine.toml").write_text(PATCH.replace("lamp.json", "maker/lamp"))
    assert rig.load(tmp_path / "mine.toml", library=tmp_path).fixtures[0].profile.manufacturer == "maker"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PATCH.replace("lamp.json", "nobody/nothing"), ["unknown fixture nobody/nothing"]),
        (PATCH.replace("lamp.json", "other.json"), ["unknown fixture other.json"]),
        (PATCH.replace("zone", "zoone"), ["fixture A", "zone, zoone"]),
        (PATCH.replace("[0, 5, 0]", '"up"'), ["fixture A"]),
        ("name = 3", ["no [[fixture]]"]),
        ("name = [", ["mine.toml"]),
        ("fixture = []", ["it has no fixture"]),
    ],
)
def test_a_broken_patch_is_one_line(tmp_path, text, words):
    (tmp_path / "lamp.json").write_text(definition({"D": DIMMER}))
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ChoreiaError) as caught:
        rig.load(tmp_path / "mine.toml")
    one_line(caught, *words)


def test_no_such_rig(tmp_path):
    for name in ("nowhere", tmp_path / "missing.toml", tmp_path / "rig.xml"):
        with pytest.raises(ChoreiaError) as caught:
            rig.load(name)
        one_line(caught)


def spots(tree):
    """Every place of a JSON tree, as its container and key."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        yield tree, key
        yield from spots(value)


def test_a_definition_with_any_value_replaced_is_read_or_refused():
    rng = random.Random(0)
    path = resources.files("choreia").joinpath("assets/rigs/fixtures/moving-spot.json")
    refused = 0
    for _ in range(300):
        tree = json.loads(path.read_text())
        container, key = rng.choice(list(spots(tree)))
        container[key] = rng.choice([None, -1, 1e308, float("nan"), "", [], {}, 10**30, "9999999deg", "\n\r", True, [[1]]])
        try:
            lamp(text=json.dumps(tree))
        except ChoreiaError as error:
            refused += 1
            assert str(error).isprintable()
    assert 50 < refused < 300
