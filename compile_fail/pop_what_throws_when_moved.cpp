// An item is popped whose move may throw, when it is in the stack no more and not yet with the caller: it would be lost.
//
// Document  Lock-free stack
// Refused   by the compiler
// Saying    would lose the item if moving it out threw
// Instead   keep std::unique_ptr<T>, make the move noexcept, or take all at once, which moves nothing.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/stack.hpp>

#include <memory>
#include <string>

struct letter {
  explicit letter(std::string words) : text(std::move(words)) {}
  letter(const letter& other) = default;  // hence no move of its own: it copies, which may throw
  std::string text;
};

#if defined(WRONG)
std::size_t length_of_next() {
  acqrel::stack<letter> letters;
  letters.emplace("hello");
  return letters.pop()->text.size();
}
#else
std::size_t length_of_next() {
  acqrel::stack<std::unique_ptr<letter>> letters;
  letters.push(std::make_unique<letter>("hello"));
  return (*letters.pop())->text.size();
}
#endif

int main() { return length_of_next() == 5 ? 0 : 1; }
