"""What a base was made from: told as a chain, and kept in records."""

from __future__ import annotations

import json

from headstart.bases.identity import Ancestor, Identity, ancestors, chain

ROOT = Identity("efficientnet_lite0", "package p 0.1", "0.1", "a" * 64, "Apache-2.0", "ImageNet-1k")
STEP = Ancestor("efficientnet_lite0", "package p 0.1", "0.1", "a" * 64, "Apache-2.0", "ImageNet-1k")
RUN = Ancestor("bees", "run bees", "2026-01-01", "b" * 64, "Apache-2.0", "ants_bees")


def identity(lineage):
    return Identity(ROOT.name, ROOT.source, ROOT.revision, "c" * 64, ROOT.licence, ROOT.trained_on, lineage)


def test_a_base_alone_is_its_own_chain():
    assert chain(ROOT) == "efficientnet_lite0 (ImageNet-1k, Apache-2.0) → yours"
    assert ancestors(ROOT) == (STEP,)
    assert chain(Identity("x", "folder x", "", "d" * 64), "") == "x"


def test_an_earlier_run_stands_between_its_base_and_yours():
    assert chain(identity((STEP, RUN))) == "efficientnet_lite0 (ImageNet-1k, Apache-2.0) → bees → yours"


def test_what_a_base_says_it_was_made_from_comes_before_it():
    made = Identity(
        "me/small", "hub me/small", "1", "e" * 64, "mit", "news", (Ancestor("big", "hub big", "", "f" * 64),)
    )
    assert chain(made) == "big → me/small (news, mit) → yours"


def test_an_identity_survives_json():
    given = identity((STEP, RUN))
    assert Identity.from_dict(json.loads(json.dumps(given.to_dict()))) == given
    assert type(given.to_dict()["lineage"]) is list


def test_older_records_are_read():
    old = {key: value for key, value in ROOT.to_dict().items() if key not in ("lineage", "remote_code")}
    assert Identity.from_dict(old) == ROOT
