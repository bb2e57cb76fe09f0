#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/ports/instance_metadata.hpp"

namespace berth::fakes {

/// Metadata and templates of instances in memory. Any thread.
class FakeInstanceMetadata final : public ports::InstanceMetadata {
 public:
  Result<ports::ImageMetadata> read(const Uuid& instance) override {
    const std::lock_guard lock(mutex_);
    const auto found = metadata_.find(instance);
    if (found == metadata_.end()) return Error{Code::NotFound, "The instance has no metadata"};
    return found->second;
  }
  Result<void> write(const Uuid& instance, const ports::ImageMetadata& metadata) override {
    const std::lock_guard lock(mutex_);
    metadata_.insert_or_assign(instance, metadata);
    return {};
  }
  Result<std::vector<std::string>> templates(const Uuid& instance) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, text] : templates_[instance]) names.push_back(name);
    return names;
  }
  Result<UniqueFd> open_template(const Uuid& instance, const TemplateName& name) override {
    const std::lock_guard lock(mutex_);
    const auto found = templates_[instance].find(name.str());
    if (found == templates_[instance].end()) return no_template(name);
    UniqueFd fd(memfd_create("template", MFD_CLOEXEC));
    if (!fd || ::write(fd.get(), found->second.data(), found->second.size()) < 0)
      return Error{Code::Internal, "cannot make a file in memory"};
    lseek(fd.get(), 0, SEEK_SET);
    return fd;
  }
  Result<void> write_template(const Uuid& instance, const TemplateName& name, int text) override {
    std::string bytes;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(text, buffer.data(), buffer.size())) > 0;)
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (bytes.size() > (1 << 20)) return Error{Code::LimitsExceeded, "The template is too long"};
    const std::lock_guard lock(mutex_);
    templates_[instance].insert_or_assign(name.str(), std::move(bytes));
    return {};
  }
  Result<void> remove_template(const Uuid& instance, const TemplateName& name) override {
    const std::lock_guard lock(mutex_);
    if (templates_[instance].erase(name.str()) == 0) return no_template(name);
    return {};
  }
  Result<void> remove(const Uuid& instance) override {
    const std::lock_guard lock(mutex_);
    metadata_.erase(instance);
    templates_.erase(instance);
    return {};
  }

 private:
  static Error no_template(const TemplateName& name) {
    return Error{Code::NotFound, "There is no template \"" + name.str() + "\""};
  }

  std::mutex mutex_;
  std::map<Uuid, ports::ImageMetadata> metadata_;
  std::map<Uuid, std::map<std::string, std::string>> templates_;
};

}  // namespace berth::fakes
