#include "daemon/bus/served_object.hpp"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/object_path.hpp"

namespace berth::bus {
namespace {

constexpr std::string_view kPropertiesInterface = "org.freedesktop.DBus.Properties";

[[noreturn]] void not_supported(const char* what) {
  throw sdbus::Error(std::string(error_row(Code::NotSupported).dbus_name), what);
}

void check(int result, const std::string& what) {
  if (result < 0) throw sdbus::Error(std::string(error_row(Code::Internal).dbus_name), what + ": " + std::strerror(-result));
}

/// Turns whatever left a handler into an error reply: another exception would leave libsystemd in the middle of its work and
/// every later call on the connection fail.
int error_from_exception(sd_bus_error* error) noexcept {
  try {
    throw;
  } catch (const sdbus::Error& caught) {
    return sd_bus_error_set(error, caught.getName().c_str(), caught.getMessage().c_str());
  } catch (const std::exception& caught) {
    log::error(std::string("An exception left a bus handler: ") + caught.what());
    return sd_bus_error_set(error, error_row(Code::Internal).dbus_name.data(), "internal error; the journal has the details");
  } catch (...) {
    log::error("An exception of unknown type left a bus handler");
    return sd_bus_error_set(error, error_row(Code::Internal).dbus_name.data(), "internal error; the journal has the details");
  }
}

std::string joined_names(const std::vector<std::string>& first, const std::vector<std::string>& second) {
  std::string names;
  for (const auto* list : {&first, &second})
    for (const auto& name : *list) names.append(name).push_back('\0');
  return names;
}

std::size_t argument_count(const std::string& signature) {
  std::size_t count = 0, at = 0;
  int depth = 0;
  while (at < signature.size()) {
    const char c = signature[at++];
    if (c == '(' || c == '{') ++depth;
    if (c == ')' || c == '}') --depth;
    if (depth == 0 && c != 'a') ++count;
  }
  return count;
}

}  // namespace

ServedObject::ServedObject(BusConnection& connection, std::string path)
    : connection_(connection), path_(std::move(path)), subtree_(false) {}

ServedObject::ServedObject(BusConnection& connection, std::string prefix, ObjectFinder finder)
    : connection_(connection), path_(std::move(prefix)), finder_(std::move(finder)), subtree_(true) {}

ServedObject::~ServedObject() = default;

Call ServedObject::current_call() const {
  const auto text = [](const char* from) { return std::string(from != nullptr ? from : ""); };
  Call call;
  call.sender = text(sd_bus_message_get_sender(current_));
  call.path = text(sd_bus_message_get_path(current_));
  call.interface = interface_;
  call.member = text(sd_bus_message_get_member(current_));
  call.interactive = sd_bus_message_get_allow_interactive_authorization(current_) > 0;
  return call;
}

void ServedObject::registerMethod(const std::string& interface_name, std::string method, std::string input,
                                  std::string output, sdbus::method_callback callback, sdbus::Flags flags) {
  registerMethod(interface_name, std::move(method), std::move(input), {}, std::move(output), {}, std::move(callback), flags);
}

void ServedObject::registerMethod(const std::string& interface_name, std::string method, std::string input,
                                  const std::vector<std::string>& input_names, std::string output,
                                  const std::vector<std::string>& output_names, sdbus::method_callback callback,
                                  sdbus::Flags flags) {
  if (input_names.size() != argument_count(input) || output_names.size() != argument_count(output))
    throw sdbus::Error(std::string(error_row(Code::Internal).dbus_name), method + " has arguments without a name");
  interface_ = interface_name;
  // libsystemd wants names of all arguments, one after the other; a method of none has the empty text.
  methods_.push_back(std::make_unique<Method>(Method{std::move(method), std::move(input), std::move(output),
                                                     joined_names(input_names, output_names), std::move(callback),
                                                     flags.toSdBusMethodFlags()}));
}

void ServedObject::registerProperty(const std::string& interface_name, std::string property, std::string signature,
                                    sdbus::property_get_callback getter, sdbus::Flags flags) {
  interface_ = interface_name;
  properties_.push_back(std::make_unique<Property>(
      Property{std::move(property), std::move(signature), std::move(getter), flags.toSdBusPropertyFlags()}));
}

void ServedObject::finishRegistration() {
  sd_bus_vtable row{};
  row.type = _SD_BUS_VTABLE_START;
  row.x.start = {.element_size = sizeof(sd_bus_vtable),
                 .features = _SD_BUS_VTABLE_PARAM_NAMES,
                 .vtable_format_reference = &sd_bus_object_vtable_format};
  vtable_.push_back(row);
  for (const auto& method : methods_) {
    row = {};
    row.type = _SD_BUS_VTABLE_METHOD;
    row.flags = (method->flags | SD_BUS_VTABLE_UNPRIVILEGED) & ((std::uint64_t{1} << 56) - 1);
    row.x.method = {.member = method->name.c_str(),
                    .signature = method->input.c_str(),
                    .result = method->output.c_str(),
                    .handler = &on_method,
                    .offset = 0,
                    .names = method->names.c_str()};
    vtable_.push_back(row);
  }
  for (const auto& signal : signals_) {
    row = {};
    row.type = _SD_BUS_VTABLE_SIGNAL;
    row.x.signal = {.member = signal->c_str(), .signature = "", .names = ""};
    vtable_.push_back(row);
  }
  for (const auto& property : properties_) {
    row = {};
    row.type = _SD_BUS_VTABLE_PROPERTY;
    row.flags = property->flags & ((std::uint64_t{1} << 56) - 1);
    row.x.property = {.member = property->name.c_str(),
                      .signature = property->signature.c_str(),
                      .get = &on_property,
                      .set = nullptr,
                      .offset = 0};
    vtable_.push_back(row);
  }
  row = {};
  row.type = _SD_BUS_VTABLE_END;
  vtable_.push_back(row);

  sd_bus_slot* slot = nullptr;
  const int r = subtree_ ? sd_bus_add_fallback_vtable(connection_.raw(), &slot, path_.c_str(), interface_.c_str(),
                                                      vtable_.data(), &on_find, this)
                         : sd_bus_add_object_vtable(connection_.raw(), &slot, path_.c_str(), interface_.c_str(),
                                                    vtable_.data(), this);
  check(r, "cannot serve " + interface_ + " at " + path_);
  slot_.reset(slot);
}

void ServedObject::unregister() { slot_.reset(); }

int ServedObject::on_method(sd_bus_message* message, void* userdata, sd_bus_error* error) noexcept {
  auto& self = *static_cast<ServedObject*>(userdata);
  self.current_ = message;
  int result = 1;
  try {
    const std::string_view member = sd_bus_message_get_member(message);
    for (const auto& method : self.methods_)
      if (method->name == member) {
        method->callback(self.connection_.adopt_call(message));
        break;
      }
  } catch (...) {
    result = error_from_exception(error);
  }
  self.current_ = nullptr;
  return result;
}

int ServedObject::on_property(sd_bus*, const char* path, const char*, const char* name, sd_bus_message* reply,
                              void* userdata, sd_bus_error* error) noexcept {
  auto& self = *static_cast<ServedObject*>(userdata);
  try {
    self.current_path_ = path;
    auto adopted = self.connection_.adopt_property_reply(reply);
    for (const auto& property : self.properties_)
      if (property->name == name) property->getter(adopted);
    return 1;
  } catch (...) {
    return error_from_exception(error);
  }
}

int ServedObject::on_find(sd_bus* bus, const char* path, const char* interface, void* userdata, void** found,
                          sd_bus_error* error) noexcept {
  auto& self = *static_cast<ServedObject*>(userdata);
  try {
    *found = userdata;
    // A call of our own interface goes to its handler, which knows the whole truth; what libsystemd answers by itself
    // (properties, introspection, the object manager) is decided here.
    if (auto* message = sd_bus_get_current_message(bus); message != nullptr) {
      const char* asked = sd_bus_message_get_interface(message);
      if (asked != nullptr && self.interface_ == asked && interface == self.interface_) return 1;
    }
    return self.finder_(path) ? 1 : 0;
  } catch (...) {
    return error_from_exception(error);
  }
}

void ServedObject::emit_properties_changed(const std::string& path, const std::vector<std::string>& properties) {
  std::vector<char*> names;
  for (const auto& property : properties) names.push_back(const_cast<char*>(property.c_str()));
  names.push_back(nullptr);
  const int r = sd_bus_emit_properties_changed_strv(connection_.raw(), path.c_str(), interface_.c_str(), names.data());
  if (r < 0) log::warning("cannot tell of changes of " + path + ": " + std::strerror(-r));
}

void ServedObject::registerSignal(const std::string& interface_name, std::string signal, std::string signature,
                                  sdbus::Flags flags) {
  registerSignal(interface_name, std::move(signal), std::move(signature), {}, flags);
}
void ServedObject::registerSignal(const std::string& interface_name, std::string signal, std::string signature,
                                  const std::vector<std::string>&, sdbus::Flags) {
  if (!signature.empty()) not_supported("signals with arguments");
  interface_ = interface_name;
  signals_.push_back(std::make_unique<std::string>(std::move(signal)));
}

void ServedObject::emit_signal(const std::string& signal) {
  const int r = sd_bus_emit_signal(connection_.raw(), path_.c_str(), interface_.c_str(), signal.c_str(), "");
  if (r < 0) log::warning("cannot send the signal " + signal + ": " + std::strerror(-r));
}
void ServedObject::registerProperty(const std::string& interface_name, std::string property, std::string signature,
                                    sdbus::property_get_callback getter, sdbus::property_set_callback setter,
                                    sdbus::Flags flags) {
  if (setter) not_supported("writable properties");  // sdbus-c++ calls this form for those without a setter, too
  registerProperty(interface_name, std::move(property), std::move(signature), std::move(getter), flags);
}
void ServedObject::setInterfaceFlags(const std::string&, sdbus::Flags) { not_supported("interface flags"); }
sdbus::Signal ServedObject::createSignal(const std::string&, const std::string&) { not_supported("signals"); }
void ServedObject::emitSignal(const sdbus::Signal&) { not_supported("signals"); }
void ServedObject::emitPropertiesChangedSignal(const std::string&, const std::vector<std::string>&) { not_supported("one path"); }
void ServedObject::emitPropertiesChangedSignal(const std::string&) { not_supported("one path"); }
void ServedObject::emitInterfacesAddedSignal() { not_supported("one path"); }
void ServedObject::emitInterfacesAddedSignal(const std::vector<std::string>&) { not_supported("one path"); }
void ServedObject::emitInterfacesRemovedSignal() { not_supported("one path"); }
void ServedObject::emitInterfacesRemovedSignal(const std::vector<std::string>&) { not_supported("one path"); }
void ServedObject::addObjectManager() { not_supported("an object manager"); }
void ServedObject::removeObjectManager() { not_supported("an object manager"); }

NodeList::NodeList(BusConnection& connection, const std::string& prefix, ObjectLister lister) : lister_(std::move(lister)) {
  sd_bus_slot* slot = nullptr;
  check(sd_bus_add_node_enumerator(connection.raw(), &slot, prefix.c_str(), &enumerate, this), "cannot list " + prefix);
  slot_.reset(slot);
}

int NodeList::enumerate(sd_bus*, const char*, void* userdata, char*** nodes, sd_bus_error* error) noexcept {
  try {
    const auto paths = static_cast<NodeList*>(userdata)->lister_();
    auto** list = static_cast<char**>(std::calloc(paths.size() + 1, sizeof(char*)));
    if (list == nullptr) return -ENOMEM;
    for (std::size_t i = 0; i < paths.size(); ++i) list[i] = strdup(paths[i].c_str());
    *nodes = list;  // libsystemd frees it
    return 0;
  } catch (...) {
    return error_from_exception(error);
  }
}

ObjectManager::ObjectManager(BusConnection& connection) : connection_(connection) {
  sd_bus_slot* slot = nullptr;
  check(sd_bus_add_object_manager(connection.raw(), &slot, std::string(kRootPath).c_str()), "cannot serve an object manager");
  slot_.reset(slot);
}

void ObjectManager::added(const std::string& path, const std::string& interface) {
  (void)sd_bus_emit_interfaces_added(connection_.raw(), path.c_str(), interface.c_str(), nullptr);
}

void ObjectManager::removed(const std::string& path, const std::string& interface) {
  (void)sd_bus_emit_interfaces_removed(connection_.raw(), path.c_str(), interface.c_str(), nullptr);
}

}  // namespace berth::bus
