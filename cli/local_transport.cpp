#include "cli/transport.hpp"
#include "rest-bridge/api/api.hpp"

namespace berth::cli {
namespace {

/// The API in this process, over the bus.
class LocalTransport final : public Transport {
 public:
  explicit LocalTransport(std::unique_ptr<rest::Client> client) : client_(std::move(client)) {}

  void handle(rest::Request request, std::function<void(rest::Response)> done) override {
    client_->api().handle(std::move(request), std::move(done));
  }
  rest::Response call(rest::Request request) override { return client_->call(std::move(request)); }
  Result<void> begin(const std::shared_ptr<rest::ExecSession>& session) override { return client_->begin(session); }
  void signal(const std::shared_ptr<rest::ExecSession>& session, int number) override {
    client_->api().signal(session, number, [](const Result<void>&) {});
  }
  void resize(const std::shared_ptr<rest::ExecSession>& session, unsigned width, unsigned height) override {
    session->resize(width, height);
  }
  rest::PollLoop& loop() override { return client_->loop(); }

 private:
  std::unique_ptr<rest::Client> client_;
};

}  // namespace

Result<std::unique_ptr<Transport>> local_transport() {
  BERTH_TRY(auto client, rest::Client::connect());
  return std::unique_ptr<Transport>(std::make_unique<LocalTransport>(std::move(client)));
}

}  // namespace berth::cli
