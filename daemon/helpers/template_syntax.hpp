#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "daemon/helpers/template_value.hpp"

namespace berth::helpers {

/// An expression of a template, as a tree.
struct TemplateExpression {
  enum class Kind {
    Literal,
    Variable,   ///< `name`
    Call,       ///< the function `name`, with the operands
    Attribute,  ///< operand 0, `.name`
    Index,      ///< operand 0, `[operand 1]`
    Not,
    Negative,
    Binary,  ///< operand 0, the symbol `name`, operand 1
    Filter,  ///< operand 0, `|name`, with the argument operand 1 if there is one
  };
  Kind kind = Kind::Literal;
  std::size_t line = 0;
  TemplateValue literal;
  std::string name;
  std::vector<std::unique_ptr<TemplateExpression>> operands;
};
using TemplateExpressionPtr = std::unique_ptr<TemplateExpression>;

struct TemplateNode;
using TemplateBlock = std::vector<TemplateNode>;

struct TemplateNode {
  enum class Kind {
    Text,
    Output,  ///< values[0]
    If,      ///< values[i] chooses blocks[i]; one block more than values is the `else`
    For,     ///< names (one or two) take each member of values[0] in blocks[0]; blocks[1] when there is none
    Set,     ///< names[0] becomes values[0] from here on
    With,    ///< names[i] are values[i] in blocks[0]
  };
  Kind kind = Kind::Text;
  std::size_t line = 0;
  std::string_view text;  ///< points into the template
  std::vector<std::string> names;
  std::vector<TemplateExpressionPtr> values;
  std::vector<TemplateBlock> blocks;
  bool reversed = false;  ///< For
};

/// Reads a template into a tree that points into it. Errors: InvalidArgument `line N: ...`, also for what nests too
/// deeply.
Result<TemplateBlock> parse_template(std::string_view text);

}  // namespace berth::helpers
