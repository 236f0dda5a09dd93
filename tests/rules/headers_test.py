# SPDX-License-Identifier: Apache-2.0
"""rules/headers is fed a header that needs another's includes and one that may stand only once."""
import os
import pathlib
import subprocess
import tempfile
import unittest

RULE = pathlib.Path(__file__).with_name('headers.cmake')
PROJECT = f'''
cmake_minimum_required(VERSION 3.25)
project(headers LANGUAGES CXX)
set(acqrel_warnings -Wall -Wextra -Wconversion -Werror)
include("{RULE.as_posix()}")
acqrel_headers_compile_alone(headers_alone ${{CMAKE_CURRENT_SOURCE_DIR}}/include)
'''
WHOLE = '#pragma once\n#include <cstddef>\nnamespace acqrel { struct whole { std::size_t size; }; }\n'


class headers_rule(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / 'CMakeLists.txt').write_text(PROJECT)

    def build(self, header=None, text=''):
        """Output of the build of a tree with a whole header and this one, and whether it succeeded."""
        for name, content in (('base/whole', WHOLE), *(((header, text),) if header else ())):
            target = self.root / 'include/acqrel' / f'{name}.hpp'
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        build = self.root / 'build'
        if not build.exists():
            subprocess.run(['cmake', '-G', 'Ninja', '-S', self.root, '-B', build], check=True, capture_output=True,
                           env={**os.environ, 'CXXFLAGS': ''})
        done = subprocess.run(['cmake', '--build', build], capture_output=True, text=True)
        return done.returncode == 0, done.stdout

    def test_accepts_a_header_that_is_whole(self):
        ok, output = self.build()
        self.assertTrue(ok, output)
        self.assertIn('headers_alone/acqrel/base/whole.cpp', output)

    def test_catches_a_header_that_is_added_later_and_lacks_an_include(self):
        self.assertTrue(self.build()[0])
        ok, output = self.build('publish/partial', '#pragma once\nstruct partial { std::size_t size; };\n')
        self.assertFalse(ok)
        self.assertIn('partial.hpp', output)

    def test_catches_a_header_that_may_stand_only_once(self):
        ok, output = self.build('publish/once', 'struct once {};\n')
        self.assertFalse(ok)
        self.assertIn('redefinition', output)

    def test_catches_a_header_that_warns(self):
        ok, output = self.build('publish/warns', '#pragma once\ninline int f(long x) { return x; }\n')
        self.assertFalse(ok)
        self.assertIn('conversion', output)


if __name__ == '__main__':
    unittest.main()
