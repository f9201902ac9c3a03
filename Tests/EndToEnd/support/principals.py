"""Principals files: accounts, users and roles with their policies, and how to be one of them."""

import contextlib
import dataclasses
import json

import yaml

from support import server as server_module

ACCOUNT = "111111111111"
OTHER_ACCOUNT = "222222222222"
ORGANIZATION = "o-a1b2c3d4e5"


# Policies

def root(account=ACCOUNT, partition="aws"):
    """The account principal: its root user, and whomever the account lets by its own policies."""
    return f"arn:{partition}:iam::{account}:root"


def _principal(value):
    if isinstance(value, (Identity, Role)):
        return {"AWS": value.arn}
    if isinstance(value, str) and value != "*":
        return {"AWS": value}
    if isinstance(value, list):
        return {"AWS": [entry if isinstance(entry, str) else entry.arn for entry in value]}
    return value


def statement(effect, action, *, resource="*", principal=None, condition=None, sid=None, **more):
    made = {
        "Sid": sid, "Effect": effect, "Principal": _principal(principal), "Action": action, "Resource": resource,
        "Condition": condition, **more,
    }
    return {name: value for name, value in made.items() if value is not None}


def allow(action, **more):
    return statement("Allow", action, **more)


def deny(action, **more):
    return statement("Deny", action, **more)


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def delegation(account=ACCOUNT):
    """What the default key policy says: the account decides by its identity policies."""
    return allow("kms:*", principal=root(account))


def text(*statements):
    """A policy as the API takes it."""
    return json.dumps(document(*statements))


# Who there is

@dataclasses.dataclass(frozen=True)
class Identity:
    """Somebody with an access key: a user, the root user of an account, or a session of a role."""

    arn: str
    access_key: str
    secret: str
    token: str | None = None

    @property
    def keys(self):
        """As `Server.client` and `Wire` take them."""
        return {"access_key": self.access_key, "secret": self.secret, "token": self.token}

    @property
    def account(self):
        return self.arn.split(":")[4]


@dataclasses.dataclass(frozen=True)
class Role:
    arn: str

    @property
    def account(self):
        return self.arn.split(":")[4]

    @property
    def name(self):
        return self.arn.rsplit("/", 1)[1]

    def session_arn(self, session):
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{session}"


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True  # What stands twice is written twice, not as an anchor and an alias.


class Directory:
    """The content of a principals file, made step by step."""

    def __init__(self):
        self.content = {"accounts": {}}
        self._numbers = 0

    def account(self, account, **settings):
        entry = self.content["accounts"].setdefault(account, {})
        entry.update(settings)
        return entry

    def access_key(self, arn):
        """Credentials that nobody else in the file has."""
        self._numbers += 1
        return Identity(arn, f"AKIA{self._numbers:016}", f"secret {self._numbers}, with / and + of {arn}")

    def _policies(self, account, name, statements, policies, boundary, tags, path):
        settings = {"name": name}
        if statements:
            settings["inlinePolicies"] = {"inline": document(*statements)}
        if policies:
            settings["policies"] = list(policies)
        if boundary is not None:
            managed = self.account(account).setdefault("policies", {})
            managed[f"{name}Boundary"] = document(*boundary)
            settings["permissionsBoundary"] = f"{name}Boundary"
        if tags:
            settings["tags"] = tags
        if path != "/":
            settings["path"] = path
        return settings

    def root_user(self, account=ACCOUNT):
        identity = self.access_key(root(account))
        self.account(account, root={"accessKeys": [{"id": identity.access_key, "secret": identity.secret}]})
        return identity

    def user(
        self, name, *statements, account=ACCOUNT, policies=(), boundary=None, tags=None, path="/", via=None, **more
    ):
        """A user whose inline policy has these statements."""
        identity = self.access_key(f"arn:aws:iam::{account}:user{path}{name}")
        key = {"id": identity.access_key, "secret": identity.secret}
        if via:
            key["viaService"] = via
        settings = self._policies(account, name, statements, policies, boundary, tags, path)
        self.account(account).setdefault("users", []).append({**settings, **more, "accessKeys": [key]})
        return identity

    def another_access_key(self, identity, via=None):
        """A second access key for a user, marked as used by a service."""
        made = self.access_key(identity.arn)
        for entry in self.account(identity.account)["users"]:
            if entry["accessKeys"][0]["id"] == identity.access_key:
                key = {"id": made.access_key, "secret": made.secret}
                entry["accessKeys"].append(key | ({"viaService": via} if via else {}))
        return made

    def role(
        self, name, trust, *statements, account=ACCOUNT, policies=(), boundary=None, tags=None, path="/", **more
    ):
        """A role whose trust policy has the statements `trust`, and whose inline policy has `statements`."""
        settings = self._policies(account, name, statements, policies, boundary, tags, path)
        self.account(account).setdefault("roles", []).append(
            {**settings, **more, "trustPolicy": {"Version": "2012-10-17", "Statement": list(trust)}})
        return Role(f"arn:aws:iam::{account}:role{path}{name}")

    def remove_role(self, role):
        entries = self.account(role.account)["roles"]
        entries[:] = [entry for entry in entries if entry["name"] != role.name]

    def write(self, path, mode=0o600):
        path.touch(mode=0o600)
        path.write_text(yaml.dump(self.content, Dumper=_Dumper, sort_keys=False))
        path.chmod(mode)
        return path

    def options(self, server):
        """Writes the file beside the server's data, and answers the flags that name it."""
        return ["--principals", str(self.write(server.directory / "principals.yaml"))]

    @contextlib.contextmanager
    def server(self, default_store, admin=None, options=()):
        """A server with these principals; its `client` is `admin`'s."""
        with server_module.servers() as make:
            server = make(default_store, start=False)
            server.options += [*options, *self.options(server)]
            if admin:
                server.access_key, server.secret = admin.access_key, admin.secret
            yield server.start()


def trust(*who, action="sts:AssumeRole", condition=None):
    """The statements of a trust policy that let `who` assume the role."""
    made = {"Effect": "Allow", "Principal": _principal(list(who)), "Action": action}
    return [made | ({"Condition": condition} if condition else {})]


def assume(server, who, role, session="session", region="us-east-1", **more):
    """Assumes `role` and returns who that is."""
    answer = server.client(region, service="sts", **who.keys).assume_role(
        RoleArn=role.arn, RoleSessionName=session, **more)
    made = answer["Credentials"]
    return Identity(
        answer["AssumedRoleUser"]["Arn"], made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
