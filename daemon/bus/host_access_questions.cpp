#include "daemon/bus/host_access_questions.hpp"

#include <chrono>
#include <future>
#include <memory>

#include "daemon/bus/access_table.hpp"

namespace berth::bus {
namespace {

/// A little more than the authority itself waits for a person.
constexpr std::chrono::minutes kPatience{6};

std::string joined(const std::vector<std::string>& reasons) {
  std::string text;
  for (const auto& reason : reasons) text += (text.empty() ? "" : ", ") + reason;
  return text;
}

}  // namespace

Result<void> HostAccessQuestions::ask(const Principal& who, const std::string& object,
                                      const std::vector<std::string>& reasons) {
  if (who.is_root()) return {};
  Error denial{Code::AccessDenied, object + " reaches the host (" + joined(reasons) +
                                       "), and you are not authorized to configure that"};
  const auto decided = std::make_shared<std::promise<bool>>();
  auto answer = decided->get_future();
  ports::AuthorityQuestion question{.who = who,
                                    .action = std::string(action::kConfigureHostAccess),
                                    .details = {{"verb", "ConfigureHostAccess"}, {"object", object}, {"reasons", joined(reasons)}},
                                    .interactive = who.may_prompt};
  auto job = [this, question = std::move(question), decided] {
    authority_.check(question, [decided](bool allowed) { decided->set_value(allowed); });
  };
  if (!loop_.post(std::move(job))) return denial;
  if (answer.wait_for(kPatience) != std::future_status::ready) return denial;
  try {
    if (answer.get()) return {};
  } catch (const std::future_error&) {  // the loop ended and dropped the question
  }
  return denial;
}

}  // namespace berth::bus
