# SPDX-License-Identifier: Apache-2.0
"""rules/edges: every memory order in include/ and src/ is explained, and the explanation agrees with the code.

* Each statement that names memory orders carries tags, in a // comment on its lines or directly above it:
      // edge NAME: ORDER  words          this end of the edge; `ORDER / ORDER` for a compare_exchange, success first,
                                          where `/ plain` and `/ relaxed` say that failing carries nothing
      // plain: why relaxed is enough
  Several orders in one statement take several tags, in sequence; one `plain` may cover relaxed orders that stand side
  by side; an operation on two edges has a tag for each, with the same order. A tag stands at most three lines above the
  next tag or the code.
* A plain site is relaxed. A tag's order is the code's. A seq_cst tag says which litmus shape needs it: `shape SB`.
* NAME is `word.word`. It is declared once, in the Edges paragraph of a header's block, at the column of the first name:
      // Edges      one_shot.ready   publish() -> get()   the finished T
  The header is the tagged file itself, one that it includes, include/acqrel/ROOM/X.hpp for src/ROOM/X.cpp, or another
  of that room.
* Each declared edge has a release end (a store, read-modify-write or fence) and an acquire end (a load, ... ).
* atomic_thread_fence stands in base/asymmetric_fence only: ThreadSanitizer sees no fences, so every other pattern orders
  by operations (G12).
* No operation hides its order: see atomics.py, which also says what counts as an atomic.
"""
import re

import atomics
from cpp_source import Tree, main

NAME = r'[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+'
ORDERS = atomics.ORDER_NAMES
EDGE_TAG = re.compile(rf'^edge\s+({NAME})\s*:\s*({ORDERS})\b(?:\s*/\s*({ORDERS}|plain)\b)?(.*)$')
PLAIN_TAG = re.compile(r'^plain\b\s*:?\s*(\S.*)?$')
ALMOST_TAG = re.compile(rf'^edge\s+({NAME})\b')
SHAPE = re.compile(r'\bshape [A-Z0-9][\w+.]*')
OPERATION = re.compile(r'^(?:load|store|exchange|compare_exchange_weak|compare_exchange_strong|fetch_\w+|test_and_set|test'
                       r'|clear|wait|atomic_thread_fence|atomic_signal_fence|atomic_\w+_explicit)$')
FENCES = re.compile(r'^(?:include/acqrel|src)/base/asymmetric_fence\.[ch]pp$')
BLOCK_WORD = re.compile(r'^ (Publishes|Edges|Progress|Memory|Threads|Errors|Cost|Model|Not for)(?: +|$)')


class Site:
    def __init__(self, source, match):
        self.order, self.line = match.group(1), source.line(match.start())
        self.call, self.operation = self._enclosing(source.code, match.start())

    @staticmethod
    def _enclosing(code, at):
        depth = 0
        for i in range(at - 1, -1, -1):
            if code[i] in ')]}':
                depth += 1
            elif code[i] in '([{':
                if depth == 0:
                    return (i, atomics.last_name(code, i)[0]) if code[i] == '(' else (None, '')
                depth -= 1
            elif code[i] == ';' and depth == 0:
                break
        return None, ''

    def ends(self, is_failure):
        """Which ends of an edge an order makes here."""
        what = self.operation
        reads = is_failure or not re.fullmatch(r'store|clear|atomic_(?:flag_)?(?:store|clear)_explicit', what)
        writes = not is_failure and not re.fullmatch(r'load|test|wait|atomic_(?:flag_)?(?:load|test|wait)_explicit', what)
        found = set()
        if writes and self.order in ('release', 'acq_rel', 'seq_cst'):
            found.add('release')
        if reads and self.order in ('acquire', 'acq_rel', 'seq_cst'):
            found.add('acquire')
        return found


