"""The priors by kind: the paper's best and its ablations."""

from __future__ import annotations

from choreia.models.dancemeld.codes import CodesPrior
from choreia.models.dancemeld.config import PriorConfig, TokenizerConfig
from choreia.models.dancemeld.prior import CascadePrior, JointPrior

Prior = JointPrior | CodesPrior
PRIORS: dict[str, type[JointPrior] | type[CodesPrior]] = {"joint": JointPrior, "cascade": CascadePrior, "codes": CodesPrior}


def build_prior(tokenizer: TokenizerConfig, styles: int, config: PriorConfig) -> Prior:
    """The prior of the kind that `config` names."""
    return PRIORS[config.kind](tokenizer, styles, config)
