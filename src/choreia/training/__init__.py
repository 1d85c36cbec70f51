"""The visible training loop and what it needs: phases, optimisers, checkpoints, a log. No paper names here."""
