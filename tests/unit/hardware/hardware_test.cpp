#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/adapters/hardware/sysfs_hardware.hpp"
#include "daemon/domain/document_json.hpp"
#include "tests/fakes/fake_host_hardware.hpp"
#include "tests/unit/hardware/host_hardware_contract.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::IsEmpty;

/// A root with the files of /sys and /proc that a test writes.
class HostTree {
 public:
  void file(const std::string& name, const std::string& text) const {
    const fs::path path = root() + "/" + name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  /// `name` leads to `target`, both below the root.
  void link(const std::string& name, const std::string& target) const {
    const fs::path path = root() + "/" + name;
    fs::create_directories(path.parent_path());
    fs::create_directories(fs::path(root()) / target);
    fs::create_symlink(fs::path(root()) / target, path);
  }
  const std::string& root() const { return folder_.path(); }

 private:
  testing_support::TemporaryFolder folder_;
};

class FakeHost : public testing::Test {
 protected:
  fakes::FakeHostHardware& port() { return port_; }
  fakes::FakeHostHardware port_;
};

class KernelFiles : public testing::Test {
 protected:
  hardware::SysfsHardware& port() { return port_; }
  Json told() { return Json::parse(to_json(port_.resources())); }
  /// One thread of a processor.
  void cpu(int number, int socket, int core) const {
    const auto folder = "sys/devices/system/cpu/cpu" + std::to_string(number);
    tree_.file(folder + "/topology/physical_package_id", std::to_string(socket) + "\n");
    tree_.file(folder + "/topology/core_id", std::to_string(core) + "\n");
    tree_.file(folder + "/topology/die_id", "0\n");
    fs::create_directories(tree_.root() + "/" + folder + "/node" + std::to_string(socket));
  }
  void pci(const std::string& address, const std::string& kind, const std::string& vendor, const std::string& product) const {
    const auto folder = "sys/devices/pci0000:00/" + address;
    tree_.file(folder + "/class", kind + "\n");
    tree_.file(folder + "/vendor", vendor + "\n");
    tree_.file(folder + "/device", product + "\n");
    tree_.file(folder + "/numa_node", "-1\n");
    tree_.link(folder + "/subsystem", "sys/bus/pci");
    tree_.link("sys/bus/pci/devices/" + address, folder);
  }

  HostTree tree_;
  hardware::SysfsHardware port_{tree_.root(), "6.1.0", "x86_64"};
};

/// The machine the tests run on, whatever it is.
class ThisHost : public testing::Test {
 protected:
  hardware::SysfsHardware& port() { return port_; }
  hardware::SysfsHardware port_{"", "6.1.0", "x86_64"};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Fake, HostHardwareContract, FakeHost);
INSTANTIATE_TYPED_TEST_SUITE_P(NoFiles, HostHardwareContract, KernelFiles);
INSTANTIATE_TYPED_TEST_SUITE_P(Host, HostHardwareContract, ThisHost);

TEST_F(KernelFiles, ThreadsStandInTheirCoresAndSockets) {
  cpu(0, 0, 0);
  cpu(1, 0, 0);
  cpu(2, 1, 0);
  tree_.file("sys/devices/system/cpu/cpu1/online", "0\n");
  tree_.file("sys/devices/system/cpu/isolated", "2-3\n");
  tree_.file("proc/cpuinfo",
             "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n\nprocessor\t: 2\nmodel name\t: Other\n");
  tree_.file("sys/devices/system/cpu/cpu0/cache/index0/level", "1\n");
  tree_.file("sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n");
  tree_.file("sys/devices/system/cpu/cpu0/cache/index0/size", "32K\n");
  tree_.file("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_min_freq", "800000\n");
  tree_.file("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3500000\n");
  tree_.file("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2100000\n");
  const auto cpu = told()["cpu"];
  EXPECT_EQ(cpu["total"], 3);
  EXPECT_EQ(cpu["architecture"], "x86_64");
  EXPECT_EQ(cpu["sockets"][0], Json::parse(R"({"socket":0,"name":"AMD EPYC","vendor":"AuthenticAMD","frequency":2100,
      "frequency_minimum":800,"frequency_turbo":3500,"cache":[{"level":1,"type":"Data","size":32768}],
      "cores":[{"core":0,"die":0,"frequency":2100,"threads":[
        {"id":0,"numa_node":0,"thread":0,"online":true,"isolated":false},
        {"id":1,"numa_node":0,"thread":1,"online":false,"isolated":false}]}]})"));
  EXPECT_EQ(cpu["sockets"][1], Json::parse(R"({"socket":1,"name":"Other","cores":[{"core":0,"die":0,"threads":[
        {"id":2,"numa_node":1,"thread":0,"online":true,"isolated":true}]}]})"));
}

