"""The shop on a real node: what the charts say, done by a kubelet, with containers that run and packets that flow."""
