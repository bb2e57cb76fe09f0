#include "daemon/bus/polkit_calls.hpp"

#include <utility>

#include "daemon/bus/document_variant.hpp"

namespace berth::bus {
namespace {

constexpr auto kName = "org.freedesktop.PolicyKit1";
constexpr auto kPath = "/org/freedesktop/PolicyKit1/Authority";
constexpr auto kInterface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::chrono::seconds kQuietTimeout{25};
/// A person types a password meanwhile.
constexpr std::chrono::minutes kPromptTimeout{5};
constexpr std::uint32_t kAllowUserInteraction = 1;

using Subject = sdbus::Struct<std::string, VariantMap>;
using Answer = sdbus::Struct<bool, bool, std::map<std::string, std::string>>;

Subject bus_subject(const ports::PolkitSubject& subject) {
  if (!subject.bus_name.empty()) return Subject{"system-bus-name", VariantMap{{"name", sdbus::Variant{subject.bus_name}}}};
  return Subject{"unix-process", VariantMap{{"pid", sdbus::Variant{subject.pid}},
                                            {"start-time", sdbus::Variant{subject.start_time}},
                                            {"uid", sdbus::Variant{static_cast<std::int32_t>(subject.uid)}}}};
}

}  // namespace

PolkitBusCalls::PolkitBusCalls(BusConnection& connection)
    : connection_(connection), proxy_(sdbus::createProxy(connection.sdbus(), kName, kPath)) {
  proxy_->registerSignalHandler(kInterface, "Changed", [this](sdbus::Signal&) {
    run_guarded("polkit's Changed", [&] {
      if (changed_) changed_();
    });
  });
  proxy_->finishRegistration();
}

void PolkitBusCalls::check_authorization(const ports::PolkitSubject& subject, const std::string& action,
                                         const std::map<std::string, std::string>& details, bool interactive,
                                         std::function<void(Result<bool>)> answer) {
  connection_.call(
      *proxy_, kInterface, "CheckAuthorization",
      [&](sdbus::MethodCall& call) {
        call << bus_subject(subject) << action << details << (interactive ? kAllowUserInteraction : std::uint32_t{0})
             << std::string();
      },
      [answer = std::move(answer)](sdbus::MethodReply* reply, const sdbus::Error* error) {
        auto said = BusConnection::values_of<Answer>(reply, error);
        if (!said) return answer(std::move(said).error());
        answer(std::get<0>(std::get<0>(*said)));
      },
      interactive ? std::chrono::microseconds(kPromptTimeout) : std::chrono::microseconds(kQuietTimeout));
}

}  // namespace berth::bus
