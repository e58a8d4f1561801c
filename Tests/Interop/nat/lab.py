"""A public segment with a server on it, and sites that are connected to it by a router of some kind or directly."""

from __future__ import annotations

from .namespaces import Namespace, Namespaces
from .rules import FIRST_PORT, PORTS, Inside, router_rules

SERVER, SECOND_SERVER = "198.51.100.1", "198.51.100.2"


class Site:
    """Hosts that share one access to the public segment."""

    def __init__(
        self, kind: str, public: str, router: Namespace | None, hosts: list[Namespace], addresses: list[str]
    ) -> None:
        self.kind = kind
        # The address that the public segment sees.
        self.public = public
        self.router = router
        self.hosts = hosts
        self.addresses = addresses

    def renumber(self) -> None:
        """Gives the first host another address in the place of its own."""
        network, _, number = self.address.rpartition(".")
        old, self.addresses[0] = self.address, f"{network}.{int(number) + 100}"
        gateway = f"{network}.1"
        self.host.ip(
            f"addr del {old}/24 dev eth0",
            f"addr add {self.address}/24 dev eth0",
            f"route add default via {gateway}",
        )

    @property
    def host(self) -> Namespace:
        return self.hosts[0]

    def rebind(self) -> None:
        """Has the router forget all connections: a symmetric NAT maps to other ports from then on, and TCP connections
        through it are dead."""
        self.router.forget_connections()

    @property
    def address(self) -> str:
        return self.addresses[0]


class Lab:
    """The whole network; `close` removes it.

    `server` is a namespace on the public segment with two addresses. Namespaces of different labs do not meet.
    """

    def __init__(self) -> None:
        self._namespaces = Namespaces()
        self._count = 0
        self.sites: list[Site] = []
        try:
            self.server = self._namespaces.add("server")
            self.server.ip(
                "link add segment type bridge",
                f"addr add {SERVER}/24 dev segment",
                f"addr add {SECOND_SERVER}/24 dev segment",
                "link set segment up",
            )
        except OSError:
            self.close()
            raise

    def add(self, kind: str, hosts: int = 1, network: str | None = None) -> Site:
        """A site behind a router of a kind, or on the segment itself if the kind is `public`.

        `network` is the beginning of its private addresses, for example `10.1.0`.
        """
        number = len(self.sites) + 1
        public = f"198.51.100.{10 + number}"
        if kind == "public":
            host = self._host(f"peer{number}")
            self._plug(host, "eth0", public)
            site = Site(kind, public, None, [host], [public])
        else:
            network = network or f"10.{number}.0"
            router = self._namespaces.add(f"router{number}")
            router.settings({"net/ipv4/ip_forward": "1"})
            router.ip("link add lan type bridge", f"addr add {network}.1/24 dev lan", "link set lan up")
            self._plug(router, "wan", public)
            inside = [Inside(index, f"{network}.{2 + index}") for index in range(hosts)]
            router.rules(router_rules(kind, public, inside))
            namespaces = []
            for host in inside:
                namespaces.append(self._host(f"peer{number}-{host.number}", host.number))
                join(router, "lan", f"p{host.number}", namespaces[-1], "eth0", f"{host.address}/24", f"{network}.1")
            site = Site(kind, public, router, namespaces, [host.address for host in inside])
        self.sites.append(site)
        return site

    def _host(self, name: str, number: int = 0) -> Namespace:
        host = self._namespaces.add(name)
        first = FIRST_PORT + number * PORTS
        host.settings({"net/ipv4/ip_local_port_range": f"{first} {first + PORTS - 1}"})
        return host

    def _plug(self, namespace: Namespace, interface: str, address: str) -> None:
        self._count += 1
        # The server does not forward: what goes to addresses that nobody has is lost there, as on the Internet.
        join(self.server, "segment", f"p{self._count}", namespace, interface, f"{address}/24", SERVER)

    def close(self) -> None:
        self._namespaces.remove()


def join(middle: Namespace, bridge: str, port: str, end: Namespace, interface: str, address: str, gateway: str) -> None:
    """Connects an interface of a namespace to a bridge in another."""
    middle.ip(
        f"link add {port} type veth peer name {interface} netns {end.name}",
        f"link set {port} master {bridge}",
        f"link set {port} up",
    )
    end.ip(f"addr add {address} dev {interface}", f"link set {interface} up", f"route add default via {gateway}")
