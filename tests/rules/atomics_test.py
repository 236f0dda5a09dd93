# SPDX-License-Identifier: Apache-2.0
"""rules/edges is fed each way to hide an order, and operations of the same names on things that are no atomics."""
import unittest

import edges
from cell_tree import SOURCE, with_pair
from rule_case import RuleCase


class atomics_rule(RuleCase):
    rule = staticmethod(edges.check)

    def hides(self, statement, words, declaration='std::atomic<int> word{0};'):
        self.caught(with_pair(f'''
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
        self.caught(with_pair('''
            inline bool f(std::atomic<int>& w, int& e) {
              // edge cell.ready: acq_rel
              return w.compare_exchange_strong(e, 1, std::memory_order_acq_rel);
            }
        '''), 'names one order of two')

    def test_catches_an_order_chosen_at_run_time(self):
        self.caught(with_pair('''
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
        files = with_pair('struct part { std::atomic<int> inner{0}; };\n')
        files[SOURCE] = '#include <acqrel/publish/cell.hpp>\nint f(part& p) { return p.inner.load(); }\n'
        self.caught(files, SOURCE + ':2:', 'inner.load() names no memory order')

    def test_knows_a_reference_to_an_atomic_of_an_included_header(self):
        files = with_pair('struct parts { std::atomic<int> word[4]; };\n')
        files[SOURCE] = '#include <acqrel/publish/cell.hpp>\nvoid f(parts& p) {\n  for (auto& word : p.word) word.store(0);\n}\n'
        self.caught(files, SOURCE + ':3:', 'word.store() names no memory order')

    def test_a_receiver_that_cannot_be_seen_is_reported(self):
        self.caught(with_pair('inline int f(auto& w) { return w.load(); }\n'), 'nothing here says that w is not atomic')

    def test_accepts_methods_of_these_names_on_other_types(self):
        self.accepted(with_pair('''
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
        self.accepted(with_pair('''
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
        self.caught(with_pair('int f(std::memory_order order);\n'), 'passed or stored')
        self.caught(with_pair('''
            // plain: a name for it
            constexpr auto rlx = std::memory_order_relaxed;
        '''), 'not an argument of an atomic operation')

    def test_catches_builtins_and_free_functions(self):
        self.caught(with_pair('inline int f(int* p) { return __atomic_load_n(p, 5); }\n'), 'compiler builtin')
        self.caught(with_pair('inline int f(int* p) { return __sync_val_compare_and_swap(p, 5, 6); }\n'), 'compiler builtin')
        self.caught(with_pair('inline int f(std::atomic<int>* p) { return std::atomic_load(p); }\n'), 'takes no memory order')

    def test_catches_consume(self):
        found = self.violations(with_pair('''
            // edge cell.ready: consume
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_consume); }
        '''))
        self.assertTrue(any('use acquire' in text for text in found), found)


if __name__ == '__main__':
    unittest.main()
