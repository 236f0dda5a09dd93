// SPDX-License-Identifier: Apache-2.0
#include "modules.hpp"

#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace acqrel::model {
namespace {

constinit std::vector<module> found;
// The code of the program, apart: this is asked at every interposed call.
std::array<range, 32> program_code;
std::size_t program_ranges = 0;

char* at(std::uintptr_t address) { return reinterpret_cast<char*>(address); }

/// Whether it asks others for the functions that -fsanitize=thread calls. In a GNU hash table the symbols that an object
/// needs but does not have stand before all those that can be looked up in it.
bool is_instrumented(const dl_phdr_info& info) {
  const ElfW(Dyn)* dynamic = nullptr;
  for (unsigned i = 0; i < info.dlpi_phnum; ++i)
    if (info.dlpi_phdr[i].p_type == PT_DYNAMIC)
      dynamic = reinterpret_cast<const ElfW(Dyn)*>(info.dlpi_addr + info.dlpi_phdr[i].p_vaddr);
  if (dynamic == nullptr) return false;
  std::uintptr_t symbols = 0, names = 0, gnu_hash = 0, hash = 0;
  for (; dynamic->d_tag != DT_NULL; ++dynamic) {
    // The loader has made addresses of these, but not in its own and the kernel's object.
    const std::uintptr_t value = dynamic->d_un.d_ptr;
    const std::uintptr_t address = value < info.dlpi_addr ? info.dlpi_addr + value : value;
    if (dynamic->d_tag == DT_SYMTAB) symbols = address;
    if (dynamic->d_tag == DT_STRTAB) names = address;
    if (dynamic->d_tag == DT_GNU_HASH) gnu_hash = address;
    if (dynamic->d_tag == DT_HASH) hash = address;
  }
  if (symbols == 0 || names == 0) return false;
  const std::uint32_t count = gnu_hash != 0 ? reinterpret_cast<const std::uint32_t*>(gnu_hash)[1]
                              : hash != 0   ? reinterpret_cast<const std::uint32_t*>(hash)[1]
                                            : 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto& symbol = reinterpret_cast<const ElfW(Sym)*>(symbols)[i];
    const std::string_view name = reinterpret_cast<const char*>(names) + symbol.st_name;
    if (symbol.st_shndx == SHN_UNDEF && name.starts_with("__tsan_")) return true;
  }
  return false;
}

module::role role_of(const dl_phdr_info& info) {
  if (found.empty()) return module::role::checked;
  const std::string_view path = info.dlpi_name;
  const std::string_view file = path.substr(path.rfind('/') + 1);
  for (const char* name : {"libstdc++.so", "libc++.so", "libc++abi.so"})
    if (file.starts_with(name)) return module::role::cxx_runtime;
  return is_instrumented(info) ? module::role::checked : module::role::other;
}

int add(dl_phdr_info* info, std::size_t, void*) {
  module m;
  m.name = info->dlpi_name;
  m.part = role_of(*info);
  range read_only_later;
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    const std::uintptr_t start = info->dlpi_addr + part.p_vaddr;
    const range memory{at(start), at(start + part.p_memsz)};
    if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0) m.code.push_back(memory);
    if (part.p_type == PT_LOAD && (part.p_flags & PF_W) != 0) m.writable.push_back(memory);
    if (part.p_type == PT_GNU_RELRO) {
      // The loader protects whole pages only.
      const std::uintptr_t page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
      read_only_later = {at(start / page * page), at((start + part.p_memsz) / page * page)};
    }
    if (part.p_type == PT_TLS) {
      m.tls_id = info->dlpi_tls_modid;
      m.tls_image = {at(start), at(start + part.p_filesz)};
      m.tls_size = part.p_memsz;
    }
  }
  for (range& w : m.writable)  // it is at the beginning of its segment
    if (read_only_later.contains(w.first)) w.first = read_only_later.last < w.last ? read_only_later.last : w.last;
  found.push_back(m);
  if (m.part != module::role::other)
    for (const range& code : m.code)
      if (program_ranges < program_code.size()) program_code[program_ranges++] = code;
  return 0;
}

}  // namespace

void find_modules() {
  found.clear();
  program_ranges = 0;
  dl_iterate_phdr(add, nullptr);
}

/// As early as that for is_program_code(): what the program allocates in its static constructors is the program's.
[[gnu::constructor]] static void find_modules_at_load() { find_modules(); }

const std::vector<module>& modules() { return found; }

bool is_program_code(const void* address) {
  for (std::size_t i = 0; i < program_ranges; ++i)
    if (program_code[i].contains(address)) return true;
  return false;
}

}  // namespace acqrel::model
