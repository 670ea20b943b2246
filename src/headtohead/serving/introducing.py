"""What the page says of its model: its name, how good it is and on whom that was measured."""

from typing import Any

from headtohead.options.flags import as_flags
from headtohead.predicting.predictor import Predictor
from headtohead.trained.choosing import Choice

CAUTION = "Trained on made-up patients: its masks of real images mean nothing."


def introduce(predictor: Predictor) -> dict[str, str]:
    """Say which model answers, what it was trained on and why it was chosen (`origin`), and how good it is (`score`).

    `made_up` is a caution, or empty; `settings` are threshold, clean-up and engine.
    """
    engines = ", ".join(dict.fromkeys(engine.name for engine in predictor.engines))
    steps = str(predictor.clean_up).replace(",", ", ")
    return {
        "name": predictor.name,
        "origin": origin(predictor.choices),
        "made_up": CAUTION if any(choice.made_up for choice in predictor.choices) else "",
        "score": known_score(predictor.choices),
        "settings": f"threshold {predictor.threshold:g}, {f'clean-up {steps}' if steps else 'no clean-up'}, {engines}",
    }


def origin(choices: tuple[Choice, ...]) -> str:
    """Say what the models were trained on and why they were chosen; what several have in common once."""
    facts = ["; ".join(dict.fromkeys(getattr(choice, name) for choice in choices)) for name in ("origin", "reason")]
    return " ".join(f"{fact[:1].upper()}{fact[1:]}." for fact in map(as_flags, facts))


def known_score(choices: tuple[Choice, ...]) -> str:
    """Say in a sentence how good the model is known to be; of an average, how good its models are."""
    known = [_known(choice) for choice in choices]
    if len(choices) > 1:
        means = [one["mean"] for one in known if "mean" in one]
        if not means:
            return f"An average of {len(choices)} models without a known test score."
        return (
            f"An average of {len(choices)} models; each alone scores a mean Dice of {min(means):.2f} to "
            f"{max(means):.2f} on its test cases. The average itself was not tested."
        )
    facts, leak = known[0], ""
    leaking = choices[0].record.get("split", {}).get("leaking_patients", 0)
    if leaking:
        leak = f" {leaking} patients leak from training into the test, so this is too good."
    if "mean" in facts:
        interval = f" [{facts['low']:.2f}, {facts['high']:.2f}]" if {"low", "high"} <= facts.keys() else ""
        number = f"{facts['n']} " if "n" in facts else ""
        whom = "test cases" if leaking else "test cases it never saw"
        folds = ""
        if {"cross_validated", "cross_validated_n"} <= facts.keys():
            mean, cases = facts["cross_validated"], facts["cross_validated_n"]
            folds = f" Expect {mean:.2f}, the mean of its cross-validation over {cases} cases."
        return f"Mean Dice {facts['mean']:.2f}{interval} over {number}{whom}.{folds}{leak}"
    if "val_dice" in facts:
        return f"Dice {facts['val_dice']:.2f} on the validation cases it was chosen by; never tested, so expect less."
    return "This program has not measured its accuracy: check every mask by eye."


def _known(choice: Choice) -> dict[str, Any]:
    """Collect finite scores: from model.json, else from the record of the run."""
    record = {"val_dice": choice.record.get("best_val_dice"), "mean": choice.record.get("test_dice")}
    found = {**record, **choice.source.facts.scores}
    return {name: value for name, value in found.items() if isinstance(value, int | float) and value == value}
