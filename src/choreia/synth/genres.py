"""Eight genres as data: tempo, feel, harmony, players and one-bar patterns (notation in `patterns`).

The drum patterns are in `grooves`. Chords: x short, X accented, held with `-`; digits are chord tones from below, an
arpeggio. Bass: R root, O octave, 5 fifth, 3 third, 7 seventh, A approach to the next root. Tumbao, montuno and walking
bass are the common figures.
"""

from __future__ import annotations

from dataclasses import dataclass

Bars = tuple[str, ...]


@dataclass(frozen=True)
class Genre:
    """A genre: alternatives to draw from.

    `swing` is the range of places of the half beat, `shuffle` of the quarter beats inside each half; `chord_voices` as in
    `harmony.Chord`; `density` of the melody, `duck` of the side-chain in [0, 1]; `room` in seconds.
    """

    bpm: tuple[float, float]
    modes: Bars
    progressions: tuple[tuple[int, ...], ...]
    kits: Bars
    basses: Bars
    bass_lines: Bars
    chords: Bars
    chord_lines: Bars
    pads: Bars
    leads: Bars
    arps: Bars = ()
    swing: tuple[float, float] = (0.5, 0.5)
    shuffle: tuple[float, float] = (0.5, 0.5)
    chord_voices: int = 3
    density: float = 0.5
    duck: float = 0.0
    room: tuple[float, float] = (0.6, 1.2)


