#!/usr/bin/python3
"""pylxd 2.2.10 against a private Berth, as programs use it."""

import os
import queue
import sys
import threading
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "support"))
from harness import Instance, case, contains, equal, run_cases  # noqa: E402  pylint: disable=wrong-import-position

import pylxd  # noqa: E402  pylint: disable=wrong-import-position

warnings.simplefilter("ignore")  # it warns of fields it does not know, with LXD 5.0.2 as well


def refused(work, error, text=""):
    try:
        work()
    except error as said:
        contains(str(said), text)
        return
    raise AssertionError(f"{error.__name__} was not raised")


@case("The client finds a trusted server and its extensions")
def _(berth, client):
    equal(client.trusted, True)
    equal(client.host_info["environment"]["server"], "berth")
    for extension in ("instances", "etag", "container_full"):
        equal(client.has_api_extension(extension), True, extension)
    equal(client.containers.all(), [])


@case("An image is uploaded, named, found by its alias and edited")
def _(berth, client):
    with open(berth.make_image("bb.tar.gz", "--busybox", "--compress", "gzip"), "rb") as file:
        image = client.images.create(file.read(), public=False, wait=True)
    image.add_alias("bb", "the small one")
    equal(client.images.get_by_alias("bb").fingerprint, image.fingerprint)
    equal(client.images.exists("bb", alias=True), True)
    image.properties["description"] = "changed"
    image.save(wait=True)
    equal(client.images.get(image.fingerprint).properties["description"], "changed")
    refused(lambda: client.images.get("0" * 64), pylxd.exceptions.NotFound)


@case("An instance is created of the alias, started and seen to run")
def _(berth, client):
    made = client.containers.create({"name": "c1", "source": {"type": "image", "alias": "bb"}, "config": {"user.a": "1"}}, wait=True)
    equal(made.status, "Stopped")
    made.start(wait=True)
    equal(client.containers.get("c1").status, "Running")
    equal(made.state().status_code, 103)
    equal([one.name for one in client.containers.all()], ["c1"])
    refused(lambda: made.start(wait=True), pylxd.exceptions.LXDAPIException, "already running")
    refused(lambda: client.containers.create({"name": "c1", "source": {"type": "image", "alias": "bb"}}, wait=True),
            pylxd.exceptions.LXDAPIException, "already exists")


@case("execute gives the code, both outputs, and takes input and environment")
def _(berth, client):
    instance = client.containers.get("c1")
    done = instance.execute(["sh", "-c", "echo out; echo err >&2; exit 3"])
    equal((done.exit_code, done.stdout, done.stderr), (3, "out\n", "err\n"))
    done = instance.execute(["sh", "-c", "cat; echo $GREETING"], environment={"GREETING": "hello"}, stdin_payload="piped ")
    equal((done.exit_code, done.stdout), (0, "piped hello\n"))
    big = instance.execute(["sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x"])
    equal(len(big.stdout), 300000)


@case("Files are put one by one and in trees, read and deleted")
def _(berth, client):
    instance = client.containers.get("c1")
    instance.files.put("/root/a", b"one\0two", mode=0o640, uid=7, gid=8)
    equal(instance.files.get("/root/a"), b"one\0two")
    equal(instance.execute(["stat", "-c", "%a %u %g", "/root/a"]).stdout, "640 7 8\n")
    tree = f"{berth.work}/tree"
    os.makedirs(f"{tree}/inner")
    for name in ("one", "inner/two"):
        with open(f"{tree}/{name}", "w", encoding="utf-8") as file:
            file.write(name)
    instance.files.recursive_put(tree, "/root/tree")
    equal(instance.files.get("/root/tree/inner/two"), b"inner/two")
    instance.files.delete("/root/a")
    refused(lambda: instance.files.get("/root/a"), pylxd.exceptions.NotFound)


@case("Configuration is saved, and a key that nobody knows is refused with its name")
def _(berth, client):
    instance = client.containers.get("c1")
    instance.config["user.a"] = "2"
    instance.save(wait=True)
    equal(client.containers.get("c1").config["user.a"], "2")
    instance.config["limits.nonsense"] = "1"
    refused(lambda: instance.save(wait=True), pylxd.exceptions.LXDAPIException, "limits.nonsense")
    equal("limits.nonsense" in client.containers.get("c1").config, False)


@case("Snapshots are taken, listed, restored and deleted")
def _(berth, client):
    instance = client.containers.get("c1")
    instance.snapshots.create("s0", stateful=False, wait=True)
    equal([one.name for one in instance.snapshots.all()], ["s0"])
    instance.files.put("/root/later", b"x")
    instance.restore_snapshot("s0", wait=True)
    refused(lambda: instance.files.get("/root/later"), pylxd.exceptions.NotFound)
    instance.snapshots.get("s0").delete(wait=True)
    equal(instance.snapshots.all(), [])


@case("Profiles are made, used, changed and deleted")
def _(berth, client):
    client.profiles.create("p1", config={"user.p": "1"}, devices={})
    profile = client.profiles.get("p1")
    instance = client.containers.get("c1")
    instance.profiles = ["default", "p1"]
    instance.save(wait=True)
    equal(client.containers.get("c1").expanded_config["user.p"], "1")
    equal(client.profiles.get("p1").used_by, ["/1.0/instances/c1"])
    refused(profile.delete, pylxd.exceptions.LXDAPIException, "use")
    instance.sync()
    instance.profiles = ["default"]
    instance.save(wait=True)
    profile.rename("p2")
    client.profiles.get("p2").delete()
    equal([one.name for one in client.profiles.all()], ["default"])


@case("Events of operations arrive while something is done")
def _(berth, client):
    heard, stream = queue.Queue(), client.events()
    stream.received_message = lambda message: heard.put(str(message))
    listener = threading.Thread(target=stream.run, daemon=True)
    stream.connect()
    listener.start()
    client.containers.get("c1").freeze(wait=True)
    contains(heard.get(timeout=20), "Freezing instance")
    client.containers.get("c1").unfreeze(wait=True)
    stream.close()


@case("A program that has closed its event stream goes on at once")
def _(_, client):
    for _ in range(50):
        stream = client.events()
        stream.connect()
        equal(client.containers.get("c1").status, "Running")
        stream.close_connection()
        equal(client.containers.get("c1").status, "Running")


@case("A stopped instance is renamed, and deleted with all that is its own")
def _(berth, client):
    instance = client.containers.get("c1")
    instance.stop(force=True, wait=True)
    instance.rename("c2", wait=True)
    refused(lambda: client.containers.get("c1"), pylxd.exceptions.NotFound)
    client.containers.get("c2").delete(wait=True)
    equal(client.containers.exists("c2"), False)
    client.images.get_by_alias("bb").delete(wait=True)
    equal(client.images.all(), [])


if __name__ == "__main__":
    BERTH = Instance()
    os.environ["LXD_DIR"] = BERTH.environment["LXD_DIR"]
    sys.exit(1 if run_cases(BERTH, pylxd.Client()) else 0)
