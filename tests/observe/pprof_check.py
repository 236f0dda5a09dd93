#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What no test in C++ can say of a profile of waits.

    pprof_check.py GO PLANTED_LOCK FOLDER    Debian's `go tool pprof` opens it, and shows the hot lock first
"""
import os
import re
import subprocess
import sys


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(go, program, folder):
    name = os.path.join(folder, 'planted_lock')
    subprocess.run([program, name], check=True)
    top = output(go, 'tool', 'pprof', '-top', '-nodecount=20', name + '.pb')
    print(top)
    rows = re.findall(r'^ *\S+ +\S+% +\S+% +\S+ +\S+% +(.*)$', top, re.MULTILINE)
    assert rows and 'count_orders' in rows[0], f'the first row is not the planted lock: {rows[:1]}'
    assert not any(row.startswith('acqrel::') for row in rows), 'the library itself is not a place'
    tags = output(go, 'tool', 'pprof', '-tags', name + '.pb')
    assert re.search(r'100%\): lock', tags), tags
    # The other number of each sample: how often.
    raw = output(go, 'tool', 'pprof', '-raw', name + '.pb')
    times = sum(int(n) for n in re.findall(r'^ +(\d+) +\d+: ', raw, re.MULTILINE))
    assert 4 <= times <= 3 * 4 * 30, f'{times} waits for 360 locks'
    with open(name + '.folded') as file:
        lines = [line.rsplit(' ', 1) for line in file.read().splitlines()]
    hottest = max(lines, key=lambda line: int(line[1]))
    assert 'count_orders' in hottest[0], hottest
    with open(name + '.txt') as file:
        table = file.read()
    print(table)
    assert 'count_orders' in table.split('%')[1], table


if __name__ == '__main__':
    main(*sys.argv[1:])
