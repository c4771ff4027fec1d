"""The node's network: one address, routes to pods and services, and no way out."""

from tests.cluster.node.addresses import NODE, NODE_NETWORK, SERVICES
from tests.cluster.node.machine import Machine

# Many kernels lack the dummy device: a bridge holds the address, a pair of its own keeps it up.
_COMMANDS = f"""
ip link set lo up
ip link add node0 type bridge
ip link add node1 type veth peer name node2
ip link set node1 master node0
ip link set node1 up
ip link set node2 up
ip address add {NODE}/{NODE_NETWORK.split("/")[1]} dev node0
ip link set node0 up
ip route add {SERVICES} dev node0
sysctl --quiet --write net.ipv4.ip_forward=1
""".strip().splitlines()


def set_up(machine: Machine) -> None:
    """Make interfaces and routes in a machine's network namespace."""
    for command in _COMMANDS:
        machine.run(*command.split())
