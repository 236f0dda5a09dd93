#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program under gdb to its function all_is_shown(), and compares what gdb prints with what the program's source says.

    printed_test.py GDB PRINTERS PROGRAM SOURCE
"""
import re
import subprocess
import sys

EXPECTED = re.compile(r'^\s*// gdb (\w+): (.*)$', re.MULTILINE)
PRINTED = re.compile(r'^\$\d+ = (.*)$', re.MULTILINE)


def main(debugger, printers, program, source):
    with open(source, encoding='utf-8') as file:
        expected = EXPECTED.findall(file.read())
    commands = ['set disable-randomization off', 'set debuginfod enabled off', 'set width 0', f'source {printers}',
                'break all_is_shown', 'run', 'up']
    commands += [f'print {name}' for name, _ in expected]
    arguments = [word for command in commands for word in ('-ex', command)]
    ran = subprocess.run([debugger, '-nx', '-batch', *arguments, program], capture_output=True, text=True, timeout=300)
    printed = PRINTED.findall(ran.stdout)
    wrong = [f'{name}:\n  gdb prints {is_now}\n  and not    {must_be}'
             for (name, must_be), is_now in zip(expected, printed) if must_be != is_now]
    if not expected or len(printed) != len(expected):
        wrong.append(f'{len(expected)} are expected, {len(printed)} were printed; gdb says:\n{ran.stdout}\n{ran.stderr}')
    print('\n'.join(wrong) or f'{len(printed)} types print as they must')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
