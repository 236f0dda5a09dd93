# SPDX-License-Identifier: Apache-2.0
"""How `flagserver serve` follows its file, starts without one, and stops. Usage: serve_reload_test.py BINARY"""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from server_process import LIMIT, Server, flag, request_bytes, write_whole

FLAGS = "/ofrep/v1/evaluate/flags"
BROKEN = '{\n  "flags": {\n    "a": {"state": "ENABLED", "variants": {"v": 1}, "defaultVariant": "v"},,\n  }\n}\n'
PLACE = f"3:{BROKEN.splitlines()[2].index(',,') + 2}"


class ServeReload(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "flags.json")

    def serve(self, *options, **limits):
        server = Server(BINARY, self.path, *options, **limits)
        self.addCleanup(server.__exit__)
        return server

    def write(self, **flags):
        write_whole(self.path, {"flags": {key: flag(value) for key, value in flags.items()}})

    # ---- starting ----

    def test_starts_without_a_file_and_picks_it_up(self):  # H3, H12
        server = self.serve()
        self.assertIn("not ready", server.first_line[2])
        self.assertIn(self.path, server.first_line[2])
        for port in [server.port, server.management_port]:
            status, _, body = server.ask("GET", "/readyz", port=port)
            self.assertEqual((status, body["status"]), (412, "not ready"))
            self.assertIn(self.path, body["reason"])
            self.assertEqual(server.ask("GET", "/healthz", port=port)[0], 200)
        status, headers, body = server.flag("a")
        self.assertEqual((status, body["errorCode"], body["key"], headers["retry-after"]), (503, "PROVIDER_NOT_READY", "a", "1"))
        self.write(a=1)
        server.log.wait_for(r"loaded .*: 1 flags, revision \w+")
        status, _, body = server.ready()
        self.assertEqual((status, body["status"], body["flags"]), (200, "ready", 1))
        self.assertEqual(server.flag("a")[2]["value"], 1)

    def test_starts_with_a_broken_file_says_where_and_picks_up_the_mended_one(self):  # H3
        write_whole(self.path, BROKEN)
        server = self.serve()
        server.log.wait_for(rf"^{self.path}:{PLACE}: error: ")
        server.log.wait_for(r"^ +\| +\^$")
        status, _, body = server.ready()
        self.assertEqual(status, 412)
        self.assertIn(PLACE, body["reason"])
        self.write(a=1)
        server.log.wait_for(r"loaded .*: 1 flags")
        self.assertEqual(server.ready()[0], 200)
        self.assertEqual(server.log.count(PLACE), 1)

    def test_serves_yaml(self):
        self.path = os.path.join(self.folder.name, "flags.yaml")
        write_whole(self.path, "flags:\n  a:\n    state: ENABLED\n    variants: {v: yaml}\n    defaultVariant: v\n")
        self.assertEqual(self.serve().flag("a")[2]["value"], "yaml")

    def test_a_port_in_use_is_named_with_its_option(self):
        self.write(a=1)
        server = self.serve()
        for option, other, port in [("--port", "--management-port", server.port),
                                    ("--management-port", "--port", server.management_port)]:
            second = subprocess.run([BINARY, "serve", "--flags", self.path, option, str(port), other, "0"],
                                    capture_output=True, text=True, timeout=LIMIT, check=False)
            self.assertEqual(second.returncode, 1)
            self.assertEqual(second.stdout, "")
            self.assertRegex(second.stderr, rf"^flagserver: port {port} on 127.0.0.1 is in use.* {option} ")
            self.assertEqual(second.stderr.count("\n"), 1, second.stderr)
        self.assertEqual(server.flag("a")[0], 200)

    def test_an_address_that_is_none_is_refused(self):
        for address in ["localhost:1", "nowhere", "203.0.113.7"]:
            refused = subprocess.run([BINARY, "serve", "--flags", self.path, "--port", "0", "--bind", address],
                                     capture_output=True, text=True, timeout=LIMIT, check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(address, refused.stderr)
            self.assertIn("--bind", refused.stderr)

    # ---- following the file ----

    def test_an_edit_is_served_and_logged_with_what_changed(self):
        self.write(a=1, b=2, c=3)
        server = self.serve()
        revision = server.ready()[2]["revision"]
        self.assertIn(f"3 flags, revision {revision}", server.first_line[2])
        tag = server.ask("POST", FLAGS, "{}")[1]["etag"]
        self.write(a=1, b=20, d=4)
        server.log.wait_for(rf"reloaded .*: 3 flags, revision \w+ \(was {revision}\): 1 added \(d\), 1 changed \(b\), 1 removed \(c\)$")
        self.assertEqual([server.flag(key)[2].get("value") for key in "abcd"], [1, 20, None, 4])
        status, headers, _ = server.ask("POST", FLAGS, "{}", {"If-None-Match": tag})
        self.assertEqual((status, headers["etag"] == tag), (200, False))

    def test_a_broken_edit_changes_nothing_and_is_reported_once(self):  # H4, F10
        self.write(a=1)
        server = self.serve()
        before = server.ask("POST", FLAGS, "{}")
        write_whole(self.path, BROKEN)
        server.log.wait_for(rf"^{self.path}:{PLACE}: error: ")
        after = server.ask("POST", FLAGS, "{}")
        self.assertEqual((after[0], after[1]["etag"], after[2]), (200, before[1]["etag"], before[2]))
        status, _, body = server.ready()
        self.assertEqual((status, PLACE in body["problem"]), (200, True))
        write_whole(self.path, BROKEN)   # the same content again
        server.send_signal(signal.SIGHUP)
        server.log.wait_for("SIGHUP")
        self.write(a=2)
        server.log.wait_for(r"reloaded .* 1 changed \(a\)")
        self.assertEqual(server.log.count(": error: "), 1)
        self.assertNotIn("problem", server.ready()[2])
        self.assertEqual(server.flag("a")[2]["value"], 2)

    def test_a_broken_edit_that_is_taken_back_is_reported_too(self):
        self.write(a=1)
        server = self.serve()
        write_whole(self.path, BROKEN)
        server.log.wait_for(": error: ")
        self.write(a=1)
        server.log.wait_for(rf"{self.path} is valid again: revision [0-9a-f]+, which stayed in use")
        self.assertNotIn("problem", server.ready()[2])

    def test_a_file_that_vanishes_keeps_its_flags(self):  # H12
        self.write(a=1)
        server = self.serve()
        os.remove(self.path)
        server.log.wait_for(rf"{self.path}.*stays in use")
        self.assertEqual(server.flag("a")[2]["value"], 1)
        self.assertIn(self.path, server.ready()[2]["problem"])
        self.write(a=2)
        server.log.wait_for("reloaded")
        self.assertEqual(server.flag("a")[2]["value"], 2)

    def test_a_swapped_link_is_followed(self):  # H8, as Kubernetes mounts configuration
        for version in ["1", "2"]:
            os.mkdir(os.path.join(self.folder.name, version))
            write_whole(os.path.join(self.folder.name, version, "flags.json"), {"flags": {"a": flag(int(version))}})
        data = os.path.join(self.folder.name, "..data")
        os.symlink("1", data)
        os.symlink("..data/flags.json", self.path)
        server = self.serve()
        for number, version in enumerate(["2", "1"], 1):
            os.symlink(version, data + ".new")
            os.rename(data + ".new", data)
            server.log.wait_for("reloaded", number)
            self.assertEqual(server.flag("a")[2]["value"], int(version))

    def test_sighup_reads_the_file_again(self):
        self.write(a=1)
        server = self.serve()
        server.send_signal(signal.SIGHUP)
        server.log.wait_for(rf"SIGHUP: reading {self.path}")
        self.assertEqual(server.flag("a")[0], 200)

    # ---- running out, and stopping ----

    def test_more_clients_than_descriptors_wait_for_their_turn(self):
        self.write(a=1)
        server = self.serve("--threads", "1", descriptors=160)
        clients = [server.connect() for _ in range(100)]
        for client in clients:
            self.addCleanup(client.close)
            client.send_request("POST", f"{FLAGS}/a", "{}")
        server.log.wait_for(r"clients have to wait: .* \d\d connections$")
        self.write(a=2)  # there are descriptors left for the file, and for health
        server.log.wait_for("reloaded")
        self.assertEqual(server.ready()[0], 200)
        for client in clients:  # each makes room for one that waits
            self.assertEqual(client.read_answer()[0], 200)
            client.close()
        self.assertEqual(server.flag("a")[2]["value"], 2)
        self.assertEqual(server.log.count("clients have to wait"), 1)

    def test_a_request_under_way_is_finished_before_the_end(self):
        self.write(a=1)
        server = self.serve()
        idle, busy = server.connect(), server.connect()
        self.addCleanup(idle.close)
        self.addCleanup(busy.close)
        idle.send_request("POST", f"{FLAGS}/a", "{}")
        idle.read_answer()
        whole = request_bytes("POST", f"{FLAGS}/a", "{}")
        busy.send(whole + whole[:-1])  # the first answer shows that the second request is being read
        self.assertNotIn("connection", busy.read_answer()[1])
        server.send_signal(signal.SIGTERM)
        self.assertTrue(idle.closed_by_server())
        self.assertEqual(server.ready()[0], 412)
        with self.assertRaises(ConnectionRefusedError):  # as soon as every thread has closed its listener
            while True:
                socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT).close()
        busy.send(whole[-1:])
        status, headers, body = busy.read_answer()
        self.assertEqual((status, headers["connection"], body["value"]), (200, "close", 1))
        self.assertTrue(busy.closed_by_server())
        busy.finish_sending()  # the server waits a little for that, so that its answer is read
        self.assertEqual(server.wait(), 0)
        server.log.wait_for("stopped$")
        self.assertEqual(server.log.count("requests under way$"), 0)

    def test_a_request_that_never_ends_does_not_keep_the_server(self):
        self.write(a=1)
        for options, signals in [(["--drain-timeout", "0.1"], 1), (["--drain-timeout", "600"], 2)]:
            server = self.serve("--request-timeout", "600", *options)
            with server.connect() as stuck:
                whole = request_bytes("POST", f"{FLAGS}/a", "{}")
                stuck.send(whole + whole[:-1])
                stuck.read_answer()
                for number in range(signals):
                    server.send_signal([signal.SIGTERM, signal.SIGINT][number])
                    server.log.wait_for("stopping: ")
                self.assertEqual(server.wait(), 0)
                server.log.wait_for("stopped with requests under way")
                self.assertTrue(stuck.closed_by_server())

    def test_nobody_reading_its_output_does_not_end_it(self):
        self.write(a=1)
        server = self.serve()
        server.send_signal(signal.SIGPIPE)
        self.assertEqual(server.flag("a")[0], 200)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    if "--sanitized" in sys.argv:
        sys.argv.remove("--sanitized")
    unittest.main()
