#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mistakes that are refused, one for each file beside this one.

    cases.py refused CASE.cpp compile COMPILER FLAG...   the case, with WRONG defined, must not compile
    cases.py refused CASE.cpp run PROGRAM                what was built with WRONG defined must end badly
    cases.py table                                       writes docs/patterns/anti-patterns.md
    cases.py table --check                               fails if that page is not what would be written

A case begins with

    // What is wrong, as a sentence.
    //
    // Document  where the source document has it
    // Refused   by the compiler | by the analysis | by the checker | when it runs
    // Saying    a regular expression that the message must match
    // Instead   what to write, in a line or more
    // SPDX-License-Identifier: Apache-2.0

and has one block `#if defined(WRONG)` wrong code `#else` right code `#endif`, which the page shows.
"""
import html
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PAGE = ROOT / 'docs/patterns/anti-patterns.md'
WORDS = ('Document', 'Refused', 'Saying', 'Instead')
WAYS = {'by the compiler': 'does not compile', 'by the analysis': "does not pass clang's analysis of locks",
        'by the checker': 'the model checker finds it', 'when it runs': 'ends with a message'}


class Case:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        text = path.read_text()
        head = re.match(r'(?:// ?.*\n)+', text)
        if not head:
            sys.exit(f'{path}: it does not begin with what is wrong; cases.py shows how')
        lines = [line[2:].strip() for line in head.group().splitlines()]
        at = lines.index('') if '' in lines else len(lines)
        self.title = ' '.join(lines[:at])
        self.said, word = {}, None
        for line in lines[at + 1:]:
            if line.startswith('SPDX'):
                break
            first, _, rest = line.partition(' ')
            if first in WORDS:
                word, line = first, rest.strip()
            if word is None:
                sys.exit(f'{path}: `{line}` belongs to none of {", ".join(WORDS)}')
            self.said[word] = (self.said.get(word, '') + ' ' + line).strip()
        if missing := [word for word in WORDS if not self.said.get(word)]:
            sys.exit(f'{path}: it does not say {", ".join(missing)}')
        if self.said['Refused'] not in WAYS:
            sys.exit(f"{path}: refused `{self.said['Refused']}` is none of: {', '.join(WAYS)}")
        blocks = re.findall(r'^#if defined\(WRONG\)\n(.*?)^#else\n(.*?)^#endif', text, re.DOTALL | re.MULTILINE)
        if len(blocks) != 1:
            sys.exit(f'{path}: it has {len(blocks)} blocks `#if defined(WRONG)` ... `#else` ... `#endif`; write one')
        self.wrong, self.right = (block.strip('\n') for block in blocks[0])


def refused(path, way, *command):
    case = Case(pathlib.Path(path))
    if way == 'compile':
        command = [*command, '-std=c++20', f'-I{ROOT}/include', '-DWRONG', '-fsyntax-only', path]
    done = subprocess.run(command, capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode == 0:
        sys.exit(f'{path}: the mistake was accepted\n{said}')
    if not re.search(case.said['Saying'], said):
        sys.exit(f"{path}: it was refused, but nothing matches `{case.said['Saying']}`:\n{said}")
    print(f'{case.name}: {WAYS[case.said["Refused"]]}')
    print(next(line for line in said.splitlines() if re.search(case.said['Saying'], line)))


def cell(code):
    """A table cell of code, which a Markdown reader shows with its colours."""
    return f'\n\n```cpp\n{code}\n```\n\n'


def page():
    cases = sorted((Case(path) for path in HERE.glob('*.cpp')), key=lambda case: (case.said['Document'], case.name))
    text = ['<!-- Written by compile_fail/cases.py table from the cases beside it. -->', '# Mistakes, and what refuses them', '',
            f'{len(cases)} ways to get it wrong that the source document warns of or falls into, each as code. Every one is in the',
            'test suite twice: the wrong version, which must be refused in these words, and the right one, which is built with all',
            'warnings and run. Four things refuse: the compiler; clang\'s analysis of locks; the model checker, which runs',
            'through every execution; and the program itself, at the moment it goes wrong.', '', '<table>',
            '<tr><th>The mistake</th><th>Wrong</th><th>Right</th></tr>']
    for case in cases:
        about = (f'<b>{html.escape(case.title)}</b><br><br>Document: {html.escape(case.said["Document"])}<br><br>'
                 f'What happens: {html.escape(WAYS[case.said["Refused"]])}, saying <code>{html.escape(case.said["Saying"])}</code>'
                 f'<br><br>Instead: {html.escape(case.said["Instead"])}<br><br>'
                 f'<a href="../../compile_fail/{case.name}.cpp">{case.name}</a>')
        text.append(f'<tr><td>{about}</td><td>{cell(case.wrong)}</td><td>{cell(case.right)}</td></tr>')
    return '\n'.join([*text, '</table>', ''])


def table(*options):
    if options == ('--check',):
        if not PAGE.exists() or PAGE.read_text() != page():
            sys.exit(f'{PAGE.relative_to(ROOT)} is not what its cases say; run compile_fail/cases.py table')
    else:
        PAGE.write_text(page())


if __name__ == '__main__':
    commands = {'refused': refused, 'table': table}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
