"""What each kind of NAT does, in nftables' words. Names are those of RFC 4787.

An interface `wan` leads to the public segment, `lan` to the private network. Where the mapping does not depend on the
endpoint, the private ports are mapped by a table, each to another number: a peer that confuses the two is found out.
"""

from __future__ import annotations

import dataclasses

# Private ports of peer n begin at FIRST_PORT + n * PORTS, and become public ones by adding SHIFT.
FIRST_PORT, PORTS, SHIFT = 40_000, 256, 10_000

# Every kind of access, from the most open to the most closed.
KINDS = ("public", "full-cone", "address-restricted", "port-restricted", "symmetric", "firewall")


@dataclasses.dataclass(frozen=True)
class Inside:
    """A host behind a router."""

    number: int
    address: str

    @property
    def ports(self) -> range:
        first = FIRST_PORT + self.number * PORTS
        return range(first, first + PORTS)


def router_rules(kind: str, public: str, hosts: list[Inside]) -> str:
    """The rules of a router with this public address, for these hosts."""
    ports = [(host.address, port) for host in hosts for port in host.ports]
    outward = ", ".join(f"{port} : {public} . {port + SHIFT}" for _, port in ports)
    inward = ", ".join(f"{port + SHIFT} : {address} . {port}" for address, port in ports)
    mapped = "oifname wan meta l4proto { tcp, udp } snat to th sport map @outward"
    # What comes in: answers always; otherwise what one of these lets through.
    admitted = {
        # Endpoint-independent filtering: whatever comes to a mapped port.
        "full-cone": "iifname wan udp dport @used dnat to udp dport map @inward",
        # Address-dependent filtering: what comes from an address that the port has sent to.
        "address-restricted": "iifname wan udp dport . ip saddr @contacted dnat to udp dport map @inward",
    }
    # Address- and port-dependent mapping: another port for each destination.
    translation = "oifname wan masquerade random,fully-random" if kind in ("symmetric", "firewall") else mapped
    allowed = "tcp dport 443 accept" if kind == "firewall" else "accept"
    return f"""
        table ip nat {{
            map outward {{ type inet_service : ipv4_addr . inet_service; elements = {{ {outward} }} }}
            map inward {{ type inet_service : ipv4_addr . inet_service; elements = {{ {inward} }} }}
            set used {{ type inet_service; flags dynamic, timeout; timeout 2m; }}
            set contacted {{ type inet_service . ipv4_addr; flags dynamic, timeout; timeout 2m; }}
            chain in {{
                type nat hook prerouting priority dstnat;
                {admitted.get(kind, "")}
            }}
            chain out {{
                type nat hook postrouting priority srcnat;
                {translation}
                oifname wan masquerade
            }}
            # Sees what goes out as the outside sees it.
            chain remember {{
                type filter hook postrouting priority srcnat + 1;
                oifname wan meta l4proto udp update @used {{ udp sport }}
                oifname wan meta l4proto udp update @contacted {{ udp sport . ip daddr }}
            }}
            # What nobody asked for leaves no trace: were it answered, its ports would count as taken.
            chain self {{
                type filter hook input priority filter;
                iifname wan drop
            }}
            chain through {{
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
                ct status dnat accept
                iifname lan oifname wan {allowed}
                # Some kernels show these rules what a bridge passes from port to port.
                iifname lan oifname lan accept
            }}
        }}
    """
