# SPDX-License-Identifier: Apache-2.0
"""rules/bench is fed each violation it is there for."""
import unittest

import bench
from rule_case import RuleCase

NAMES = ['cell/read/floor: raw pointer/read_only/threads:1', 'cell/read/acqrel/read_only/threads:1']


class bench_rule(RuleCase):
    rule = staticmethod(lambda root: bench.check(root, NAMES))

    def test_accepts_what_is_there_and_code_that_says_nothing(self):
        self.accepted({'include/acqrel/publish/cell.hpp': '// Cost       a load. Bench cell/read.\nint Bench;\n'})

    def test_catches_a_benchmark_that_is_not_there(self):
        self.caught({'include/acqrel/publish/cell.hpp': '// Cost\n//            Bench cell/write.\n'},
                    'include/acqrel/publish/cell.hpp:2:', 'there is no benchmark cell/write')

    def test_catches_the_beginning_of_a_name(self):
        self.caught({'include/acqrel/publish/cell.hpp': '// Bench cell/rea\n'}, 'there is no benchmark cell/rea')

    def test_catches_a_name_without_an_operation(self):
        self.caught({'include/acqrel/publish/cell.hpp': '// Bench cell.\n'}, 'names no operation')


if __name__ == '__main__':
    unittest.main()
