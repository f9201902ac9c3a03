"""What a test says about a refusal."""

import contextlib
import re
import uuid

import botocore.exceptions
import pytest

from support import wire


@contextlib.contextmanager
def refused(code, message=None, *, matching=None, silent=False):
    """The block must be refused with AWS's `code`.

    `message` is the exact text, `matching` a pattern for all of it, `silent` says that AWS sends no text at all.
    """
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield caught
    response = caught.value.response
    assert response["Error"]["Code"] == code, response["Error"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    text = response["Error"].get("Message", "")
    if message is not None:
        assert text == message
    if matching is not None:
        assert re.fullmatch(matching, text), text
    if silent:
        assert "message" not in response and text == "", text


DRY_RUN = ("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")


def assert_error(answer, code, message=None):
    """The raw answer must be AWS's error `code`, with the headers that every answer has."""
    assert answer.status == 400, answer
    assert answer.code == code, answer
    assert answer.headers["Content-Type"] == wire.CONTENT_TYPE
    uuid.UUID(answer.headers["x-amzn-RequestId"])
    if message is not None:
        assert answer.message == message
