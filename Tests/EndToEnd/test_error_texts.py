"""AWS's error texts, word for word: tables/error_texts.toml, row by row."""

import collections
import pathlib
import re
import tomllib

import botocore
import pytest

from support.expect import refused
from support.situations import Situations
from support.wire import Wire

TABLE = tomllib.loads((pathlib.Path(__file__).parent / "tables" / "error_texts.toml").read_text())
TEXTS, NOT_HERE = TABLE["text"], TABLE["not-here"]
PATTERNS = {"time": r"\d{8}T\d{6}Z", "other-id": "[0-9a-f]{64}"}
SET = re.compile(r"(?<=Member must satisfy enum value set: )\[(.*)\]")


def filled(value, values):
    """The value with what its braces name; bytes stand for themselves."""
    if isinstance(value, dict):
        return {name: filled(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, values) for each in value]
    if not isinstance(value, str):
        return value
    if isinstance(whole := values.get(value[1:-1]), bytes):
        return whole
    return re.sub(r"\{([^{}]+)\}", lambda found: values[found.group(1)], value)


def pattern(text, values):
    """All of the text, as a pattern."""
    parts = re.split(r"(\{[^{}]+\})", text)
    return "".join(
        PATTERNS.get(part[1:-1]) or re.escape(filled(part, values)) if part.startswith("{") else re.escape(part)
        for part in parts)


def in_order(text):
    """Enums in one order: on AWS it changes from answer to answer."""
    return SET.sub(lambda found: f"[{', '.join(sorted(found.group(1).split(', ')))}]", text)


def sources(rows):
    return collections.Counter(row.get("source", "recorded") for row in rows)


def test_the_table_is_whole():
    assert (len(TEXTS), len(NOT_HERE)) == (63, 5)
    assert len({row["when"] for row in TEXTS}) == len(TEXTS)
    assert len({tuple(row["answer"]) for row in TEXTS}) == 50
    assert sources(TEXTS) == {"recorded": 52, "guide": 4, "quoted": 7}
    assert sources(NOT_HERE) == {"guide": 4, "quoted": 1}
    assert all(row["why"] for row in NOT_HERE)
    assert not {tuple(row["answer"]) for row in NOT_HERE} & {tuple(row["answer"]) for row in TEXTS}


@pytest.fixture(scope="module")
def situations(server):
    return Situations(server)


@pytest.mark.parametrize("row", TEXTS, ids=[row["when"] for row in TEXTS])
def test_a_text(server, situations, row):
    kms, values = situations[row.get("key")]
    operation, arguments = row["call"]
    code, text = row["answer"]
    if "seconds" in row:
        answer = Wire(server).call(operation, arguments, seconds=row["seconds"])
        assert (answer.status, answer.code) == (400, code)
        assert re.fullmatch(pattern(text, values), answer.message), answer.message
        return
    if "access-key" in row:
        kms = server.client(access_key=row["access-key"])
    with refused(code, silent=text == "") as caught:
        getattr(kms, botocore.xform_name(operation))(**filled(arguments, values))
    message = caught.value.response["Error"].get("Message", "")
    assert re.fullmatch(pattern(in_order(text), values), in_order(message)), message
