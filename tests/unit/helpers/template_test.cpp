#include "daemon/helpers/template_render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::helpers {
namespace {

using testing::HasSubstr;

TemplateValue::Map variables() {
  const TemplateValue::Map container{{"name", "web"}, {"architecture", "x86_64"}, {"ephemeral", "false"}};
  const TemplateValue::Map config{{"user.user-data", "#cloud-config\n\r\n"}, {"limits.cpu", "2"}, {"empty", ""}};
  const TemplateValue::Map devices{{"root", TemplateValue::Map{{"type", "disk"}, {"path", "/"}}},
                                   {"eth0", TemplateValue::Map{{"type", "nic"}}}};
  return {{"trigger", "create"},
          {"path", "/etc/hostname"},
          {"container", container},
          {"instance", container},
          {"config", config},
          {"devices", devices},
          {"list", TemplateValue::List{"a", "b", "c"}},
          {"number", TemplateValue(std::int64_t{7})},
          {"properties", TemplateValue::Map{{"default", "#none"}}}};
}

std::string rendered(std::string_view text) {
  auto made = render_template(text, variables());
  return made ? *std::move(made) : "ERROR " + made.error().message;
}

Code refusal(std::string_view text, const TemplateLimits& limits = {}) {
  const auto made = render_template(text, variables(), limits);
  EXPECT_FALSE(made) << *made;
  return made ? Code::Internal : made.error().code;
}

TEST(Templates, LeavesTextAsItIs) {
  EXPECT_EQ(rendered(""), "");
  EXPECT_EQ(rendered("a { b } c } % # {x}\n"), "a { b } c } % # {x}\n");
  EXPECT_EQ(rendered("<b>&\xff\n"), "<b>&\xff\n");
}

TEST(Templates, ShowsVariablesAndTheirMembers) {
  EXPECT_EQ(rendered("{{ container.name }}\n"), "web\n");
  EXPECT_EQ(rendered("{{container.name}}|{{ devices.eth0.type }}|{{ devices[\"root\"].path }}"), "web|nic|/");
  EXPECT_EQ(rendered("{{ list.1 }}{{ list[0] }}{{ list.9 }}"), "ba");
}

TEST(Templates, ShowsNothingForWhatIsNotThere) {
  EXPECT_EQ(rendered("[{{ nobody }}{{ nobody.at.all }}{{ container.nothing }}{{ none }}]"), "[]");
}

TEST(Templates, LooksUpConfigurationWithADefaultAndWithoutLineEnds) {
  EXPECT_EQ(rendered("{{ config_get(\"user.user-data\", \"\") }}|"), "#cloud-config|");
  EXPECT_EQ(rendered("{{ config_get('user.none', properties.default) }}"), "#none");
  EXPECT_EQ(rendered("{{ config_get(\"empty\", \"x\") }}"), "");
}

TEST(Templates, RendersWhatCloudImagesCarry) {
  EXPECT_EQ(rendered("{% if config_get(\"user.network-config\", \"\") == \"\" %}version: 1\nconfig:\n"
                     "    - type: physical\n{% else %}{{ config_get(\"user.network-config\", \"\") }}{% endif %}\n"),
            "version: 1\nconfig:\n    - type: physical\n\n");
  EXPECT_EQ(rendered("#cloud-config\ninstance-id: {{ container.name }}\nlocal-hostname: {{ container.name }}\n"
                     "{{ config_get(\"user.meta-data\", \"\") }}\n"),
            "#cloud-config\ninstance-id: web\nlocal-hostname: web\n\n");
}

TEST(Templates, ChoosesBranches) {
  constexpr auto kText = "{% if trigger == \"copy\" %}1{% elif trigger == 'create' %}2{% else %}3{% endif %}";
  EXPECT_EQ(rendered(kText), "2");
  EXPECT_EQ(rendered("{% if nobody %}1{% else %}2{% endif %}"), "2");
  EXPECT_EQ(rendered("{% if container %}1{% endif %}{% if config.empty %}2{% endif %}"), "1");
}

TEST(Templates, ComparesAndCombines) {
  EXPECT_EQ(rendered("{{ 1 == 1 }}{{ 1 != 1 }}{{ \"1\" == 1 }}"), "TrueFalseFalse");
  EXPECT_EQ(rendered("{{ number > 3 }}{{ number <= 6 }}{{ config_get('limits.cpu', '') >= 2 }}"), "TrueFalseTrue");
  EXPECT_EQ(rendered("{{ 'eb' in container.name }}{{ 'eth0' in devices }}{{ 'z' in list }}{{ 'z' not in list }}"),
            "TrueTrueFalseTrue");
  EXPECT_EQ(rendered("{{ not nobody }}{{ not 'b' in list }}{{ true and false }}{{ true && true }}{{ false or 1 }}"),
            "TrueFalseFalseTrueTrue");
}

TEST(Templates, AndAndOrBindToTheRightAsInLxd) {
  EXPECT_EQ(rendered("{{ false and false or true }}"), "False");
  EXPECT_EQ(rendered("{{ (false and false) or true }}"), "True");
}

TEST(Templates, Calculates) {
  EXPECT_EQ(rendered("{{ 2 + 3 * 4 }} {{ (2 + 3) * 4 }} {{ 7 / 2 }} {{ 7 % 4 }} {{ -number }} {{ 1.5 + 1 }}"),
            "14 20 3 3 -7 2.500000");
  EXPECT_EQ(rendered("{{ 'a' + 'b' }}"), "ab");
  EXPECT_EQ(refusal("{{ 1 / 0 }}"), Code::InvalidArgument);
  EXPECT_EQ(refusal("{{ 9223372036854775807 * 2 }}"), Code::InvalidArgument);
  EXPECT_EQ(refusal("{{ (0 - 9223372036854775807 - 1) % -1 }}"), Code::InvalidArgument);
}

TEST(Templates, LoopsOverListsAndMaps) {
  EXPECT_EQ(rendered("{% for x in list %}{{ x }}{% if not forloop.Last %}, {% endif %}{% endfor %}"), "a, b, c");
  EXPECT_EQ(rendered("{% for k, v in devices %}{{ k }}={{ v.type }};{% endfor %}"), "eth0=nic;root=disk;");
  EXPECT_EQ(rendered("{% for x in list reversed %}{{ forloop.counter }}{{ x }}{% endfor %}"), "1c2b3a");
  EXPECT_EQ(rendered("{% for x in nobody %}{{ x }}{% empty %}none{% endfor %}"), "none");
  EXPECT_EQ(rendered("{% for x in list %}{% endfor %}[{{ x }}]"), "[]");
  EXPECT_EQ(refusal("{% for x in 7 %}{% endfor %}"), Code::InvalidArgument);
}

TEST(Templates, SetsVariables) {
  EXPECT_EQ(rendered("{% set a = container.name|upper %}{{ a }}"), "WEB");
  EXPECT_EQ(rendered("{% with a=1 b='x' %}{{ a }}{{ b }}{% endwith %}{{ a }}"), "1x");
  EXPECT_EQ(rendered("{% with container.name as n %}{{ n }}{% endwith %}"), "web");
  EXPECT_EQ(rendered("{% set config = 1 %}{{ config_get('limits.cpu', '') }}"), "2");
}

TEST(Templates, PassesOverCommentsAndKeepsVerbatimText) {
  EXPECT_EQ(rendered("a{# {{ nothing }} #}b{% comment %}{{ x }}{% endcomment %}c"), "abc");
  EXPECT_EQ(rendered("{% verbatim %}{{ x }}{% if %}{% endverbatim %}!"), "{{ x }}{% if %}!");
}

TEST(Templates, TakesWhiteSpaceWhereADashAsksForIt) {
  EXPECT_EQ(rendered("a \n {{- 'b' -}} \n c"), "abc");
  EXPECT_EQ(rendered("a\n{%- if true -%}\n  b\n{%- endif %}\nc"), "ab\nc");
}

TEST(Templates, EscapesNothingByItself) {
  EXPECT_EQ(rendered("{{ '<&>' }}{% autoescape on %}{{ '<' }}{% endautoescape %}"), "<&><");
}

TEST(Templates, NamesTheLineOfAMistake) {
  EXPECT_EQ(rendered("a\nb\n{{ container.name"), "ERROR line 3: there is no `}}` for this `{{`");
  EXPECT_THAT(rendered("\n{% if true %}\n"), HasSubstr("line 2: `endif` is missing"));
  EXPECT_THAT(rendered("\n\n{% frobnicate %}"), HasSubstr("line 3: the tag `frobnicate` is not known"));
  EXPECT_THAT(rendered("{{ a b }}"), HasSubstr("line 1: `b` is not understood here"));
}

TEST(Templates, RefusesWhatIsNoTemplate) {
  for (const char* const text :
       {"{{ }}", "{{ 'a }}", "{% %}", "{% if %}{% endif %}", "{% endif %}", "{% else %}", "{% for in x %}{% endfor %}",
        "{% for a, b, c in x %}{% endfor %}", "{% set a %}", "{{ a| }}", "{{ a.}}", "{{ (1 }}", "{{ a[1 }}", "{{ 1 ~ 2 }}",
        "{{ config_get('a') }}", "{{ open('/etc/passwd', '') }}", "{{ 'a'|nosuchfilter }}", "{{ 99999999999999999999 }}",
        "{% verbatim %}", "{% comment %}", "{{ trigger.name }}", "{% if true %}{% else %}{% else %}{% endif %}", "{{ \"\\"})
    EXPECT_EQ(refusal(text), Code::InvalidArgument) << text;
}

TEST(Templates, ReadsNoOtherFile_Rule3) {
  EXPECT_EQ(refusal("{% include \"/etc/passwd\" %}"), Code::InvalidArgument);
  EXPECT_EQ(refusal("{% extends \"../x\" %}"), Code::InvalidArgument);
  EXPECT_EQ(refusal("{% ssi \"/etc/passwd\" %}"), Code::InvalidArgument);
}

TEST(Templates, BoundsItsSteps_Rule20) {
  std::string text = "x";
  for (int i = 0; i < 30; ++i) text = "{% for a in 'aaaaaaaaaaaaaaaaaaaaaaaaaa' %}" + text + "{% endfor %}";
  EXPECT_EQ(refusal(text), Code::LimitsExceeded);
}

TEST(Templates, BoundsItsTexts_Rule20) {
  EXPECT_EQ(refusal("{% set a = 'aaaaaaaaaaaaaaaa' %}{% for x in 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}"
                    "{% with b=1 %}{% endwith %}{% endfor %}{{ a|ljust:20000 }}"),
            Code::InvalidArgument);
  std::string text = "{% set a0 = 'aaaaaaaaaaaaaaaa' %}";
  for (int i = 0; i < 60; ++i)
    text += "{% set a" + std::to_string(i + 1) + " = a" + std::to_string(i) + " + a" + std::to_string(i) + " %}";
  EXPECT_EQ(refusal(text), Code::LimitsExceeded);
}

TEST(Templates, BoundsItsOutput_Rule20) {
  TemplateLimits limits;
  limits.output = 10;
  EXPECT_EQ(refusal("{% for x in list %}12345{% endfor %}", limits), Code::LimitsExceeded);
  EXPECT_EQ(refusal(std::string(2 << 20, 'x')), Code::LimitsExceeded);
}

TEST(Templates, BoundsItsDepth_Rule20) {
  EXPECT_EQ(refusal("{{ " + std::string(10'000, '(') + "1"), Code::InvalidArgument);
  EXPECT_EQ(refusal("{{ " + std::string(10'000, '-') + "1 }}"), Code::InvalidArgument);
  std::string blocks;
  for (int i = 0; i < 10'000; ++i) blocks += "{% if true %}";
  EXPECT_EQ(refusal(blocks), Code::InvalidArgument);
  std::string filters = "{{ 'a'";
  for (int i = 0; i < 10'000; ++i) filters += "|upper";
  EXPECT_EQ(refusal(filters + " }}"), Code::InvalidArgument);
}

TEST(Templates, SurvivesEveryCutOfATemplate) {
  constexpr std::string_view kText =
      "{# c #}{% for k, v in devices %}{{- k|upper|default:\"x\" }}{% if v.type in 'ab' and not 1 > 2 %}{{ config_get('a', "
      "\"b\\\"\") }}{% elif list[0] == 'a' %}{% with a=1 b=2 %}{{ a + b }}{% endwith %}{% endif %}{% endfor %}";
  for (std::size_t end = 0; end <= kText.size(); ++end) (void)render_template(kText.substr(0, end), variables()).has_value();
  for (std::size_t at = 0; at < kText.size(); ++at) {
    std::string text(kText);
    text[at] = static_cast<char>(text[at] ^ 0x15);
    (void)render_template(text, variables()).has_value();
  }
}

}  // namespace
}  // namespace berth::helpers
