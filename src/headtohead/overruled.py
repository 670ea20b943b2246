"""Options that a verb reads and that change nothing all the same, because of others in the same command."""

from collections.abc import Collection, Mapping
from typing import Any

from headtohead.batches.overruled import no_use_for_batches
from headtohead.comparing.model_settings import no_use_for_models
from headtohead.comparing.start_settings import no_use_for_start
from headtohead.effects import READ
from headtohead.entrants.overruled import no_use_for_scores, no_use_in_scoring
from headtohead.errors import UserError
from headtohead.exploring.folder import no_use_in_exploring
from headtohead.options.table import Options
from headtohead.reporting.sheet_folder import no_use_for_sheet
from headtohead.trained.overruled import no_use_beside_training, no_use_for_choice


def refuse_overruled(given: Mapping[str, Any], verbs: Collection[str], options: Options) -> None:
    """Refuse options that others of the command leave without effect on every verb; a YAML file may serve several.

    Raises:
        UserError: names the option and what overrules it.
    """

    def reason_against(name: str, verb: str) -> str:
        """Ask the rooms in turn, each for its own options, why one has no effect on a verb; empty if it has one."""
        return (
            no_use_for_choice(name, verb, options.prediction, options.comparison, options.machine.precision)
            or no_use_beside_training(name, verb, options.verbs.train)
            or no_use_for_sheet(name, verb, options.prediction.output)
            or no_use_for_scores(name, verb, options.scoring.scores)
            or no_use_in_exploring(name, verb, options.prediction.output)
            or no_use_in_scoring(name, verb, options.scoring.truth, options.scoring.images)
            or no_use_for_start(
                name, verb, options.verbs.train, options.model, options.training, options.starting, options.comparison
            )
            or no_use_for_batches(name, verb, options.data, options.input, options.training)
            or no_use_for_models(name, verb, options.verbs.train, options.model, options.comparison, options.training)
        )

    for name, value in given.items():
        readers = [verb for verb in verbs if name in READ[verb]]
        off = value is False or value == ""
        reasons = [reason_against(name, verb) for verb in readers]
        if readers and not off and all(reasons):
            raise UserError(f"`{name}`: {reasons[0]}")
