# SPDX-License-Identifier: Apache-2.0
"""Operations on atomics that hide their memory order from rules/edges.

What is an atomic here: a name whose declaration, in the file or in a file of this tree that it includes, has a type that
mentions std::atomic<>, std::atomic_ref<>, std::atomic_flag or an alias of one (padded<std::atomic<T>>, arrays, references,
pointers, and functions that return one too), or that is `auto` bound to such a name. For `r.load()`, `r` is the last
identifier of the receiver, and counts as

* an atomic, if this file declares it as one; or if it is reached through . or -> or not declared here, and an included
  file declares it as one;
* no atomic, if it is declared in any other way: a class may have a load(), store() or exchange() of its own;
* unknown otherwise (`auto` of a parameter, a name from a library). An operation that could be an atomic's and shows no
  order is then reported as well, for the check must not be fooled; give the receiver a type that can be seen.

Two things of one name, one atomic and one not, in the same file count as atomic: rename one.
Implicit conversions (`if (flag)`) are not found.
"""
import re

ORDER_NAMES = 'relaxed|consume|acquire|release|acq_rel|seq_cst'
ORDER = re.compile(rf'\bmemory_order(?:_|\s*::\s*)({ORDER_NAMES})\b')
ORDER_TYPE = re.compile(rf'\bmemory_order\b(?!\s*::\s*(?:{ORDER_NAMES})\b)')
METHOD = re.compile(r'(\.|->)\s*(load|store|exchange|compare_exchange_weak|compare_exchange_strong|fetch_\w+'
                    r'|test_and_set|test|clear|wait)\s*\(')
ONLY_IF_ATOMIC = {'test', 'clear', 'wait'}  # too common elsewhere to be suspect on an unknown receiver
BUILTIN = re.compile(r'\b(__(?:atomic|sync)_\w+)\s*\(')
# 16 bytes: std::atomic calls libatomic, which g++ does not promise to be free of locks. This builtin is always seq_cst.
BUILTINS_FOR_WANT_OF_AN_ATOMIC = {('src/reclaim/tagged_ptr.cpp', '__sync_val_compare_and_swap')}
FREE = re.compile(r'(?<![\w.>])(atomic_(?:flag_)?(?:load|store|exchange|compare_exchange_(?:weak|strong)|fetch_(?:add|sub|and|or|xor)'
                  r'|test_and_set|test|clear|wait))\s*\(')
ATOMIC_TYPE = re.compile(r'\batomic(?:_ref)?\s*<|\batomic_(?:flag|bool|[su]?char|wchar_t|char\d+_t|u?(?:short|int|long|llong)'
                         r'|u?int(?:_least|_fast)?\d+_t|u?intptr_t|u?intmax_t|size_t|ptrdiff_t)\b')
NOT_A_TYPE = {'return', 'co_return', 'co_await', 'co_yield', 'throw', 'new', 'delete', 'else', 'case', 'goto', 'and', 'or',
              'not', 'operator', 'using', 'namespace', 'typename', 'class', 'struct', 'enum', 'auto', 'const', 'volatile'}


def close(code, at):
    """Where the bracket opened at `at` closes."""
    depth = 0
    for i in range(at, len(code)):
        if code[i] in '([{':
            depth += 1
        elif code[i] in ')]}':
            depth -= 1
            if depth == 0:
                return i
    return len(code)


def opening(code, at):
    """Where the bracket closed at `at` opens."""
    depth = 0
    for i in range(at, -1, -1):
        if code[i] in ')]}':
            depth += 1
        elif code[i] in '([{':
            depth -= 1
            if depth == 0:
                return i
    return 0


def close_angle(code, at):
    """Just behind the > that closes the < at `at`; for code inside a template argument list, behind the list."""
    depth = 0
    for i in range(at, min(len(code), at + 2000)):
        if code[i] == '<':
            depth += 1
        elif code[i] == '>' and code[i - 1] != '-':
            depth -= 1
            if depth <= 0:
                return i + 1
        elif code[i] in ';{}':
            break
    return at


