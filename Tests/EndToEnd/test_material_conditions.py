"""Condition keys of imports and of rotation."""

import datetime
import os

import pytest

from support import wrapping
from support.expect import NO_IDENTITY_POLICY, denied
from support.materials import DAY
from support.principals import Directory, allow
from support.rights import server

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
TOMORROW = (datetime.datetime.now(datetime.timezone.utc) + DAY).replace(microsecond=0)
LATER = TOMORROW + 300 * DAY
EXPIRES, FOREVER = {"ExpirationModel": "KEY_MATERIAL_EXPIRES"}, wrapping.FOREVER


def user(name, action, condition):
    return PEOPLE.user(name, allow([action, "kms:DescribeKey"], condition=condition))


def parameters(algorithm="RSAES_OAEP_SHA_256", wrapping_key="RSA_2048"):
    return {"WrappingAlgorithm": algorithm, "WrappingKeySpec": wrapping_key}


# (who, allowed arguments, refused arguments)
PARAMETERS = [
    (user("by-algorithm", "kms:GetParametersForImport", {"StringLike": {"kms:WrappingAlgorithm": "*_SHA_256"}}),
     [parameters(), parameters("RSA_AES_KEY_WRAP_SHA_256")],
     [parameters("RSAES_OAEP_SHA_1"), parameters("RSA_AES_KEY_WRAP_SHA_1", "RSA_4096")]),
    (user("by-wrapping-key", "kms:GetParametersForImport", {"StringEquals": {"kms:WrappingKeySpec": "RSA_2048"}}),
     [parameters()], [parameters(wrapping_key="RSA_3072"), parameters(wrapping_key="RSA_4096")]),
]
IMPORTS = [
    (user("that-expire", "kms:ImportKeyMaterial",
          {"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_EXPIRES"}}),
     [{**EXPIRES, "ValidTo": LATER}], [FOREVER]),
    (user("that-do-not", "kms:ImportKeyMaterial",
          {"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}}),
     [FOREVER], [{**EXPIRES, "ValidTo": TOMORROW}]),
    (user("soon", "kms:ImportKeyMaterial", {"DateLessThan": {"kms:ValidTo": f"{TOMORROW + DAY:%Y-%m-%dT%H:%M:%SZ}"}}),
     [{**EXPIRES, "ValidTo": TOMORROW}], [{**EXPIRES, "ValidTo": LATER}, FOREVER]),
    (user("at-once", "kms:ImportKeyMaterial", {"DateEquals": {"kms:ValidTo": f"{TOMORROW:%Y-%m-%dT%H:%M:%SZ}"}}),
     [{**EXPIRES, "ValidTo": TOMORROW}], [{**EXPIRES, "ValidTo": TOMORROW + DAY / 86400}]),
    (user("without-date", "kms:ImportKeyMaterial", {"Null": {"kms:ValidTo": "true"}}),
     [FOREVER], [{**EXPIRES, "ValidTo": TOMORROW}]),
]
ROTATIONS = [
    (user("often", "kms:EnableKeyRotation", {"NumericLessThanEquals": {"kms:RotationPeriodInDays": "180"}}),
     [{"RotationPeriodInDays": 90}, {"RotationPeriodInDays": 180}], [{"RotationPeriodInDays": 181}, {}]),
    (user("by-default", "kms:EnableKeyRotation", {"Null": {"kms:RotationPeriodInDays": "true"}}),
     [{}], [{"RotationPeriodInDays": 365}]),
]


def check(kms, who, action, key, call, allowed, not_allowed):
    for arguments in not_allowed:
        with denied(who, action, key["Arn"], NO_IDENTITY_POLICY):
            call(KeyId=key["KeyId"], **arguments)
    for arguments in allowed:
        assert call(KeyId=key["KeyId"], **arguments)["ResponseMetadata"]["HTTPStatusCode"] == 200


def ids(value):
    return value.arn.rsplit("/", 1)[1] if hasattr(value, "arn") else ""


@pytest.mark.parametrize(("who", "allowed", "not_allowed"), PARAMETERS, ids=ids)
def test_conditions_on_parameters(server, region, own_kms, who, allowed, not_allowed):
    kms = server.client(region, **who.keys)
    check(kms, who, "GetParametersForImport", wrapping.create(own_kms), kms.get_parameters_for_import, allowed,
          not_allowed)


@pytest.mark.parametrize(("who", "allowed", "not_allowed"), IMPORTS, ids=ids)
def test_conditions_on_imports(server, region, own_kms, who, allowed, not_allowed):
    kms, key = server.client(region, **who.keys), wrapping.create(own_kms)
    request = wrapping.request(key, wrapping.parameters(own_kms, key), os.urandom(32), ExpirationModel=None)
    del request["KeyId"], request["ExpirationModel"]
    check(kms, who, "ImportKeyMaterial", key, lambda **more: kms.import_key_material(**request, **more), allowed,
          not_allowed)


@pytest.mark.parametrize(("who", "allowed", "not_allowed"), ROTATIONS, ids=ids)
def test_conditions_on_rotation(server, region, own_kms, who, allowed, not_allowed):
    kms, key = server.client(region, **who.keys), own_kms.create_key()["KeyMetadata"]
    check(kms, who, "EnableKeyRotation", key, kms.enable_key_rotation, allowed, not_allowed)