class Tag:
    def __init__(self, line, edge, orders, words):
        self.line, self.edge, self.orders, self.words = line, edge, orders, words

    def __str__(self):
        return f'edge {self.edge}: {" / ".join(self.orders)}' if self.edge else 'plain'

    @staticmethod
    def read(line, comment):
        """(tag, complaint) of one comment line; both None where it is prose."""
        text = comment.strip()
        if match := EDGE_TAG.match(text):
            orders = [match.group(2)] + (['relaxed' if match.group(3) == 'plain' else match.group(3)] if match.group(3) else [])
            return Tag(line, match.group(1), orders, match.group(4)), None
        if match := PLAIN_TAG.match(text):
            if not match.group(1):
                return Tag(line, None, [], ''), 'a plain tag gives no reason; say why relaxed is enough'
            return Tag(line, None, [], match.group(1)), None
        if match := ALMOST_TAG.match(text):
            return None, f'this looks like a tag of {match.group(1)} but names no order; write `edge {match.group(1)}: ORDER`'
        return None, None


def statement_start(source, line):
    """The first line of the statement on `line`: the one below a line that ends in ; { } or a label, or is blank."""
    while line > 1:
        above = line - 1
        while above >= 1 and source.is_comment(above):
            above -= 1
        if above < 1:
            return line
        text = source.code_lines[above - 1].strip()
        if not text or text.startswith('#') or text[-1] in ';{}' or re.search(r'^(?:case\b.*|default|\w+)\s*:$', text):
            return line
        line = above
    return line


def tags_of(source, first, last):
    """The tags of the statement on lines first..last, in sequence, and complaints about them."""
    top = first
    while source.is_comment(top - 1):
        top -= 1
    tags, complaints = [], []
    for line in range(top, last + 1):
        if line in source.comments:
            tag, complaint = Tag.read(line, source.comments[line])
            tags += [tag] if tag else []
            complaints += [(line, complaint)] if complaint else []
    for tag, below in zip(tags, [t.line for t in tags[1:]] + [None]):
        next_line = min(x for x in (below, max(first, tag.line)) if x is not None) if tag.line < first else tag.line
        if next_line - tag.line > 3:
            complaints.append((tag.line, f'`{tag}` stands {next_line - tag.line} lines above its code; bring it within three'))
    return tags, complaints


def match_tags(tags, orders):
    """Which orders each tag covers, as a list of index lists; None where they do not agree in sequence."""
    def walk(tag, order, span):
        if tag == len(tags):
            return [] if order == len(orders) else None
        current = tags[tag]
        if current.edge:
            need = current.orders
            starts = [order] + ([span] if span is not None and need == orders[span:span + len(need)] else [])
            for start in starts:
                if orders[start:start + len(need)] == need:
                    rest = walk(tag + 1, max(order, start + len(need)), start)
                    if rest is not None:
                        return [list(range(start, start + len(need)))] + rest
            return None
        run = 0
        while order + run < len(orders) and orders[order + run] == 'relaxed':
            run += 1
        for length in range(run, 0, -1):
            rest = walk(tag + 1, order + length, None)
            if rest is not None:
                return [list(range(order, order + length))] + rest
        return None
    return walk(0, 0, None)


def disagreement(tags, sites):
    """(line, what is wrong, what to do) for a statement whose tags and orders do not match."""
    if not tags:
        order = sites[0].order
        wanted = '`// plain: why relaxed is enough`' if order == 'relaxed' else f'`// edge NAME: {order}`'
        return sites[0].line, f'{order} has no tag', f'put {wanted} on it or directly above'
    if len(tags) == len(sites) == 1:
        tag, site = tags[0], sites[0]
        if not tag.edge:
            return site.line, f'the order is {site.order} but the tag is plain', 'name the edge, or make the order relaxed'
        return tag.line, f'the tag says `{tag}`, the code says {site.order}', 'make them agree'
    return (sites[0].line, f'the tags ({", ".join(map(str, tags))}) do not cover the orders '
            f'({", ".join(s.order for s in sites)}) in sequence', 'give each order its tag')


def declared_edges(source):
    """(line, name) of each edge in the Edges paragraph of a header's block."""
    column, inside = None, False
    for number, text in enumerate(source.lines, 1):
        if text.strip() == '#pragma once' or not source.is_comment(number):
            if text.strip() and not source.is_comment(number):
                return
            continue
        comment = source.comments[number]
        if word := BLOCK_WORD.match(comment):
            inside = word.group(1) == 'Edges'
            column = word.end() if inside else None
            rest = comment[word.end():]
        elif inside and column is not None and comment[:column].strip() == '':
            rest = comment[column:]
        else:
            continue
        name = re.match(rf'({NAME})(?:  |$)', rest)
        if inside and name:
            yield number, name.group(1)


