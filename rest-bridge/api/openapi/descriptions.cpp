#include <array>

#include "rest-bridge/api/openapi/tables.hpp"

namespace berth::rest::openapi {
namespace {

constexpr std::array kParameters{
    Parameter{"project", "query", "text", "The project of the objects; `default` when none is named"},
    Parameter{"all-projects", "query", "flag", "Objects of all projects"},
    Parameter{"recursion", "query", "number", "0: URLs. 1: objects. 2: for instances, with their state, snapshots and backups"},
    Parameter{"filter", "query", "text", "Objects that pass, such as `name eq web and config.user.x ne 1`"},
    Parameter{"instance-type", "query", "(container|virtual-machine)", "Instances of this type alone"},
    Parameter{"secret", "query", "text", "What a stranger shows to get what was prepared for it"},
    Parameter{"timeout", "query", "number", "Seconds to wait at most; negative: without end"},
    Parameter{"path", "query", "text", "The file inside the instance, or the name of the template"},
    Parameter{"type", "query", "text", "Kinds of events, apart by commas: `operation`, `lifecycle`, `logging`"},
    Parameter{"If-Match", "header", "text", "Change the object only while it has this ETag; else 412"},
    Parameter{"X-LXD-fingerprint", "header", "text", "The SHA-256 that the uploaded image must have"},
    Parameter{"X-LXD-filename", "header", "text", "What the uploaded file is called"},
    Parameter{"X-LXD-public", "header", "text", "`true`: strangers may see and get the image"},
    Parameter{"X-LXD-properties", "header", "text", "Properties of the image, encoded as a query (`a=b&c=d`)"},
    Parameter{"X-LXD-profiles", "header", "text", "Profiles of the image, encoded as a query (`profile=a&profile=b`)"},
    Parameter{"X-LXD-name", "header", "text", "The name of an instance that is made of an uploaded backup"},
    Parameter{"X-LXD-pool", "header", "text", "The storage pool of an instance that is made of an uploaded backup"},
    Parameter{"X-LXD-uid", "header", "text", "Owner of the file inside the instance"},
    Parameter{"X-LXD-gid", "header", "text", "Group of the file inside the instance"},
    Parameter{"X-LXD-mode", "header", "text", "Permissions of the file, octal with a `0` in front"},
    Parameter{"X-LXD-type", "header", "(file|directory|symlink)", "What to make; the body of a symlink is its target"},
    Parameter{"X-LXD-write", "header", "(overwrite|append)", "What becomes of a file that is there"},
};

constexpr std::string_view kImageHeaders =
    "project X-LXD-fingerprint X-LXD-filename X-LXD-public X-LXD-properties X-LXD-profiles";
constexpr std::string_view kFileHeaders = "project path X-LXD-uid X-LXD-gid X-LXD-mode X-LXD-type X-LXD-write";

constexpr std::array kDescriptions{
    Description{"GET", "/", "", "", "sync [url]", "The versions of the API"},
    Description{"GET", "/1.0", "project", "", "tagged Server", "The server, and what the asker may know of it"},
    Description{"PUT", "/1.0", "If-Match", "ServerPut", "empty", "Replaces the server's configuration"},
    Description{"PATCH", "/1.0", "If-Match", "ServerPut", "empty", "Changes the server's configuration"},
    Description{"GET", "/1.0/openapi.json", "", "", "json", "This document; it says nothing of this server, and everybody may read it"},

    Description{"GET", "/1.0/instances", "project all-projects recursion filter instance-type", "", "sync [url]|[Instance]|[InstanceFull]", "Lists instances"},
    Description{"POST", "/1.0/instances", "project X-LXD-name X-LXD-pool", "InstancesPost; octets", "async", "Makes an instance, or brings one back from a backup"},
    Description{"PUT", "/1.0/instances", "project", "InstancesPut", "async", "Starts, stops, restarts, freezes or unfreezes all instances"},
    Description{"GET", "/1.0/instances/{name}", "project recursion", "", "tagged Instance|InstanceFull", "An instance"},
    Description{"PUT", "/1.0/instances/{name}", "project If-Match", "InstancePut", "async", "Replaces an instance's configuration, or restores a snapshot"},
    Description{"PATCH", "/1.0/instances/{name}", "project If-Match", "InstancePut", "empty", "Changes an instance's configuration"},
    Description{"POST", "/1.0/instances/{name}", "project", "InstancePost", "async", "Renames an instance, or moves it to another project"},
    Description{"DELETE", "/1.0/instances/{name}", "project", "", "async", "Deletes an instance"},
    Description{"GET", "/1.0/instances/{name}/state", "project", "", "sync InstanceState", "What an instance uses and where it is reached"},
    Description{"PUT", "/1.0/instances/{name}/state", "project", "InstanceStatePut", "async", "Starts, stops, restarts, freezes or unfreezes an instance"},
    Description{"POST", "/1.0/instances/{name}/exec", "project", "ExecPost", "async", "Runs a command; its streams are websockets of the operation"},
    Description{"GET", "/1.0/instances/{name}/console", "project", "", "octets", "What the console said"},
    Description{"POST", "/1.0/instances/{name}/console", "project", "ConsolePost", "async", "Attaches to the console; its streams are websockets of the operation"},
    Description{"DELETE", "/1.0/instances/{name}/console", "project", "", "empty", "Forgets what the console said"},
    Description{"GET", "/1.0/instances/{name}/logs", "project", "", "sync [url]", "Lists an instance's logs"},
    Description{"GET", "/1.0/instances/{name}/logs/{log}", "project", "", "octets", "A log"},
    Description{"DELETE", "/1.0/instances/{name}/logs/{log}", "project", "", "empty", "Deletes the log of a command"},

    Description{"GET", "/1.0/instances/{name}/snapshots", "project recursion", "", "sync [url]|[InstanceSnapshot]", "Lists an instance's snapshots"},
    Description{"POST", "/1.0/instances/{name}/snapshots", "project", "SnapshotsPost", "async", "Takes a snapshot"},
    Description{"GET", "/1.0/instances/{name}/snapshots/{snapshot}", "project", "", "tagged InstanceSnapshot", "A snapshot"},
    Description{"PUT", "/1.0/instances/{name}/snapshots/{snapshot}", "project If-Match", "SnapshotPut", "async", "Sets when a snapshot expires"},
    Description{"PATCH", "/1.0/instances/{name}/snapshots/{snapshot}", "project If-Match", "SnapshotPut", "async", "Sets when a snapshot expires"},
    Description{"POST", "/1.0/instances/{name}/snapshots/{snapshot}", "project", "Rename", "async", "Renames a snapshot"},
    Description{"DELETE", "/1.0/instances/{name}/snapshots/{snapshot}", "project", "", "async", "Deletes a snapshot"},

    Description{"GET", "/1.0/instances/{name}/backups", "project recursion", "", "sync [url]|[InstanceBackup]", "Lists an instance's backups"},
    Description{"POST", "/1.0/instances/{name}/backups", "project", "BackupsPost", "async", "Makes a backup"},
    Description{"GET", "/1.0/instances/{name}/backups/{backup}", "project", "", "sync InstanceBackup", "A backup"},
    Description{"POST", "/1.0/instances/{name}/backups/{backup}", "project", "Rename", "async", "Renames a backup"},
    Description{"DELETE", "/1.0/instances/{name}/backups/{backup}", "project", "", "async", "Deletes a backup"},
    Description{"GET", "/1.0/instances/{name}/backups/{backup}/export", "project", "", "octets", "A backup's archive"},

    Description{"GET", "/1.0/instances/{name}/files", "project path", "", "octets; sync [text]", "A file, or the names in a folder; headers tell owner, group, mode and type"},
    Description{"HEAD", "/1.0/instances/{name}/files", "project path", "", "head", "A file's owner, group, mode and type"},
    Description{"POST", "/1.0/instances/{name}/files", kFileHeaders, "octets", "empty", "Writes a file, or makes a folder or a symlink"},
    Description{"DELETE", "/1.0/instances/{name}/files", "project path", "", "empty", "Removes a file"},
    Description{"GET", "/1.0/instances/{name}/sftp", "project", "", "sftp", "All files, by SFTP"},
    Description{"GET", "/1.0/instances/{name}/metadata", "project", "", "tagged ImageMetadata", "What the instance's image says of itself"},
    Description{"PUT", "/1.0/instances/{name}/metadata", "project If-Match", "ImageMetadata", "empty", "Replaces it"},
    Description{"PATCH", "/1.0/instances/{name}/metadata", "project If-Match", "ImageMetadata", "empty", "Changes it"},
    Description{"GET", "/1.0/instances/{name}/metadata/templates", "project path", "", "sync [text]; octets", "Lists templates, or reads the one that `path` names"},
    Description{"POST", "/1.0/instances/{name}/metadata/templates", "project path", "octets", "empty", "Writes a template"},
    Description{"PUT", "/1.0/instances/{name}/metadata/templates", "project path", "octets", "empty", "Writes a template"},
    Description{"DELETE", "/1.0/instances/{name}/metadata/templates", "project path", "", "empty", "Removes a template"},

    Description{"GET", "/1.0/images", "project recursion filter", "", "sync [url]|[Image]", "Lists images; strangers see those that are public"},
    Description{"POST", "/1.0/images", kImageHeaders, "ImagesPost; octets; multipart", "async", "Makes an image of an instance or a snapshot, or takes an upload (in two parts: `metadata` and `rootfs`)"},
    Description{"GET", "/1.0/images/{fingerprint}", "project secret", "", "tagged Image", "An image; the beginning of its fingerprint is enough"},
    Description{"PUT", "/1.0/images/{fingerprint}", "project If-Match", "ImagePut", "empty", "Replaces what is said of an image"},
    Description{"PATCH", "/1.0/images/{fingerprint}", "project If-Match", "ImagePut", "empty", "Changes what is said of an image"},
    Description{"DELETE", "/1.0/images/{fingerprint}", "project", "", "async", "Deletes an image"},
    Description{"GET", "/1.0/images/{fingerprint}/export", "project secret", "", "octets; multipart", "An image's file, or its two files as parts"},
    Description{"POST", "/1.0/images/{fingerprint}/refresh", "project", "", "async", "Looks for a newer image where this one came from"},
    Description{"POST", "/1.0/images/{fingerprint}/secret", "project", "", "async", "Makes a secret with which a stranger may get the image once"},
    Description{"GET", "/1.0/images/aliases", "project recursion", "", "sync [url]|[ImageAlias]", "Lists aliases"},
    Description{"POST", "/1.0/images/aliases", "project", "AliasesPost", "created", "Makes an alias"},
    Description{"GET", "/1.0/images/aliases/{alias...}", "project", "", "tagged ImageAlias", "An alias; its name may have slashes"},
    Description{"PUT", "/1.0/images/aliases/{alias...}", "project If-Match", "AliasPut", "empty", "Replaces an alias"},
    Description{"PATCH", "/1.0/images/aliases/{alias...}", "project If-Match", "AliasPut", "empty", "Changes an alias"},
    Description{"POST", "/1.0/images/aliases/{alias...}", "project", "Rename", "created", "Renames an alias"},
    Description{"DELETE", "/1.0/images/aliases/{alias...}", "project", "", "empty", "Deletes an alias"},

    Description{"GET", "/1.0/profiles", "project recursion filter", "", "sync [url]|[Profile]", "Lists profiles"},
    Description{"POST", "/1.0/profiles", "project", "ProfilesPost", "created", "Makes a profile"},
    Description{"GET", "/1.0/profiles/{name}", "project", "", "tagged Profile", "A profile"},
    Description{"PUT", "/1.0/profiles/{name}", "project If-Match", "ProfilePut", "empty", "Replaces a profile"},
    Description{"PATCH", "/1.0/profiles/{name}", "project If-Match", "ProfilePut", "empty", "Changes a profile"},
    Description{"POST", "/1.0/profiles/{name}", "project", "Rename", "created", "Renames a profile"},
    Description{"DELETE", "/1.0/profiles/{name}", "project", "", "empty", "Deletes a profile that nobody uses"},

    Description{"GET", "/1.0/projects", "recursion filter", "", "sync [url]|[Project]", "Lists projects"},
    Description{"POST", "/1.0/projects", "", "ProjectsPost", "created", "Makes a project"},
    Description{"GET", "/1.0/projects/{name}", "", "", "tagged Project", "A project"},
    Description{"PUT", "/1.0/projects/{name}", "If-Match", "ProjectPut", "empty", "Replaces a project"},
    Description{"PATCH", "/1.0/projects/{name}", "If-Match", "ProjectPut", "empty", "Changes a project"},
    Description{"POST", "/1.0/projects/{name}", "", "Rename", "async", "Renames a project"},
    Description{"DELETE", "/1.0/projects/{name}", "", "", "empty", "Deletes a project that has nothing in it"},
    Description{"GET", "/1.0/projects/{name}/state", "", "", "sync ProjectState", "What a project uses of its limits"},

    Description{"GET", "/1.0/storage-pools", "recursion", "", "sync [url]|[StoragePool]", "Lists storage pools"},
    Description{"GET", "/1.0/storage-pools/{name}", "", "", "tagged StoragePool", "A storage pool"},
    Description{"GET", "/1.0/storage-pools/{name}/resources", "", "", "sync StoragePoolResources", "What of a storage pool is used"},
    Description{"GET", "/1.0/resources", "", "", "sync Resources", "What the host is made of"},

    Description{"GET", "/1.0/certificates", "recursion", "", "sync [url]|[Certificate]", "Lists the certificates of trusted clients"},
    Description{"POST", "/1.0/certificates", "", "CertificatesPost", "created; async", "Trusts a client, or makes a token (202) with which one gains trust"},
    Description{"GET", "/1.0/certificates/{fingerprint}", "", "", "tagged Certificate", "A certificate"},
    Description{"PUT", "/1.0/certificates/{fingerprint}", "If-Match", "CertificatePut", "empty", "Replaces what is said of a certificate"},
    Description{"PATCH", "/1.0/certificates/{fingerprint}", "If-Match", "CertificatePut", "empty", "Changes what is said of a certificate"},
    Description{"DELETE", "/1.0/certificates/{fingerprint}", "", "", "empty", "Trusts a client no longer"},

    Description{"GET", "/1.0/operations", "project all-projects recursion", "", "sync {[url]}|{[Operation]}", "Lists operations by their status"},
    Description{"GET", "/1.0/operations/{id}", "", "", "sync Operation", "An operation"},
    Description{"DELETE", "/1.0/operations/{id}", "", "", "empty", "Cancels an operation"},
    Description{"GET", "/1.0/operations/{id}/wait", "timeout", "", "sync Operation", "An operation, when it has ended or the time is over"},
    Description{"GET", "/1.0/operations/{id}/websocket", "secret", "", "websocket", "A stream of an exec or console"},
    Description{"GET", "/1.0/events", "project all-projects type", "", "websocket Event", "What happens, as it happens"},
};

}  // namespace

std::span<const Description> description_table() { return kDescriptions; }
std::span<const Parameter> parameter_table() { return kParameters; }

}  // namespace berth::rest::openapi
