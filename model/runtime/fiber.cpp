// SPDX-License-Identifier: Apache-2.0
#include "fiber.hpp"

#include <sys/auxv.h>

#include "modules.hpp"
#include "thread_storage.hpp"

// Both: save the callee's registers on the stack and its pointer in *%rdi, take the stack *%rsi and the thread pointer %rdx.
// The signal mask, the rounding modes and the x87 control word stay as they are: no checked program may change them.
// The unwinder sees the same frame before and after the stacks change, since both hold the same six registers.
asm(R"(
.macro acqrel_model_save
  .cfi_startproc
  endbr64
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp, 0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12, 0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13, 0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14, 0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15, 0
  movq %rsp, (%rdi)
  movq (%rsi), %rsp
.endm
.macro acqrel_model_take
  popq %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  popq %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  popq %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  popq %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  popq %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
  ret
  .cfi_endproc
.endm

.pushsection .text
.p2align 6
.globl acqrel_model_switch
.hidden acqrel_model_switch
.type acqrel_model_switch, @function
acqrel_model_switch:
  acqrel_model_save
  wrfsbase %rdx
  acqrel_model_take
.size acqrel_model_switch, . - acqrel_model_switch

.p2align 6
.globl acqrel_model_switch_by_system_call
.hidden acqrel_model_switch_by_system_call
.type acqrel_model_switch_by_system_call, @function
acqrel_model_switch_by_system_call:
  acqrel_model_save
  movl $158, %eax       # arch_prctl
  movl $0x1002, %edi    # ARCH_SET_FS
  movq %rdx, %rsi
  syscall
  acqrel_model_take
.size acqrel_model_switch_by_system_call, . - acqrel_model_switch_by_system_call

# The first thing on a new stack: %rbx(%r12). No return address can be found from here, so unwinding ends.
.p2align 4
.globl acqrel_model_begin
.hidden acqrel_model_begin
.type acqrel_model_begin, @function
acqrel_model_begin:
  .cfi_startproc
  .cfi_undefined %rip
  endbr64
  xorl %ebp, %ebp
  movq %r12, %rdi
  call *%rbx
  ud2
  .cfi_endproc
.size acqrel_model_begin, . - acqrel_model_begin
.popsection
)");

extern "C" {
void acqrel_model_switch(void** save, void** take, std::uint64_t thread_pointer);
void acqrel_model_switch_by_system_call(void** save, void** take, std::uint64_t thread_pointer);
void acqrel_model_begin();
}

namespace acqrel::model {
namespace {

/// What acqrel_model_switch leaves on a stack, lowest address first.
struct saved_registers {
  std::uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

bool by_system_call = false;

/// Without a switch of the shadow stack too, the first return after a switch would be taken for an attack.
bool has_shadow_stack() {
  std::uint64_t pointer = 0;
  asm volatile("rdsspq %0" : "+r"(pointer));  // does nothing where there is none
  return pointer != 0;
}

}  // namespace

void fiber::begin(thread_id t, void (*body)(void*), void* argument) {
  reset_thread_storage(t);
  const std::uintptr_t slot = slots_begin + t * slot_size;
  low_ = reinterpret_cast<const char*>(slot + stack_begin);
  // Four cache lines apart in a page, or the frames of all threads would compete for the same few sets of the cache.
  high_ = reinterpret_cast<const char*>(slot + stack_end - t * std::uintptr_t{256});
  // 16 bytes stay free above, so that the stack is aligned where `body` is called.
  auto* registers = reinterpret_cast<saved_registers*>(const_cast<char*>(high_) - 16) - 1;
  *registers = {};
  registers->rbx = reinterpret_cast<std::uint64_t>(body);
  registers->r12 = reinterpret_cast<std::uint64_t>(argument);
  registers->rip = reinterpret_cast<std::uint64_t>(&acqrel_model_begin);
  sp_ = registers;
  thread_pointer_ = thread_pointer_of(t);
}

void fiber::go(fiber& from, fiber& to) {
  asm("movq %%fs:0, %0" : "=r"(from.thread_pointer_));  // it points to itself
  if (by_system_call) [[unlikely]]
    acqrel_model_switch_by_system_call(&from.sp_, &to.sp_, to.thread_pointer_);
  else
    acqrel_model_switch(&from.sp_, &to.sp_, to.thread_pointer_);
}

void switch_thread_pointer_by(thread_pointer_switch how) { by_system_call = how == thread_pointer_switch::system_call; }

void prepare_fibers() {
  static bool prepared = false;
  if (prepared) return;
  if (has_shadow_stack())
    cannot_run("this process has a shadow stack (CET), and fibers switch stacks behind its back",
               "run it with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off");
  constexpr unsigned long fsgsbase = 2;  // HWCAP2_FSGSBASE: user code may, says the kernel
  switch_thread_pointer_by((getauxval(AT_HWCAP2) & fsgsbase) != 0 ? thread_pointer_switch::instruction
                                                                  : thread_pointer_switch::system_call);
  find_modules();
  prepare_thread_storage();
  prepared = true;
}

}  // namespace acqrel::model
