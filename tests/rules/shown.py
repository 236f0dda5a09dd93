# SPDX-License-Identifier: Apache-2.0
"""rules/shown: every edge of the library is shown by a model test, which also fails when the edge is weakened.

* Each edge that a header declares stands in the `.shows` of a MODEL in tests/**/*_model.cpp, or in NOT_CHECKED with the
  reason why no model test can meet it.
* What `.shows` names is an edge: declared by a header, or tagged in tests/ itself.

Whether the tests then do show them, they say themselves; `make model` prints it (edges_report.py).
"""
import re

import atomics
import edges
from cpp_source import Tree, main

# Reason: the edges.
NOT_CHECKED = {
    'its thread waits for files in poll(), which the checker has no model of': ['file_watcher.asked', 'file_watcher.checked', 'file_watcher.joined'],
    'its writer is the thread of a file_watcher': ['content_follower.generation', 'content_follower.changed'],
}

SHOWS = re.compile(r'\.shows\s*=\s*\{([^{}]*)\}')
TEST = re.compile(r'\bMODEL\s*\(\s*(\w+)\s*,\s*(\w+)')


def declared(root):
    """edge -> (path, line) of each edge that a header declares."""
    return {name: (path, line) for path, source in Tree(root, 'include').sources.items()
            for line, name in edges.declared_edges(source)}


def shown(tree):
    """(edge, test, path, line) of each edge that a model test names."""
    for path, source in tree.sources.items():
        if not path.endswith('_model.cpp'):
            continue
        for test in TEST.finditer(source.code):
            end = atomics.close(source.code, source.code.index('(', test.start()))
            for match in SHOWS.finditer(source.code, test.end(), end):
                for name in re.finditer(r'"([^"]*)"', source.text[match.start(1):match.end(1)]):
                    yield name.group(1), '.'.join(test.groups()), path, source.line(match.start(1) + name.start())


def reasons():
    return {edge: reason for reason, names in NOT_CHECKED.items() for edge in names}


def check(root, excused=None):
    excused = reasons() if excused is None else excused
    tests, known = Tree(root, 'tests'), declared(root)
    tagged = {tag.edge for source in tests.sources.values() for line, comment in source.comments.items()
              if (tag := edges.Tag.read(line, comment)[0])}
    violations, named = [], set()
    for edge, test, path, line in shown(tests):
        named.add(edge)
        if edge not in known and edge not in tagged:
            violations.append(f'{path}:{line}: {test} shows {edge}, which no header declares; name an edge that is there')
        if edge in excused and edge in known:
            violations.append(f'{path}:{line}: {test} shows {edge}, which NOT_CHECKED says cannot be; remove it there')
    for edge, (path, line) in known.items():
        if edge not in named and edge not in excused:
            violations.append(f'{path}:{line}: no model test shows edge {edge}; write one with .shows = {{"{edge}"}} in tests/**/*_model.cpp')
    for edge in excused:
        if edge not in known:
            violations.append(f'tests/rules/shown.py:1: NOT_CHECKED names {edge}, which no header declares; remove it')
    return sorted(violations)


if __name__ == '__main__':
    main(check, 'shown')
