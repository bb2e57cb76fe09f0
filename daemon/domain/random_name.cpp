#include "daemon/domain/random_name.hpp"

#include <array>
#include <random>
#include <string>
#include <string_view>

namespace berth {
namespace {

constexpr std::array<std::string_view, 63> kAdjectives{
    "agile", "airy",   "amber",  "ample",  "azure",   "balmy",  "bold",   "brave",  "breezy",  "bright", "brisk",
    "calm",  "candid", "cheery", "civil",  "clear",   "clever", "cosy",   "crisp",  "curious", "dapper", "deft",
    "eager", "early",  "fair",   "fleet",  "fond",    "frank",  "fresh",  "gentle", "glad",    "golden", "grand",
    "hardy", "hearty", "honest", "humble", "jolly",   "keen",   "kind",   "lively", "loyal",   "lucid",  "mellow",
    "merry", "mild",   "nimble", "noble",  "patient", "placid", "plucky", "polite", "prime",   "quick",  "quiet",
    "ready", "robust", "serene", "sleek",  "steady",  "sunny",  "tidy",   "wise"};

constexpr std::array<std::string_view, 62> kAnimals{
    "albatross", "avocet",     "badger",   "barbel",    "bison",     "bittern",  "bream",   "bunting",    "caribou",
    "chamois",   "cod",        "coot",     "cormorant", "crab",      "crane",    "curlew",  "cuttlefish", "dolphin",
    "dormouse",  "dunlin",     "eel",      "eider",     "falcon",    "ferret",   "finch",   "gannet",     "grebe",
    "gull",      "haddock",    "hare",     "heron",     "herring",   "ibis",     "kestrel", "kingfisher", "lapwing",
    "limpet",    "lobster",    "lynx",     "mackerel",  "marmot",    "marten",   "mussel",  "newt",       "osprey",
    "otter",     "oyster",     "pelican",  "petrel",    "plover",    "porpoise", "puffin",  "salmon",     "sanderling",
    "seal",      "shearwater", "starfish", "tern",      "turnstone", "walrus",   "whelk",   "wren"};

template <std::size_t N>
std::string_view one_of(const std::array<std::string_view, N>& words, std::random_device& random) {
  std::uniform_int_distribution<std::size_t> index(0, N - 1);
  return words[index(random)];
}

}  // namespace

InstanceName random_instance_name() {
  std::random_device random;
  const std::string adjective(one_of(kAdjectives, random));
  return *InstanceName::parse(adjective + "-" + std::string(one_of(kAnimals, random)));
}

}  // namespace berth
