#include "daemon/domain/x509.hpp"

#include <chrono>
#include <cstdint>

#include "base/base64.hpp"

namespace berth {
namespace {

// The tags of ASN.1 that a certificate's frame is made of.
constexpr unsigned kInteger = 0x02;
constexpr unsigned kBitString = 0x03;
constexpr unsigned kUtcTime = 0x17;
constexpr unsigned kGeneralizedTime = 0x18;
constexpr unsigned kSequence = 0x30;
constexpr unsigned kVersion = 0xa0;
constexpr unsigned kIssuerId = 0x81;
constexpr unsigned kSubjectId = 0x82;
constexpr unsigned kExtensions = 0xa3;

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

Error malformed(std::string_view what) {
  return Error{Code::InvalidArgument, "The certificate is not valid DER: " + std::string(what)};
}

/// Takes elements from the front of a run of DER.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  bool at_end() const noexcept { return left_.empty(); }
  unsigned next_tag() const noexcept { return left_.empty() ? 0 : static_cast<unsigned char>(left_.front()); }

  /// The contents of the next element, which must have that tag.
  Result<std::string_view> take(unsigned tag, std::string_view what) {
    if (left_.size() < 2 || next_tag() != tag) return malformed("no " + std::string(what));
    std::size_t length = static_cast<unsigned char>(left_[1]);
    std::size_t head = 2;
    if (length >= 0x80) {
      const std::size_t digits = length & 0x7fU;
      if (digits == 0 || digits > 3 || left_.size() < 2 + digits) return malformed("a length of " + std::string(what));
      length = 0;
      for (std::size_t i = 0; i < digits; ++i) length = length << 8 | static_cast<unsigned char>(left_[2 + i]);
      head += digits;
      // DER has one way to write a length: the shortest.
      if (length < 0x80 || length >> (8 * (digits - 1)) == 0) return malformed("a length of " + std::string(what));
    }
    if (length > left_.size() - head) return malformed(std::string(what) + " is cut off");
    const auto contents = left_.substr(head, length);
    left_.remove_prefix(head + length);
    return contents;
  }

  Result<void> skip(unsigned tag, std::string_view what) {
    BERTH_TRY([[maybe_unused]] const auto contents, take(tag, what));
    return {};
  }
  Result<void> skip_optional(unsigned tag, std::string_view what) {
    return next_tag() == tag ? skip(tag, what) : Result<void>();
  }

 private:
  std::string_view left_;
};

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, the only forms that RFC 5280 allows.
Result<Timestamp> read_time(Reader& reader) {
  const bool utc = reader.next_tag() == kUtcTime;
  BERTH_TRY(const auto text, reader.take(utc ? kUtcTime : kGeneralizedTime, "time"));
  const std::size_t year_digits = utc ? 2 : 4;
  if (text.size() != year_digits + 11 || text.back() != 'Z') return malformed("a time of unknown form");
  for (const char c : text.substr(0, text.size() - 1))
    if (c < '0' || c > '9') return malformed("a time of unknown form");
  std::size_t at = 0;
  const auto number = [&](std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = value * 10 + (text[at++] - '0');
    return value;
  };
  int year = number(year_digits);
  if (utc) year += year < 50 ? 2000 : 1900;
  const auto month = static_cast<unsigned>(number(2));
  const auto day = static_cast<unsigned>(number(2));
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  const int hours = number(2);
  const int minutes = number(2);
  const int seconds = number(2);
  if (!date.ok() || hours > 23 || minutes > 59 || seconds > 59) return malformed("a time that is none");
  return Timestamp{std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hours) +
                   std::chrono::minutes(minutes) + std::chrono::seconds(seconds)};
}

}  // namespace

Result<CertificateDates> read_certificate_dates(std::string_view der) {
  if (der.size() > kLargestCertificate) return malformed("it is larger than 64 KiB");
  Reader whole(der);
  BERTH_TRY(const auto certificate, whole.take(kSequence, "certificate"));
  if (!whole.at_end()) return malformed("something follows it");
  Reader parts(certificate);
  BERTH_TRY(const auto signed_part, parts.take(kSequence, "signed part"));
  BERTH_CHECK(parts.skip(kSequence, "signature algorithm"));
  BERTH_CHECK(parts.skip(kBitString, "signature"));
  if (!parts.at_end()) return malformed("something follows the signature");

  Reader fields(signed_part);
  BERTH_CHECK(fields.skip_optional(kVersion, "version"));
  BERTH_CHECK(fields.skip(kInteger, "serial number"));
  BERTH_CHECK(fields.skip(kSequence, "signature algorithm"));
  BERTH_CHECK(fields.skip(kSequence, "issuer"));
  BERTH_TRY(const auto validity, fields.take(kSequence, "validity"));
  BERTH_CHECK(fields.skip(kSequence, "subject"));
  BERTH_CHECK(fields.skip(kSequence, "public key"));
  BERTH_CHECK(fields.skip_optional(kIssuerId, "issuer id"));
  BERTH_CHECK(fields.skip_optional(kSubjectId, "subject id"));
  BERTH_CHECK(fields.skip_optional(kExtensions, "extensions"));
  if (!fields.at_end()) return malformed("something follows the extensions");

  Reader times(validity);
  CertificateDates dates;
  BERTH_TRY(dates.valid_from, read_time(times));
  BERTH_TRY(dates.valid_until, read_time(times));
  if (!times.at_end()) return malformed("something follows the validity");
  if (dates.valid_until < dates.valid_from) return malformed("it ends before it begins");
  return dates;
}

std::string certificate_pem(std::string_view der) {
  std::string out(kBegin);
  out += '\n';
  const auto text = base64_encode(der);
  for (std::size_t i = 0; i < text.size(); i += 64) out.append(text, i, 64).append("\n");
  out.append(kEnd).append("\n");
  return out;
}

Result<std::string> certificate_der(std::string_view pem) {
  const auto begin = pem.find(kBegin);
  const auto end = begin == std::string_view::npos ? begin : pem.find(kEnd, begin);
  if (end == std::string_view::npos) return Error{Code::InvalidArgument, "There is no certificate in the PEM text"};
  const auto inside = begin + kBegin.size();
  return base64_decode(pem.substr(inside, end - inside));
}

}  // namespace berth
