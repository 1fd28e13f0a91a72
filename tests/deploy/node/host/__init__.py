"""One real node for a cluster of this machine: containers run, packets flow, probes are asked. Linux and root only.

The node lives in a network of its own (`network`), joined to this machine by one cable and to nothing else; containerd runs
its containers (`runtime`), kubelet and kube-proxy make it a node (`agents`), CoreDNS answers for names (`names`), and
`machine` brings it up and takes it down. Nothing on it can be pulled: the images it runs are given to it.
"""
