"""Many requests over few connections, signed by hand: boto3 needs a millisecond for each."""

import concurrent.futures
import datetime
import hashlib
import hmac
import http.client
import json
import urllib.parse


class Connection:
    """One connection that is kept open, with the signing key of the day."""

    def __init__(self, server, who, region="us-east-1"):
        address = urllib.parse.urlsplit(server.endpoint)
        self.host, self.who = address.netloc, who
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        self.now = datetime.datetime.now(datetime.timezone.utc)
        self.scope = f"{self.now:%Y%m%d}/{region}/kms/aws4_request"
        key = f"AWS4{who.secret}".encode()
        for part in self.scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        self.signing_key = key

    def call(self, operation, body):
        """One signed call; returns the decoded answer of a success."""
        status, answer = self.answer(operation, body)
        assert status == 200, answer
        return answer

    def answer(self, operation, body):
        """One signed call; returns the status and the decoded answer, whatever it is."""
        data = json.dumps(body).encode()
        target = f"TrentService.{operation}"
        # A signature may be four minutes old.
        if datetime.datetime.now(datetime.timezone.utc) - self.now > datetime.timedelta(minutes=4):
            self.now = datetime.datetime.now(datetime.timezone.utc)
        date = f"{self.now:%Y%m%dT%H%M%SZ}"
        canonical = "\n".join([
            "POST", "/", "", f"host:{self.host}", f"x-amz-date:{date}", f"x-amz-target:{target}", "",
            "host;x-amz-date;x-amz-target", hashlib.sha256(data).hexdigest()])
        text = "\n".join([
            "AWS4-HMAC-SHA256", date, self.scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signature = hmac.digest(self.signing_key, text.encode(), "sha256").hex()
        self.connection.request("POST", "/", data, {
            "Host": self.host, "X-Amz-Date": date, "X-Amz-Target": target,
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.who.access_key}/{self.scope}, "
                             f"SignedHeaders=host;x-amz-date;x-amz-target, Signature={signature}"})
        response = self.connection.getresponse()
        answer = response.read()
        return response.status, json.loads(answer) if answer else None


def spread(connections, calls):
    """Makes every call on one of the connections, all of them at work at once; answers in the order of the calls."""
    answers = [None] * len(calls)

    def work(start):
        for index in range(start, len(calls), len(connections)):
            answers[index] = connections[start].call(*calls[index])

    with concurrent.futures.ThreadPoolExecutor(len(connections)) as pool:
        for future in [pool.submit(work, start) for start in range(len(connections))]:
            future.result()
    return answers
