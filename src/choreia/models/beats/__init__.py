"""The learned beat tracker: its corpus and its training recipe. The network itself is `music.beats.BeatNet`."""
