"""Where a stage goes: files and streams that lighting designers, desks and sequencers read. All of them take a `show.Show`.

    show       Show: stage, rig, music, song and dancer on one timeline; bars and times as people write them
    qlc        QLC+ workspace (.qxw) with the fixture definitions (`qlc_fixture`, .qxf) beside it
    cuesheet   the cues as CSV, printable HTML and PDF
    dmx        live sACN (E1.31) and Art-Net, dark at the end whatever happens
    osc        the cues as Open Sound Control messages, live and as a score
    live       frames in the time of a clock; follow: clocks that are told by OSC or MIDI time code
    midi       markers in a standard MIDI file, MIDI time code
    mvr        the rig as a My Virtual Rig scene

The same show gives the same bytes. A failure is one clear line.
"""
