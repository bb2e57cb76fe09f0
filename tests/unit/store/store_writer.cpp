#include "daemon/adapters/sqlite/sqlite_store.hpp"
#include "tests/unit/store/store_fixtures.hpp"

#include <unistd.h>

// Inserts instances for ever and writes one byte for each that the store said was done. Its parent kills it.
int main(int count, char** arguments) {
  if (count != 2) return 2;
  auto store = berth::sqlite::SqliteStore::open(arguments[1]);
  if (!store) return 1;
  while (true) {
    const auto uuid = berth::new_uuid().str();
    auto instance = berth::contract::make_instance("c" + uuid);
    instance.profiles = {berth::contract::profile_name("default")};
    if (!(*store)->insert_instance(instance)) return 1;
    if (write(STDOUT_FILENO, "x", 1) != 1) return 1;
  }
}
