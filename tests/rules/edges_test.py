# SPDX-License-Identifier: Apache-2.0
"""rules/edges is fed each violation it is there for, and code that only looks like one."""
import textwrap
import unittest

import edges
from rule_case import RuleCase

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


class edges_rule(RuleCase):
    rule = staticmethod(edges.check)

    def with_pair(self, text):
        """A tree that keeps the rule, and this text behind it."""
        return header(RELEASE, ACQUIRE, text)

    # ---- tags

    def test_accepts_an_edge_with_both_ends(self):
        self.accepted(header(RELEASE, ACQUIRE))

    def test_accepts_plain_relaxed_and_tags_on_the_line_itself(self):
        self.accepted(self.with_pair('''
            inline void f(std::atomic<int>& w) {
              w.store(1, std::memory_order_relaxed);  // plain: nobody reads it yet
              // plain: a count;
              //        it carries nothing
              w.fetch_add(1, std::memory_order::relaxed);
            }
        '''))

    def test_catches_an_order_without_a_tag(self):
        self.caught(self.with_pair('inline int f(std::atomic<int>& w) { return w.load(std::memory_order_acquire); }\n'),
                    HEADER + ':13:', 'acquire has no tag')

    def test_catches_a_relaxed_order_without_a_tag(self):
        self.caught(self.with_pair('inline int f(std::atomic<int>& w) { return w.load(std::memory_order_relaxed); }\n'),
                    'plain: why')

    def test_a_tag_covers_one_statement_only(self):
        self.caught(self.with_pair('''
            inline void f(std::atomic<int>& w) {
              // plain: first
              w.store(1, std::memory_order_relaxed);
              w.store(2, std::memory_order_relaxed);
            }
        '''), ':17:', 'no tag')

    def test_a_blank_line_parts_a_tag_from_its_code(self):
        found = self.violations(self.with_pair('''
            inline void f(std::atomic<int>& w) {
              // edge cell.ready: release

              w.store(1, std::memory_order_release);
            }
        '''))
        self.assertEqual(len(found), 2)
        self.assertIn('stands above no memory order', found[0])
        self.assertIn('has no tag', found[1])

    def test_catches_a_plain_site_that_is_not_relaxed(self):
        self.caught(self.with_pair('''
            // plain: it seemed enough
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_acquire); }
        '''), 'the order is acquire but the tag is plain')

    def test_catches_a_plain_tag_without_a_reason(self):
        self.caught(self.with_pair('''
            // plain:
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_relaxed); }
        '''), 'gives no reason')

    def test_catches_a_tag_whose_order_is_not_the_codes(self):
        self.caught(self.with_pair('''
            // edge cell.ready: release
            inline void f(std::atomic<int>& w) { w.exchange(1, std::memory_order_acq_rel); }
        '''), 'the tag says `edge cell.ready: release`, the code says acq_rel')

    def test_catches_an_edge_tag_on_a_relaxed_order(self):
        self.caught(self.with_pair('''
            // edge cell.ready: relaxed
            inline void f(std::atomic<int>& w) { w.store(1, std::memory_order_relaxed); }
        '''), 'makes no edge')

    def test_catches_a_tag_that_names_no_order(self):
        found = self.violations(self.with_pair('''
            // edge cell.ready, release
            inline void f(std::atomic<int>& w) { w.store(1, std::memory_order_release); }
        '''))
        self.assertTrue(any('names no order' in text for text in found), found)

    def test_catches_a_tag_too_far_above(self):
        self.caught(self.with_pair('''
            // edge cell.ready: acquire
            // and then
            // far too many
            // words
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_acquire); }
        '''), 'within three')

    def test_catches_a_tag_above_no_order(self):
        self.caught(self.with_pair('''
            // edge cell.ready: acquire
            inline int f(int w) { return w; }
        '''), 'stands above no memory order')

    def test_orders_in_comments_and_strings_are_no_code(self):
        self.accepted(self.with_pair(r'''
            // w.load(std::memory_order_acquire) would do, w.load() would not
            /* x = w.exchange(1); std::memory_order_release */
            inline const char* f() { return "w.load(std::memory_order_acquire) \" // w.load()"; }
            inline const char* g() { return R"(w.store(1, std::memory_order_release))"; }
            inline int h() { return 1'000 + 'w'; }
        '''))

    # ---- several orders, several edges

    def test_accepts_a_compare_exchange_with_both_orders_in_one_tag(self):
        self.accepted(self.with_pair('''
            inline bool f(std::atomic<int>& w, int& e) {
              // edge cell.ready: acq_rel / acquire
              return w.compare_exchange_strong(e, 1, std::memory_order_acq_rel,
                                               std::memory_order_acquire);
            }
            inline bool g(std::atomic<int>& w, int& e) {
              // edge cell.ready: acq_rel / relaxed
              while (!w.compare_exchange_weak(e, 1, std::memory_order_acq_rel, std::memory_order_relaxed)) {}
              // edge cell.ready: release  / plain: the loop tries again
              return w.compare_exchange_weak(e, 1, std::memory_order_release, std::memory_order_relaxed);
            }
        '''))

    def test_accepts_tags_in_sequence_and_two_edges_at_one_operation(self):
        files = self.with_pair('''
            inline bool f(std::atomic<int>& w, int& e) {
              // edge cell.ready: seq_cst  shape SB
              // edge cell.turn: seq_cst  shape SB
              // plain: the value found is not used
              if (w.compare_exchange_strong(e, 1, std::memory_order_seq_cst, std::memory_order_relaxed)) return true;
              // edge cell.ready: acquire  only the sole owner reads 1
              return w.load(std::memory_order_acquire) == 1 ||
                     // edge cell.turn: acq_rel
                     w.fetch_sub(1, std::memory_order_acq_rel) == 1;
            }
        ''')
        files[HEADER] = files[HEADER].replace('// Progress', '//            cell.turn    a -> b\n// Progress')
        self.accepted(files)

    def test_catches_an_order_beyond_the_tags(self):
        self.caught(self.with_pair('''
            inline bool f(std::atomic<int>& w, int& e) {
              // edge cell.ready: acq_rel
              return w.compare_exchange_strong(e, 1, std::memory_order_acq_rel, std::memory_order_acquire);
            }
        '''), 'do not cover the orders (acq_rel, acquire)')

    def test_catches_tags_in_the_wrong_sequence(self):
        self.caught(self.with_pair('''
            inline int f(std::atomic<int>& w) {
              // plain: first a look
              // edge cell.ready: acquire
              return w.load(std::memory_order_acquire) + w.load(std::memory_order_relaxed);
            }
        '''), 'in sequence')

    def test_catches_seq_cst_without_a_shape(self):
        self.caught(self.with_pair('''
            // edge cell.ready: seq_cst
            inline void f(std::atomic<int>& w) { w.store(1, std::memory_order_seq_cst); }
        '''), 'names no litmus shape')

    def test_fences_need_tags_and_may_be_ends(self):
        self.caught(self.with_pair('inline void f() { std::atomic_thread_fence(std::memory_order_release); }\n'), 'no tag')
        self.caught(self.with_pair('inline void f() { std::atomic_signal_fence(std::memory_order_acquire); }\n'), 'no tag')
        self.accepted(header(ACQUIRE, '''
            // edge cell.ready: release
            inline void f() { std::atomic_thread_fence(std::memory_order_release); }
        '''))

    # ---- declarations

    def test_catches_an_edge_without_its_release_end(self):
        self.caught(header(ACQUIRE), HEADER + ':4:', 'edge cell.ready has no release end')

    def test_catches_an_edge_without_its_acquire_end(self):
        self.caught(header(RELEASE), HEADER + ':4:', 'edge cell.ready has no acquire end')

    def test_a_failed_compare_exchange_is_no_release_end(self):
        self.caught(header(ACQUIRE, '''
            inline bool f(std::atomic<int>& w, int& e) {
              // plain: to win carries nothing
              // edge cell.ready: acquire
              return w.compare_exchange_strong(e, 1, std::memory_order_relaxed, std::memory_order_acquire);
            }
        '''), 'no release end')

    def test_a_seq_cst_load_is_no_release_end(self):
        self.caught(header('''
            // edge cell.ready: seq_cst  shape SB
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_seq_cst); }
        '''), 'no release end')

    def test_catches_an_edge_declared_and_never_tagged(self):
        files = self.with_pair('')
        files[HEADER] = files[HEADER].replace('// Progress', '//            cell.lost    a -> b\n// Progress')
        self.caught(files, HEADER + ':6:', 'edge cell.lost is declared and never tagged')

    def test_catches_an_edge_tagged_and_never_declared(self):
        self.caught(self.with_pair('''
            // edge cell.found: acquire
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_acquire); }
        '''), 'edge cell.found is declared in no header')

    def test_catches_an_edge_declared_twice(self):
        files = self.with_pair('')
        files['include/acqrel/publish/other.hpp'] = BLOCK
        self.caught(files, 'is declared in', 'too')

    def test_a_source_file_belongs_to_its_header_and_its_room(self):
        self.accepted({**header(RELEASE), SOURCE: ACQUIRE, 'src/publish/cell_cold.cpp': ACQUIRE})

    def test_an_edge_may_be_tagged_where_its_header_is_included(self):
        files = {**header(RELEASE), 'include/acqrel/reload/user.hpp': '#include <acqrel/reload/middle.hpp>\n' + ACQUIRE,
                 'include/acqrel/reload/middle.hpp': '#include <acqrel/publish/cell.hpp>\n'}
        self.accepted(files)
        files['include/acqrel/reload/middle.hpp'] = ''
        self.caught(files, 'include/acqrel/reload/user.hpp:2:', 'does not include')

    # ---- hidden orders

    def hides(self, statement, words, declaration='std::atomic<int> word{0};'):
        self.caught(self.with_pair(f'''
            struct s {{
              {declaration}
              void f(s& other, int e, int* p) {{ (void)other; (void)e; (void)p; {statement} }}
            }};
        '''), words, ':16:')

    def test_catches_operations_without_an_order(self):
        for statement in ('e = word.load();', 'word.store(e);', 'e = word.exchange(e);', 'word.fetch_add(1);',
                          'word.compare_exchange_weak(e, 2);', 'other.word.store(1);', 'this->word.store((f(*this, 1, p), 1));',
                          'word.wait(0);', '(&word)->load();'):
            with self.subTest(statement):
                self.hides(statement, 'names no memory order')

    def test_catches_a_compare_exchange_with_one_order(self):
        self.caught(self.with_pair('''
            inline bool f(std::atomic<int>& w, int& e) {
              // edge cell.ready: acq_rel
              return w.compare_exchange_strong(e, 1, std::memory_order_acq_rel);
            }
        '''), 'names one order of two')

    def test_catches_an_order_chosen_at_run_time(self):
        self.caught(self.with_pair('''
            inline int f(std::atomic<int>& w, bool b) {
              // edge cell.ready: acquire
              // plain: sometimes
              return w.load(b ? std::memory_order_acquire : std::memory_order_relaxed);
            }
        '''), 'chooses between orders')

    def test_knows_an_atomic_however_it_is_declared(self):
        for declaration, statement in {
                'std::atomic_flag flag;': 'flag.test_and_set();',
                'std::atomic_bool on{false};': 'on.load();',
                'std::atomic<int> many[4];': 'many[e].load();',
                'padded<std::atomic<int>> line;': 'line->load();',
                'std::array<std::atomic<int>, 4> row;': 'row[1].store(2);',
                'std::vector<padded<std::atomic<long>>> rows;': 'rows[1]->store(2);',
                'std::atomic<int> one{1}, two{2};': 'two.load();',
                'std::atomic<std::map<int, int>*> map;': 'map.load();',
                'static std::atomic<int>& of(int);': 'of(3).load();',
                'using number = std::atomic<int>; number n;': 'n.load();',
                'using number = std::atomic<int>; using other_number = number; other_number* n;': 'n->load();',
                'std::atomic<int> deep;': 'auto& bound = other.deep; bound.load();',
                'std::atomic<int> rowed[3];': 'for (auto& each : rowed) each.load();',
        }.items():
            with self.subTest(declaration):
                self.hides(statement, 'names no memory order', declaration)

    def test_knows_an_atomic_of_an_included_header(self):
        files = self.with_pair('struct part { std::atomic<int> inner{0}; };\n')
        files[SOURCE] = '#include <acqrel/publish/cell.hpp>\nint f(part& p) { return p.inner.load(); }\n'
        self.caught(files, SOURCE + ':2:', 'inner.load() names no memory order')

    def test_knows_a_reference_to_an_atomic_of_an_included_header(self):
        files = self.with_pair('struct parts { std::atomic<int> word[4]; };\n')
        files[SOURCE] = '#include <acqrel/publish/cell.hpp>\nvoid f(parts& p) {\n  for (auto& word : p.word) word.store(0);\n}\n'
        self.caught(files, SOURCE + ':3:', 'word.store() names no memory order')

    def test_a_receiver_that_cannot_be_seen_is_reported(self):
        self.caught(self.with_pair('inline int f(auto& w) { return w.load(); }\n'), 'nothing here says that w is not atomic')

    def test_accepts_methods_of_these_names_on_other_types(self):
        self.accepted(self.with_pair('''
            template <class T> struct box {
              T load();
              T exchange(T next) { return std::exchange(value_, next); }
              void store(T next) { this->exchange(next); exchange(next); }
              T value_;
            };
            struct user {
              box<int> current_;
              std::vector<int> list_;
              int f(box<int>& given, const box<long>* far) {
                list_.clear();
                auto mine = box<int>{};
                for (box<int>& each : many()) each.store(1);
                return given.load() + current_.exchange(2) + far->load() + mine.load() + this->current_.load();
              }
            };
        '''))

    def test_catches_operators_on_atomics(self):
        for statement in ('word = 1;', '++word;', 'word--;', 'word += 2;', 'other.word = 3;', '--other.word;', 'this->word |= 1;'):
            with self.subTest(statement):
                self.hides(statement, 'seq_cst without saying so')
        self.hides('many[e] = 1;', 'seq_cst without saying so', 'std::atomic<int> many[2];')
        self.hides('*far = 1;', 'seq_cst without saying so', 'std::atomic<int>* far;')

    def test_accepts_what_only_looks_like_an_operator_on_an_atomic(self):
        self.accepted(self.with_pair('''
            struct s {
              std::atomic<int> word = 0;
              std::atomic<int>* far = nullptr;
              int size = 0;
            };
            inline bool f(s& x, int swords) {
              x.far = &x.word;
              ++x.far;
              swords = 1;
              s y{.word = 1};
              return x.far == &y.word;
            }
        '''))

    def test_catches_orders_passed_as_parameters_and_kept_in_variables(self):
        self.caught(self.with_pair('int f(std::memory_order order);\n'), 'passed or stored')
        self.caught(self.with_pair('''
            // plain: a name for it
            constexpr auto rlx = std::memory_order_relaxed;
        '''), 'not an argument of an atomic operation')

    def test_catches_builtins_and_free_functions(self):
        self.caught(self.with_pair('inline int f(int* p) { return __atomic_load_n(p, 5); }\n'), 'compiler builtin')
        self.caught(self.with_pair('inline int f(std::atomic<int>* p) { return std::atomic_load(p); }\n'), 'takes no memory order')

    def test_catches_consume(self):
        found = self.violations(self.with_pair('''
            // edge cell.ready: consume
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_consume); }
        '''))
        self.assertTrue(any('use acquire' in text for text in found), found)


if __name__ == '__main__':
    unittest.main()
