"""Operations that are not built: dispatched, parsed, and refused by name."""

import boto3
import pytest

from support.coverage import REFUSED, ROWS

MODEL = boto3.Session().client(
    "kms", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x").meta.service_model


def example(shape, key_id):
    """A value that satisfies the constraints of the service model."""
    if shape.type_name == "structure":
        return {name: example(shape.members[name], key_id) for name in shape.required_members}
    if shape.type_name == "list":
        return [example(shape.member, key_id)]
    if shape.type_name == "string":
        if shape.name == "KeyIdType":
            return key_id
        if getattr(shape, "enum", None):
            return shape.enum[0]
        known = {"RegionType": "eu-west-1", "PrincipalIdType": "arn:aws:iam::000000000000:root"}
        return known.get(shape.name, "x" * 20)
    return {"blob": "YWJjZA==", "integer": 100, "boolean": False}[shape.type_name]


def test_the_table_lists_every_operation_of_the_service():
    assert sorted(ROWS) == sorted(MODEL.operation_names)
    assert len(ROWS) == 56


@pytest.mark.parametrize("operation", REFUSED)
def test_an_operation_that_is_not_built(raw, kms, operation):
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    answer = raw.call(operation, example(MODEL.operation_model(operation).input_shape, key_id))
    assert (answer.status, answer.code) == (400, "UnsupportedOperationException"), answer
    assert operation in answer.message


@pytest.mark.parametrize("operation", REFUSED)
def test_an_operation_that_is_not_built_still_wants_good_input(raw, operation):
    answer = raw.call(operation, b'{"KeyId": 1, "Limit": "x", "RetiringPrincipal": 7, "GrantId": 7}')
    assert (answer.status, answer.code) == (400, "SerializationException"), answer