TEST_F(KernelFiles, MemoryIsWhatTheBlocksHoldAndWhatIsInUse) {
  tree_.file("proc/meminfo",
             "MemTotal: 1000 kB\nMemFree: 300 kB\nBuffers: 50 kB\nCached: 150 kB\nHugePages_Total: 4\n"
             "HugePages_Free: 3\nHugepagesize: 2048 kB\n");
  tree_.file("sys/devices/system/memory/block_size_bytes", "100000\n");
  tree_.file("sys/devices/system/memory/memory0/online", "1\n");
  tree_.file("sys/devices/system/memory/memory1/online", "0\n");
  tree_.file("sys/devices/system/node/node0/meminfo",
             "Node 0 MemTotal: 900 kB\nNode 0 MemFree: 200 kB\nNode 0 FilePages: 100 kB\nNode 0 HugePages_Total: 2\n");
  EXPECT_EQ(told()["memory"], Json::parse(R"({"total":1048576,"used":512000,"hugepages_size":2097152,
      "hugepages_total":8388608,"hugepages_used":2097152,"nodes":[
        {"numa_node":0,"used":614400,"total":921600,"hugepages_total":4194304,"hugepages_used":4194304}]})"));
}

TEST_F(KernelFiles, DisksAreDevicesAndNoLoops) {
  pci("0000:00:02.0", "0x010000", "0x1af4", "0x1042");
  const std::string disk = "sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda";
  tree_.link("sys/devices/pci0000:00/0000:00:02.0/virtio1/subsystem", "sys/bus/virtio");
  tree_.file(disk + "/dev", "254:0\n");
  tree_.file(disk + "/size", "2048\n");
  tree_.file(disk + "/ro", "0\n");
  tree_.file(disk + "/queue/rotational", "1\n");
  tree_.file(disk + "/queue/physical_block_size", "4096\n");
  tree_.file(disk + "/vda1/partition", "1\n");
  tree_.file(disk + "/vda1/dev", "254:1\n");
  tree_.file(disk + "/vda1/size", "1024\n");
  tree_.link(disk + "/device", "sys/devices/pci0000:00/0000:00:02.0/virtio1");
  tree_.link("sys/class/block/vda", disk);
  tree_.file("sys/class/block/loop0/dev", "7:0\n");
  EXPECT_EQ(told()["storage"], Json::parse(R"({"total":1,"disks":[{"id":"vda","device":"254:0","type":"virtio",
      "read_only":false,"size":1048576,"removable":false,"numa_node":0,"block_size":4096,"rpm":1,"device_id":"",
      "partitions":[{"id":"vda1","device":"254:1","read_only":false,"size":524288,"partition":1}],
      "pci_address":"0000:00:02.0"}]})"));
}

TEST_F(KernelFiles, ACardIsListedOnceWithItsPortsAndACardWithoutInterfaceToo) {
  pci("0000:00:03.0", "0x020000", "0x1af4", "0x1041");
  pci("0000:00:04.0", "0x020000", "0x8086", "0x1521");
  pci("0000:00:05.0", "0x030000", "0x1234", "0x1111");
  const std::string virtio = "sys/devices/pci0000:00/0000:00:03.0/virtio2";
  tree_.link("sys/devices/pci0000:00/0000:00:03.0/driver", "sys/bus/pci/drivers/virtio-pci");
  tree_.link(virtio + "/subsystem", "sys/bus/virtio");
  tree_.file(virtio + "/net/eth0/type", "1\n");
  tree_.file(virtio + "/net/eth0/address", "00:16:3e:00:00:01\n");
  tree_.file(virtio + "/net/eth0/carrier", "1\n");
  tree_.file(virtio + "/net/eth0/speed", "-1\n");
  tree_.link(virtio + "/net/eth0/device", virtio);
  tree_.link("sys/class/net/eth0", virtio + "/net/eth0");
  tree_.file("sys/class/net/lo/type", "772\n");
  const auto parts = told();
  EXPECT_EQ(parts["network"], Json::parse(R"({"total":2,"cards":[
      {"driver":"virtio-pci","driver_version":"6.1.0","numa_node":0,"pci_address":"0000:00:03.0","vendor_id":"1af4",
       "product_id":"1041","ports":[{"id":"eth0","address":"00:16:3e:00:00:01","port":0,"protocol":"ethernet",
       "auto_negotiation":false,"link_detected":true}]},
      {"numa_node":0,"pci_address":"0000:00:04.0","vendor_id":"8086","product_id":"1521"}]})"));
  EXPECT_EQ(parts["gpu"]["cards"][0]["product_id"], "1111");
  EXPECT_EQ(parts["pci"]["total"], 3);
  EXPECT_EQ(parts["pci"]["devices"][1], Json::parse(R"({"driver":"","driver_version":"","numa_node":0,
      "pci_address":"0000:00:04.0","vendor":"","vendor_id":"8086","product":"","product_id":"1521","iommu_group":0,"vpd":{}})"));
}

