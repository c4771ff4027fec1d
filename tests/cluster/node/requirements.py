"""What a machine must have for a cluster.

`python -m tests.cluster.node.requirements` names what lacks, with status 1 if anything does.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster.programs.build import CACHE

_PROGRAMS = {
    "conntrack": "package conntrack",
    "containerd": "package containerd",
    "docker-registry": "package docker-registry",
    "dockerd": "package docker.io",
    "go": "https://go.dev/dl, 1.26 or newer",
    "ip": "package iproute2",
    "ipset": "package ipset",
    "iptables": "package iptables",
    "mariadbd": "package mariadb-server-core",
    "mmdebstrap": "package mmdebstrap",
    "nsenter": "package util-linux",
    "runc": "package runc",
}
# What the firewall and the pods' network ask of the kernel, tried in a network of their own.
_KERNEL = """
set -e
ip link add bridge0 type bridge
ip link add pair0 type veth peer name pair1
ipset create addresses hash:ip
iptables -t nat -A POSTROUTING -j MASQUERADE
iptables -A FORWARD -m set --match-set addresses src -m conntrack --ctstate NEW \
  -m statistic --mode random --probability 0.5 -j REJECT
"""


# Images are there three times: as layers of a build, in the registry, and unpacked on the node.
_FREE_GB = 15


def missing() -> list[str]:
    """Name what this machine lacks, each as a person would say it."""
    if os.geteuid() != 0:
        return ["root"]
    lacks = [f"{name} ({hint})" for name, hint in _PROGRAMS.items() if not shutil.which(name)]
    if not Path("/usr/lib/cni/ptp").exists():
        lacks.append("CNI's plugins (package containernetworking-plugins)")
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        lacks.append("the kernel's overlay file system (modprobe overlay)")
    CACHE.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(CACHE).free // 10**9
    if free < _FREE_GB:
        lacks.append(f"{_FREE_GB} GB of disk space for images ({free} GB are free)")
    return lacks or _kernel()


def _kernel() -> list[str]:
    namespaces = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"]
    tried = subprocess.run(
        [*namespaces, "sh", "-c", _KERNEL], capture_output=True, text=True, check=False
    )
    return [f"a kernel that allows this: {tried.stderr.strip()}"] if tried.returncode else []


if __name__ == "__main__":
    if lacks := missing():
        sys.exit(f"A cluster cannot run here. Missing: {'; '.join(lacks)}")
