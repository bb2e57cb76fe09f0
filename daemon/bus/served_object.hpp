#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/bus/bus_connection.hpp"
#include "daemon/bus/call.hpp"

namespace berth::bus {

/// Whether an object is there, asked on the loop thread before a property is read or the object is listed. It may not block.
using ObjectFinder = std::function<bool(std::string_view path)>;
/// The paths of all objects below a prefix.
using ObjectLister = std::function<std::vector<std::string>()>;

/// The face that a generated adaptor registers itself on. Where sdbus-c++'s own object serves one path, this one serves one
/// path or, as a fallback vtable of libsystemd, a whole subtree with one registration, however many objects it has; and it is
/// the one wrapper that keeps every exception of a handler from libsystemd. Method calls reach the handler for every path
/// of the subtree (the service answers NotFound); properties and introspection only where `finder` says yes.
/// Loop thread only; must outlive no connection, and be outlived by the adaptor's own object.
class ServedObject final : public sdbus::IObject {
 public:
  /// Serves exactly `path`.
  ServedObject(BusConnection& connection, std::string path);
  /// Serves every path below `prefix`.
  ServedObject(BusConnection& connection, std::string prefix, ObjectFinder finder);
  ~ServedObject() override;

  /// The method call that is being dispatched. Valid inside a handler only.
  Call current_call() const;
  /// The object whose property is being read.
  const std::string& current_path() const noexcept { return current_path_; }

  /// A signal without arguments of the one path that is served.
  void emit_signal(const std::string& signal);
  void emit_properties_changed(const std::string& path, const std::vector<std::string>& properties);

  using sdbus::IObject::registerMethod;
  using sdbus::IObject::registerProperty;
  using sdbus::IObject::registerSignal;
  void registerMethod(const std::string& interface_name, std::string method, std::string input, std::string output,
                      sdbus::method_callback callback, sdbus::Flags flags) override;
  void registerMethod(const std::string& interface_name, std::string method, std::string input,
                      const std::vector<std::string>& input_names, std::string output,
                      const std::vector<std::string>& output_names, sdbus::method_callback callback,
                      sdbus::Flags flags) override;
  void registerProperty(const std::string& interface_name, std::string property, std::string signature,
                        sdbus::property_get_callback getter, sdbus::Flags flags) override;
  /// Signals have no arguments; emit_signal() sends them.
  void registerSignal(const std::string& interface_name, std::string signal, std::string signature, sdbus::Flags flags) override;
  void registerSignal(const std::string& interface_name, std::string signal, std::string signature,
                      const std::vector<std::string>& names, sdbus::Flags flags) override;
  void finishRegistration() override;
  void unregister() override;
  sdbus::IConnection& getConnection() const override { return connection_.sdbus(); }
  const std::string& getObjectPath() const override { return path_; }
  const sdbus::Message* getCurrentlyProcessedMessage() const override { return nullptr; }

  // Not part of what Berth's interfaces have; each throws NotSupported (a property, when it has a setter).
  void registerProperty(const std::string& interface_name, std::string property, std::string signature,
                        sdbus::property_get_callback getter, sdbus::property_set_callback setter,
                        sdbus::Flags flags) override;
  void setInterfaceFlags(const std::string&, sdbus::Flags) override;
  sdbus::Signal createSignal(const std::string&, const std::string&) override;
  void emitSignal(const sdbus::Signal&) override;
  void emitPropertiesChangedSignal(const std::string&, const std::vector<std::string>&) override;
  void emitPropertiesChangedSignal(const std::string&) override;
  void emitInterfacesAddedSignal() override;
  void emitInterfacesAddedSignal(const std::vector<std::string>&) override;
  void emitInterfacesRemovedSignal() override;
  void emitInterfacesRemovedSignal(const std::vector<std::string>&) override;
  void addObjectManager() override;
  void removeObjectManager() override;
  bool hasObjectManager() const override { return false; }

 private:
  struct Method {
    std::string name, input, output, names;
    sdbus::method_callback callback;
    std::uint64_t flags;
  };
  struct Property {
    std::string name, signature;
    sdbus::property_get_callback getter;
    std::uint64_t flags;
  };
  static int on_method(sd_bus_message* message, void* userdata, sd_bus_error* error) noexcept;
  static int on_property(sd_bus* bus, const char* path, const char* interface, const char* property, sd_bus_message* reply,
                         void* userdata, sd_bus_error* error) noexcept;
  static int on_find(sd_bus* bus, const char* path, const char* interface, void* userdata, void** found,
                     sd_bus_error* error) noexcept;

  struct Unref {
    void operator()(sd_bus_slot* slot) const noexcept { sd_bus_slot_unref(slot); }
  };
  BusConnection& connection_;
  const std::string path_;
  const ObjectFinder finder_;
  const bool subtree_;
  std::string interface_;
  std::vector<std::unique_ptr<Method>> methods_;  // libsystemd keeps pointers to their texts
  std::vector<std::unique_ptr<Property>> properties_;
  std::vector<std::unique_ptr<std::string>> signals_;
  std::vector<sd_bus_vtable> vtable_;
  std::unique_ptr<sd_bus_slot, Unref> slot_;
  sd_bus_message* current_ = nullptr;
  std::string current_path_;
};

/// Lists the objects below `prefix` for Introspect, busctl tree and GetManagedObjects. Loop thread only.
class NodeList {
 public:
  NodeList(BusConnection& connection, const std::string& prefix, ObjectLister lister);
  NodeList(const NodeList&) = delete;
  NodeList& operator=(const NodeList&) = delete;

 private:
  static int enumerate(sd_bus* bus, const char* prefix, void* userdata, char*** nodes, sd_bus_error* error) noexcept;
  struct Unref {
    void operator()(sd_bus_slot* slot) const noexcept { sd_bus_slot_unref(slot); }
  };
  const ObjectLister lister_;
  std::unique_ptr<sd_bus_slot, Unref> slot_;
};

/// The object manager of the root, and its signals for objects that come and go.
class ObjectManager {
 public:
  explicit ObjectManager(BusConnection& connection);
  void added(const std::string& path, const std::string& interface);
  void removed(const std::string& path, const std::string& interface);

 private:
  struct Unref {
    void operator()(sd_bus_slot* slot) const noexcept { sd_bus_slot_unref(slot); }
  };
  BusConnection& connection_;
  std::unique_ptr<sd_bus_slot, Unref> slot_;
};

}  // namespace berth::bus
