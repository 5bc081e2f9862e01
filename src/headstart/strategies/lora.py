"""LoRA: low-rank adapters beside every linear layer are trained, the base's weights stay (Hu et al. 2021)."""

from headstart.bases.adapters import Lora
from headstart.strategies.strategy import Strategy
from headstart.training.phase import Phase
from headstart.training.recipe import Recipe

STRATEGY = Strategy(
    "lora",
    "low-rank adapters beside every linear layer are trained, starting from the fitted linear classifier",
    "trained",
    # Adapters begin at zero and want higher rates than weights, and which one varies more from task to task.
    Recipe((Phase(thaw=1.0, moves="adapter", epochs=3, body=0.5, decay=1.0),), Lora(), rates=(0.3, 1.0, 3.0)),
)