def last_name(code, end):
    """The last identifier of the expression that ends before `end`, and where it begins; ('', at) if there is none."""
    at = end
    while True:
        while at > 0 and code[at - 1].isspace():
            at -= 1
        if at > 0 and code[at - 1] in ')]':
            opened = opening(code, at - 1)
            before = code[:opened].rstrip()
            if code[at - 1] == ')' and not re.search(r'[\w\]>)]$', before[-1:]):  # (*slot).load(): look inside
                return last_name(code, at - 1)
            at = opened
            continue
        if at > 0 and code[at - 1] == '>' and code[at - 2:at - 1] != '-':  # f<T>(x).load()
            depth, i = 0, at - 1
            while i >= 0:
                depth += (code[i] == '>') - (code[i] == '<')
                if depth == 0:
                    break
                i -= 1
            at = i
            continue
        name = re.search(r'\w+$', code[max(0, at - 200):at])
        return (name.group(), at - len(name.group())) if name else ('', at)


class Names:
    """What one file declares: name -> set of 'object', 'pointer', 'function' for atomics; and where."""

    def __init__(self, code, aliases, elsewhere=frozenset()):
        self.code = code
        self.atomic, self.where = {}, set()
        types = ATOMIC_TYPE.pattern + ''.join(rf'|\b{alias}\b' for alias in sorted(aliases))
        for match in re.finditer(types, code):
            self._declared(match)
        for match in re.finditer(r'\bauto\b[\s&*]*\b(\w+)\s*(?:=\s*([^;]*);|:\s*([^)]*)\))', code):
            bound = (match.group(2) or match.group(3)).strip()
            to_atomic = last_name(bound, len(bound))[0] in self.atomic.keys() | elsewhere
            if to_atomic and '?' not in bound and ('&' in match.group() or match.group(3)):
                self.atomic.setdefault(match.group(1), set()).add('pointer')
                self.where.add(match.start(1))

    def _declared(self, match):
        code = self.code
        at = close_angle(code, match.end() - 1) if match.group().endswith('<') else match.end()
        pointer = False
        while True:
            step = re.compile(r'\s*(?:const\b|volatile\b|constinit\b|&|\*)').match(code, at)
            if step:
                pointer |= step.group().endswith('*')
                at = step.end()
                continue
            outer = re.compile(r'\s*(?:\[\s*\]\s*)?(?:,[^;(){}]*?)?>').match(code, at)  # padded<atomic<T>>, array<atomic<T>, 4>
            if not outer:
                break
            at, pointer = outer.end(), False
        while True:
            name = re.compile(r'\s*((?:\w+\s*::\s*)*)(\w+)\s*(?=([;={(,)\[:]))(?!::)').match(code, at)
            if not name or name.group(2) in NOT_A_TYPE:
                return
            kind = 'pointer' if pointer else 'function' if name.group(3) == '(' else 'object'
            self.atomic.setdefault(name.group(2), set()).add(kind)
            self.where.add(name.start(2))
            at = name.end()
            while at < len(code) and code[at] in '[{(':  # a bound or an initialiser, then perhaps the next name
                at = close(code, at) + 1
            further = re.compile(r'\s*,\s*(\**)(?=\s*\w+\s*[;={\[,])').match(code, at)
            if not further:
                return
            pointer, at = bool(further.group(1)), further.end()

    def declares_otherwise(self, name):
        """Whether the file declares `name` with a type that can be seen and is no atomic."""
        for match in re.finditer(rf'([\w>\]&*])(\s*[&*\s]\s*|(?<=[&*>]))\b{name}\b\s*(?=[;={{(,)\[:]|$)', self.code, re.MULTILINE):
            at = match.end(2)
            if at in self.where:
                continue
            before = re.sub(r'[\s&*]+$', '', self.code[max(0, at - 200):at])
            word = re.search(r'\w+$', before)
            if word and word.group() == 'auto':
                if re.match(r'\s*=', self.code[at + len(name):]) or re.match(r'\s*:[^:]', self.code[at + len(name):]):
                    return True
                continue  # a parameter: anything may be passed
            if word and word.group() in NOT_A_TYPE - {'const', 'volatile', 'auto'}:
                continue
            if before.endswith(('.', '->', '::')) or not before or before[-1] in '([{,;=+-!?<':
                continue
            return True
        return bool(re.search(rf'\bauto\b[\s&]*\[[^\]]*\b{name}\b[^\]]*\]\s*[=:]', self.code))


