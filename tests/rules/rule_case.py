# SPDX-License-Identifier: Apache-2.0
"""What the rules' own tests stand on: a tree of a few files in a temporary folder."""
import pathlib
import tempfile
import textwrap
import unittest


class RuleCase(unittest.TestCase):
    rule = None  # the check function, set by each test file through staticmethod

    def violations(self, files):
        """What the rule says of a tree with these files: path -> text, indented as the test likes."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                target = pathlib.Path(root, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(textwrap.dedent(text), encoding='utf-8')
            return self.rule(root)

    def caught(self, files, *places_and_words):
        """The rule reports exactly one violation, which contains all these words."""
        found = self.violations(files)
        self.assertEqual(len(found), 1, '\n'.join(found) or 'nothing was reported')
        for words in places_and_words:
            self.assertIn(words, found[0])
        self.assertRegex(found[0], r'^[^:]+:\d+: .+; .+')

    def accepted(self, files):
        self.assertEqual(self.violations(files), [])
