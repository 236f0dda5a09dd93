# SPDX-License-Identifier: Apache-2.0
"""rules/readme: the code that is shown is the code that is compiled and run.

* Each C++ block of README.md, docs/patterns/*.md and docs/tutorial/*.md (```cpp) is, after taking the indentation off,
  character for character a region of an example below examples/. A region stands between `// [name]` and `// [/name]`. anti-patterns.md is exempt: it is
  written from compile_fail/, where its code is built.
* Each public header shows its use: the indented lines (`//   code`) between the first line and `Publishes`. They are
  found in examples/ROOM/X.cpp, each behind the one before, token for token; other code may stand between, and
  comments, line breaks and spaces do not count.
"""
import difflib
import pathlib
import re
import textwrap

from cpp_source import Source, cpp_files, main

BEGIN = re.compile(r'^\s*// \[([\w-]+)\]\s*$')
FENCE = re.compile(r'^(\s*)(```+|~~~+)\s*([\w+-]*)')
CPP = {'cpp', 'c++', 'cxx', 'cc', 'hpp'}
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\w+|[^\w\s]')


def dedented(lines):
    text = textwrap.dedent('\n'.join(line.rstrip() for line in lines))
    return text.strip('\n') + '\n'


def regions(root):
    """name -> (path, line, text) of each marked region, and complaints."""
    found, complaints = {}, []
    for path in cpp_files(root, 'examples'):
        lines = Source(root, path).lines
        for number, text in enumerate(lines, 1):
            if not (match := BEGIN.match(text)):
                continue
            name = match.group(1)
            end = next((n for n, t in enumerate(lines[number:], number) if t.strip() == f'// [/{name}]'), None)
            if end is None:
                complaints.append(f'{path}:{number}: region {name} has no end; close it with // [/{name}]')
            elif name in found:
                complaints.append(f'{path}:{number}: region {name} is in {found[name][0]} too; give it another name')
            else:
                inner = [t for t in lines[number:end] if not re.match(r'^\s*// \[/?[\w-]+\]\s*$', t)]
                found[name] = (path, number, dedented(inner))
    return found, complaints


def code_blocks(text):
    """(line of the first line of code, code) of each C++ block of a Markdown text."""
    lines, at = text.split('\n'), 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        at += 1
        if not fence:
            continue
        end = next((n for n in range(at, len(lines)) if lines[n].strip().startswith(fence.group(2))), len(lines))
        if fence.group(3).lower() in CPP:
            yield at + 1, dedented(lines[at:end])
        at = end + 1


def check_pages(root):
    pages = [page for page in [pathlib.Path(root, 'README.md'), *sorted(pathlib.Path(root, 'docs').glob('patterns/*.md')),
                               *sorted(pathlib.Path(root, 'docs').glob('tutorial/*.md'))]
             if page.is_file() and page.name != 'anti-patterns.md']
    if not pages:
        return
    compiled, complaints = regions(root)
    yield from complaints
    for page in pages:
        yield from check_page(page, page.relative_to(root).as_posix(), compiled)


def check_page(page, name, compiled):
    for line, block in code_blocks(page.read_text(encoding='utf-8')):
        if any(text == block for _, _, text in compiled.values()):
            continue
        where = f'{name}:{line}: this code is in no compiled example'
        if not compiled:
            example = 'readme' if name == 'README.md' else f'patterns/{page.stem.replace("-", "_")}'
            yield f'{where}; put it between // [name] and // [/name] in examples/{example}.cpp'
            continue
        region, (path, start, text) = max(compiled.items(), key=lambda region: difflib.SequenceMatcher(None, region[1][2], block).ratio())
        diff = ''.join(difflib.unified_diff(text.splitlines(True), block.splitlines(True), f'{path}:{start} [{region}]', name))
        yield f'{where}; make it equal a region, the closest of which differs so:\n{diff.rstrip()}'


def usage(source):
    """(line, text) of each line of use in a header's block."""
    for at, line in enumerate(source.lines[1:], 2):
        if re.match(r'//   \s*\S', line):
            yield at, line[2:].strip()
        elif not line.startswith('//') or line.startswith('// Publishes'):
            return


def tokens(code):
    """The text's tokens, comments dropped, with a space on either side of each."""
    kept = re.sub(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', lambda m: m.group() if m.group()[0] == '"' else ' ', code, flags=re.DOTALL)
    return ' ' + ' '.join(TOKEN.findall(kept)) + ' '


def check_headers(root):
    for path in cpp_files(root, 'include'):
        source = Source(root, path)
        match = re.fullmatch(r'include/acqrel/(\w+)/(\w+)\.hpp', path)
        if not match:
            continue
        example = f'examples/{match.group(1)}/{match.group(2)}.cpp'
        shown = [(line, text) for line, text in usage(source) if tokens(text).strip()]
        if not shown:
            yield f'{path}:1: the block shows no use; write five lines below the first, taken from {example}'
            continue
        if not pathlib.Path(root, example).is_file():
            yield f'{path}:{shown[0][0]}: the use shown is compiled nowhere; write {example} with these lines in it'
            continue
        compiled, at = tokens(Source(root, example).text), 0
        for line, text in shown:
            found = compiled.find(tokens(text), at)
            if found < 0:
                known = ' at this point, though elsewhere' if tokens(text) in compiled else ''
                yield f'{path}:{line}: `{text}` is not in {example}{known}; show lines of it, in its order'
                break
            at = found + len(tokens(text)) - 1


def check(root):
    return [*check_pages(root), *check_headers(root)]


if __name__ == '__main__':
    main(check, 'readme')
