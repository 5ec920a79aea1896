#!/usr/bin/env python3
"""token_server.py DIR: gives out the bearer tokens of a registry, as its token protocol says
(https://distribution.github.io/distribution/spec/auth/token/), for tests.

DIR holds the key and certificate that the registry knows it by (key.pem, cert.pem), and is how a
test talks to it:
    user       "NAME:PASSWORD"; who shows it may do anything, anyone else may read public/...
    lifetime   "SECONDS CLAIMED": when the registry refuses a token, and what the client is told
    url        written here once it listens
    requests   a line "STATUS ACCOUNT SCOPE..." for every request; ACCOUNT is - without credentials
"""

import base64
import http.server
import json
import os
import subprocess
import sys
import time
import urllib.parse
import uuid

ISSUER = "shunt-tests"
# The registry takes a token for so long after it has expired, against clocks that differ.
LEEWAY = 60


def base64_url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signed(directory, claims):
    def der(line):
        return line and not line.startswith("-----")

    with open(os.path.join(directory, "cert.pem"), encoding="ascii") as file:
        certificate = "".join(line for line in file.read().splitlines() if der(line))
    header = {"typ": "JWT", "alg": "RS256", "x5c": [certificate]}
    text = b".".join(base64_url(json.dumps(part).encode()) for part in (header, claims))
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", os.path.join(directory, "key.pem")],
        input=text,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    return (text + b"." + base64_url(signature)).decode()


def granted(scopes, known):
    access = []
    for scope in " ".join(scopes).split():
        kind, rest = scope.split(":", 1)
        name, actions = rest.rsplit(":", 1)
        allowed = actions.split(",")
        if not known:
            allowed = [a for a in allowed if a == "pull" and name.startswith("public/")]
        if allowed:
            access.append({"type": kind, "name": name, "actions": allowed})
    return access


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    directory = ""

    def setting(self, name):
        with open(os.path.join(self.directory, name), encoding="utf-8") as file:
            return file.read().strip()

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self, status, account, scopes):
        with open(os.path.join(self.directory, "requests"), "a", encoding="utf-8") as file:
            file.write(" ".join([str(status), account or "-", *scopes]) + "\n")

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        scopes = query.get("scope", [])
        if url.path != "/token":
            self.note(404, "", scopes)
            self.answer(404, {"details": "not here"})
            return
        shown = self.headers.get("Authorization", "")
        account = ""
        if shown:
            method, _, encoded = shown.partition(" ")
            pair = base64.b64decode(encoded).decode() if method.lower() == "basic" else ""
            account = pair.split(":", 1)[0]
            if pair != self.setting("user"):
                self.note(401, account, scopes)
                self.answer(401, {"details": "wrong user or password"})
                return
        lifetime, claimed = map(int, self.setting("lifetime").split())
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": account,
            "aud": query.get("service", [""])[0],
            "exp": now + lifetime - LEEWAY,
            "nbf": now - LEEWAY,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "access": granted(scopes, bool(account)),
        }
        token = signed(self.directory, claims)
        # Logged first: whoever has the answer finds the line.
        self.note(200, account, scopes)
        self.answer(200, {"token": token, "access_token": token, "expires_in": claimed})

    def log_message(self, *_):
        pass


def main():
    Handler.directory = sys.argv[1]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = os.path.join(Handler.directory, "url")
    with open(url + ".new", "w", encoding="ascii") as file:
        file.write(f"http://127.0.0.1:{server.server_port}/token")
    os.rename(url + ".new", url)
    server.serve_forever()


main()
