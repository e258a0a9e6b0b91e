"""What a host may lack: VLANs and bonds, over two cards of a guest under the appliance's kernel."""
import pathlib
import sys

from machine import TOP, kernel

sys.path.insert(0, str(TOP / "kernel-config"))
import guest  # noqa: E402

DRIVER = TOP / "build/host/tests/init/network_many"
SECONDS = 5  # for each configuration, emulated
CARDS = [word for card in (0, 1) for word in (
    "-netdev", f"hubport,id=n{card},hubid=0",
    "-device", f"virtio-net-pci,netdev=n{card},mac=52:54:00:00:00:0{card + 1}")]


def run(tmp_path, steps):
    """Each step: a configuration and what must be said of it, as commands of a shell."""
    words = [str(DRIVER), str(SECONDS)]
    files = []
    for number, (text, checks) in enumerate(steps):
        files.append(tmp_path / f"{number}.conf")
        files[-1].write_text(text)
        words += [str(files[-1]), "; ".join(["set -ex", *checks])]
    code, heard = guest.run(pathlib.Path(kernel()).parent, [DRIVER, "/sbin/ip", "/bin/grep"], files, words,
                            python=False, memory="512M", seconds=120, directory=tmp_path / "guest",
                            arguments=CARDS)
    assert code == 0, heard.decode(errors="replace") + guest.explain(tmp_path / "guest")
    return heard.decode()


def test_vlans_and_bonds_come_and_go(tmp_path):
    heard = run(tmp_path, [
        ("""vlan "eth0.10" { parent = "eth0" id = 10 method = static ipv6 = static
              addresses = {"192.0.2.9/24", "2001:db8::9/64"} gateway = "192.0.2.1" }""",
         ["/sbin/ip -d link show eth0.10 | grep 'vlan protocol 802.1Q id 10'",
          "/sbin/ip address show eth0.10 | grep 'inet 192.0.2.9/24'",
          "/sbin/ip address show eth0.10 | grep 'inet6 2001:db8::9/64'",
          "/sbin/ip route | grep 'default via 192.0.2.1 dev eth0.10'",
          "/sbin/ip link show eth0 | grep 'state UP'"]),
        ("""vlan "eth0.10" { parent = "eth1" id = 11 method = static ipv6 = off
              addresses = {"192.0.2.9/24"} }""",
         ["/sbin/ip -d link show eth0.10 | grep 'vlan protocol 802.1Q id 11'",
          "/sbin/ip link show eth0.10 | grep '@eth1'",
          "/sbin/ip address show eth0.10 | grep 'inet 192.0.2.9/24'"]),
        ("""bond "bond0" { members = {"eth0", "eth1"} mode = "active-backup" method = static ipv6 = static
              addresses = {"192.0.2.9/24", "2001:db8::9/64"} gateway = "192.0.2.1" mtu = 1400 }
            vlan "bond0.7" { parent = "bond0" id = 7 method = none ipv6 = off }""",
         ["! /sbin/ip link show eth0.10",
          "/sbin/ip -d link show bond0 | grep 'bond mode active-backup.* miimon 100'",
          "/sbin/ip link show eth0 | grep 'mtu 1400 .*master bond0 state UP'",
          "/sbin/ip link show eth1 | grep 'master bond0 state UP'",
          "/sbin/ip address show bond0 | grep 'inet 192.0.2.9/24'",
          "/sbin/ip address show bond0 | grep 'inet6 2001:db8::9/64'",
          "/sbin/ip route | grep 'default via 192.0.2.1 dev bond0'",
          "/sbin/ip link show bond0.7 | grep 'state UP'"]),
        ("""bond "bond0" { members = {"eth1"} mode = "802.3ad" method = none ipv6 = off }""",
         ["/sbin/ip -d link show bond0 | grep 'bond mode 802.3ad.* xmit_hash_policy layer3+4'",
          "/sbin/ip link show eth1 | grep 'master bond0'",
          "! /sbin/ip link show eth0 | grep 'master bond0'",
          "! /sbin/ip link show bond0.7"]),
        ("""interface "lan" { method = static ipv6 = off addresses = {"192.0.2.9/24"}
              match-mac = "52:54:00:00:00:02" }""",
         ["! /sbin/ip link show bond0",
          "/sbin/ip link show lan | grep 52:54:00:00:00:02",
          "/sbin/ip address show lan | grep 'inet 192.0.2.9/24'",
          "grep bbr /proc/sys/net/ipv4/tcp_congestion_control",
          "/sbin/ip link show lan | grep 'qdisc fq\\|qdisc mq'"]),
    ])
    assert '"driver":"virtio_net"' in heard
    assert '"method":"member"' in heard
    assert '"event":"setting"' not in heard and "event=setting" not in heard
