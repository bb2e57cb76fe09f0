#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/image_names.hpp"
#include "cli/image_table.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

namespace berth::cli {
namespace {

Command list_images() {
  struct Flags {
    std::string columns = "lfpdatsu";
    std::string format = "table";
  };
  const auto flags = std::make_shared<Flags>();
  return {.name = "list",
          .aliases = {"ls"},
          .arguments = "[<remote>:] [<filter>...]",
          .summary = "List images",
          .description =
              "Filters may be of the <key>=<value> form for property based filtering,\n"
              "or part of the image hash or part of the image alias name.\n\n"
              "Column shorthand chars:\n\n"
              "    l - Shortest image alias (and optionally number of other aliases)\n"
              "    L - Newline-separated list of all image aliases\n"
              "    f - Fingerprint (short)\n"
              "    F - Fingerprint (long)\n"
              "    p - Whether image is public\n"
              "    d - Description\n"
              "    a - Architecture\n"
              "    s - Size\n"
              "    u - Upload date\n"
              "    t - Type",
          .examples = "berth image list\n\nberth image list os=debian -c lfs",
          .least = 0,
          .most = Command::kAny,
          .flags = {{"-c,--columns", &flags->columns, "Columns"}, format_flag(&flags->format)},
          .run = [flags](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto asked, filters_of(context, arguments));
            const auto& filters = asked.filters;
            BERTH_TRY(const auto images, asked.server->get("/1.0/images?recursion=1"));
            BERTH_TRY(const auto listing, image_listing(images, filters, flags->columns));
            return print_listing(listing, flags->format);
          },
          .commands = {}};
}

Command info_image() {
  return {.name = "info",
          .aliases = {},
          .arguments = "[<remote>:]<image>",
          .summary = "Show useful information about images",
          .description = "",
          .examples = "berth image info debian",
          .least = 1,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto found, find_image(context, arguments.front()));
            BERTH_TRY(const auto image, found.server->get(api_path("images", found.name)));
            print(image_description(image));
            return 0;
          },
          .commands = {}};
}

Command show_image() {
  return {.name = "show",
          .aliases = {},
          .arguments = "[<remote>:]<image>",
          .summary = "Show image properties",
          .description = "",
          .examples = "berth image show debian > image.yaml",
          .least = 1,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto found, find_image(context, arguments.front()));
            BERTH_TRY(const auto image, found.server->get(api_path("images", found.name)));
            print(yaml_text(pick(image, kImagePut), kImagePut));
            return 0;
          },
          .commands = {}};
}

Command edit_image() {
  return {.name = "edit",
          .aliases = {},
          .arguments = "[<remote>:]<image>",
          .summary = "Edit image properties",
          .description = "",
          .examples =
              "berth image edit debian\n    Launch a text editor to edit the properties\n\n"
              "berth image edit debian < image.yaml\n    Load the image properties from a YAML file",
          .least = 1,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto found, find_image(context, arguments.front()));
            return edit_object(*found.server, api_path("images", found.name), kImagePut, kImagePut,
                               "This is a YAML representation of the image properties.\n"
                               "Any line starting with a '#' will be ignored.\n\n"
                               "Each property is represented by a single line:\n"
                               "An example would be:\n  description: My custom image");
          },
          .commands = {}};
}

Command delete_image() {
  return {.name = "delete",
          .aliases = {"rm"},
          .arguments = "[<remote>:]<image> [[<remote>:]<image>...]",
          .summary = "Delete images",
          .description = "",
          .examples = "berth image delete debian",
          .least = 1,
          .most = Command::kAny,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            for (const auto& argument : arguments) {
              BERTH_TRY(const auto found, find_image(context, argument));
              BERTH_CHECK(found.server->send("DELETE", api_path("images", found.name), nullptr, {}, "Deleting image"));
            }
            return 0;
          },
          .commands = {}};
}

Command get_property() {
  return {.name = "get-property",
          .aliases = {},
          .arguments = "[<remote>:]<image> <key>",
          .summary = "Get image properties",
          .description = "",
          .examples = "berth image get-property debian os",
          .least = 2,
          .most = 2,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto found, find_image(context, arguments[0]));
            BERTH_TRY(const auto image, found.server->get(api_path("images", found.name)));
            const auto& value = child_of(child_of(image, "properties"), arguments[1]);
            if (!value.is_string()) return Error{Code::NotFound, "Property not found"};
            print_foreign(value.get<std::string>() + '\n');
            return 0;
          },
          .commands = {}};
}

Result<int> change_property(Context& context, const Strings& arguments) {
  BERTH_TRY(const auto found, find_image(context, arguments[0]));
  BERTH_CHECK(change_object(*found.server, api_path("images", found.name), kImagePut, [&](Json& image) -> Result<void> {
    if (arguments.size() < 3) return unset_key(image["properties"], arguments[1]);
    set_key(image["properties"], arguments[1], arguments[2]);
    return {};
  }));
  return 0;
}

Command property_command(const std::string& name, const std::string& summary, std::size_t count) {
  return {.name = name,
          .aliases = {},
          .arguments = count == 3 ? "[<remote>:]<image> <key> <value>" : "[<remote>:]<image> <key>",
          .summary = summary,
          .description = "",
          .examples = "berth image " + name + " debian release" + (count == 3 ? " bookworm" : ""),
          .least = count,
          .most = count,
          .flags = {},
          .run = change_property,
          .commands = {}};
}

}  // namespace

Command image_command() {
  return group("image", "Manage images",
               {list_images(), info_image(), show_image(), edit_image(), delete_image(), get_property(),
                property_command("set-property", "Set image properties", 3),
                property_command("unset-property", "Unset image properties", 2), image_import_command(),
                copy_image_command(), export_image_command(), refresh_image_command(), image_alias_command()},
               "Instances are created from images.\n\n"
               "The image unique identifier is the hash (sha-256) of its representation\n"
               "as a compressed tarball (or for split images, the concatenation of the\n"
               "metadata and rootfs tarballs).\n\n"
               "Images can be referenced by their full hash, shortest unique partial\n"
               "hash or alias name (if one is set).");
}

}  // namespace berth::cli
