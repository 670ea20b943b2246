"""`--variants`: one model under several settings, each an entrant with a name of its own in the same comparison."""

from collections.abc import Collection, Mapping
from typing import Any

from headtohead.comparing.model_settings import FLAG, own_settings, refuse_unnamed_code
from headtohead.errors import UserError
from headtohead.models.registry import MODELS, check_image_size, find_spec
from headtohead.options.checks import parts_of_setting
from headtohead.options.comparison import ComparisonOptions, is_baseline

LABEL = "`variants`"


def variants_of(comparison: ComparisonOptions, image_size: int) -> list[tuple[str, str, dict[str, Any]]]:
    """List the variants in the order of their names' first mention: name, model, and option to settled value.

    A variant has the settings that `model_settings` gives its model, and its own in place of them.

    Raises:
        UserError: a name is that of a model, of the baseline or of two models; a setting is none, or is given twice, or
            the model has no use for it; or the image size does not suit the model.
    """
    settings: dict[str, list[str]] = {}
    for item in comparison.variants:
        name, _, setting = item.partition("=")
        settings.setdefault(name.strip(), []).append(setting.strip())
    found = []
    for name, own in settings.items():
        models = list(dict.fromkeys(parts_of_setting(setting)[0] for setting in own))
        if name in (*MODELS, *comparison.models) or is_baseline(name):
            raise UserError(f"{LABEL} {name}: there is an entrant or a model of that name; choose another")
        if len(models) > 1:
            raise UserError(f"{LABEL} {name}: is of {models[0]} and of {models[1]}; give each a name of its own")
        find_spec(models[0], f"{LABEL} {name}:")
        of_all = own_settings(_of_model(comparison.model_settings, models[0]), models[0])
        try:
            merged = of_all | own_settings(own, models[0])
        except UserError as fault:
            raise UserError(f"{LABEL} {name}: {str(fault).removeprefix(FLAG).strip()}") from fault
        check_image_size(models[0], merged.get("image_size", image_size), f"{LABEL} {name}: `image_size`")
        found.append((name, models[0], merged))
    return found


def refuse_impossible_variants(
    given: Mapping[str, Any], verbs: Collection[str], comparison: ComparisonOptions, image_size: int
) -> None:
    """Refuse variants that cannot be; the arguments are as for `model_settings.refuse_impossible_models`.

    Raises:
        UserError: as `variants_of`.
    """
    if "compare" in verbs:
        for item in set(comparison.variants) - set(given.get("variants", ())):
            refuse_unnamed_code(parts_of_setting(item.partition("=")[2])[0], "`config`")
        variants_of(comparison, image_size)


def _of_model(settings: tuple[str, ...], model: str) -> list[str]:
    return [item for item in settings if parts_of_setting(item)[0] == model]
