#include "tests/bus/client.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ostream>
#include <stdexcept>

namespace berth::bustest {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t kCallLimit = 20'000'000;

void check(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(-result));
}

Outcome outcome_of(sd_bus_message* reply) {
  Outcome outcome;
  outcome.reply.reset(sd_bus_message_ref(reply));
  if (const auto* error = sd_bus_message_get_error(reply); error != nullptr) {
    outcome.error = error->name;
    outcome.text = error->message != nullptr ? error->message : "";
  }
  return outcome;
}

}  // namespace

// The system call itself: glibc's function would change every thread.
ActAs::ActAs(uid_t uid) {
  if (::syscall(SYS_setresuid, -1, uid, -1) != 0) throw std::runtime_error("cannot act as another user: these tests need root");
}
ActAs::~ActAs() { (void)::syscall(SYS_setresuid, -1, 0, -1); }

std::string Outcome::word() const {
  char type = 0;
  const char* value = nullptr;
  (void)sd_bus_message_rewind(reply.get(), 1);
  if (sd_bus_message_peek_type(reply.get(), &type, nullptr) <= 0 || (type != 's' && type != 'o')) return {};
  return sd_bus_message_read_basic(reply.get(), type, &value) > 0 ? value : "";
}

int Outcome::descriptor() const {
  int fd = -1;
  (void)sd_bus_message_rewind(reply.get(), 1);
  return sd_bus_message_read_basic(reply.get(), 'h', &fd) > 0 ? fd : -1;
}

std::ostream& operator<<(std::ostream& to, const Outcome& outcome) {
  return to << (outcome.ok() ? "a reply" : outcome.error + ": " + outcome.text);
}

Client::Client(uid_t uid) {
  const ActAs user(uid);
  sd_bus* bus = nullptr;
  check(sd_bus_new(&bus), "sd_bus_new");
  bus_.reset(bus);
  check(sd_bus_set_address(bus, std::getenv("DBUS_SYSTEM_BUS_ADDRESS")), "sd_bus_set_address");
  check(sd_bus_set_bus_client(bus, 1), "sd_bus_set_bus_client");
  check(sd_bus_negotiate_fds(bus, 1), "sd_bus_negotiate_fds");
  check(sd_bus_start(bus), "cannot connect to the bus");
  const char* name = nullptr;
  check(sd_bus_get_unique_name(bus, &name), "the bus gives no name");
}

std::string Client::name() const {
  const char* name = nullptr;
  check(sd_bus_get_unique_name(bus_.get(), &name), "the bus gives no name");
  return name;
}

Message Client::make(const std::string& path, const std::string& interface, const std::string& member, const Fill& fill) {
  const bool of_bus = interface.starts_with("org.freedesktop.DBus") && path == "/org/freedesktop/DBus";
  sd_bus_message* raw = nullptr;
  check(sd_bus_message_new_method_call(bus_.get(), &raw, of_bus ? "org.freedesktop.DBus" : "org.berth.Berth1", path.c_str(),
                                       interface.c_str(), member.c_str()),
        "cannot make a call");
  Message message(raw);
  if (fill) fill(raw);
  return message;
}

Outcome Client::call(const std::string& path, const std::string& interface, const std::string& member, const Fill& fill,
                     bool interactive) {
  const auto message = make(path, interface, member, fill);
  if (interactive) check(sd_bus_message_set_allow_interactive_authorization(message.get(), 1), "interactive");
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = nullptr;
  Outcome outcome;
  if (sd_bus_call(bus_.get(), message.get(), kCallLimit, &error, &reply) < 0) {
    outcome.error = error.name != nullptr ? error.name : "no answer";
    outcome.text = error.message != nullptr ? error.message : "";
  }
  outcome.reply.reset(reply);
  sd_bus_error_free(&error);
  return outcome;
}

Client::Pending Client::send(const std::string& path, const std::string& interface, const std::string& member, const Fill& fill) {
  const auto message = make(path, interface, member, fill);
  auto pending = std::make_shared<std::optional<Outcome>>();
  // Owned by the slot: a pending call that is given up with its connection is destroyed with it.
  auto holder = std::make_unique<Pending>(pending);
  sd_bus_slot* slot = nullptr;
  check(sd_bus_call_async(
            bus_.get(), &slot, message.get(),
            [](sd_bus_message* reply, void* userdata, sd_bus_error*) {
              **static_cast<Pending*>(userdata) = outcome_of(reply);
              return 0;
            },
            holder.get(), kCallLimit),
        "cannot send a call");
  check(sd_bus_slot_set_destroy_callback(slot, [](void* userdata) { delete static_cast<Pending*>(userdata); }), "slot");
  (void)holder.release();
  check(sd_bus_slot_set_floating(slot, 1), "slot");
  sd_bus_slot_unref(slot);
  check(sd_bus_flush(bus_.get()), "cannot send a call");
  return pending;
}

bool Client::wait(const Pending& pending, std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  while (!*pending) {
    const int r = sd_bus_process(bus_.get(), nullptr);
    check(r, "the bus");
    if (r > 0) continue;
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    (void)sd_bus_wait(bus_.get(), static_cast<std::uint64_t>(left));
  }
  return true;
}

Outcome Client::get_all(const std::string& path, const std::string& interface) {
  return call(path, "org.freedesktop.DBus.Properties", "GetAll",
              [&](sd_bus_message* m) { (void)sd_bus_message_append(m, "s", interface.c_str()); });
}

std::string Client::end_of(const std::string& path) {
  // A change that comes after a look wakes the wait behind it.
  sd_bus_slot* raw = nullptr;
  check(sd_bus_match_signal(bus_.get(), &raw, "org.berth.Berth1", path.c_str(), "org.freedesktop.DBus.Properties",
                            "PropertiesChanged", [](sd_bus_message*, void*, sd_bus_error*) { return 0; }, nullptr),
        "cannot watch an operation");
  const std::unique_ptr<sd_bus_slot, decltype(&sd_bus_slot_unref)> watch(raw, &sd_bus_slot_unref);
  const auto deadline = Clock::now() + std::chrono::seconds(30);
  std::string status;
  while (Clock::now() < deadline) {
    const auto said = call(path, "org.freedesktop.DBus.Properties", "Get",
                           [](sd_bus_message* m) { (void)sd_bus_message_append(m, "ss", "org.berth.Berth1.Operation", "Status"); });
    const char* text = nullptr;
    if (said.ok() && sd_bus_message_read(said.reply.get(), "v", "s", &text) > 0) status = text;
    if (status == "success" || status == "failure" || status == "cancelled") return status;
    if (sd_bus_process(bus_.get(), nullptr) == 0) (void)sd_bus_wait(bus_.get(), 1'000'000);
  }
  return status;
}

}  // namespace berth::bustest
