#pragma once

#include <lxc/lxccontainer.h>

#include <memory>
#include <string>

#include "base/result.hpp"

namespace berth::supervisor {

/// Owns one liblxc container object.
class LxcHandle {
 public:
  static Result<LxcHandle> open(const std::string& name, const std::string& lxc_path) {
    lxc_container* raw = ::lxc_container_new(name.c_str(), lxc_path.c_str());
    if (raw == nullptr) return Error{Code::Internal, "liblxc cannot open " + name};
    return LxcHandle{raw};
  }
  Result<void> set_item(const std::string& key, const std::string& value) {
    if (!ptr_->set_config_item(ptr_.get(), key.c_str(), value.c_str()))
      return Error{Code::InvalidArgument, "liblxc rejects " + key + " = " + value};
    return {};
  }
  lxc_container* get() const noexcept { return ptr_.get(); }

 private:
  struct Put {
    void operator()(lxc_container* c) const noexcept { (void)::lxc_container_put(c); }
  };
  explicit LxcHandle(lxc_container* raw) : ptr_(raw) {}
  std::unique_ptr<lxc_container, Put> ptr_;
};

}  // namespace berth::supervisor
