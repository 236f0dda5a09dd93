// SPDX-License-Identifier: Apache-2.0
// flagserver: feature flags for OpenFeature clients. This file is the table of its subcommands.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <map>
#include <string>

#include "check.hpp"
#include "eval.hpp"
#include "logic.hpp"

using namespace flagserver;

namespace {

const std::map<std::string, fractional_version> fractional_versions = {{"v2", fractional_version::v2},
                                                                       {"v3", fractional_version::v3}};

void add_fractional(CLI::App& command, fractional_version& version) {
  command.add_option("--fractional", version, "how `fractional` hashes: v2 (text, the default) or v3 (CBOR)")
      ->transform(CLI::CheckedTransformer(fractional_versions))
      ->type_name("v2|v3");
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  CLI::App app("flagserver - feature flags over OFREP, from files in flagd's format");
  app.require_subcommand(1);

  std::string checked;
  eval_options evaluated;
  fractional_version version = fractional_version::v2;

  CLI::App* check_command = app.add_subcommand("check", "check a flag file; exit status 1 if it has errors");
  check_command->add_option("file", checked, "the flag file (.yaml and .yml are YAML, others JSON)")->required();
  add_fractional(*check_command, version);

  CLI::App* eval_command =
      app.add_subcommand("eval", "evaluate one {\"flagKey\":K,\"context\":{...}} a line of standard input");
  eval_command->add_option("--flags", evaluated.flags, "the flag file")->required();
  eval_command->add_option("--selector", evaluated.selector, "as in the header Flagd-Selector, such as flagSetId=x");
  add_fractional(*eval_command, version);

  CLI::App* logic_command = app.add_subcommand("logic", "run one {\"rule\":R,\"data\":D} a line of standard input");
  add_fractional(*logic_command, version);

  CLI11_PARSE(app, argc, argv);
  try {
    evaluated.fractional = version;
    if (check_command->parsed()) return check(checked, version, std::cout);
    if (eval_command->parsed()) return eval(evaluated, std::cin, std::cout, std::cerr);
    if (logic_command->parsed()) return logic(version, std::cin, std::cout);
  } catch (const std::exception& failure) {
    std::cerr << "flagserver: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}
