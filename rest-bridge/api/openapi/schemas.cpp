#include "rest-bridge/api/openapi/notation.hpp"
#include "rest-bridge/api/openapi/tables.hpp"

namespace berth::rest::openapi {
namespace {

/// In the notation of notation.hpp. An unset time is the year 1, or the beginning of 1970 where LXD has that.
constexpr std::string_view kObjects = R"(
Server: What the server tells of itself; the last two members are for trusted clients
  api_extensions [text]           names of LXD's extensions that are served
  api_status     (stable)
  api_version    text
  auth           (trusted|untrusted)
  auth_methods   [text]
  public         flag
  config?        object           keys of the server; `true` for a secret that is set
  environment?   Environment
Environment: The host and the programs of the server
  addresses               [text]  where HTTPS is served
  architectures           [text]
  certificate?            text    PEM, of the server
  certificate_fingerprint? text
  driver                  text
  driver_version          text
  firewall?               text
  kernel                  text
  kernel_architecture     text
  kernel_features         {text}
  kernel_version          text
  lxc_features            {text}
  os_name                 text
  os_version              text
  project                 text    the project that the request named
  server                  text
  server_clustered        flag
  server_event_mode       text
  server_name             text
  server_pid              number
  server_version          text
  storage                 text
  storage_version         text
  storage_supported_drivers [StorageDriver]
StorageDriver: A way to keep file systems
  Name    text
  Version text
  Remote  flag
ServerPut: The configuration of the server
  config? object

Instance: A system container
  name             text
  description      text
  project          text
  location         text
  type             (container)
  architecture     text
  status           text
  status_code      number
  ephemeral        flag       deleted when it stops
  stateful         flag
  config           {text}     its own keys
  devices          {{text}}   its own devices
  expanded_config  {text}     with those of its profiles
  expanded_devices {{text}}
  profiles         [text]
  created_at       time
  last_used_at     time
InstanceFull < Instance: An instance and all that belongs to it
  backups   [InstanceBackup]?
  snapshots [InstanceSnapshot]?
  state     InstanceState
InstancesPost: An instance to be made
  name?          text         made up when it is missing
  source         InstanceSource
  type?          (container)
  architecture?  text
  description?   text
  config?        {text}
  devices?       {{text}}
  profiles?      [text]       `default` when missing
  ephemeral?     flag
  start?         flag
InstanceSource: What an instance is made of
  type           (image|copy|none)
  alias?         text         of an image
  fingerprint?   text         of an image, or the beginning of it
  properties?    {text}       of the newest image that has them
  source?        text         an instance, or `instance/snapshot`
  project?       text         where that instance is
  instance_only? flag         without its snapshots
  container_only? flag        the same, for older clients
  refresh?       flag         bring an earlier copy up to date
InstancePut: What can be changed of an instance
  architecture?  text
  description?   text
  config?        {text}
  devices?       {{text}}
  profiles?      [text]
  ephemeral?     flag
  restore?       text         the snapshot to go back to; the rest is not looked at then
InstancesPut: A change of state for all instances
  state InstanceStatePut
InstanceStatePut: A change of state
  action   (start|stop|restart|freeze|unfreeze)
  timeout? number             seconds until a stop fails; negative: wait
  force?   flag               stop it without asking
Rename: A new name
  name text
InstancePost: A new name, here or in another project
  name?      text
  migration? flag             move it; it must be stopped
  project?   text             where to

InstanceState: What an instance uses now
  status      text
  status_code number
  pid         number          of its init, on the host; 0 when it is stopped
  processes   number
  cpu         InstanceCpu
  memory      InstanceMemory
  disk        {InstanceDisk}? by device
  network     {InstanceNetwork}? by interface
InstanceCpu: Time on processors
  usage number                nanoseconds
InstanceMemory: Bytes of memory
  usage           number
  usage_peak      number
  swap_usage      number
  swap_usage_peak number
InstanceDisk: Bytes on a disk
  usage number
InstanceNetwork: An interface inside an instance
  addresses [InstanceAddress]
  counters  InstanceCounters
  host_name text              of its other end on the host
  hwaddr    text
  mtu       number
  state     text
  type      text
InstanceAddress: An address of an interface
  address text
  family  (inet|inet6)
  netmask text                bits
  scope   text
InstanceCounters: What went through an interface
  bytes_received           number
  bytes_sent               number
  errors_received          number
  errors_sent              number
  packets_dropped_inbound  number
  packets_dropped_outbound number
  packets_received         number
  packets_sent             number

InstanceSnapshot: An instance as it was
  name             text
  architecture     text
  config           {text}
  devices          {{text}}
  expanded_config  {text}
  expanded_devices {{text}}
  profiles         [text]
  ephemeral        flag
  stateful         flag
  size             number     -1: not known
  created_at       time
  expires_at       time
  last_used_at     time
SnapshotsPost: A snapshot to be taken
  name?       text            made of `snapshots.pattern` when missing
  expires_at? time?           null: as `snapshots.expiry` says
SnapshotPut: What can be changed of a snapshot
  expires_at? time?
InstanceBackup: An archive of an instance
  name              text
  created_at        time
  expires_at        time
  instance_only     flag
  container_only    flag
  optimized_storage flag
BackupsPost: A backup to be made
  name?                  text
  expires_at?            time?
  instance_only?         flag
  container_only?        flag
  compression_algorithm? text
ExecPost: A command to be run
  command             [text]
  environment?        {text}
  user?               number
  group?              number
  cwd?                text
  wait-for-websocket? flag    streams are websockets, and the command waits for them
  interactive?        flag    on a terminal
  width?              number
  height?             number
  record-output?      flag    without websockets: keep the output as logs
ConsolePost: How the console is attached
  type?   (console)
  width?  number
  height? number
ImageMetadata: The metadata.yaml of an image
  architecture?  text
  creation_date? number       seconds since 1970
  expiry_date?   number
  properties?    {text}
  templates?     {ImageTemplate}
ImageTemplate: A file of the instance that is made of a template
  when        [text]
  create_only flag
  template    text
  properties  {text}?

Image: A file system to make instances of
  fingerprint  text           SHA-256
  type         (container)
  architecture text
  filename     text
  size         number
  public       flag
  cached       flag
  auto_update  flag
  aliases      [ImageAliasName]
  profiles     [text]
  properties   {text}
  created_at   time
  expires_at   time
  uploaded_at  time
  last_used_at time
ImageAliasName: A name of an image
  name        text
  description text
ImageAlias < ImageAliasName: A name and what it stands for
  target text                 the image's fingerprint
  type   (container)
ImagesPost: An image to be made of an instance
  source                 ImageSource
  aliases?               [NewAlias]
  properties?            {text}
  profiles?              [text]
  filename?              text
  public?                flag
  expires_at?            time?
  compression_algorithm? text
ImageSource: What an image is made of
  type (container|instance|snapshot)
  name text                   an instance, or `instance/snapshot`
NewAlias: A name for an image that is made
  name         text
  description? text
ImagePut: What can be changed of an image
  properties?  {text}
  profiles?    [text]
  public?      flag
  auto_update? flag
  expires_at?  time?
AliasesPost: An alias to be made
  name         text
  target       text
  description? text
AliasPut: What can be changed of an alias
  target?      text
  description? text

Profile: Configuration and devices that instances share
  name        text
  description text
  config      {text}
  devices     {{text}}
  used_by     [url]
ProfilePut: What can be changed of a profile
  description? text
  config?      {text}
  devices?     {{text}}
ProfilesPost < ProfilePut: A profile to be made
  name text
Project: A set of instances, and of what it does not share with others
  name        text
  description text
  config      {text}
  used_by     [url]
ProjectPut: What can be changed of a project
  description? text
  config?      {text}
ProjectsPost < ProjectPut: A project to be made
  name text
ProjectState: What a project uses
  resources {ProjectUsage}
ProjectUsage: A limit and how much of it is used
  Limit number                -1: none
  Usage number
StoragePool: A place where instances are kept
  name        text
  description text
  driver      text
  status      text
  config      {text}
  locations   [text]
  used_by     [url]
StoragePoolResources: What of a pool is used
  space  UsedOf
  inodes UsedOf
UsedOf: A part and the whole
  used  number
  total number

Certificate: A client that is trusted
  name        text
  type        (client|metrics)
  fingerprint text
  certificate text            PEM
  restricted  flag
  projects    [text]
CertificatesPost: A client to be trusted
  name?        text
  type?        (client|metrics)
  certificate? text           DER as base64; missing: the one of this connection
  password?    text           the trust password or a token's secret, from strangers
  token?       flag           make a token for a client that adds itself
  restricted?  flag
  projects?    [text]
CertificatePut: What can be changed of a certificate
  name?        text
  type?        (client|metrics)
  certificate? text           PEM
  restricted?  flag
  projects?    [text]

Operation: Work that goes on after its request was answered
  id          text
  class       (task|websocket|token)
  description text
  status      text
  status_code number          below 200 while it works; 200 success, 400 failure, 401 cancelled
  err         text
  location    text
  may_cancel  flag
  metadata    object?         progress and results
  resources   {[url]}?        what it is about
  created_at  time
  updated_at  time
Event: A frame of the event stream
  type      (operation|lifecycle|logging)
  timestamp time
  location  text
  project?  text
  metadata  object            an operation, or what happened to what

Envelope: What every answer of JSON begins with
  type        (sync|async|error)
  status      text
  status_code number
  operation   url
  error_code  number
  error       text
AsyncAnswer < Envelope: The announcement of an operation
  metadata Operation
ErrorAnswer < Envelope: A refusal
  metadata object?
)";

}  // namespace

Json object_schemas() {
  auto schemas = schemas_in(kObjects);
  schemas.update(schemas_in(kHardwareObjects));
  return schemas;
}

}  // namespace berth::rest::openapi