TEST_F(KernelFiles, UsbDevicesAreListedAndHubsAreNot) {
  for (const auto* name : {"1-1", "usb1"}) {
    const auto folder = "sys/bus/usb/devices/" + std::string(name);
    tree_.file(folder + "/busnum", "1\n");
    tree_.file(folder + "/devnum", "2\n");
    tree_.file(folder + "/bDeviceClass", std::string(name) == "usb1" ? "09\n" : "00\n");
    tree_.file(folder + "/idVendor", "0951\n");
    tree_.file(folder + "/idProduct", "1666\n");
    tree_.file(folder + "/product", "Stick\n");
    tree_.file(folder + "/speed", "1.5\n");
  }
  tree_.file("sys/bus/usb/devices/1-1/1-1:1.0/bInterfaceNumber", "00\n");
  tree_.file("sys/bus/usb/devices/1-1/1-1:1.0/bInterfaceClass", "08\n");
  tree_.file("sys/bus/usb/devices/1-1/1-1:1.0/bInterfaceSubClass", "06\n");
  EXPECT_EQ(told()["usb"], Json::parse(R"({"total":1,"devices":[{"bus_address":1,"device_address":2,"vendor":"",
      "vendor_id":"0951","product":"Stick","product_id":"1666","speed":"1.5","interfaces":[{"class":"Mass Storage",
      "class_id":8,"driver":"","driver_version":"","number":0,"subclass":"","subclass_id":6}]}]})"));
}

TEST_F(KernelFiles, TheFirmwareNamesTheMachineOrItsPartsAreAbsent) {
  EXPECT_FALSE(told()["system"].contains("firmware"));
  tree_.file("sys/class/dmi/id/sys_vendor", "Maker\n");
  tree_.file("sys/class/dmi/id/chassis_type", "23\n");
  tree_.file("sys/class/dmi/id/bios_vendor", "SeaBIOS\n");
  tree_.file("proc/cpuinfo", "processor : 0\nflags : fpu hypervisor lm\n");
  const auto system = told()["system"];
  EXPECT_EQ(system["vendor"], "Maker");
  EXPECT_EQ(system["type"], "virtual-machine");
  EXPECT_EQ(system["chassis"]["type"], "Rack Mount Chassis");
  EXPECT_EQ(system["firmware"], Json::parse(R"({"vendor":"SeaBIOS","date":"","version":""})"));
  EXPECT_FALSE(system.contains("motherboard"));
  tree_.file("run/systemd/container", "lxc\n");
  EXPECT_EQ(told()["system"]["type"], "container");
}

TEST_F(KernelFiles, FilesThatMakeNoSenseAreFieldsThatAreAbsent) {
  cpu(0, 0, 0);
  tree_.file("sys/devices/system/cpu/cpu0/topology/physical_package_id", "-7\n");
  tree_.file("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "99999999999999999999999\n");
  tree_.file("sys/devices/system/cpu/isolated", "5-3,0-18446744073709551615,x,,\n");
  tree_.file("sys/devices/system/cpu/cpu0/cache/index0/level", "1\n");
  tree_.file("sys/devices/system/cpu/cpu0/cache/index0/size", "18446744073709551615M\n");
  tree_.file("proc/meminfo", "MemTotal: 18446744073709551615 kB\nMemFree\n:\nHugepagesize:\n");
  tree_.file("sys/class/dmi/id/sys_vendor", "bad\x01\xff\n");
  ASSERT_EQ(::mkfifo((tree_.root() + "/sys/class/dmi/id/product_name").c_str(), 0600), 0);
  fs::create_directory(tree_.root() + "/sys/class/dmi/id/product_serial");
  fs::create_directories(tree_.root() + "/sys/class/block");
  fs::create_symlink("nowhere", tree_.root() + "/sys/class/block/vda");
  fs::create_symlink("vdb", tree_.root() + "/sys/class/block/vdb");
  const auto parts = told();
  EXPECT_EQ(parts["cpu"]["sockets"][0]["socket"], 0);
  EXPECT_FALSE(parts["cpu"]["sockets"][0].contains("frequency_turbo"));
  EXPECT_FALSE(parts["cpu"]["sockets"][0].contains("cache"));
  EXPECT_EQ(parts["memory"]["total"], 0);
  EXPECT_EQ(parts["system"]["vendor"], "bad?");
  EXPECT_EQ(parts["system"]["product"], "");
  EXPECT_EQ(parts["system"]["serial"], "");
  EXPECT_THAT(parts["storage"]["disks"], IsEmpty());
}

}  // namespace
}  // namespace berth
