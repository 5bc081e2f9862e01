"""How well inputs of an unknown kind are told from known ones."""

from __future__ import annotations

from headstart.records import OodRecord, Result
from headstart.report.figures import bounded, count, known, number, rate, signed

_HOW = (
    "Every prediction carries a score of how strange its input is, from 0 (like what the model was trained on) to 1. "
)


def unknown(result: Result) -> list[tuple[str, str]]:
    """Facts by name; empty where the model cannot tell."""
    record = result.ood
    if record is None:
        return []
    facts = [
        ("How", _HOW + (f"It comes from {record.method}." if record.method else "")),
        ("Judged on", record.judged_on or "nothing: there was nothing unknown to judge it on"),
        ("Told apart", _apart(record)),
        ("Plain way", _plain(record)),
        ("Called unknown", _threshold(record)),
    ]
    return [(name, said) for name, said in facts if said]


def _apart(record: OodRecord) -> str:
    if not known(record.auroc):
        return ""
    return (
        f"AUROC {bounded(record.auroc, record.low, record.high)}, with its 95\u00a0% interval, on {count(record.n)} "
        "unknown inputs: how often an unknown input has a higher score than a known one; 0.5 is guessing."
    )


def _plain(record: OodRecord) -> str:
    """The comparison with the greatest probability alone."""
    if not (known(record.auroc) and known(record.softmax_auroc)):
        return ""
    if record.beside:
        return f"{record.beside[0].upper()}{record.beside[1:]}."
    said = f"1 − the greatest probability gives AUROC {number(record.softmax_auroc)}"
    if not known(record.gain_low):
        return f"{said}; how sure the difference is cannot be said."
    shown = "the score is better" if record.gain_low > 0 else "the score is not shown to be better"
    return f"{said}; the lower 95\u00a0% bound of the gain over it, paired, is {signed(record.gain_low)}: {shown}."


def _threshold(record: OodRecord) -> str:
    if not known(record.threshold):
        return ""
    alarms = f", which befalls {rate(record.false_alarms)} of the test examples" if known(record.false_alarms) else ""
    return f"above a score of {number(record.threshold)}{alarms}."
