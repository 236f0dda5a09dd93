# SPDX-License-Identifier: Apache-2.0
"""rules/layers: an include only points down, a room is a room, and a header reads like every other.

* include/acqrel/ROOM/X.hpp and src/ROOM/... may include: the standard library, the operating system, the compiler's own
  headers, and acqrel headers of the same room or of a room of lower rank. Another room of equal rank is no neighbour:
  what two such rooms share belongs a rank lower. testing/ is for users' tests: it may include every room, none may
  include it. A file below src/ may also include a private header of a room that its own may include.
* model/, the checker, stands beside the library and is built of nothing else than the standard library and the operating
  system: core/ stands alone; litmus/ on core/; runtime/ and report/, one library, on core/; gtest/ alone, with GoogleTest.
  Of acqrel it includes testing/model.hpp only. tools/ includes litmus/ and core/. Each file of model/ and tools/ has one
  SPDX line, each header #pragma once. std::atomic stands in HAS_REAL_THREADS only: elsewhere one kernel thread does
  everything, and an atomic would say otherwise.
* flagserver/ and examples/ include public acqrel headers only: none below src/ or model/, none that is not there.
* No folder is called detail, internal, impl, utils, common or misc.
* A header's first line is `// acqrel/ROOM/X.hpp - what it is.`; then, above `#pragma once`, one SPDX line and the nine
  words (Publishes Edges Progress Memory Threads Errors Cost Model, Not for) in this order, each with a text, if only
  `none`. A header has at most 320 lines.
"""
import pathlib
import re

from cpp_source import Source, cpp_files, main, resolve, tree_files

RANK = {'base': 0, 'reclaim': 1, 'publish': 2, 'signal': 2, 'observe': 3, 'pace': 3, 'handoff': 3, 'task': 4, 'keyed': 4,
        'reload': 5, 'testing': 6}
FORBIDDEN_FOLDERS = {'detail', 'details', 'internal', 'impl', 'util', 'utils', 'common', 'misc'}
WORDS = ['Publishes', 'Edges', 'Progress', 'Memory', 'Threads', 'Errors', 'Cost', 'Model', 'Not for']
LONGEST_HEADER = 320
SPDX = '// SPDX-License-Identifier: Apache-2.0'
STANDARD = set('''
    algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts condition_variable
    coroutine deque exception execution filesystem format forward_list fstream functional future initializer_list iomanip
    ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric
    optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span
    sstream stack stdexcept stop_token streambuf string string_view syncstream system_error thread tuple type_traits
    typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
    cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef cstdint cstdio
    cstdlib cstring ctime cuchar cwchar cwctype'''.split())
SYSTEM = re.compile(r'''(?x) (?:sys|linux|asm|arpa|net|netinet|mach|sanitizer)/[\w/]+\.h
    | (?:aio|dirent|dlfcn|errno|fcntl|fnmatch|ftw|grp|langinfo|limits|link|netdb|poll|pthread|pwd|sched|semaphore|signal
        |spawn|stdint|stdlib|string|strings|syslog|termios|time|ucontext|unistd|utime|windows
        |cpuid|immintrin|x86intrin|arm_acle|cxxabi|execinfo)\.h''')


CHECKER_SYSTEM = re.compile(r'(?:backtrace|elf|malloc|mqueue|threads|unwind)\.h')
CHECKER_MAY_INCLUDE = {'core': {'core'}, 'litmus': {'litmus', 'core'}, 'runtime': {'runtime', 'report', 'core'},
                       'report': {'runtime', 'report', 'core'}, 'gtest': {'gtest'}, 'tools': {'tools', 'litmus', 'core'}}
CHECKER_API = 'include/acqrel/testing/model.hpp'
HAS_REAL_THREADS = {'model/runtime/thread_storage.cpp', 'model/runtime/outside_blocks.cpp'}  # asleep; outside of a check


def room_of(path):
    match = re.match(r'(?:include/acqrel|src)/(\w+)/', path or '')
    return match.group(1) if match else None


def points_down(room, target):
    """Whether a file of `room` may include one of `target`."""
    return target == room or RANK[target] < RANK[room]


def check_library_include(root, path, name):
    """(what is wrong, what to do) of one include in include/ or src/, or None."""
    target = resolve(root, path, name)
    if target is None:
        if name in STANDARD or SYSTEM.fullmatch(name):
            return None
        if name.startswith('acqrel/'):
            return f'{name} is not there', 'name a header below include/'
        return f'{name} is neither standard library, operating system nor acqrel', 'do without it: the library has no dependencies'
    room, other = room_of(path), room_of(target)
    if path.startswith('include/') and not target.startswith('include/'):
        return f'a public header includes {target}', 'public headers include public headers only'
    if other not in RANK:
        return f'{target} is in no room', 'move it into one'
    if room in RANK and not points_down(room, other):
        return (f'{room} (rank {RANK[room]}) includes {other} (rank {RANK[other]})',
                'an include points down: move what both need to a lower room')
    return None


def checker_part(path):
    """core, litmus, ... of a file below model/; tools of one below tools/; else None."""
    match = re.match(r'model/(\w+)/|(tools)/', path or '')
    return match and (match.group(1) or match.group(2))


