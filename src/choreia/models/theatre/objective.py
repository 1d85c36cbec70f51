"""What is minimised in the three stages (paper 3.3, 4.2, 5.1; Eq. 3 to 6): modules whose forward takes a batch and returns named losses."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from choreia.diffusion.schedule import Schedule, cosine, linear
from choreia.models.theatre.config import Config, Sizes
from choreia.models.theatre.dancer import MotionEncoder, amplitude, readouts
from choreia.models.theatre.denoiser import Denoiser
from choreia.models.theatre.given import Given, pack
from choreia.models.theatre.latent import SharedSpace, StyleEncoder, coherence, correlation
from choreia.models.theatre.music import MusicEncoder, beat_pulse, event_class

Joints = Callable[[Tensor], Tensor]

SEEN = 6
"""Samples of a batch whose bodies are looked at: decoding all of them would cost more than the rest of a step."""

EVERY = 100
"""Steps after which λ₂ is estimated anew."""

USUAL_HZ = 2.0
"""Beats a second at which λ₂ is `LossWeights.beat` itself."""


def schedule_of(config: Config) -> Schedule:
    """The paper's linear schedule where it counts steps, the cosine where not."""
    return linear(config.train_times) if config.train_times else cosine()


class Encoders(nn.Module):
    """Music, motion and style encoders with their shared space, as stages 1 and 2 train them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.music, self.motion, self.style = MusicEncoder(sizes), MotionEncoder(sizes), StyleEncoder(sizes)
        self.space = SharedSpace(sizes)

    def forward(self, music: Tensor, joints: Tensor, style: Tensor) -> dict[str, Tensor]:
        """Common latents (B, N, latent / 2) of "music", "motion" and "visual"."""
        return self.space({"music": self.music(music), "motion": self.motion(joints), "visual": self.style(style)})


class EncoderObjective(nn.Module):
    """Stages 1 and 2. Batch: music (B, N, fold · MUSIC), joints (B, T, 22, 3), style (B, N, style)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, self.encoders = config, Encoders(config.sizes)
        self.shares = False

    def begin(self, stage: str) -> None:
        """The stage "encoders" learns what is to be read out of music and motion, "latent" goes on with the shared space beside."""
        self.shares = stage == "latent"

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Named losses."""
        encoders, sizes = self.encoders, self.config.sizes
        beat = beat_pulse(batch["music"], sizes.fold)
        music, motion = encoders.music(batch["music"]), encoders.motion(batch["joints"])
        moved = amplitude(batch["joints"], sizes.fps)
        wanted = readouts(batch["joints"], beat, sizes.fps, sizes.fold)
        events = encoders.music.events(music).flatten(0, 1).float()
        named = {
            "events": F.cross_entropy(events, event_class(batch["music"], sizes.fold).flatten()),
            "amplitude": F.smooth_l1_loss(encoders.music.expected(music).float(), moved),
            "readouts": F.smooth_l1_loss(encoders.motion.readout(motion).float(), torch.log1p(wanted)),
        }
        if self.shares:
            z = encoders.space({"music": music, "motion": motion, "visual": encoders.style(batch["style"])})
            named |= self._shared({name: value.float() for name, value in z.items()}, beat)
        return {"loss": torch.stack(list(named.values())).sum(), **named}

    def _shared(self, z: dict[str, Tensor], beat: Tensor) -> dict[str, Tensor]:
        weight, losses = 0.2 + beat.unflatten(1, (-1, self.config.sizes.fold)).amax(2), self.config.losses
        return {
            "correlation": losses.correlation * correlation(z, weight),
            "surprise": 0.1 * self.encoders.space.surprise(z),
            "orthogonal": losses.orthogonal * self.encoders.space.orthogonality(),
        }


class Objective(nn.Module):
    """Stage 3: the denoiser with its own copy of the music encoder, judged with the encoders of stage 2, which stay as they are.

    Batch: motion (B, N, motion), joints, style and music as in `EncoderObjective`, target (B, N, TARGET), noise like motion and style
    together, t (B,), has_music, has_motion, has_style, has_target (B,).
    """

    beats_hz: Tensor
    lambda_beat: Tensor

    def __init__(self, config: Config, encoders: Encoders, joints: Joints) -> None:
        super().__init__()
        self.config, self.schedule = config, schedule_of(config)
        self.listener, self.denoiser = deepcopy(encoders.music), Denoiser(config)
        self._fixed, self._joints = [encoders.eval().requires_grad_(False)], joints  # in a list: no part of the state
        self.register_buffer("beats_hz", torch.zeros(2))
        self.register_buffer("lambda_beat", torch.tensor(config.losses.beat))

    @property
    def encoders(self) -> Encoders:
        """Those of stage 2."""
        return self._fixed[0].to(self.lambda_beat.device)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Eq. 4 and its parts."""
        weights, sizes = self.config.losses, self.config.sizes
        given = given_of(batch, self.config, self.listener, self.encoders)
        x0, t = torch.cat([batch["motion"], batch["style"]], dim=-1), batch["t"]
        t = t if self.config.diffuses else torch.ones_like(t)
        x = self.schedule.add_noise(x0, batch["noise"] * self.config.diffuses, t)
        coarse, clean = self.denoiser(x, t, pack(given))
        emphasis = 1 + weights.emphasis * given.beat
        free = torch.cat([(1 - given.has_motion).expand_as(batch["motion"]), (1 - given.has_style).expand_as(batch["style"])], dim=-1)
        apart = emphasis * free * (clean - x0).square()
        named = {
            "motion": apart[..., : sizes.motion].mean(),
            "style": apart[..., sizes.motion :].mean(),
            "coarse": weights.coarse * (emphasis * (1 - given.has_motion) * (coarse - batch["motion"]).square()).mean(),
            **self._bodies(batch, torch.lerp(x0, clean, free), self.schedule.alpha(t).square()),
        }
        return {"loss": torch.stack(list(named.values())).sum(), **named}

    def _bodies(self, batch: dict[str, Tensor], rows: Tensor, signal: Tensor) -> dict[str, Tensor]:
        """L_beat, L_smooth and L_cmc of the first samples, each counted by how much of it the network could see."""
        weights, sizes = self.config.losses, self.config.sizes
        motion, style = rows[:SEEN].split([sizes.motion, sizes.style], dim=-1)
        music, signal = batch["music"][:SEEN], signal[:SEEN]
        with torch.autocast(rows.device.type, torch.bfloat16):
            joints = self._joints(motion).float()
        beat = beat_pulse(music, sizes.fold)
        bend = joints.diff(n=2, dim=1) * sizes.fps
        named = {"smooth": weights.smooth * (signal * bend.square().sum(-1).mean(dim=(1, 2))).mean()}
        if weights.beat:
            with torch.no_grad():
                expected = self.encoders.music.expected(self.encoders.music(music)).float()
            missed = (beat * (amplitude(joints, sizes.fps) - expected).square()).mean(1)
            named["beat"] = self._lambda_beat(beat) * (signal * missed).mean()
        if weights.cmc:
            z = self.encoders(music, joints, style)
            named["cmc"] = weights.cmc * (1 - coherence({name: value.float() for name, value in z.items()}))
        return named

    @torch.no_grad()
    def _lambda_beat(self, beat: Tensor) -> Tensor:
        """λ₂, which goes down as beats come denser: estimated anew from the density of the last `EVERY` batches."""
        if self.training:
            peaks = (beat > 0.9).float().diff(dim=1).clamp(min=0).sum(1).mean() / beat.shape[1] * self.config.sizes.fps
            self.beats_hz += torch.stack([peaks, torch.ones_like(peaks)])
            if self.beats_hz[1] >= EVERY:
                self.lambda_beat.fill_(self.config.losses.beat * USUAL_HZ / float((self.beats_hz[0] / EVERY).clamp(min=0.5)))
                self.beats_hz.zero_()
        return self.lambda_beat


def given_of(batch: dict[str, Tensor], config: Config, listener: MusicEncoder, encoders: Encoders) -> Given:
    """Conditions of a batch, with what the variant does not hear or aim at hidden."""
    length, fold = batch["music"].shape[1], config.sizes.fold
    there = {name: batch[f"has_{name}"][:, None, None].expand(-1, length, 1) for name in ("music", "motion", "style", "target")}
    with torch.no_grad():
        dancer = encoders.motion(batch["joints"])
    return Given(
        listener(batch["music"]), beat_pulse(batch["music"], fold).unflatten(1, (-1, fold)).amax(2)[..., None],
        there["music"] * float(config.hears), batch["motion"], dancer, there["motion"], batch["style"], there["style"],
        batch["target"], there["target"] * float(config.aims),
    )  # fmt: skip
