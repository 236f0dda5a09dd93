# SPDX-License-Identifier: Apache-2.0
"""What clients get from `flagserver serve`, and what bad ones cannot do to the others. Usage: serve_http_test.py BINARY"""
import json
import os
import socket
import struct
import sys
import tempfile
import unittest

from server_process import Server, flag, request_bytes, write_whole

FLAGS = "/ofrep/v1/evaluate/flags"
JSON = {"Content-Type": "application/json"}


class ServeHttp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = os.path.join(cls.folder.name, "flags.json")
        write_whole(path, {"flags": {"on": flag(True), "a/b c?é": flag("odd"), "100%": flag(100),
                                     "filler": flag({"text": "x" * 2000})}})
        cls.server = Server(BINARY, path, "--request-timeout", "1", "--threads", "2")

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.folder.cleanup()

    def setUp(self):
        # A neighbour: connected before, used after whatever the test does.
        self.neighbour = self.server.connect()
        self.ask_neighbour()

    def tearDown(self):
        self.ask_neighbour()
        self.neighbour.close()

    def ask_neighbour(self):
        self.neighbour.send_request("POST", f"{FLAGS}/on", "{}")
        status, _, body = self.neighbour.read_answer()
        self.assertEqual((status, body["value"]), (200, True))

    def answer_to(self, data, finish=False):
        """The one answer to bytes that end their connection."""
        with self.server.connect() as connection:
            connection.send(data)
            if finish:
                connection.finish_sending()
            status, headers, body = connection.read_answer()
            self.assertEqual(headers.get("connection"), "close")
            self.assertTrue(connection.closed_by_server())
            return status, body

    # ---- the protocol over the wire ----

    def test_status_table(self):
        context = json.dumps({"context": {"targetingKey": "u"}})
        for method, path, body, headers, expected, code in [
                ("POST", f"{FLAGS}/on", context, {}, 200, None),
                ("POST", f"{FLAGS}/on", None, {}, 200, None),
                ("POST", FLAGS, context, {}, 200, None),
                ("POST", f"{FLAGS}/", context, {}, 200, None),
                ("POST", f"{FLAGS}/a%2Fb%20c%3F%C3%A9", context, {}, 200, None),
                ("POST", f"{FLAGS}/a/b%20c%3F%C3%A9?x=y", context, {}, 200, None),
                ("POST", f"{FLAGS}/100%", context, {}, 200, None),
                ("POST", f"{FLAGS}/missing", context, {}, 404, "FLAG_NOT_FOUND"),
                ("POST", f"{FLAGS}/on", "{", {}, 400, "INVALID_CONTEXT"),
                ("POST", FLAGS, "{", {}, 400, "INVALID_CONTEXT"),
                ("POST", f"{FLAGS}/on", context, {"Flagd-Selector": "a=b"}, 400, "GENERAL"),
                ("POST", f"{FLAGS}/on", context, {"Content-Type": "text/plain"}, 415, "GENERAL"),
                ("GET", f"{FLAGS}/on", None, {}, 405, "GENERAL"),
                ("DELETE", FLAGS, None, {}, 405, "GENERAL"),
                ("GET", "/", None, {}, 404, None),
                ("POST", "/ofrep/v2/evaluate/flags", context, {}, 404, None),
                ("GET", "/healthz", None, {}, 200, None),
                ("GET", "/readyz", None, {}, 200, None),
                ("POST", "/readyz", "{}", {}, 405, None)]:
            with self.subTest(method=method, path=path, body=body):
                status, headers, answer = self.server.ask(method, path, body, headers)
                self.assertEqual(status, expected, answer)
                self.assertEqual(answer.get("errorCode"), code)
                self.assertEqual("allow" in headers, status == 405)
        for path in ["/healthz", "/readyz"]:
            self.assertEqual(self.server.ask("GET", path, port=self.server.management_port)[0], 200)
        self.assertEqual(self.server.ask("POST", FLAGS, "{}", port=self.server.management_port)[0], 404)

    def test_options_and_head_have_no_body(self):
        with self.server.connect() as connection:
            for method, path, expected in [("OPTIONS", FLAGS, 204), ("HEAD", "/healthz", 200), ("HEAD", FLAGS, 405),
                                           ("OPTIONS", "/readyz", 204), ("OPTIONS", "*", 204)]:
                connection.send_request(method, path)
                status, headers, body = connection.read_answer(method)
                self.assertEqual((status, body), (expected, None))
                self.assertEqual("content-length" in headers, method == "HEAD")
            connection.send_request("POST", f"{FLAGS}/on", "{}")  # the connection is still in step
            self.assertEqual(connection.read_answer()[0], 200)

    def test_a_304_has_no_body_and_leaves_the_connection_usable(self):
        with self.server.connect() as connection:
            connection.send_request("POST", FLAGS, "{}")
            tag = connection.read_answer()[1]["etag"]
            self.assertRegex(tag, r'^"[0-9a-f]+-[0-9a-f]{16}"$')
            for known in [tag, f'"x", W/{tag}', "*", tag.strip('"')]:
                connection.send_request("POST", FLAGS, "{}", {"If-None-Match": known})
                status, headers, body = connection.read_answer()
                self.assertEqual((status, headers["etag"], body), (304, tag, None))
            connection.send_request("POST", FLAGS, '{"context":{"a":1}}', {"If-None-Match": tag})
            self.assertEqual(connection.read_answer()[0], 200)

    # ---- connections ----

    def test_pipelined_requests_are_answered_in_order(self):
        paths = ["on", "missing", "100%25", "on"] * 100
        with self.server.connect() as connection:
            data = b"".join(request_bytes("POST", f"{FLAGS}/{path}", "{}") for path in paths)
            connection.send(data[:-1])
            answers = [connection.read_answer() for _ in paths[:-1]]
            connection.send(data[-1:])
            answers.append(connection.read_answer())
        for path, (status, _, body) in zip(paths, answers):
            self.assertEqual((status, body["key"]), (404 if path == "missing" else 200, path.replace("%25", "%")))

    def test_the_client_decides_whether_the_connection_stays(self):
        self.assertEqual(self.answer_to(request_bytes("GET", "/healthz", headers={"Connection": "close"}))[0], 200)
        self.assertEqual(self.answer_to("GET /healthz HTTP/1.0\r\n\r\n")[0], 200)
        with self.server.connect() as connection:
            for _ in range(3):
                connection.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                self.assertEqual(connection.read_answer()[1]["connection"], "keep-alive")

    def test_a_request_may_come_byte_by_byte_and_in_chunks(self):
        with self.server.connect() as connection:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request_bytes("POST", f"{FLAGS}/on", '{"context":{}}'):
                connection.send(bytes([byte]))
            self.assertEqual(connection.read_answer()[2]["value"], True)
            connection.send_request("POST", f"{FLAGS}/on", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"})
            self.assertEqual(connection.read_answer()[2]["value"], True)

    def test_a_client_that_asks_first_is_told_to_go_on(self):
        with self.server.connect() as connection:
            connection.send_request("POST", f"{FLAGS}/on", b"", {**JSON, "Content-Length": "2", "Expect": "100-continue"})
            self.assertEqual(connection.stream.readline(), b"HTTP/1.1 100 Continue\r\n")
            self.assertEqual(connection.stream.readline(), b"\r\n")
            connection.send("{}")
            self.assertEqual(connection.read_answer()[0], 200)
            connection.send_request("POST", FLAGS, b"", {**JSON, "Content-Length": "9999999", "Expect": "100-continue"})
            self.assertEqual(connection.read_answer()[0], 413)

    def test_a_half_closed_client_gets_its_answer(self):
        with self.server.connect() as connection:
            connection.send_request("POST", f"{FLAGS}/on", "{}")
            connection.finish_sending()
            self.assertEqual(connection.read_answer()[0], 200)
            self.assertTrue(connection.closed_by_server())

    # ---- bad clients ----

    def test_garbage_is_answered_in_json_and_closed(self):
        for data, expected in [(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400), (b"\0" * 5000, 400), (b"hello\r\n\r\n", 400),
                               (b"GET / HTTP/2.0\r\n\r\n", 505), (b"POST / HTTP/1.1\r\n\r\n", 400),
                               (request_bytes("POST", FLAGS, "{}", {"Content-Length": "x"}), 400),
                               (request_bytes("POST", FLAGS, "zz\r\n", {"Transfer-Encoding": "chunked"}), 400),
                               (request_bytes("POST", FLAGS, "{}", {"Transfer-Encoding": "gzip"}), 501),
                               (request_bytes("GET", "/" + "a" * 20_000), 431),
                               (request_bytes("GET", "/", headers={"X": "a" * 20_000}), 431)]:
            with self.subTest(data=data[:40]):
                status, body = self.answer_to(data)
                self.assertEqual(status, expected)
                self.assertEqual((body["errorCode"], bool(body["errorDetails"])), ("GENERAL", True))

    def test_a_truncated_request_is_400(self):
        whole = request_bytes("POST", f"{FLAGS}/on", '{"context":{}}')
        for length in range(1, len(whole)):
            self.assertEqual(self.answer_to(whole[:length], finish=True)[0], 400, whole[:length])

    def test_a_body_up_to_the_limit_is_read_and_one_over_it_is_413(self):
        limit = 1_000_000
        fits = '{"context":{}}'.ljust(limit)
        self.assertEqual(self.server.ask("POST", f"{FLAGS}/on", fits)[0], 200)
        # The client sends everything before it reads: the answer must survive that.
        status, body = self.answer_to(request_bytes("POST", f"{FLAGS}/on", fits + " "))
        self.assertEqual((status, list(body)), (413, ["errorDetails"]))
        self.assertIn("1000000", body["errorDetails"])
        chunk = f"{limit + 1:x}\r\n{fits} \r\n0\r\n\r\n"
        self.assertEqual(self.answer_to(request_bytes("POST", FLAGS, chunk, {"Transfer-Encoding": "chunked"}))[0], 413)

    def test_a_slow_request_is_408(self):
        whole = request_bytes("POST", f"{FLAGS}/on", '{"context":{}}')
        slow = []
        for length in [1, 30, len(whole) - 1]:
            slow.append(self.server.connect())
            slow[-1].send(whole[:length])
        for connection in slow:
            self.ask_neighbour()
            status, _, body = connection.read_answer()
            self.assertEqual((status, body["errorCode"]), (408, "GENERAL"))
            self.assertTrue(connection.closed_by_server())
            connection.close()

    def test_a_client_that_takes_no_answers_is_cut_off(self):
        with self.server.connect() as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            data = request_bytes("POST", FLAGS, "{}") * 100
            with self.assertRaises((ConnectionResetError, BrokenPipeError)):  # or TimeoutError if it is not
                while True:
                    connection.send(data)
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        if not SANITIZED:
            self.assertLess(resident, 100_000, "kB resident")

    def test_connections_that_break_off_leave_nothing_behind(self):
        whole = request_bytes("POST", FLAGS, "{}")
        before = self.server.descriptors()
        for length in range(0, 300):
            connection = self.server.connect()
            connection.send(whole[:length % len(whole)])
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by reset
            connection.close()
        # Each answer on a new connection gives the server a turn, and no turn takes long.
        for _ in range(100_000):
            self.ask_neighbour()
            if self.server.descriptors() <= before:
                break
        self.assertLessEqual(self.server.descriptors(), before)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    SANITIZED = "--sanitized" in sys.argv and (sys.argv.remove("--sanitized") or True)
    unittest.main()
