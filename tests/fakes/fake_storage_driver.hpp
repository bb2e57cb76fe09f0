#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "daemon/ports/storage_driver.hpp"

namespace berth::testing_support {

/// A storage driver that keeps roots in memory: what the services see of a driver, without a disk. `trees` says which
/// image trees exist. Any thread.
class FakeStorageDriver : public ports::StorageDriver {
 public:
  explicit FakeStorageDriver(bool layered = true) : layered_(layered) {}

  /// The next call that changes something fails with `error`, once.
  void fail_next(Error error) {
    const std::lock_guard hold(mutex_);
    failure_ = std::move(error);
  }
  /// Trees that are there; empty: every absolute path but those below /nonexistent.
  void set_trees(std::set<std::string> trees) {
    const std::lock_guard hold(mutex_);
    trees_ = std::move(trees);
  }
  std::size_t trash() const {
    const std::lock_guard hold(mutex_);
    return trash_;
  }

  std::string_view name() const override { return layered_ ? "overlay" : "dir"; }
  ports::StorageCapabilities capabilities() const override { return {layered_, true, false}; }

  Result<void> ensure_image(const Fingerprint&, const std::string& tree) override {
    const std::lock_guard hold(mutex_);
    BERTH_CHECK(take_failure());
    return look_at(tree);
  }
  Result<void> remove_image(const Fingerprint& fingerprint) override {
    const std::lock_guard hold(mutex_);
    BERTH_CHECK(take_failure());
    for (const auto* shelf : {&roots_, &snapshots_})
      for (const auto& [uuid, root] : *shelf)
        if (root.spec.kind == ports::RootSpec::Kind::Overlay && root.image == fingerprint.str())
          return Error{Code::FailedPrecondition, "the image " + fingerprint.str() + " is the base of " + uuid.str()};
    return {};
  }
  Result<void> create_root(const Uuid& instance, const Fingerprint& image, const std::string& tree, bool plain) override {
    const std::lock_guard hold(mutex_);
    BERTH_CHECK(take_failure());
    BERTH_CHECK(look_at(tree));
    const std::string path = "/pool/instances/" + instance.str();
    if (layered_ && !plain)
      return insert(instance, {{.kind = ports::RootSpec::Kind::Overlay, .lower = tree, .layer = path + "/layer"}, image.str()});
    return insert(instance, {{.kind = ports::RootSpec::Kind::Plain, .plain = path + "/rootfs"}, image.str()});
  }
  Result<void> create_empty_root(const Uuid& instance) override {
    const std::lock_guard hold(mutex_);
    BERTH_CHECK(take_failure());
    return insert(instance, {{.kind = ports::RootSpec::Kind::Plain, .plain = "/pool/instances/" + instance.str() + "/rootfs"}, ""});
  }
  Result<void> convert_to_plain(const Uuid& instance) override {
    const std::lock_guard hold(mutex_);
    BERTH_CHECK(take_failure());
    const auto found = roots_.find(instance);
    if (found == roots_.end()) return missing(instance);
    found->second.spec = {.kind = ports::RootSpec::Kind::Plain, .plain = "/pool/instances/" + instance.str() + "/rootfs"};
    return {};
  }
  Result<ports::RootSpec> root(const Uuid& instance) override {
    const std::lock_guard hold(mutex_);
    const auto found = roots_.find(instance);
    if (found == roots_.end()) return missing(instance);
    return found->second.spec;
  }
  Result<ports::RootSpec> tree(const ports::TreeId& tree) override {
    const std::lock_guard hold(mutex_);
    const auto found = shelf(tree).find(key(tree));
    if (found == shelf(tree).end()) return missing(key(tree));
    return found->second.spec;
  }
  /// The folder that `fill` gets goes away afterwards; what is remembered is that there is a tree.
  Result<void> fill_tree(const ports::TreeId& to, const std::function<Result<void>(int)>& fill) override {
    {
      const std::lock_guard hold(mutex_);
      BERTH_CHECK(take_failure());
      if (shelf(to).contains(key(to))) return Error{Code::AlreadyExists, key(to).str() + " has a root already"};
    }
    std::string folder = "/tmp/berth-fake-tree-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return Error{Code::Internal, "cannot make a folder"};
    const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    auto filled = fill(fd);
    close(fd);
    std::filesystem::remove_all(folder);
    BERTH_CHECK(filled);
    const std::lock_guard hold(mutex_);
    const std::string path = (to.snapshot ? "/pool/snapshots/" : "/pool/instances/") + key(to).str();
    shelf(to).insert_or_assign(key(to), Root{{.kind = ports::RootSpec::Kind::Plain, .plain = path + "/rootfs"}, ""});
    return {};
  }
  Result<void> delete_root(const Uuid& instance) override {
    const std::lock_guard hold(mutex_);
    BERTH_CHECK(take_failure());
    trash_ += roots_.erase(instance);
    return {};
  }
  Result<void> copy_tree(const ports::TreeId& from, const ports::TreeId& to) override {
    const std::lock_guard hold(mutex_);
    BERTH_CHECK(take_failure());
    BERTH_TRY(Root copy, copied(from, to));
    if (shelf(to).contains(key(to))) return Error{Code::AlreadyExists, key(to).str() + " has a root already"};
    shelf(to).insert_or_assign(key(to), std::move(copy));
    return {};
  }
  Result<void> replace_tree(const ports::TreeId& from, const ports::TreeId& to) override {
    const std::lock_guard hold(mutex_);
    BERTH_CHECK(take_failure());
    BERTH_TRY(Root copy, copied(from, to));
    if (!shelf(to).contains(key(to))) return missing(key(to));
    shelf(to).insert_or_assign(key(to), std::move(copy));
    ++trash_;
    return {};
  }
  Result<void> delete_snapshot(const ports::TreeId& snapshot) override {
    const std::lock_guard hold(mutex_);
    BERTH_CHECK(take_failure());
    trash_ += snapshots_.erase(*snapshot.snapshot);
    return {};
  }
  /// What stands for the files of a tree; a copy has its original's.
  void write(const Uuid& instance, const std::string& content) {
    const std::lock_guard hold(mutex_);
    roots_.at(instance).content = content;
  }
  std::string content(const ports::TreeId& tree) {
    const std::lock_guard hold(mutex_);
    const auto found = shelf(tree).find(key(tree));
    return found == shelf(tree).end() ? "absent" : found->second.content;
  }
  std::size_t snapshots() const {
    const std::lock_guard hold(mutex_);
    return snapshots_.size();
  }
  Result<std::uint64_t> usage(const Uuid& instance) override {
    const std::lock_guard hold(mutex_);
    if (!roots_.contains(instance)) return missing(instance);
    return std::uint64_t{4096};
  }
  Result<void> empty_trash() override {
    const std::lock_guard hold(mutex_);
    trash_ = 0;
    return {};
  }
  Result<std::vector<Uuid>> roots() override {
    const std::lock_guard hold(mutex_);
    std::vector<Uuid> out;
    for (const auto& [instance, root] : roots_) out.push_back(instance);
    return out;
  }

