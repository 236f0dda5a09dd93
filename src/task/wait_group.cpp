// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/wait_group.hpp>

#include <stdexcept>

namespace acqrel {

void wait_group::refuse() {
  throw std::logic_error(
      "acqrel::wait_group: nobody can enter: a wait has begun, which would not wait for who comes now, or 2^31 - 1 are "
      "in; "
      "enter before the wait, or call another() of a member that is in, or reset() the group after the wait");
}

wait_group::member wait_group::member::another() const {
  if (group_ == nullptr) {
    throw std::logic_error("acqrel::wait_group: this member has left, or was moved from; call another() before that");
  }
  return checked(group_->add(true));
}

}  // namespace acqrel
