"""Find wares and places in orders, from sentences whose words are tagged one a line.

Usage: python examples/tag_orders.py        (writes orders.conll and runs/orders/ where it is called)
"""

from __future__ import annotations

from pathlib import Path

import headstart as hs

WARES = """green tea,oak table,wool socks,rye bread,desk lamp,olive oil,rain coat,tin whistle,bath soap,paper kite,
garden hose,corn flakes,sun hat,brass bell,clay pot,ice skates,apple juice,bed sheet,wall clock,cork board,toy train,
rubber boots,lemon cake,steel pan,salt shaker,silk scarf,tent pegs,wax candles,plum jam,bike chain""".replace("\n", "")
PLACES = ["Oslo", "New Delhi", "Lima", "Cape Town", "Porto", "San Jose", "Quito"]
ORDERS = ("please send {ware} to {place} .", "the {ware} never came here , says our shop in {place}", "more {ware} !")


def lines(order: str, **names: str) -> list[str]:
    """A line a word: the first word of a ware or place is B-…, the others are I-…."""
    tagged = [f"{word}\tO" for word in order.split()]
    for kind, name in names.items():
        marked = [f"{word}\t{'I' if i else 'B'}-{kind}" for i, word in enumerate(name.split())]
        tagged = [line for old in tagged for line in (marked if old.startswith(f"{{{kind}}}") else [old])]
    return [*tagged, ""]


# A document a ware: what is ordered in the test set is in no training sentence.
with Path("orders.conll").open("w", encoding="utf-8") as file:
    for i, ware in enumerate(WARES.split(",")):
        rows = [line for j, order in enumerate(ORDERS) for line in lines(order, ware=ware, place=PLACES[(i + j) % 7])]
        file.write("\n".join([f"# newdoc id = {ware}", *rows, ""]))
run = hs.fit("orders.conll", strategy="probe", overwrite=True)
print(run.result.verdict.sentence, *(f"{kind.label}: F1 {kind.f1:.2f}" for kind in run.result.classes), sep="\n")
for span in run.model.predict(["We need 20 copper kettles in Buenos Aires by Friday."])[0]:
    print(f"{span.label} {span.text!r}, characters {span.start} to {span.end}: {span.confidence:.2f}")