def aliases_of(sources):
    """Names that `using` or `typedef` give to atomic types."""
    found, before = set(), None
    while found != before:
        before = set(found)
        types = ATOMIC_TYPE.pattern + ''.join(rf'|\b{alias}\b' for alias in sorted(found))
        for source in sources:
            for match in re.finditer(r'\busing\s+(\w+)\s*=\s*([^;]*);|\btypedef\s+([^;]*?)\b(\w+)\s*;', source.code):
                if re.search(types, match.group(2) or match.group(3) or ''):
                    found.add(match.group(1) or match.group(4))
    return found


def operations_with_hidden_order(tree, path, orders_in):
    """Yields (offset, what is wrong, what to do). `orders_in` maps the offset of a call's ( to its number of orders."""
    source, closure = tree.sources[path], tree.closure(path)
    aliases = aliases_of([tree.sources[p] for p in closure])
    included = [Names(tree.sources[p].code, aliases) for p in closure if p != path]
    here = Names(source.code, aliases, {name for names in included for name in names.atomic})
    code = source.code

    def is_atomic(name, bare):
        if name in here.atomic:
            return True
        otherwise = here.declares_otherwise(name)
        if otherwise and bare:
            return False
        if any(name in n.atomic for n in included):
            return True
        if otherwise or any(n.declares_otherwise(name) for n in included):
            return False
        return None

    for match in METHOD.finditer(code):
        method, parenthesis = match.group(2), match.end() - 1
        wanted = 2 if method.startswith('compare_exchange') else 1
        shown = orders_in.get(parenthesis, 0)
        if shown == wanted:
            continue
        name, at = last_name(code, match.start())
        if name in ('this', ''):
            continue
        atomic = is_atomic(name, not re.search(r'(?:\.|->|::)\s*$', code[max(0, at - 20):at]))
        if shown > wanted:
            yield match.start(), f'{name}.{method}() chooses between orders', 'write one operation for each order'
        elif shown == 1:
            yield match.start(), f'{name}.{method}() names one order of two', 'write the order of success and that of failure'
        elif atomic:
            yield match.start(), f'{name}.{method}() names no memory order', 'write the order, and the tag of its edge above'
        elif atomic is None and method not in ONLY_IF_ATOMIC:
            yield (match.start(), f'{name}.{method}() names no memory order, and nothing here says that {name} is not atomic',
                   'write the order, or declare the receiver with its type')

    for match in BUILTIN.finditer(code):
        if (path, match.group(1)) not in BUILTINS_FOR_WANT_OF_AN_ATOMIC:
            yield match.start(), f'{match.group(1)} is a compiler builtin', 'use std::atomic or std::atomic_ref with an order'
    for match in FREE.finditer(code):
        yield match.start(), f'{match.group(1)}() takes no memory order', 'use the member function, with an order'
    for match in ORDER_TYPE.finditer(code):
        yield (match.start(), 'a memory order is passed or stored, so that no operation shows it',
               'write the constant at the operation')

    for name, kinds in sorted(here.atomic.items()):
        if 'function' in kinds and kinds != {'object', 'function'}:
            continue
        for match in re.finditer(rf'(?:(\+\+|--)\s*(?:[\w:]+\s*(?:\.|->|::)\s*)*)?(?<!\w)({name})\b(\s*\[[^\]]*\])?'
                                 rf'(?:\s*(=(?!=)|[-+|&^]=|\+\+|--))?(?!\s*(?:\.|->))', code):
            operator = match.group(1) or match.group(4)
            if not operator or match.start(2) in here.where or 'object' not in kinds:
                continue
            before = code[:match.start()].rstrip()
            reached = before.endswith(('.', '->'))
            if reached and re.search(r'[{,]\s*\.$', before[-20:]):
                continue  # {.name = value} initialises
            if not reached and (here.declares_otherwise(name) or before.endswith('[')) or 'pointer' in kinds:
                continue
            yield (match.start(2), f'`{operator}` on the atomic {name} is seq_cst without saying so',
                   'use load, store, exchange or fetch_* with an order')
        if 'pointer' in kinds:
            for match in re.finditer(rf'(?:^|[;{{}})])\s*\*\s*({name})\s*(=(?!=)|[-+|&^]=)', code, re.MULTILINE):
                yield (match.start(1), f'`{match.group(2)}` on the atomic *{name} is seq_cst without saying so',
                       'use load, store, exchange or fetch_* with an order')
