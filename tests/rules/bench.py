# SPDX-License-Identifier: Apache-2.0
"""rules/bench: each benchmark that a header names is there.

A header's Cost says `Bench TYPE/OPERATION`. The benchmark program lists its names (`--list`), one a line; some name
begins with it.

    bench.py ROOT PROGRAM
"""
import re
import subprocess
import sys

from cpp_source import Source, cpp_files

NAMED = re.compile(r'\bBench\s+([\w]+(?:/[\w]+)*)')


def check(root, benchmarks):
    violations = []
    for path in cpp_files(root, 'include'):
        for number, text in enumerate(Source(root, path).lines, 1):
            for name in NAMED.findall(text) if text.startswith('//') else ():
                if '/' not in name:
                    violations.append(f'{path}:{number}: Bench {name} names no operation; write TYPE/OPERATION')
                elif not any(each.startswith(name + '/') for each in benchmarks):
                    violations.append(f'{path}:{number}: there is no benchmark {name}; write it, or name one of `benchmarks --list`')
    return violations


if __name__ == '__main__':
    listed = subprocess.run([sys.argv[2], '--list'], capture_output=True, text=True, check=True).stdout.split('\n')
    found = check(sys.argv[1], listed)
    print('\n'.join(found) or 'rules/bench: kept')
    sys.exit(bool(found))