def check_checker_include(root, path, name):
    """(what is wrong, what to do) of one include in model/ or tools/, or None."""
    part, target = checker_part(path), resolve(root, path, name)
    if target is None:
        known = name in STANDARD or SYSTEM.fullmatch(name) or CHECKER_SYSTEM.fullmatch(name)
        if known or (part == 'gtest' and name.startswith('gtest/')):
            return None
        return f'{name} is neither standard library nor operating system', 'do without it: the checker has no dependencies'
    if target == CHECKER_API and part in ('runtime', 'report', 'gtest'):
        return None
    other = checker_part(target)
    if other is None:
        return f'{part} includes {target}', f'the checker stands on nothing it may check; only {CHECKER_API} is for it'
    if other not in CHECKER_MAY_INCLUDE[part]:
        return f'{part} includes {other}', f'{part} may include ' + ', '.join(sorted(CHECKER_MAY_INCLUDE[part]))
    return None


def check_checker_file(root, source):
    """(line, what is wrong, what to do) of a file of model/ or tools/."""
    if checker_part(source.path) not in CHECKER_MAY_INCLUDE:
        yield 1, 'this file is in no part of the checker', f'put it into one of {", ".join(CHECKER_MAY_INCLUDE)}'
        return
    if source.lines.count(SPDX) != 1:
        yield 1, f'there are {source.lines.count(SPDX)} lines `{SPDX}`', 'write it once'
    if source.path.endswith('.hpp') and '#pragma once' not in source.lines:
        yield 1, 'there is no #pragma once', 'write it below the first comment'
    for line, _, name in source.includes():
        if wrong := check_checker_include(root, source.path, name):
            yield line, *wrong
    if source.path not in HAS_REAL_THREADS:
        for match in re.finditer(r'\bstd\s*::\s*atomic\w*', source.code):
            yield source.line(match.start()), f'{match.group()} in the checker', 'one thread runs it: use the plain type'


def check_header(source):
    """(line, what is wrong, what to do) of a header's anatomy."""
    name = source.path.removeprefix('include/')
    if not source.lines[0].startswith(f'// {name} - '):
        yield 1, f'the first line is not `// {name} - what it is.`', 'write it, above everything else'
    pragma = next((n for n, text in enumerate(source.lines, 1) if text.strip() == '#pragma once'), None)
    if pragma is None:
        yield 1, 'there is no #pragma once', 'write it below the block'
        pragma = next((n for n in range(1, len(source.lines) + 1) if source.code_lines[n - 1].strip()), len(source.lines) + 1)
    block = source.lines[:pragma - 1]
    for number, text in enumerate(block, 1):
        if text.strip() and not text.startswith('//'):
            yield number, 'code stands above #pragma once', 'let the block be comments only'
            break
    if block.count(SPDX) != 1:
        yield 1, f'the block has {block.count(SPDX)} lines `{SPDX}`', 'write it once'
    places = []
    for word in WORDS:
        found = [n for n, text in enumerate(block, 1) if re.match(rf'// {word}(?: |$)', text)]
        if not found:
            yield 1, f'the block lacks `{word}`', 'add the line, with `none` if there is nothing to say'
        elif len(found) > 1:
            yield found[1], f'`{word}` stands twice in the block', 'keep one'
        else:
            if not block[found[0] - 1].removeprefix(f'// {word}').strip():
                yield found[0], f'`{word}` says nothing', 'write it out, or `none`'
            places.append((found[0], word))
    for (line, word), (next_line, next_word) in zip(places, places[1:]):
        if next_line < line:
            yield next_line, f'`{next_word}` stands above `{word}`', 'keep the order ' + ', '.join(WORDS)
            break
    length = len(source.text.splitlines())
    if length > LONGEST_HEADER:
        yield LONGEST_HEADER + 1, f'the header has {length} lines', f'bring it to {LONGEST_HEADER}: move cold code to src/, or split it'


def check(root):
    violations = []

    def report(path, line, what, remedy):
        violations.append(f'{path}:{line}: {what}; {remedy}')

    for path in tree_files(root):
        for folder in pathlib.PurePosixPath(path).parts[:-1]:
            if folder.lower() in FORBIDDEN_FOLDERS:
                report(path, 1, f'a folder is called {folder}', 'name it for what is in it')

    for path in cpp_files(root, 'include', 'src'):
        source = Source(root, path)
        if room_of(path) not in RANK:
            report(path, 1, 'this file is in no room', f'put it into one of {", ".join(RANK)}')
        for line, _, name in source.includes():
            if wrong := check_library_include(root, path, name):
                report(path, line, *wrong)
        if path.startswith('include/'):
            for wrong in check_header(source):
                report(path, *wrong)

    for path in cpp_files(root, 'model', 'tools'):
        for wrong in check_checker_file(root, Source(root, path)):
            report(path, *wrong)

    for path in cpp_files(root, 'flagserver', 'examples'):
        for line, _, name in Source(root, path).includes():
            target = resolve(root, path, name)
            if target is not None and target.startswith(('src/', 'model/')):
                report(path, line, f'{target} is private to the library', 'use a public header')
            elif name.startswith('acqrel/') and (target is None or not target.startswith('include/')):
                report(path, line, f'{name} is no public header', 'name a header below include/')
    return violations


if __name__ == '__main__':
    main(check, 'layers')
