#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "daemon/services/image_downloads.hpp"
#include "daemon/services/image_publish.hpp"
#include "daemon/services/image_pull.hpp"
#include "daemon/services/images.hpp"
#include "daemon/services/snapshots.hpp"
#include "tests/fakes/fake_credentials.hpp"
#include "tests/unit/services/services_fixture.hpp"

namespace berth::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Principal kGuest{PrincipalKind::Guest, 0, 0, 0, ":1.9", {}};

class ImageTransfers : public ServicesTest {
 protected:
  static std::string text_of(const Document& document, const std::string& field) {
    return std::get<std::string>(document.at(field).value);
  }
  std::string secret_of(const Result<OperationId>& id) {
    EXPECT_TRUE(id) << id.error().message;
    const auto view = operations_.get(kRoot, *id);
    EXPECT_TRUE(view);
    return text_of(view->metadata, "secret");
  }
  ImageDownload download(const Image& image, const std::string& secret = {}) {
    return {.project = default_project(), .reference = image.fingerprint.str(), .secret = secret};
  }
  /// The bytes that come, and what is said of them.
  Result<std::pair<std::string, ImageFile>> taken(const Principal& who, const ImageDownload& what) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd reading(ends[0]);
    BERTH_TRY(const auto file, downloads_.send(who, what, false, UniqueFd(ends[1])));
    std::string bytes;
    std::array<char, 256> chunk{};
    for (ssize_t n = 0; (n = read(reading.get(), chunk.data(), chunk.size())) > 0;)
      bytes.append(chunk.data(), static_cast<std::size_t>(n));
    return std::pair(bytes, file);
  }
  PublishRequest publish_of(const std::string& name) { return {.of = {default_project(), instance_name(name)}}; }
  /// The image that an operation made.
  Image made(const Result<OperationId>& id) {
    expect_success(id);
    const auto fingerprint = Fingerprint::parse(text_of(end_of(*id).metadata, "fingerprint"));
    const auto image = store_.image(kRoot, default_project(), *fingerprint);
    EXPECT_TRUE(image);
    return *image;
  }

  fakes::FakeCredentials credentials_;
  ImageDownloads downloads_{context_, credentials_};
  ImagePublish publish_{context_};
  Images images_service_{context_};
};

TEST_F(ImageTransfers, AnImageComesOutByteForByte) {
  const auto image = add_image();
  const auto out = taken(kAlice, download(image));
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->first, "image busybox");
  EXPECT_EQ(out->second.size, out->first.size());
  EXPECT_FALSE(out->second.split);
  EXPECT_TRUE(await_action("image-retrieved"));
  EXPECT_FALSE(downloads_.send(kAlice, download(image), true, UniqueFd(dup(1)))) << "it has no second file";
}

TEST_F(ImageTransfers, APrivateImageIsAbsentForAStrangerAndAPublicOneIsNot) {
  auto image = add_image();
  EXPECT_EQ(taken(kGuest, download(image)).error().code, Code::NotFound);
  EXPECT_EQ(downloads_.describe(kGuest, download(image)).error().message, "Image not found");
  image.is_public = true;
  ASSERT_TRUE(store_.update_image(image, std::nullopt));
  EXPECT_TRUE(taken(kGuest, download(image)));
}

TEST_F(ImageTransfers, Rule20_StrangersThatDoNotReadKeepNobodyElseWaiting) {
  (void)signal(SIGPIPE, SIG_IGN);  // as the daemon does
  auto image = add_image();
  image.is_public = true;
  ASSERT_TRUE(store_.update_image(image, std::nullopt));
  std::vector<UniqueFd> readers;
  const auto begin = [&](const Principal& who) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    readers.emplace_back(ends[0]);
    EXPECT_GT(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 0);  // it does not grow under the daemon's hands
    const std::string page(4096, 'x');
    while (write(ends[1], page.data(), page.size()) > 0) {
    }
    EXPECT_EQ(fcntl(ends[1], F_SETFL, 0), 0);
    return downloads_.send(who, download(image), false, UniqueFd(ends[1]));
  };
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(begin(kGuest));
  EXPECT_EQ(begin(kGuest).error().code, Code::LimitsExceeded);
  EXPECT_TRUE(begin(kAlice));
  readers.erase(readers.begin());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!begin(kGuest) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_LT(std::chrono::steady_clock::now(), deadline) << "a place is free when its reader has gone";
  readers.clear();
}

TEST_F(ImageTransfers, Rule9_ASecretOpensItsImageOnceAndNoOther) {
  const auto image = add_image();
  const auto other = add_image({{"os", "other"}});
  const auto id = downloads_.create_secret(kAlice, default_project(), image.fingerprint);
  const auto secret = secret_of(id);
  EXPECT_FALSE(downloads_.describe(kGuest, download(other, secret)));
  EXPECT_FALSE(downloads_.describe(kGuest, download(image, std::string(64, '0'))));
  EXPECT_TRUE(downloads_.describe(kGuest, download(image, secret))) << "a client looks at the image first";
  EXPECT_TRUE(taken(kGuest, download(image, secret))) << "and then takes it";
  clock_.advance(std::chrono::seconds(6));
  EXPECT_FALSE(taken(kGuest, download(image, secret)));
}

