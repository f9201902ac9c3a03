"""What a test says about a refusal."""

import contextlib
import re
import uuid

import botocore.exceptions
import pytest

from support import wire


# What needs an object on a token without room for one answers this.
NO_ROOM = (
    "The token of the key store has no room for another key. Delete KMS keys that nobody needs, or make room on the "
    "token, and try the request again. Keys that are there go on working.")


@contextlib.contextmanager
def refused(code, message=None, *, matching=None, silent=False, status=400):
    """The block must be refused with AWS's `code`.

    `message` is the exact text, `matching` a pattern for all of it, `silent` says that AWS sends no text at all.
    """
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield caught
    response = caught.value.response
    assert response["Error"]["Code"] == code, response["Error"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    text = response["Error"].get("Message", "")
    if message is not None:
        assert text == message
    if matching is not None:
        assert re.fullmatch(matching, text), text
    if silent:
        assert "message" not in response and text == "", text


# Why somebody is not authorized, as the end of AWS's sentence.
NO_RESOURCE_POLICY = "because no resource-based policy allows the kms:{action} action"
NO_IDENTITY_POLICY = "because no identity-based policy allows the kms:{action} action"
NO_BOUNDARY = "because no permissions boundary allows the kms:{action} action"
NO_SESSION_POLICY = "because no session policy allows the kms:{action} action"
DENY_IN_RESOURCE_POLICY = "with an explicit deny in a resource-based policy"
DENY_IN_IDENTITY_POLICY = "with an explicit deny in an identity-based policy"
DENY_IN_BOUNDARY = "with an explicit deny in a permissions boundary"
DENY_IN_SESSION_POLICY = "with an explicit deny in a session policy"


def denied(who, action, resource, reason):
    """The block must be refused with AWS's sentence: who, which action, on what, why."""
    return refused(
        "AccessDeniedException",
        f"User: {who.arn} is not authorized to perform: kms:{action} on resource: {resource} "
        + reason.format(action=action))


def denied_by_ciphertext(who, action="Decrypt"):
    """The block must be refused as AWS refuses when the key is the one that the ciphertext names."""
    return refused(
        "AccessDeniedException",
        f"User: {who.arn} is not authorized to perform: kms:{action} on the resource associated with this ciphertext "
        "because the resource does not exist in this Region, no resource-based policies allow access, or a "
        "resource-based policy explicitly denies access")


INCORRECT_KEY = (
    "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
DRY_RUN = ("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")


def assert_error(answer, code, message=None):
    """The raw answer must be AWS's error `code`, with the headers that every answer has."""
    assert answer.status == 400, answer
    assert answer.code == code, answer
    assert answer.headers["Content-Type"] == wire.CONTENT_TYPE
    uuid.UUID(answer.headers["x-amzn-RequestId"])
    if message is not None:
        assert answer.message == message
