#include "cli/aliases.hpp"

#include <algorithm>

namespace berth::cli {

Strings quoted_words(std::string_view text) {
  Strings words;
  std::string word;
  bool is_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      if (std::exchange(is_word, false)) words.push_back(std::exchange(word, {}));
      continue;
    }
    is_word = true;
    if (c == '\\' && quote != '\'' && i + 1 < text.size())
      word += text[++i];
    else if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
    else if (quote != 0 && c == quote)
      quote = 0;
    else
      word += c;
  }
  if (is_word) words.push_back(std::move(word));
  return words;
}

Strings expand_aliases(const std::map<std::string, std::string>& aliases, const Strings& words) {
  auto begin = words.begin();
  // Flags that have a value of their own take the next word with them.
  while (begin != words.end() && begin->starts_with('-'))
    begin += *begin == "--project" && begin + 1 != words.end() ? 2 : 1;
  std::size_t longest = 0;
  const std::string* target = nullptr;
  for (const auto& [name, text] : aliases) {
    const auto key = quoted_words(name);
    if (key.size() <= longest || static_cast<std::size_t>(words.end() - begin) < key.size()) continue;
    if (!std::equal(key.begin(), key.end(), begin)) continue;
    longest = key.size();
    target = &text;
  }
  if (!target) return words;
  Strings expanded(words.begin(), begin);
  const Strings rest(begin + static_cast<std::ptrdiff_t>(longest), words.end());
  bool placed = false;
  for (const auto& word : quoted_words(*target)) {
    if (word != "@ARGS@") {
      expanded.push_back(word);
      continue;
    }
    placed = true;
    expanded.insert(expanded.end(), rest.begin(), rest.end());
  }
  if (!placed) expanded.insert(expanded.end(), rest.begin(), rest.end());
  return expanded;
}

}  // namespace berth::cli
