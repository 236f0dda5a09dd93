# SPDX-License-Identifier: Apache-2.0
"""rules/words: what no file of the tree may say.

* No path of somebody's machine, and no note of work left undone, in any text file; no test switched off (a message
  that begins with what it refuses is none).
* "thread-safe" says nothing: include/, docs/ and README.md say which threads may call what.
* In include/, "lock-free" stands on a Progress line only.

This file and its test spell the words; they alone are exempt. SHOWS_SKIPPING shows that the checker refuses to skip.
"""
import pathlib
import re

from cpp_source import main, tree_files

EXEMPT = {'tests/rules/words.py', 'tests/rules/words_test.py'}
SHOWS_SKIPPING = 'tests/model/expectations_model.cpp'
EVERYWHERE = [
    (re.compile(r'(?<![\w.$}/-])/(?:work|root|Users|home/[\w.-]+)/[\w.-]'), 'is a path of one machine', 'make it relative, or a variable'),
    (re.compile(r'\b[A-Z]:\\\\?Users\\'), 'is a path of one machine', 'make it relative, or a variable'),
    (re.compile(r'\b(?:TODO|FIXME|XXX|HACK|TBD|WIP)\b'), 'leaves work undone', 'do it, or file an issue and remove the note'),
    (re.compile(r'(?<!")\b(?:DISABLED_\w+|GTEST_SKIP)\b'), 'switches a test off', 'let it run, or remove it'),
]
PROMISES = [(re.compile(r'\bthread[- ]?safe(?:ty|ly)?\b', re.IGNORECASE), 'says nothing', 'say which threads may call what, and when')]
LOCK_FREE = re.compile(r'\block[- ]free(?:dom)?\b', re.IGNORECASE)
BLOCK_WORD = re.compile(r'^// (Publishes|Edges|Progress|Memory|Threads|Errors|Cost|Model|Not for)\b')


def check_line(path, text):
    """(words, what is wrong, what to do) of each forbidden thing on a line."""
    rules = EVERYWHERE + (PROMISES if path == 'README.md' or path.startswith(('include/', 'docs/')) else [])
    for pattern, what, remedy in rules:
        for match in pattern.finditer(text):
            if path == SHOWS_SKIPPING and match.group() == 'GTEST_SKIP':
                continue
            yield match.group(), what, remedy


def check(root):
    violations = []
    for path in tree_files(root):
        if path in EXEMPT:
            continue
        data = pathlib.Path(root, path).read_bytes()
        if b'\0' in data[:8192]:
            continue
        word = None
        for number, text in enumerate(data.decode('utf-8', 'replace').splitlines(), 1):
            violations += [f'{path}:{number}: `{said}` {what}; {remedy}' for said, what, remedy in check_line(path, text)]
            if not path.startswith('include/'):
                continue
            if match := BLOCK_WORD.match(text):
                word = match.group(1)
            elif not text.startswith('//') or text.strip() == '//':
                word = None
            if (match := LOCK_FREE.search(text)) and word != 'Progress':
                violations.append(f'{path}:{number}: `{match.group()}` stands outside Progress; say there what never waits')
    return violations


if __name__ == '__main__':
    main(check, 'words')
