"""How well inputs of an unknown kind are detected."""

from __future__ import annotations

from headstart.records import OodRecord
from headstart.report.evidence import ScoredRows
from headstart.report.figures import bounded, count, known, number, rate, signed


def unknown(result: ScoredRows, rows: str = "test") -> list[str]:
    """Sentences; empty where the model cannot tell."""
    record = result.ood
    if record is None:
        return []
    found = [_auroc(record), _plain(record), _threshold(record, rows)]
    return [one for one in found if one]


def _auroc(record: OodRecord) -> str:
    how = f" Scores come from {record.method}." if record.method else ""
    if not known(record.auroc):
        return f"There was nothing unknown to evaluate OOD detection on.{how}"
    found = bounded(record.auroc, record.low, record.high)
    return f"OOD detection AUROC {found} on {count(record.n)} unknown inputs ({record.judged_on}).{how}"


def _plain(record: OodRecord) -> str:
    """The comparison with the greatest probability alone."""
    if not (known(record.auroc) and known(record.softmax_auroc)):
        return ""
    if record.beside:
        return f"{record.beside[0].upper()}{record.beside[1:]}."
    plain = f"Plain confidence, 1 − the greatest probability, has AUROC {number(record.softmax_auroc)}"
    if record.softmax_auroc > record.auroc:
        return f"{plain}, which is higher: rely on the confidence to find unknown inputs here."
    if not known(record.gain_low):
        return f"{plain}."
    shown = "a significant gain" if record.gain_low > 0 else "no significant difference"
    return f"{plain}; the gain over it is at least {signed(record.gain_low)}: {shown}."


def _threshold(record: OodRecord, rows: str) -> str:
    if not known(record.threshold):
        return ""
    alarms = f", as {rate(record.false_alarms)} of the {rows} rows are" if known(record.false_alarms) else ""
    return f"Inputs with a score above {number(record.threshold)} are called unknown{alarms}."
