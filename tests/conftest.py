"""One thread a test process: the suite runs in parallel processes, and threads that wait for one another are slower than one."""

import os

for library in ("OMP", "OPENBLAS", "MKL"):  # read when numpy and torch are first imported
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import torch  # noqa: E402

torch.set_num_threads(1)
