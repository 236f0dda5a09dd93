# SPDX-License-Identifier: Apache-2.0
"""`acqrel litmus` over a directory of more than 500 files: the basic family, each test written in four ways.
Usage: litmus_files_test.py BINARY"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml

# Weak outcome Allowed or Forbidden, and the number of executions, as herd, GenMC and a prototype agree on them.
COLUMNS = ["rlx", "ra", "sc", "f.ra", "f.ar", "f.sc", "ra+f.sc"]
SC_ONLY, MESSAGE = "A A F A A F F", "A F F F F F F"
TABLE = {  # executions of the interleavings; the weak outcome adds one
    "SB": (3, SC_ONLY), "MP": (3, MESSAGE), "LB": (3, "F F F F F F F"), "IRIW": (15, SC_ONLY), "WRC": (7, MESSAGE),
    "ISA2": (7, MESSAGE), "2+2W": (3, SC_ONLY), "R": (3, SC_ONLY), "S": (3, MESSAGE), "RWC": (7, SC_ONLY),
    "W+RWC": (7, SC_ONLY), "Z6": (7, SC_ONLY), "3.SB": (7, SC_ONLY), "3.LB": (7, "F F F F F F F"),
    "CoRR": (3, "F F F F F F F"), "CoRR2": (72, "F F F F F F F"), "CoWW": (1, "F F F F F F F"),
    "CoWR": (3, "F F F F F F F"), "CoRW": (3, "F F F F F F F"),
}


def run(*arguments, fails=False):
    done = subprocess.run([BINARY, "litmus", *arguments], capture_output=True, text=True, timeout=60)
    if not fails and done.returncode != 0:
        raise AssertionError(f"litmus {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return done


def built_in():
    """Name and text of every built-in test."""
    texts = re.split(r"(?m)^(?=C )", run("--print", "*").stdout)[1:]
    return {text.splitlines()[0][2:]: text for text in texts}


def threads_reversed(text):
    """The last thread first: nothing may depend on the order in which threads stand in the file."""
    threads = re.findall(r"^P\d+\(.*?^}\n", text, re.S | re.M)
    head, tail = text[:text.index(threads[0])], text[text.index(threads[-1]) + len(threads[-1]):]
    last = len(threads) - 1
    body = "\n".join(re.sub(r"^P\d+", f"P{i}", t) for i, t in enumerate(reversed(threads)))
    return head + body + re.sub(r"(\d+):r", lambda m: f"{last - int(m[1])}:r", tail)


def renamed(text):
    """Other names, other layout, initial values that are written out, a comment at every line, the negated question."""
    text = re.sub(r"\b([xyz])\b(?=[,)\]]|_)", r"object_\1", text).replace("{}", "{ [object_x]=0; }")
    text = re.sub(r"\b(\d+:)?r(\d)\b", r"\1seen\2", text).replace(";\n", "; // as before\n")
    return text.replace("exists", "~exists").replace("\n  ", "\n\t\t")


def in_cxx(text):
    """The operations as members of std::atomic, as a C++ programmer has them at hand."""
    text = re.sub(r"atomic_(store|load)_explicit\((\w), ", r"\2->\1(", text)
    text = text.replace("atomic_thread_fence", "std::atomic_thread_fence").replace("atomic_int*", "std::atomic<int>*")
    return text.replace("memory_order_", "std::memory_order_").replace("int r", "const int r")


WAYS = [lambda text: text, threads_reversed, renamed, in_cxx]


class LitmusFiles(unittest.TestCase):
    def test_five_hundred_files_have_the_known_answers(self):
        with tempfile.TemporaryDirectory() as folder:
            expected = []
            texts = built_in()
            for shape, (interleavings, cells) in TABLE.items():
                for column, cell in zip(COLUMNS, cells.split(), strict=True):
                    for number, way in enumerate(WAYS):
                        file = os.path.join(folder, f"{len(expected):04}.litmus")
                        with open(file, "w", encoding="utf-8") as out:
                            out.write(way(texts[f"{shape}+{column}"]))
                        allowed = cell == "A"
                        expected.append((file, f"{shape}+{column} in way {number}", "Sometimes" if allowed else "Never",
                                         interleavings + allowed))
            self.assertGreater(len(expected), 500)
            start = time.monotonic()
            answers = json.loads(run("--json", folder).stdout)
            print(f"{len(expected)} files in {time.monotonic() - start:.2f} s", file=sys.stderr)
            self.assertEqual(len(answers), len(expected))
            for answer, (file, what, verdict, executions) in zip(answers, expected, strict=True):
                self.assertEqual(answer["file"], file)
                self.assertEqual((answer.get("verdict"), answer.get("executions"), answer.get("race")),
                                 (verdict, executions, False), f"{what}: {answer}")

    def test_every_built_in_test_is_printed_as_a_file_with_the_same_answer(self):
        tests = json.loads(run("--json", "*").stdout)
        texts = built_in()
        self.assertEqual([test["name"] for test in tests], list(texts))
        with tempfile.TemporaryDirectory() as folder:
            for number, text in enumerate(texts.values()):
                with open(os.path.join(folder, f"{number:04}.litmus"), "w", encoding="utf-8") as out:
                    out.write(text)
            again = json.loads(run("--json", folder).stdout)
        for one, two in zip(tests, again, strict=True):
            for key in ["name", "verdict", "executions", "states", "race"]:
                self.assertEqual(one[key], two[key], one["name"])

    def test_every_drawing_is_xml_without_anything_from_outside(self):
        drawn = 0
        for test in json.loads(run("--json", "*").stdout):
            if test["name"].split("+")[0] in TABLE and not test["name"].endswith(("+rlx", "+f.ar", "+ra+f.sc")):
                continue  # drawn like these
            svg = run("--show", "svg", test["name"], fails=True).stdout
            shown = test["positive"] > 0 or test["race"] or test.get("iso", "Never") != "Never"
            self.assertEqual(bool(svg), shown, test["name"])
            if not svg:
                continue
            root = xml.fromstring(svg)
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg", test["name"])
            self.assertNotRegex(svg, r"<script|<style|<image|href=|url\((?!#)", test["name"])
            drawn += 1
        self.assertGreater(drawn, 50)

    def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_their_answers(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in [("1", run("--print", "SB+rlx").stdout), ("2", "C broken\n{}\nP0(atomic_int* x) { x +; }\n"),
                               ("3", run("--print", "SB+sc").stdout)]:
                with open(os.path.join(folder, name + ".litmus"), "w", encoding="utf-8") as out:
                    out.write(text)
            done = run("--json", folder, fails=True)
        self.assertEqual(done.returncode, 2)
        first, second, third = json.loads(done.stdout)
        self.assertEqual((first["verdict"], third["verdict"]), ("Sometimes", "Never"))
        self.assertIn("2.litmus:3:", second["error"])
        self.assertIn("2.litmus:3:", done.stderr)


    def test_the_page_shows_what_the_command_prints(self):
        docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")
        with open(os.path.join(docs, "litmus.md"), encoding="utf-8") as page:
            blocks = re.findall(r"^```\w*\n(.*?)^```", page.read(), re.S | re.M)
        program, = [b for b in blocks if b.startswith("C MP")]
        answer, = [b for b in blocks if b.startswith("Test MP")]
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "MP.litmus"), "w", encoding="utf-8") as out:
                out.write(program)
            printed = subprocess.run([BINARY, "litmus", "MP.litmus"], cwd=folder, capture_output=True, text=True, check=True)
        self.assertEqual(printed.stdout, answer)
        with open(os.path.join(docs, "litmus-sb.svg"), encoding="utf-8") as picture:
            self.assertEqual(picture.read(), run("--show", "svg", "SB+ra").stdout)


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
