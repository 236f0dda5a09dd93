# SPDX-License-Identifier: Apache-2.0
"""gdb prints acqrel's types in plain words.

    (gdb) source .../share/acqrel/gdb/acqrel_printers.py
    (gdb) print current
    $1 = acqrel::snapshot_source<config> holding {port = 80}

It only reads memory, takes no lock and calls no function of the program, so it works on core dumps too; and what other
threads change meanwhile may look odd. Wants gdb 9 or later, and the program's debug information (-g).
docs/gdb.md shows it; tests/gdb holds it to what is shown.
"""
import gdb
import gdb.printing

MOST = 200  # of a list that is counted or shown


def loaded(value):
    """What a std::atomic holds."""
    names = [field.name for field in value.type.strip_typedefs().fields()]
    if '_M_b' in names:
        return value['_M_b']['_M_p']
    return value['_M_i']


def count(number, one, many=None):
    return f'{number} {one if number == 1 else many or one + "s"}'


def name_of(value):
    return str(value.type.strip_typedefs().unqualified())


def argument(value, index=0):
    return value.type.strip_typedefs().template_argument(index)


def walk(first, following, most=MOST):
    """The pointers of a list, up to `most`."""
    while int(first) != 0 and most != 0:
        yield first
        first, most = following(first), most - 1


def holding(pointer, kind):
    """`holding {...}` of what an untyped pointer refers to, or `empty`."""
    if int(pointer) == 0:
        return 'empty'
    return f'holding {pointer.cast(kind.pointer()).dereference().format_string()}'


def published(source):
    """The untyped pointer to the value that a snapshot_source holds; null: none."""
    return loaded(source['cell_']['current'])['value_']


class printer:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return name_of(self.value) + self.words()


class snapshot_source(printer):
    def words(self):
        return ' ' + holding(published(self.value), argument(self.value))


class snapshot_guard(printer):
    def words(self):
        return ' ' + holding(self.value['protection_']['object']['value_'], argument(self.value))


class snapshot_ptr(printer):
    def words(self):
        return ' ' + holding(self.value['object_']['value_'], argument(self.value))


def entry_of(pointer, kind):
    """`holding 5, version 2`, of a versioned_entry<kind>."""
    if int(pointer) == 0:
        return 'empty, version 0'
    entry = pointer.cast(gdb.lookup_type(f'acqrel::versioned_entry<{kind}>').pointer()).dereference()
    return f'{holding(entry["value"], kind)}, version {int(entry["version"])}'


class versioned(printer):
    def words(self):
        return ' ' + entry_of(published(self.value['source_']), argument(self.value))


class versioned_guard(printer):
    def words(self):
        return ' ' + entry_of(self.value['guard_']['protection_']['object']['value_'], argument(self.value))


class versioned_ptr(printer):
    def words(self):
        return ' ' + entry_of(self.value['entry_']['object_']['value_'], argument(self.value))


class watch(printer):
    def words(self):
        core = self.value['core_']
        callbacks = sum(1 for _ in walk(core['first_'], lambda one: one['next_']))
        text = ' ' + entry_of(published(self.value['source_']), argument(self.value))
        return text + (f', {count(callbacks, "callback")}' if callbacks else '')


class one_shot(printer):
    def words(self):
        state = int(loaded(self.value['state_']))
        if state & 2:
            return f' holding {self.value["value_"].format_string()}'
        return ' being published' if state & 1 else ' empty'


def progress_of(once):
    state = int(loaded(once['state_']))
    for bit, words in ((1, 'done'), (2, 'failed for good'), (4, 'running')):
        if state & bit:
            return words
    return 'not done'


class once(printer):
    def words(self):
        return ': ' + progress_of(self.value)


class lazy(printer):
    def to_string(self):
        state = progress_of(self.value['once_'])
        if state == 'done':
            return f'acqrel::lazy holding {self.value["held_"]["value"].format_string()}'
        return 'acqrel::lazy: ' + {'running': 'being made', 'not done': 'not made'}.get(state, state)


class event(printer):
    def words(self):
        state = int(loaded(self.value['state_']))
        return ': happened' if state & 1 else ': not yet' + (', awaited' if state & 2 else '')


def word_of(waitable_word):
    """The value, and whether somebody waits for it to change."""
    word = int(loaded(waitable_word['word_']))
    return word >> 1, ', awaited' if word & 1 else ''


class countdown(printer):
    def words(self):
        state, awaited = word_of(self.value['state_'])
        left = state & 0xffffffff
        return ': open' if left == 0 else f': {left} to go{awaited}'


class generation(printer):
    def words(self):
        current, awaited = word_of(self.value['current_'])
        return f': {current}{awaited}'


class pulse(printer):
    def words(self):
        given, awaited = word_of(self.value['given_'])
        return f': given {count(given, "time")}{awaited}'


