#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace berth::helpers {

/// Arguments after the verb.
using Arguments = std::span<char* const>;

/// A verb sets up its confinement and answers on the report pipe; the value is the exit status. An Error is reported by
/// main().

/// `unpack unified MAX_BYTES MAX_MEMBERS`: tarball on the input; descriptors: folder for rootfs, folder for templates.
/// `unpack metadata MAX_BYTES MAX_MEMBERS`: the same without a root file system; descriptor: folder for templates.
/// `unpack root MAX_BYTES MAX_MEMBERS`: tarball of a root file system alone; descriptor: folder for rootfs.
/// `unpack squashfs MAX_BYTES MAX_MEMBERS`: descriptors: folder for rootfs, the squashfs file.
/// `unpack backup MAX_BYTES MAX_MEMBERS SHIFT [SNAPSHOT SHIFT]...`: a backup on the input; descriptors: folder for the root,
/// folder for templates, then one folder for the root of each snapshot. A SHIFT is an IdShift's text.
/// Result: JSON with `plain` (bool: needs a plain root), `members`, and `metadata` for the first two and, if it is
/// there, of a backup.
Result<int> unpack(Arguments arguments);
Result<int> unpack_squashfs(std::uint64_t max_bytes, std::uint64_t max_members);

/// `backup-index`: a backup on the input. Result: JSON with `index` and `config`, what its index.yaml and its backup.yaml
/// say.
Result<int> backup_index(Arguments arguments);

/// `copy`: descriptors: source folder, target folder. Copies the whole tree and the top's own attributes.
/// `flatten`: descriptors: image tree, layer folder (holding `upper`), target folder. Copies the two merged.
Result<int> copy(Arguments arguments);
Result<int> flatten(Arguments arguments);

/// `pack`: the request as JSON on the input (`compression`, `level`, `files`, each with `at`, `mtime` and `text` in base64,
/// `trees`, each with `at` and `layout`: plain or overlay); descriptors: of each tree the folder, or image tree and layer
/// folder (holding `upper`), then where the archive goes. Result: the number of bytes written.
Result<int> pack(Arguments arguments);

/// `render plain|overlay COUNT`: the request as JSON on the input (`instance`, `config`, `devices`, and `files`, each with
/// `trigger`, `path`, `template`, `create_only`, `properties`); descriptors: the root folder, or image tree and layer
/// folder (holding `upper` and `work`), then COUNT templates. Writes each target into the root. Result `{}`.
Result<int> render(Arguments arguments);

/// `files running|plain|overlay`: the request as JSON on the input (see GuestFileRequest); descriptors: the pidfd of the
/// container's init, or the root as for `render`; then a pipe for the content. Result: `{}`, or what was found, told
/// before its content is sent.
Result<int> files(Arguments arguments);

/// `sftp running|plain|overlay`: the client's socket on the input, non-blocking; descriptors as for `files`, no pipe.
/// Result `{}` once it serves; it ends with its client, and with the container that it is about.
Result<int> sftp_server(Arguments arguments);

/// `fetch find`: the request as JSON on the input (`server`, `protocol`: lxd, simplestreams or direct, `certificate`,
/// `secret`, `project`, `reference`, `architectures`). Result: what the server says of that image, as JSON.
/// `fetch get`: the same with `files`, the addresses that `find` told; descriptors: pipes for the file, or metadata, and
/// for a second file. Result, told before the bytes come: JSON with `split`.
/// It alone has the host's network, and no files.
Result<int> fetch(Arguments arguments);

/// `probe-overlay`: descriptor: an empty folder. Tries what an overlay root needs; result `yes` or `no REASON`.
Result<int> probe_overlay(Arguments arguments);

}  // namespace berth::helpers
