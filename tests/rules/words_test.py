# SPDX-License-Identifier: Apache-2.0
"""rules/words is fed each violation it is there for."""
import unittest

import words
from rule_case import RuleCase


class words_rule(RuleCase):
    rule = staticmethod(words.check)

    def test_accepts_plain_text_and_files_that_are_no_text(self):
        self.accepted({'docs/a.md': 'see examples/work/a.cpp, $HOME/x and https://example.org/home/you/\nmktemp -d /tmp/a.XXXXXX\n',
                       'tests/a.bin': '\0 TODO', 'include/acqrel/base/a.hpp': '// Progress  lock-free.\n'})

    def test_catches_paths_of_one_machine(self):
        for text in 'cd /work/main', 'at "/home/anna/acqrel"', '/root/.cache', 'cp /Users/anna/x', 'C:\\Users\\anna':
            with self.subTest(text):
                self.caught({'docs/a.md': f'fine\n{text}\n'}, 'docs/a.md:2:', 'is a path of one machine')

    def test_catches_work_left_undone(self):
        for word in 'TODO', 'FIXME', 'XXX', 'HACK', 'TBD', 'WIP':
            with self.subTest(word):
                self.caught({'src/base/a.cpp': f'int a;  // {word}: later\n'}, 'src/base/a.cpp:1:', f'`{word}` leaves work undone')

    def test_catches_tests_that_are_switched_off(self):
        self.caught({'tests/base/a_test.cpp': 'TEST(a, DISABLED_works) {}\n'}, 'switches a test off')
        self.caught({'tests/base/a_test.cpp': 'GTEST_SKIP();\n'}, 'switches a test off')
        self.accepted({words.SHOWS_SKIPPING: 'check([] { GTEST_SKIP(); });\n'})
        self.caught({words.SHOWS_SKIPPING: 'TEST(a, DISABLED_works) {}\n'}, 'switches a test off')
        self.accepted({'model/gtest/a.cpp': 'say("GTEST_SKIP() here: leave the test out");\n'})

    def test_catches_promises_that_say_nothing(self):
        for path in 'README.md', 'docs/limits.md', 'include/acqrel/base/a.hpp':
            for said in 'thread-safe', 'Thread safe', 'thread-safety':
                with self.subTest(path=path, said=said):
                    self.caught({path: f'It is {said}.\n'}, f'{path}:1:', said, 'which threads may call what')
        self.accepted({'tests/base/a.md': 'thread-safe\n'})

    def test_catches_lock_free_outside_progress(self):
        block = '// Progress   get() is lock-free,\n//            put() is lock-free.\n// Memory     little.\n'
        self.accepted({'include/acqrel/base/a.hpp': block})
        self.caught({'include/acqrel/base/a.hpp': block.replace('little', 'lock-free')}, ':3:', 'outside Progress')
        self.caught({'include/acqrel/base/a.hpp': block + '//\n/// lock-free\n'}, ':5:', 'outside Progress')
        self.accepted({'include/acqrel/base/a.hpp': 'static_assert(x::is_always_lock_free);\n'})


if __name__ == '__main__':
    unittest.main()