class fair_mutex(printer):
    def words(self):
        word = int(loaded(self.value['word_']))
        first = word & ~15
        waiting, at = 0, first
        link = gdb.lookup_type('unsigned long').pointer()
        while at != 0 and waiting != MOST:  # a ring; `next` comes first in a place
            waiting += 1
            at = int(gdb.Value(at).cast(link).dereference())
            if at == first:
                break
        return (': locked' if word & 1 else ': free') + (f', {waiting} waiting' if waiting else '')


class channel(printer):
    def words(self):
        core = self.value['core_']
        capacity, used = int(core['capacity_']), int(core['used_'])
        bits = 8 * core['capacity_'].type.sizeof
        if capacity == 0:
            text = ': rendezvous'
        elif capacity == (1 << bits) - 1:
            text = f': {count(used, "item")}'
        else:
            text = f': {used} of {count(capacity, "item")}'
        if core['closed_']:
            text += ', closed'
        for queue, what in (('senders_', 'to send'), ('receivers_', 'to receive')):
            waiting = sum(1 for _ in walk(core[queue]['first'], lambda one: one['next_']))
            if waiting:
                text += f', {waiting} waiting {what}'
        return text


class stack(printer):
    """The items, the newest first."""

    def nodes(self):
        node = gdb.lookup_type(name_of(self.value) + '::node').pointer()
        at = loaded(self.value['top_']['current'])
        for _ in range(MOST):
            if int(at['destroy_']) == 0:  # hazard_nothing, at the bottom
                return
            yield at.cast(node)
            at = at.cast(node)['below']

    def words(self):
        return f' of {sum(1 for _ in self.nodes())}'

    def children(self):
        for number, node in enumerate(self.nodes()):
            yield f'[{number}]', node['value']

    def display_hint(self):
        return 'array'


class flat_hash_map(printer):
    def table(self):
        return self.value

    def entries(self):
        table = self.table()
        if table is None:
            return
        vector = table['entries_']['_M_impl']
        for index in range(int(vector['_M_finish'] - vector['_M_start'])):
            yield vector['_M_start'][index]

    def to_string(self):
        key, value = argument(self.value, 0), argument(self.value, 1)
        template = name_of(self.value).partition('<')[0]
        return f'{template}<{key}, {value}> of {sum(1 for _ in self.entries())}'

    def children(self):
        for number, entry in enumerate(self.entries()):
            if number == MOST:
                return
            yield f'key {number}', entry['first']
            yield f'value {number}', entry['second']

    def display_hint(self):
        return 'map'


class cow_map(flat_hash_map):
    def table(self):
        source = self.value['source_']
        pointer = published(source)
        return None if int(pointer) == 0 else pointer.cast(argument(source).pointer()).dereference()


class worker_pool(printer):
    def words(self):
        crew = self.value['crew_']
        ends = crew['queue_']['_M_impl']
        first, last = ends['_M_start'], ends['_M_finish']
        block = max(1, 512 // first['_M_cur'].dereference().type.sizeof)
        queued = block * int(last['_M_node'] - first['_M_node'])
        queued += int(last['_M_cur'] - last['_M_first']) - int(first['_M_cur'] - first['_M_first'])
        text = f': {count(int(crew["running_"]), "job")} running, {queued} queued, {count(int(crew["alive_"]), "thread")}'
        stopped = str(crew['how_']).rpartition('::')[2]
        return text + ('' if stopped == 'none' else f', stopped ({stopped})')


class resource_pool(printer):
    def to_string(self):
        state = self.value['state_'].dereference()
        sums = [0, 0, 0]
        keys = 0
        for home in walk(state['homes_'].cast(gdb.lookup_type('acqrel::resource_pool_core::home').pointer()),
                         lambda one: one['next'], 100_000):
            keys += 1
            for index, what in enumerate(('open', 'idle', 'waiting')):
                sums[index] += int(home[what])
        text = f'acqrel::resource_pool<{argument(self.value, 0)}, {argument(self.value, 1)}>: '
        text += f'{sums[0]} open, {sums[1]} idle, {sums[2]} waiting, {count(keys, "key")}'
        return text + (', closed' if state['closed_'] else '')


def build():
    printers = gdb.printing.RegexpCollectionPrettyPrinter('acqrel')
    for kind in (snapshot_source, snapshot_guard, snapshot_ptr, versioned, versioned_guard, versioned_ptr, watch, one_shot,
                 lazy, channel, stack, flat_hash_map, cow_map, resource_pool):
        printers.add_printer(kind.__name__, f'^acqrel::{kind.__name__}<.*>$', kind)
    for kind in (once, event, countdown, generation, pulse, fair_mutex, worker_pool):
        printers.add_printer(kind.__name__, f'^acqrel::{kind.__name__}$', kind)
    return printers


gdb.printing.register_pretty_printer(None, build(), replace=True)
