"""The NATs of the lab are what they are called: the other tests rest on that."""

from __future__ import annotations

import socket

import pytest

from nat.lab import SERVER, Lab
from nat.namespaces import unavailable
from nat.probe import arrival, bound, hears_strangers, probe, reaches
from nat.rules import KINDS

pytestmark = pytest.mark.skipif((reason := unavailable()) is not None, reason=reason or "")

# Which senders a port hears that has sent to the first of them: another port of its address, another address.
FILTERING = {
    "public": [True, True, True],
    "full-cone": [True, True, True],
    "address-restricted": [True, True, False],
    "port-restricted": [True, False, False],
    "symmetric": [True, False, False],
}


@pytest.fixture
def lab():
    made = Lab()
    yield made
    made.close()


@pytest.mark.parametrize("kind", FILTERING)
def test_filtering(lab, kind):
    assert probe(lab, lab.add(kind)).hears == FILTERING[kind]


@pytest.mark.parametrize("kind", ["full-cone", "address-restricted", "port-restricted"])
def test_one_mapping_for_all_destinations(lab, kind):
    site = lab.add(kind)
    mappings = probe(lab, site).mappings
    assert len(set(mappings)) == 1, mappings
    # Another port than inside, so that nobody gets away with confusing them.
    assert mappings[0][0] == site.public and mappings[0][1] in range(50_000, 50_256)


def test_a_symmetric_nat_maps_each_destination_to_another_port(lab):
    site = lab.add("symmetric")
    mappings = probe(lab, site).mappings
    assert len(set(mappings)) == 3 and {address for address, _ in mappings} == {site.public}, mappings


@pytest.mark.parametrize("kind", [kind for kind in FILTERING if kind != "public"])
def test_strangers_are_not_let_in(lab, kind):
    assert not hears_strangers(lab, lab.add(kind))


def test_a_forgetful_symmetric_nat_maps_to_other_ports(lab):
    site = lab.add("symmetric")
    with bound(site.host, site.address) as peer, bound(lab.server, SERVER) as ear:
        before = arrival(peer, ear)
        assert arrival(peer, ear) == before
        site.rebind()
        assert arrival(peer, ear) != before


def test_a_firewall_passes_nothing_but_tcp_to_443(lab):
    site = lab.add("firewall")
    assert reaches(lab, site, 443, socket.SOCK_STREAM)
    assert not reaches(lab, site, 3478, socket.SOCK_STREAM, patience=0.5)
    for port in (443, 3478):
        assert not reaches(lab, site, port, socket.SOCK_DGRAM, patience=0.5)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "firewall"])
def test_others_pass_tcp(lab, kind):
    assert reaches(lab, lab.add(kind), 3478, socket.SOCK_STREAM)


def test_labs_do_not_meet(lab):
    other = Lab()
    try:
        site = lab.add("public")
        assert probe(lab, site).hears == [True, True, True]
        stranger = other.add("public")
        assert stranger.public == site.public and probe(other, stranger).hears == [True, True, True]
    finally:
        other.close()
