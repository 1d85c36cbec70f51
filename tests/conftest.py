"""One torch thread a test process: the suite runs in parallel processes, and threads that wait for one another are slower than one."""

import torch

torch.set_num_threads(1)
