#include "cli/commands/commands.hpp"

#include "cli/context.hpp"
#include "cli/terminal.hpp"
#include "rest-bridge/api/envelope.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <unistd.h>

// Commands against a server that is a table: what they ask for, and what they make of the answers.

namespace berth::cli {
namespace {

/// Answers from a table, and remembers what was asked.
class TableTransport final : public Transport {
 public:
  void handle(rest::Request request, std::function<void(rest::Response)> done) override {
    auto answer = std::make_shared<rest::Response>(call(std::move(request)));
    loop_.post([answer, done = std::move(done)] { done(std::move(*answer)); });
  }
  rest::Response call(rest::Request request) override {
    const auto key = request.method + ' ' + request.target;
    asked.push_back(key);
    bodies[key] = std::string(request.text());
    const auto found = answers.find(key);
    if (found == answers.end()) return rest::error_answer(Error{Code::NotFound, key + " not found"});
    if (request.target.ends_with("/export")) {
      rest::Response file;
      file.headers.add("Content-Type", "application/octet-stream");
      file.body = found->second.get<std::string>();
      return file;
    }
    auto response = rest::sync_answer(found->second);
    if (found->second.contains("class")) response.status = 202;
    return response;
  }
  Result<void> begin(const std::shared_ptr<rest::ExecSession>&) override { return {}; }
  void signal(const std::shared_ptr<rest::ExecSession>&, int) override {}
  void resize(const std::shared_ptr<rest::ExecSession>&, unsigned, unsigned) override {}
  rest::PollLoop& loop() override { return loop_; }

  /// A change that ends well, with these resources and this metadata.
  void operation(const std::string& request, const Json& resources, const Json& metadata = Json::object()) {
    answers[request] = {{"id", "x"}, {"class", "task"}, {"status_code", 103}};
    answers["GET /1.0/operations/x/wait"] = {
        {"id", "x"}, {"status_code", 200}, {"resources", resources}, {"metadata", metadata}};
  }

  std::map<std::string, Json> answers;
  std::map<std::string, std::string> bodies;
  std::vector<std::string> asked;