def check(root):
    tree, violations = Tree(root, 'include', 'src'), []
    declared, tagged, ends = {}, {}, {}

    def report(path, line, what, remedy):
        violations.append((path, line, f'{path}:{line}: {what}; {remedy}'))

    for path, source in tree.sources.items():
        if path.startswith('include/'):
            for line, name in declared_edges(source):
                if name in declared:
                    report(path, line, f'edge {name} is declared in {declared[name][0]} too', 'declare it once')
                declared.setdefault(name, (path, line))

    for path, source in tree.sources.items():
        sites = [Site(source, match) for match in atomics.ORDER.finditer(source.code)]
        orders_in, statements, used = {}, {}, set()
        for site in sites:
            if site.call is not None:
                orders_in[site.call] = orders_in.get(site.call, 0) + 1
            if not OPERATION.match(site.operation):
                report(path, site.line, f'{site.order} is not an argument of an atomic operation or a fence',
                       'write the constant at the operation')
            if site.operation == 'atomic_thread_fence' and not FENCES.match(path):  # G12
                report(path, site.line, 'a fence, which ThreadSanitizer does not see', 'order by operations, as hazard_domain.hpp does')
            if site.order == 'consume':
                report(path, site.line, 'consume has no working meaning', 'use acquire')
            statements.setdefault(statement_start(source, site.line), []).append(site)
        for offset, what, remedy in atomics.operations_with_hidden_order(tree, path, orders_in):
            report(path, source.line(offset), what, remedy)

        for first, group in statements.items():
            tags, complaints = tags_of(source, first, max(site.line for site in group))
            used |= {tag.line for tag in tags}
            for line, complaint in complaints:
                report(path, line, *complaint.split('; ', 1))
            covered = match_tags(tags, [site.order for site in group])
            if covered is None:
                report(path, *disagreement(tags, group))
                continue
            for tag, indices in zip(tags, covered):
                if not tag.edge:
                    continue
                tagged.setdefault(tag.edge, []).append((path, tag.line))
                if tag.orders[0] == 'relaxed':
                    report(path, tag.line, f'`{tag}` is relaxed, which makes no edge', 'tag it plain, with the reason')
                if 'seq_cst' in tag.orders and not SHAPE.search(tag.words):
                    report(path, tag.line, f'`{tag}` names no litmus shape', 'add for example `shape SB`, or use a weaker order')
                for i in indices:
                    failure = i > 0 and group[i].call == group[i - 1].call
                    ends.setdefault(tag.edge, set()).update(group[i].ends(failure))
        for line, comment in source.comments.items():
            tag, _ = Tag.read(line, comment)
            if tag and tag.edge and line not in used:
                report(path, line, f'`{tag}` stands above no memory order', 'put it at the operation, or remove it')

    for name, places in tagged.items():
        header = declared.get(name, (None,))[0]
        for path, line in places:
            room = re.match(r'src/(\w+)/', path)
            in_room = room and header and header.startswith(f'include/acqrel/{room.group(1)}/')
            if header is None:
                report(path, line, f'edge {name} is declared in no header', 'add it to the Edges paragraph of its header')
            elif header not in tree.closure(path) and not in_room:
                report(path, line, f'edge {name} is declared in {header}, which this file does not include',
                       'include it, or declare an edge of your own')
    for name, (path, line) in declared.items():
        if name not in tagged:
            report(path, line, f'edge {name} is declared and never tagged', 'tag both of its ends, or remove it')
            continue
        for end in ('release', 'acquire'):
            if end not in ends.get(name, set()):
                report(path, line, f'edge {name} has no {end} end', f'tag the operation that {end}s, or remove the edge')
    return [text for _, _, text in sorted(set(violations))]


if __name__ == '__main__':
    main(check, 'edges')
