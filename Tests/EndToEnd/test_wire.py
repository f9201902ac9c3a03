"""Bytes on the wire: what is not a good request gets AWS's error, and the next request is served."""

import email.utils
import json
import socket
import time
import uuid

import pytest

from support import wire
from support.expect import assert_error

MEBIBYTE = 1024 * 1024


# Good requests, as bytes

def test_an_answer_has_a_request_id_a_date_and_the_content_type(raw):
    answers = [raw.call("ListKeys", {}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert len({answer.headers["x-amzn-RequestId"] for answer in answers}) == 2
    for answer in answers:
        uuid.UUID(answer.headers["x-amzn-RequestId"])
        assert answer.headers["Content-Type"] == wire.CONTENT_TYPE
        assert abs(email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) < 60


def test_an_error_has_an_accurate_date_too(raw):
    """SDKs that correct their clock take it from the Date of the refusal."""
    answer = raw.call("ListKeys", {}, seconds=-3600)
    assert abs(email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) < 60


def test_operations_without_output_answer_200_and_nothing(raw, key):
    answer = raw.call("DisableKey", {"KeyId": key["KeyId"]})
    assert answer.status == 200
    assert answer.body in (b"", b"{}")


def test_timestamps_are_numbers_and_absent_members_are_omitted(raw, key):
    answer = raw.call("DescribeKey", {"KeyId": key["KeyId"]})
    metadata = answer.json["KeyMetadata"]
    assert isinstance(metadata["CreationDate"], (int, float))
    assert None not in metadata.values()
    assert "DeletionDate" not in metadata


def test_unknown_members_and_null_members_are_ignored(raw):
    assert raw.call("ListKeys", b'{"Limit": null, "FromTheFuture": {"a": [1, 2.5e3, "x", true, null]}}').status == 200


def test_several_requests_on_one_connection(raw):
    import http.client

    connection = http.client.HTTPConnection(raw.address.hostname, raw.address.port, timeout=30)
    for body in [b"{}", b"{", b"{}"]:
        headers = dict(raw.signed("TrentService.ListKeys", body))
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == (200 if body == b"{}" else 400)
    connection.close()


def test_a_connection_that_sends_nothing_sensible_does_not_disturb_others(raw):
    with socket.create_connection((raw.address.hostname, raw.address.port), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00 not HTTP at all\r\n\r\n")
        assert raw.call("ListKeys", {}).status == 200


# The body

UNPARSABLE = {
    "an open brace": b"{",
    "an array": b"[]",
    "a string": b'"x"',
    "a number": b"1",
    "rubbish": b"KeyId=alias/x",
    "something after the end": b"{} {}",
    "a comment": b"{/* */}",
    "single quotes": b"{'Limit': 1}",
    "a trailing comma": b'{"Limit": 1,}',
    "an unquoted name": b"{Limit: 1}",
    "NaN": b'{"Limit": NaN}',
    "a leading zero": b'{"Limit": 01}',
    "a raw control character": b'{"Marker": "a\nb"}',
    "an unknown escape": b'{"Marker": "\\x"}',
    "half an escape": b'{"Marker": "\\u12"}',
    "a lone high surrogate": b'{"Marker": "\\ud800"}',
    "a lone low surrogate": b'{"Marker": "\\udc00 and text"}',
    "surrogates in the wrong order": b'{"Marker": "\\udc00\\ud800"}',
    "a lone surrogate in the name of an unknown member": b'{"\\ud800": 1}',
    "an encoded surrogate": b'{"Marker": "\xed\xa0\x80"}',
    "an overlong encoding": b'{"Marker": "\xc0\xaf"}',
    "a byte that is not UTF-8": b'{"Marker": "\xff"}',
    "UTF-16": '{"Limit": 1}'.encode("utf-16"),
    "a duplicate member": b'{"Limit": 1, "Limit": 1}',
    "a duplicate member under two spellings": b'{"Limit": 1, "\\u004cimit": 1}',
    "a string for an integer": b'{"Limit": "1"}',
    "a boolean for an integer": b'{"Limit": true}',
    "an integer beyond 64 bits": b'{"Limit": 99999999999999999999999}',
    "a float beyond its range": b'{"Limit": 1e400}',
    "an object for an integer": b'{"Limit": {}}',
    "a number for a string": b'{"Marker": 1}',
    "a list for a string": b'{"Marker": ["a"]}',
    "an open bracket, a million times": b"[" * MEBIBYTE,
    "an open object, very often": b'{"a":' * 100_000,
    "nesting beyond reason in an unknown member": b'{"Future":' + b"[" * 5000 + b"]" * 5000 + b"}",
}


@pytest.mark.parametrize("body", UNPARSABLE.values(), ids=UNPARSABLE.keys())
def test_an_unparsable_body_is_a_serialization_exception(raw, body):
    assert_error(raw.call("ListKeys", body), "SerializationException")


WRONG_TYPES = {
    "a number as KeyId": ("DescribeKey", {"KeyId": 5}),
    "an object as KeyId": ("DescribeKey", {"KeyId": {}}),
    "text that is not base64": ("Encrypt", {"KeyId": "alias/x", "Plaintext": "***"}),
    "base64 without padding": ("Encrypt", {"KeyId": "alias/x", "Plaintext": "YQ"}),
    "a number as plaintext": ("Encrypt", {"KeyId": "alias/x", "Plaintext": 1}),
    "a list as encryption context": ("Encrypt", {"KeyId": "alias/x", "Plaintext": "YQ==", "EncryptionContext": []}),
    "a number in the encryption context":
        ("Encrypt", {"KeyId": "alias/x", "Plaintext": "YQ==", "EncryptionContext": {"a": 1}}),
    "text as a flag": ("Encrypt", {"KeyId": "alias/x", "Plaintext": "YQ==", "DryRun": "yes"}),
    "an object as tags": ("TagResource", {"KeyId": "alias/x", "Tags": {"TagKey": "a", "TagValue": "b"}}),
    "strings as tags": ("TagResource", {"KeyId": "alias/x", "Tags": ["a"]}),
}


@pytest.mark.parametrize(("operation", "body"), WRONG_TYPES.values(), ids=WRONG_TYPES.keys())
def test_a_wrong_json_type_is_a_serialization_exception(raw, operation, body):
    assert_error(raw.call(operation, body), "SerializationException")


@pytest.mark.parametrize("number", [b"1e300", b"-1e300", b"1e400", b"1e9999999999"])
def test_a_timestamp_beyond_all_calendars_is_a_serialization_exception(raw, number):
    body = (
        b'{"KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "ImportToken": "YQ==", "EncryptedKeyMaterial": "YQ==",'
        b' "ValidTo": ' + number + b"}")
    assert_error(raw.call("ImportKeyMaterial", body), "SerializationException")


def test_a_duplicate_name_in_an_encryption_context_is_refused(raw):
    body = b'{"KeyId": "alias/x", "Plaintext": "YQ==", "EncryptionContext": {"a": "1", "a": "2"}}'
    assert_error(raw.call("Encrypt", body), "SerializationException")


def test_names_that_look_alike_but_differ_in_bytes_are_not_duplicates(raw, key):
    body = json.dumps({
        "KeyId": key["KeyId"], "Plaintext": "YQ==",
        "EncryptionContext": {"caf\u00e9": "composed", "cafe\u0301": "decomposed"},
    }).encode()
    assert raw.call("Encrypt", body).status == 200


def test_a_body_of_exactly_one_mebibyte_is_read(raw):
    body = b'{"Limit": 1, "Future": "' + b"a" * (MEBIBYTE - 26) + b'"}'
    assert len(body) == MEBIBYTE
    assert raw.call("ListKeys", body).status == 200


def test_a_body_over_one_mebibyte_is_refused(raw):
    body = b'{"Limit": 1, "Future": "' + b"a" * (MEBIBYTE - 25) + b'"}'
    assert len(body) == MEBIBYTE + 1
    answer = raw.call("ListKeys", body)
    assert (answer.status, answer.code) == (413, "RequestEntityTooLargeException")


def test_a_long_content_length_is_refused_before_the_body_is_sent(raw):
    body = b"{}"
    headers = raw.signed("TrentService.ListKeys", body) + [("Content-Length", str(10**15))]
    answer = raw.send(headers, b"", content_length=False)
    assert (answer.status, answer.code) == (413, "RequestEntityTooLargeException")


def test_an_endless_chunked_body_is_refused(raw):
    headers = raw.signed("TrentService.ListKeys", b"{}") + [("Transfer-Encoding", "chunked")]
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = raw.send(headers, chunk * 17, content_length=False)
    assert (answer.status, answer.code) == (413, "RequestEntityTooLargeException")


# Constraints of the service model, with AWS's texts

def test_a_number_that_is_too_low_or_too_high(raw):
    assert_error(
        raw.call("GenerateRandom", {"NumberOfBytes": 0}), "ValidationException",
        "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1")
    assert_error(
        raw.call("GenerateRandom", {"NumberOfBytes": 1025}), "ValidationException",
        "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: "
        "Member must have value less than or equal to 1024")


def test_generate_random_without_a_number_is_no_constraint_failure(raw):
    assert_error(raw.call("GenerateRandom", {}), "ValidationException", "NumberOfBytes is required.")


def test_a_string_that_is_too_long_is_echoed_with_its_place(raw, key):
    tag_key = "k" * 129
    assert_error(
        raw.call("TagResource", {"KeyId": key["KeyId"], "Tags": [{"TagKey": tag_key, "TagValue": ""}]}),
        "ValidationException",
        f"1 validation error detected: Value '{tag_key}' at 'tags.1.member.tagKey' failed to satisfy constraint: "
        "Member must have length less than or equal to 128")


def test_a_secret_that_is_too_long_is_not_echoed(raw, key):
    assert_error(
        raw.call("Encrypt", {"KeyId": key["KeyId"], "Plaintext": "YWFh" * 1366}), "ValidationException",
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096")


def test_a_value_outside_of_an_enum(raw):
    answer = raw.call("CreateKey", {"KeySpec": "INVALID"})
    assert_error(answer, "ValidationException")
    assert answer.message.startswith(
        "1 validation error detected: Value 'INVALID' at 'keySpec' failed to satisfy constraint: "
        "Member must satisfy enum value set: [")


def test_a_value_that_does_not_match_a_pattern(raw, key):
    assert_error(
        raw.call("CreateAlias", {"AliasName": "alias/with space", "TargetKeyId": key["KeyId"]}), "ValidationException")


def test_a_pattern_must_match_the_whole_value(raw, key):
    assert_error(
        raw.call("CreateAlias", {"AliasName": "alias/x\n", "TargetKeyId": key["KeyId"]}), "ValidationException")


def test_every_violation_is_reported_at_once(raw):
    answer = raw.call("Encrypt", {"KeyId": "", "Plaintext": ""})
    assert_error(answer, "ValidationException")
    assert answer.message.startswith("2 validation errors detected: ")
    assert answer.message.count("failed to satisfy constraint: Member must have length greater than or equal to 1") == 2
    assert "'keyId'" in answer.message and "'plaintext'" in answer.message


def test_a_missing_required_member(raw):
    assert_error(raw.call("DescribeKey", {}), "ValidationException")


def test_constraints_are_checked_before_the_key_is_looked_up(raw):
    missing = "1234abcd-12ab-34cd-56ef-1234567890ab"
    assert_error(raw.call("Encrypt", {"KeyId": missing, "Plaintext": ""}), "ValidationException")


# The target

UNKNOWN_TARGETS = [
    "TrentService.Nope", "trentservice.ListKeys", "TrentService.listkeys", "ListKeys", "TrentService.",
    "TrentService.ListKeys.ListKeys", "DynamoDB_20120810.ListTables", "TrentService.ListKeys ListKeys",
]


@pytest.mark.parametrize("target", UNKNOWN_TARGETS)
def test_an_unknown_target_is_an_unknown_operation(raw, target):
    body = b"{}"
    assert_error(raw.send(raw.signed(target, body), body), "UnknownOperationException")


def test_a_missing_target_is_an_unknown_operation(raw):
    assert_error(raw.call(None, {}), "UnknownOperationException")


def test_other_methods_and_paths_are_refused(raw):
    for method, path in [("GET", "/"), ("PUT", "/"), ("DELETE", "/"), ("POST", "/kms"), ("GET", "/favicon.ico")]:
        answer = raw.send(raw.signed("TrentService.ListKeys", b"", method=method, path=path), b"", method, path)
        assert 400 <= answer.status < 500, (method, path, answer)


def test_the_readiness_probe_needs_no_signature(raw):
    answer = raw.send([("Host", raw.host)], method="GET", path="/ready")
    assert answer.status == 200
    assert answer.json == {"status": "ready"}


# Key identifiers

def test_an_arn_of_another_region(raw, key):
    arn = key["Arn"].replace(":us-east-1:", ":us-west-2:")
    assert_error(raw.call("DescribeKey", {"KeyId": arn}), "NotFoundException", "Invalid arn us-west-2")


@pytest.mark.parametrize("arn", [
    "arn:aws:kms", "arn:aws:s3:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:us-east-1:0:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:us-east-1:000000000000:secret/1234abcd-12ab-34cd-56ef-1234567890ab",
])
def test_a_malformed_arn(raw, arn):
    assert_error(raw.call("DescribeKey", {"KeyId": arn}), "InvalidArnException")


@pytest.mark.parametrize("key_id", [
    "mrk-fake-key-id", "1234abcd12ab34cd56ef1234567890ab", "not a key id", "\u00e9",
    "1234abcd-12ab-34cd-56ef-1234567890ag",
])
def test_a_malformed_key_id(raw, key_id):
    assert_error(raw.call("DescribeKey", {"KeyId": key_id}), "NotFoundException", f"Invalid keyId '{key_id}'")


def test_a_key_that_does_not_exist(raw):
    missing = str(uuid.uuid4())
    expected = f"Key 'arn:aws:kms:us-east-1:000000000000:key/{missing}' does not exist"
    assert_error(raw.call("DescribeKey", {"KeyId": missing}), "NotFoundException", expected)
    assert_error(
        raw.call("DescribeKey", {"KeyId": f"arn:aws:kms:us-east-1:000000000000:key/{missing}"}),
        "NotFoundException", expected)
