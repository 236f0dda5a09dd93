// A shared object of checked code: what it keeps must begin anew as the executable's does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

extern int library_global;
int* library_thread_local();
int library_step();  ///< adds one to both; their sum
