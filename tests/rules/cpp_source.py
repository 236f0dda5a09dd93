# SPDX-License-Identifier: Apache-2.0
"""C++ text as the rules see it: comments and the insides of strings blanked, lines and includes found.

A rule is a function `check(root)` that returns violations `FILE:LINE: what is wrong; what to do`, and a program that
prints them: `python3 tests/rules/NAME.py [ROOT]` ends with status 1 if there is any.
"""
import pathlib
import re
import subprocess
import sys

LITERAL = re.compile(
    r'(?P<line>//(?:[^\n\\]|\\.|\\\n)*)'
    r'|(?P<block>/\*.*?(?:\*/|\Z))'
    r'|(?P<raw>\b(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")'
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r'|(?P<number>\b\d[\w.]*(?:\'\w+)+)'  # 1'000 is no character
    r"|(?P<char>'(?:[^'\\\n]|\\.)+')",
    re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def blank(text):
    return re.sub(r'[^\n]', ' ', text)


class Source:
    """One file: `lines` as written, `code` without comments and string contents, of the same length."""

    def __init__(self, root, path):
        self.path = path  # relative to the root, with slashes
        self.text = (pathlib.Path(root) / path).read_text(encoding='utf-8')
        self.lines = self.text.split('\n')
        self.comments = {}  # line number -> text after //
        self.code = LITERAL.sub(self._replace, self.text)
        self.code_lines = self.code.split('\n')

    def _replace(self, match):
        text, kind = match.group(), match.lastgroup
        if kind == 'mark':
            kind = 'raw'
        if kind == 'number':
            return text
        if kind == 'line':
            first = self.line(match.start())
            for offset, part in enumerate(text.split('\n')):
                self.comments[first + offset] = part[2:] if offset == 0 else part
        if kind in ('string', 'char') and len(text) >= 2:
            return text[0] + blank(text[1:-1]) + text[-1]
        return blank(text)

    def line(self, offset):
        return self.text.count('\n', 0, offset) + 1

    def is_comment(self, line):
        """A line with a // comment and nothing else."""
        return line in self.comments and not self.code_lines[line - 1].strip()

    def includes(self):
        """(line, '<' or '"', path) of each include that is not in a comment."""
        for number, text in enumerate(self.lines, 1):
            match = INCLUDE.match(text)
            if match and self.code_lines[number - 1].lstrip().startswith('#'):
                yield number, match.group(1), match.group(2)


def cpp_files(root, *folders):
    """The C++ files below the folders, as paths relative to the root, sorted."""
    root = pathlib.Path(root)
    return sorted(p.relative_to(root).as_posix() for folder in folders for p in (root / folder).rglob('*')
                  if p.suffix in ('.hpp', '.cpp', '.h', '.cc', '.ipp') and p.is_file())


def tree_files(root):
    """Every file that git tracks or would track; without git, every file outside build folders."""
    root = pathlib.Path(root)
    if (root / '.git').exists():
        listed = subprocess.run(['git', '-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                                cwd=root, capture_output=True, check=True)
        names = listed.stdout.decode().split('\0')
        return sorted(name for name in set(names) if name and (root / name).is_file())
    return sorted(p.relative_to(root).as_posix() for p in root.rglob('*')
                  if p.is_file() and not {'build', 'node_modules', '__pycache__'} & set(p.relative_to(root).parts))


def resolve(root, path, name):
    """The file of this tree that `#include name` in `path` means, or None."""
    root = pathlib.Path(root)
    for base in (root / path).parent, root / 'include', root / 'src', root:
        target = (base / name).resolve()
        if target.is_file() and target.is_relative_to(root.resolve()):
            return target.relative_to(root.resolve()).as_posix()
    return None


class Tree:
    """The sources below some folders, read once, and what each of them includes."""

    def __init__(self, root, *folders):
        self.root = root
        self.sources = {path: Source(root, path) for path in cpp_files(root, *folders)}

    def closure(self, path):
        """The file itself and everything of this tree that it includes, however indirectly."""
        seen, waiting = [], [path]
        while waiting:
            here = waiting.pop()
            if here in seen or here not in self.sources:
                continue
            seen.append(here)
            waiting += [resolve(self.root, here, name) for _, _, name in self.sources[here].includes()]
        return seen


def main(check, name):
    """Prints what the rule finds below the folder given on the command line."""
    default = pathlib.Path(__file__).resolve().parents[2]
    violations = check(sys.argv[1] if len(sys.argv) > 1 else default)
    for violation in violations:
        print(violation)
    print(f'rules/{name}: ' + (f'{len(violations)} violation{"s" * (len(violations) != 1)}' if violations else 'kept'))
    sys.exit(1 if violations else 0)
