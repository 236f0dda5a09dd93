// SPDX-License-Identifier: Apache-2.0
#include "symbols.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#if defined(__linux__) && defined(__LP64__)
#include <cxxabi.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace acqrel {

#if defined(__linux__) && defined(__LP64__)

namespace {

// The parts that a compiler has cut a function into, `f() [clone .cold]`, are that function.
std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  std::string whole = status == 0 ? plain.get() : name;
  whole.resize(std::min(whole.size(), whole.find(" [clone ")));
  return whole;
}

std::string program_path() {
  std::string path(4096, '\0');
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path;
}

// A file in memory, as long as this lives; empty if it cannot be.
class mapped_file {
 public:
  explicit mapped_file(const char* path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat about;
    if (fstat(file, &about) == 0 && about.st_size > 0) {
      void* const all = mmap(nullptr, static_cast<std::size_t>(about.st_size), PROT_READ, MAP_PRIVATE, file, 0);
      if (all != MAP_FAILED) {
        data_ = static_cast<const char*>(all);
        size_ = static_cast<std::size_t>(about.st_size);
      }
    }
    close(file);
  }
  ~mapped_file() {
    if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
  }
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;
  const char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

// `count` things of a file at `offset`; null if it is not that long.
template <class T>
const T* at(const char* file, std::size_t size, std::size_t offset, std::size_t count = 1) noexcept {
  if (offset > size || (size - offset) / sizeof(T) < count || offset % alignof(T) != 0) return nullptr;
  return reinterpret_cast<const T*>(file + offset);
}

}  // namespace

symbols::symbols() {
  struct loaded {
    std::string path;
    std::uintptr_t base;
  };
  struct walk {
    std::vector<loaded> objects;
    std::vector<code_module>* modules;
  } all{{}, &modules_};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        walk& to = *static_cast<walk*>(out);
        // The first is the program, which has no name.
        std::string path = to.objects.empty() ? program_path() : info->dlpi_name;
        for (int i = 0; i != info->dlpi_phnum; ++i) {
          const auto& part = info->dlpi_phdr[i];
          if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
          const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
          to.modules->push_back({begin, begin + part.p_memsz, part.p_offset, path});
        }
        to.objects.push_back({std::move(path), info->dlpi_addr});
        return 0;
      },
      &all);
  for (const loaded& each : all.objects) read(each.path.c_str(), each.base);
  std::sort(functions_.begin(), functions_.end(),
            [](const function& a, const function& b) { return a.begin < b.begin; });
}

// The whole table of the file where there is one, otherwise that of what other modules may use.
void symbols::read(const char* path, std::uintptr_t base) {
  const mapped_file file(path);
  if (file.size() < sizeof(ElfW(Ehdr)) || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) return;
  const std::size_t before = functions_.size();
  read_table(file.data(), file.size(), SHT_SYMTAB, base);
  if (functions_.size() == before) read_table(file.data(), file.size(), SHT_DYNSYM, base);
}

void symbols::read_table(const char* file, std::size_t size, std::uint32_t type, std::uintptr_t base) {
  const auto& header = *at<ElfW(Ehdr)>(file, size, 0);
  const auto* const sections = at<ElfW(Shdr)>(file, size, header.e_shoff, header.e_shnum);
  if (sections == nullptr) return;
  for (std::size_t i = 0; i != header.e_shnum; ++i) {
    const auto& section = sections[i];
    if (section.sh_type != type || section.sh_link >= header.e_shnum) continue;
    const std::size_t count = section.sh_size / sizeof(ElfW(Sym));
    const auto& text = sections[section.sh_link];
    const auto* const all = at<ElfW(Sym)>(file, size, section.sh_offset, count);
    const char* const names = at<char>(file, size, text.sh_offset, text.sh_size);
    if (all == nullptr || names == nullptr || text.sh_size == 0 || names[text.sh_size - 1] != '\0') continue;
    for (std::size_t n = 0; n != count; ++n) {
      const auto& one = all[n];
      if (ELF64_ST_TYPE(one.st_info) != STT_FUNC || one.st_value == 0 || one.st_name >= text.sh_size) continue;
      functions_.push_back({base + one.st_value, base + one.st_value + one.st_size, names + one.st_name});
    }
  }
}

std::string symbols::name(std::uintptr_t address) const {
  const auto after = std::upper_bound(functions_.begin(), functions_.end(), address,
                                      [](std::uintptr_t a, const function& f) { return a < f.begin; });
  if (after == functions_.begin() || std::prev(after)->end <= address) return {};
  return demangled(std::prev(after)->name.c_str());
}

std::size_t symbols::module_of(std::uintptr_t address) const noexcept {
  std::size_t i = 0;
  while (i != modules_.size() && (address < modules_[i].begin || modules_[i].end <= address)) ++i;
  return i;
}

#else

symbols::symbols() = default;
std::string symbols::name(std::uintptr_t) const { return {}; }
std::size_t symbols::module_of(std::uintptr_t) const noexcept { return modules_.size(); }

#endif

}  // namespace acqrel
