# SPDX-License-Identifier: Apache-2.0
"""rules/edges is fed each violation it is there for, and code that only looks like one."""
import textwrap
import unittest

import edges
from cell_tree import ACQUIRE, BLOCK, HEADER, RELEASE, SOURCE, header, with_pair
from rule_case import RuleCase


class edges_rule(RuleCase):
    rule = staticmethod(edges.check)

    # ---- tags

    def test_accepts_an_edge_with_both_ends(self):
        self.accepted(header(RELEASE, ACQUIRE))

    def test_accepts_plain_relaxed_and_tags_on_the_line_itself(self):
        self.accepted(with_pair('''
            inline void f(std::atomic<int>& w) {
              w.store(1, std::memory_order_relaxed);  // plain: nobody reads it yet
              // plain: a count;
              //        it carries nothing
              w.fetch_add(1, std::memory_order::relaxed);
            }
        '''))

    def test_catches_an_order_without_a_tag(self):
        self.caught(with_pair('inline int f(std::atomic<int>& w) { return w.load(std::memory_order_acquire); }\n'),
                    HEADER + ':13:', 'acquire has no tag')

    def test_catches_a_relaxed_order_without_a_tag(self):
        self.caught(with_pair('inline int f(std::atomic<int>& w) { return w.load(std::memory_order_relaxed); }\n'),
                    'plain: why')

    def test_a_tag_covers_one_statement_only(self):
        self.caught(with_pair('''
            inline void f(std::atomic<int>& w) {
              // plain: first
              w.store(1, std::memory_order_relaxed);
              w.store(2, std::memory_order_relaxed);
            }
        '''), ':17:', 'no tag')

    def test_a_blank_line_parts_a_tag_from_its_code(self):
        found = self.violations(with_pair('''
            inline void f(std::atomic<int>& w) {
              // edge cell.ready: release

              w.store(1, std::memory_order_release);
            }
        '''))
        self.assertEqual(len(found), 2)
        self.assertIn('stands above no memory order', found[0])
        self.assertIn('has no tag', found[1])

    def test_catches_a_plain_site_that_is_not_relaxed(self):
        self.caught(with_pair('''
            // plain: it seemed enough
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_acquire); }
        '''), 'the order is acquire but the tag is plain')

    def test_catches_a_plain_tag_without_a_reason(self):
        self.caught(with_pair('''
            // plain:
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_relaxed); }
        '''), 'gives no reason')

    def test_catches_a_tag_whose_order_is_not_the_codes(self):
        self.caught(with_pair('''
            // edge cell.ready: release
            inline void f(std::atomic<int>& w) { w.exchange(1, std::memory_order_acq_rel); }
        '''), 'the tag says `edge cell.ready: release`, the code says acq_rel')

    def test_catches_an_edge_tag_on_a_relaxed_order(self):
        self.caught(with_pair('''
            // edge cell.ready: relaxed
            inline void f(std::atomic<int>& w) { w.store(1, std::memory_order_relaxed); }
        '''), 'makes no edge')

    def test_catches_a_tag_that_names_no_order(self):
        found = self.violations(with_pair('''
            // edge cell.ready, release
            inline void f(std::atomic<int>& w) { w.store(1, std::memory_order_release); }
        '''))
        self.assertTrue(any('names no order' in text for text in found), found)

    def test_catches_a_tag_too_far_above(self):
        self.caught(with_pair('''
            // edge cell.ready: acquire
            // and then
            // far too many
            // words
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_acquire); }
        '''), 'within three')

    def test_catches_a_tag_above_no_order(self):
        self.caught(with_pair('''
            // edge cell.ready: acquire
            inline int f(int w) { return w; }
        '''), 'stands above no memory order')

    def test_orders_in_comments_and_strings_are_no_code(self):
        self.accepted(with_pair(r'''
            // w.load(std::memory_order_acquire) would do, w.load() would not
            /* x = w.exchange(1); std::memory_order_release */
            inline const char* f() { return "w.load(std::memory_order_acquire) \" // w.load()"; }
            inline const char* g() { return R"(w.store(1, std::memory_order_release))"; }
            inline int h() { return 1'000 + 'w'; }
        '''))

    # ---- several orders, several edges

    def test_accepts_a_compare_exchange_with_both_orders_in_one_tag(self):
        self.accepted(with_pair('''
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
        files = with_pair('''
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
        self.caught(with_pair('''
            inline bool f(std::atomic<int>& w, int& e) {
              // edge cell.ready: acq_rel
              return w.compare_exchange_strong(e, 1, std::memory_order_acq_rel, std::memory_order_acquire);
            }
        '''), 'do not cover the orders (acq_rel, acquire)')

    def test_catches_tags_in_the_wrong_sequence(self):
        self.caught(with_pair('''
            inline int f(std::atomic<int>& w) {
              // plain: first a look
              // edge cell.ready: acquire
              return w.load(std::memory_order_acquire) + w.load(std::memory_order_relaxed);
            }
        '''), 'in sequence')

    def test_catches_seq_cst_without_a_shape(self):
        self.caught(with_pair('''
            // edge cell.ready: seq_cst
            inline void f(std::atomic<int>& w) { w.store(1, std::memory_order_seq_cst); }
        '''), 'names no litmus shape')

    def test_fences_need_tags_and_may_be_ends(self):
        self.caught(with_pair('inline void f() { std::atomic_signal_fence(std::memory_order_release); }\n'), 'no tag')
        self.caught(with_pair('inline void f() { std::atomic_signal_fence(std::memory_order_acquire); }\n'), 'no tag')
        self.accepted(header(ACQUIRE, '''
            // edge cell.ready: release
            inline void f() { std::atomic_signal_fence(std::memory_order_release); }
        '''))

    def test_a_thread_fence_stands_in_asymmetric_fence_only(self):  # G12
        fence = '''
            // edge cell.ready: release
            void f() { std::atomic_thread_fence(std::memory_order_release); }
        '''
        self.caught(header(ACQUIRE, fence), 'ThreadSanitizer does not see')
        block = header(ACQUIRE)[HEADER].replace('publish/cell', 'base/asymmetric_fence')
        self.accepted({'include/acqrel/base/asymmetric_fence.hpp': block,
                       'src/base/asymmetric_fence.cpp': textwrap.dedent(fence)})

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
        files = with_pair('')
        files[HEADER] = files[HEADER].replace('// Progress', '//            cell.lost    a -> b\n// Progress')
        self.caught(files, HEADER + ':6:', 'edge cell.lost is declared and never tagged')

    def test_catches_an_edge_tagged_and_never_declared(self):
        self.caught(with_pair('''
            // edge cell.found: acquire
            inline int f(std::atomic<int>& w) { return w.load(std::memory_order_acquire); }
        '''), 'edge cell.found is declared in no header')

    def test_catches_an_edge_declared_twice(self):
        files = with_pair('')
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


if __name__ == '__main__':
    unittest.main()
