// SPDX-License-Identifier: Apache-2.0
// flagserver: feature flags for OpenFeature clients. This file is the table of its subcommands.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <string>

#include "check.hpp"
#include "eval.hpp"
#include "logic.hpp"
#include "serve.hpp"

using namespace flagserver;

namespace {

const std::map<std::string, fractional_version> fractional_versions = {{"v2", fractional_version::v2},
                                                                       {"v3", fractional_version::v3}};

void add_fractional(CLI::App& command, fractional_version& version) {
  command.add_option("--fractional", version, "how `fractional` hashes: v2 (text, the default) or v3 (CBOR)")
      ->transform(CLI::CheckedTransformer(fractional_versions))
      ->option_text("v2|v3");
}

void add_seconds(CLI::App& command, const std::string& name, std::chrono::milliseconds& value,
                 const std::string& help) {
  command
      .add_option_function<double>(
          name,
          [&value](double seconds) { value = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)); },
          help + " (default: " + std::to_string(value.count() / 1000) + ")")
      ->check(CLI::Range(0.001, 86'400.0))
      ->option_text("SECONDS");
}

void add_serve(CLI::App& command, serve_options& served) {
  command.add_option("--flags", served.flags, "the flag file (.yaml and .yml are YAML, others JSON); it is followed")
      ->required()
      ->option_text("FILE (required)");
  command.add_option("--port", served.port, "port for OFREP; 0: any free one (default: 8016)")->option_text("PORT");
  command
      .add_option("--management-port", served.management_port,
                  "port for /healthz and /readyz; 0: any free one (default: 8014)")
      ->option_text("PORT");
  command.add_option("--bind", served.bind, "IP address to listen on; 0.0.0.0 for all (default: 127.0.0.1)")
      ->option_text("ADDRESS");
  command.add_option("--threads", served.threads, "threads that answer requests (default: one for each core)")
      ->check(CLI::Range(1, 256))
      ->option_text("N");
  command.add_option("--max-body", served.limits.body, "largest request body (default: 1000000)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 30))
      ->option_text("BYTES");
  add_seconds(command, "--request-timeout", served.limits.request,
              "time for a request to arrive, and for its answer to be taken");
  add_seconds(command, "--idle-timeout", served.limits.idle, "time between two requests of one connection");
  add_seconds(command, "--drain-timeout", served.drain, "time for requests under way when the server is told to stop");
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  CLI::App app("flagserver - feature flags over OFREP, from files in flagd's format");
  app.require_subcommand(1);

  std::string checked;
  eval_options evaluated;
  serve_options served;
  fractional_version version = fractional_version::v2;

  CLI::App* serve_command =
      app.add_subcommand("serve", "serve a flag file over OFREP until SIGTERM; SIGHUP reads it again");
  add_serve(*serve_command, served);
  add_fractional(*serve_command, version);

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
    served.fractional = version;
    served.limits.write = served.limits.request;
    if (serve_command->parsed()) return serve(served);
    if (check_command->parsed()) return check(checked, version, std::cout);
    if (eval_command->parsed()) return eval(evaluated, std::cin, std::cout, std::cerr);
    if (logic_command->parsed()) return logic(version, std::cin, std::cout);
  } catch (const std::exception& failure) {
    std::cerr << "flagserver: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}
