// Entry points whose caller's state must be known exactly: a few instructions that save it before any compiled code may
// use its registers, and that go on to the native function outside of a run.
//
//   ACQREL_ENTRY(f, model_f, native_f)  // defines f; no semicolon
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "spin.hpp"

extern "C" {
/// The state at the entry point called last.
extern acqrel::model::registers acqrel_model_registers;
}

// The name of the flag is that of acqrel::model::native.
#define ACQREL_ENTRY(name, in_a_run, otherwise)      \
  asm(".text\n"                                      \
      ".p2align 4\n"                                 \
      ".globl " #name                                \
      "\n"                                           \
      ".type " #name ",@function\n" #name            \
      ":\n"                                          \
      ".cfi_startproc\n"                             \
      "endbr64\n"                                    \
      "cmpb $0, _ZN6acqrel5model6nativeE(%rip)\n"    \
      "jne " #otherwise                              \
      "\n"                                           \
      "movq %rbx, acqrel_model_registers(%rip)\n"    \
      "movq %rbp, acqrel_model_registers+8(%rip)\n"  \
      "movq %r12, acqrel_model_registers+16(%rip)\n" \
      "movq %r13, acqrel_model_registers+24(%rip)\n" \
      "movq %r14, acqrel_model_registers+32(%rip)\n" \
      "movq %r15, acqrel_model_registers+40(%rip)\n" \
      "movq %rsp, acqrel_model_registers+48(%rip)\n" \
      "jmp " #in_a_run                               \
      "\n"                                           \
      ".cfi_endproc\n"                               \
      ".size " #name ", .-" #name "\n");
