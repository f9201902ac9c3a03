"""docs/api-coverage.md, held against the service model of the installed SDK."""

import re

import boto3

from support.server import CHECKOUT

ROWS = re.findall(r"^\| (\w+) \| (\w+) \|", (CHECKOUT / "docs" / "api-coverage.md").read_text(), re.MULTILINE)
MODEL = boto3.Session().client(
    "kms", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x").meta.service_model


def test_every_operation_of_the_service_is_there_and_built():
    built = [operation for operation, status in ROWS if status in ("done", "partial")]
    assert sorted(built) == sorted(MODEL.operation_names)
    assert len(built) == 56
