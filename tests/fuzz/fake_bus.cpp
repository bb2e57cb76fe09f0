// Stands in for rest-bridge/api/bus.cpp and call.cpp, whose symbols are all here: no bus, and answers at once.
#include "tests/fuzz/fake_bus.hpp"

#include <sys/types.h>

#include <coroutine>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "rest-bridge/api/call_check.hpp"

namespace {
unsigned char next_random = 0;
}

/// The C library's, for all that is in the program: inputs can name secrets, and do the same each time.
extern "C" ssize_t getrandom(void* buffer, std::size_t size, unsigned) {
  std::memset(buffer, next_random++, size);
  return static_cast<ssize_t>(size);
}

namespace berth::fuzz {

Plan& plan() {
  static Plan current;
  return current;
}

void restart_randomness() { next_random = 0; }

}  // namespace berth::fuzz

namespace berth::rest {

struct Bus::State {
  Loop& loop;
};

Result<std::unique_ptr<Bus>> Bus::open(Loop& loop) { return std::unique_ptr<Bus>(new Bus(std::make_shared<State>(State{loop}))); }
Bus::Bus(std::shared_ptr<State> state) : state_(std::move(state)) {}
Bus::~Bus() = default;
sdbus::IConnection& Bus::connection() { std::abort(); }
Loop& Bus::loop() { return state_->loop; }
void Bus::refresh() {}
bool Bus::alive() const { return true; }
void Bus::on_lost(std::function<void()>) {}

namespace {

/// An answer never comes from inside the call.
struct NextTurn {
  Loop& loop;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  explicit NextTurn(Loop& of) : loop(of) {}
  NextTurn(const NextTurn&) = delete;
  ~NextTurn() { *alive = false; }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    loop.post([token = alive, waiting] {
      if (*token) waiting.resume();
    });
  }
  void await_resume() const noexcept {}
};

}  // namespace

Task<Result<Reply>> Caller::call(Call call) {
  BERTH_CO_CHECK(check_call(call));
  NextTurn turn(bus_.loop());
  co_await turn;
  co_return fuzz::answer(call);
}

Task<Result<Json>> Caller::describe(Call call) {
  BERTH_CO_TRY(Reply reply, co_await this->call(std::move(call)));
  co_return std::move(reply.values.at(0));
}

Task<Result<std::string>> Caller::describe_text(Call call) {
  BERTH_CO_TRY(Json rows, co_await this->describe(std::move(call)));
  co_return rows.dump();
}

}  // namespace berth::rest
