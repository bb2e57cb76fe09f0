// The first byte says into which pieces the body is cut, the first line is its Content-Type, the rest the body. However it
// is cut, the same must come out.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rest-bridge/http/multipart.hpp"
#include "tests/fuzz/demand.hpp"

namespace berth::fuzz {
namespace {

struct Parts final : rest::Multipart::Sink {
  std::vector<std::pair<std::string, std::string>> seen;
  std::size_t ends = 0;
  Result<void> begin(const std::string& name) override {
    demand(ends == seen.size(), "a part ends before the next begins");
    seen.emplace_back(name, "");
    return {};
  }
  void data(std::string_view bytes) override {
    demand(ends + 1 == seen.size(), "bytes are those of a part");
    seen.back().second.append(bytes);
  }
  void end() override {
    ++ends;
    demand(ends == seen.size(), "a part that ends had begun");
  }
};

/// Whether it was sound, and its whole parts.
std::pair<bool, Parts> read(const std::string& boundary, std::string_view body, std::size_t piece) {
  Parts parts;
  rest::Multipart reader(boundary, parts);
  bool sound = true;
  while (sound && !body.empty()) {
    const auto now = body.substr(0, std::min(piece, body.size()));
    sound = static_cast<bool>(reader.feed(now));
    body.remove_prefix(now.size());
  }
  sound = sound && reader.finish();
  return {sound, std::move(parts)};
}

void run(std::string_view text) {
  if (text.empty()) return;
  const std::size_t piece = static_cast<unsigned char>(text.front()) + 1U;
  text.remove_prefix(1);
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  const auto boundary = rest::Multipart::boundary_of(line);
  if (!boundary) return;
  const auto whole = read(*boundary, text, text.size() + 1);
  const auto pieces = read(*boundary, text, piece);
  demand(whole.first == pieces.first, "pieces are as sound as the whole");
  if (whole.first) demand(whole.second.seen == pieces.second.seen && whole.second.ends == whole.second.seen.size(), "and say the same");
}

}  // namespace
}  // namespace berth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  berth::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
