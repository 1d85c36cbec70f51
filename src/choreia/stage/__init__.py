"""Light and costume for music and dance: from a style to the bytes that lamps hear.

Coordinates: metres, Y up, the dancer faces +Z, where the audience sits; the dancer's left (stage left) is +X. The acting area is
`style.STAGE_M` wide and deep about the origin. Light adds up in linear RGB, hues are angles of OKLCH.

Where to look:

    types.Style      how the stage looks, one row a moment: colour, levels of 12 zones, texture, costume, beams, strobe
    types.Cue        at a time, go over to a row of Style within fades; types.Stage holds the track at 30 Hz, its slices and the cues
    style            zones in space, colour of every zone, texture field F(x, y), Style <-> vectors for a model
    palettes         OKLCH <-> linear RGB of light, named palettes, harmony rules
    looks            ten look categories, each a design in assets/looks/*.toml that answers to energy, beats and sections
    cues             cues -> track with fades, and track -> cues
    safety           flash, dark dancer, blinded audience: a safe track and a report of what was changed
    rig, rig_ofl     lamps in place (assets/rigs/*.toml), what they can do, Open Fixture Library fixtures
    rig_aim          pan and tilt of a moving head from where it hangs and where it looks
    rig_colour       colours of light by emitters, filters and wheels
    rig_dmx          Style + dancer + rig -> (T, universe, 512) bytes
"""
