"""The prompts by which text control is judged: forty, every style at least three times, from terse to chatty, with what must be danced."""

from __future__ import annotations

from dataclasses import dataclass

WHEN, LATER = "bars 5-6", "bars 7-8"
"""What stands for `{when}`, and where it is moved to: eight counts of the music later."""


@dataclass(frozen=True)
class Prompt:
    """What is asked for: the prompt, the style of the whole dance, and the figures, "style/figure", that its moves are to show.

    A prompt with `{when}` can be asked for at one time or at another.
    """

    text: str
    style: str
    figures: tuple[str, ...]

    @property
    def can_move(self) -> bool:
        """Whether its window can be moved."""
        return "{when}" in self.text

    def asked(self, when: str = WHEN) -> str:
        """The prompt as it is said."""
        return self.text.format(when=when)


PROMPTS: tuple[Prompt, ...] = (
    Prompt("hip-hop, relaxed; {when}: running man", "hip-hop", ("hip-hop/running man",)),
    Prompt(
        "Hip hop with a heavy bounce. Do the cabbage patch in every chorus and the roger rabbit in the verse.",
        "hip-hop",
        ("hip-hop/cabbage patch", "hip-hop/roger rabbit"),
    ),
    Prompt("old school hip-hop; {when}: wave your arms", "hip-hop", ("popping/arm wave",)),
    Prompt("do the running man in every chorus, bart simpson in the intro", "hip-hop", ("hip-hop/running man", "hip-hop/bart simpson")),
    Prompt("krump, aggressive; {when}: chest pop", "krump", ("krump/chest pop",)),
    Prompt("krump hard, stomp at bar 9 for 16 counts", "krump", ("krump/stomp",)),
    Prompt("Krump! Smash in the chorus, arm swings in the verse.", "krump", ("krump/smash", "krump/arm swing")),
    Prompt("krump, raw and low; bars 5-8: jab; bars 9-12: buck hop", "krump", ("krump/jab", "krump/buck hop")),
    Prompt("popping, small range; bars 1-4: arm wave; chorus: running man", "popping", ("popping/arm wave", "hip-hop/running man")),
    Prompt("popping, sharp; {when}: tutting", "popping", ("popping/tutting",)),
    Prompt("Popping. I want the robot for the whole chorus.", "popping", ("popping/robot turn",)),
    Prompt("popping, smooth; {when}: body wave", "popping", ("popping/body wave",)),
    Prompt("popping; verse: moonwalk", "popping", ("popping/glide",)),
    Prompt("locking, playful; {when}: scooby doo", "locking", ("locking/scooby doo",)),
    Prompt("locking; verse: point; chorus: up lock", "locking", ("locking/point", "locking/up lock")),
    Prompt(
        "Funky locking with the leo walk in the intro and skeeter rabbits in the chorus",
        "locking",
        ("locking/leo walk", "locking/skeeter rabbit"),
    ),
    Prompt("jazz, large range; {when}: jazz square", "jazz", ("jazz/jazz square",)),
    Prompt("Broadway jazz: high kicks in the chorus, jazz hands in the intro", "jazz", ("jazz/high kick", "jazz/jazz hands")),
    Prompt("jazz; {when}: thumka", "jazz", ("bollywood/thumka",)),
    Prompt("charleston; {when}: bee's knees", "charleston", ("charleston/bee's knees",)),
    Prompt("1920s charleston, lively; chorus: mashed potato", "charleston", ("charleston/mashed potato",)),
    Prompt("charleston; from 0:10 to 0:18 the suzy q", "charleston", ("charleston/suzy q",)),
    Prompt("tap; {when}: cramp roll", "tap", ("tap/cramp roll",)),
    Prompt("tap dance, light; verse: time step; chorus: buffalo", "tap", ("tap/time step", "tap/buffalo")),
    Prompt("tap; bars 5-8: maxie ford, then bars 9-12: heel drop", "tap", ("tap/maxie ford", "tap/heel drop")),
    Prompt("salsa; {when}: cross body lead", "salsa", ("salsa/cross body lead",)),
    Prompt("salsa, smooth; chorus: right turn", "salsa", ("salsa/right turn",)),
    Prompt("Hot salsa with the suzy q in the verse and a shimmy in the chorus", "salsa", ("salsa/suzy q", "salsa/shimmy and tap")),
    Prompt("waltz; {when}: box step", "waltz", ("waltz/box step",)),
    Prompt("a gentle waltz, underarm turn for the whole chorus", "waltz", ("waltz/underarm turn",)),
    Prompt("waltz; verse: twinkle; chorus: balance step", "waltz", ("waltz/twinkle", "waltz/balance step")),
    Prompt("contemporary, large range; {when}: leg swing", "contemporary", ("contemporary/leg swing",)),
    Prompt(
        "A calm contemporary dance: fall and recovery in the chorus, a tilt in the verse.",
        "contemporary",
        ("contemporary/fall and recovery", "contemporary/tilt"),
    ),
    Prompt("lyrical, flowing; {when}: contraction", "contemporary", ("contemporary/contraction",)),
    Prompt("disco; {when}: hustle", "disco", ("disco/hustle",)),
    Prompt("Disco fever! Sprinkler in the verse, disco point in the chorus.", "disco", ("disco/sprinkler", "disco/disco point")),
    Prompt("seventies disco; {when}: running man", "disco", ("hip-hop/running man",)),
    Prompt("bollywood; {when}: thumka", "bollywood", ("bollywood/thumka",)),
    Prompt(
        "bollywood, big; chorus: bhangra; verse: light bulb", "bollywood", ("bollywood/bhangra shoulders", "bollywood/light bulb twist")
    ),
    Prompt("Bollywood with balle balle in every chorus", "bollywood", ("bollywood/balle balle",)),
)
"""Chosen before any model was judged."""
