// SPDX-License-Identifier: Apache-2.0
#include "fiber_library.hpp"

int library_global = 10;
static thread_local int mine = 20;

int* library_thread_local() { return &mine; }
int library_step() { return ++library_global + ++mine; }
