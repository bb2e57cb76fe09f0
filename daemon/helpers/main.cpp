// berth-helper: one short job each run, on hostile input, without rights over the host. berthd starts it.

#include <signal.h>
#include <sys/prctl.h>

#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

#include "daemon/helpers/report.hpp"
#include "daemon/helpers/verbs.hpp"

namespace {

struct Verb {
  std::string_view name;
  berth::Result<int> (*run)(berth::helpers::Arguments);
};

constexpr std::array kVerbs{
    Verb{"unpack", berth::helpers::unpack},
    Verb{"backup-index", berth::helpers::backup_index},
    Verb{"copy", berth::helpers::copy},
    Verb{"flatten", berth::helpers::flatten},
    Verb{"pack", berth::helpers::pack},
    Verb{"render", berth::helpers::render},
    Verb{"files", berth::helpers::files},
    Verb{"sftp", berth::helpers::sftp_server},
    Verb{"fetch", berth::helpers::fetch},
    Verb{"probe-overlay", berth::helpers::probe_overlay},
};

int run(const Verb& verb, berth::helpers::Arguments arguments) {
  try {
    const auto status = verb.run(arguments);
    if (status) return *status;
    berth::helpers::report_error(status.error());
  } catch (const std::exception& failure) {
    berth::helpers::report_error({berth::Code::Internal, failure.what()});
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  // A helper without its daemon has nobody to work for.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Verb& verb : kVerbs)
    if (verb.name == name) return run(verb, berth::helpers::Arguments(argv + 2, static_cast<std::size_t>(argc - 2)));
  std::fputs("berth-helper is started by berthd; it has no use of its own.\n", stderr);
  return 2;
}
