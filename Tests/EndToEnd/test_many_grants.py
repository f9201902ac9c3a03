"""A key with as many grants as AWS allows: the right one is found, and every one is listed.

5,000 grants here; with STRONGROOM_MANY_GRANTS=1, the 50,000 that a key may have, and the refusal of one more.
"""

import os

from support import load
from support.expect import refused
from support.principals import Directory
from support.rights import server

PEOPLE = Directory()
ADMIN = PEOPLE.user("admin", policies=["AdministratorAccess"])
ONE = PEOPLE.user("one")
OTHER = PEOPLE.user("other")
QUOTA = 50_000
ALL = bool(os.environ.get("STRONGROOM_MANY_GRANTS"))
COUNT = QUOTA if ALL else 5_000


def context(number):
    return {"number": str(number)}


def test_a_key_with_very_many_grants(server):
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    connections = [load.Connection(server, ADMIN) for _ in range(8)]
    # All but the last to one grantee, each with a constraint of its own: the worst case for whoever looks for one.
    calls = [
        ("CreateGrant", {
            "KeyId": key, "GranteePrincipal": ONE.arn if number < COUNT - 1 else OTHER.arn, "Operations": ["Encrypt"],
            "Constraints": {"EncryptionContextEquals": context(number)}})
        for number in range(COUNT)]
    made = [answer["GrantId"] for answer in load.spread(connections, calls)]
    assert len(set(made)) == COUNT

    def allowed(who, number):
        try:
            server.client(**who.keys).encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context(number))
        except kms.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
            return False
        return True

    picked = [0, 1, COUNT // 2, COUNT - 2]
    assert all(allowed(ONE, number) for number in picked)
    assert not allowed(ONE, COUNT - 1) and not allowed(ONE, COUNT) and not allowed(OTHER, 0)
    assert allowed(OTHER, COUNT - 1)

    seen = []
    arguments = {"KeyId": key, "Limit": 100}
    while True:
        page = connections[0].call("ListGrants", arguments)
        seen += [entry["GrantId"] for entry in page["Grants"]]
        assert len(page["Grants"]) <= 100
        if not page["Truncated"]:
            break
        arguments["Marker"] = page["NextMarker"]
    assert len(seen) == COUNT and set(seen) == set(made)

    for number in picked:
        kms.revoke_grant(KeyId=key, GrantId=made[number])
    assert not any(allowed(ONE, number) for number in picked)
    assert allowed(ONE, 2)

    if ALL:
        load.spread(connections, [calls[number] for number in picked])
        with refused("LimitExceededException"):
            kms.create_grant(KeyId=key, GranteePrincipal=ONE.arn, Operations=["Encrypt"])
    server.restart()
    assert allowed(OTHER, COUNT - 1) and allowed(ONE, 2)
