# SPDX-License-Identifier: Apache-2.0
"""rules/readme is fed each violation it is there for."""
import unittest

import readme
from rule_case import RuleCase

README = '''\
# acqrel

```cpp
int main() {
  return 0;
}
```

```sh
not code of ours
```
'''
EXAMPLE = '''\
namespace {
  // [start]
  int main() {
    return 0;
  }
  // [/start]
}
'''
HEADER = '''\
// acqrel/publish/cell.hpp - a value.
//
//   acqrel::cell<config> c;                 // any thread
//   if (auto v = c.get()) serve("a // b");
//
//   c.put(1);
//
// Publishes  x.
//   this is prose
#pragma once
'''
SHOWN = '''\
acqrel::cell<config>   c;  // another comment
int between;
void f() {
  c.put(1);
}
'''


class readme_rule(RuleCase):
    rule = staticmethod(readme.check)

    def test_accepts_a_block_that_is_a_region(self):
        self.accepted({'README.md': README, 'examples/readme.cpp': EXAMPLE})

    def test_accepts_a_tree_without_a_readme(self):
        self.accepted({'examples/readme.cpp': EXAMPLE})

    def test_catches_a_block_that_is_no_region_and_shows_the_difference(self):
        self.caught({'README.md': README.replace('return 0', 'return 1'), 'examples/readme.cpp': EXAMPLE},
                    'README.md:4: this code is in no compiled example', '-  return 0;', '+  return 1;', 'examples/readme.cpp:2')

    def test_catches_a_block_that_differs_in_a_space(self):
        self.caught({'README.md': README.replace('return 0', 'return  0'), 'examples/readme.cpp': EXAMPLE}, 'README.md:4:')

    def test_catches_a_block_where_there_are_no_regions(self):
        self.caught({'README.md': README}, 'put it between // [name]')

    def test_catches_every_wrong_block(self):
        text = README.replace('return 0', 'return 1')
        self.assertEqual(len(self.violations({'README.md': text + text, 'examples/readme.cpp': EXAMPLE})), 2)

    def test_catches_a_region_without_an_end_and_one_that_stands_twice(self):
        self.caught({'README.md': '', 'examples/a.cpp': '// [start]\nint x;\n'}, 'examples/a.cpp:1: region start has no end')
        self.caught({'README.md': '', 'examples/a.cpp': EXAMPLE, 'examples/b.cpp': EXAMPLE}, 'examples/b.cpp:2: region start')

    def test_reads_the_patterns_too_but_not_the_page_that_is_written_from_its_cases(self):
        wrong = README.replace('return 0', 'return 1')
        self.accepted({'docs/patterns/stop.md': README, 'docs/patterns/anti-patterns.md': wrong, 'examples/a.cpp': EXAMPLE})
        self.caught({'docs/patterns/shut-down.md': wrong, 'examples/a.cpp': EXAMPLE}, 'docs/patterns/shut-down.md:4:')
        self.caught({'docs/tutorial/stop.md': wrong, 'examples/a.cpp': EXAMPLE}, 'docs/tutorial/stop.md:4:')
        self.caught({'docs/patterns/shut-down.md': README}, 'examples/patterns/shut_down.cpp')

    # ---- the use that headers show

    def with_header(self, example, header=HEADER):
        return {'include/acqrel/publish/cell.hpp': header, 'examples/publish/cell.cpp': example}

    def test_accepts_use_that_is_compiled_whatever_its_lines_and_comments(self):
        self.accepted(self.with_header(SHOWN.replace('int between;', 'if (auto v =\n  c.get())\n    serve("a // b");\nint between;')))

    def test_catches_use_that_is_not_compiled(self):
        self.caught(self.with_header(SHOWN), 'include/acqrel/publish/cell.hpp:4:', '`if (auto v = c.get())', 'is not in examples')

    def test_catches_use_in_another_order(self):
        lines = HEADER[HEADER.index('//   acq'):HEADER.index('// Publishes')].replace('//   ', '').replace('//\n', '').split('\n')
        self.accepted(self.with_header('\n'.join(lines)))
        self.caught(self.with_header('\n'.join([lines[0], lines[2], lines[1]])), ':6:', 'at this point, though elsewhere')

    def test_catches_each_missing_line(self):
        for line, text in (3, 'acqrel::cell<config> c;'), (4, 'if (auto v = c.get())'), (6, 'c.put(1);'):
            with self.subTest(line):
                whole = 'acqrel::cell<config> c; if (auto v = c.get()) serve("a // b"); c.put(1);'
                self.caught(self.with_header(whole.replace(text, '')), f'cell.hpp:{line}:')

    def test_catches_a_name_that_only_begins_alike(self):
        self.caught(self.with_header('cc.put(1);', '// acqrel/publish/cell.hpp - a value.\n//\n//   c.put(1);\n'), ':3:')

    def test_catches_a_header_without_an_example(self):
        self.caught({'include/acqrel/publish/cell.hpp': HEADER}, 'write examples/publish/cell.cpp')

    def test_catches_a_header_that_shows_no_use(self):
        self.caught(self.with_header(SHOWN, '// acqrel/publish/cell.hpp - a value.\n//\n// Publishes  x.\n//   prose\n'), 'shows no use')


if __name__ == '__main__':
    unittest.main()
