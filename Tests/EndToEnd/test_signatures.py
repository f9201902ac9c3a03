"""SigV4: every kind of failure has its own AWS error, and the next request is served."""

import re

import pytest

from support.expect import assert_error
from support.wire import Wire


def test_no_authorization(raw):
    headers = [(name, value) for name, value in raw.signed("TrentService.ListKeys", b"{}") if name != "Authorization"]
    assert_error(raw.send(headers, b"{}"), "MissingAuthenticationTokenException")


MALFORMED_AUTHORIZATIONS = [
    "", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=test", "AWS4-HMAC-SHA256 rubbish",
    "AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/kms/aws4_request, SignedHeaders=host;x-amz-date",
    "AWS4-HMAC-SHA256 Credential=test/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=00",
    "AWS4-HMAC-SHA256 " + "Credential=" * 1000, "Basic dGVzdDp0ZXN0",
]


@pytest.mark.parametrize("value", MALFORMED_AUTHORIZATIONS)
def test_a_malformed_authorization(raw, value):
    headers = [
        (name, value if name == "Authorization" else old)
        for name, old in raw.signed("TrentService.ListKeys", b"{}")]
    answer = raw.send(headers, b"{}")
    assert answer.status == 400
    assert answer.code in ("IncompleteSignatureException", "MissingAuthenticationTokenException"), answer


def test_a_wrong_secret(server, raw):
    other = Wire(server, secret="not the secret")
    assert_error(other.call("ListKeys", {}), "InvalidSignatureException")


def test_an_unknown_access_key(server, raw):
    other = Wire(server, access_key="AKIANOBODY")
    assert_error(
        other.call("ListKeys", {}), "UnrecognizedClientException",
        "The security token included in the request is invalid.")


def test_an_unexpected_session_token(server, raw):
    other = Wire(server, token="never issued")
    assert_error(
        other.call("ListKeys", {}), "UnrecognizedClientException",
        "The security token included in the request is invalid.")


def test_a_changed_body(raw):
    headers = raw.signed("TrentService.ListKeys", b'{"Limit": 1}')
    assert_error(raw.send(headers, b'{"Limit": 2}'), "InvalidSignatureException")


def test_a_changed_target(raw):
    headers = [
        (name, "TrentService.ListAliases" if name == "X-Amz-Target" else value)
        for name, value in raw.signed("TrentService.ListKeys", b"{}")]
    assert_error(raw.send(headers, b"{}"), "InvalidSignatureException")


def test_a_changed_signature(raw):
    headers = [
        (name, re.sub(r"Signature=(.)", lambda m: "Signature=" + ("0" if m[1] != "0" else "1"), value))
        for name, value in raw.signed("TrentService.ListKeys", b"{}")]
    assert_error(raw.send(headers, b"{}"), "InvalidSignatureException")


def test_an_unsigned_target(raw):
    headers = raw.signed(None, b"{}", unsigned=[("X-Amz-Target", "TrentService.ListKeys")])
    assert_error(raw.send(headers, b"{}"), "InvalidSignatureException")


def test_an_unsigned_amz_header(raw):
    headers = raw.signed("TrentService.ListKeys", b"{}", unsigned=[("X-Amz-Meta", "added on the way")])
    assert_error(raw.send(headers, b"{}"), "InvalidSignatureException")


def test_unsigned_sdk_headers_are_welcome(raw):
    headers = raw.signed(
        "TrentService.ListKeys", b"{}", unsigned=[("amz-sdk-request", "attempt=1"), ("User-Agent", "x/1")])
    assert raw.send(headers, b"{}").status == 200


@pytest.mark.parametrize("duplicate", ["X-Amz-Target", "X-Amz-Date", "Authorization", "Host", "Content-Type"])
def test_a_duplicate_header(raw, duplicate):
    headers = raw.signed("TrentService.ListKeys", b"{}")
    headers += [(name, value) for name, value in headers if name.lower() == duplicate.lower()]
    answer = raw.send(headers, b"{}")
    assert answer.status == 400, answer
    if duplicate != "Host":  # An HTTP/1.1 server refuses two Hosts before anything else looks at the request.
        assert answer.code in ("IncompleteSignatureException", "InvalidSignatureException"), answer


def test_a_content_hash_that_is_not_the_bodys(raw):
    headers = raw.signed("TrentService.ListKeys", b"{}", extra=[("X-Amz-Content-SHA256", "0" * 64)])
    assert_error(raw.send(headers, b"{}"), "InvalidSignatureException")


def test_an_unsigned_payload_is_refused(raw):
    headers = raw.signed("TrentService.ListKeys", b"{}", extra=[("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")])
    assert_error(raw.send(headers, b"{}"), "InvalidSignatureException")


def test_a_clock_that_is_a_little_wrong_is_accepted(raw):
    for seconds in [-240, 240]:
        assert raw.call("ListKeys", {}, seconds=seconds).status == 200


def test_a_signature_from_the_past_is_expired(raw):
    answer = raw.call("ListKeys", {}, seconds=-400)
    assert_error(answer, "InvalidSignatureException")
    assert re.fullmatch(
        r"Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)", answer.message)


def test_a_signature_from_the_future_is_not_yet_current(raw):
    answer = raw.call("ListKeys", {}, seconds=400)
    assert_error(answer, "InvalidSignatureException")
    assert answer.message.startswith("Signature not yet current: ")


def test_a_scope_for_another_service(raw):
    assert_error(raw.call("ListKeys", {}, service="sts"), "InvalidSignatureException")


@pytest.mark.parametrize("region", ["", "nowhere", "US-EAST-1", "us_east_1", "us-east-", "../us-east-1"])
def test_a_scope_without_a_valid_region(raw, region):
    answer = raw.call("ListKeys", {}, region=region or " ")
    assert answer.status == 400
    assert answer.code in ("InvalidSignatureException", "IncompleteSignatureException"), answer


def test_a_scope_of_another_day(raw):
    """The date of the scope must be the date of the request."""
    headers = [
        (name, re.sub(r"/\d{8}/", "/20200101/", value) if name == "Authorization" else value)
        for name, value in raw.signed("TrentService.ListKeys", b"{}")]
    assert_error(raw.send(headers, b"{}"), "InvalidSignatureException")


def test_a_refused_signature_says_nothing_about_keys(server, raw, key):
    stranger = Wire(server, secret="not the secret")
    existing = stranger.call("DescribeKey", {"KeyId": key["KeyId"]})
    missing = stranger.call("DescribeKey", {"KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"})
    assert (existing.code, existing.message) == (missing.code, missing.message)