GENRES: dict[str, Genre] = {
    "edm": Genre(
        bpm=(120, 136),
        modes=("minor", "minor", "dorian"),
        progressions=((0, 5, 2, 6), (5, 6, 0, 0), (0, 3, 5, 6), (0, 2, 6, 3)),
        kits=("machine", "deep"),
        basses=("synth_bass", "square_bass", "fm_bass"),
        bass_lines=("..R...R...R...R.", ".RRO.RRO.RRO.RRO", "R..R..R.R..R..RO"),
        chords=("super_saw", "pluck", "bright_pad"),
        chord_lines=("X--x--x-.x--x-..", "..x-..x-..x-..x-", "X-----X-----X---"),
        pads=("warm_pad", "bright_pad"),
        leads=("saw_lead", "square_lead", "pluck"),
        arps=("0.1.2.1.0.1.2.3.", "0120120120120123"),
        duck=0.75,
        room=(1.0, 1.8),
        density=0.55,
    ),
    "rnb": Genre(
        bpm=(68, 98),
        modes=("minor", "dorian", "major"),
        progressions=((3, 4, 2, 5), (0, 3, 4, 2), (5, 3, 0, 4), (1, 4, 0, 5)),
        kits=("deep", "soft", "tight"),
        basses=("sub_bass", "finger_bass", "fm_bass"),
        bass_lines=("R-----R-..R-5-A-", "R---..RR--..5-.A", "R-----.R--R-----"),
        chords=("electric_piano", "tine_piano"),
        chord_lines=("X-----x---.-x---", "X---..x-----x---", "X---------..x-x-"),
        pads=("warm_pad", "strings", "choir"),
        leads=("soft_lead", "flute", "saxophone", "vibraphone"),
        shuffle=(0.52, 0.6),
        chord_voices=5,
        density=0.45,
        room=(0.9, 1.6),
    ),
    "hiphop": Genre(
        bpm=(78, 104),
        modes=("minor", "dorian"),
        progressions=((0, 5, 3, 4), (0, 0, 5, 4), (0, 3, 0, 6), (0, 6, 5, 4)),
        kits=("machine", "tight", "deep"),
        basses=("sub_bass", "fm_bass", "upright_bass"),
        bass_lines=("R-----RR..R-----", "R--...5-R-R-..A-", "R-----.--R-R----"),
        chords=("piano", "electric_piano", "nylon_guitar", "vibraphone"),
        chord_lines=("X---..x...x-....", "X-..x-..X-..x-..", "0.2.1.3.2.1.0.1."),
        pads=("strings", "choir", "warm_pad"),
        leads=("flute", "bells", "square_lead", "kalimba"),
        shuffle=(0.52, 0.62),
        chord_voices=4,
        density=0.4,
        room=(0.5, 1.0),
    ),
    "pop": Genre(
        bpm=(92, 132),
        modes=("major", "major", "minor"),
        progressions=((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (3, 0, 4, 5), (0, 2, 3, 4)),
        kits=("acoustic", "tight", "big"),
        basses=("pick_bass", "finger_bass", "synth_bass"),
        bass_lines=("R-R-R-R-R-R-R-A-", "R-----R-R---5---", "R--R--R-R--R--5-"),
        chords=("clean_guitar", "piano", "steel_guitar", "bright_piano"),
        chord_lines=("X-x-.x-xX-x-.x-x", "X---x---X---x---", "X--x--x-X--x--x-"),
        pads=("strings", "warm_pad", "organ"),
        leads=("saw_lead", "soft_lead", "trumpet", "square_lead"),
        arps=("0.1.2.1.0.1.2.1.",),
        density=0.55,
        duck=0.15,
        room=(0.7, 1.3),
    ),
    "funk": Genre(
        bpm=(94, 118),
        modes=("dorian", "mixolydian"),
        progressions=((0, 0, 3, 3), (0, 0, 0, 3), (0, 6, 3, 0), (0, 3, 0, 4)),
        kits=("tight", "acoustic"),
        basses=("slap_bass", "finger_bass", "pick_bass"),
        bass_lines=("R..O..R.7-R.R.5A", "R.R...O.R.7.R-.A", "R-.R.O.RR.5.7.O."),
        chords=("muted_guitar", "clean_guitar", "organ"),
        chord_lines=("..x.x..x..x.x.xx", "....X..x....X.x.", "x.xx..x.x.xx..x."),
        pads=("organ", "brass"),
        leads=("brass", "saxophone", "trumpet", "organ"),
        shuffle=(0.5, 0.57),
        chord_voices=4,
        density=0.6,
        room=(0.4, 0.8),
    ),
    "swing": Genre(
        bpm=(112, 180),
        modes=("major", "mixolydian", "dorian"),
        progressions=((1, 4, 0, 5), (0, 5, 1, 4), (0, 0, 3, 0, 4, 3, 0, 4), (2, 5, 1, 4)),
        kits=("soft", "acoustic"),
        basses=("upright_bass",),
        bass_lines=("R---3---5---A---", "R---R-5-3---A---", "O---5---3---A---"),
        chords=("piano", "nylon_guitar", "clean_guitar"),
        chord_lines=("x.....x.........", "..x...x.......x.", "x...x...x...x..."),
        pads=("brass", "strings"),
        leads=("saxophone", "trumpet", "clarinet", "vibraphone"),
        swing=(0.6, 0.68),
        chord_voices=4,
        density=0.55,
        room=(0.6, 1.1),
    ),
    "latin": Genre(
        bpm=(84, 116),
        modes=("minor", "major", "dorian"),
        progressions=((0, 3, 4, 0), (0, 4, 4, 0), (0, 6, 5, 4), (1, 4, 0, 0)),
        kits=("tight", "acoustic"),
        basses=("upright_bass", "finger_bass"),
        bass_lines=("R-----5-----O---", "R--5--O-R--5--A-", "R-----5--.--R-5-"),
        chords=("piano", "nylon_guitar", "bright_piano"),
        chord_lines=("x.xx.x.x.x.xx.x.", "X.x.x.xx.x.x.x.x", "x..x..x...x.x..."),
        pads=("strings", "brass"),
        leads=("trumpet", "flute", "saxophone", "marimba"),
        chord_voices=4,
        density=0.55,
        room=(0.5, 1.0),
    ),
    "ballad": Genre(
        bpm=(60, 80),
        modes=("major", "major", "minor"),
        progressions=((0, 5, 3, 4), (0, 4, 5, 3), (0, 2, 3, 4), (3, 4, 2, 5)),
        kits=("soft", "big"),
        basses=("finger_bass", "upright_bass"),
        bass_lines=("R-------R-----A-", "R-----5-R-------", "R-----------5---"),
        chords=("piano", "electric_piano", "nylon_guitar", "harp"),
        chord_lines=("0-1-2-3-2-1-2-1-", "X-------X-------", "0-2-1-2-0-2-1-2-"),
        pads=("strings", "warm_pad", "choir"),
        leads=("solo_strings", "flute", "soft_lead", "clarinet"),
        chord_voices=4,
        density=0.35,
        room=(1.2, 2.0),
    ),
}