TEST_F(ImageTransfers, Rule9_ASecretEndsWithItsOperationAndWithTime) {
  const auto image = add_image();
  const auto revoked = downloads_.create_secret(kAlice, default_project(), image.fingerprint);
  const auto secret = secret_of(revoked);
  ASSERT_TRUE(operations_.cancel(kAlice, *revoked));
  EXPECT_FALSE(downloads_.describe(kGuest, download(image, secret)));
  const auto old = secret_of(downloads_.create_secret(kAlice, default_project(), image.fingerprint));
  clock_.advance(std::chrono::hours(2));
  EXPECT_FALSE(downloads_.describe(kGuest, download(image, old)));
}

TEST_F(ImageTransfers, Rule20_ThereAreNotMoreSecretsThanAThousand) {
  const auto image = add_image();
  Result<OperationId> last = Error{Code::Internal, ""};
  for (int i = 0; i < 1001; ++i) last = downloads_.create_secret(kAlice, default_project(), image.fingerprint);
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Code::LimitsExceeded);
}

TEST_F(ImageTransfers, AnImageWithoutASourceIsNotRefreshed) {
  const auto image = add_image();
  const auto error = outcome(ImagePull(context_).refresh(kAlice, default_project(), image.fingerprint));
  EXPECT_EQ(error.code, Code::FailedPrecondition);
  EXPECT_THAT(error.message, HasSubstr("Image source not found"));
}

TEST_F(ImageTransfers, AnInstanceBecomesAnImageOfItsRootAndItsMetadata) {
  make_instance("web");
  auto request = publish_of("web");
  request.aliases = {{alias_name("pub"), "published"}};
  request.is_public = true;
  request.properties = ConfigMap{{"colour", "red"}};
  const auto image = made(publish_.publish(kAlice, request));
  EXPECT_TRUE(image.is_public);
  EXPECT_EQ(image.properties.at("colour"), "red");
  EXPECT_EQ(store_.alias(default_project(), alias_name("pub"))->target, image.fingerprint);
  const auto packed = archives_.packed();
  ASSERT_EQ(packed.size(), 1U);
  EXPECT_EQ(packed[0].compression.name, "gzip");
  EXPECT_EQ(packed[0].files[0].at, "metadata.yaml");
  EXPECT_THAT(packed[0].files[0].text, HasSubstr("\"colour\": \"red\""));
  EXPECT_THAT(packed[0].files[0].text, testing::Not(HasSubstr("busybox"))) << "properties that are given replace";
  ASSERT_EQ(packed[0].trees.size(), 1U);
  EXPECT_EQ(packed[0].trees[0].at, "rootfs");
  EXPECT_EQ(packed[0].trees[0].root.layer, driver_->root(stored("web").uuid)->layer);
}

TEST_F(ImageTransfers, ARunningInstanceIsPublishedFromWhatWasSetAside) {
  const auto web = make_running("web");
  made(publish_.publish(kAlice, publish_of("web")));
  const auto root = archives_.packed().at(0).trees[0].root;
  EXPECT_NE(root.layer, driver_->root(web.uuid)->layer);
  EXPECT_THAT(root.layer, HasSubstr("/snapshots/"));
  EXPECT_EQ(driver_->snapshots(), 0U) << "it is taken away again";
  EXPECT_EQ(runtime_.status(web.uuid), InstanceStatus::Running);
  EXPECT_TRUE(store_.intents()->empty());
}

TEST_F(ImageTransfers, ASnapshotIsPublishedAsItIsKept) {
  make_instance("web");
  Snapshots snapshots(context_);
  expect_success(snapshots.create(kAlice, {default_project(), instance_name("web")}, {.name = *SnapshotName::parse("s0")}));
  auto request = publish_of("web");
  request.snapshot = *SnapshotName::parse("s0");
  made(publish_.publish(kAlice, request));
  EXPECT_THAT(archives_.packed().at(0).trees[0].root.layer, HasSubstr("/snapshots/"));
  EXPECT_EQ(driver_->snapshots(), 1U);
  request.snapshot = *SnapshotName::parse("s1");
  EXPECT_EQ(publish_.publish(kAlice, request).error().code, Code::NotFound);
}

TEST_F(ImageTransfers, APackingThatFailsLeavesNoImage) {
  make_instance("web");
  const auto before = images_.images().size();
  archives_.fail_next("pack", Error{Code::Internal, "cannot read /root/x"});
  EXPECT_EQ(outcome(publish_.publish(kAlice, publish_of("web"))).message, "cannot read /root/x");
  EXPECT_EQ(images_.images().size(), before);
  EXPECT_EQ(images_.staged(), 0U);
  expect_success(lifecycle_.start(kRoot, default_project(), instance_name("web")));  // its lock is free
}

TEST_F(ImageTransfers, Rule6_ACompressionIsAWordThatIsKnown) {
  make_instance("web");
  auto request = publish_of("web");
  request.compression = "sh -c true";
  EXPECT_EQ(publish_.publish(kAlice, request).error().code, Code::InvalidArgument);
  EXPECT_THAT(archives_.packed(), IsEmpty());
}

}  // namespace
}  // namespace berth::services