 private:
  struct Root {
    ports::RootSpec spec;
    std::string image;
    std::string content = {};
  };
  static const Uuid& key(const ports::TreeId& tree) { return tree.snapshot ? *tree.snapshot : tree.instance; }
  std::map<Uuid, Root>& shelf(const ports::TreeId& tree) { return tree.snapshot ? snapshots_ : roots_; }
  Result<Root> copied(const ports::TreeId& from, const ports::TreeId& to) {
    const auto found = shelf(from).find(key(from));
    if (found == shelf(from).end()) return missing(key(from));
    Root copy = found->second;
    const std::string path = (to.snapshot ? "/pool/snapshots/" : "/pool/instances/") + key(to).str();
    if (copy.spec.kind == ports::RootSpec::Kind::Plain)
      copy.spec.plain = path + "/rootfs";
    else
      copy.spec.layer = path + "/layer";
    return copy;
  }
  static Error missing(const Uuid& instance) {
    return Error{Code::NotFound, "the instance " + instance.str() + " has no root in this pool"};
  }
  Result<void> insert(const Uuid& instance, Root root) {
    if (!roots_.try_emplace(instance, std::move(root)).second)
      return Error{Code::AlreadyExists, "the instance " + instance.str() + " has a root already"};
    return {};
  }
  Result<void> look_at(const std::string& tree) const {
    if (trees_.empty() ? tree.starts_with("/nonexistent") : !trees_.contains(tree))
      return Error{Code::NotFound, "there is no folder " + tree};
    return {};
  }
  Result<void> take_failure() {
    if (!failure_) return {};
    Error error = *std::move(failure_);
    failure_.reset();
    return error;
  }

  mutable std::mutex mutex_;
  bool layered_;
  std::map<Uuid, Root> roots_;
  std::map<Uuid, Root> snapshots_;
  std::set<std::string> trees_;
  std::optional<Error> failure_;
  std::size_t trash_ = 0;
};

}  // namespace berth::testing_support
