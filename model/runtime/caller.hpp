// Who called an interposed function: where in the program's own source.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace acqrel::model {

/// The return address itself if it is in checked code. If it is in the C++ runtime library: the nearest one further up
/// the stack that is in checked code, so that reports name the line that called std::string::append, not the library.
/// `frame`: __builtin_frame_address(0) of the interposed function.
const void* caller_in_program(const void* return_address, const void* frame);

}  // namespace acqrel::model
