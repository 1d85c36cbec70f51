"""The training loop: exact resumption, survival of kill -9, NaN, two processes like one; optimisers against sums done by hand."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from choreia.errors import ChoreiaError
from choreia.models.base import read_weights, write_weights
from choreia.training import checkpoint
from choreia.training.loop import Settings, train
from choreia.training.optim import Adan, warm_cosine
from choreia.training.phase import Phase
from choreia.training.tracks import Track, Windows

TOY = '''
import numpy as np, torch
from torch import nn
from torch.nn import functional as F

class Toy(nn.Module):
    def __init__(self, drop=0.3):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(6, 32), nn.GELU(), nn.Dropout(drop), nn.Linear(32, 1))

    def forward(self, batch):
        error = F.mse_loss(self.net(batch["x"]), batch["y"])
        return {"loss": error, "error": error.detach()}

def batches(step):
    rng = np.random.default_rng((7, step))
    x = torch.from_numpy(rng.standard_normal((16, 6), np.float32))
    return {"x": x, "y": x.sum(1, keepdim=True).sin()}
'''
exec(TOY)


def phase(steps, name="toy", ema=0.9):
    return Phase(name, steps, batches, lr=1e-2, warmup=3, ema=ema)  # noqa: F821


def settings(out, **changes):
    return Settings(out, log_every=1, bf16=False, **changes)


def losses(out):
    return [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text().splitlines()]


def interrupted(steps, stop):
    """A phase of `steps` steps whose batches fail at step `stop`, as a crash would."""

    def fail(step):
        if step == stop:
            raise KeyboardInterrupt
        return batches(step)  # noqa: F821

    return Phase("toy", steps, fail, lr=1e-2, warmup=3, ema=0.9)


def test_resumes_to_the_same_losses_and_weights(tmp_path):
    whole = train(Toy(), [phase(20)], settings(tmp_path / "whole"))  # noqa: F821
    with pytest.raises(KeyboardInterrupt):
        train(Toy(), [interrupted(20, 13)], settings(tmp_path / "parts", save_every=5))  # noqa: F821
    torch.manual_seed(99)
    again = train(Toy(), [phase(20)], settings(tmp_path / "parts", save_every=5))  # noqa: F821
    assert losses(tmp_path / "parts")[13:] == losses(tmp_path / "whole")[10:]
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_phases_follow_one_another_and_resume_in_the_second(tmp_path):
    phases = [phase(6, "one"), phase(6, "two")]
    whole = train(Toy(), phases, settings(tmp_path / "whole"))  # noqa: F821
    train(Toy(), phases[:1], settings(tmp_path / "parts"))  # noqa: F821
    again = train(Toy(), phases, settings(tmp_path / "parts"))  # noqa: F821
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert [json.loads(line)["phase"] for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()] == ["one"] * 6 + ["two"] * 6


def test_a_finished_run_has_nothing_left_to_do(tmp_path):
    first = train(Toy(), [phase(4)], settings(tmp_path))  # noqa: F821
    again = train(Toy(), [phase(4)], settings(tmp_path))  # noqa: F821
    assert len(losses(tmp_path)) == 4
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_two_newest_checkpoints_are_kept_and_nothing_half_written(tmp_path):
    train(Toy(), [phase(20)], settings(tmp_path, save_every=4))  # noqa: F821
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["checkpoint-00-00000016.safetensors", "checkpoint-00-00000020.safetensors", "log.jsonl"]


def test_average_follows_the_weights(tmp_path):
    model = Toy()  # noqa: F821
    last = train(model, [phase(5, ema=0.0)], settings(tmp_path))
    assert all(torch.equal(last[name], value) for name, value in model.state_dict().items())


def test_time_budget_ends_the_run(tmp_path):
    began = time.monotonic()
    train(Toy(), [phase(10**6)], settings(tmp_path, max_seconds=0.5))  # noqa: F821
    assert time.monotonic() - began < 5
    rates = [json.loads(line)["lr"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rates[-1] < 0.2 * max(rates)


def test_nan_stops_and_keeps_the_batch(tmp_path):
    def poisoned(step):
        batch = batches(step)  # noqa: F821
        return batch | {"y": batch["y"] * math.nan} if step == 3 else batch

    with pytest.raises(ChoreiaError, match=r"step 3: loss, error not finite.*bad-batch"):
        train(Toy(), [Phase("toy", 9, poisoned, lr=1e-2)], settings(tmp_path))  # noqa: F821
    kept = load_file(tmp_path / "bad-batch-toy-3.safetensors")
    assert torch.equal(kept["x"], batches(3)["x"])  # noqa: F821


def test_without_accelerate_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ChoreiaError, match=r"pip install 'choreia\[train\]'"):
        train(Toy(), [phase(2)], settings(tmp_path / "out"))  # noqa: F821
    assert not (tmp_path / "out").exists()


def test_what_does_not_train_needs_no_accelerate():
    code = "import sys; sys.modules['accelerate'] = None; import choreia.pipelines.train, choreia.pipelines.leaderboard"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_checkpoint_of_another_model_is_refused(tmp_path):
    train(Toy(), [phase(2)], settings(tmp_path))  # noqa: F821
    with pytest.raises(ChoreiaError, match="another model"):
        checkpoint.restore(checkpoint.newest(tmp_path), nn.Linear(2, 2), None)
    broken = tmp_path / "checkpoint-00-00000009.safetensors"
    broken.write_bytes(b"\x00" * 40)
    with pytest.raises(ChoreiaError, match="not a readable checkpoint"):
        checkpoint.place_of(broken)


RUN = TOY + '''
import sys, time
from pathlib import Path
from choreia.training.loop import Settings, train
from choreia.training.phase import Phase

torch.set_num_threads(1)
pause = float(sys.argv[2])
def slow(step):
    time.sleep(pause)
    return batches(step)
train(Toy(drop=0.0), [Phase("toy", int(sys.argv[3]), slow, lr=1e-2, warmup=3, ema=0.9)],
      Settings(Path(sys.argv[1]), log_every=1, bf16=False, save_every=5))
'''


HASTY = TOY + '''
import os, sys, time
from pathlib import Path
from choreia.training.loop import Settings, train
from choreia.training.phase import Phase

torch.set_num_threads(1)
own = time.monotonic
time.monotonic = lambda: own() * (1 + 3 * int(os.environ["RANK"]))
train(Toy(drop=0.0), [Phase("toy", 100_000, batches, lr=1e-2)], Settings(Path(sys.argv[1]), bf16=False, save_every_s=0.02, max_seconds=1.0))
'''


def start(tmp_path, *arguments, processes=1, run=RUN):
    script = tmp_path / "run.py"
    script.write_text(run)
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"] if processes > 1 else []
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "ACCELERATE_USE_CPU": "true"}
    command = [sys.executable, *launch, str(script), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_kill_loses_at_most_the_last_interval(tmp_path):
    out = tmp_path / "out"
    process = start(tmp_path, out, 0.02, 10_000)
    while not (out / "log.jsonl").exists() or len(losses_so_far(out)) < 12:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = len(losses_so_far(out))
    assert done - checkpoint.place_of(checkpoint.newest(out)).step <= 6


def losses_so_far(out):
    return [line for line in (out / "log.jsonl").read_text().splitlines() if line.endswith("}")]


def test_two_processes_are_like_one(tmp_path):
    one = start(tmp_path, tmp_path / "one", 0, 8)
    _, error = one.communicate(timeout=120)
    assert one.returncode == 0, error
    two = start(tmp_path, tmp_path / "two", 0, 8, processes=2)
    _, error = two.communicate(timeout=120)
    assert two.returncode == 0, error
    a, b = (load_file(checkpoint.newest(tmp_path / name)) for name in ("one", "two"))
    assert all(torch.allclose(a[name], b[name], atol=1e-4) for name in a if name.startswith(("model.", "average.")))


def test_processes_whose_clocks_disagree_stop_together(tmp_path):
    hasty = start(tmp_path, tmp_path / "out", processes=2, run=HASTY)
    _, error = hasty.communicate(timeout=240)
    assert hasty.returncode == 0, error
    place = checkpoint.place_of(checkpoint.newest(tmp_path / "out"))
    assert 0 < place.step < 100_000


class TestOptimisers:
    def test_first_adan_step_by_hand(self):
        weight = nn.Parameter(torch.tensor([2.0, -1.0]))
        weight.grad = torch.tensor([0.5, -3.0])
        Adan([weight], lr=0.1, weight_decay=0.2).step()
        expected = (torch.tensor([2.0, -1.0]) - 0.1 * torch.tensor([1.0, -1.0])) / 1.02
        assert torch.allclose(weight, expected, atol=1e-5)

    def test_second_adan_step_by_hand(self):
        weight, (b1, b2, b3), g = nn.Parameter(torch.zeros(1)), (0.98, 0.92, 0.99), (1.0, 3.0)
        optimiser = Adan([weight], lr=1.0)
        for gradient in g:
            weight.grad = torch.tensor([gradient])
            optimiser.step()
        m = b1 * (1 - b1) * g[0] + (1 - b1) * g[1]
        v = (1 - b2) * (g[1] - g[0])
        n = b3 * (1 - b3) * g[0] ** 2 + (1 - b3) * (g[1] + b2 * (g[1] - g[0])) ** 2
        second = (m / (1 - b1**2) + b2 * v / (1 - b2**2)) / math.sqrt(n / (1 - b3**2))
        assert weight.item() == pytest.approx(-1.0 - second, rel=1e-4)

    def test_adan_finds_the_minimum(self):
        weight = nn.Parameter(torch.tensor([5.0, -4.0]))
        optimiser = Adan([weight], lr=0.05)
        for _ in range(400):
            optimiser.zero_grad()
            (weight - 1).square().sum().backward()
            optimiser.step()
        assert torch.allclose(weight, torch.ones(2), atol=0.15)

    def test_learning_rate_rises_then_falls(self):
        assert warm_cosine(0.0, 0, 10) == pytest.approx(0.1)
        assert warm_cosine(0.0, 9, 10) == pytest.approx(1.0)
        assert warm_cosine(0.5, 500, 10, floor=0.0) == pytest.approx(0.5)
        assert warm_cosine(1.0, 1000, 10, floor=0.02) == pytest.approx(0.02)


class TestWindows:
    def tracks(self):
        a = Track("a", np.arange(100, dtype=np.float32)[:, None], np.full((100, 2), 7, np.float32), 0)
        b = Track("b", 1000 + np.arange(50, dtype=np.float32)[:, None], None, 3, weight=4.0)
        return a, b, Track("short", np.zeros((5, 1), np.float32), None, 1)

    def test_same_step_same_windows(self):
        one, two = (Windows(self.tracks(), 16, seed=3).draw(5, 8)[0] for _ in range(2))
        assert all(torch.equal(one[name], two[name]) for name in one)
        assert not torch.equal(one["values"], Windows(self.tracks(), 16, seed=3).draw(6, 8)[0]["values"])

    def test_windows_are_runs_of_their_take(self):
        batch, _ = Windows(self.tracks(), 16, seed=0, grid=4).draw(0, 200)
        first = batch["values"][:, 0, 0]
        assert (batch["values"][..., 0] == first[:, None] + torch.arange(16)).all()
        assert (first % 4 == 0).all()
        from_b = first >= 1000
        assert torch.equal(batch["style"], torch.where(from_b, 3, 0))
        assert torch.equal(batch["has_music"], (~from_b).float())
        assert (batch["music"][from_b] == 0).all() and (batch["music"][~from_b] == 7).all()
        assert 0.4 < from_b.float().mean() < 0.8

    def test_too_short_material_is_refused(self):
        with pytest.raises(ChoreiaError, match="no take has 101 frames"):
            Windows(self.tracks(), 101, seed=0)


def test_weights_of_the_same_content_are_the_same_bytes(tmp_path):
    header = {"model": "x", "config": '{"a": "é"}', **{f"field {k}": str(k) for k in range(20)}}
    written = set()
    for _ in range(6):
        write_weights(tmp_path / "w.safetensors", {"b": torch.arange(5.0), "a": torch.ones(3, 2)}, header)
        written.add((tmp_path / "w.safetensors").read_bytes())
    read = read_weights(tmp_path / "w.safetensors", "x")
    assert len(written) == 1 and read.header["config"] == header["config"] and torch.equal(read.tensors["b"], torch.arange(5.0))
