"""Requests as bytes: signed by botocore's signer, sent by http.client, so that every malformation is possible."""

import datetime
import http.client
import json
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

CONTENT_TYPE = "application/x-amz-json-1.1"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("__type")

    @property
    def message(self):
        return self.json.get("message")

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class Wire:
    def __init__(self, server, region="us-east-1", access_key=None, secret=None, token=None):
        self.server = server
        self.region = region
        self.access_key = access_key or server.access_key
        self.secret = secret or server.secret
        self.token = token
        self.address = urllib.parse.urlsplit(server.endpoint)

    @property
    def host(self):
        return self.address.netloc

    def signed(
        self, target, body, *, seconds=0, service="kms", region=None, extra=(), unsigned=(), method="POST", path="/"
    ):
        """The headers of a signed request as a list of pairs.

        `seconds` moves the time of signing, `extra` are more headers to sign, `unsigned` are added afterwards.
        A `target` of None sends no X-Amz-Target.
        """
        headers = {"Host": self.host, "Content-Type": CONTENT_TYPE}
        if target is not None:
            headers["X-Amz-Target"] = target
        headers.update(extra)
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        request = botocore.awsrequest.AWSRequest(
            method=method, url=f"{self.server.endpoint}{path}", headers=headers, data=body)
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        credentials = botocore.credentials.Credentials(self.access_key, self.secret, self.token)
        signer = botocore.auth.SigV4Auth(credentials, service, region or self.region)
        signer._modify_request_before_signing(request)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        signer._inject_signature_to_request(request, signer.signature(text, request))
        return [(name, str(value)) for name, value in request.headers.items()] + list(unsigned)

    def send(self, headers, body=b"", method="POST", path="/", content_length=True):
        """Sends exactly these headers (and a Content-Length) and body."""
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if content_length:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            try:
                connection.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # The server may answer, and close, before it has read everything.
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def call(self, operation, body, **signing):
        """A signed call of a KMS operation; `body` is bytes, or something to encode as JSON."""
        target = operation if operation is None or "." in operation else f"TrentService.{operation}"
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.send(self.signed(target, body, **signing), body)

    def development(self, operation, body):
        """A call of the test interface of `strongroom dev`."""
        answer = self.call(f"StrongroomDev.{operation}", body)
        assert answer.status == 200, answer
        return answer.json
