# SPDX-License-Identifier: Apache-2.0
"""rules/shown and the edges report are fed what they must catch, and what is as it must be."""
import json
import pathlib
import tempfile
import unittest

import edges_report
import shown
from cell_tree import ACQUIRE, HEADER, RELEASE, header
from rule_case import RuleCase

TEST = 'tests/publish/cell_model.cpp'
PAIR = header(RELEASE, ACQUIRE)
SHOWN = {TEST: '''
    // MODEL(cell, is_only_written_of, .shows = {"cell.comment"})
    MODEL(cell, is_whole_when_seen, .shows = {"cell.ready"}) {
      f(".shows = {}");
    }
'''}


class shown_rule(RuleCase):
    rule = staticmethod(lambda root: shown.check(root, {}))

    def test_accepts_an_edge_that_a_model_test_shows(self):
        self.accepted(PAIR | SHOWN)

    def test_catches_an_edge_that_none_shows(self):
        self.caught(PAIR, HEADER + ':4:', 'no model test shows edge cell.ready', '.shows = {"cell.ready"}')

    def test_a_name_elsewhere_shows_nothing(self):
        for path, text in ((TEST, '// .shows = {"cell.ready"}\nMODEL(cell, a, .weaken = {"cell.ready"}) {}\n'),
                           (TEST, 'MODEL(cell, a) { prove({.shows = {"cell.ready"}}, f); }\n'),
                           ('tests/publish/cell_test.cpp', SHOWN[TEST])):
            with self.subTest(path):
                self.caught(PAIR | {path: text}, 'no model test shows edge cell.ready')

    def test_finds_several_edges_on_several_lines_and_the_name_of_the_test(self):
        self.caught(PAIR | {TEST: 'MODEL(cell, one) {}\nMODEL(cell, two,\n      .shows = {"cell.ready",\n                "cell.gone"}) {}\n'},
                    TEST + ':4:', 'cell.two shows cell.gone')

    def test_accepts_an_edge_that_is_tagged_in_the_tests(self):
        self.accepted(PAIR | SHOWN | {'tests/model/demo_model.cpp': '''
            // edge demo.ready: release
            void f() { MODEL(demo, a, .shows = {"demo.ready"}) }
        '''})


class shown_rule_with_an_edge_that_cannot_be(RuleCase):
    rule = staticmethod(lambda root: shown.check(root, {'cell.ready': 'a reason'}))

    def test_accepts_it_unshown(self):
        self.accepted(PAIR)

    def test_catches_it_shown_after_all(self):
        self.caught(PAIR | SHOWN, TEST + ':3:', 'NOT_CHECKED says cannot be')

    def test_catches_a_reason_for_an_edge_that_is_gone(self):
        self.caught({}, 'NOT_CHECKED names cell.ready')


class report(unittest.TestCase):
    def printed(self, *records, reasons={}):
        lines = list(edges_report.rows({'cell.ready': (HEADER, 4)}, edges_report.read(json.dumps(r) for r in records), reasons))
        return '\n'.join(edges_report.table(lines)), edges_report.summary(lines), all(line[5] for line in lines)

    def record(self, **but):
        return {'test': 'cell.is_whole', 'edge': 'cell.ready', 'executions': 1234, 'holds': True, 'weakened': 'data race'} | but

    def test_an_edge_that_holds_and_is_missed(self):
        table, summary, good = self.printed(self.record())
        self.assertRegex(table.split('\n')[1], r'^cell.ready +cell.is_whole +1,234  holds +fails \(data race\)$')
        self.assertEqual(summary, '1 edges: 1 hold and are missed when weakened, 0 not model-checked')
        self.assertTrue(good)

    def test_a_weakening_that_is_not_noticed_though_another_test_notices(self):
        table, summary, good = self.printed(self.record(), self.record(test='cell.other', weakened=''))
        self.assertIn('NOT NOTICED', table)
        self.assertIn('1 not shown: cell.ready', summary)
        self.assertFalse(good)

    def test_a_test_that_does_not_hold(self):
        table, _, good = self.printed(self.record(holds=False, weakened=''))
        self.assertIn('DOES NOT HOLD', table)
        self.assertNotIn('NOTICED', table)
        self.assertFalse(good)

    def test_an_edge_without_a_test(self):
        table, _, good = self.printed(self.record(edge='demo.ready'))
        self.assertIn('cell.ready  NO MODEL TEST', table)
        self.assertNotIn('demo', table)
        self.assertFalse(good)

    def test_an_edge_with_a_reason(self):
        table, summary, good = self.printed(reasons={'cell.ready': 'it waits for the kernel'})
        self.assertIn('cell.ready  not model-checked: it waits for the kernel', table)
        self.assertEqual(summary, '1 edges: 0 hold and are missed when weakened, 1 not model-checked')
        self.assertTrue(good)

    def test_of_a_test_that_ran_twice_the_last_run_counts(self):
        _, _, good = self.printed(self.record(weakened=''), self.record())
        self.assertTrue(good)

    def test_a_tree_and_a_file(self):
        with tempfile.TemporaryDirectory() as root:
            for path, text in PAIR.items():
                pathlib.Path(root, path).parent.mkdir(parents=True)
                pathlib.Path(root, path).write_text(text, encoding='utf-8')
            lines, good = edges_report.report(root, json.dumps(self.record()) + '\n')
        self.assertEqual(len(lines), 4)
        self.assertTrue(good)


if __name__ == '__main__':
    unittest.main()