 private:
  rest::PollLoop loop_;
};

class ACommandLine : public ::testing::Test {
 protected:
  ACommandLine() {
    folder_ = "/tmp/berth-cli-test-XXXXXX";
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    ::setenv("BERTH_CONF", folder_.c_str(), 1);
    // Commands read a document from what is no terminal: it is empty here.
    stdin_.reset(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ::dup2(nothing.get(), STDIN_FILENO);
  }
  ~ACommandLine() override {
    if (stdin_) ::dup2(stdin_.get(), STDIN_FILENO);
    std::filesystem::remove_all(folder_);
  }

  /// Runs a command line; what it printed, or its error.
  std::string run(const Strings& words) {
    const auto root = root_command();
    Globals globals;
    const auto invocation = parse_command_line(root, globals, words);
    if (!invocation) return invocation.error().message;
    Context context(globals);
    auto transport = std::make_unique<TableTransport>();
    transport->answers = answers.answers;
    auto* const seen = transport.get();
    context.adopt("local", std::make_unique<Server>(globals, "local", globals.project, std::move(transport)));
    ::testing::internal::CaptureStdout();
    const auto status = invocation->path.back()->run(context, invocation->arguments);
    (void)flush_output();
    auto printed = ::testing::internal::GetCapturedStdout();
    asked = seen->asked;
    bodies = seen->bodies;
    return status ? printed : status.error().message;
  }
  Json body(const std::string& request) { return Json::parse(bodies[request], nullptr, false); }
  std::string file(const std::string& name) {
    std::ifstream stream(folder_ + '/' + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  TableTransport answers;
  std::vector<std::string> asked;
  std::map<std::string, std::string> bodies;
  std::string folder_;

 private:
  UniqueFd stdin_;
};

Json project(const std::string& name, const std::string& images) {
  return {{"name", name}, {"description", "d"}, {"config", {{"features.images", images}}}, {"used_by", {"/1.0/x"}}};
}

TEST_F(ACommandLine, ListsProjectsAndMarksTheCurrentOne) {
  answers.answers["GET /1.0/projects?recursion=1"] =
      Json::array({project("shop", "true"), project("default", "false")});
  EXPECT_EQ(run({"project", "list", "-f", "csv"}), "default (current),NO,NO,NO,NO,d,1\nshop,YES,NO,NO,NO,d,1\n");
}

TEST_F(ACommandLine, CreatesRenamesAndDeletesProjects) {
  answers.answers["POST /1.0/projects"] = Json::object();
  EXPECT_EQ(run({"project", "create", "shop", "-c", "features.images=false"}), "Project shop created\n");
  EXPECT_EQ(body("POST /1.0/projects"), (Json{{"name", "shop"}, {"config", {{"features.images", "false"}}}}));
  answers.answers["POST /1.0/projects/shop"] = Json::object();
  EXPECT_EQ(run({"project", "rename", "shop", "store"}), "Project shop renamed to store\n");
  EXPECT_EQ(body("POST /1.0/projects/shop"), (Json{{"name", "store"}}));
  answers.answers["DELETE /1.0/projects/store"] = Json::object();
  EXPECT_EQ(run({"project", "delete", "store"}), "Project store deleted\n");
}

TEST_F(ACommandLine, SetsUnsetsAndGetsKeysOfProjects) {
  answers.answers["GET /1.0/projects/shop"] = project("shop", "true");
  answers.answers["PUT /1.0/projects/shop"] = Json::object();
  EXPECT_EQ(run({"project", "get", "shop", "features.images"}), "true\n");
  EXPECT_EQ(run({"project", "set", "shop", "limits.instances=3", "user.x=y"}), "");
  EXPECT_EQ(body("PUT /1.0/projects/shop")["config"],
            (Json{{"features.images", "true"}, {"limits.instances", "3"}, {"user.x", "y"}}));
  EXPECT_EQ(run({"project", "unset", "shop", "features.images"}), "");
  EXPECT_EQ(body("PUT /1.0/projects/shop")["config"], Json::object());
}

TEST_F(ACommandLine, SwitchesTheProjectOfARemote) {
  answers.answers["GET /1.0/projects/shop"] = project("shop", "true");
  EXPECT_EQ(run({"project", "switch", "shop"}), "");
  const auto configuration = Configuration::load();
  ASSERT_TRUE(configuration);
  EXPECT_EQ((*configuration->find("local"))->project, "shop");
  EXPECT_TRUE((*configuration->find("local"))->is_local());
  EXPECT_NE(run({"project", "switch", "nobody"}).find("not found"), std::string::npos);
}

TEST_F(ACommandLine, TellsWhatAProjectUses) {
  answers.answers["GET /1.0/projects/shop/state"] = {
      {"resources", {{"memory", {{"Limit", -1}, {"Usage", 2048}}}, {"instances", {{"Limit", 3}, {"Usage", 1}}}}}};
  EXPECT_EQ(run({"project", "info", "shop", "-f", "csv"}), "INSTANCES,3,1\nMEMORY,UNLIMITED,2.00KiB\n");
}

TEST_F(ACommandLine, WorksInAProject) {
  answers.answers["GET /1.0/profiles?recursion=1&project=shop"] = Json::array();
  EXPECT_EQ(run({"profile", "list", "--project", "shop", "-f", "csv"}), "");
  EXPECT_EQ(asked, std::vector<std::string>{"GET /1.0/profiles?recursion=1&project=shop"});
}

TEST_F(ACommandLine, PublishesAnInstanceWithAliasesAfterwards) {
  answers.answers["GET /1.0/instances/web"] = {{"name", "web"}, {"status", "Stopped"}};
  answers.operation("POST /1.0/images", {}, {{"fingerprint", "abc"}});
  answers.answers["POST /1.0/images/aliases"] = Json::object();
  EXPECT_EQ(run({"publish", "web", "--alias", "a", "--public", "--compression", "none", "os=x"}),
            "Instance published with fingerprint: abc\n");
  EXPECT_EQ(body("POST /1.0/images"), (Json{{"source", {{"type", "instance"}, {"name", "web"}}},
                                            {"public", true},
                                            {"compression_algorithm", "none"},
                                            {"properties", {{"os", "x"}}}}));
  EXPECT_EQ(body("POST /1.0/images/aliases"), (Json{{"name", "a"}, {"target", "abc"}, {"description", ""}}));
  EXPECT_EQ(run({"publish", "web/before"}), "Instance published with fingerprint: abc\n");
  EXPECT_EQ(body("POST /1.0/images")["source"], (Json{{"type", "snapshot"}, {"name", "web/before"}}));
}

TEST_F(ACommandLine, DoesNotPublishWhatRunsUnlessForced) {
  answers.answers["GET /1.0/instances/web"] = {{"name", "web"}, {"status", "Running"}};
  EXPECT_NE(run({"publish", "web"}).find("--force"), std::string::npos);
  answers.operation("POST /1.0/images", {}, {{"fingerprint", "abc"}});
  answers.answers["PUT /1.0/instances/web/state"] = Json::object();
  EXPECT_EQ(run({"publish", "web", "--force"}), "Instance published with fingerprint: abc\n");
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "PUT /1.0/instances/web/state"), 2);
}

TEST_F(ACommandLine, ExportsABackupAndRemovesItFromTheServer) {
  answers.operation("POST /1.0/instances/web/backups", {{"backups", {"/1.0/instances/web/backups/backup0"}}});
  answers.answers["GET /1.0/instances/web/backups/backup0/export"] = "\x1f\x8b the bytes";
  answers.answers["DELETE /1.0/instances/web/backups/backup0"] = Json::object();
  EXPECT_EQ(run({"export", "web", folder_ + "/out", "--instance-only"}), "Backup exported successfully!\n");
  EXPECT_EQ(file("out"), "\x1f\x8b the bytes");
  const auto asked_for = body("POST /1.0/instances/web/backups");
  EXPECT_EQ(asked_for["instance_only"], true);
  EXPECT_EQ(asked_for["expires_at"].get<std::string>().size(), std::string("2026-11-26T15:00:00Z").size());
  EXPECT_EQ(asked.back(), "DELETE /1.0/instances/web/backups/backup0");
  EXPECT_EQ(run({"export", "web", "-"}), "\x1f\x8b the bytes");
}

TEST_F(ACommandLine, LeavesNothingOfAnExportThatFails) {
  answers.operation("POST /1.0/instances/web/backups", {{"backups", {"/1.0/instances/web/backups/backup0"}}});
  answers.answers["DELETE /1.0/instances/web/backups/backup0"] = Json::object();
  EXPECT_NE(run({"export", "web", folder_ + "/out"}).find("not found"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  EXPECT_EQ(asked.back(), "DELETE /1.0/instances/web/backups/backup0");
}

TEST_F(ACommandLine, ImportsABackupUnderAnotherName) {
  std::ofstream(folder_ + "/in") << "bytes";
  answers.operation("POST /1.0/instances", Json::object());
  EXPECT_EQ(run({"import", folder_ + "/in", "web2"}), "");
  EXPECT_NE(run({"import", folder_ + "/none"}).find("cannot open"), std::string::npos);
  EXPECT_NE(run({"import", folder_}).find("is a directory"), std::string::npos);
}

TEST_F(ACommandLine, ExportsImagesIntoAFolder) {
  const std::string fingerprint = "91f4329f97156aad8470723ea252fbfbfe21ab23f8e5d5735e7c1bb7c7062d82";
  answers.answers["GET /1.0/images/aliases/debian"] = {{"target", fingerprint}};
  answers.answers["GET /1.0/images/" + fingerprint + "/export"] = "hsqs image";
  EXPECT_EQ(run({"image", "export", "debian", folder_}), "Image exported successfully!\n");
  EXPECT_EQ(file(fingerprint + ".squashfs"), "hsqs image");
}

TEST_F(ACommandLine, KeepsNoExportedImageThatIsNotTheOneItIsCalled) {
  answers.answers["GET /1.0/images/aliases/debian"] = {{"target", "abc"}};
  answers.answers["GET /1.0/images/abc/export"] = "hsqs image";
  EXPECT_NE(run({"image", "export", "debian", folder_}).find("fingerprint doesn't match"), std::string::npos);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()), 0);
}

TEST_F(ACommandLine, TellsWhetherAnImageWasRefreshed) {
  answers.answers["GET /1.0/images/aliases/debian"] = {{"target", "abc"}};
  answers.operation("POST /1.0/images/abc/refresh", Json::object(), {{"refreshed", true}});
  EXPECT_EQ(run({"image", "refresh", "debian"}), "Image refreshed successfully!\n");
  answers.operation("POST /1.0/images/abc/refresh", Json::object(), {{"refreshed", false}});
  EXPECT_EQ(run({"image", "refresh", "debian"}), "Image already up to date.\n");
}

TEST_F(ACommandLine, CopiesWithoutWhatTheOriginalsLifeHasMade) {
  answers.answers["GET /1.0/instances/web"] = {
      {"name", "web"},
      {"config", {{"user.x", "1"}, {"volatile.uuid", "u"}, {"volatile.base_image", "abc"}}},
      {"devices", Json::object()},
      {"expanded_devices", {{"root", {{"type", "disk"}, {"path", "/"}, {"pool", "default"}}}}},
      {"profiles", {"default"}}};
  answers.operation("POST /1.0/instances", Json::object());
  EXPECT_EQ(run({"copy", "web", "web2", "-s", "fast", "-c", "user.y=2"}), "");
  const auto made = body("POST /1.0/instances");
  EXPECT_EQ(made["config"], (Json{{"user.x", "1"}, {"user.y", "2"}, {"volatile.base_image", "abc"}}));
  EXPECT_EQ(made["devices"]["root"]["pool"], "fast");
  EXPECT_EQ(made["source"]["type"], "copy");
  EXPECT_EQ(made["name"], "web2");
}

}  // namespace
}  // namespace berth::cli
