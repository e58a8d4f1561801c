"""Networks with real NATs, made of Linux network namespaces and nftables."""
