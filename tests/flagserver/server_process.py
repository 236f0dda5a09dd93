# SPDX-License-Identifier: Apache-2.0
"""Starts the real flagserver on free ports and talks to it. Waits on events, with a limit that only a hang reaches."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading

LIMIT = 60  # seconds


class Lines:
    """What a process writes to one stream, line by line, as it comes."""

    def __init__(self, stream):
        self.lines = []
        self.ended = False
        self.changed = threading.Condition()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, pattern, count=1):
        """The count-th match, as soon as there is one."""
        def found():
            return [m for m in (re.search(pattern, line) for line in self.lines) if m]
        with self.changed:
            self.changed.wait_for(lambda: len(found()) >= count or self.ended, LIMIT)
            if len(found()) < count:
                raise AssertionError(f"no line {count} like {pattern!r} in:\n" + "\n".join(self.lines))
            return found()[count - 1]

    def count(self, pattern):
        with self.changed:
            return sum(1 for line in self.lines if re.search(pattern, line))


class Server:
    def __init__(self, binary, flags, *options, descriptors=None):
        command = [binary, "serve", "--flags", flags, "--port", "0", "--management-port", "0", *options]
        if descriptors:
            command = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *command]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.out, self.log = Lines(self.process.stdout), Lines(self.process.stderr)
        self.first_line = self.out.wait_for(r"serving .* on http://127\.0\.0\.1:(\d+) \((.*)\)$")
        self.port = int(self.first_line[1])
        self.management_port = int(self.log.wait_for(r"health on http://127\.0\.0\.1:(\d+)/healthz")[1])

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.wait_for("")
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        if self.process.returncode != 0:  # also what the sanitizers end a program with that they complained about
            raise AssertionError(f"exit status {self.process.returncode}:\n" + "\n".join(self.log.lines))

    def send_signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(LIMIT)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connect(self):
        return Connection(self.port)

    def ask(self, method, path, body=None, headers=None, port=None):
        """One request on a connection of its own: status, headers, JSON (None for no body)."""
        with Connection(port or self.port) as connection:
            connection.send_request(method, path, body, headers)
            return connection.read_answer(method)

    def flag(self, key, context=None):
        return self.ask("POST", f"/ofrep/v1/evaluate/flags/{key}", json.dumps({"context": context or {}}))

    def ready(self):
        return self.ask("GET", "/readyz", port=self.management_port)


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def send_request(self, method, path, body=None, headers=None):
        self.send(request_bytes(method, path, body, headers))

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def read_answer(self, method="POST"):
        """Reads one answer, and checks what is true of every answer."""
        # http.client reads ahead, so it gets a stream that outlives the one answer
        answer = http.client.HTTPResponse(_SharedStream(self.stream), method=method)
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        text = answer.read()
        assert "date" in headers, headers
        if not text:
            if method != "HEAD":
                assert "content-type" not in headers, headers
            return answer.status, headers, None
        assert headers["content-type"] == "application/json", headers
        assert int(headers["content-length"]) == len(text), headers
        return answer.status, headers, json.loads(text)

    def closed_by_server(self):
        """Waits for the end of the connection; whether nothing came before it."""
        try:
            return self.stream.read(1) == b""
        except ConnectionResetError:
            return True


class _SharedStream:
    """A socket as HTTPResponse sees it, of which it may not close the stream."""

    def __init__(self, stream):
        self.stream = stream

    def makefile(self, _mode):
        return self

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def close(self):
        pass


def request_bytes(method, path, body=None, headers=None):
    fields = {"Host": "localhost", **(headers or {})}
    data = b""
    if body is not None:
        data = body if isinstance(body, bytes) else body.encode()
        fields.setdefault("Content-Type", "application/json")
        if "Transfer-Encoding" not in fields:
            fields.setdefault("Content-Length", str(len(data)))
    lines = [f"{method} {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def write_whole(path, text):
    """Replaces a file as careful writers do: a new file renamed over it."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text if isinstance(text, str) else json.dumps(text))
    os.rename(path + ".new", path)


def flag(value, **more):
    """A flag that is always `value`."""
    return {"state": "ENABLED", "variants": {"v": value}, "defaultVariant": "v", **more}
