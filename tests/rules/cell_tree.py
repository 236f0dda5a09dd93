# SPDX-License-Identifier: Apache-2.0
"""A tree that keeps rules/edges: one header with one edge and both of its ends, for tests to add to."""
import textwrap

HEADER = 'include/acqrel/publish/cell.hpp'
SOURCE = 'src/publish/cell.cpp'

BLOCK = '''\
// acqrel/publish/cell.hpp - a value.
//
// Publishes  the value.
// Edges      cell.ready   put -> get   the value, and a description that goes on
//                         on the next line, where std.words are not names
// Progress   wait-free.
#pragma once
#include <atomic>
'''
RELEASE = '''\
// edge cell.ready: release
inline void put(std::atomic<int>& word) { word.store(1, std::memory_order_release); }
'''
ACQUIRE = '''\
// edge cell.ready: acquire
inline int get(std::atomic<int>& word) { return word.load(std::memory_order_acquire); }
'''


def header(*parts):
    return {HEADER: BLOCK + ''.join(textwrap.dedent(part) for part in parts)}


def with_pair(text):
    """A tree that keeps the rule, and this text behind it."""
    return header(RELEASE, ACQUIRE, text)
