#include "cli/program.hpp"

#include <clocale>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  // Widths of characters are needed, and nothing else of a locale.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  try {
    return berth::cli::run_program(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "Error: %s\n", failure.what());
    return 1;
  }
}
