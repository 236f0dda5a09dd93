// Who called an interposed function: where in the program's own source.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace acqrel::model {

/// The return address itself if it is in checked code. If it is in the C++ runtime library: the nearest one further up
/// the stack that is in checked code, so that reports name the line that called std::string::append, not the library.
/// `frame`: __builtin_frame_address(0) of the interposed function.
const void* caller_in_program(const void* return_address, const void* frame);

/// The return address of an atomic operation, unless a function of the standard library made it that was not inlined, as
/// std::atomic<bool>::store at -O0: then the nearest one further up that is in the program's own code. Follows frame
/// pointers, which model tests are compiled with. `frame`: as above, of the operation's entry point.
const void* operation_site(const void* return_address, const void* frame);

}  // namespace acqrel::model
