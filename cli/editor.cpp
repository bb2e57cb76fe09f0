#include "cli/editor.hpp"

#include "base/unique_fd.hpp"
#include "cli/output/text.hpp"
#include "cli/terminal.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace berth::cli {
namespace {

/// A file that is gone with this object.
class TemporaryFile {
 public:
  static Result<TemporaryFile> create(const std::string& text) {
    const auto* const folder = std::getenv("TMPDIR");
    std::string path = std::string(folder && *folder ? folder : "/tmp") + "/berth_XXXXXX.yaml";
    const UniqueFd file(::mkostemps(path.data(), 5, O_CLOEXEC));
    if (!file) return system_error("cannot make a file for the editor", errno);
    TemporaryFile made(std::move(path));
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      return system_error("cannot write " + made.path_, errno);
    return made;
  }
  TemporaryFile(TemporaryFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  const std::string& path() const noexcept { return path_; }
  Result<std::string> read() const {
    const UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return system_error("cannot read " + path_, errno);
    return read_all(file.get());
  }

 private:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

std::vector<std::string> editor_words() {
  for (const auto* const name : {"VISUAL", "EDITOR"}) {
    const auto* const value = std::getenv(name);
    if (!value) continue;
    auto words = split(value, ' ');
    std::erase(words, std::string());
    if (!words.empty()) return words;
  }
  for (const auto* const program : {"/usr/bin/editor", "/usr/bin/vi", "/usr/bin/emacs", "/usr/bin/nano"})
    if (::access(program, X_OK) == 0) return {program};
  return {};
}

Result<void> open_editor(const std::string& path) {
  auto words = editor_words();
  if (words.empty())
    return Error{Code::NotSupported, "No text editor found, please set the EDITOR environment variable"};
  words.push_back(path);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  if (const int failure = ::posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ); failure != 0)
    return system_error("cannot start the editor " + words.front(), failure);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return system_error("cannot wait for the editor", errno);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return Error{Code::Cancelled, "the editor failed; nothing was changed"};
  return {};
}

/// Whether the user presses enter to open the editor once more.
bool once_more() {
  complain("Press enter to open the editor again or ctrl+c to abort change");
  char c = 0;
  while (::read(STDIN_FILENO, &c, 1) == 1)
    if (c == '\n') return true;
  return false;
}

}  // namespace

Result<std::string> edited_text(const std::string& text) {
  BERTH_TRY(const auto file, TemporaryFile::create(text));
  BERTH_CHECK(open_editor(file.path()));
  return file.read();
}

Result<void> edit(const std::string& help, const std::string& text,
                  const std::function<Result<void>(const std::string&)>& apply) {
  if (!is_terminal(STDIN_FILENO)) {
    BERTH_TRY(const auto given, read_all(STDIN_FILENO));
    return apply(given);
  }
  std::string shown;
  for (const auto& line : split(help, '\n')) shown += line.empty() ? "###\n" : "### " + line + '\n';
  shown += '\n' + text;
  BERTH_TRY(const auto file, TemporaryFile::create(shown));
  for (;;) {
    BERTH_CHECK(open_editor(file.path()));
    BERTH_TRY(const auto edited, file.read());
    if (edited == shown) return {};
    const auto applied = apply(edited);
    if (applied) return {};
    complain("Error: " + printable_lines(applied.error().message));
    if (!once_more()) return applied.error();
  }
}

}  // namespace berth::cli
