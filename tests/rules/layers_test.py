# SPDX-License-Identifier: Apache-2.0
"""rules/layers is fed each violation it is there for."""
import unittest

import layers
from rule_case import RuleCase

WORDS = ''.join(f'// {word:9}  none.\n' for word in layers.WORDS)


def header(room, name, *includes):
    return {f'include/acqrel/{room}/{name}.hpp':
            f'// acqrel/{room}/{name}.hpp - a thing.\n{layers.SPDX}\n//\n{WORDS}#pragma once\n'
            + ''.join(f'#include <{include}>\n' for include in includes)}


PATH = 'include/acqrel/publish/thing.hpp'
THING = header('publish', 'thing')[PATH]


class layers_rule(RuleCase):
    rule = staticmethod(layers.check)

    # ---- includes

    def test_accepts_includes_that_point_down_or_stay_in_the_room(self):
        self.accepted({
            **header('base', 'floor', 'atomic', 'linux/futex.h', 'unistd.h'),
            **header('publish', 'one', 'acqrel/base/floor.hpp', 'acqrel/publish/two.hpp'),
            **header('publish', 'two', 'vector'),
            **header('testing', 'stress', 'acqrel/publish/one.hpp'),
            'src/publish/private.hpp': '#include <acqrel/publish/one.hpp>\n',
            'src/publish/one.cpp': '#include "private.hpp"\n#include <cstdint>\n',
            'examples/publish/one.cpp': '#include <acqrel/publish/one.hpp>\n#include "../shown.hpp"\n',
            'examples/shown.hpp': '#include <boost/asio.hpp>\n',
            'tests/publish/one_test.cpp': '#include "../../src/publish/private.hpp"\n',
        })

    def test_catches_an_include_that_points_up(self):
        self.caught({**header('base', 'floor', 'acqrel/publish/one.hpp'), **header('publish', 'one')},
                    'include/acqrel/base/floor.hpp:14:', 'base (rank 0) includes publish (rank 2)')

    def test_catches_an_include_of_another_room_of_equal_rank(self):
        self.caught({**header('publish', 'one', 'acqrel/signal/event.hpp'), **header('signal', 'event')},
                    'publish (rank 2) includes signal (rank 2)')

    def test_catches_the_same_in_a_source_file(self):
        self.caught({**header('reload', 'watch'), 'src/publish/one.cpp': '#include "acqrel/reload/watch.hpp"\n'},
                    'src/publish/one.cpp:1:', 'publish (rank 2) includes reload (rank 5)')

    def test_catches_a_private_header_of_a_higher_room(self):
        self.caught({'src/task/queue.hpp': '', 'src/base/park.cpp': '#include "../task/queue.hpp"\n'},
                    'base (rank 0) includes task (rank 4)')

    def test_nobody_includes_testing(self):
        self.caught({**header('reload', 'watch', 'acqrel/testing/clock.hpp'), **header('testing', 'clock')}, 'includes testing')

    def test_catches_a_dependency(self):
        for name in 'boost/asio.hpp', 'gtest/gtest.h', 'urcu.h':
            with self.subTest(name):
                self.caught(header('base', 'floor', name), f'{name} is neither standard library')

    def test_an_include_in_a_comment_is_none(self):
        self.accepted({'src/base/a.cpp': '// #include <boost/asio.hpp>\n/*\n#include <gtest/gtest.h>\n*/\n'})

    def test_catches_a_public_header_that_includes_a_private_one(self):
        self.caught({**header('base', 'floor', 'base/hidden.hpp'), 'src/base/hidden.hpp': ''}, 'a public header includes src/')

    def test_catches_a_header_that_is_not_there(self):
        self.caught(header('base', 'floor', 'acqrel/base/gone.hpp'), 'is not there')

    def test_users_of_the_library_see_public_headers_only(self):
        hidden = {'src/publish/hidden.hpp': '', 'model/core/hidden.hpp': f'{layers.SPDX}\n#pragma once\n'}
        for place, include in (('flagserver/main.cpp', '../src/publish/hidden.hpp'),
                               ('flagserver/main.cpp', 'publish/hidden.hpp'),
                               ('examples/publish/one.cpp', '../../src/publish/hidden.hpp'),
                               ('examples/readme.cpp', 'src/publish/hidden.hpp'),
                               ('examples/readme.cpp', '../model/core/hidden.hpp')):
            with self.subTest(place=place, include=include):
                self.caught({place: f'#include "{include}"\n', **hidden}, place + ':1:', 'private to the library')
        self.caught({'flagserver/main.cpp': '#include <acqrel/publish/gone.hpp>\n'}, 'no public header')

    # ---- the checker

    def checked(self, files):
        """The files with the licence line and, in headers, #pragma once."""
        return {path: f'{layers.SPDX}\n' + ('#pragma once\n' if path.endswith('.hpp') else '') + text for path, text in files.items()}

    def test_accepts_a_checker_on_its_core(self):
        self.accepted(header('testing', 'model') | self.checked({
            'model/core/graph.hpp': '#include <vector>\n',
            'model/litmus/parse.cpp': '#include "../core/graph.hpp"\n',
            'model/runtime/run.hpp': '#include "../core/graph.hpp"\n#include <elf.h>\n#include <sys/mman.h>\n',
            'model/report/print.cpp': '#include <acqrel/testing/model.hpp>\n#include "../runtime/run.hpp"\n',
            'model/gtest/lead.cpp': '#include <gtest/gtest.h>\n',
            'tools/acqrel.cpp': '#include "model/litmus/parse.hpp"\n',
            'model/litmus/parse.hpp': 'const char* text = "std::atomic";  // std::atomic<int>\n',
            'tests/model/graph_test.cpp': '#include "model/core/graph.hpp"\n',
        }))

    def test_the_core_stands_alone_and_the_litmus_engine_on_it_alone(self):
        files = {'model/runtime/run.hpp': '', 'model/litmus/parse.hpp': ''}
        self.caught(self.checked(files | {'model/core/graph.cpp': '#include "../runtime/run.hpp"\n'}),
                    'model/core/graph.cpp:2:', 'core includes runtime')
        self.caught(self.checked(files | {'model/litmus/parse.cpp': '#include "model/runtime/run.hpp"\n'}), 'litmus includes runtime')
        self.caught(self.checked(files | {'model/runtime/run.cpp': '#include "../litmus/parse.hpp"\n'}), 'runtime includes litmus')
        self.caught(self.checked(files | {'tools/acqrel.cpp': '#include "../model/runtime/run.hpp"\n'}), 'tools includes runtime')

    def test_the_checker_uses_nothing_that_it_may_check_and_is_used_by_none(self):
        self.caught(header('base', 'park') | self.checked({'model/runtime/run.cpp': '#include <acqrel/base/park.hpp>\n'}),
                    'model/runtime/run.cpp:2:', 'stands on nothing it may check')
        self.caught(self.checked({'model/core/graph.hpp': ''}) | {'src/base/park.cpp': '#include "../../model/core/graph.hpp"\n'},
                    'src/base/park.cpp:1:', 'in no room')
        for part in 'core', 'litmus':
            self.caught(header('testing', 'model') | self.checked({f'model/{part}/a.cpp': '#include <acqrel/testing/model.hpp>\n'}),
                        f'{part} includes include/acqrel/testing/model.hpp')

    def test_the_checker_has_no_dependencies(self):
        self.caught(self.checked({'model/core/graph.cpp': '#include <boost/graph.hpp>\n'}), 'boost/graph.hpp is neither')
        self.caught(self.checked({'model/report/print.cpp': '#include <gtest/gtest.h>\n'}), 'gtest/gtest.h is neither')

    def test_each_file_of_the_checker_has_its_licence_line_and_headers_are_included_once(self):
        self.caught({'model/core/graph.cpp': ''}, 'model/core/graph.cpp:1: there are 0 lines')
        self.caught({'tools/acqrel.cpp': f'{layers.SPDX}\n' * 2}, 'there are 2 lines')
        self.caught({'model/core/graph.hpp': f'{layers.SPDX}\n'}, 'no #pragma once')
        self.caught(self.checked({'model/graph.cpp': ''}), 'in no part of the checker')

    def test_the_checker_has_no_atomics_but_where_its_threads_are_real(self):
        self.caught(self.checked({'model/core/graph.cpp': 'std::atomic<int> n;\n'}), 'model/core/graph.cpp:2: std::atomic in the checker')
        for path in layers.HAS_REAL_THREADS:
            self.accepted(self.checked({path: 'std::atomic<bool> ready;\n'}))

    # ---- rooms

    def test_catches_a_file_in_no_room(self):
        self.caught({'src/loose.cpp': ''}, 'src/loose.cpp:1: this file is in no room')
        self.caught({'src/attic/a.cpp': ''}, 'this file is in no room')

    def test_catches_folders_that_say_nothing(self):
        for folder in layers.FORBIDDEN_FOLDERS:
            with self.subTest(folder):
                self.caught({f'tests/{folder}/a.txt': ''}, f'a folder is called {folder}')

    # ---- anatomy

    def test_catches_a_first_line_that_is_not_the_path(self):
        for text in ('', layers.SPDX + '\n'), ('publish/thing.hpp -', 'publish/think.hpp -'), (' - a thing.', ''):
            with self.subTest(text):
                changed = text[1] + THING if not text[0] else THING.replace(*text, 1)
                found = self.violations({PATH: changed})
                self.assertIn(':1: the first line is not `// acqrel/publish/thing.hpp - what it is.`', found[0])

    def test_catches_a_missing_or_second_licence_line(self):
        self.caught({PATH: THING.replace(layers.SPDX + '\n', '')}, '0 lines')
        self.caught({PATH: THING.replace('//\n', layers.SPDX + '\n', 1)}, '2 lines')

    def test_catches_each_missing_word(self):
        for word in layers.WORDS:
            with self.subTest(word):
                self.caught({PATH: THING.replace(f'// {word:9}  none.\n', '')}, f'lacks `{word}`')

    def test_catches_words_out_of_order(self):
        swapped = THING.replace('// Memory ', '// X ').replace('// Errors ', '// Memory ').replace('// X ', '// Errors ')
        found = self.violations({PATH: swapped})
        self.assertTrue(found and 'stands above' in found[0], found)

    def test_catches_a_word_twice_and_a_word_without_a_text(self):
        self.caught({PATH: THING.replace('#pragma', '// Errors     none.\n#pragma', 1)}, 'stands twice')
        self.caught({PATH: THING.replace('// Cost       none.', '// Cost')}, '`Cost` says nothing')

    def test_catches_a_missing_pragma_once(self):
        self.caught({PATH: THING.replace('#pragma once\n', '')}, 'no #pragma once')

    def test_catches_code_above_pragma_once(self):
        self.caught({PATH: THING.replace('#pragma', '#include <atomic>\n#pragma')}, PATH + ':13:', 'code stands above')

    def test_catches_a_header_that_is_too_long(self):
        room = layers.LONGEST_HEADER - len(THING.splitlines())
        self.accepted({PATH: THING + '\n' * room})
        self.caught({PATH: THING + '\n' * (room + 1)}, f':{layers.LONGEST_HEADER + 1}: the header has')


if __name__ == '__main__':
    unittest.main()
